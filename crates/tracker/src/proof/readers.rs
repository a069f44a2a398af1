//! What those who read a tracker's conclusions end up with.

use std::collections::{BTreeMap, BTreeSet};

use proptest::test_runner::{Config, RngSeed};
use slawatch_wire::v1;

use super::reference::Found;
use crate::story::{Panes, merge_pane};
use crate::tracker::{Conclusions, Tracker};

/// The same cases on every run; `PROPTEST_CASES` asks for more, and with it for others.
pub(super) fn config(cases: u32) -> Config {
    let more = std::env::var("PROPTEST_CASES").ok();
    let more = more.and_then(|text| text.parse::<u32>().ok());
    Config {
        cases: more.unwrap_or(cases),
        rng_seed: more.map_or(RngSeed::Fixed(7), |_| RngSeed::Random),
        failure_persistence: None,
        ..Config::default()
    }
}

pub(super) type RowKey = (String, i32, u32);
/// Open tickets, the oldest one, running clocks by metric.
type Gauge = (i64, Option<(i64, String)>, Vec<(i32, i64)>);

/// One reader of everything, and one per vendor.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers {
    pub(super) rows: BTreeMap<RowKey, v1::OutcomeRow>,
    of_vendor: BTreeMap<String, BTreeMap<RowKey, v1::OutcomeRow>>,
    panes: BTreeMap<(i64, String, String, u64), v1::PaneRow>,
    gauges: BTreeMap<(String, String), Gauge>,
    pub(super) warnings: Vec<v1::Warning>,
    known: BTreeSet<String>,
    /// Heard of again, such a ticket is another one under the same id, whose rows say nothing of the first one's.
    forgotten: BTreeSet<String>,
}

impl Readers {
    pub(super) fn hear(&mut self, conclusions: Conclusions) {
        let mut keys = Vec::new();
        for outcome in conclusions.outcomes {
            let row = outcome.row;
            let key = (row.ticket_id.clone(), row.metric, row.cycle);
            keys.push(key.clone());
            for vendor in outcome.former_vendor.iter().chain([&row.vendor]) {
                let rows = self.of_vendor.entry(vendor.clone()).or_default();
                rows.insert(key.clone(), row.clone());
            }
            if row.deleted {
                assert!(
                    self.rows.remove(&key).is_some(),
                    "{key:?} was never published"
                );
            } else {
                let before = self.rows.insert(key.clone(), row);
                assert_ne!(
                    before.as_ref(),
                    self.rows.get(&key),
                    "a row that says nothing new"
                );
            }
        }
        let published = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), published, "a row occurs twice in one batch");
        let mut keys = Vec::new();
        for row in conclusions.panes {
            let key = (row.pane_ms, row.vendor.clone(), row.queue.clone(), row.part);
            keys.push(key.clone());
            self.panes.insert(key, row);
        }
        let published = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), published, "a pane occurs twice in one batch");
        for gauge in conclusions.gauges {
            let running = gauge.running.iter();
            let running = running
                .map(|clocks| (clocks.metric, clocks.clocks))
                .collect();
            let oldest = gauge.oldest_created_at_ms;
            let oldest = oldest.map(|created_ms| (created_ms, gauge.oldest_ticket_id));
            let value = (gauge.open_tickets, oldest, running);
            self.gauges.insert((gauge.vendor, gauge.queue), value);
        }
        self.warnings.extend(conclusions.warnings);
    }

    /// To be called between any two events, where tickets are forgotten.
    pub(super) fn notice_forgotten(&mut self, tracker: &Tracker) {
        let known = tracker.by_id.keys().map(|id| id.to_string()).collect();
        let before = std::mem::replace(&mut self.known, known);
        self.forgotten.extend(&before - &self.known);
    }

    /// All that a tracker has to say at once.
    pub(super) fn of(tracker: &mut Tracker) -> Self {
        let mut readers = Self::default();
        readers.hear(tracker.conclude());
        readers
    }

    pub(super) fn panes(&self) -> Panes {
        let mut panes = Panes::new();
        for row in self.panes.values() {
            merge_pane(&mut panes, row);
        }
        panes
    }

    /// Gauges that are not zero.
    pub(super) fn gauges(&self) -> BTreeMap<(String, String), Gauge> {
        let gauges = self.gauges.iter();
        let gauges = gauges.filter(|(_, gauge)| gauge.0 != 0 || !gauge.2.is_empty());
        gauges
            .map(|(owner, gauge)| (owner.clone(), gauge.clone()))
            .collect()
    }

    /// Asserts that two sets of readers have the same, warnings apart.
    pub(super) fn assert_same(&self, other: &Self) {
        assert_rows(&self.rows, &other.rows);
        assert_panes(&self.panes(), &other.panes());
        assert_eq!(self.gauges(), other.gauges());
        self.assert_vendors_know();
        other.assert_vendors_know();
    }

    /// Whoever reads one vendor's partition has that vendor's rows, and of no other row believes that it is the vendor's.
    fn assert_vendors_know(&self) {
        let lasts = |key: &RowKey| !self.forgotten.contains(&key.0);
        for (vendor, rows) in &self.of_vendor {
            let believed: BTreeMap<_, _> = rows
                .iter()
                .filter(|(key, row)| !row.deleted && row.vendor == *vendor && lasts(key))
                .map(|(key, row)| (key.clone(), row.clone()))
                .collect();
            let actual: BTreeMap<_, _> = self
                .rows
                .iter()
                .filter(|(key, row)| row.vendor == *vendor && lasts(key))
                .map(|(key, row)| (key.clone(), row.clone()))
                .collect();
            assert_rows(&believed, &actual);
        }
    }

    /// Asserts that the readers have what was found otherwise; `with_gauges` where the clock has passed every event.
    pub(super) fn assert_found(&self, found: &[Found], with_gauges: bool) {
        let mut rows = BTreeMap::new();
        let mut panes = Panes::new();
        let mut gauges: BTreeMap<(String, String), Gauge> = BTreeMap::new();
        for ticket in found {
            rows.extend(ticket.rows.clone());
            for (key, measures) in &ticket.panes {
                let pane = panes.entry(key.clone()).or_default();
                for (name, amount) in measures {
                    *pane.entry(name.clone()).or_default() += amount;
                }
            }
            if let Some(open) = &ticket.open {
                let owner = (open.owner.0.into(), open.owner.1.into());
                let gauge = gauges.entry(owner).or_default();
                gauge.0 += 1;
                let this = (open.created_ms, open.ticket_id.clone());
                let oldest = gauge
                    .1
                    .take()
                    .map_or(this.clone(), |oldest| oldest.min(this));
                gauge.1 = Some(oldest);
            }
            for ((vendor, queue, metric), clocks) in &ticket.running {
                let gauge = gauges
                    .entry(((*vendor).into(), (*queue).into()))
                    .or_default();
                match gauge.2.iter_mut().find(|(known, _)| known == metric) {
                    Some((_, sum)) => *sum += clocks,
                    None => gauge.2.push((*metric, *clocks)),
                }
                gauge.2.sort_unstable();
            }
        }
        assert_rows(&self.rows, &rows);
        assert_panes(&self.panes(), &panes);
        if with_gauges {
            assert_eq!(self.gauges(), gauges);
        }
    }
}

pub(super) fn assert_rows(
    found: &BTreeMap<RowKey, v1::OutcomeRow>,
    expected: &BTreeMap<RowKey, v1::OutcomeRow>,
) {
    for (key, row) in expected {
        assert_eq!(found.get(key), Some(row), "{key:?}");
    }
    for (key, row) in found {
        assert_eq!(Some(row), expected.get(key), "{key:?}");
    }
}

fn assert_panes(found: &Panes, expected: &Panes) {
    for (key, pane) in expected {
        assert_eq!(found.get(key), Some(pane), "{key:?}");
    }
    for (key, pane) in found {
        assert_eq!(Some(pane), expected.get(key), "{key:?}");
    }
}
