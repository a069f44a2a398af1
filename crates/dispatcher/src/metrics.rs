//! Every metric of the dispatcher, declared once.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// A metric's name and what it tells.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name at `/metrics`.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// What it tells, its labels, and when to worry.
    pub help: &'static str,
}

/// What can be done with a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// Alert transitions read.
pub const TRANSITIONS: Metric = Metric {
    name: "slawatch_dispatcher_transitions_total",
    kind: Kind::Counter,
    help: "Alert transitions read, by outcome: applied, or repeated (known already).",
};
/// Batches of replaced evaluators.
pub const FENCED_BATCHES: Metric = Metric {
    name: "slawatch_dispatcher_fenced_batches_total",
    kind: Kind::Counter,
    help: "Alert batches dropped because a newer evaluator owns their source. Alert if it goes on growing: two \
           evaluators believe that they own one partition.",
};
/// Records that are none.
pub const UNREADABLE: Metric = Metric {
    name: "slawatch_dispatcher_unreadable_records_total",
    kind: Kind::Counter,
    help: "Records of slawatch.alerts or slawatch.notifications that could not be decoded, by topic. Alert on any: \
           something else writes there.",
};
/// What was recorded.
pub const NOTIFICATIONS: Metric = Metric {
    name: "slawatch_notifications_total",
    kind: Kind::Counter,
    help: "Notifications recorded, by receiver and state (intent, sent, rejected, suppressed).",
};
/// What was not told, and why.
pub const SUPPRESSED: Metric = Metric {
    name: "slawatch_notifications_suppressed_total",
    kind: Kind::Counter,
    help: "Notifications recorded as not sent, by receiver and reason: superseded, missed (over before it was told), \
           stale, lost (gone from slawatch.alerts), silenced, maintenance, inhibited, limited (over max_per_hour; alert \
           SlawatchPagesHeldBack).",
};
/// Later steps taken.
pub const STEPS: Metric = Metric {
    name: "slawatch_escalation_steps_total",
    kind: Kind::Counter,
    help: "Times that a receiver was told of an alert by a step of an escalation, by receiver and step (from 1).",
};
/// Pages that stand for many.
pub const SUMMARIES: Metric = Metric {
    name: "slawatch_summary_pages_total",
    kind: Kind::Counter,
    help: "Pages that sum up what max_per_hour kept from a receiver, by receiver.",
};
/// Requests made.
pub const REQUESTS: Metric = Metric {
    name: "slawatch_receiver_requests_total",
    kind: Kind::Counter,
    help: "Requests to a receiver, by receiver and answer: taken, trouble, split (of several alerts, and refused: made \
           again in smaller ones), refused (of one alert; alert SlawatchReceiverRejects).",
};
/// Refusals.
pub const REJECTED: Metric = Metric {
    name: "slawatch_receiver_rejected_total",
    kind: Kind::Counter,
    help: "Notifications that a receiver refused for good (4xx), by receiver. Alert on any: somebody was not told, and \
           slawatch.notifications has the receiver's answer.",
};
/// Verdicts known too late.
pub const STALE: Metric = Metric {
    name: "slawatch_stale_verdicts_total",
    kind: Kind::Counter,
    help: "Verdicts of tickets that a receiver was not told, since they became known more than stale_after past their \
           due, by receiver (alert SlawatchVerdictsNotTold).",
};
/// States waiting.
pub const OUTSTANDING: Metric = Metric {
    name: "slawatch_receiver_outstanding",
    kind: Kind::Gauge,
    help: "States that a receiver has still to be told, by receiver. Alert if above 0 for minutes: it is down or slow.",
};
/// Failures in a row.
pub const FAILURES: Metric = Metric {
    name: "slawatch_receiver_failures_in_a_row",
    kind: Kind::Gauge,
    help: "Requests to a receiver that failed since the last one that did not, by receiver. Alert if above 3.",
};
/// How late a receiver is told.
pub const DELAY: Metric = Metric {
    name: "slawatch_receiver_delay_seconds",
    kind: Kind::Histogram,
    help: "From the transition (of a ticket alert: from its due) to the receiver's answer, by receiver.",
};

/// Watchdog messages.
pub const WATCHDOG: Metric = Metric {
    name: "slawatch_watchdog_total",
    kind: Kind::Counter,
    help: "Watchdog messages, by receiver and outcome: sent, failed, or held_back, since a partition of this process has not \
           caught up or its owner gives no sign of life. Their absence at the receiver is the alert.",
};

/// The bounds of [`DELAY`]'s buckets, in seconds: fine where people still wait for a page, coarse where it is late.
pub const DELAY_BUCKETS: [f64; 14] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 86_400.0,
];

/// All of them.
pub const ALL: [Metric; 14] = [
    TRANSITIONS,
    FENCED_BATCHES,
    UNREADABLE,
    NOTIFICATIONS,
    SUPPRESSED,
    STEPS,
    SUMMARIES,
    REQUESTS,
    REJECTED,
    STALE,
    OUTSTANDING,
    FAILURES,
    DELAY,
    WATCHDOG,
];

/// Gives the recorder the help texts; called once, after it is installed.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_helped() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let Metric { name, kind, help } = metric;
            assert!(
                name.starts_with("slawatch_") && help.ends_with('.'),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        }
        assert!(DELAY_BUCKETS.is_sorted());
    }
}
