//! Whether the target of a contract's running period can still be reached: at risk once too large a share of what is still
//! to come would have to be good, lost once even all of it would not do.

use slawatch_calendar::PeriodLength;

use crate::counters::Totals;
use crate::episode::{Assessment, Standing};
use crate::history::REPLACED_PANES;
use crate::kinds::contract::{Contract, Running};
use crate::measure::{Reading, Trouble, Unit};
use crate::minute::{Minute, PANE_MS};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::wording;

/// What a projection rule watches.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pub(crate) contract: Contract,
    /// At risk once more than this share of what is still to come must be good.
    pub(crate) needs: f64,
    /// In the period so far.
    pub(crate) min_samples: i64,
    /// Which of the two are trouble; at least one.
    pub(crate) on_at_risk: bool,
    pub(crate) on_lost: bool,
}

/// How the period will end at the present volume.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outlook {
    /// This share of what is still to come must be good; negative if none needs to.
    Open {
        needed: f64,
    },
    Lost,
}

impl Projection {
    pub(crate) fn identity(&self) -> String {
        let (measure, period) = (&self.contract.measure.identity, self.contract.period_name());
        format!("{measure}/{period}")
    }

    /// How many panes back a row may be replaced.
    pub(crate) fn reach(&self) -> i64 {
        REPLACED_PANES
    }

    /// From here down it is over: halfway from what the contract asks of every contact to `needs`.
    fn exit(&self) -> f64 {
        (self.needs + 1.0 - self.contract.allowed()) / 2.0
    }

    /// How many more bad ones the period can bear.
    fn misses_left(&self, so_far: Reading, rest: f64) -> f64 {
        let samples = so_far.denominator as f64 + rest;
        self.contract.allowed() * samples - self.contract.bad(so_far) as f64
    }

    fn outlook(&self, so_far: Reading, rest: f64) -> Outlook {
        let left = self.misses_left(so_far, rest);
        if left < 0.0 {
            return Outlook::Lost;
        }
        // Of less than one contact no share can be asked.
        let needed = if rest < 1.0 { 0.0 } else { 1.0 - left / rest };
        Outlook::Open { needed }
    }

    fn is_trouble(&self, outlook: Outlook) -> bool {
        match outlook {
            Outlook::Lost => self.on_lost,
            Outlook::Open { needed } => self.on_at_risk && needed > self.needs,
        }
    }

    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        let Some((running, rest)) = self.known(view) else {
            return Assessment {
                standing: Standing::Empty,
                badness: None,
                grade: 0,
            };
        };
        let outlook = self.outlook(running.so_far, rest);
        // More than all where it is lost.
        let needed = 1.0 - self.misses_left(running.so_far, rest) / rest.max(1.0);
        Assessment {
            standing: self.standing(running.so_far, outlook),
            badness: Some(needed),
            grade: u8::from(outlook == Outlook::Lost),
        }
    }

    fn standing(&self, so_far: Reading, outlook: Outlook) -> Standing {
        if so_far.denominator < self.min_samples {
            return Standing::Left;
        }
        match outlook {
            _ if self.is_trouble(outlook) => Standing::Entered,
            Outlook::Lost => Standing::Between,
            Outlook::Open { needed } if needed > self.exit() => Standing::Between,
            Outlook::Open { .. } => Standing::Left,
        }
    }

    /// The running period and how much of it is still to come, once both are known.
    fn known(&self, view: &View<'_>) -> Option<(Running, f64)> {
        let running = self.contract.running(view)?;
        if !running.is_whole || running.so_far.denominator <= 0 {
            return None;
        }
        let rest = running.forecast.as_ref()?.rest();
        Some((running, rest))
    }

    /// The period so far, and what was expected to come.
    pub(crate) fn grounds(&self, view: &View<'_>) -> Vec<Reading> {
        let Some((running, rest)) = self.known(view) else {
            return Vec::new();
        };
        let expected = Reading {
            numerator: rest.round() as i64,
            denominator: 1,
        };
        vec![running.so_far, expected]
    }

    pub(crate) fn note_change(
        &self,
        fired: Minute,
        pane: Minute,
        change: &Totals,
        corrected: &mut [Reading],
    ) {
        let period = self.contract.periods.around(fired.last_ms());
        if let Some(so_far) = corrected.first_mut()
            && period.has(pane.0.saturating_mul(PANE_MS))
        {
            *so_far = so_far.plus(self.contract.measure.difference(change));
        }
    }

    pub(crate) fn holds(&self, grounds: &[Reading]) -> bool {
        match grounds {
            [so_far, expected] => {
                so_far.denominator >= self.min_samples
                    && self.is_trouble(self.outlook(*so_far, expected.numerator as f64))
            }
            _ => true,
        }
    }

    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        let period = self.contract.period_name();
        let target = wording::level(Unit::Rate, self.contract.target);
        let needs = wording::level(Unit::Rate, self.needs);
        let Some((running, rest)) = self.known(view) else {
            return Words {
                summary: format!("{}: a new {period} has begun", view.title()),
                trouble: format!("needing more than {needs} of what is still to come"),
                over: format!("a new {period} has begun"),
                empty: format!("a new {period} has begun"),
                fields: vec![(Field::Target, target)],
                ..Words::default()
            };
        };
        let told = Told {
            rule: self,
            outlook: self.outlook(running.so_far, rest),
            misses_left: self.misses_left(running.so_far, rest),
            lost_at_ms: self.lost_at_ms(view, &running, rest),
            running,
            rest,
        };
        let needed = match told.outlook {
            Outlook::Open { needed } => wording::value(Unit::Rate, needed.max(0.0)),
            Outlook::Lost => "more than all".to_owned(),
        };
        let mut words = Words {
            summary: told.summary(view),
            trouble: match told.outlook {
                Outlook::Lost => {
                    format!(
                        "past saving: the {period}'s target of {target} can no longer be reached"
                    )
                }
                Outlook::Open { .. } => format!(
                    "needing more than {needs} of what is still to come for the {period}'s target of {target}"
                ),
            },
            over: match told.running.so_far.denominator < self.min_samples {
                true => format!("a new {period} has begun"),
                false => format!(
                    "the {period}'s target of {target} needs {needed} of what is still to come: {} or less",
                    wording::level(Unit::Rate, self.exit())
                ),
            },
            empty: format!("a new {period} has begun"),
            fields: vec![
                (Field::Value, told.value()),
                (Field::Target, target),
                (Field::Level, told.level().to_owned()),
            ],
            ..Words::default()
        };
        told.evidence(&mut words);
        words
    }

    /// When it is lost if it goes on as lately: in the last day, or in a period of a day since its start.
    fn lost_at_ms(&self, view: &View<'_>, running: &Running, rest: f64) -> Option<i64> {
        const LATELY_HOURS: i64 = 24;
        let hour = view.past.almanac.hour()?;
        let lately = match self.contract.periods.length() {
            PeriodLength::Day => running.so_far,
            PeriodLength::Week | PeriodLength::Month => {
                let sum = view.hours_sum(hour + 1 - LATELY_HOURS..hour + 1);
                self.contract.measure.read(&sum, 0)
            }
        };
        let bad = self.contract.bad(lately);
        if lately.denominator <= 0 || bad <= 0 {
            return None;
        }
        let share = bad as f64 / lately.denominator as f64;
        let left = self.misses_left(running.so_far, rest);
        let forecast = running.forecast.as_ref().filter(|_| left >= 0.0)?;
        forecast.reached_at_ms(left / share)
    }
}

/// Everything that the words need.
struct Told<'a> {
    rule: &'a Projection,
    running: Running,
    rest: f64,
    outlook: Outlook,
    misses_left: f64,
    lost_at_ms: Option<i64>,
}

impl Told<'_> {
    fn value(&self) -> String {
        let value = self.running.so_far.value().unwrap_or_default();
        wording::value(Unit::Rate, value)
    }

    fn level(&self) -> &'static str {
        match self.outlook {
            Outlook::Lost => "lost",
            Outlook::Open { .. } => "at_risk",
        }
    }

    /// How many good ones in a row would bring the period back to its target.
    fn needed_in_a_row(&self) -> i64 {
        let contract = &self.rule.contract;
        let samples = contract.bad(self.running.so_far) as f64 / contract.allowed();
        // A hair less, so that what is exactly enough is not rounded up.
        (samples - self.running.so_far.denominator as f64 - 1e-6)
            .ceil()
            .max(0.0) as i64
    }

    fn summary(&self, view: &View<'_>) -> String {
        let contract = &self.rule.contract;
        let (measure, period) = (&contract.measure, contract.period_name());
        let target = wording::level(Unit::Rate, contract.target);
        let Reading {
            numerator,
            denominator,
        } = self.running.so_far;
        let stands = format!(
            "{}: the {period}'s {} stands at {}, {numerator} of {denominator} {} {}",
            view.title(),
            measure.title,
            self.value(),
            measure.samples,
            measure.did,
        );
        let end = contract.periods.local_time(self.running.period.end_ms);
        let rest = self.rest.round();
        let basis = self
            .running
            .forecast
            .as_ref()
            .map(|forecast| forecast.words());
        let basis = basis.unwrap_or_default();
        match self.outlook {
            Outlook::Lost => {
                let misses = self.rule.contract.bad(self.running.so_far);
                let best = misses as f64 / (denominator as f64 + self.rest);
                let best = wording::value(Unit::Rate, self.rule.share(best));
                format!(
                    "{stands}; {target} can no longer be reached: if the some {rest} still to come until {end} are all \
                     good, it ends at {best} (volume by {basis})"
                )
            }
            Outlook::Open { needed } => {
                let needed = wording::value(Unit::Rate, needed.max(0.0));
                let back = match self.needed_in_a_row() {
                    0 => String::new(),
                    next => format!(", the next {next} in a row would bring it back"),
                };
                let until = match self.lost_at_ms {
                    Some(at_ms) => format!("lost at {}", contract.periods.local_time(at_ms)),
                    None => "not lost before the end".to_owned(),
                };
                format!(
                    "{stands}; to keep {target}, {needed} of the some {rest} still to come until {end} must be good{back}; as \
                     things go it is {until} (volume by {basis})"
                )
            }
        }
    }

    fn evidence(&self, words: &mut Words) {
        let so_far = self.running.so_far;
        if let Some(value) = so_far.value() {
            words.add("value", value);
        }
        words.add("numerator", so_far.numerator as f64);
        words.add("denominator", so_far.denominator as f64);
        words.add("min_samples", self.rule.min_samples as f64);
        words.add("target", self.rule.contract.target);
        words.add("needs", self.rule.needs);
        match self.outlook {
            Outlook::Lost => words.add("lost", 1.0),
            Outlook::Open { needed } => {
                words.add("lost", 0.0);
                words.add("needed_share", needed.max(0.0));
            }
        }
        words.add("needed_in_a_row", self.needed_in_a_row() as f64);
        words.add("samples_to_come", self.rest);
        words.add("misses_left", self.misses_left);
        if let Some(at_ms) = self.lost_at_ms {
            words.add("savable_until_ms", at_ms as f64);
        }
        words.add("period_start_ms", self.running.period.start_ms as f64);
        words.add("period_end_ms", self.running.period.end_ms as f64);
    }
}

impl Projection {
    /// The measure's value where that share is bad.
    fn share(&self, bad: f64) -> f64 {
        match self.contract.measure.trouble {
            Trouble::Below => 1.0 - bad,
            Trouble::Above | Trouble::Both => bad,
        }
    }
}
