//! The ways in which contracts count abandoned contacts into the service level (SEMANTICS 5).

use crate::counters::Counter;
use crate::measure::{Term, Terms};

/// The contract's formula for `service_level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Formula {
    #[default]
    AbandonsInTargetMet,
    AnsweredOnly,
    AllAbandonsMissed,
    AbandonsInTargetDropped,
    ShortAbandonsMet,
    ShortAbandonsDropped,
}

impl Formula {
    pub(crate) const ALL: [Self; 6] = [
        Self::AbandonsInTargetMet,
        Self::AnsweredOnly,
        Self::AllAbandonsMissed,
        Self::AbandonsInTargetDropped,
        Self::ShortAbandonsMet,
        Self::ShortAbandonsDropped,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AbandonsInTargetMet => "abandons_in_target_met",
            Self::AnsweredOnly => "answered_only",
            Self::AllAbandonsMissed => "all_abandons_missed",
            Self::AbandonsInTargetDropped => "abandons_in_target_dropped",
            Self::ShortAbandonsMet => "short_abandons_met",
            Self::ShortAbandonsDropped => "short_abandons_dropped",
        }
    }

    pub(crate) fn terms(self) -> (Terms, Terms) {
        const IN_TARGET: Term = (Counter::ANSWERED_IN_TARGET, 1);
        const ANSWERED: Term = (Counter::ANSWERED, 1);
        const ABANDONED: Term = (Counter::ABANDONED, 1);
        let (numerator, denominator): (&[Term], &[Term]) = match self {
            Self::AbandonsInTargetMet => (
                &[IN_TARGET, (Counter::ABANDONED_IN_TARGET, 1)],
                &[ANSWERED, ABANDONED],
            ),
            Self::AnsweredOnly => (&[IN_TARGET], &[ANSWERED]),
            Self::AllAbandonsMissed => (&[IN_TARGET], &[ANSWERED, ABANDONED]),
            Self::AbandonsInTargetDropped => (
                &[IN_TARGET],
                &[ANSWERED, ABANDONED, (Counter::ABANDONED_IN_TARGET, -1)],
            ),
            Self::ShortAbandonsMet => (
                &[IN_TARGET, (Counter::SHORT_ABANDONED, 1)],
                &[ANSWERED, ABANDONED],
            ),
            Self::ShortAbandonsDropped => (
                &[IN_TARGET],
                &[ANSWERED, ABANDONED, (Counter::SHORT_ABANDONED, -1)],
            ),
        };
        (Terms::new(numerator), Terms::new(denominator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Totals;
    use crate::measure::Measure;
    use slawatch_wire::v1::Measures;

    /// The check of SEMANTICS 5.
    #[test]
    fn service_level_by_each_formula() {
        let totals = Totals::from_wire(&Measures {
            answered: 1000,
            abandoned: 60,
            answered_in_target: 860,
            abandoned_in_target: 20,
            short_abandoned: 10,
            ..Measures::default()
        });
        let percents = Formula::ALL.map(|formula| {
            let measure = Measure::named("service_level", formula).expect("a measure");
            let value = measure.read(&totals, 0).value().expect("contacts");
            format!("{:.2}", value * 100.0)
        });
        assert_eq!(
            percents,
            ["83.02", "86.00", "81.13", "82.69", "82.08", "81.90"]
        );
    }
}
