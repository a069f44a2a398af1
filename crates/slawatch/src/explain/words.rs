//! What happened to a cycle, in words.

use slawatch_event::Status;
use slawatch_policy::{Metric, OnReopen};
use slawatch_tracker::{
    AttributeChange, Cause, EventStory, Happened, Holding, Moment, SegmentKind, StopReason,
};

use super::times::length;

/// `acme/refunds`; `(none)` for what is unset.
pub(super) fn owner(vendor: &str, queue: &str) -> String {
    format!("{}/{}", or_none(vendor), or_none(queue))
}

pub(super) fn or_none(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

/// `e17 (updated)`.
pub(super) fn event(event: &EventStory) -> String {
    format!("{} ({})", event.id, event.event_type.name())
}

/// `priority normal -> urgent`, `priority urgent`.
pub(super) fn change(change: &AttributeChange) -> String {
    let AttributeChange {
        attribute,
        from,
        to,
    } = change;
    if from.is_empty() {
        format!("{attribute} {}", or_none(to))
    } else {
        format!("{attribute} {from} -> {}", or_none(to))
    }
}

/// `event e17 (updated) changed priority from normal to urgent`.
pub(super) fn because(causes: &[Cause], events: &[EventStory]) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut last = None;
    for Cause {
        event: place,
        change,
    } in causes
    {
        let AttributeChange {
            attribute,
            from,
            to,
        } = change;
        let did = match (from.is_empty(), to.is_empty()) {
            (true, _) => format!("set {attribute} to {}", or_none(to)),
            (false, true) => format!("cleared {attribute}, which was {from}"),
            (false, false) => format!("changed {attribute} from {from} to {to}"),
        };
        texts.push(if last == Some(*place) {
            did
        } else {
            format!("event {} {did}", event(&events[*place]))
        });
        last = Some(*place);
    }
    texts.join(" and ")
}

pub(super) fn target(target_ms: Option<i64>) -> String {
    target_ms.map_or_else(
        || "no target".to_owned(),
        |ms| format!("target {}", length(ms)),
    )
}

pub(super) fn policy(policy: Option<&str>) -> String {
    policy.map_or_else(|| "no policy".to_owned(), |name| format!("policy {name}"))
}

fn calendar(calendar: Option<&str>) -> String {
    calendar.map_or_else(
        || "always open".to_owned(),
        |name| format!("calendar {name}"),
    )
}

/// What holds at the start.
fn holding(holding: &Holding) -> String {
    let Holding {
        vendor,
        queue,
        priority,
        policy: policy_name,
        calendar: calendar_name,
        target_ms,
    } = holding;
    format!(
        "{}, {}, {}, priority {}, owned by {}",
        target(*target_ms),
        policy(policy_name.as_deref()),
        calendar(calendar_name.as_deref()),
        or_none(priority),
        owner(vendor, queue)
    )
}

/// What happened, and through which event. `over_ms` is how long the ticket was over before a reopen.
pub(super) fn moment(
    metric: Metric,
    moment: &Moment,
    events: &[EventStory],
    over_ms: i64,
) -> String {
    let by = moment.event.map(|place| event(&events[place]));
    let by = by.unwrap_or_default();
    match &moment.happened {
        Happened::Started(under) => format!("STARTS with {by}: {}", holding(under)),
        Happened::Owner { from, to } => format!(
            "goes from {} to {} with {by}",
            owner(&from.0, &from.1),
            owner(&to.0, &to.1)
        ),
        Happened::Policy {
            from,
            to,
            calendar_from,
            calendar_to,
            causes,
        } => {
            let hours = if calendar_from == calendar_to {
                String::new()
            } else {
                instead(
                    calendar(calendar_to.as_deref()),
                    calendar(calendar_from.as_deref()),
                )
            };
            format!(
                "{} because {}{}{hours}",
                instead(policy(to.as_deref()), policy(from.as_deref())),
                because(causes, events),
                if hours.is_empty() { "" } else { "; " },
            )
        }
        Happened::Priority {
            from,
            to,
            target_ms,
        } => format!(
            "priority {} -> {} with {by}; {} as before",
            or_none(from),
            or_none(to),
            target(*target_ms)
        ),
        Happened::Target {
            from_ms,
            to_ms,
            by_policy,
            causes,
        } => format!(
            "target {} -> {} because {}{}",
            length_or_none(*from_ms),
            length_or_none(*to_ms),
            because(causes, events),
            if *by_policy {
                ", so that another policy matches"
            } else {
                ""
            }
        ),
        Happened::Paused(status) => format!("pauses: status {} with {by}", status.name()),
        Happened::Unpaused(status) => format!("pauses no more: status {} with {by}", status.name()),
        Happened::Stopped(reason) => stopped(metric, *reason, &by),
        Happened::Reopened(on_reopen) => reopened(*on_reopen, &by, over_ms),
        Happened::Due => "DUE: the target is used up".to_owned(),
    }
}

fn instead(new: String, old: String) -> String {
    format!("{new} instead of {old}")
}

fn length_or_none(ms: Option<i64>) -> String {
    ms.map_or_else(|| "none".to_owned(), length)
}

fn reopened(on_reopen: OnReopen, by: &str, over_ms: i64) -> String {
    match on_reopen {
        OnReopen::Resume => format!(
            "REOPENED with {by}: it runs on (on_reopen = \"resume\"); the {} while over do not count",
            length(over_ms)
        ),
        OnReopen::Restart => format!(
            "reopened with {by}: the stop stands and a new cycle starts (on_reopen = \"restart\")"
        ),
        OnReopen::Ignore => {
            format!("reopened with {by}: the stop is final (on_reopen = \"ignore\")")
        }
    }
}

fn stopped(metric: Metric, reason: StopReason, by: &str) -> String {
    match reason {
        StopReason::Replied => format!("STOPS: reply, {by}"),
        StopReason::Over(status) => format!("STOPS: ticket {} with {by}", status.name()),
        StopReason::CancelledByOver(status) => {
            let why = if metric == Metric::PeriodicUpdate {
                "no further update is awaited"
            } else {
                "solving is no reply (reply_by_solving = \"cancelled\")"
            };
            format!("ENDS: ticket {} with {by}; {why}", status.name())
        }
        StopReason::Ended => format!("ENDS: {by}"),
        StopReason::Answered => format!("STOPS: answered, {by}"),
        StopReason::Abandoned => format!("ENDS: the customer gave up, {by}"),
        StopReason::OfferedAgain => format!("ENDS: offered again before an answer, {by}"),
    }
}

/// What the clock does in a segment.
pub(super) fn segment(kind: SegmentKind, calendar: Option<&str>) -> String {
    match (kind, calendar) {
        (SegmentKind::Running, None) => "runs".to_owned(),
        (SegmentKind::Running, Some(name)) => format!("runs: business hours of {name}"),
        (SegmentKind::Closed, name) => {
            format!("outside business hours of {}", name.unwrap_or("(none)"))
        }
        (SegmentKind::Paused(status), _) => paused(status),
        (SegmentKind::Over, _) => "over: does not count".to_owned(),
        (SegmentKind::InHours, name) => format!(
            "runs in the business hours of {}, too many to list",
            name.unwrap_or("(none)")
        ),
    }
}

pub(super) fn paused(status: Status) -> String {
    format!("paused: status {}", status.name())
}
