//! The time between two looks at a cycle, laid out by the calendar in force.

use super::story::{Holding, Segment, SegmentKind};
use super::walk::{Phase, Sample};
use crate::fold::{Cycle, Standing};
use crate::rules::{Rules, SetIndex};

/// Openings and closings of one stretch that are told one by one; more than a year's worth of any office.
const TOLD_ONE_BY_ONE: usize = 2_000;

/// Where segments are cut although nothing changes there, and where the last one ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cuts {
    pub(super) due_ms: Option<i64>,
    pub(super) now_ms: Option<i64>,
    /// Where a cycle that still runs is left.
    pub(super) end_ms: i64,
}

/// The segments of a cycle from its start on, without a gap.
pub(super) fn segments(
    cycle: &Cycle,
    samples: &[Sample],
    cuts: Cuts,
    rules: &Rules,
) -> Vec<Segment> {
    let mut layout = Layout {
        set: cycle.set,
        rules,
        elapsed_ms: 0,
        segments: Vec::new(),
    };
    for (position, sample) in samples.iter().enumerate() {
        let next_ms = samples.get(position + 1).map(|next| next.at_ms);
        let to_ms = match (next_ms, sample.phase) {
            (Some(next_ms), _) => next_ms,
            (None, Phase::Running) => cuts.end_ms,
            (None, Phase::Stopped { .. }) => break,
        };
        // A stop that stood when the ticket was reopened is followed by a look at which nothing begins.
        if is_over_for_good(&samples[position..]) {
            break;
        }
        let mut from_ms = sample.at_ms;
        let mut inner = [cuts.due_ms, cuts.now_ms];
        inner.sort_unstable();
        for cut_ms in inner.into_iter().flatten().chain([to_ms]) {
            if from_ms < cut_ms && cut_ms <= to_ms {
                layout.stretch(from_ms, cut_ms, sample);
                from_ms = cut_ms;
            }
        }
    }
    layout.segments
}

/// Whether the cycle has stopped and neither runs nor ends again.
fn is_over_for_good(samples: &[Sample]) -> bool {
    let Some(first) = samples.first() else {
        return true;
    };
    first.phase != Phase::Running && samples.iter().all(|sample| sample.phase == first.phase)
}

struct Layout<'a> {
    set: Option<SetIndex>,
    rules: &'a Rules,
    elapsed_ms: i64,
    segments: Vec<Segment>,
}

impl Layout<'_> {
    /// A stretch under one standing.
    fn stretch(&mut self, from_ms: i64, to_ms: i64, sample: &Sample) {
        let standing = &sample.standing;
        let kind = match sample.phase {
            Phase::Stopped { .. } => SegmentKind::Over,
            Phase::Running if standing.paused => SegmentKind::Paused(sample.status),
            Phase::Running => return self.by_calendar(from_ms, to_ms, standing),
        };
        self.push(from_ms, to_ms, kind, standing);
    }

    fn by_calendar(&mut self, from_ms: i64, to_ms: i64, standing: &Standing) {
        let policy = self.rules.in_force(self.set, standing.policy);
        let Some(calendar) = policy.and_then(|policy| policy.calendar.as_deref()) else {
            self.push(from_ms, to_ms, SegmentKind::Running, standing);
            return;
        };
        let mut at_ms = from_ms;
        for _ in 0..TOLD_ONE_BY_ONE {
            if at_ms >= to_ms {
                return;
            }
            let next_ms = calendar.next_change(at_ms).unwrap_or(to_ms).min(to_ms);
            let kind = if calendar.is_open(at_ms) {
                SegmentKind::Running
            } else {
                SegmentKind::Closed
            };
            self.push(at_ms, next_ms, kind, standing);
            at_ms = next_ms;
        }
        if at_ms < to_ms {
            self.push(at_ms, to_ms, SegmentKind::InHours, standing);
        }
    }

    fn push(&mut self, from_ms: i64, to_ms: i64, kind: SegmentKind, standing: &Standing) {
        self.elapsed_ms += match kind {
            SegmentKind::Running => to_ms - from_ms,
            SegmentKind::InHours => self
                .rules
                .elapsed(self.set, standing.policy, from_ms, to_ms),
            SegmentKind::Closed | SegmentKind::Paused(_) | SegmentKind::Over => 0,
        };
        self.segments.push(Segment {
            from_ms,
            to_ms,
            kind,
            holding: Holding::of(standing, self.set, self.rules),
            elapsed_ms: self.elapsed_ms,
        });
    }
}

/// The elapsed time at an instant at which no segment is under way.
pub(super) fn elapsed_at(segments: &[Segment], at_ms: i64) -> i64 {
    let behind = segments.partition_point(|segment| segment.to_ms <= at_ms);
    behind
        .checked_sub(1)
        .map_or(0, |last| segments[last].elapsed_ms)
}
