//! A contract's target for a proportion over a local day, week or month: what it allows, and how its running period stands.

use slawatch_calendar::{Period, Periods};

use crate::counters::Totals;
use crate::facts::{BadSide, Objective};
use crate::forecast::{Forecast, WEEKS};
use crate::history::{HOURS_OF_A_WEEK, Need, Plan};
use crate::measure::{Measure, Reading, Trouble};
use crate::view::View;

/// What was agreed.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    /// A proportion.
    pub(crate) measure: Measure,
    /// The share that must be reached or, of a measure whose trouble lies above, not passed.
    pub(crate) target: f64,
    pub(crate) periods: Periods,
    /// Of the periods in the plan.
    pub(crate) place: usize,
}

/// The running period.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) period: Period,
    /// Of the period until now.
    pub(crate) so_far: Reading,
    /// The period is known from its start.
    pub(crate) is_whole: bool,
    pub(crate) forecast: Option<Forecast>,
}

impl Contract {
    /// The share of bad samples that the contract allows: its error budget.
    pub(crate) fn allowed(&self) -> f64 {
        allowed(&self.measure, self.target)
    }

    /// The bad ones among the samples.
    pub(crate) fn bad(&self, reading: Reading) -> i64 {
        match self.measure.trouble {
            Trouble::Below => reading.denominator - reading.numerator,
            Trouble::Above | Trouble::Both => reading.numerator,
        }
    }

    /// What is wanted over the period.
    pub(crate) fn objective(&self, min_samples: i64) -> Option<Objective<'_>> {
        let bad = match self.measure.trouble {
            Trouble::Below => BadSide::Below,
            Trouble::Above | Trouble::Both => BadSide::Above,
        };
        Objective::of(&self.measure, self.target, bad, min_samples)
    }

    /// What of the past it takes to know how the running period stands.
    pub(crate) fn need(&self) -> Need {
        Need {
            periods: Some(self.periods.clone()),
            hours: WEEKS * HOURS_OF_A_WEEK,
            counters: self.measure.counters(),
        }
    }

    /// Its periods are those of that zone; of UTC if it is empty.
    pub(crate) fn keep_time_of(&mut self, timezone: &str) {
        // A zone that is none was refused when the file was read.
        if let Ok(periods) = Periods::new(self.periods.length(), timezone) {
            self.periods = periods;
        }
    }

    pub(crate) fn take_place(&mut self, plan: &Plan) {
        // The plan was made of the needs of all.
        self.place = plan.place(&self.periods).unwrap_or_default();
    }

    pub(crate) fn running(&self, view: &View<'_>) -> Option<Running> {
        let period = view.past.almanac.period(self.place)?;
        let so_far = self.measure.read(&view.period_sum(self.place, period), 0);
        let samples = |totals: &Totals| self.measure.read(totals, 0).denominator;
        let is_whole = view.past.known.has_whole(self.place, period);
        Some(Running {
            period,
            so_far,
            is_whole,
            forecast: Forecast::new(view, self.place, period, so_far.denominator, samples),
        })
    }

    /// "the day's", for words.
    pub(crate) fn period_name(&self) -> &'static str {
        self.periods.length().name()
    }
}

/// See [`Contract::allowed`].
pub(crate) fn allowed(measure: &Measure, target: f64) -> f64 {
    // Targets are written with few digits: 1 - 0.8 is to be 0.2.
    const DIGITS: f64 = 1e12;
    match measure.trouble {
        Trouble::Below => ((1.0 - target) * DIGITS).round() / DIGITS,
        Trouble::Above | Trouble::Both => target,
    }
}
