//! The keys of a policy file: the one table that both the checker and the JSON Schema are made from.

use slawatch_event::Status;

use crate::Metric;
use crate::policy::{AttributeTo, Choice, OnReopen, ReplyBySolving};

/// A key that a table may have.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    /// What it is for, as editors show it.
    pub(crate) about: &'static str,
}

/// What may stand behind a key.
#[derive(Debug)]
pub(crate) enum Kind {
    Leaf(Leaf),
    /// A list of values of one kind.
    List(&'static Kind),
    /// A table with keys of its own, under a header.
    Tables(&'static Table),
    /// A table whose keys are names of a sort.
    Map(Names, &'static Kind),
    /// The first where a plain value stands, the second where a table does.
    Either(&'static Kind, &'static Kind),
}

/// A table with fixed keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// As people write it.
    pub(crate) header: &'static str,
    pub(crate) keys: &'static [Key],
}

/// A plain value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf {
    Instant,
    Name,
    CalendarName,
    TimeZone,
    Duration,
    /// More than nothing.
    Target,
    Date,
    Span,
    OneOf(fn() -> Vec<&'static str>),
    WarnLevel,
    Glob,
}

/// What the keys of a [`Kind::Map`] are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Names {
    Weekdays,
    Dates,
    Attributes,
    Metrics,
    Priorities,
}

pub(crate) const FILE: Table = Table {
    header: "the file",
    keys: &[
        required(
            "effective_from",
            Kind::Leaf(Leaf::Instant),
            "Cycles that start from this instant on follow this file.",
        ),
        optional(
            "calendar",
            Kind::Tables(&CALENDAR),
            "Business hours that policies refer to by name.",
        ),
        optional(
            "policy",
            Kind::Tables(&POLICY),
            "The first policy whose match holds applies as a whole.",
        ),
    ],
};

pub(crate) const CALENDAR: Table = Table {
    header: "[[calendar]]",
    keys: &[
        required("name", Kind::Leaf(Leaf::Name), "What policies call it."),
        required(
            "timezone",
            Kind::Leaf(Leaf::TimeZone),
            "The IANA time zone of its hours and dates.",
        ),
        optional(
            "hours",
            Kind::Map(Names::Weekdays, &Kind::List(&Kind::Leaf(Leaf::Span))),
            "Open spans per weekday; a weekday not named is closed.",
        ),
        optional(
            "holidays",
            Kind::List(&Kind::Leaf(Leaf::Date)),
            "Dates that are closed.",
        ),
        optional(
            "special",
            Kind::Map(Names::Dates, &Kind::List(&Kind::Leaf(Leaf::Span))),
            "Dates with spans of their own; they go before holidays.",
        ),
    ],
};

pub(crate) const POLICY: Table = Table {
    header: "[[policy]]",
    keys: &[
        required(
            "name",
            Kind::Leaf(Leaf::Name),
            "What outcomes and alerts call it.",
        ),
        optional(
            "match",
            Kind::Map(Names::Attributes, &Kind::List(&Kind::Leaf(Leaf::Glob))),
            "Per attribute a list of patterns, of which one must match; * is any text. Without it the policy applies to all.",
        ),
        optional(
            "calendar",
            Kind::Leaf(Leaf::CalendarName),
            "The business hours of its clocks; without one they always run.",
        ),
        optional(
            "on_reopen",
            Kind::Leaf(Leaf::OneOf(names::<OnReopen>)),
            "What a reopen does to clocks that stopped (resume).",
        ),
        optional(
            "attribute_to",
            Kind::Leaf(Leaf::OneOf(names::<AttributeTo>)),
            "Which owner a decision belongs to (due).",
        ),
        optional(
            "reply_by_solving",
            Kind::Leaf(Leaf::OneOf(names::<ReplyBySolving>)),
            "What solving without a reply means for clocks that wait for one (met).",
        ),
        optional(
            "short_abandon",
            Kind::Leaf(Leaf::Duration),
            "Contacts abandoned within this are short abandons (5s).",
        ),
        optional(
            "warn_at",
            Kind::List(&Kind::Leaf(Leaf::WarnLevel)),
            "When to warn: fractions of the target such as 0.8, or business time left such as \"15m\".",
        ),
        optional(
            "targets",
            Kind::Map(
                Names::Metrics,
                &Kind::Either(
                    &Kind::Leaf(Leaf::Target),
                    &Kind::Map(Names::Priorities, &Kind::Leaf(Leaf::Target)),
                ),
            ),
            "What each metric is to take: one duration, or one per priority with an optional default.",
        ),
        optional(
            "pause_on",
            Kind::Map(
                Names::Metrics,
                &Kind::List(&Kind::Leaf(Leaf::OneOf(statuses))),
            ),
            "Statuses in which a metric's clock stands still.",
        ),
    ],
};

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        required: true,
        kind,
        about,
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        required: false,
        kind,
        about,
    }
}

fn names<C: Choice>() -> Vec<&'static str> {
    C::ALL.iter().map(|(name, _)| *name).collect()
}

fn statuses() -> Vec<&'static str> {
    Status::ALL.into_iter().map(Status::name).collect()
}

pub(crate) fn metrics() -> Vec<&'static str> {
    Metric::ALL.into_iter().map(Metric::name).collect()
}

impl Table {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

impl Kind {
    /// What belongs there, and an example of it.
    pub(crate) fn expected(&self) -> (&'static str, &'static str) {
        match self {
            Self::Leaf(leaf) => leaf.expected(),
            Self::List(Self::Leaf(leaf)) => leaf.expected_list(),
            Self::List(of) => of.expected(),
            Self::Tables(table) => ("a table under its own header", table.header),
            Self::Map(names, _) => match names {
                Names::Weekdays => ("a table of weekdays", "{ mon-fri = [\"09:00-17:00\"] }"),
                Names::Dates => ("a table of dates", "{ \"2026-12-24\" = [\"09:00-12:00\"] }"),
                Names::Attributes => ("a table of attributes", "{ vendor = [\"acme*\"] }"),
                Names::Metrics => ("a table of metrics", "{ resolution = … }"),
                Names::Priorities => (
                    "a table of priorities",
                    "{ urgent = \"1h\", default = \"4h\" }",
                ),
            },
            Self::Either(..) => (
                "a duration, or a table of one per priority",
                "\"4h\" or { urgent = \"1h\", default = \"4h\" }",
            ),
        }
    }
}

impl Leaf {
    fn expected_list(self) -> (&'static str, &'static str) {
        match self {
            Self::Span => ("a list of spans", "[\"09:00-13:00\", \"14:00-18:00\"]"),
            Self::Date => ("a list of dates", "[\"2026-12-25\"]"),
            Self::OneOf(_) => ("a list of statuses", "[\"pending\", \"on_hold\"]"),
            Self::WarnLevel => ("a list of levels", "[0.8, \"15m\"]"),
            Self::Glob => ("a list of patterns", "[\"acme*\"]"),
            Self::Instant
            | Self::Name
            | Self::CalendarName
            | Self::TimeZone
            | Self::Duration
            | Self::Target => ("a list", "[ … ]"),
        }
    }

    fn expected(self) -> (&'static str, &'static str) {
        match self {
            Self::Instant => ("an instant with its offset", "\"2026-01-01T00:00:00Z\""),
            Self::Name => ("a name", "\"rest\""),
            Self::CalendarName => ("the name of a calendar", "\"manila\""),
            Self::TimeZone => ("an IANA time zone", "\"Asia/Manila\""),
            Self::Duration | Self::Target => ("a duration", "\"1h30m\""),
            Self::Date => ("a date", "\"2026-12-25\""),
            Self::Span => ("a span", "\"09:00-17:00\""),
            Self::OneOf(_) => ("one of a few words", "one of them in quotes"),
            Self::WarnLevel => ("a fraction of the target or a time left", "0.8 or \"15m\""),
            Self::Glob => ("a pattern", "\"acme*\""),
        }
    }
}
