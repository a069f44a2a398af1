//! Metrics of the tracker and evaluator roles, each declared once with its help text.

use std::sync::LazyLock;

use metrics::{Counter, counter, describe_counter};
use slawatch_event::Reason;
use slawatch_wire::v1::AlertState;

const EVENTS: &str = "slawatch_events_total";
const DEAD_LETTERS: &str = "slawatch_dead_letters_total";
const ALERT_TRANSITIONS: &str = "slawatch_alert_transitions_total";
const UNREADABLE: &str = "slawatch_unreadable_signals_total";

/// Events that count.
pub(crate) static EVENTS_COUNTED: LazyLock<Counter> = LazyLock::new(|| events("counted"));
/// Further copies of events that count.
pub(crate) static EVENTS_DUPLICATE: LazyLock<Counter> = LazyLock::new(|| events("duplicate"));
/// Copies that say something else.
pub(crate) static EVENTS_CONFLICTING: LazyLock<Counter> = LazyLock::new(|| events("conflicting"));
/// Records on the signals topic that are no signals.
pub(crate) static UNREADABLE_SIGNALS: LazyLock<Counter> = LazyLock::new(|| counter!(UNREADABLE));

fn events(result: &'static str) -> Counter {
    counter!(EVENTS, "result" => result)
}

/// Tells the recorder what the metrics mean.
pub fn describe() {
    crate::roles::evaluator::metrics::describe();
    describe_counter!(
        EVENTS,
        "Accepted events by result: counted, duplicate, or conflicting (a copy of an id that says something else: an error of the source)"
    );
    describe_counter!(
        DEAD_LETTERS,
        "Records that cannot count, by reason (alert SlawatchDeadLetters)"
    );
    describe_counter!(
        ALERT_TRANSITIONS,
        "Transitions of alerts by the state they reached"
    );
    describe_counter!(
        UNREADABLE,
        "Records on the signals topic that slawatch did not write"
    );
}

/// Counts one record that cannot count.
pub(crate) fn dead_letter(reason: Reason) {
    counter!(DEAD_LETTERS, "reason" => reason.name()).increment(1);
}

/// Counts one transition of an alert.
pub(crate) fn transition(state: AlertState) {
    let state = match state {
        AlertState::Unspecified => "unspecified",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
        AlertState::Retracted => "retracted",
        AlertState::Expired => "expired",
        AlertState::Acknowledged => "acknowledged",
    };
    counter!(ALERT_TRANSITIONS, "state" => state).increment(1);
}
