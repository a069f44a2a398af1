//! How fast a contract's error budget is used up: the share of bad samples over sliding windows, as a multiple of what the
//! contract allows. All windows must be beyond their factor: the long one shows that it matters, the short one that it
//! still goes on.

use crate::counters::Totals;
use crate::episode::{Assessment, Standing};
use crate::history::REPLACED_PANES;
use crate::kinds::contract::{Contract, Running};
use crate::measure::Reading;
use crate::minute::{Minute, PANE_MS};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::windows::Lengths;
use crate::wording;

/// What a burn rule watches.
#[derive(Clone, Debug)]
pub(crate) struct Burn {
    pub(crate) contract: Contract,
    /// Longest first; at least one.
    pub(crate) windows: Vec<Window>,
    /// In the longest window.
    pub(crate) min_samples: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) panes: i64,
    /// Among the set's lengths.
    pub(crate) place: usize,
    /// The burn rate from which on there is trouble.
    pub(crate) factor: f64,
}

impl Window {
    /// Halfway from the factor to what the contract allows: from here on it is over.
    fn exit(self) -> f64 {
        (self.factor + 1.0) / 2.0
    }
}

/// The greatest burn rate that there can be: every sample is bad.
pub(crate) fn greatest_rate(allowed: f64) -> f64 {
    1.0 / allowed
}

/// The factor at which a window of `window_ms` uses `share` of the budget of a period. A low target leaves no room for
/// large factors, so at most halfway from the allowed rate to the greatest; and never so low that the budget would last
/// for most of the period anyway.
pub(crate) fn default_factor(allowed: f64, share: f64, period_ms: i64, window_ms: i64) -> f64 {
    const LOWEST: f64 = 1.5;
    let highest = (1.0 + greatest_rate(allowed)) / 2.0;
    let derived = share * period_ms as f64 / window_ms as f64;
    derived.max(LOWEST).min(highest)
}

impl Burn {
    pub(crate) fn identity(&self) -> String {
        let (measure, period) = (&self.contract.measure.identity, self.contract.period_name());
        format!("{measure}/{period}")
    }

    pub(crate) fn take_place(&mut self, lengths: &Lengths) {
        for window in &mut self.windows {
            // Every length is in the set, which was made of them.
            window.place = lengths.place(window.panes).unwrap_or_default();
        }
    }

    /// How many panes back a row may be replaced.
    pub(crate) fn reach(&self) -> i64 {
        REPLACED_PANES
    }

    pub(crate) fn readings(&self, view: &View<'_>) -> Vec<Reading> {
        let measure = &self.contract.measure;
        let windows = self.windows.iter();
        windows
            .map(|window| measure.read(&view.sum(window.place), 0))
            .collect()
    }

    fn rate(&self, reading: Reading) -> Option<f64> {
        let bad = self.contract.bad(reading) as f64;
        (reading.denominator > 0)
            .then(|| bad / reading.denominator as f64 / self.contract.allowed())
    }

    /// Whether these readings, one a window, are trouble.
    pub(crate) fn is_entered(&self, readings: &[Reading]) -> bool {
        let enough = readings
            .first()
            .is_some_and(|longest| longest.denominator >= self.min_samples);
        let mut pairs = self.windows.iter().zip(readings);
        enough
            && pairs.all(|(window, reading)| {
                let rate = self.rate(*reading);
                rate.is_some_and(|rate| rate >= window.factor)
            })
    }

    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        let readings = self.readings(view);
        let longest = readings.first();
        Assessment {
            standing: self.standing(&readings),
            badness: longest.and_then(|reading| self.rate(*reading)),
            grade: 0,
        }
    }

    fn standing(&self, readings: &[Reading]) -> Standing {
        let is_over = |(window, reading): (&Window, &Reading)| {
            let rate = self.rate(*reading);
            rate.is_none_or(|rate| rate <= window.exit())
        };
        if readings
            .first()
            .is_none_or(|longest| longest.denominator <= 0)
        {
            Standing::Empty
        } else if self.is_entered(readings) {
            Standing::Entered
        } else if self.windows.iter().zip(readings).any(is_over) {
            Standing::Left
        } else {
            Standing::Between
        }
    }

    pub(crate) fn note_change(
        &self,
        fired: Minute,
        pane: Minute,
        change: &Totals,
        corrected: &mut [Reading],
    ) {
        for (window, reading) in self.windows.iter().zip(corrected) {
            if pane > fired.minus(window.panes) {
                *reading = reading.plus(self.contract.measure.difference(change));
            }
        }
    }

    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        let readings = self.readings(view);
        let measure = &self.contract.measure;
        let rates: Vec<String> = self
            .windows
            .iter()
            .zip(&readings)
            .map(|(window, reading)| match self.rate(*reading) {
                Some(rate) => format!("{} times over {}", short(rate), window.length()),
                None => format!("not at all over {}", window.length()),
            })
            .collect();
        let budget = Budget::of(self, view, &readings);
        let factors: Vec<String> = self.windows.iter().map(Window::level).collect();
        let (rates, title) = (rates.join(" and "), view.title());
        let mut words = Words {
            summary: format!(
                "{title}: {} uses up its error budget too fast, at {rates} what the contract of {} allows{}",
                measure.title,
                wording::level(measure.unit, self.contract.target),
                budget.words(self),
            ),
            trouble: format!(
                "burning the error budget at {} or more",
                factors.join(" and ")
            ),
            over: format!("burning at {rates} what is allowed"),
            empty: format!("no {} left in the window", measure.samples),
            fields: vec![
                (Field::Value, rates),
                (Field::Window, self.lengths()),
                (
                    Field::Target,
                    wording::level(measure.unit, self.contract.target),
                ),
            ],
            ..Words::default()
        };
        self.evidence(&readings, &budget, &mut words);
        words
    }

    fn lengths(&self) -> String {
        let lengths: Vec<String> = self.windows.iter().map(|window| window.length()).collect();
        lengths.join(" and ")
    }

    fn evidence(&self, readings: &[Reading], budget: &Budget, words: &mut Words) {
        if let Some(rate) = readings.first().and_then(|reading| self.rate(*reading)) {
            words.add("value", rate);
        }
        words.add("target", self.contract.target);
        words.add("min_samples", self.min_samples as f64);
        for (window, reading) in self.windows.iter().zip(readings) {
            let length = window.length();
            if let Some(rate) = self.rate(*reading) {
                words.add(format!("burn_rate.{length}"), rate);
            }
            words.add(format!("factor.{length}"), window.factor);
            words.add(format!("bad.{length}"), self.contract.bad(*reading) as f64);
            words.add(format!("samples.{length}"), reading.denominator as f64);
        }
        budget.evidence(words);
    }
}

impl Window {
    fn length(&self) -> String {
        wording::duration(self.panes * PANE_MS)
    }

    /// "3 times over 6h".
    fn level(&self) -> String {
        format!("{} times over {}", short(self.factor), self.length())
    }
}

/// "3", "14.4": one decimal where there is one.
fn short(rate: f64) -> String {
    let tenths = (rate * 10.0).round() / 10.0;
    format!("{tenths}")
}

/// How the running period's budget stands.
struct Budget {
    running: Option<Running>,
    bad: i64,
    /// As a share of what the whole period, or before that can be foretold the samples so far, allow.
    used: Option<f64>,
    /// When it is gone at the longest window's rate; `None` if it lasts.
    gone_at_ms: Option<i64>,
}

impl Budget {
    fn of(burn: &Burn, view: &View<'_>, readings: &[Reading]) -> Self {
        let running = burn.contract.running(view);
        let Some(now) = &running else {
            return Self {
                running,
                bad: 0,
                used: None,
                gone_at_ms: None,
            };
        };
        let bad = burn.contract.bad(now.so_far);
        let rest = now.forecast.as_ref().map(|forecast| forecast.rest());
        let samples = now.so_far.denominator as f64 + rest.unwrap_or(0.0);
        let whole = burn.contract.allowed() * samples;
        let longest = burn.windows.first().zip(readings.first());
        let gone_at_ms = longest.and_then(|(window, reading)| {
            let per_ms = burn.contract.bad(*reading) as f64 / (window.panes * PANE_MS) as f64;
            let left = (whole - bad as f64).max(0.0);
            (rest.is_some() && per_ms > 0.0)
                .then(|| view.now_ms.saturating_add((left / per_ms) as i64))
                .filter(|at_ms| *at_ms < now.period.end_ms)
        });
        Self {
            bad,
            used: (whole > 0.0).then(|| bad as f64 / whole),
            gone_at_ms,
            running,
        }
    }

    /// "; 62 % of the week's budget is used, at this rate all of it at 2026-03-31 16:05 CEST".
    fn words(&self, burn: &Burn) -> String {
        let (Some(running), Some(used)) = (&self.running, self.used) else {
            return String::new();
        };
        let percent = (used * 100.0).round();
        let period = burn.contract.period_name();
        let local_time = |at_ms| burn.contract.periods.local_time(at_ms);
        let since = match running.is_whole {
            true => String::new(),
            false => ", as far as it is known".to_owned(),
        };
        let Some(forecast) = &running.forecast else {
            return format!(
                "; {percent} % of what the {period}'s contacts so far allow is used{since}"
            );
        };
        let end = match self.gone_at_ms {
            Some(_) if used >= 1.0 => String::new(),
            Some(at_ms) => format!(", at this rate all of it at {}", local_time(at_ms)),
            None => format!(", and at this rate it lasts until the {period} ends"),
        };
        let basis = forecast.words();
        format!("; {percent} % of the {period}'s budget is used{since}{end} (volume by {basis})")
    }

    fn evidence(&self, words: &mut Words) {
        let Some(running) = &self.running else { return };
        words.add("period_start_ms", running.period.start_ms as f64);
        words.add("period_end_ms", running.period.end_ms as f64);
        words.add("period_bad", self.bad as f64);
        words.add("period_samples", running.so_far.denominator as f64);
        if let Some(forecast) = &running.forecast {
            words.add("period_samples_to_come", forecast.rest());
        }
        if let Some(used) = self.used {
            words.add("budget_used", used);
        }
        if let Some(at_ms) = self.gone_at_ms {
            words.add("budget_gone_at_ms", at_ms as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// (target, period in hours, window in hours, factor)
    #[test]
    fn factors_fit_the_target() {
        for (target, period_h, window_h, factor) in [
            // 10 % of a month's budget in 6 hours would be 12 times the allowed rate; 5 is the greatest there can be.
            (0.8, 720, 6, 3.0),
            (0.95, 720, 6, 10.5),
            (0.99, 720, 6, 12.0),
            (0.999, 720, 1, 72.0),
            (0.8, 168, 6, 2.8),
            // A day's window would use little more than the budget anyway.
            (0.8, 24, 6, 1.5),
            (0.5, 24, 6, 1.5),
            (0.4, 24, 6, 1.333),
        ] {
            let found = default_factor(1.0 - target, 0.1, period_h * HOUR_MS, window_h * HOUR_MS);
            assert!(
                (found - factor).abs() < 1e-3,
                "{target} {period_h} {window_h}: {found}"
            );
            assert!(found < greatest_rate(1.0 - target));
        }
    }

    #[test]
    fn rates_are_written_short() {
        for (rate, text) in [
            (3.0, "3"),
            (14.44, "14.4"),
            (0.96, "1"),
            (2.8000000001, "2.8"),
        ] {
            assert_eq!(short(rate), text);
        }
    }
}
