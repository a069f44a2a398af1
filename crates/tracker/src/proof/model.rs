//! Policies and events as the proofs think of them, all times in whole minutes; written out as files and records for
//! the tracker.

use slawatch_event::{Attribute, DecodeOptions, Encoding, EventType, Status, parse};
use slawatch_policy::{AttributeTo, Metric, OnReopen, PolicySets, ReplyBySolving};

use crate::explain::Explainer;
use crate::tracker::{Applied, Options, Tracker};

pub(super) const MINUTE_MS: i64 = 60_000;
/// Monday, 2025-06-02 00:00 UTC: minute 0 of every proof.
pub(super) const ORIGIN_MS: i64 = 1_748_822_400_000;

pub(super) const VENDORS: [&str; 3] = ["", "acme", "globex"];
pub(super) const QUEUES: [&str; 4] = ["", "calls", "mails", "spam"];
pub(super) const PRIORITIES: [&str; 3] = ["", "low", "high"];
pub(super) const TIERS: [&str; 2] = ["", "gold"];
pub(super) const CATEGORIES: [&str; 3] = ["", "refund", "login"];
pub(super) const STATUSES: [Status; 6] = Status::ALL;

#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    pub(super) default: Option<i64>,
}

#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// Open minutes of a day, half open.
    pub(super) spans: Vec<(i64, i64)>,
    pub(super) on_tuesdays: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) vendors: Option<Vec<&'static str>>,
    pub(super) queues: Option<Vec<&'static str>>,
    pub(super) statuses: Option<Vec<Status>>,
    pub(super) tiers: Option<Vec<&'static str>>,
    pub(super) calendar: Option<Calendar>,
    pub(super) on_reopen: OnReopen,
    pub(super) attribute_to: AttributeTo,
    pub(super) reply_by_solving: ReplyBySolving,
    pub(super) short_abandon: Option<i64>,
    pub(super) warns: bool,
    pub(super) targets: Vec<Option<Target>>,
    pub(super) pauses: Vec<Option<Vec<Status>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Set {
    /// Minutes since the origin; may be negative.
    pub(super) from: i64,
    pub(super) policies: Vec<Policy>,
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) ticket: u8,
    pub(super) id: u32,
    pub(super) at: i64,
    pub(super) sequence: u64,
    pub(super) event_type: EventType,
    pub(super) vendor: Option<&'static str>,
    pub(super) queue: Option<&'static str>,
    pub(super) priority: Option<&'static str>,
    pub(super) status: Option<Status>,
    pub(super) tier: Option<&'static str>,
    pub(super) category: Option<&'static str>,
    pub(super) contact: Option<u8>,
    pub(super) number: u64,
}

/// A log and the policies it is read under.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) sets: Vec<Set>,
    pub(super) events: Vec<Event>,
}

impl Event {
    pub(super) fn at_ms(&self) -> i64 {
        ORIGIN_MS + self.at * MINUTE_MS
    }

    pub(super) fn ticket_id(&self) -> String {
        format!("T{}", self.ticket)
    }

    pub(super) fn contact_id(&self) -> Option<String> {
        self.contact.map(|contact| format!("c{contact}"))
    }

    /// The last key of the order of SEMANTICS 2.
    pub(super) fn order(&self) -> (i64, u64, u8, u64) {
        let key = xxhash_rust::xxh3::xxh3_64(format!("e{}", self.id).as_bytes());
        (self.at, self.sequence, self.event_type.rank(), key)
    }

    fn json(&self) -> String {
        let mut json = format!(
            r#"{{"event_id":"e{}","ticket_id":"{}","type":"{}","occurred_at":{},"sequence":{},"talk_ms":{},"hold_ms":7,"score":{},"score_max":10,"passed":{}"#,
            self.id,
            self.ticket_id(),
            self.event_type.name(),
            self.at_ms(),
            self.sequence,
            self.number,
            self.number % 11,
            self.number.is_multiple_of(2),
        );
        for (name, value) in [
            ("vendor", self.vendor),
            ("queue", self.queue),
            ("priority", self.priority),
            ("status", self.status.map(Status::name)),
            ("category", self.category),
        ] {
            if let Some(value) = value {
                json += &format!(r#","{name}":"{value}""#);
            }
        }
        if let Some(tier) = self.tier {
            json += &format!(r#","labels":{{"tier":"{tier}"}}"#);
        }
        if let Some(contact) = self.contact_id() {
            json += &format!(r#","contact_id":"{contact}""#);
        }
        json + "}"
    }

    /// Has a tracker take it.
    pub(super) fn tell(&self, tracker: &mut Tracker, offset: u64) -> Applied {
        let json = self.json();
        let options = DecodeOptions::default();
        let event = parse(json.as_bytes(), Encoding::Json, &options).unwrap();
        tracker.apply(&event, self.at_ms(), offset)
    }

    /// Has an explainer take it.
    pub(super) fn tell_explainer(&self, explainer: &mut Explainer) -> Applied {
        let json = self.json();
        let options = DecodeOptions::default();
        let event = parse(json.as_bytes(), Encoding::Json, &options).unwrap();
        explainer.tell(&event)
    }
}

impl Case {
    pub(super) fn policies(&self) -> PolicySets {
        let files: Vec<(String, String)> = self
            .sets
            .iter()
            .enumerate()
            .map(|(number, set)| (format!("{number}.toml"), set.toml()))
            .collect();
        PolicySets::parse(&files).unwrap_or_else(|errors| panic!("{errors}"))
    }

    pub(super) fn tracker(&self, options: Options) -> Tracker {
        Tracker::new(self.policies(), options)
    }

    /// Minute after which no event comes.
    pub(super) fn last(&self) -> i64 {
        self.events.iter().map(|event| event.at).max().unwrap_or(0)
    }
}

/// Nothing is forgotten, evicted or waited for.
pub(super) fn plain() -> Options {
    Options {
        allowed_delay_ms: 0,
        forget_after_ms: None,
        pane_horizon_ms: None,
        alert_attributes: vec![Attribute::Category],
    }
}

pub(super) fn minute_ms(minute: i64) -> i64 {
    ORIGIN_MS + minute * MINUTE_MS
}

impl Set {
    fn toml(&self) -> String {
        let from = slawatch_event::format_instant(minute_ms(self.from));
        let mut toml = format!("effective_from = '{from}'\n");
        for (number, policy) in self.policies.iter().enumerate() {
            if let Some(calendar) = &policy.calendar {
                let spans = calendar.spans.iter();
                let spans = spans
                    .map(|(from, to)| format!("'{}-{}'", time(*from), time(*to)))
                    .collect::<Vec<_>>()
                    .join(", ");
                let days = if calendar.on_tuesdays {
                    format!("mon-sun = [{spans}]")
                } else {
                    format!("mon = [{spans}], wed-sun = [{spans}]")
                };
                toml += &format!(
                    "[[calendar]]\nname = 'c{number}'\ntimezone = 'UTC'\nhours = {{ {days} }}\n"
                );
            }
        }
        for (number, policy) in self.policies.iter().enumerate() {
            toml += &policy.toml(number);
        }
        toml
    }
}

fn time(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn list<T: Copy>(values: &[T], name: impl Fn(T) -> &'static str) -> String {
    let quoted = values.iter().map(|value| format!("'{}'", name(*value)));
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

impl Policy {
    fn toml(&self, number: usize) -> String {
        let mut toml = format!("[[policy]]\nname = 'p{number}'\n");
        let mut conditions = Vec::new();
        for (name, values) in [
            ("vendor", &self.vendors),
            ("queue", &self.queues),
            ("'labels.tier'", &self.tiers),
        ] {
            if let Some(values) = values {
                conditions.push(format!("{name} = {}", list(values, |value| value)));
            }
        }
        if let Some(statuses) = &self.statuses {
            conditions.push(format!("status = {}", list(statuses, Status::name)));
        }
        if !conditions.is_empty() {
            toml += &format!("match = {{ {} }}\n", conditions.join(", "));
        }
        if self.calendar.is_some() {
            toml += &format!("calendar = 'c{number}'\n");
        }
        let on_reopen = match self.on_reopen {
            OnReopen::Resume => "resume",
            OnReopen::Restart => "restart",
            OnReopen::Ignore => "ignore",
        };
        let attribute_to = match self.attribute_to {
            AttributeTo::Due => "due",
            AttributeTo::Start => "start",
            AttributeTo::Longest => "longest",
        };
        let reply_by_solving = match self.reply_by_solving {
            ReplyBySolving::Met => "met",
            ReplyBySolving::Cancelled => "cancelled",
        };
        toml += &format!(
            "on_reopen = '{on_reopen}'\nattribute_to = '{attribute_to}'\nreply_by_solving = '{reply_by_solving}'\n"
        );
        if let Some(minutes) = self.short_abandon {
            toml += &format!("short_abandon = '{minutes}m'\n");
        }
        if self.warns {
            toml += "warn_at = [0.5, '2m']\n";
        }
        toml += "[policy.targets]\n";
        for (metric, target) in Metric::ALL.iter().zip(&self.targets) {
            if let Some(target) = target {
                let levels = [
                    ("low", target.low),
                    ("high", target.high),
                    ("default", target.default),
                ]
                .into_iter()
                .filter_map(|(name, minutes)| Some(format!("{name} = '{}m'", minutes?)))
                .collect::<Vec<_>>();
                if !levels.is_empty() {
                    toml += &format!("{metric} = {{ {} }}\n", levels.join(", "));
                }
            }
        }
        toml += "[policy.pause_on]\n";
        for (metric, pauses) in Metric::ALL.iter().zip(&self.pauses) {
            if let Some(statuses) = pauses {
                toml += &format!("{metric} = {}\n", list(statuses, Status::name));
            }
        }
        toml
    }
}
