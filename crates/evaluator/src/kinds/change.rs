//! Whether a proportion or a mean differs from what it was in the same hours of the weeks before, or before a marked change
//! of an SOP or product, by more than chance and by as much as matters.
//!
//! Whole hours are compared, once each hour. Every look of a day (or, after a marked change, of the time that it is
//! watched for) takes its share of the error rate, so the rate holds for the day (or the change) and the group, however
//! the looks depend on each other. What the weeks before differ among themselves by more than chance widens the test.

use slawatch_calendar::Periods;

use crate::counters::{Counter, Totals};
use crate::episode::{Assessment, Standing};
use crate::history::{HOUR_MS, HOURS_OF_A_WEEK, Mark, Need, REPLACED_PANES};
use crate::measure::{Measure, Trouble, Unit};
use crate::stats::{self, Proportion, Sample, Verdict};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::wording;

/// What a change rule watches.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// A proportion or a mean duration.
    pub(crate) measure: Measure,
    pub(crate) against: Against,
    pub(crate) window_hours: i64,
    pub(crate) weeks: u32,
    /// How often chance alone may fire it: a group and day, or a group and marked change.
    pub(crate) error_rate: f64,
    pub(crate) direction: Direction,
    /// The least difference that matters, in the measure's unit.
    pub(crate) at_least: f64,
    /// On each side.
    pub(crate) min_samples: i64,
    /// In whose weeks hours are the same.
    pub(crate) periods: Periods,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    WeeksBefore,
    MarkedChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Worse,
    Better,
    Either,
}

/// What was compared.
#[derive(Clone, Debug)]
struct Compared<'a> {
    now: Totals,
    before: Totals,
    mark: Option<&'a Mark>,
    /// `None` with too few samples on a side.
    found: Option<Found>,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    verdict: Verdict,
    p: f64,
    /// In the direction looked for; negative on the other side.
    difference: f64,
}

impl Change {
    pub(crate) fn identity(&self) -> String {
        let against = match self.against {
            Against::WeeksBefore => "weeks",
            Against::MarkedChange => "mark",
        };
        format!("{}/{against}", self.measure.identity)
    }

    /// How many panes back a row may be replaced.
    pub(crate) fn reach(&self) -> i64 {
        REPLACED_PANES
    }

    pub(crate) fn need(&self) -> Need {
        /// What a change of clocks moves.
        const SPARE_HOURS: i64 = 2;
        let mut counters = self.measure.counters();
        counters.extend(self.squares());
        Need {
            periods: None,
            hours: i64::from(self.weeks) * HOURS_OF_A_WEEK + self.window_hours + SPARE_HOURS,
            counters,
        }
    }

    /// Its weeks are those of that zone; of UTC if it is empty.
    pub(crate) fn keep_time_of(&mut self, timezone: &str) {
        // A zone that is none was refused when the file was read.
        if let Ok(periods) = Periods::new(self.periods.length(), timezone) {
            self.periods = periods;
        }
    }

    /// Of a mean duration: where the squares are counted.
    fn squares(&self) -> Option<Counter> {
        match self.measure.unit {
            Unit::Duration if self.measure.counters().contains(&Counter::WAIT_MS) => {
                Some(Counter::WAIT_SQUARES)
            }
            Unit::Duration => Some(Counter::HANDLE_SQUARES),
            Unit::Rate | Unit::Count => None,
        }
    }

    /// The chance that one look may take.
    fn error_of_a_look(&self) -> f64 {
        const LOOKS_A_DAY: f64 = 24.0;
        match self.against {
            Against::WeeksBefore => self.error_rate / LOOKS_A_DAY,
            Against::MarkedChange => self.error_rate / self.window_hours as f64,
        }
    }

    fn compare<'a>(&self, view: &View<'a>) -> Option<Compared<'a>> {
        let now = view.past.almanac.hour()?;
        let (first, last, mark) = match self.against {
            Against::WeeksBefore => (now - self.window_hours, now, None),
            Against::MarkedChange => {
                let mark = view.past.mark(view.vendor, view.queue(), view.now_ms)?;
                let first = mark.at_ms.div_euclid(HOUR_MS) + 1;
                if now > first + self.window_hours {
                    return None;
                }
                (first, now, Some(mark))
            }
        };
        let before = mark.map_or(i64::MAX, |mark| mark.at_ms.div_euclid(HOUR_MS));
        let weeks: Vec<Totals> = (1..=self.weeks)
            .map(|back| self.week(view, first..last, back, before))
            .collect();
        let mut all = Totals::ZERO;
        weeks.iter().for_each(|week| all.add(week));
        let now = view.hours_sum(first..last);
        let found = self.test(&now, &all, &weeks);
        Some(Compared {
            now,
            before: all,
            mark,
            found,
        })
    }

    /// The same hours that many weeks back, as far as they are known and before that hour.
    fn week(&self, view: &View<'_>, hours: std::ops::Range<i64>, back: u32, before: i64) -> Totals {
        let mut totals = Totals::ZERO;
        for hour in hours {
            let then_ms = self.periods.weeks_before(hour * HOUR_MS, back);
            let then = then_ms.div_euclid(HOUR_MS);
            if then >= view.past.known.first_hour && then < before {
                totals.add(&view.hours_sum(then..then + 1));
            }
        }
        totals
    }

    fn test(&self, now: &Totals, before: &Totals, weeks: &[Totals]) -> Option<Found> {
        let samples = |totals: &Totals| self.measure.read(totals, 0).denominator;
        if samples(now) < self.min_samples || samples(before) < self.min_samples {
            return None;
        }
        let verdict = match self.squares() {
            None => stats::two_proportions(self.proportion(now), self.proportion(before)),
            Some(_) => stats::welch(self.sample(now), self.sample(before)),
        };
        let verdict = verdict?.widened(self.spread(before, weeks));
        let is_lower = verdict.difference < 0.0;
        let size = verdict.difference.abs();
        let looked_for = match (self.direction, self.measure.trouble) {
            (Direction::Either, _) | (_, Trouble::Both) => true,
            (Direction::Worse, Trouble::Below) | (Direction::Better, Trouble::Above) => is_lower,
            (Direction::Worse, Trouble::Above) | (Direction::Better, Trouble::Below) => !is_lower,
        };
        let p = match self.direction {
            Direction::Either => verdict.two_sided_p(),
            Direction::Worse | Direction::Better if looked_for => verdict.one_sided_p,
            Direction::Worse | Direction::Better => 1.0 - verdict.one_sided_p,
        };
        Some(Found {
            verdict,
            p,
            difference: if looked_for { size } else { -size },
        })
    }

    fn proportion(&self, totals: &Totals) -> Proportion {
        let reading = self.measure.read(totals, 0);
        Proportion {
            hits: reading.numerator,
            samples: reading.denominator,
        }
    }

    fn sample(&self, totals: &Totals) -> Sample {
        let reading = self.measure.read(totals, 0);
        Sample {
            count: reading.denominator,
            sum_ms: reading.numerator,
            squares: self.squares().map_or(0, |squares| totals.get(squares)),
        }
    }

    /// How much more the weeks differ among themselves than chance lets them: a factor of the variance, at least 1.
    fn spread(&self, all: &Totals, weeks: &[Totals]) -> f64 {
        let whole = self.measure.read(all, 0);
        let Some(value) = whole.value() else {
            return 1.0;
        };
        let variance = match self.squares() {
            None => value * (1.0 - value),
            Some(_) => self.sample(all).variance().unwrap_or(0.0),
        };
        let readings = weeks.iter().map(|week| self.measure.read(week, 0));
        let deviations: Vec<f64> = readings
            .filter_map(|week| {
                let deviation = week.value()? - value;
                Some(week.denominator as f64 * deviation * deviation)
            })
            .collect();
        if deviations.len() < 2 || variance <= 0.0 {
            return 1.0;
        }
        let sum: f64 = deviations.iter().sum();
        (sum / variance / (deviations.len() - 1) as f64).max(1.0)
    }

    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        let found = self.compare(view).and_then(|compared| compared.found);
        let standing = match found {
            None => Standing::Empty,
            Some(found)
                if found.difference >= self.at_least && found.p <= self.error_of_a_look() =>
            {
                Standing::Entered
            }
            // Halfway: what fires does not come and go with every hour.
            Some(found) if found.difference > self.at_least / 2.0 => Standing::Between,
            Some(_) => Standing::Left,
        };
        Assessment {
            standing,
            badness: found.map(|found| found.difference),
            grade: 0,
        }
    }

    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        let compared = self.compare(view);
        let since = match compared.as_ref().and_then(|compared| compared.mark) {
            None if self.against == Against::MarkedChange => "before the change".to_owned(),
            None => format!("in the same hours of the {} before", self.weeks_text()),
            Some(mark) => {
                let at = self.periods.local_time(mark.at_ms);
                format!("in the same hours before the change of {at}{}", mark.why())
            }
        };
        let at_least = self.amount(self.at_least);
        let side = match self.direction {
            Direction::Worse => "worse",
            Direction::Better => "better",
            Direction::Either => "different",
        };
        let mut words = Words {
            trouble: format!("{side} by {at_least} or more than {since}"),
            empty: format!(
                "too few {} to compare with those {since}",
                self.measure.samples
            ),
            ..Words::default()
        };
        let Some(compared) = compared else {
            words.summary = format!("{}: no change is watched any more", view.title());
            words.empty = "the time for which the change is watched is over".to_owned();
            words.over.clone_from(&words.empty);
            return words;
        };
        let (now, before) = (self.value(&compared.now), self.value(&compared.before));
        let window = match compared.mark {
            Some(_) => "since then".to_owned(),
            None => format!("over {}", wording::duration(self.window_hours * HOUR_MS)),
        };
        words.summary = format!(
            "{}: {} {now} {window}, {before} {since}{}",
            view.title(),
            self.measure.title,
            self.difference(&compared)
        );
        words.over = format!("{now} against {before} {since}, no longer {at_least} apart");
        words.fields = vec![(Field::Value, now), (Field::Window, window)];
        self.evidence(&compared, &mut words);
        words
    }

    fn weeks_text(&self) -> String {
        match self.weeks {
            1 => "week".to_owned(),
            weeks => format!("{weeks} weeks"),
        }
    }

    /// "71.2 % of 320 contacts".
    fn value(&self, totals: &Totals) -> String {
        let reading = self.measure.read(totals, 0);
        let samples = format!("{} {}", reading.denominator, self.measure.samples);
        match reading.value() {
            None => format!("without value of {samples}"),
            Some(value) => format!("{} of {samples}", wording::value(self.measure.unit, value)),
        }
    }

    /// "12.8 points".
    fn amount(&self, difference: f64) -> String {
        match self.measure.unit {
            // What a binary fraction adds behind a written level is not meant.
            Unit::Rate => format!("{} points", (difference * 1000.0).round() / 10.0),
            Unit::Duration | Unit::Count => wording::value(self.measure.unit, difference),
        }
    }

    fn difference(&self, compared: &Compared<'_>) -> String {
        let Some(found) = compared.found else {
            return String::new();
        };
        let side = match (self.measure.trouble, found.verdict.difference < 0.0) {
            (Trouble::Below, true) | (Trouble::Above, false) => "worse",
            (Trouble::Below, false) | (Trouble::Above, true) => "better",
            (Trouble::Both, true) => "less",
            (Trouble::Both, false) => "more",
        };
        let amount = self.amount(found.difference.abs());
        let p = match found.p {
            p if p < 0.0001 => "p < 0.0001".to_owned(),
            p => format!("p = {p:.4}"),
        };
        format!(": {amount} {side}, {p}")
    }

    fn evidence(&self, compared: &Compared<'_>, words: &mut Words) {
        let sides = [("", &compared.now), ("before.", &compared.before)];
        for (side, totals) in sides {
            let reading = self.measure.read(totals, 0);
            if let Some(value) = reading.value() {
                words.add(format!("{side}value"), value);
            }
            words.add(format!("{side}numerator"), reading.numerator as f64);
            words.add(format!("{side}denominator"), reading.denominator as f64);
        }
        words.add("min_samples", self.min_samples as f64);
        words.add("at_least", self.at_least);
        words.add("error_rate", self.error_rate);
        words.add("error_of_a_look", self.error_of_a_look());
        words.add("window_ms", (self.window_hours * HOUR_MS) as f64);
        if let Some(found) = compared.found {
            words.add("difference", found.verdict.difference);
            words.add("p", found.p);
        }
        if let Some(mark) = compared.mark {
            words.add("change_at_ms", mark.at_ms as f64);
        }
    }
}
