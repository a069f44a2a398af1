//! Which tables there are and what the loader writes into them: column names and types as ClickHouse spells them.
//!
//! The same list heads every batch (`RowBinaryWithNamesAndTypes`), so the server itself checks that it means the same
//! by a column as the loader does. What the columns mean is documented in `migrations/`.

use std::fmt;

/// A table that the loader writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Every accepted event.
    TicketEvents,
    /// Measures per minute and owner.
    Panes,
    /// One row per SLA clock cycle.
    Outcomes,
    /// Open tickets and running clocks.
    Gauges,
    /// Transitions of alerts.
    Alerts,
    /// What was sent to whom.
    Notifications,
    /// What people did.
    Actions,
    /// Records that cannot count.
    DeadLetters,
}

impl Table {
    /// Every table; a table's discriminant is its place here.
    pub const ALL: [Self; 8] = [
        Self::TicketEvents,
        Self::Panes,
        Self::Outcomes,
        Self::Gauges,
        Self::Alerts,
        Self::Notifications,
        Self::Actions,
        Self::DeadLetters,
    ];

    /// Its name in ClickHouse.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TicketEvents => "ticket_events",
            Self::Panes => "panes",
            Self::Outcomes => "outcomes",
            Self::Gauges => "gauges",
            Self::Alerts => "alerts",
            Self::Notifications => "notifications",
            Self::Actions => "actions",
            Self::DeadLetters => "dead_letters",
        }
    }

    /// Names and types of its columns, in the order in which rows are written.
    pub const fn columns(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::TicketEvents => TICKET_EVENTS,
            Self::Panes => PANES,
            Self::Outcomes => OUTCOMES,
            Self::Gauges => GAUGES,
            Self::Alerts => ALERTS,
            Self::Notifications => NOTIFICATIONS,
            Self::Actions => ACTIONS,
            Self::DeadLetters => DEAD_LETTERS,
        }
    }

    /// Columns that identify a row: what ClickHouse replaces rows by, and what the model of it does too.
    pub const fn key(self) -> &'static [&'static str] {
        match self {
            Self::TicketEvents => &[
                "ticket_id",
                "occurred_at",
                "generation",
                "partition",
                "offset",
            ],
            Self::Panes => &["generation", "vendor", "queue", "pane", "source", "part"],
            Self::Outcomes => &["generation", "ticket_id", "metric", "cycle"],
            Self::Gauges => &["generation", "vendor", "queue", "source", "minute"],
            Self::Alerts => &["alert_key", "at", "revision"],
            Self::Notifications => &[
                "alert_key",
                "incident",
                "receiver",
                "revision",
                "alert_state",
                "state",
                "step",
            ],
            Self::Actions => &["at", "action_id"],
            Self::DeadLetters => &["topic", "generation", "partition", "offset"],
        }
    }

    /// The expression that its TTL counts from. It never decreases between the versions of a row, or an expired new
    /// row would bring the old one back.
    pub(crate) const fn ttl_from(self) -> &'static str {
        match self {
            Self::TicketEvents | Self::DeadLetters => "toDateTime(record_at)",
            Self::Panes => "toDateTime(pane)",
            Self::Outcomes => "toDateTime(changed_at)",
            Self::Gauges => "toDateTime(minute)",
            Self::Alerts | Self::Notifications | Self::Actions => "toDateTime(at)",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const INSTANT: &str = "DateTime64(3, 'UTC')";
const OPTIONAL_INSTANT: &str = "Nullable(DateTime64(3, 'UTC'))";
const WORD: &str = "LowCardinality(String)";
const OPTIONAL_WORD: &str = "LowCardinality(Nullable(String))";
const OPTIONAL_TEXT: &str = "Nullable(String)";
const TEXTS: &str = "Map(LowCardinality(String), String)";
const HISTOGRAM: &str = "Map(UInt16, Int64)";

const TICKET_EVENTS: &[(&str, &str)] = &[
    ("generation", "UInt32"),
    ("partition", "UInt32"),
    ("offset", "Int64"),
    ("record_at", INSTANT),
    ("event_id", "String"),
    ("ticket_id", "String"),
    ("type", WORD),
    ("occurred_at", INSTANT),
    ("sequence", "UInt64"),
    ("vendor", OPTIONAL_WORD),
    ("queue", OPTIONAL_WORD),
    ("priority", OPTIONAL_WORD),
    ("status", OPTIONAL_WORD),
    ("channel", OPTIONAL_WORD),
    ("category", OPTIONAL_WORD),
    ("agent_id", OPTIONAL_TEXT),
    ("requester_id", OPTIONAL_TEXT),
    ("root_cause", OPTIONAL_WORD),
    ("sop", OPTIONAL_WORD),
    ("labels", TEXTS),
    ("contact_id", OPTIONAL_TEXT),
    ("talk_ms", "UInt64"),
    ("hold_ms", "UInt64"),
    ("wrap_ms", "UInt64"),
    ("score", OPTIONAL_TEXT),
    ("score_max", OPTIONAL_TEXT),
    ("satisfied", "Nullable(Bool)"),
    ("level", OPTIONAL_WORD),
    ("reason", OPTIONAL_TEXT),
    ("passed", "Nullable(Bool)"),
    ("merged_into", OPTIONAL_TEXT),
];

const PANES: &[(&str, &str)] = &[
    ("generation", "UInt32"),
    ("vendor", WORD),
    ("queue", WORD),
    ("pane", INSTANT),
    ("source", "UInt32"),
    ("part", "UInt64"),
    ("created", "Int64"),
    ("entered", "Int64"),
    ("left", "Int64"),
    ("solved", "Int64"),
    ("reopened", "Int64"),
    ("escalated", "Int64"),
    ("offered", "Int64"),
    ("answered", "Int64"),
    ("abandoned", "Int64"),
    ("flowed_out", "Int64"),
    ("answered_in_target", "Int64"),
    ("abandoned_in_target", "Int64"),
    ("short_abandoned", "Int64"),
    ("wait_ms", "Int64"),
    ("handled", "Int64"),
    ("talk_ms", "Int64"),
    ("hold_ms", "Int64"),
    ("wrap_ms", "Int64"),
    ("ratings", "Int64"),
    ("satisfied", "Int64"),
    ("audits", "Int64"),
    ("audits_passed", "Int64"),
    ("met_first_reply", "Int64"),
    ("breached_first_reply", "Int64"),
    ("met_next_reply", "Int64"),
    ("breached_next_reply", "Int64"),
    ("met_periodic_update", "Int64"),
    ("breached_periodic_update", "Int64"),
    ("met_requester_wait", "Int64"),
    ("breached_requester_wait", "Int64"),
    ("met_agent_work", "Int64"),
    ("breached_agent_work", "Int64"),
    ("met_resolution", "Int64"),
    ("breached_resolution", "Int64"),
    ("met_answer", "Int64"),
    ("breached_answer", "Int64"),
    ("wait_histogram", HISTOGRAM),
    ("handle_histogram", HISTOGRAM),
    ("version", "UInt64"),
];

const OUTCOMES: &[(&str, &str)] = &[
    ("generation", "UInt32"),
    ("ticket_id", "String"),
    ("metric", WORD),
    ("cycle", "UInt32"),
    ("contact_id", OPTIONAL_TEXT),
    ("policy_set", OPTIONAL_INSTANT),
    ("policy", OPTIONAL_WORD),
    ("target_ms", "Nullable(Int64)"),
    ("vendor", WORD),
    ("queue", WORD),
    ("priority", WORD),
    ("started_at", INSTANT),
    ("due_at", OPTIONAL_INSTANT),
    ("state", WORD),
    ("decided_at", OPTIONAL_INSTANT),
    ("breached_at", OPTIONAL_INSTANT),
    ("stopped_at", OPTIONAL_INSTANT),
    ("elapsed_ms", "Nullable(Int64)"),
    (
        "shares",
        "Array(Tuple(vendor LowCardinality(String), queue LowCardinality(String), ms Int64))",
    ),
    ("has_shares", "Bool"),
    ("changed_at", INSTANT),
    ("source", "UInt32"),
    ("version", "UInt64"),
    ("is_deleted", "UInt8"),
];

const GAUGES: &[(&str, &str)] = &[
    ("generation", "UInt32"),
    ("vendor", WORD),
    ("queue", WORD),
    ("minute", INSTANT),
    ("source", "UInt32"),
    ("open_tickets", "Int64"),
    ("oldest_created_at", OPTIONAL_INSTANT),
    ("running_first_reply", "Int64"),
    ("running_next_reply", "Int64"),
    ("running_periodic_update", "Int64"),
    ("running_requester_wait", "Int64"),
    ("running_agent_work", "Int64"),
    ("running_resolution", "Int64"),
    ("running_answer", "Int64"),
    ("version", "UInt64"),
];

const ALERTS: &[(&str, &str)] = &[
    ("alert_key", "String"),
    ("at", INSTANT),
    ("revision", "UInt64"),
    ("state", WORD),
    ("incident", "String"),
    ("rule", WORD),
    ("kind", WORD),
    ("severity", WORD),
    ("vendor", WORD),
    ("queue", WORD),
    ("ticket_id", "String"),
    ("fired_at", OPTIONAL_INSTANT),
    ("due_at", INSTANT),
    ("summary", "String"),
    ("reason", "String"),
    ("evidence", "Map(LowCardinality(String), Float64)"),
    (
        "worst_tickets",
        "Array(Tuple(ticket_id String, metric LowCardinality(String), due_at Nullable(DateTime64(3, 'UTC')), elapsed_ms \
         Nullable(Int64), target_ms Nullable(Int64)))",
    ),
    (
        "contributions",
        "Array(Tuple(attribute LowCardinality(String), value String, tickets Int64))",
    ),
    ("labels", TEXTS),
    ("runbook_url", "String"),
    ("author", WORD),
    ("timezone", WORD),
    ("source", "UInt32"),
    ("version", "UInt64"),
];

const NOTIFICATIONS: &[(&str, &str)] = &[
    ("alert_key", "String"),
    ("incident", "String"),
    ("receiver", WORD),
    ("revision", "UInt64"),
    ("alert_state", WORD),
    ("state", WORD),
    ("at", INSTANT),
    ("attempts", "UInt32"),
    ("detail", "String"),
    ("vendor", WORD),
    ("queue", WORD),
    ("reference", "String"),
    ("step", "UInt32"),
    ("source", "UInt32"),
    ("version", "UInt64"),
];

const ACTIONS: &[(&str, &str)] = &[
    ("action_id", "String"),
    ("at", INSTANT),
    ("kind", WORD),
    ("author", WORD),
    ("reason", "String"),
    ("alert_key", "String"),
    ("vendor", WORD),
    ("queue", WORD),
    ("rule", WORD),
    ("starts", OPTIONAL_INSTANT),
    ("until", OPTIONAL_INSTANT),
    ("incident", "String"),
    ("silence_id", "String"),
    ("ticket_id", "String"),
];

const DEAD_LETTERS: &[(&str, &str)] = &[
    ("topic", WORD),
    ("generation", "UInt32"),
    ("partition", "UInt32"),
    ("offset", "Int64"),
    ("record_at", INSTANT),
    ("reason", WORD),
    ("detail", "String"),
    ("payload", "String"),
    ("payload_bytes", "UInt64"),
    ("payload_hash", "UInt64"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_in_the_order_of_their_discriminants_and_keys_are_columns() {
        for (place, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table as usize, place);
            for key in table.key() {
                assert!(
                    table.columns().iter().any(|(name, _)| name == key),
                    "{table}.{key}"
                );
            }
        }
    }
}
