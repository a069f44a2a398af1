//! The live picture: a pure function of the signals and alerts read so far. No clock but theirs, no I/O.

use std::collections::BTreeMap;

use slawatch_wire::row_version;
use slawatch_wire::v1::{Action, AlertBatch, Signal, SignalBatch, signal};

use crate::alerts::{Alert, AlertBook, Severity};
use crate::breaches::OpenBreaches;
use crate::counts::Counts;
use crate::gauges::{Gauges, Standing};
use crate::minutes::{MINUTE_MS, Minutes, RowKey};
use crate::owners::{Owner, Owners};
use crate::silences::SilenceBook;
use crate::sources::Sources;
use crate::view::{AlertsView, Group, QueueView, State, VendorView, View};
use crate::zone::Zone;

/// How far back minutes are kept: the longest local day.
pub(crate) const KEPT_MS: i64 = 25 * 3_600_000;

const TREND_STEP_MS: i64 = 5 * MINUTE_MS;
const TREND_STEPS: usize = 24;

/// What the picture may hold; what comes beyond is left out and named in [`View::gaps`].
#[derive(Clone, Copy, Debug)]
struct Limits {
    owners: usize,
    /// Rows of panes: about 150 bytes each.
    pane_rows: usize,
    alerts: usize,
    breaches: usize,
}

const LIMITS: Limits = Limits {
    owners: 5_000,
    pane_rows: 1_000_000,
    alerts: 50_000,
    breaches: 500_000,
};

/// Everything the board knows.
#[derive(Debug)]
pub struct Picture {
    zone: Zone,
    generation: u32,
    partitions: u32,
    limits: Limits,
    owners: Owners,
    minutes: Minutes,
    gauges: Gauges,
    breaches: OpenBreaches,
    sources: Sources,
    alerts: AlertBook,
    silences: SilenceBook,
    swept_at_ms: i64,
}

impl Picture {
    /// Nothing known yet. `partitions`: of the signals topic; `zone`: whose days are meant by "today".
    pub fn new(partitions: u32, zone: Zone) -> Self {
        Self::limited(partitions, zone, LIMITS)
    }

    fn limited(partitions: u32, zone: Zone, limits: Limits) -> Self {
        Self {
            zone,
            generation: 0,
            partitions,
            limits,
            owners: Owners::new(limits.owners),
            minutes: Minutes::new(limits.pane_rows),
            gauges: Gauges::default(),
            breaches: OpenBreaches::new(limits.breaches),
            sources: Sources::new(partitions),
            alerts: AlertBook::new(limits.alerts),
            silences: SilenceBook::default(),
            swept_at_ms: i64::MIN,
        }
    }

    /// Takes in a message read from a partition of the signals topic.
    pub fn apply_signal(&mut self, partition: u32, signal: &Signal) {
        match &signal.kind {
            Some(signal::Kind::Batch(batch)) => self.apply_batch(partition, batch),
            Some(signal::Kind::Action(action)) => self.apply_action(action),
            Some(signal::Kind::Rules(_)) | None => {}
        }
    }

    /// What people did is on both topics: the alerts reach further back.
    fn apply_action(&mut self, action: &Action) {
        self.silences.note(action);
    }

    fn apply_batch(&mut self, partition: u32, batch: &SignalBatch) {
        if batch.generation < self.generation {
            return;
        }
        if batch.generation > self.generation {
            self.begin_generation(batch.generation);
        }
        let version = row_version(batch.epoch, batch.batch);
        for row in &batch.panes {
            let Some(owner) = self.owners.number(&row.vendor, &row.queue) else {
                continue;
            };
            let key = RowKey {
                owner,
                source: batch.source,
                part: row.part,
            };
            let counts = row.measures.as_ref().map(Counts::of).unwrap_or_default();
            self.minutes.put(row.pane_ms, key, version, counts);
        }
        for row in &batch.gauges {
            if let Some(owner) = self.owners.number(&row.vendor, &row.queue) {
                self.gauges.put(row, version, owner, batch.source);
            }
        }
        for row in &batch.outcomes {
            if let Some(owner) = self.owners.number(&row.vendor, &row.queue) {
                self.breaches.put(row, version, owner, batch.clock_ms);
            }
        }
        self.sources
            .note(partition, batch.source, batch.sources, batch.clock_ms);
    }

    /// Versions of different generations cannot be compared: a new one starts afresh. Alerts stand.
    fn begin_generation(&mut self, generation: u32) {
        let alerts = std::mem::replace(&mut self.alerts, AlertBook::new(self.limits.alerts));
        let silences = std::mem::take(&mut self.silences);
        *self = Self {
            generation,
            alerts,
            silences,
            ..Self::limited(self.partitions, self.zone.clone(), self.limits)
        };
    }

    /// Takes in a message of the alerts topic.
    pub fn apply_alerts(&mut self, batch: AlertBatch) {
        let version = row_version(batch.epoch, batch.batch);
        for alert in batch.alerts {
            self.alerts.put(alert, version);
        }
        for action in &batch.actions {
            self.apply_action(action);
        }
        self.alerts.advance(batch.clock_ms);
    }

    /// Forgets what lies too far behind the clock.
    pub fn sweep(&mut self) {
        let Some(as_of_ms) = self.sources.reading().as_of_ms else {
            return;
        };
        self.alerts.advance(as_of_ms);
        if as_of_ms >= self.swept_at_ms.saturating_add(MINUTE_MS) {
            self.swept_at_ms = as_of_ms;
            self.minutes.keep_from(as_of_ms.saturating_sub(KEPT_MS));
            self.breaches.advance(as_of_ms);
            self.silences.advance(as_of_ms);
        }
    }

    /// What there is to see at the picture's clock.
    pub fn view(&self) -> View {
        let reading = self.sources.reading();
        let alerts = AlertsView {
            firing: self.alerts.firing(),
            pending: self.alerts.pending(),
            ended: self.alerts.ended(),
        };
        let mut view = View {
            as_of_ms: reading.as_of_ms,
            time_zone: self.zone.name().to_owned(),
            sources: reading.expected,
            sources_out: reading.out,
            gaps: self.gaps(),
            ..View::default()
        };
        if let Some(as_of_ms) = reading.as_of_ms {
            let day_start_ms = self.zone.day_start_ms(as_of_ms);
            view.day_start_ms = Some(day_start_ms);
            let windows = self.windows(as_of_ms, day_start_ms);
            let vendors = self.owners.by_name().filter_map(|(vendor, queues)| {
                let queues = queues.iter().map(|(queue, owner)| (queue.as_str(), *owner));
                self.vendor(vendor, queues, &windows, &alerts, as_of_ms)
            });
            view.vendors = vendors.collect();
            view.silences = self.silences.view(as_of_ms);
        }
        view.alerts = alerts;
        view
    }

    fn windows(&self, as_of_ms: i64, day_start_ms: i64) -> BTreeMap<Owner, Windows> {
        let to_ms = as_of_ms - as_of_ms.rem_euclid(MINUTE_MS) + MINUTE_MS;
        let trend_from_ms = to_ms - TREND_STEP_MS * TREND_STEPS as i64;
        let from_ms = day_start_ms.min(trend_from_ms);
        let mut windows: BTreeMap<Owner, Windows> = BTreeMap::new();
        self.minutes
            .for_each(from_ms, to_ms, |minute_ms, owner, counts| {
                let of = windows.entry(owner).or_default();
                let mut add = |since_ms: i64, sum: fn(&mut Windows) -> &mut Counts| {
                    if minute_ms >= since_ms {
                        let sum = sum(of);
                        *sum = sum.plus(counts);
                    }
                };
                add(to_ms - 30 * MINUTE_MS, |windows| &mut windows.last_30m);
                add(to_ms - 60 * MINUTE_MS, |windows| &mut windows.last_60m);
                add(day_start_ms, |windows| &mut windows.today);
                let step = usize::try_from((minute_ms - trend_from_ms).div_euclid(TREND_STEP_MS));
                if let Some(sum) = step.ok().and_then(|step| of.trend.get_mut(step)) {
                    *sum = sum.plus(counts);
                }
            });
        windows
    }

    fn vendor<'a>(
        &self,
        vendor: &str,
        queues: impl Iterator<Item = (&'a str, Owner)>,
        windows: &BTreeMap<Owner, Windows>,
        alerts: &AlertsView,
        as_of_ms: i64,
    ) -> Option<VendorView> {
        let mut whole = Facts::default();
        let mut views = Vec::new();
        for (queue, owner) in queues {
            let facts = Facts {
                windows: windows.get(&owner).cloned().unwrap_or_default(),
                standing: self.gauges.of(owner),
                open_breaches: self.breaches.of(owner),
            };
            let is_its = |alert: &Alert| alert.vendor == vendor && alert.queue == queue;
            if facts.is_nothing() && !alerts.firing.iter().any(is_its) {
                continue;
            }
            whole.add(&facts);
            views.push(QueueView {
                queue: queue.to_owned(),
                group: facts.group(alerts, is_its, as_of_ms),
            });
        }
        let is_its = |alert: &Alert| alert.vendor == vendor;
        (!views.is_empty()).then(|| VendorView {
            vendor: vendor.to_owned(),
            group: whole.group(alerts, is_its, as_of_ms),
            queues: views,
        })
    }

    fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if let Some(ms) = self.minutes.dropped_before_ms() {
            let from = self.zone.time_of_day(ms);
            gaps.push(format!(
                "too much to hold: minutes before {from} are not counted"
            ));
        }
        for (refused, what) in [
            (self.owners.refused(), "rows of further queues"),
            (self.breaches.refused(), "open breaches"),
            (self.alerts.refused(), "alerts"),
        ] {
            if refused > 0 {
                gaps.push(format!("too much to hold: {refused} {what} are not shown"));
            }
        }
        gaps
    }
}

#[derive(Clone, Debug, Default)]
struct Windows {
    last_30m: Counts,
    last_60m: Counts,
    today: Counts,
    trend: [Counts; TREND_STEPS],
}

/// What is known of a queue, or of several together.
#[derive(Debug, Default)]
struct Facts {
    windows: Windows,
    standing: Standing,
    open_breaches: u64,
}

impl Facts {
    fn is_nothing(&self) -> bool {
        let windows = &self.windows;
        self.standing == Standing::default()
            && self.open_breaches == 0
            && windows.today.is_zero()
            && windows.trend.iter().all(Counts::is_zero)
    }

    fn add(&mut self, other: &Self) {
        let (sum, of) = (&mut self.windows, &other.windows);
        sum.last_30m = sum.last_30m.plus(&of.last_30m);
        sum.last_60m = sum.last_60m.plus(&of.last_60m);
        sum.today = sum.today.plus(&of.today);
        for (sum, of) in sum.trend.iter_mut().zip(&of.trend) {
            *sum = sum.plus(of);
        }
        self.standing.add(&other.standing);
        self.open_breaches += other.open_breaches;
    }

    fn group(&self, alerts: &AlertsView, is_its: impl Fn(&Alert) -> bool, as_of_ms: i64) -> Group {
        let windows = &self.windows;
        let oldest_created_at_ms = self.standing.oldest_created_at_ms;
        Group {
            state: self.state(alerts, &is_its),
            firing: alerts.firing.iter().filter(|alert| is_its(alert)).count(),
            last_30m: windows.last_30m.figures(),
            last_60m: windows.last_60m.figures(),
            today: windows.today.figures(),
            trend: windows.trend.iter().map(Counts::service_level).collect(),
            standing: self.standing.clone(),
            oldest_age_ms: oldest_created_at_ms.map(|created_ms| (as_of_ms - created_ms).max(0)),
            open_breaches: self.open_breaches,
        }
    }

    fn state(&self, alerts: &AlertsView, is_its: &impl Fn(&Alert) -> bool) -> State {
        let firing = || alerts.firing.iter().filter(|alert| is_its(alert));
        // A single ticket does not paint its whole queue red.
        let is_grave = |alert: &Alert| alert.severity <= Severity::Error && !alert.is_of_ticket();
        if firing().any(is_grave) {
            State::Critical
        } else if firing().next().is_some() {
            State::Warning
        } else if alerts.pending.iter().any(is_its) || self.open_breaches > 0 {
            State::Watch
        } else if self.windows.last_60m.is_zero() && self.standing.open_tickets == 0 {
            State::Idle
        } else {
            State::Ok
        }
    }
}

#[cfg(test)]
mod tests;
