//! What lies behind the sliding windows: of one vendor and queue, the sums of each contract's running period, and of the
//! hours of the last weeks. Kept up to date by differences, also by those of late events however old the pane that they
//! change, as long as its period runs or its hour is kept. Which rules look at the sums is not known here.
//!
//! It is bounded: one sum a period, and at most [`Plan::hours`] hours of the counters that rules ask for, some 100 bytes
//! each: about 70 KB for four weeks of a service level.

use std::collections::BTreeMap;

use slawatch_calendar::{Period, Periods};

use crate::counters::{Counter, Packed, Totals};
use crate::minute::{Minute, PANE_MS};

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const HOURS_OF_A_WEEK: i64 = 168;
const PANES_OF_AN_HOUR: i64 = HOUR_MS / PANE_MS;

/// How many panes back a source may replace what it said: the tracker's horizon of 26 h, and what a source lags behind.
pub(crate) const REPLACED_PANES: i64 = 28 * PANES_OF_AN_HOUR;

/// The number of an hour: `floor(instant / 1 h)`.
pub(crate) const fn hour_of(minute: Minute) -> i64 {
    minute.0.div_euclid(PANES_OF_AN_HOUR)
}

/// What a rule needs of the past.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    /// The sums of its contract's period.
    pub(crate) periods: Option<Periods>,
    /// The hours before the clock's.
    pub(crate) hours: i64,
    /// Of each hour.
    pub(crate) counters: Vec<Counter>,
}

/// What all rules need of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The distinct ones.
    pub(crate) periods: Vec<Periods>,
    /// How many hours before the clock's are kept.
    pub(crate) hours: i64,
    /// The counters kept of each hour.
    pub(crate) counters: u64,
}

impl Plan {
    pub(crate) fn new(needs: impl IntoIterator<Item = Need>) -> Self {
        let mut plan = Self::default();
        for need in needs {
            plan.hours = plan.hours.max(need.hours);
            plan.counters |= Counter::mask(&need.counters);
            plan.periods
                .extend(need.periods.filter(|new| !plan.periods.contains(new)));
        }
        plan
    }

    /// The place of periods that are in the plan.
    pub(crate) fn place(&self, periods: &Periods) -> Option<usize> {
        self.periods.iter().position(|known| known == periods)
    }

    /// Nothing of the past is needed, so nothing changes by the mere passing of hours.
    pub(crate) fn is_empty(&self) -> bool {
        self.periods.is_empty() && self.hours == 0
    }
}

/// Where the clock stands in the contracts' time: a function of the plan and the clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Almanac {
    hour: Option<i64>,
    /// Around the clock, in the order of the plan.
    periods: Vec<Period>,
    /// The hour of the local week of every hour from `first_hour` on, in the order of the plan.
    hours_of_week: Vec<Vec<u8>>,
    first_hour: i64,
}

/// A month and a day: as far as a running period can reach ahead.
const HOURS_AHEAD: i64 = 32 * 24;

impl Almanac {
    /// Moves on to the clock.
    pub(crate) fn turn(&mut self, plan: &Plan, clock: Minute) {
        if plan.is_empty() {
            return;
        }
        let now_ms = clock.last_ms();
        let hour = hour_of(clock);
        if self.periods.len() != plan.periods.len() {
            self.periods = plan.periods.iter().map(|all| all.around(now_ms)).collect();
        }
        for (period, periods) in self.periods.iter_mut().zip(&plan.periods) {
            if !period.has(now_ms) {
                *period = periods.around(now_ms);
            }
        }
        if self.hour != Some(hour) {
            self.hour = Some(hour);
            self.first_hour = hour - plan.hours;
            let hours = self.first_hour..hour + HOURS_AHEAD;
            let list = |periods: &Periods| {
                let of_week = hours
                    .clone()
                    .map(|hour| periods.hour_of_week(hour * HOUR_MS));
                of_week.map(|hour| hour as u8).collect()
            };
            self.hours_of_week = plan.periods.iter().map(list).collect();
        }
    }

    /// The hour of the clock; `None` before the first clock.
    pub(crate) fn hour(&self) -> Option<i64> {
        self.hour
    }

    /// The running period of the plan's at that place.
    pub(crate) fn period(&self, place: usize) -> Option<Period> {
        self.periods.get(place).copied()
    }

    /// Which hour of that contract's week an hour is; `None` beyond the hours kept and a month ahead.
    pub(crate) fn hour_of_week(&self, place: usize, hour: i64) -> Option<usize> {
        let index = usize::try_from(hour - self.first_hour).ok()?;
        let hours = self.hours_of_week.get(place)?;
        hours.get(index).map(|hour| usize::from(*hour))
    }
}

/// From when on the past is known, the same for every group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The sums of the plan's periods, in its order.
    pub(crate) periods: Vec<Minute>,
    /// The first whole hour.
    pub(crate) first_hour: i64,
}

impl Known {
    /// As at the beginning of the log: there was nothing before.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            periods: vec![Minute::BEFORE_ALL; plan.periods.len()],
            first_hour: i64::MIN,
        }
    }

    /// The first clock: how much came in an hour before is not known.
    pub(crate) fn start(&mut self, clock: Minute) {
        self.first_hour = self.first_hour.max(hour_of(clock) + 1);
    }

    /// Whether the sums of the running period at that place are of the whole.
    pub(crate) fn has_whole(&self, place: usize, period: Period) -> bool {
        let from = self.periods.get(place).copied();
        from.is_some_and(|from| from <= Minute::of(period.start_ms))
    }
}

/// The sums of one vendor and queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// By the period's start, in the order of the plan: the running one and those of sources ahead of the clock.
    pub(crate) periods: Vec<BTreeMap<i64, Packed>>,
    pub(crate) hours: BTreeMap<i64, Packed>,
}

impl History {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            periods: vec![BTreeMap::new(); plan.periods.len()],
            hours: BTreeMap::new(),
        }
    }

    /// A pane has changed by that much.
    pub(crate) fn add(&mut self, plan: &Plan, almanac: &Almanac, pane: Minute, change: &Totals) {
        for (place, sums) in self.periods.iter_mut().enumerate() {
            add_to_period(
                sums,
                &plan.periods[place],
                almanac.period(place),
                pane,
                change,
            );
        }
        let hour = hour_of(pane);
        let oldest = almanac.hour().map_or(i64::MIN, |now| now - plan.hours);
        if plan.hours > 0 && hour >= oldest {
            let change = change.of(plan.counters);
            if !change.is_zero() {
                self.hours.entry(hour).or_default().add(&change);
            }
        }
    }

    /// Drops what no rule can look at any more.
    pub(crate) fn forget(&mut self, plan: &Plan, almanac: &Almanac) {
        for (place, sums) in self.periods.iter_mut().enumerate() {
            if let Some(running) = almanac.period(place) {
                while let Some(oldest) = sums.first_entry() {
                    if *oldest.key() >= running.start_ms {
                        break;
                    }
                    oldest.remove();
                }
            }
        }
        let Some(now) = almanac.hour() else { return };
        while let Some(oldest) = self.hours.first_entry() {
            if *oldest.key() >= now - plan.hours {
                break;
            }
            oldest.remove();
        }
    }

    /// Adds the sums of the period at that place.
    pub(crate) fn sum_period(&self, place: usize, period: Period, totals: &mut Totals) {
        let sums = self.periods.get(place);
        if let Some(sum) = sums.and_then(|sums| sums.get(&period.start_ms)) {
            totals.add_packed(sum);
        }
    }

    /// Adds the sums of these hours.
    pub(crate) fn sum_hours(&self, hours: std::ops::Range<i64>, totals: &mut Totals) {
        if hours.start < hours.end {
            for (_, sum) in self.hours.range(hours) {
                totals.add_packed(sum);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.periods.iter().all(BTreeMap::is_empty)
    }
}

fn add_to_period(
    sums: &mut BTreeMap<i64, Packed>,
    periods: &Periods,
    running: Option<Period>,
    pane: Minute,
    change: &Totals,
) {
    let at_ms = pane.0.saturating_mul(PANE_MS);
    let start_ms = match running {
        Some(running) if at_ms < running.start_ms => return,
        Some(running) if running.has(at_ms) => running.start_ms,
        // Of a source that is ahead, or before the first clock.
        Some(_) | None => periods.around(at_ms).start_ms,
    };
    sums.entry(start_ms).or_default().add(change);
}

/// What of the past is the same for every group.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) almanac: Almanac,
    pub(crate) known: Known,
    /// Oldest first.
    pub(crate) marks: Vec<Mark>,
}

/// A change of an SOP or product that somebody marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at_ms: i64,
    pub(crate) action_id: String,
    /// Empty means every one, as in an action.
    pub(crate) vendor: String,
    pub(crate) queue: String,
    pub(crate) reason: String,
}

impl Mark {
    /// " (new refund form)"; nothing where no reason was given.
    pub(crate) fn why(&self) -> String {
        match self.reason.trim() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        }
    }

    /// Whether it is about that vendor and queue; of a whole vendor, about all of it.
    fn is_about(&self, vendor: &str, queue: Option<&str>) -> bool {
        let is = |named: &str, own: &str| named.is_empty() || named == own;
        is(&self.vendor, vendor) && is(&self.queue, queue.unwrap_or_default())
    }
}

/// How many marked changes are remembered: the latest.
const REMEMBERED_MARKS: usize = 64;

impl Past {
    /// Somebody marked a change; one known by its id is a repeat.
    pub(crate) fn take_mark(&mut self, mark: Mark) {
        if self
            .marks
            .iter()
            .any(|known| known.action_id == mark.action_id)
        {
            return;
        }
        let place = self
            .marks
            .partition_point(|known| known.at_ms <= mark.at_ms);
        self.marks.insert(place, mark);
        if self.marks.len() > REMEMBERED_MARKS {
            self.marks.remove(0);
        }
    }

    /// The latest change by now that is about that group.
    pub(crate) fn mark(&self, vendor: &str, queue: Option<&str>, now_ms: i64) -> Option<&Mark> {
        let by_now = self.marks.iter().filter(|mark| mark.at_ms <= now_ms);
        by_now.rev().find(|mark| mark.is_about(vendor, queue))
    }

    /// As at the beginning of the log.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            almanac: Almanac::default(),
            known: Known::new(plan),
            marks: Vec::new(),
        }
    }
}
