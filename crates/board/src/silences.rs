//! Silences as people made them, and when they ended.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use slawatch_wire::v1::{Action, ActionKind};

/// How long one that is over is still shown.
const SHOWN_AFTER_END_MS: i64 = 3_600_000;

/// Where a silence is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// Nobody is told of what it matches.
    Active,
    /// Begins later.
    Planned,
    /// Is over.
    Ended,
}

/// Who ended a silence early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ended {
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: i64,
    /// In their words.
    pub reason: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SilenceView {
    /// Its id: the `action_id` of what made it.
    pub id: String,
    /// Where it is in its life.
    pub state: SilenceState,
    /// Glob; empty: every vendor.
    pub vendor: String,
    /// Glob; empty: every queue.
    pub queue: String,
    /// Glob; empty: every rule.
    pub rule: String,
    /// Glob; empty: every ticket, and alerts that are of none.
    pub ticket_id: String,
    /// Its begin.
    pub starts_at_ms: i64,
    /// Its end, as it was meant.
    pub ends_at_ms: i64,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// Who ended it early; `null`: nobody.
    pub ended: Option<Ended>,
}

/// Every silence that is not long over.
#[derive(Debug, Default)]
pub(crate) struct SilenceBook {
    by_id: BTreeMap<String, Action>,
    ends: BTreeMap<String, Action>,
}

/// More than people make.
const MOST: usize = 20_000;

impl SilenceBook {
    /// Takes in an action; the first of an id counts.
    pub(crate) fn note(&mut self, action: &Action) {
        let (book, id) = match action.kind() {
            ActionKind::Silence => (&mut self.by_id, &action.action_id),
            ActionKind::ExpireSilence => (&mut self.ends, &action.silence_id),
            ActionKind::Acknowledge | ActionKind::MarkChange | ActionKind::Unspecified => return,
        };
        if book.len() < MOST {
            book.entry(id.clone()).or_insert_with(|| action.clone());
        }
    }

    /// Forgets what is over for long.
    pub(crate) fn advance(&mut self, now_ms: i64) {
        let from_ms = now_ms.saturating_sub(SHOWN_AFTER_END_MS);
        self.by_id
            .retain(|_, silence| silence.until_ms.is_some_and(|until_ms| until_ms >= from_ms));
        // One that ends early may be read before what it ends.
        let by_id = &self.by_id;
        self.ends
            .retain(|id, end| by_id.contains_key(id) || end.at_ms >= from_ms);
    }

    /// What there is at an instant: what is active first, then what ends first.
    pub(crate) fn view(&self, now_ms: i64) -> Vec<SilenceView> {
        let mut views: Vec<SilenceView> = self
            .by_id
            .values()
            .map(|silence| self.shown(silence, now_ms))
            .collect();
        views.retain(|silence| match &silence.ended {
            Some(ended) => ended.at_ms >= now_ms.saturating_sub(SHOWN_AFTER_END_MS),
            None => silence.ends_at_ms >= now_ms.saturating_sub(SHOWN_AFTER_END_MS),
        });
        views.sort_by_key(|silence| {
            let end = match silence.state {
                SilenceState::Active | SilenceState::Planned => (0, silence.ends_at_ms),
                SilenceState::Ended => (1, -silence.ends_at_ms),
            };
            (silence.state, end, Reverse(silence.created_at_ms))
        });
        views
    }

    fn shown(&self, silence: &Action, now_ms: i64) -> SilenceView {
        let starts_at_ms = silence.starts_ms.unwrap_or(silence.at_ms);
        let ends_at_ms = silence.until_ms.unwrap_or(starts_at_ms);
        let ended = self.ends.get(&silence.action_id).map(|end| Ended {
            by: end.author.clone(),
            at_ms: end.at_ms,
            reason: end.reason.clone(),
        });
        let state = if ended.is_some() || ends_at_ms <= now_ms {
            SilenceState::Ended
        } else if silence
            .starts_ms
            .is_some_and(|starts_ms| starts_ms > now_ms)
        {
            // One that began when it was made is ahead of the picture for a moment, and active all the same.
            SilenceState::Planned
        } else {
            SilenceState::Active
        };
        SilenceView {
            id: silence.action_id.clone(),
            state,
            vendor: silence.vendor.clone(),
            queue: silence.queue.clone(),
            rule: silence.rule.clone(),
            ticket_id: silence.ticket_id.clone(),
            starts_at_ms,
            ends_at_ms,
            author: silence.author.clone(),
            reason: silence.reason.clone(),
            created_at_ms: silence.at_ms,
            ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn silence(id: &str, starts_ms: i64, until_ms: i64) -> Action {
        Action {
            action_id: id.to_owned(),
            kind: ActionKind::Silence.into(),
            author: "ana".to_owned(),
            starts_ms: Some(starts_ms),
            until_ms: Some(until_ms),
            ..Action::default()
        }
    }

    fn end(id: &str, at_ms: i64) -> Action {
        Action {
            action_id: format!("end of {id}"),
            kind: ActionKind::ExpireSilence.into(),
            silence_id: id.to_owned(),
            author: "bob".to_owned(),
            at_ms,
            ..Action::default()
        }
    }

    fn states(book: &SilenceBook, now_ms: i64) -> Vec<(String, SilenceState)> {
        let views = book.view(now_ms).into_iter();
        views.map(|view| (view.id, view.state)).collect()
    }

    #[test]
    fn a_silence_is_planned_active_and_over() {
        use SilenceState::{Active, Ended, Planned};
        let mut book = SilenceBook::default();
        book.note(&end("early", 2 * HOUR_MS));
        for silence in [
            silence("later", 3 * HOUR_MS, 9 * HOUR_MS),
            Action {
                starts_ms: None,
                at_ms: 3 * HOUR_MS,
                ..silence("now", 0, 8 * HOUR_MS)
            },
            silence("long", 0, 9 * HOUR_MS),
            silence("early", 0, 9 * HOUR_MS),
            silence("short", 0, 2 * HOUR_MS),
            silence("short", 0, 99 * HOUR_MS),
        ] {
            book.note(&silence);
        }
        let expected = [
            ("now", Active),
            ("long", Active),
            ("later", Planned),
            ("early", Ended),
            ("short", Ended),
        ];
        let expected = expected.map(|(id, state)| (id.to_owned(), state));
        assert_eq!(states(&book, 2 * HOUR_MS), expected);
        assert_eq!(book.view(2 * HOUR_MS)[3].ended.as_ref().unwrap().by, "bob");
        // Over for an hour, nothing is shown of them any more; long over, nothing is kept.
        assert_eq!(states(&book, 3 * HOUR_MS + 1).len(), 3);
        book.advance(11 * HOUR_MS);
        assert!(book.by_id.is_empty() && book.ends.is_empty(), "{book:?}");
    }
}
