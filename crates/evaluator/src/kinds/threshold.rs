//! A measure over a sliding window against a level to enter and one to leave.

use std::borrow::Cow;

use slawatch_wire::v1::Contribution;

use crate::breaches::{self, Breach};
use crate::counters::Totals;
use crate::episode::{Assessment, Standing};
use crate::facts::{BadSide, Objective};
use crate::measure::{Measure, Reading, Trouble, Unit};
use crate::minute::{Minute, PANE_MS};
use crate::stats::{self, Sample};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::windows::Lengths;
use crate::wording;

/// How many of a vendor's queues its alert names.
const WORST_QUEUES: usize = 3;

/// What a threshold rule watches.
#[derive(Clone, Debug)]
pub(crate) struct Threshold {
    pub(crate) measure: Measure,
    /// In panes; 1 for a measure that has no window.
    pub(crate) window: i64,
    /// The window's place among the set's lengths.
    pub(crate) window_place: usize,
    pub(crate) enter: f64,
    pub(crate) exit: f64,
    pub(crate) min_samples: i64,
    /// How sure it must be that chance alone does not explain it.
    pub(crate) confidence: Option<f64>,
}

impl Threshold {
    pub(crate) fn identity(&self) -> String {
        self.measure.identity.clone()
    }

    /// The level to leave is what is wanted.
    pub(crate) fn objective(&self) -> Option<Objective<'_>> {
        let bad = match self.trouble_is() {
            Trouble::Below => BadSide::Below,
            Trouble::Above | Trouble::Both => BadSide::Above,
        };
        Objective::of(&self.measure, self.exit, bad, self.min_samples)
    }

    pub(crate) fn take_place(&mut self, lengths: &Lengths) {
        // Every length is in the set, which was made of them.
        self.window_place = lengths.place(self.window).unwrap_or_default();
    }

    /// On which side of its levels trouble lies.
    fn trouble_is(&self) -> Trouble {
        if self.enter < self.exit {
            Trouble::Below
        } else {
            Trouble::Above
        }
    }

    /// Beyond `enter`, with samples enough to say so.
    pub(crate) fn is_entered(&self, reading: Reading) -> bool {
        let enough = !self.measure.is_quotient() || reading.denominator >= self.min_samples;
        enough && reading.value().is_some_and(|value| self.is_beyond(value))
    }

    fn is_beyond(&self, value: f64) -> bool {
        if self.enter < self.exit {
            value < self.enter
        } else {
            value > self.enter
        }
    }

    /// Where the truth may lie on the good side of the value; `None` where nothing is asked of chance, or too little known.
    fn bound(&self, view: &View<'_>, reading: Reading) -> Option<f64> {
        let confidence = self.confidence?;
        let Reading {
            numerator,
            denominator,
        } = reading;
        let bounds = match self.measure.squares() {
            Some(squares) => {
                let sample = Sample {
                    count: denominator,
                    sum_ms: numerator,
                    squares: view.sum(self.window_place).get(squares),
                };
                sample.mean_bounds(confidence)
            }
            None => stats::wilson(numerator, denominator, confidence),
        }?;
        Some(match self.trouble_is() {
            Trouble::Below => bounds.upper,
            Trouble::Above | Trouble::Both => bounds.lower,
        })
    }

    fn is_sure(&self, view: &View<'_>, reading: Reading) -> bool {
        self.confidence.is_none()
            || self
                .bound(view, reading)
                .is_some_and(|bound| self.is_beyond(bound))
    }

    /// At `exit` or on its good side. However few samples: what is known is good.
    fn is_left(&self, value: f64) -> bool {
        if self.enter < self.exit {
            value >= self.exit
        } else {
            value <= self.exit
        }
    }

    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        let reading = self.reading(view);
        let value = reading.value();
        let standing = match value {
            None => Standing::Empty,
            Some(_) if self.is_entered(reading) && self.is_sure(view, reading) => Standing::Entered,
            Some(value) if self.is_left(value) => Standing::Left,
            Some(_) => Standing::Between,
        };
        Assessment {
            standing,
            badness: value.map(|value| self.value_of(value)),
            grade: 0,
        }
    }

    /// From a value to its badness, and back: where trouble lies below, the smaller is the worse.
    pub(crate) fn value_of(&self, badness: f64) -> f64 {
        match self.trouble_is() {
            Trouble::Below => -badness,
            Trouble::Above | Trouble::Both => badness,
        }
    }

    /// A backlog is of one kind, whichever way its rule is written.
    pub(crate) fn kind(&self) -> &'static str {
        if self.measure.counts_open_tickets() {
            "backlog"
        } else {
            "threshold"
        }
    }

    pub(crate) fn reading(&self, view: &View<'_>) -> Reading {
        let totals = view.sum(self.window_place);
        let open_tickets = if self.measure.counts_open_tickets() {
            view.open_tickets()
        } else {
            0
        };
        self.measure.read(&totals, open_tickets)
    }

    pub(crate) fn note_change(
        &self,
        fired: Minute,
        pane: Minute,
        change: &Totals,
        corrected: &mut [Reading],
    ) {
        if pane > fired.minus(self.window) {
            for reading in corrected {
                *reading = reading.plus(self.measure.difference(change));
            }
        }
    }

    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        let reading = self.reading(view);
        let told = Told {
            rule: self,
            reading,
            bound: self.bound(view, reading),
            value: match reading.value() {
                Some(value) => wording::value(self.measure.unit, value),
                None => "no value".to_owned(),
            },
            worst: match view.queue() {
                Some(_) => Vec::new(),
                None => self.worst(view),
            },
        };
        let side = match self.trouble_is() {
            Trouble::Below => "below",
            Trouble::Above | Trouble::Both => "above",
        };
        let (enter, exit) = (told.level(self.enter), told.level(self.exit));
        let mut words = Words {
            summary: told.summary(view),
            trouble: format!("{side} {enter}"),
            over: format!("back at {}: {exit} or better", told.value),
            empty: format!("no {} left in the window", self.measure.samples),
            fields: told.fields(),
            ..Words::default()
        };
        told.evidence(view, &mut words);
        self.breaches(view, &mut words);
        words
    }

    /// Of a measure of verdicts: which clocks were late, and what most of them have in common.
    fn breaches(&self, view: &View<'_>, words: &mut Words) {
        let Some(metric) = self.measure.verdicts_of() else {
            return;
        };
        let since_ms = Minute::of(view.now_ms).minus(self.window).last_ms() + 1;
        let late: Vec<&Breach> = view.breaches(metric, since_ms).collect();
        words.worst_tickets = breaches::worst(late.iter().copied(), view.now_ms);
        words.contributions = breaches::contributions(late.iter().copied());
        if let Some(Contribution { value, tickets, .. }) = words.contributions.first() {
            let all = late.len();
            let most = format!(", top category of the breached: {value} ({tickets} of {all})");
            words.summary.push_str(&most);
        }
    }

    fn worst<'a>(&self, view: &View<'a>) -> Vec<(&'a str, f64)> {
        let mut values: Vec<(&str, f64)> = view
            .queues()
            .filter_map(|(name, figures)| {
                let sums = figures.windows.sum(self.window_place);
                let reading = self.measure.read(sums, figures.gauges.open_tickets());
                reading.value().map(|value| (name, value))
            })
            .collect();
        match self.trouble_is() {
            Trouble::Below => values.sort_by(|(_, a), (_, b)| a.total_cmp(b)),
            Trouble::Above | Trouble::Both => values.sort_by(|(_, a), (_, b)| b.total_cmp(a)),
        }
        values.truncate(WORST_QUEUES);
        values
    }

    fn window_ms(&self) -> i64 {
        self.window * PANE_MS
    }

    fn has_window(&self) -> bool {
        !self.measure.counts_open_tickets()
    }
}

/// Everything that the words need.
struct Told<'a> {
    rule: &'a Threshold,
    reading: Reading,
    /// With the confidence that the rule asks for.
    bound: Option<f64>,
    value: String,
    /// Of a vendor: its worst queues, worst first.
    worst: Vec<(&'a str, f64)>,
}

impl Told<'_> {
    fn level(&self, level: f64) -> String {
        wording::level(self.rule.measure.unit, level)
    }

    fn summary(&self, view: &View<'_>) -> String {
        let measure = &self.rule.measure;
        let (title, value, exit) = (&measure.title, &self.value, self.level(self.rule.exit));
        let window: Cow<'_, str> = if self.rule.has_window() {
            format!(" over {}", wording::duration(self.rule.window_ms())).into()
        } else {
            // What is open now is so whatever the window.
            "".into()
        };
        let group = view.title();
        let mut text = format!("{group}: {title} {value}{window} (target to leave: {exit})");
        let Reading {
            numerator,
            denominator,
        } = self.reading;
        if measure.is_quotient() {
            let samples = &measure.samples;
            if measure.did.is_empty() {
                text.push_str(&format!(", {denominator} {samples}"));
            } else {
                let did = measure.did;
                text.push_str(&format!(", {numerator} of {denominator} {samples} {did}"));
            }
        }
        if let Some(sure) = self.sure() {
            text.push_str(&format!(", {sure}"));
        }
        if let Some((queue, value)) = self.worst.first() {
            let value = wording::value(measure.unit, *value);
            text.push_str(&format!(", worst queue {queue} {value}"));
        }
        text
    }

    /// "at most 74.2 % with 95 % confidence".
    fn sure(&self) -> Option<String> {
        let (bound, confidence) = (self.bound?, self.rule.confidence?);
        let side = match self.rule.trouble_is() {
            Trouble::Below => "at most",
            Trouble::Above | Trouble::Both => "at least",
        };
        let bound = wording::value(self.rule.measure.unit, bound);
        let confidence = wording::level(Unit::Rate, confidence);
        Some(format!("{side} {bound} with {confidence} confidence"))
    }

    fn fields(&self) -> Vec<(Field, String)> {
        vec![
            (Field::Value, self.value.clone()),
            (Field::Window, wording::duration(self.rule.window_ms())),
            (Field::Enter, self.level(self.rule.enter)),
            (Field::Exit, self.level(self.rule.exit)),
            (Field::Numerator, self.reading.numerator.to_string()),
            (Field::Denominator, self.reading.denominator.to_string()),
        ]
    }

    fn evidence(&self, view: &View<'_>, words: &mut Words) {
        let measure = &self.rule.measure;
        if let Some(value) = self.reading.value() {
            words.add("value", value);
        }
        if measure.is_quotient() {
            words.add("numerator", self.reading.numerator as f64);
            words.add("denominator", self.reading.denominator as f64);
            words.add("min_samples", self.rule.min_samples as f64);
        }
        words.add("enter", self.rule.enter);
        words.add("exit", self.rule.exit);
        if let (Some(bound), Some(confidence)) = (self.bound, self.rule.confidence) {
            words.add("bound", bound);
            words.add("confidence", confidence);
        }
        if self.rule.has_window() {
            words.add("window_ms", self.rule.window_ms() as f64);
        }
        let totals = view.sum(self.rule.window_place);
        for counter in measure.counters() {
            words.add(counter.name(), totals.get(counter) as f64);
        }
        if measure.counts_open_tickets()
            && let Some(created_at_ms) = view.oldest_created_at_ms()
        {
            words.add("oldest_age_ms", (view.now_ms - created_at_ms) as f64);
            words.worst_tickets = view.oldest_tickets();
        }
        for (queue, value) in &self.worst {
            words.add(format!("queue.{queue}"), *value);
        }
    }
}
