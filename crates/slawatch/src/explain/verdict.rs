//! A cycle's verdict in a few sentences: due, decision, owner, shares.

use slawatch_calendar::Calendar;
use slawatch_policy::{AttributeTo, PolicySets};
use slawatch_tracker::{CycleStory, Explanation, SegmentKind};
use slawatch_wire::v1;

use super::times::{both, calendar, length};
use super::words::{owner, paused};

/// The verdict of one cycle, a sentence a line; the first is the headline.
pub(super) fn verdict(
    explanation: &Explanation,
    cycle: &CycleStory,
    sets: &PolicySets,
) -> Vec<String> {
    let row = &cycle.row;
    let zone = calendar(sets, row.policy_set_ms, row.policy.as_deref());
    let told = Told {
        cycle,
        row,
        zone,
        now_ms: explanation.now_ms,
    };
    let mut lines = told.state();
    lines.extend(told.attribution());
    lines.extend(told.shares());
    lines
}

struct Told<'a> {
    cycle: &'a CycleStory,
    row: &'a v1::OutcomeRow,
    zone: Option<&'a Calendar>,
    now_ms: i64,
}

impl Told<'_> {
    fn at(&self, at_ms: i64) -> String {
        both(at_ms, self.zone)
    }

    /// Elapsed at an instant at which a segment ends, or at the start.
    fn elapsed_at(&self, at_ms: i64) -> i64 {
        let mut behind = self.cycle.segments.iter().rev();
        let last = behind.find(|segment| segment.to_ms <= at_ms);
        last.map_or(0, |segment| segment.elapsed_ms)
    }

    fn state(&self) -> Vec<String> {
        let row = self.row;
        let stopped_ms = row.stopped_at_ms.unwrap_or(row.started_at_ms);
        let elapsed = length(row.elapsed_ms.unwrap_or(0));
        let at = self.at(stopped_ms);
        match row.state() {
            v1::CycleState::Met => self.met(),
            v1::CycleState::Breached => self.breached(),
            v1::CycleState::Untargeted => vec![format!(
                "untargeted: stopped {at} after {elapsed} with no target in force, so there is no verdict"
            )],
            v1::CycleState::Cancelled => vec![format!(
                "cancelled: ended {at} after {elapsed}, before it fell due; no verdict"
            )],
            v1::CycleState::Abandoned => vec![format!(
                "abandoned: the customer gave up {at} after {elapsed}; no verdict"
            )],
            v1::CycleState::FlowedOut => vec![format!(
                "flowed out: offered again {at} after {elapsed} without an answer; no verdict"
            )],
            v1::CycleState::Running => self.running(),
            v1::CycleState::Paused => self.paused(),
            v1::CycleState::Unspecified => Vec::new(),
        }
    }

    fn met(&self) -> Vec<String> {
        let row = self.row;
        let (elapsed_ms, target_ms) = (row.elapsed_ms.unwrap_or(0), row.target_ms.unwrap_or(0));
        let headline = format!(
            "met: stopped {} after {} of {}, {} to spare, while owned by {}",
            self.at(row.stopped_at_ms.unwrap_or(row.started_at_ms)),
            length(elapsed_ms),
            length(target_ms),
            length(target_ms - elapsed_ms),
            self.owner_there(),
        );
        let due = match row.due_at_ms {
            Some(due_ms) => format!("due {}", self.at(due_ms)),
            None => "no due: it was paused when it stopped".to_owned(),
        };
        vec![headline, due]
    }

    fn breached(&self) -> Vec<String> {
        let row = self.row;
        let due_ms = row.breached_at_ms.unwrap_or(row.started_at_ms);
        let (used_ms, target_ms) = (self.elapsed_at(due_ms), row.target_ms.unwrap_or(0));
        let mut lines = vec![format!(
            "breached {} while owned by {}",
            self.at(due_ms),
            self.owner_there()
        )];
        lines.push(if used_ms > target_ms {
            format!(
                "due {}: {} had been used already when the target became {}",
                self.at(due_ms),
                length(used_ms),
                length(target_ms)
            )
        } else {
            format!(
                "due {}: the target of {} was used up",
                self.at(due_ms),
                length(target_ms)
            )
        });
        lines.push(match (row.stopped_at_ms, row.elapsed_ms) {
            (Some(stopped_ms), Some(elapsed_ms)) => format!(
                "stopped {} after {}, {} late",
                self.at(stopped_ms),
                length(elapsed_ms),
                length(elapsed_ms - used_ms)
            ),
            (_, _) => "not stopped yet".to_owned(),
        });
        lines
    }

    fn used(&self) -> String {
        let used_ms = self.elapsed_at(self.now_ms.max(self.row.started_at_ms));
        match self.row.target_ms {
            Some(target_ms) => format!(
                "{} of {} used, {} left",
                length(used_ms),
                length(target_ms),
                length((target_ms - used_ms).max(0))
            ),
            None => format!("{} used, no target in force", length(used_ms)),
        }
    }

    fn running(&self) -> Vec<String> {
        let headline = format!(
            "running: {}, owned by {}",
            self.used(),
            owner(&self.row.vendor, &self.row.queue)
        );
        let due = match (self.row.due_at_ms, self.row.target_ms) {
            (Some(due_ms), _) => {
                format!("due {} if nothing more happens", self.at(due_ms))
            }
            (None, Some(_)) => "no due within 20 years".to_owned(),
            (None, None) => "no due: there is no target".to_owned(),
        };
        vec![headline, due]
    }

    fn paused(&self) -> Vec<String> {
        let segments = &self.cycle.segments;
        let at_ms = self.now_ms.max(self.row.started_at_ms);
        let here = segments
            .iter()
            .rev()
            .find(|segment| segment.from_ms <= at_ms);
        let why = here.map(|segment| segment.kind);
        let why = match why {
            Some(SegmentKind::Paused(status)) => paused(status),
            Some(SegmentKind::Over) => {
                "paused: the ticket is over now, and known to reopen".to_owned()
            }
            Some(SegmentKind::Running | SegmentKind::Closed | SegmentKind::InHours) | None => {
                "paused".to_owned()
            }
        };
        vec![
            format!(
                "{why}: {}, owned by {}",
                self.used(),
                owner(&self.row.vendor, &self.row.queue)
            ),
            "no due while it is paused".to_owned(),
        ]
    }

    /// The owner where it was decided, whomever it is attributed to.
    fn owner_there(&self) -> String {
        match &self.cycle.decided_under {
            Some(under) => owner(&under.vendor, &under.queue),
            None => owner(&self.row.vendor, &self.row.queue),
        }
    }

    fn attribution(&self) -> Option<String> {
        let counted_for = owner(&self.row.vendor, &self.row.queue);
        let rule = match self.cycle.attribute_to? {
            AttributeTo::Due => return None,
            AttributeTo::Start => "\"start\": the owner at the start",
            AttributeTo::Longest => "\"longest\": the owner with the largest share",
        };
        Some(format!("counts for {counted_for} (attribute_to = {rule})"))
    }

    fn shares(&self) -> Option<String> {
        if !self.row.has_shares || self.row.shares.is_empty() {
            return None;
        }
        let each = self.row.shares.iter();
        let each = each.map(|share| {
            format!(
                "{} {}",
                owner(&share.vendor, &share.queue),
                length(share.ms)
            )
        });
        Some(format!(
            "shares of the time up to the decision: {}",
            each.collect::<Vec<_>>().join(", ")
        ))
    }
}
