//! Events as JSON, written straight into bytes.

use super::world::DAY_MS;

/// What a ticket and all its events have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) ticket: u64,
    /// Counts the ticket's events; part of their ids.
    pub(super) sequence: u16,
    pub(super) vendor: &'static str,
    pub(super) queue: &'static str,
}

/// What some events carry beside it; what is absent is not written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Details {
    pub(super) status: Option<&'static str>,
    pub(super) priority: Option<&'static str>,
    pub(super) agent: Option<u16>,
    pub(super) contact: Option<u8>,
    pub(super) creation: Option<Creation>,
    pub(super) handling: Option<Handling>,
    /// Score and its maximum.
    pub(super) score: Option<(u32, u32)>,
    /// Level and reason.
    pub(super) escalation: Option<(&'static str, &'static str)>,
    pub(super) passed: Option<bool>,
    pub(super) into: Option<u64>,
    pub(super) root_cause: Option<&'static str>,
    pub(super) sop: Option<&'static str>,
}

/// What is said once, when a ticket is created.
#[derive(Clone, Copy, Debug)]
pub(super) struct Creation {
    pub(super) channel: &'static str,
    pub(super) category: &'static str,
    pub(super) requester: u32,
    pub(super) region: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Handling {
    pub(super) talk_ms: u32,
    pub(super) hold_ms: u32,
    pub(super) wrap_ms: u32,
}

/// Writes events, and remembers the date of the last one: most fall on the same day.
#[derive(Debug, Default)]
pub(super) struct Writer {
    day: i64,
    date: String,
}

impl Writer {
    /// One event, without a line end.
    pub(super) fn event(
        &mut self,
        kind: &str,
        at_ms: i64,
        subject: &Subject,
        details: &Details,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(320);
        out.extend_from_slice(b"{\"event_id\":\"");
        ticket_id(&mut out, subject.ticket);
        out.push(b'-');
        number(&mut out, u64::from(subject.sequence));
        out.extend_from_slice(b"\",\"ticket_id\":\"");
        ticket_id(&mut out, subject.ticket);
        out.push(b'"');
        text(&mut out, "type", kind);
        out.extend_from_slice(b",\"occurred_at\":\"");
        self.instant(&mut out, at_ms);
        out.extend_from_slice(b"\",\"sequence\":");
        number(&mut out, u64::from(subject.sequence));
        text(&mut out, "vendor", subject.vendor);
        text(&mut out, "queue", subject.queue);
        attributes(&mut out, subject.vendor, details);
        out.push(b'}');
        out
    }

    /// `2026-03-02T08:00:00.123Z`.
    fn instant(&mut self, out: &mut Vec<u8>, at_ms: i64) {
        let day = at_ms.div_euclid(DAY_MS);
        if day != self.day || self.date.is_empty() {
            let (year, month, date) = civil(day);
            self.day = day;
            self.date = format!("{year:04}-{month:02}-{date:02}T");
        }
        out.extend_from_slice(self.date.as_bytes());
        let rest = at_ms.rem_euclid(DAY_MS) as u32;
        for (value, end) in [
            (rest / 3_600_000, b':'),
            (rest / 60_000 % 60, b':'),
            (rest / 1000 % 60, b'.'),
        ] {
            out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8, end]);
        }
        let fraction = rest % 1000;
        let digits = [fraction / 100, fraction / 10 % 10, fraction % 10];
        out.extend(digits.map(|digit| b'0' + digit as u8));
        out.push(b'Z');
    }
}

fn attributes(out: &mut Vec<u8>, vendor: &str, details: &Details) {
    let texts = [
        ("status", details.status),
        ("priority", details.priority),
        ("root_cause", details.root_cause),
        ("sop", details.sop),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            text(out, name, value);
        }
    }
    if let Some(creation) = &details.creation {
        text(out, "channel", creation.channel);
        text(out, "category", creation.category);
        out.extend_from_slice(b",\"requester_id\":\"customer-");
        number(out, u64::from(creation.requester));
        out.extend_from_slice(b"\",\"labels\":{\"region\":\"");
        out.extend_from_slice(creation.region.as_bytes());
        out.extend_from_slice(b"\"}");
    }
    if let Some(agent) = details.agent {
        out.extend_from_slice(b",\"agent_id\":\"");
        out.extend_from_slice(vendor.as_bytes());
        out.push(b'.');
        number(out, u64::from(agent) + 1);
        out.push(b'"');
    }
    if let Some(contact) = details.contact {
        out.extend_from_slice(b",\"contact_id\":\"c");
        number(out, u64::from(contact));
        out.push(b'"');
    }
    if let Some(handling) = &details.handling {
        field(out, "talk_ms", u64::from(handling.talk_ms));
        field(out, "hold_ms", u64::from(handling.hold_ms));
        field(out, "wrap_ms", u64::from(handling.wrap_ms));
    }
    if let Some((score, score_max)) = details.score {
        field(out, "score", u64::from(score));
        field(out, "score_max", u64::from(score_max));
    }
    if let Some((level, reason)) = details.escalation {
        text(out, "level", level);
        text(out, "reason", reason);
    }
    if let Some(passed) = details.passed {
        out.extend_from_slice(if passed {
            b",\"passed\":true"
        } else {
            b",\"passed\":false"
        });
    }
    if let Some(into) = details.into {
        out.extend_from_slice(b",\"into\":\"");
        ticket_id(out, into);
        out.push(b'"');
    }
}

/// `T00000042`: the key of the record.
pub(super) fn ticket_id(out: &mut Vec<u8>, ticket: u64) {
    out.push(b'T');
    let mut digits = [b'0'; 20];
    let start = fill_digits(&mut digits, ticket).min(12);
    out.extend_from_slice(&digits[start..]);
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn field(out: &mut Vec<u8>, name: &str, value: u64) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    number(out, value);
}

fn number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [b'0'; 20];
    let start = fill_digits(&mut digits, value).min(19);
    out.extend_from_slice(&digits[start..]);
}

/// Writes the digits at the end and says where they start.
fn fill_digits(digits: &mut [u8; 20], mut value: u64) -> usize {
    let mut at = digits.len();
    while value > 0 {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar: years start in March, so that
/// the leap day is the last of its year.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_the_time_library() {
        let mut writer = Writer::default();
        for at_ms in [
            0,
            951_782_400_000,
            951_868_799_999,
            1_772_409_600_007,
            4_107_542_399_000,
            1_709_164_800_500,
        ] {
            let mut out = Vec::new();
            writer.instant(&mut out, at_ms);
            let expected = format!(
                "{:.3}",
                jiff::Timestamp::from_millisecond(at_ms).expect("in range")
            );
            assert_eq!(String::from_utf8(out).expect("text"), expected);
        }
    }

    #[test]
    fn an_event_is_json_with_what_it_was_given() {
        let subject = Subject {
            ticket: 42,
            sequence: 3,
            vendor: "globex",
            queue: "orders",
        };
        let details = Details {
            agent: Some(6),
            contact: Some(1),
            handling: Some(Handling {
                talk_ms: 61_000,
                hold_ms: 0,
                wrap_ms: 9,
            }),
            ..Details::default()
        };
        let json = Writer::default().event("handled", 1_772_409_600_007, &subject, &details);
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(
            json,
            serde_json::json!({
                "event_id": "T00000042-3", "ticket_id": "T00000042", "type": "handled",
                "occurred_at": "2026-03-02T00:00:00.007Z", "sequence": 3, "vendor": "globex", "queue": "orders",
                "agent_id": "globex.7", "contact_id": "c1", "talk_ms": 61_000, "hold_ms": 0, "wrap_ms": 9,
            })
        );
    }
}
