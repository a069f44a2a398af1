//! What a rule about groups looks at, kind by kind: the one place where the kinds are told apart.

use slawatch_wire::v1::{Contribution, Evidence, WorstTicket};

use crate::counters::Totals;
use crate::episode::Assessment;
use crate::facts::Objective;
use crate::history::{Need, Plan};
use crate::kinds::burn::Burn;
use crate::kinds::change::Change;
use crate::kinds::oldest::Oldest;
use crate::kinds::projection::Projection;
use crate::kinds::quiet::{self, Quiet};
use crate::kinds::threshold::Threshold;
use crate::measure::{Reading, Unit};
use crate::minute::Minute;
use crate::summary::Field;
use crate::view::View;
use crate::windows::Lengths;

/// The kinds of rules about groups.
#[derive(Clone, Debug)]
pub(crate) enum Watch {
    /// A measure over a sliding window against a level.
    Threshold(Threshold),
    /// The age of the oldest open ticket.
    Oldest(Oldest),
    /// Nothing is heard.
    Quiet(Quiet),
    /// How fast a contract's error budget is used up.
    Burn(Burn),
    /// Whether the target of a contract's period can still be reached.
    Projection(Projection),
    /// Whether a measure differs from what it was.
    Change(Change),
}

/// What a kind has to say of a group when something is told of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// How it stands, where the rule has no words of its own.
    pub(crate) summary: String,
    /// What the trouble is: "below 80 %".
    pub(crate) trouble: String,
    /// How the trouble is over: "back at 90.0 %: 85 % or better".
    pub(crate) over: String,
    /// Why nothing can be told any more: "no contacts left in the window".
    pub(crate) empty: String,
    pub(crate) evidence: Vec<Evidence>,
    /// What the kind's own placeholders stand for.
    pub(crate) fields: Vec<(Field, String)>,
    /// Worst first.
    pub(crate) worst_tickets: Vec<WorstTicket>,
    /// Most frequent first.
    pub(crate) contributions: Vec<Contribution>,
}

impl Words {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        self.evidence.push(Evidence { name, value });
    }
}

impl Watch {
    /// As rules files and alerts call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Threshold(threshold) => threshold.kind(),
            Self::Oldest(_) => "oldest",
            Self::Quiet(_) => "quiet",
            Self::Burn(_) => "burn",
            Self::Projection(_) => "projection",
            Self::Change(_) => "change",
        }
    }

    /// What must be unchanged for an alert to go on after the rules were changed; levels and times may.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Threshold(threshold) => threshold.identity(),
            Self::Oldest(_) | Self::Quiet(_) => String::new(),
            Self::Burn(burn) => burn.identity(),
            Self::Projection(projection) => projection.identity(),
            Self::Change(change) => change.identity(),
        }
    }

    /// The lengths of its sliding windows in panes.
    pub(crate) fn windows(&self) -> Vec<i64> {
        match self {
            Self::Threshold(threshold) => vec![threshold.window],
            Self::Oldest(_) | Self::Quiet(_) => Vec::new(),
            Self::Burn(burn) => burn.windows.iter().map(|window| window.panes).collect(),
            Self::Projection(_) | Self::Change(_) => Vec::new(),
        }
    }

    /// What it looks at behind its windows.
    pub(crate) fn need(&self) -> Need {
        match self {
            Self::Threshold(_) | Self::Oldest(_) | Self::Quiet(_) => Need::default(),
            Self::Burn(burn) => burn.contract.need(),
            Self::Projection(projection) => projection.contract.need(),
            Self::Change(change) => change.need(),
        }
    }

    /// What it wants of a measure over a contract's period, if it is about one.
    pub(crate) fn objective(&self) -> Option<Objective<'_>> {
        match self {
            Self::Threshold(threshold) => threshold.objective(),
            Self::Burn(burn) => burn.contract.objective(burn.min_samples),
            Self::Projection(projection) => projection.contract.objective(projection.min_samples),
            Self::Oldest(_) | Self::Quiet(_) | Self::Change(_) => None,
        }
    }

    /// How many panes back it must be known which source said what, for the difference that a row makes.
    pub(crate) fn reach(&self) -> i64 {
        match self {
            Self::Threshold(threshold) => threshold.window,
            Self::Oldest(_) => 0,
            Self::Quiet(_) => quiet::REACH,
            Self::Burn(burn) => burn.reach(),
            Self::Projection(projection) => projection.reach(),
            Self::Change(change) => change.reach(),
        }
    }

    /// Its contract's time zone; empty for UTC.
    pub(crate) fn keep_time_of(&mut self, timezone: &str) {
        match self {
            Self::Threshold(_) | Self::Oldest(_) | Self::Quiet(_) => {}
            Self::Burn(burn) => burn.contract.keep_time_of(timezone),
            Self::Projection(projection) => projection.contract.keep_time_of(timezone),
            Self::Change(change) => change.keep_time_of(timezone),
        }
    }

    /// Once the windows and the needs of all rules are known.
    pub(crate) fn take_place(&mut self, lengths: &Lengths, plan: &Plan) {
        match self {
            Self::Threshold(threshold) => threshold.take_place(lengths),
            Self::Oldest(_) | Self::Quiet(_) => {}
            Self::Burn(burn) => {
                burn.take_place(lengths);
                burn.contract.take_place(plan);
            }
            Self::Projection(projection) => projection.contract.take_place(plan),
            Self::Change(_) => {}
        }
    }

    /// How the group stands.
    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        match self {
            Self::Threshold(threshold) => threshold.assess(view),
            Self::Oldest(oldest) => oldest.assess(view),
            Self::Quiet(quiet) => quiet.assess(view),
            Self::Burn(burn) => burn.assess(view),
            Self::Projection(projection) => projection.assess(view),
            Self::Change(change) => change.assess(view),
        }
    }

    /// What a firing rests on, one reading a window.
    pub(crate) fn grounds(&self, view: &View<'_>) -> Vec<Reading> {
        match self {
            Self::Threshold(threshold) => vec![threshold.reading(view)],
            // What was open or heard at an instant is not told anew by late events.
            Self::Oldest(_) | Self::Quiet(_) => Vec::new(),
            Self::Burn(burn) => burn.readings(view),
            Self::Projection(projection) => projection.grounds(view),
            // Late events change the next look, which is no later than the next hour.
            Self::Change(_) => Vec::new(),
        }
    }

    /// A pane before the one in which an alert fired has changed: adds to `corrected` what that does to its grounds.
    pub(crate) fn note_change(
        &self,
        fired: Minute,
        pane: Minute,
        change: &Totals,
        corrected: &mut [Reading],
    ) {
        match self {
            Self::Threshold(threshold) => threshold.note_change(fired, pane, change, corrected),
            Self::Oldest(_) | Self::Quiet(_) => {}
            Self::Burn(burn) => burn.note_change(fired, pane, change, corrected),
            Self::Projection(projection) => {
                projection.note_change(fired, pane, change, corrected);
            }
            Self::Change(_) => {}
        }
    }

    /// Whether it would fire on these grounds.
    pub(crate) fn holds(&self, grounds: &[Reading]) -> bool {
        match self {
            Self::Threshold(threshold) => {
                grounds.iter().all(|reading| threshold.is_entered(*reading))
            }
            Self::Oldest(_) | Self::Quiet(_) => true,
            Self::Burn(burn) => burn.is_entered(grounds),
            Self::Projection(projection) => projection.holds(grounds),
            Self::Change(_) => true,
        }
    }

    /// What there is to say of the group.
    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        match self {
            Self::Threshold(threshold) => threshold.words(view),
            Self::Burn(burn) => burn.words(view),
            Self::Projection(projection) => projection.words(view),
            Self::Change(change) => change.words(view),
            Self::Oldest(oldest) => oldest.words(view),
            Self::Quiet(quiet) => quiet.words(view),
        }
    }

    /// Of its value, and of `worse_by`.
    pub(crate) fn unit(&self) -> Unit {
        match self {
            Self::Threshold(threshold) => threshold.measure.unit,
            Self::Burn(_) => Unit::Count,
            Self::Projection(_) => Unit::Rate,
            Self::Change(change) => change.measure.unit,
            Self::Oldest(_) | Self::Quiet(_) => Unit::Duration,
        }
    }

    /// The value that a badness stands for.
    pub(crate) fn value_of(&self, badness: f64) -> f64 {
        match self {
            Self::Threshold(threshold) => threshold.value_of(badness),
            // A rate is told with one decimal.
            Self::Burn(_) => (badness * 10.0).round() / 10.0,
            Self::Oldest(_) | Self::Quiet(_) | Self::Projection(_) | Self::Change(_) => badness,
        }
    }

    /// Whether it changes with the clock alone, so that a look is due though nothing was heard.
    pub(crate) fn follows_the_clock(&self) -> bool {
        match self {
            Self::Threshold(_) | Self::Burn(_) | Self::Projection(_) | Self::Change(_) => false,
            Self::Oldest(_) | Self::Quiet(_) => true,
        }
    }

    /// The first instant from now on at which the clock alone may begin or end a trouble.
    pub(crate) fn wakes_ms(&self, view: &View<'_>) -> Option<i64> {
        match self {
            Self::Threshold(_) | Self::Burn(_) | Self::Projection(_) | Self::Change(_) => None,
            Self::Oldest(oldest) => oldest.wakes_ms(view),
            Self::Quiet(quiet) => quiet.wakes_ms(view),
        }
    }
}
