//! What can be asked for, and what becomes of it: an action, or every mistake in it.

use serde::Deserialize;
use slawatch_wire::v1::{Action, ActionKind};

use super::{Mistakes, Moment, SILENCE_MOST_MS};

/// Who asks, under which id, and when.
#[derive(Clone, Debug)]
pub struct Who {
    /// The person.
    pub author: String,
    /// The same id again is the same action.
    pub action_id: String,
    /// Now.
    pub at_ms: i64,
}

const REASON: usize = 1_000;
const NAME: usize = 200;
const KEY: usize = 1_000;

impl Who {
    fn action(self, kind: ActionKind, mistakes: &mut Mistakes) -> Action {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
        let id = &self.action_id;
        if id.is_empty() || id.len() > 100 || !id.chars().all(is_plain) {
            mistakes.add(
                "action_id",
                "this is no id; write 1 to 100 letters, digits, dots, colons, dashes and underscores, or leave it out",
            );
        }
        let author = mistakes.needed("author", &self.author, NAME, "your name");
        Action {
            action_id: self.action_id,
            kind: kind.into(),
            at_ms: self.at_ms,
            author,
            ..Action::default()
        }
    }
}

/// "I see to it": stops the escalation of what fires.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acknowledge {
    /// The alert's key.
    pub key: String,
    /// Its episode; empty: the one that fires.
    pub incident: String,
    /// In the author's words; may be empty.
    pub reason: String,
    /// Whose alert it is; empty if that is not known.
    pub vendor: String,
    /// A repeat under the same id does no harm.
    pub action_id: Option<String>,
    /// Only where nobody is known by a token.
    pub author: Option<String>,
}

impl Acknowledge {
    /// The action.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn action(&self, who: Who) -> Result<Action, Mistakes> {
        let mut mistakes = Mistakes::default();
        let mut action = who.action(ActionKind::Acknowledge, &mut mistakes);
        let key = "the alert's key, as in /api/v1/alerts";
        action.alert_key = mistakes.needed("key", &self.key, KEY, key);
        action.incident = mistakes.text("incident", &self.incident, KEY);
        action.reason = mistakes.text("reason", &self.reason, REASON);
        action.vendor = mistakes.text("vendor", &self.vendor, NAME);
        mistakes.or(action)
    }
}

/// "Tell nobody of these, from then until then."
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Silence {
    /// Glob; empty: every vendor.
    pub vendor: String,
    /// Glob; empty: every queue.
    pub queue: String,
    /// Glob; empty: every rule.
    pub rule: String,
    /// Glob; empty: every ticket, and alerts that are of none.
    pub ticket_id: String,
    /// Its begin; none: now.
    pub starts_at: Option<Moment>,
    /// Its end.
    pub ends_at: Option<Moment>,
    /// Why.
    pub reason: String,
    /// A repeat under the same id does no harm.
    pub action_id: Option<String>,
    /// Only where nobody is known by a token.
    pub author: Option<String>,
}

impl Silence {
    /// The action.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn action(&self, who: Who) -> Result<Action, Mistakes> {
        let mut mistakes = Mistakes::default();
        let at_ms = who.at_ms;
        let mut action = who.action(ActionKind::Silence, &mut mistakes);
        action.vendor = mistakes.text("vendor", &self.vendor, NAME);
        action.queue = mistakes.text("queue", &self.queue, NAME);
        action.rule = mistakes.text("rule", &self.rule, NAME);
        action.ticket_id = mistakes.text("ticket_id", &self.ticket_id, NAME);
        if [
            &action.vendor,
            &action.queue,
            &action.rule,
            &action.ticket_id,
        ]
        .iter()
        .all(|glob| glob.is_empty())
        {
            mistakes.add(
                "vendor",
                "this would silence everything; name at least one of vendor, queue, rule and ticket_id (globs with *), or write \
                 \"*\" if everything is meant",
            );
        }
        action.reason =
            mistakes.needed("reason", &self.reason, REASON, "why, for those who wonder");
        let starts_ms = match &self.starts_at {
            None => Some(at_ms),
            Some(moment) => moment.ms("starts_at", &mut mistakes),
        };
        action.starts_ms = starts_ms.filter(|starts_ms| *starts_ms != at_ms);
        match &self.ends_at {
            None => mistakes.add(
                "ends_at",
                "it is missing; write when the silence ends, like \"2026-01-05T10:00:00Z\"",
            ),
            Some(moment) => action.until_ms = moment.ms("ends_at", &mut mistakes),
        }
        if let (Some(starts_ms), Some(until_ms)) = (starts_ms, action.until_ms) {
            span(at_ms, starts_ms, until_ms, &mut mistakes);
        }
        mistakes.or(action)
    }
}

fn span(at_ms: i64, starts_ms: i64, until_ms: i64, mistakes: &mut Mistakes) {
    if until_ms <= at_ms {
        mistakes.add(
            "ends_at",
            "this lies in the past; write an instant ahead of now",
        );
    } else if until_ms <= starts_ms {
        mistakes.add(
            "ends_at",
            "it ends before it starts; write an instant after starts_at",
        );
    } else if until_ms > at_ms.saturating_add(SILENCE_MOST_MS) {
        mistakes.add(
            "ends_at",
            "this is more than 30 days ahead, and nobody would remember; write one within 30 days, and silence again then",
        );
    }
}

/// "It is over early."
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndSilence {
    /// The silence's id.
    pub silence_id: String,
    /// The silence's vendor, so that it travels the same way; empty if that is not known.
    pub vendor: String,
    /// May be empty.
    pub reason: String,
    /// A repeat under the same id does no harm.
    pub action_id: Option<String>,
    /// Only where nobody is known by a token.
    pub author: Option<String>,
}

impl EndSilence {
    /// The action.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn action(&self, who: Who) -> Result<Action, Mistakes> {
        let mut mistakes = Mistakes::default();
        let mut action = who.action(ActionKind::ExpireSilence, &mut mistakes);
        let id = "the silence's id, as in /api/v1/silences";
        action.silence_id = mistakes.needed("silence_id", &self.silence_id, NAME, id);
        action.vendor = mistakes.text("vendor", &self.vendor, NAME);
        action.reason = mistakes.text("reason", &self.reason, REASON);
        mistakes.or(action)
    }
}

/// "The SOP or the product changed": what `change` rules compare before and after.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// A name; empty: every vendor.
    pub vendor: String,
    /// A name; empty: every queue.
    pub queue: String,
    /// When; none: now.
    pub at: Option<Moment>,
    /// What changed.
    pub reason: String,
    /// A repeat under the same id does no harm.
    pub action_id: Option<String>,
    /// Only where nobody is known by a token.
    pub author: Option<String>,
}

impl Change {
    /// The action.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn action(&self, who: Who) -> Result<Action, Mistakes> {
        let mut mistakes = Mistakes::default();
        let at_ms = who.at_ms;
        let mut action = who.action(ActionKind::MarkChange, &mut mistakes);
        for (field, name, into) in [
            ("vendor", &self.vendor, &mut action.vendor),
            ("queue", &self.queue, &mut action.queue),
        ] {
            *into = mistakes.text(field, name, NAME);
            if into.contains('*') {
                mistakes.add(
                    field,
                    "a change has no globs; write one name, or leave it out for all",
                );
            }
        }
        let starts_ms = self
            .at
            .as_ref()
            .and_then(|moment| moment.ms("at", &mut mistakes));
        action.starts_ms = starts_ms.filter(|starts_ms| *starts_ms != at_ms);
        action.reason = mistakes.needed(
            "reason",
            &self.reason,
            REASON,
            "what changed, such as \"SOP 14: refunds without approval\"",
        );
        mistakes.or(action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05T10:00:00Z
    const NOW_MS: i64 = 1_767_607_200_000;

    fn ana() -> Who {
        Who {
            author: "ana".to_owned(),
            action_id: "A-1".to_owned(),
            at_ms: NOW_MS,
        }
    }

    fn said(result: Result<Action, Mistakes>) -> Vec<String> {
        let mistakes = result.expect_err("mistakes").0;
        let told = mistakes
            .iter()
            .map(|mistake| format!("{}: {}", mistake.field, mistake.message));
        told.collect()
    }

    #[test]
    fn what_is_asked_for_becomes_an_action() {
        let silence = Silence {
            vendor: " ac* ".to_owned(),
            ticket_id: "T-1".to_owned(),
            starts_at: Some(Moment::Text("2026-01-05T18:30:00+08:00".to_owned())),
            ends_at: Some(Moment::Ms(NOW_MS + 7_200_000)),
            reason: "they move house".to_owned(),
            ..Silence::default()
        };
        let expected = Action {
            action_id: "A-1".to_owned(),
            kind: ActionKind::Silence.into(),
            at_ms: NOW_MS,
            author: "ana".to_owned(),
            reason: "they move house".to_owned(),
            vendor: "ac*".to_owned(),
            ticket_id: "T-1".to_owned(),
            starts_ms: Some(NOW_MS + 1_800_000),
            until_ms: Some(NOW_MS + 7_200_000),
            ..Action::default()
        };
        assert_eq!(silence.action(ana()).unwrap(), expected);
        let acknowledge = Acknowledge {
            key: "k".to_owned(),
            incident: "i".to_owned(),
            ..Acknowledge::default()
        };
        let action = acknowledge.action(ana()).unwrap();
        assert_eq!(
            (action.alert_key.as_str(), action.incident.as_str()),
            ("k", "i")
        );
        let change = Change {
            vendor: "acme".to_owned(),
            at: Some(Moment::Ms(NOW_MS)),
            reason: "SOP 14".to_owned(),
            ..Change::default()
        };
        let action = change.action(ana()).unwrap();
        assert_eq!(
            (action.kind(), action.starts_ms),
            (ActionKind::MarkChange, None)
        );
        let end = EndSilence {
            silence_id: "S-1".to_owned(),
            ..EndSilence::default()
        };
        assert_eq!(end.action(ana()).unwrap().silence_id, "S-1");
    }

    #[test]
    fn every_mistake_says_what_to_write() {
        let nobody = Who {
            author: " ".to_owned(),
            action_id: "a b".to_owned(),
            at_ms: NOW_MS,
        };
        assert_eq!(
            said(Acknowledge::default().action(nobody)),
            [
                "action_id: this is no id; write 1 to 100 letters, digits, dots, colons, dashes and underscores, or leave it out",
                "author: it is missing; write your name",
                "key: it is missing; write the alert's key, as in /api/v1/alerts",
            ]
        );
        assert_eq!(
            said(Silence::default().action(ana())),
            [
                "vendor: this would silence everything; name at least one of vendor, queue, rule and ticket_id (globs with *), or \
                 write \"*\" if everything is meant",
                "reason: it is missing; write why, for those who wonder",
                "ends_at: it is missing; write when the silence ends, like \"2026-01-05T10:00:00Z\"",
            ]
        );
        assert_eq!(
            said(EndSilence::default().action(ana())),
            ["silence_id: it is missing; write the silence's id, as in /api/v1/silences"]
        );
        let change = Change {
            queue: "ref*".to_owned(),
            at: Some(Moment::Text("yesterday".to_owned())),
            reason: "x".repeat(1_001),
            ..Change::default()
        };
        assert_eq!(
            said(change.action(ana())),
            [
                "queue: a change has no globs; write one name, or leave it out for all",
                "at: this is no instant; write it with an offset, like \"2026-01-05T10:00:00Z\" or \"2026-01-05T18:00:00+08:00\", \
                 or as milliseconds since 1970",
                "reason: 1001 characters are too many; write up to 1000",
            ]
        );
    }

    #[test]
    fn a_silence_ends_after_it_starts_and_within_30_days() {
        for (starts_ms, ends_ms, expected) in [
            (None, NOW_MS + 1, None),
            (None, NOW_MS + SILENCE_MOST_MS, None),
            (None, NOW_MS, Some("this lies in the past")),
            (
                Some(NOW_MS + 10),
                NOW_MS + 10,
                Some("it ends before it starts"),
            ),
            (
                None,
                NOW_MS + SILENCE_MOST_MS + 1,
                Some("this is more than 30 days ahead"),
            ),
            (None, i64::MAX, Some("this is no instant")),
        ] {
            let silence = Silence {
                vendor: "*".to_owned(),
                reason: "r".to_owned(),
                starts_at: starts_ms.map(Moment::Ms),
                ends_at: Some(Moment::Ms(ends_ms)),
                ..Silence::default()
            };
            let told = silence.action(ana()).err().map(|mistakes| {
                let [mistake] = mistakes.0.as_slice() else {
                    panic!("{mistakes:?}")
                };
                mistake.message.clone()
            });
            match (expected, told) {
                (None, told) => assert_eq!(told, None, "{ends_ms}"),
                (Some(expected), told) => {
                    assert!(
                        told.as_ref().is_some_and(|told| told.starts_with(expected)),
                        "{told:?}"
                    );
                }
            }
        }
    }
}
