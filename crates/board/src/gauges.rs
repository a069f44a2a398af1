//! What stands now per owner: open tickets, the oldest of them, running clocks. Absolute per source; added up here.

use std::collections::BTreeMap;

use serde::Serialize;
use slawatch_wire::v1::{GaugeRow, Metric};

use crate::owners::Owner;

#[derive(Clone, Debug)]
struct Row {
    version: u64,
    standing: Standing,
}

/// What stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Standing {
    /// Open tickets.
    pub open_tickets: i64,
    /// Creation of the oldest open ticket.
    pub oldest_created_at_ms: Option<i64>,
    /// Running clocks by metric; metrics without any are left out.
    pub running_clocks: BTreeMap<&'static str, i64>,
}

impl Standing {
    fn of(row: &GaugeRow) -> Self {
        let mut running_clocks = BTreeMap::new();
        for running in row.running.iter().filter(|running| running.clocks != 0) {
            if let Some(name) = metric_name(running.metric()) {
                *running_clocks.entry(name).or_default() += running.clocks;
            }
        }
        Self {
            open_tickets: row.open_tickets,
            oldest_created_at_ms: row.oldest_created_at_ms,
            running_clocks,
        }
    }

    /// Adds another source's, or another queue's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.open_tickets += other.open_tickets;
        let both = [self.oldest_created_at_ms, other.oldest_created_at_ms];
        self.oldest_created_at_ms = both.into_iter().flatten().min();
        for (metric, clocks) in &other.running_clocks {
            *self.running_clocks.entry(metric).or_default() += clocks;
        }
    }

    /// Running clocks of all metrics together.
    pub(crate) fn running(&self) -> i64 {
        self.running_clocks.values().sum()
    }
}

const fn metric_name(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::Unspecified => None,
        Metric::FirstReply => Some("first_reply"),
        Metric::NextReply => Some("next_reply"),
        Metric::PeriodicUpdate => Some("periodic_update"),
        Metric::RequesterWait => Some("requester_wait"),
        Metric::AgentWork => Some("agent_work"),
        Metric::Resolution => Some("resolution"),
        Metric::Answer => Some("answer"),
    }
}

/// The last gauge of every source and owner.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    rows: BTreeMap<(Owner, u32), Row>,
}

impl Gauges {
    /// Takes a row in unless a newer version of it is known.
    pub(crate) fn put(&mut self, row: &GaugeRow, version: u64, owner: Owner, source: u32) {
        let known = self.rows.get(&(owner, source));
        if known.is_none_or(|known| known.version <= version) {
            let standing = Standing::of(row);
            self.rows.insert((owner, source), Row { version, standing });
        }
    }

    /// All sources of an owner together.
    pub(crate) fn of(&self, owner: Owner) -> Standing {
        let mut total = Standing::default();
        for (_, row) in self.rows.range((owner, 0)..=(owner, u32::MAX)) {
            total.add(&row.standing);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use slawatch_wire::v1::RunningClocks;

    use super::*;

    fn row(open_tickets: i64, oldest: Option<i64>, running: &[(Metric, i64)]) -> GaugeRow {
        let clocks = |(metric, clocks): &(Metric, i64)| RunningClocks {
            metric: (*metric).into(),
            clocks: *clocks,
        };
        GaugeRow {
            open_tickets,
            oldest_created_at_ms: oldest,
            running: running.iter().map(clocks).collect(),
            ..GaugeRow::default()
        }
    }

    #[test]
    fn sources_add_up_and_the_newest_version_counts() {
        let acme = Owner(3);
        let mut gauges = Gauges::default();
        gauges.put(&row(4, Some(70), &[(Metric::FirstReply, 2)]), 5, acme, 0);
        gauges.put(&row(9, Some(1), &[(Metric::FirstReply, 8)]), 4, acme, 0);
        let second = row(1, Some(50), &[(Metric::FirstReply, 1), (Metric::Answer, 1)]);
        gauges.put(&second, 1, acme, 1);
        gauges.put(&row(100, Some(2), &[]), 1, Owner(4), 0);
        let standing = gauges.of(acme);
        assert_eq!(standing.open_tickets, 5);
        assert_eq!(standing.oldest_created_at_ms, Some(50));
        assert_eq!(standing.running(), 4);
        assert_eq!(standing.running_clocks.get("first_reply"), Some(&3));
        gauges.put(&row(0, None, &[]), 6, acme, 0);
        gauges.put(&row(0, None, &[]), 6, acme, 1);
        assert_eq!(gauges.of(acme), Standing::default());
    }
}
