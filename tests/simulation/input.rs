//! What sources send during a run, drawn up before it begins, so that a disturbed and a quiet run get the same: the lives
//! of a few tickets, late and repeated events, records that cannot count, and one staged incident.

use serde_json::{Map, Value, json};
use slawatch_stream::faults::Dice;
use xxhash_rust::xxh3::xxh3_64;

use crate::contract::{INCIDENT, STARTED_MS};

/// How many partitions the input has.
pub const SOURCES: u32 = 2;
/// While this lasts the cluster is disturbed; ...
pub const DISTURBED_MS: i64 = 150_000;
/// ... then sources go on for this long, until the episodes of then are looked at.
pub const CALM_MS: i64 = 210_000;
/// What can go wrong with a late event and long targets ends within this.
pub const QUIET_MS: i64 = 600_000;

/// One record.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When it is appended, counted from the start.
    pub at_ms: i64,
    pub partition: u32,
    /// How far its producer's timestamp lies behind.
    pub lag_ms: i64,
    pub value: Vec<u8>,
}

const VENDORS: [&str; 3] = ["acme", "globex", "initech"];
const QUEUES: [&str; 3] = ["refunds", "billing", "calls"];
const PRIORITIES: [&str; 3] = ["urgent", "low", ""];
const STATUSES: [&str; 6] = ["open", "pending", "on_hold", "solved", "closed", "new"];

/// Everything that is sent, in order.
pub fn draw(dice: &mut Dice) -> Vec<Sent> {
    let mut author = Author {
        dice,
        events: 0,
        sent: Vec::new(),
    };
    for number in 0..8 + author.dice.roll(8) {
        author.ticket(&format!("T{number}"));
    }
    author.incident();
    author.senseless();
    let mut sent = author.sent;
    sent.sort_by_key(|record| record.at_ms);
    sent
}

struct Author<'a> {
    dice: &'a mut Dice,
    events: u64,
    sent: Vec<Sent>,
}

impl Author<'_> {
    fn pick(&mut self, words: &[&str]) -> Value {
        json!(words[self.dice.roll(words.len() as u64) as usize])
    }

    fn below(&mut self, sides: u64) -> i64 {
        self.dice.roll(sides) as i64
    }

    fn ticket(&mut self, id: &str) {
        let lasts_ms = DISTURBED_MS + CALM_MS;
        let mut at_ms = self.below((lasts_ms - 60_000).unsigned_abs());
        let mut first = Map::new();
        for (name, words) in [
            ("vendor", &VENDORS),
            ("queue", &QUEUES),
            ("priority", &PRIORITIES),
        ] {
            first.insert(name.into(), self.pick(words));
        }
        self.event(id, "created", at_ms, first);
        for number in 0..2 + self.dice.roll(9) {
            let longest_ms = if self.dice.one_in(3) { 60_000 } else { 15_000 };
            at_ms += 500 + self.below(longest_ms);
            if at_ms >= lasts_ms {
                break;
            }
            self.happening(id, at_ms, number);
        }
    }

    fn happening(&mut self, id: &str, at_ms: i64, number: u64) {
        let mut set = Map::new();
        let kind = match self.dice.roll(24) {
            0..4 => "customer_replied",
            4..8 => "agent_replied",
            8..14 => {
                set.insert("status".into(), self.pick(&STATUSES));
                "updated"
            }
            14 => {
                set.insert("vendor".into(), self.pick(&VENDORS));
                "updated"
            }
            15 => {
                set.insert("queue".into(), self.pick(&QUEUES));
                "updated"
            }
            16 => {
                set.insert("priority".into(), self.pick(&PRIORITIES));
                "updated"
            }
            17 | 18 => return self.contact(id, at_ms, &format!("c{number}")),
            19 => {
                set.insert("talk_ms".into(), json!(self.below(300_000)));
                set.insert("wrap_ms".into(), json!(self.below(30_000)));
                "handled"
            }
            20 => {
                set.insert("score".into(), json!(self.below(6)));
                "rated"
            }
            21 => "escalated",
            22 => {
                set.insert("passed".into(), json!(self.dice.one_in(2)));
                "audited"
            }
            _ => ["merged", "cancelled"][self.dice.roll(2) as usize],
        };
        self.event(id, kind, at_ms, set);
    }

    fn contact(&mut self, id: &str, at_ms: i64, contact: &str) {
        let set = Map::from_iter([("contact_id".to_owned(), json!(contact))]);
        self.event(id, "contact_offered", at_ms, set.clone());
        let wait_ms = self.below(20_000);
        let kind = ["contact_answered", "contact_abandoned"][usize::from(self.dice.one_in(4))];
        if !self.dice.one_in(6) {
            self.event(id, kind, at_ms + wait_ms, set);
        }
    }

    /// From some moment of the disturbance on nearly everybody hangs up, and that goes on.
    fn incident(&mut self) {
        let (vendor, queue) = INCIDENT;
        let mut at_ms = 20_000 + self.below((DISTURBED_MS - 20_000).unsigned_abs());
        let mut number = 0;
        while at_ms < DISTURBED_MS + CALM_MS - 2_000 {
            let id = format!("C{number}");
            let set = json!({"vendor": vendor, "queue": queue, "contact_id": "c"});
            let set = set.as_object().cloned().unwrap_or_default();
            self.event(&id, "contact_offered", at_ms, set.clone());
            self.event(&id, "contact_abandoned", at_ms + 1_500, set);
            at_ms += 6_000 + self.below(6_000);
            number += 1;
        }
    }

    fn event(&mut self, ticket: &str, kind: &str, at_ms: i64, set: Map<String, Value>) {
        let mut event = set;
        event.insert("event_id".into(), json!(format!("e{}", self.events)));
        event.insert("ticket_id".into(), json!(ticket));
        event.insert("type".into(), json!(kind));
        event.insert("occurred_at".into(), json!(STARTED_MS + at_ms));
        self.events += 1;
        let value = Value::Object(event).to_string().into_bytes();
        let delay_ms = match self.dice.roll(40) {
            0 => -self.below(30_000),
            1..6 => self.below(20_000),
            6 | 7 => self.below(120_000),
            _ => self.below(1_500),
        };
        self.send(ticket, at_ms + delay_ms, value.clone());
        if self.dice.one_in(10) {
            let again_ms = self.below(60_000);
            self.send(ticket, at_ms + delay_ms.max(0) + again_ms, value);
        }
    }

    fn send(&mut self, ticket: &str, at_ms: i64, value: Vec<u8>) {
        let most_ms = if self.dice.one_in(5) { 4_000 } else { 200 };
        let lag_ms = self.below(most_ms);
        self.sent.push(Sent {
            // Nothing comes after the sources have ended.
            at_ms: at_ms.clamp(0, DISTURBED_MS + CALM_MS - 1),
            partition: (xxh3_64(ticket.as_bytes()) % u64::from(SOURCES)) as u32,
            lag_ms,
            value,
        });
    }

    /// Records that cannot count, one of each reason that a record alone can have.
    fn senseless(&mut self) {
        let now_ms = STARTED_MS;
        for value in [
            "{\"event_id\": ".to_owned(),
            format!(r#"{{"event_id":"x1","type":"created","occurred_at":{now_ms}}}"#),
            r#"{"event_id":"x2","ticket_id":"T0","type":"created","occurred_at":1.5}"#.to_owned(),
            format!(
                r#"{{"event_id":"x3","ticket_id":"T0","type":"sneezed","occurred_at":{now_ms}}}"#
            ),
            format!(
                r#"{{"event_id":"x4","ticket_id":"T0","type":"updated","status":"?","occurred_at":{now_ms}}}"#
            ),
            format!(
                r#"{{"event_id":"x5","ticket_id":"T0","type":"updated","occurred_at":{}}}"#,
                now_ms + 86_400_000
            ),
        ] {
            let at_ms = self.below((DISTURBED_MS + CALM_MS).unsigned_abs());
            let key = format!("k{}", self.dice.roll(50));
            self.send(&key, at_ms, value.into_bytes());
        }
    }
}
