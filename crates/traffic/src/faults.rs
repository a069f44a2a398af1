//! What goes wrong between the sources and the log: delays, copies and broken records. It reorders arrivals and so holds the
//! records that are under way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::Emission;
use super::chance::{Chance, Quantiles};
use super::truth::Truth;
use super::world::{HOUR_MS, MINUTE_MS};

/// The time that events ordinarily need to reach the log.
const USUAL_DELAY_MS: i64 = 150;
/// What arrives later than this after its event is late.
const LATE_MS: i64 = 2_000;
/// Nothing is later than this.
const MAX_DELAY_MS: i64 = 12 * HOUR_MS;

/// Shares of events that meet a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// Slightly out of order: delayed by less than two seconds.
    pub jittered: f64,
    /// Late: by ten minutes in the middle, by hours at worst.
    pub late: f64,
    /// Sent twice.
    pub duplicated: f64,
    /// Followed by a broken record.
    pub malformed: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            jittered: 0.03,
            late: 0.004,
            duplicated: 0.005,
            malformed: 0.001,
        }
    }
}

impl Faults {
    /// Everything arrives once, whole and in order.
    pub const NONE: Self = Self {
        jittered: 0.0,
        late: 0.0,
        duplicated: 0.0,
        malformed: 0.0,
    };
}

/// Something that happened, on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) at_ms: i64,
    /// What it has to wait for.
    pub(super) held_until_ms: Option<i64>,
}

/// What kind of record one is, for the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Event { kind: &'static str, late: bool },
    Duplicate,
    Malformed(&'static str),
}

/// A delayed record; ordered by arrival, then by the order in which they were sent.
#[derive(Debug)]
struct Delayed {
    order: u64,
    emission: Emission,
    class: Class,
}

impl Delayed {
    const fn key(&self) -> (i64, u64) {
        (self.emission.timestamp_ms, self.order)
    }
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Delayed {}
impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// The way from the sources to the log.
#[derive(Debug)]
pub(super) struct Channel {
    faults: Faults,
    chance: Chance,
    end_ms: i64,
    sent: u64,
    /// In order of arrival, as they were sent.
    prompt: VecDeque<(Emission, Class)>,
    delayed: BinaryHeap<Reverse<Delayed>>,
}

impl Channel {
    pub(super) const fn new(faults: Faults, chance: Chance, end_ms: i64) -> Self {
        Self {
            faults,
            chance,
            end_ms,
            sent: 0,
            prompt: VecDeque::new(),
            delayed: BinaryHeap::new(),
        }
    }

    /// Sends an event whose instant never goes back between calls.
    pub(super) fn send(
        &mut self,
        quantiles: &Quantiles,
        event: Event,
        ticket_id: String,
        json: Vec<u8>,
    ) {
        let Event {
            kind,
            at_ms,
            held_until_ms,
        } = event;
        // One draw decides: most events meet no fault at all.
        let draw = self.chance.share();
        let arrival = at_ms + USUAL_DELAY_MS;
        let emission = Emission {
            timestamp_ms: arrival,
            ticket_id,
            json,
        };
        let class = Class::Event { kind, late: false };
        if let Some(held_until_ms) = held_until_ms {
            let late = held_until_ms > at_ms + LATE_MS;
            let arrival = arrival.max(held_until_ms + USUAL_DELAY_MS);
            self.delay(emission, arrival, Class::Event { kind, late });
            return;
        }
        let Faults {
            jittered,
            late,
            duplicated,
            malformed,
        } = self.faults;
        let mut bound = malformed;
        if draw < bound {
            let (reason, json) = self.broken(&emission.json);
            let broken = Emission {
                timestamp_ms: arrival,
                ticket_id: emission.ticket_id.clone(),
                json,
            };
            self.prompt.push_back((emission, class));
            self.prompt.push_back((broken, Class::Malformed(reason)));
            return;
        }
        bound += duplicated;
        if draw < bound {
            let again = arrival + i64::from(self.chance.below(MINUTE_MS as u32));
            self.delay(emission.clone(), again, Class::Duplicate);
            self.prompt.push_back((emission, class));
            return;
        }
        bound += late;
        if draw < bound {
            let delay = quantiles.log_normal(&mut self.chance, 10.0 * MINUTE_MS as f64, 1.3) as i64;
            self.delay(
                emission,
                at_ms + delay.clamp(LATE_MS + 1, MAX_DELAY_MS),
                Class::Event { kind, late: true },
            );
            return;
        }
        bound += jittered;
        if draw < bound {
            let delay = i64::from(self.chance.below((LATE_MS - USUAL_DELAY_MS) as u32));
            self.delay(emission, arrival + delay, class);
            return;
        }
        self.prompt.push_back((emission, class));
    }

    fn delay(&mut self, mut emission: Emission, arrival: i64, class: Class) {
        emission.timestamp_ms = arrival;
        self.sent += 1;
        self.delayed.push(Reverse(Delayed {
            order: self.sent,
            emission,
            class,
        }));
    }

    /// The next record to reach the log, if nothing that happens from `now_ms` on can come before it.
    pub(super) fn next(&mut self, now_ms: i64, truth: &mut Truth) -> Option<Emission> {
        let prompt = self
            .prompt
            .front()
            .map(|(emission, _)| emission.timestamp_ms);
        let delayed = self
            .delayed
            .peek()
            .map(|Reverse(delayed)| delayed.emission.timestamp_ms);
        let take_delayed = match (prompt, delayed) {
            (None, None) => return None,
            (Some(_), None) => false,
            (None, Some(delayed)) => {
                if delayed >= now_ms.saturating_add(USUAL_DELAY_MS) {
                    return None;
                }
                true
            }
            (Some(prompt), Some(delayed)) => delayed < prompt,
        };
        let (emission, class) = if take_delayed {
            self.delayed
                .pop()
                .map(|Reverse(delayed)| (delayed.emission, delayed.class))?
        } else {
            self.prompt.pop_front()?
        };
        // All that is left arrives after the end.
        if emission.timestamp_ms > self.end_ms {
            self.prompt.clear();
            self.delayed.clear();
            return None;
        }
        truth.records += 1;
        match class {
            Class::Event { kind, late } => {
                *truth.events.entry(kind).or_default() += 1;
                truth.late += u64::from(late);
            }
            Class::Duplicate => truth.duplicates += 1,
            Class::Malformed(reason) => *truth.malformed.entry(reason).or_default() += 1,
        }
        Some(emission)
    }

    /// A record that cannot count, made from a good one; with the reason for which it cannot.
    fn broken(&mut self, json: &[u8]) -> (&'static str, Vec<u8>) {
        let text = String::from_utf8_lossy(json);
        // An id of its own: it is not the event it was made from.
        let text = text.replacen("{\"event_id\":\"", "{\"event_id\":\"x", 1);
        let (reason, broken) = match self.chance.below(6) {
            0 => ("bad_json", text[..text.len() * 2 / 3].to_owned()),
            1 => (
                "missing_field",
                text.replacen("\"occurred_at\"", "\"happened_at\"", 1),
            ),
            // An instant without an offset.
            2 => (
                "bad_field",
                text.replacen("Z\",\"sequence\"", "\",\"sequence\"", 1),
            ),
            3 => ("unknown_type", replaced_value(&text, "type", "teleported")),
            4 => (
                "unknown_status",
                format!(
                    "{},\"status\":\"limbo\"}}",
                    text.strip_suffix('}').unwrap_or(&text)
                ),
            ),
            // Beyond the clock of every reader, one that replays the records later included.
            _ => (
                "future_event",
                replaced_value(&text, "occurred_at", "9990-01-01T00:00:00.000Z"),
            ),
        };
        (reason, broken.into_bytes())
    }
}

/// The text with another string as the value of a key.
fn replaced_value(text: &str, key: &str, value: &str) -> String {
    let marker = format!("\"{key}\":\"");
    match text
        .split_once(&marker)
        .and_then(|(head, rest)| Some((head, rest.split_once('"')?.1)))
    {
        Some((head, tail)) => format!("{head}{marker}{value}\"{tail}"),
        None => text.to_owned(),
    }
}
