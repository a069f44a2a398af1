//! Metrics of the tracker role, each declared once with its help text.

use std::sync::LazyLock;

use metrics::{Counter, counter, describe_counter};
use slawatch_event::Reason;

const EVENTS: &str = "slawatch_events_total";
const DEAD_LETTERS: &str = "slawatch_dead_letters_total";

/// Events that count.
pub(crate) static EVENTS_COUNTED: LazyLock<Counter> = LazyLock::new(|| events("counted"));
/// Further copies of events that count.
pub(crate) static EVENTS_DUPLICATE: LazyLock<Counter> = LazyLock::new(|| events("duplicate"));
/// Copies that say something else.
pub(crate) static EVENTS_CONFLICTING: LazyLock<Counter> = LazyLock::new(|| events("conflicting"));

fn events(result: &'static str) -> Counter {
    counter!(EVENTS, "result" => result)
}

/// Tells the recorder what the metrics mean.
pub fn describe() {
    describe_counter!(
        EVENTS,
        "Accepted events by result: counted, duplicate, or conflicting (a copy of an id that says something else: an error of the source)"
    );
    describe_counter!(
        DEAD_LETTERS,
        "Records that cannot count, by reason (alert SlawatchDeadLetters)"
    );
}

/// Counts one record that cannot count.
pub(crate) fn dead_letter(reason: Reason) {
    counter!(DEAD_LETTERS, "reason" => reason.name()).increment(1);
}
