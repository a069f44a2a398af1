//! How much of a contract's period is still to come at the present volume, and when a given part of it will have come.
//!
//! An hour to come brings what the same hour of the local week brought on average over the weeks that are known, four at
//! the most. Before a whole week is known it is the period's own rate so far, in the hours of the rule's calendar if it has
//! one, and before half of the period is over nothing is said: the quiet first hours tell nothing about the busy ones.

use slawatch_calendar::Period;

use crate::counters::Totals;
use crate::history::{HOUR_MS, HOURS_OF_A_WEEK};
use crate::view::View;

/// How many weeks the volume of an hour is averaged over.
pub(crate) const WEEKS: i64 = 4;

/// What the forecast rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// The same hours of that many weeks.
    Weeks(i64),
    /// The period's rate so far.
    Rate,
}

/// A stretch of the rest of the period, and what it is expected to bring.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    start_ms: i64,
    end_ms: i64,
    volume: f64,
}

/// What is still to come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forecast {
    pub(crate) basis: Basis,
    stretches: Vec<Stretch>,
}

impl Forecast {
    /// The rest of the running period that the plan has at that place, in what `count` counts. `so_far` is that of the
    /// period until now.
    pub(crate) fn new(
        view: &View<'_>,
        place: usize,
        period: Period,
        so_far: i64,
        count: impl Fn(&Totals) -> i64,
    ) -> Option<Self> {
        let now_ms = view.now_ms;
        if let Some((weeks, means)) = weekly_means(view, place, count) {
            let stretches = hours(now_ms, period.end_ms).map(|(hour, start_ms, end_ms)| {
                let of_week = view.past.almanac.hour_of_week(place, hour);
                let mean = of_week.map_or(0.0, |of_week| means[of_week]);
                let share = (end_ms - start_ms) as f64 / HOUR_MS as f64;
                Stretch {
                    start_ms,
                    end_ms,
                    volume: mean * share,
                }
            });
            return Some(Self {
                basis: Basis::Weeks(weeks),
                stretches: stretches.collect(),
            });
        }
        let open_ms = |from_ms, to_ms| view.about.elapsed_ms(from_ms, to_ms);
        let passed_ms = open_ms(period.start_ms, now_ms);
        if passed_ms <= 0 || passed_ms < open_ms(now_ms, period.end_ms) {
            return None;
        }
        let per_ms = so_far.max(0) as f64 / passed_ms as f64;
        let stretches = hours(now_ms, period.end_ms).map(|(_, start_ms, end_ms)| Stretch {
            start_ms,
            end_ms,
            volume: open_ms(start_ms, end_ms) as f64 * per_ms,
        });
        Some(Self {
            basis: Basis::Rate,
            stretches: stretches.collect(),
        })
    }

    /// How much is still to come.
    pub(crate) fn rest(&self) -> f64 {
        self.stretches.iter().map(|stretch| stretch.volume).sum()
    }

    /// When that much will have come; `None` if it is more than the rest.
    pub(crate) fn reached_at_ms(&self, volume: f64) -> Option<i64> {
        let mut missing = volume;
        for stretch in &self.stretches {
            if missing <= stretch.volume {
                let length_ms = (stretch.end_ms - stretch.start_ms) as f64;
                let share = if stretch.volume > 0.0 {
                    missing.max(0.0) / stretch.volume
                } else {
                    0.0
                };
                return Some(stretch.start_ms + (length_ms * share) as i64);
            }
            missing -= stretch.volume;
        }
        None
    }

    /// "the same hours of the last 4 weeks".
    pub(crate) fn words(&self) -> String {
        match self.basis {
            Basis::Weeks(1) => "the same hours of the last week".to_owned(),
            Basis::Weeks(weeks) => format!("the same hours of the last {weeks} weeks"),
            Basis::Rate => "the period's rate so far".to_owned(),
        }
    }
}

/// Hour by hour from one instant to another: its number, and its part of that stretch.
fn hours(from_ms: i64, to_ms: i64) -> impl Iterator<Item = (i64, i64, i64)> {
    let (first, last) = (from_ms.div_euclid(HOUR_MS), (to_ms - 1).div_euclid(HOUR_MS));
    (first..=last).map(move |hour| {
        let start_ms = (hour * HOUR_MS).max(from_ms);
        let end_ms = ((hour + 1) * HOUR_MS).min(to_ms);
        (hour, start_ms, end_ms)
    })
}

/// What each hour of the contract's week brings on average, and over how many weeks; `None` before a whole one is known.
fn weekly_means(
    view: &View<'_>,
    place: usize,
    count: impl Fn(&Totals) -> i64,
) -> Option<(i64, Vec<f64>)> {
    let almanac = &view.past.almanac;
    let now = almanac.hour()?;
    let oldest = now - WEEKS * HOURS_OF_A_WEEK;
    let first = oldest.max(view.past.known.first_hour);
    if now - first < HOURS_OF_A_WEEK {
        return None;
    }
    let mut sums = vec![0i64; HOURS_OF_A_WEEK as usize];
    let mut weeks = sums.clone();
    for hour in first..now {
        weeks[almanac.hour_of_week(place, hour)?] += 1;
    }
    for (_, figures) in view.queues() {
        for (hour, counts) in figures.history.hours.range(first..now) {
            let mut totals = Totals::ZERO;
            totals.add_packed(counts);
            sums[almanac.hour_of_week(place, *hour)?] += count(&totals);
        }
    }
    let means = sums.iter().zip(&weeks);
    let means = means.map(|(sum, weeks)| (*sum).max(0) as f64 / (*weeks).max(1) as f64);
    Some(((now - first) / HOURS_OF_A_WEEK, means.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(volumes: &[f64]) -> Forecast {
        let stretches = volumes.iter().zip(0..).map(|(volume, hour)| Stretch {
            start_ms: hour * HOUR_MS,
            end_ms: (hour + 1) * HOUR_MS,
            volume: *volume,
        });
        Forecast {
            basis: Basis::Weeks(4),
            stretches: stretches.collect(),
        }
    }

    #[test]
    fn a_volume_is_reached_within_its_hour() {
        let forecast = forecast(&[10.0, 0.0, 40.0]);
        assert_eq!(forecast.rest(), 50.0);
        for (volume, hours) in [
            (0.0, Some(0.0)),
            (5.0, Some(0.5)),
            (10.0, Some(1.0)),
            (20.0, Some(2.25)),
            (50.0, Some(3.0)),
            (50.5, None),
        ] {
            let at_ms = hours.map(|hours: f64| (hours * HOUR_MS as f64) as i64);
            assert_eq!(forecast.reached_at_ms(volume), at_ms, "{volume}");
        }
    }

    #[test]
    fn a_stretch_is_cut_into_hours() {
        let parts: Vec<_> = hours(HOUR_MS / 2, 2 * HOUR_MS + 1).collect();
        assert_eq!(
            parts,
            [
                (0, HOUR_MS / 2, HOUR_MS),
                (1, HOUR_MS, 2 * HOUR_MS),
                (2, 2 * HOUR_MS, 2 * HOUR_MS + 1),
            ]
        );
        assert_eq!(hours(HOUR_MS, HOUR_MS).count(), 0);
    }
}
