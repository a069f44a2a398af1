//! An explanation as JSON: everything that the text is made of, instants as RFC 3339 UTC with milliseconds and, where a
//! calendar is in force, in its zone too.

use serde_json::{Value, json};
use slawatch_event::format_instant;
use slawatch_policy::{AttributeTo, OnReopen, PolicySets};
use slawatch_tracker::{
    Applied, AttributeChange, Cause, CycleStory, EventEffect, EventStory, Explanation, Happened,
    Holding, Moment, Segment, SegmentKind, StopReason, TicketState,
};

use super::Explained;
use super::times::{calendar, local_rfc3339};
use crate::replay::{outcome_object, state_name};

/// The whole explanation.
pub fn json(explained: &Explained) -> Value {
    let Explanation {
        ticket_id,
        now_ms,
        state,
        created_at_ms,
        events,
        dropped,
        cycles,
    } = &explained.explanation;
    let dropped = dropped.iter().map(|event| {
        json!({
            "event_id": event.id,
            "type": event.event_type.name(),
            "occurred_at": format_instant(event.at_ms),
            "reason": dropped_name(event.applied),
        })
    });
    let dead_letters = explained.dead_letters.iter().map(|letter| {
        json!({
            "line": letter.line,
            "reason": letter.reason.name(),
            "detail": letter.detail,
        })
    });
    json!({
        "ticket_id": ticket_id,
        "now": format_instant(*now_ms),
        "source": explained.source,
        "state": ticket_state(*state),
        "created_at": created_at_ms.map(format_instant),
        "events": events.iter().map(event).collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "dead_letters": dead_letters.collect::<Vec<_>>(),
        "cycles": cycles.iter().map(|each| cycle(each, events, &explained.sets)).collect::<Vec<_>>(),
    })
}

fn ticket_state(state: TicketState) -> &'static str {
    match state {
        TicketState::NotCreated => "not_created",
        TicketState::Open => "open",
        TicketState::Over => "over",
        TicketState::Ended => "ended",
    }
}

fn dropped_name(applied: Applied) -> &'static str {
    match applied {
        Applied::Counted => "counted",
        Applied::Duplicate => "duplicate",
        Applied::Conflicting => "conflicting",
        Applied::Rejected(reason) => reason.name(),
    }
}

fn event(event: &EventStory) -> Value {
    let effect = match event.effect {
        EventEffect::Counts => "counts",
        EventEffect::BeforeCreated => "before_created",
        EventEffect::ActsAsUpdated => "acts_as_updated",
        EventEffect::NothingWaits => "nothing_waits",
        EventEffect::CountsAfterEnd => "counts_after_end",
        EventEffect::AfterEnd => "after_end",
    };
    json!({
        "event_id": event.id,
        "type": event.event_type.name(),
        "occurred_at": format_instant(event.at_ms),
        "sequence": event.sequence,
        "contact_id": event.contact_id,
        "changes": event.changes.iter().map(change).collect::<Vec<_>>(),
        "effect": effect,
    })
}

fn change(change: &AttributeChange) -> Value {
    json!({
        "attribute": change.attribute.to_string(),
        "from": change.from,
        "to": change.to,
    })
}

fn cycle(cycle: &CycleStory, events: &[EventStory], sets: &PolicySets) -> Value {
    let attribute_to = cycle.attribute_to.map(|choice| match choice {
        AttributeTo::Due => "due",
        AttributeTo::Start => "start",
        AttributeTo::Longest => "longest",
    });
    let segments = cycle.segments.iter();
    let moments = cycle.moments.iter();
    json!({
        "metric": cycle.metric.name(),
        "cycle": cycle.row.cycle,
        "state": state_name(cycle.row.state()),
        "has_row": cycle.has_row,
        "outcome": outcome_object(&cycle.row),
        "policy_file": cycle.policy_file,
        "decided_under": cycle.decided_under.as_ref().map(holding),
        "attribute_to": attribute_to,
        "segments": segments.map(|each| segment(each, cycle, sets)).collect::<Vec<_>>(),
        "moments": moments.map(|each| moment(each, events)).collect::<Vec<_>>(),
    })
}

fn holding(holding: &Holding) -> Value {
    json!({
        "vendor": holding.vendor,
        "queue": holding.queue,
        "priority": holding.priority,
        "policy": holding.policy,
        "calendar": holding.calendar,
        "target_ms": holding.target_ms,
    })
}

fn segment(segment: &Segment, cycle: &CycleStory, sets: &PolicySets) -> Value {
    let zone = calendar(
        sets,
        cycle.row.policy_set_ms,
        segment.holding.policy.as_deref(),
    );
    let (what, status) = match segment.kind {
        SegmentKind::Running => ("running", None),
        SegmentKind::Closed => ("closed", None),
        SegmentKind::Paused(status) => ("paused", Some(status.name())),
        SegmentKind::Over => ("over", None),
        SegmentKind::InHours => ("in_hours", None),
    };
    let mut object = json!({
        "from": format_instant(segment.from_ms),
        "to": format_instant(segment.to_ms),
        "time_zone": zone.map(|zone| zone.time_zone().to_owned()),
        "local_from": zone.map(|zone| local_rfc3339(segment.from_ms, zone)),
        "local_to": zone.map(|zone| local_rfc3339(segment.to_ms, zone)),
        "what": what,
        "status": status,
        "lasts_ms": segment.to_ms - segment.from_ms,
        "elapsed_ms": segment.elapsed_ms,
    });
    merge(&mut object, holding(&segment.holding));
    object
}

fn moment(moment: &Moment, events: &[EventStory]) -> Value {
    let mut object = json!({
        "at": format_instant(moment.at_ms),
        "elapsed_ms": moment.elapsed_ms,
        "event_id": moment.event.map(|place| &events[place].id),
    });
    merge(&mut object, happened(&moment.happened, events));
    object
}

fn happened(happened: &Happened, events: &[EventStory]) -> Value {
    let because = |causes: &[Cause]| -> Vec<Value> {
        let told = causes.iter().map(|cause| {
            let mut object = json!({"event_id": events[cause.event].id});
            merge(&mut object, change(&cause.change));
            object
        });
        told.collect()
    };
    let owner = |owner: &(String, String)| json!({"vendor": owner.0, "queue": owner.1});
    match happened {
        Happened::Started(under) => json!({"what": "started", "under": holding(under)}),
        Happened::Owner { from, to } => {
            json!({"what": "owner", "from": owner(from), "to": owner(to)})
        }
        Happened::Policy {
            from,
            to,
            calendar_from,
            calendar_to,
            causes,
        } => json!({
            "what": "policy",
            "from": from,
            "to": to,
            "calendar_from": calendar_from,
            "calendar_to": calendar_to,
            "because": because(causes),
        }),
        Happened::Priority {
            from,
            to,
            target_ms,
        } => json!({"what": "priority", "from": from, "to": to, "target_ms": target_ms}),
        Happened::Target {
            from_ms,
            to_ms,
            by_policy,
            causes,
        } => json!({
            "what": "target",
            "from_ms": from_ms,
            "to_ms": to_ms,
            "by_policy": by_policy,
            "because": because(causes),
        }),
        Happened::Paused(status) => json!({"what": "paused", "status": status.name()}),
        Happened::Unpaused(status) => json!({"what": "unpaused", "status": status.name()}),
        Happened::Stopped(reason) => json!({"what": "stopped", "reason": stop_name(*reason)}),
        Happened::Reopened(on_reopen) => {
            let on_reopen = match on_reopen {
                OnReopen::Resume => "resume",
                OnReopen::Restart => "restart",
                OnReopen::Ignore => "ignore",
            };
            json!({"what": "reopened", "on_reopen": on_reopen})
        }
        Happened::Due => json!({"what": "due"}),
    }
}

fn stop_name(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Replied => "replied",
        StopReason::Over(_) => "over",
        StopReason::CancelledByOver(_) => "cancelled_by_over",
        StopReason::Ended => "ended",
        StopReason::Answered => "answered",
        StopReason::Abandoned => "abandoned",
        StopReason::OfferedAgain => "offered_again",
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
