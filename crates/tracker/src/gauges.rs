//! What stands now per (vendor, queue): open tickets, the creation of the oldest, running clocks (SEMANTICS 5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slawatch_policy::Metric;
use slawatch_wire::v1;

use crate::outcome::wire_metric;
use crate::symbol::Symbols;
use crate::tally::Owner;

/// What one ticket adds to its owner's gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) owner: Owner,
    /// If it is open.
    pub(crate) created_at_ms: Option<i64>,
    /// Clocks that run now towards a target, by metric.
    pub(crate) running: [u32; Metric::ALL.len()],
}

#[derive(Debug, Default)]
struct Gauge {
    /// (creation, ticket): of equally old ones the smallest id comes first.
    open: BTreeSet<(i64, Arc<str>)>,
    running: [i64; Metric::ALL.len()],
}

#[derive(Debug, Default)]
pub(crate) struct Gauges {
    by_owner: BTreeMap<Owner, Gauge>,
    changed: BTreeSet<Owner>,
}

impl Gauges {
    /// Replaces what a ticket added before by what it adds now.
    pub(crate) fn replace(&mut self, ticket: &Arc<str>, before: &Share, after: &Share) {
        if before != after {
            self.count(before, -1);
            self.count(after, 1);
            if (before.owner, before.created_at_ms) != (after.owner, after.created_at_ms) {
                self.replace_open(ticket, before, after);
            }
        }
    }

    /// Everything is to be published again.
    pub(crate) fn mark_all_changed(&mut self) {
        self.changed.extend(self.by_owner.keys().copied());
    }

    /// What changed so far is known to all.
    pub(crate) fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// Appends what changed since the last time.
    pub(crate) fn publish(&mut self, symbols: &Symbols, out: &mut Vec<v1::GaugeRow>) {
        for owner in std::mem::take(&mut self.changed) {
            let Some(gauge) = self.by_owner.get(&owner) else {
                continue;
            };
            let running = Metric::ALL
                .iter()
                .filter(|metric| gauge.running[metric.index()] != 0)
                .map(|metric| v1::RunningClocks {
                    metric: wire_metric(*metric).into(),
                    clocks: gauge.running[metric.index()],
                });
            let oldest = gauge.open.first();
            out.push(v1::GaugeRow {
                vendor: symbols.text(owner.vendor).to_owned(),
                queue: symbols.text(owner.queue).to_owned(),
                open_tickets: gauge.open.len() as i64,
                oldest_created_at_ms: oldest.map(|(created_at_ms, _)| *created_at_ms),
                oldest_ticket_id: oldest.map_or(String::new(), |(_, id)| id.to_string()),
                running: running.collect(),
            });
        }
    }

    fn count(&mut self, share: &Share, sign: i64) {
        let is_empty = share.created_at_ms.is_none() && share.running.iter().all(|n| *n == 0);
        if is_empty {
            return;
        }
        let gauge = self.by_owner.entry(share.owner).or_default();
        for (sum, clocks) in gauge.running.iter_mut().zip(share.running) {
            *sum += sign * i64::from(clocks);
        }
        self.changed.insert(share.owner);
    }

    fn replace_open(&mut self, ticket: &Arc<str>, before: &Share, after: &Share) {
        if let Some(created_at_ms) = before.created_at_ms {
            let gauge = self.by_owner.entry(before.owner).or_default();
            gauge.open.remove(&(created_at_ms, Arc::clone(ticket)));
        }
        if let Some(created_at_ms) = after.created_at_ms {
            let gauge = self.by_owner.entry(after.owner).or_default();
            gauge.open.insert((created_at_ms, Arc::clone(ticket)));
        }
    }
}
