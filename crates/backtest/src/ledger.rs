//! What several trackers have concluded, put together as if one had, so that nothing behind depends on how many they are.

use std::collections::{BTreeMap, BTreeSet};

use slawatch_tracker::Conclusions;
use slawatch_wire::v1;

use crate::measures::merge;

/// First instant, vendor and queue of a pane.
type PaneKey = (i64, String, String);
type Owner = (String, String);

/// Panes merged over trackers, sorted by first instant, vendor and queue.
pub type MergedPanes = BTreeMap<PaneKey, v1::Measures>;

/// Ticket, metric and cycle of an outcome row.
pub type OutcomeKey = (String, i32, u32);

/// A tracker and what it says.
type Said<T> = Vec<(usize, T)>;

/// The newest word of every tracker.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    panes: BTreeMap<PaneKey, Said<v1::Measures>>,
    gauges: BTreeMap<Owner, Said<v1::GaugeRow>>,
    outcomes: BTreeMap<OutcomeKey, v1::OutcomeRow>,
    changed_panes: BTreeSet<PaneKey>,
    changed_gauges: BTreeSet<Owner>,
    changed_outcomes: BTreeMap<OutcomeKey, v1::OutcomeRow>,
    warnings: Vec<v1::Warning>,
    warned: Vec<v1::Warning>,
}

impl Ledger {
    /// Takes in what a tracker concluded.
    pub(crate) fn take(&mut self, tracker: usize, conclusions: Conclusions) {
        for row in conclusions.panes {
            let key = (row.pane_ms, row.vendor, row.queue);
            say(
                self.panes.entry(key.clone()).or_default(),
                tracker,
                row.measures.unwrap_or_default(),
            );
            self.changed_panes.insert(key);
        }
        for row in conclusions.gauges {
            let key = (row.vendor.clone(), row.queue.clone());
            say(self.gauges.entry(key.clone()).or_default(), tracker, row);
            self.changed_gauges.insert(key);
        }
        for outcome in conclusions.outcomes {
            let row = outcome.row;
            let key = (row.ticket_id.clone(), row.metric, row.cycle);
            if row.deleted {
                self.outcomes.remove(&key);
            } else {
                self.outcomes.insert(key.clone(), row.clone());
            }
            self.changed_outcomes.insert(key, row);
        }
        self.warnings.extend(conclusions.warnings);
    }

    /// What changed since the last time, in an order that does not depend on who said it.
    pub(crate) fn changes(&mut self) -> v1::SignalBatch {
        let panes = std::mem::take(&mut self.changed_panes);
        let panes = panes.into_iter().map(|key| v1::PaneRow {
            measures: Some(sum(&self.panes[&key])),
            pane_ms: key.0,
            vendor: key.1,
            queue: key.2,
            part: 0,
        });
        let gauges = std::mem::take(&mut self.changed_gauges);
        let gauges = gauges.into_iter().map(|key| gauge(&self.gauges[&key], key));
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.sort_by(|a, b| order(a).cmp(&order(b)));
        self.warned.extend_from_slice(&warnings);
        v1::SignalBatch {
            panes: panes.collect(),
            gauges: gauges.collect(),
            warnings,
            outcomes: std::mem::take(&mut self.changed_outcomes)
                .into_values()
                .collect(),
            ..v1::SignalBatch::default()
        }
    }

    /// What stands at the end: outcomes that were not taken back, panes, and every warning that was announced.
    pub(crate) fn close(self) -> (Vec<v1::OutcomeRow>, MergedPanes, Vec<v1::Warning>) {
        let panes = self.panes.into_iter().map(|(key, said)| (key, sum(&said)));
        let outcomes = self.outcomes.into_values().collect();
        (outcomes, panes.collect(), self.warned)
    }
}

fn say<T>(said: &mut Said<T>, tracker: usize, word: T) {
    match said.iter_mut().find(|(known, _)| *known == tracker) {
        Some((_, before)) => *before = word,
        None => said.push((tracker, word)),
    }
}

fn order(warning: &v1::Warning) -> (i64, &str, i32, u32, &str) {
    (
        warning.reached_at_ms,
        &warning.ticket_id,
        warning.metric,
        warning.cycle,
        &warning.level,
    )
}

fn sum(said: &Said<v1::Measures>) -> v1::Measures {
    let mut total = v1::Measures::default();
    for (_, measures) in said {
        merge(&mut total, measures);
    }
    total
}

fn gauge(said: &Said<v1::GaugeRow>, (vendor, queue): Owner) -> v1::GaugeRow {
    let mut running: BTreeMap<i32, i64> = BTreeMap::new();
    for clocks in said.iter().flat_map(|(_, row)| &row.running) {
        *running.entry(clocks.metric).or_default() += clocks.clocks;
    }
    let oldest = said
        .iter()
        .filter_map(|(_, row)| Some((row.oldest_created_at_ms?, &row.oldest_ticket_id)))
        .min();
    v1::GaugeRow {
        vendor,
        queue,
        open_tickets: said.iter().map(|(_, row)| row.open_tickets).sum(),
        oldest_created_at_ms: oldest.map(|(created_at_ms, _)| created_at_ms),
        running: running
            .into_iter()
            .map(|(metric, clocks)| v1::RunningClocks { metric, clocks })
            .collect(),
        oldest_ticket_id: oldest.map_or_else(String::new, |(_, ticket)| ticket.clone()),
    }
}
