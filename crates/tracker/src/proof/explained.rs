//! Every explanation against the row that the tracker publishes, and against a recomputation from its own segments:
//! whoever adds up what an explanation lists arrives at the elapsed time, the due and the shares of the row.

use std::collections::BTreeMap;

use proptest::prelude::*;
use slawatch_policy::PolicySets;
use slawatch_wire::v1;

use super::generate::{Size, cases};
use super::model::{Case, minute_ms, plain};
use super::readers::{Readers, RowKey, assert_rows, config};
use crate::explain::{
    CycleStory, EventEffect, Explainer, Explanation, Happened, Holding, Moment, Segment,
    SegmentKind,
};
use crate::tracker::Applied;

const TICKETS: u8 = 2;

fn explain(case: &Case, ticket: u8, now: i64) -> Explanation {
    let mut explainer = Explainer::new(&format!("T{ticket}"), &case.policies());
    for event in case.events.iter().filter(|event| event.ticket == ticket) {
        assert_eq!(event.tell_explainer(&mut explainer), Applied::Counted);
        assert_eq!(event.tell_explainer(&mut explainer), Applied::Duplicate);
    }
    let explanation = explainer.explain(minute_ms(now));
    assert_eq!(explanation.dropped.len(), explanation.events.len());
    explanation
}

fn rows(case: &Case, now: i64) -> BTreeMap<RowKey, v1::OutcomeRow> {
    let mut tracker = case.tracker(plain());
    for (offset, event) in case.events.iter().enumerate() {
        event.tell(&mut tracker, offset as u64);
    }
    tracker.advance_clock(minute_ms(now));
    let mut rows = Readers::of(&mut tracker).rows;
    // An explanation tells of attributes by the events that set them.
    for row in rows.values_mut() {
        row.attributes.clear();
    }
    rows
}

fn agrees(case: &Case, nows: &[i64]) {
    let sets = case.policies();
    for now in nows {
        let mut explained = BTreeMap::new();
        for ticket in 0..TICKETS {
            let explanation = explain(case, ticket, *now);
            for cycle in &explanation.cycles {
                let row = &cycle.row;
                assert_adds_up(&explanation, cycle, &sets);
                if cycle.has_row {
                    let key = (row.ticket_id.clone(), row.metric, row.cycle);
                    explained.insert(key, row.clone());
                }
            }
        }
        assert_rows(&explained, &rows(case, *now));
    }
}

/// Everything that can be said of one cycle's explanation by adding up.
fn assert_adds_up(explanation: &Explanation, cycle: &CycleStory, sets: &PolicySets) {
    let row = &cycle.row;
    let what = format!("{row:?}\n{:#?}\n{:#?}", cycle.segments, cycle.moments);
    let end_ms = row.stopped_at_ms.unwrap_or_else(|| {
        let last_ms = explanation.events.last().unwrap().at_ms;
        explanation.now_ms.max(last_ms)
    });
    let mut at_ms = row.started_at_ms;
    let mut elapsed_ms = 0;
    for segment in &cycle.segments {
        assert_eq!(segment.from_ms, at_ms, "a gap: {what}");
        assert!(segment.to_ms > segment.from_ms, "an empty segment: {what}");
        elapsed_ms += business_ms(row, segment, sets);
        assert_eq!(segment.elapsed_ms, elapsed_ms, "{what}");
        at_ms = segment.to_ms;
    }
    assert_eq!(at_ms, end_ms, "{what}");
    assert_eq!(row.elapsed_ms.unwrap_or(elapsed_ms), elapsed_ms, "{what}");
    assert_due(cycle, &what);
    assert_decision(cycle, &what);
    assert_moments(explanation, cycle, &what);
}

/// What a segment adds, asked of the calendar that it names.
fn business_ms(row: &v1::OutcomeRow, segment: &Segment, sets: &PolicySets) -> i64 {
    let set = sets
        .sets()
        .iter()
        .find(|set| Some(set.effective_from_ms) == row.policy_set_ms);
    let named = |name: &String| {
        set.unwrap()
            .policies
            .iter()
            .find(|policy| policy.name == *name)
    };
    let policy = segment.holding.policy.as_ref().and_then(named);
    let plain_ms = segment.to_ms - segment.from_ms;
    let open_ms = match policy.and_then(|policy| policy.calendar.as_ref()) {
        Some(calendar) => calendar.elapsed(segment.from_ms, segment.to_ms),
        None => plain_ms,
    };
    match segment.kind {
        SegmentKind::Running => {
            assert_eq!(open_ms, plain_ms, "runs while closed: {segment:?}");
            plain_ms
        }
        SegmentKind::Closed => {
            assert_eq!(open_ms, 0, "closed while open: {segment:?}");
            0
        }
        SegmentKind::InHours => open_ms,
        SegmentKind::Paused(_) | SegmentKind::Over => 0,
    }
}

/// The first instant at which the segments reach the target that they name.
fn due_of(segments: &[Segment]) -> Option<i64> {
    let mut elapsed_ms = 0;
    for segment in segments {
        let left_ms = segment
            .holding
            .target_ms
            .map(|target_ms| target_ms - elapsed_ms);
        elapsed_ms = segment.elapsed_ms;
        match (segment.kind, left_ms) {
            (SegmentKind::Over, _) | (_, None) => {}
            (_, Some(left_ms)) if left_ms <= 0 => return Some(segment.from_ms),
            (SegmentKind::Running, Some(left_ms)) if segment.from_ms + left_ms < segment.to_ms => {
                return Some(segment.from_ms + left_ms);
            }
            (SegmentKind::InHours, Some(_)) => unreachable!("a proof is short"),
            (SegmentKind::Running | SegmentKind::Closed | SegmentKind::Paused(_), Some(_)) => {}
        }
    }
    None
}

fn assert_due(cycle: &CycleStory, what: &str) {
    let row = &cycle.row;
    let found = due_of(&cycle.segments);
    if row.state() == v1::CycleState::Breached {
        assert_eq!(found, row.breached_at_ms, "{what}");
    } else if let Some(stopped_ms) = row.stopped_at_ms {
        assert!(found.is_none_or(|due_ms| due_ms >= stopped_ms), "{what}");
    } else if let Some(due_ms) = row.due_at_ms {
        assert!(found.is_none_or(|found_ms| found_ms == due_ms), "{what}");
    }
}

fn assert_decision(cycle: &CycleStory, what: &str) {
    let row = &cycle.row;
    assert_eq!(
        cycle.decided_under.is_some(),
        row.decided_at_ms.is_some(),
        "{what}"
    );
    if let Some(under) = &cycle.decided_under {
        assert_eq!(under.policy, row.policy, "{what}");
        assert_eq!(under.target_ms, row.target_ms, "{what}");
        assert_eq!(under.priority, row.priority, "{what}");
        let is_moved = (&under.vendor, &under.queue) != (&row.vendor, &row.queue);
        assert!(
            !is_moved || cycle.attribute_to != Some(slawatch_policy::AttributeTo::Due),
            "{what}"
        );
    }
    if !row.has_shares {
        return;
    }
    let mut shares: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut before_ms = 0;
    for segment in &cycle.segments {
        if segment.to_ms > row.decided_at_ms.unwrap() {
            break;
        }
        let owner = (
            segment.holding.vendor.clone(),
            segment.holding.queue.clone(),
        );
        *shares.entry(owner).or_default() += segment.elapsed_ms - before_ms;
        before_ms = segment.elapsed_ms;
    }
    shares.retain(|_, ms| *ms != 0);
    let told = row.shares.iter();
    let told: BTreeMap<_, _> = told
        .map(|share| ((share.vendor.clone(), share.queue.clone()), share.ms))
        .collect();
    assert_eq!(shares, told, "{what}");
}

/// Replaying the moments gives what the segments say was in force.
fn assert_moments(explanation: &Explanation, cycle: &CycleStory, what: &str) {
    let mut moments = cycle.moments.iter().peekable();
    let mut held: Option<Holding> = None;
    let mut last_ms = i64::MIN;
    for segment in &cycle.segments {
        while let Some(moment) = moments.next_if(|moment| moment.at_ms <= segment.from_ms) {
            assert!(moment.at_ms >= last_ms, "out of order: {what}");
            last_ms = moment.at_ms;
            assert_caused(explanation, moment, what);
            retell(&mut held, moment);
        }
        let held = held
            .as_mut()
            .unwrap_or_else(|| panic!("never started: {what}"));
        // A change of target may come of a change of priority, which its causes tell.
        let told = Holding {
            priority: held.priority.clone(),
            ..segment.holding.clone()
        };
        assert_eq!(*held, told, "{what}");
        held.priority.clone_from(&segment.holding.priority);
    }
    for moment in moments {
        assert!(
            moment.at_ms >= cycle.segments.last().map_or(last_ms, |last| last.to_ms),
            "{what}"
        );
        assert_caused(explanation, moment, what);
    }
}

fn retell(held: &mut Option<Holding>, moment: &Moment) {
    if let Happened::Started(holding) = &moment.happened {
        *held = Some(holding.clone());
    }
    let Some(held) = held else {
        return;
    };
    match &moment.happened {
        Happened::Owner { from, to } => {
            assert_eq!((&held.vendor, &held.queue), (&from.0, &from.1));
            (held.vendor, held.queue) = to.clone();
        }
        Happened::Policy {
            from,
            to,
            calendar_from,
            calendar_to,
            ..
        } => {
            assert_eq!((&held.policy, &held.calendar), (from, calendar_from));
            held.policy.clone_from(to);
            held.calendar.clone_from(calendar_to);
        }
        Happened::Target { from_ms, to_ms, .. } => {
            assert_eq!(held.target_ms, *from_ms);
            held.target_ms = *to_ms;
        }
        Happened::Priority { to, target_ms, .. } => {
            assert_eq!(held.target_ms, *target_ms);
            held.priority.clone_from(to);
        }
        Happened::Started(_)
        | Happened::Paused(_)
        | Happened::Unpaused(_)
        | Happened::Stopped(_)
        | Happened::Reopened(_)
        | Happened::Due => {}
    }
}

/// Nothing but a due comes without an event at that instant, and no target or policy changes without a cause.
fn assert_caused(explanation: &Explanation, moment: &Moment, what: &str) {
    match (&moment.happened, moment.event) {
        (Happened::Due, None) => {}
        (_, Some(event)) => {
            let event = &explanation.events[event];
            assert_eq!(event.at_ms, moment.at_ms, "{what}");
            assert_ne!(event.effect, EventEffect::AfterEnd, "{what}");
        }
        (_, None) => panic!("nobody did it: {what}"),
    }
    if let Happened::Policy { causes, .. } | Happened::Target { causes, .. } = &moment.happened {
        assert!(!causes.is_empty(), "no cause: {what}");
        for cause in causes {
            let event = &explanation.events[cause.event];
            assert!(event.changes.contains(&cause.change), "{what}");
        }
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn short_tickets_in_few_minutes(
        case in cases(Size { events: 12, tickets: TICKETS, minutes: 8 }),
        now in 478..500_i64,
    ) {
        agrees(&case, &[now, 5000]);
    }

    #[test]
    fn long_tickets_over_an_hour(
        case in cases(Size { events: 30, tickets: TICKETS, minutes: 60 }),
        now in 478..560_i64,
    ) {
        agrees(&case, &[now, 5000]);
    }
}
