//! The sums of SEMANTICS 5 that the board shows, over any set of panes, and the figures derived from them.

use serde::Serialize;
use slawatch_wire::v1::Measures;

/// Sums over panes. Corrections are signed, so single rows may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) created: i64,
    pub(crate) solved: i64,
    pub(crate) offered: i64,
    pub(crate) answered: i64,
    pub(crate) abandoned: i64,
    pub(crate) answered_in_target: i64,
    pub(crate) abandoned_in_target: i64,
    pub(crate) wait_ms: i64,
    pub(crate) handled: i64,
    pub(crate) handle_ms: i64,
    pub(crate) met: i64,
    pub(crate) breached: i64,
}

impl Counts {
    pub(crate) fn of(measures: &Measures) -> Self {
        Self {
            created: measures.created,
            solved: measures.solved,
            offered: measures.offered,
            answered: measures.answered,
            abandoned: measures.abandoned,
            answered_in_target: measures.answered_in_target,
            abandoned_in_target: measures.abandoned_in_target,
            wait_ms: measures.wait_ms,
            handled: measures.handled,
            handle_ms: measures
                .talk_ms
                .wrapping_add(measures.hold_ms)
                .wrapping_add(measures.wrap_ms),
            met: measures.verdicts.iter().map(|verdict| verdict.met).sum(),
            breached: measures
                .verdicts
                .iter()
                .map(|verdict| verdict.breached)
                .sum(),
        }
    }

    /// What was added can be taken off again exactly, so nothing saturates.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        self.combine(other, i64::wrapping_add)
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        self.combine(other, i64::wrapping_sub)
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn combine(&self, other: &Self, of: fn(i64, i64) -> i64) -> Self {
        Self {
            created: of(self.created, other.created),
            solved: of(self.solved, other.solved),
            offered: of(self.offered, other.offered),
            answered: of(self.answered, other.answered),
            abandoned: of(self.abandoned, other.abandoned),
            answered_in_target: of(self.answered_in_target, other.answered_in_target),
            abandoned_in_target: of(self.abandoned_in_target, other.abandoned_in_target),
            wait_ms: of(self.wait_ms, other.wait_ms),
            handled: of(self.handled, other.handled),
            handle_ms: of(self.handle_ms, other.handle_ms),
            met: of(self.met, other.met),
            breached: of(self.breached, other.breached),
        }
    }

    /// By the default formula, `abandons_in_target_met`.
    pub(crate) fn service_level(&self) -> Option<f64> {
        ratio(
            self.answered_in_target
                .wrapping_add(self.abandoned_in_target),
            self.answered.wrapping_add(self.abandoned),
        )
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            service_level: self.service_level(),
            in_target: self
                .answered_in_target
                .wrapping_add(self.abandoned_in_target),
            ended: self.answered.wrapping_add(self.abandoned),
            offered: self.offered,
            answered: self.answered,
            abandoned: self.abandoned,
            abandon_rate: ratio(self.abandoned, self.offered),
            asa_ms: ratio(self.wait_ms, self.answered),
            handled: self.handled,
            aht_ms: ratio(self.handle_ms, self.handled),
            created: self.created,
            solved: self.solved,
            met: self.met,
            breached: self.breached,
            attainment: ratio(self.met, self.met.wrapping_add(self.breached)),
        }
    }
}

/// An empty denominator has no ratio: neither 0 nor 100 %. Nor has a negative one, which only half of a correction that
/// travels in two rows can leave for a moment.
fn ratio(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

/// What one window of one queue, or of one vendor, amounts to. `null` where a denominator is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// (answered in target + abandoned in target) / (answered + abandoned).
    pub service_level: Option<f64>,
    /// Contacts that ended in target.
    pub in_target: i64,
    /// Contacts answered or abandoned.
    pub ended: i64,
    /// Contacts offered.
    pub offered: i64,
    /// Contacts answered.
    pub answered: i64,
    /// Contacts abandoned.
    pub abandoned: i64,
    /// abandoned / offered.
    pub abandon_rate: Option<f64>,
    /// Average speed of answer, ms.
    pub asa_ms: Option<f64>,
    /// Pieces of work finished.
    pub handled: i64,
    /// Average handling time, ms.
    pub aht_ms: Option<f64>,
    /// Tickets created.
    pub created: i64,
    /// Tickets solved.
    pub solved: i64,
    /// Clock cycles met, all metrics together.
    pub met: i64,
    /// Clock cycles breached, all metrics together.
    pub breached: i64,
    /// met / (met + breached).
    pub attainment: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_contract() {
        let counts = Counts {
            offered: 1080,
            answered: 1000,
            abandoned: 60,
            answered_in_target: 860,
            abandoned_in_target: 20,
            wait_ms: 12_500_000,
            // 10 of 600 s and 90 of 200 s.
            handled: 100,
            handle_ms: 10 * 600_000 + 90 * 200_000,
            met: 30,
            breached: 10,
            ..Counts::default()
        };
        let figures = counts.figures();
        let percent = figures
            .service_level
            .map(|level| (level * 1e4).round() / 100.0);
        assert_eq!(percent, Some(83.02));
        assert_eq!((figures.in_target, figures.ended), (880, 1060));
        assert_eq!(figures.aht_ms, Some(240_000.0));
        assert_eq!(figures.asa_ms, Some(12_500.0));
        assert_eq!(figures.abandon_rate, Some(60.0 / 1080.0));
        assert_eq!(figures.attainment, Some(0.75));
    }

    #[test]
    fn nothing_divided_by_nothing_is_unknown() {
        let figures = Counts::default().figures();
        assert_eq!(figures, Figures::default());
        assert_eq!(figures.service_level, None);
        let half_a_correction = Counts {
            answered: -1,
            answered_in_target: -1,
            ..Counts::default()
        };
        assert_eq!(half_a_correction.service_level(), None);
    }

    #[test]
    fn all_three_parts_of_the_work_and_all_metrics_are_added_up() {
        use slawatch_wire::v1::VerdictCount;
        let verdict = |met, breached| VerdictCount {
            met,
            breached,
            ..VerdictCount::default()
        };
        let counts = Counts::of(&Measures {
            talk_ms: 1,
            hold_ms: 2,
            wrap_ms: 4,
            verdicts: vec![verdict(1, 2), verdict(3, 4)],
            ..Measures::default()
        });
        assert_eq!((counts.handle_ms, counts.met, counts.breached), (7, 4, 6));
        assert!(counts.minus(&counts).is_zero());
    }
}
