//! How the lines of a ledger depend on each other and on time. All of it follows from the lines and is never stored: a new
//! owner decides about every line anew, and so fills it again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use slawatch_wire::v1::AlertTransition;

use super::LineId;
use crate::matching::severity_rank;

/// What an alert is about, the greatest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Vendor,
    Queue,
    Ticket,
}

impl Scope {
    pub(super) fn of(alert: &AlertTransition) -> Self {
        if !alert.ticket_id.is_empty() {
            Self::Ticket
        } else if !alert.queue.is_empty() {
            Self::Queue
        } else {
            Self::Vendor
        }
    }
}

/// In which order lines are decided about: the greater alert before the lesser that it may quiet, and of equals the worst
/// and oldest, which gets what room there is.
type Rank = (usize, Scope, Reverse<usize>, i64, usize);

/// What is still to be decided, and when what may change by itself.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    undecided: Vec<LineId>,
    ranked: BTreeSet<(Rank, LineId)>,
    waiting: BTreeSet<LineId>,
    wakes: BTreeMap<LineId, i64>,
    by_instant: BTreeSet<(i64, LineId)>,
    turns: usize,
}

impl Agenda {
    pub(super) fn add(&mut self, id: LineId) {
        self.undecided.push(id);
    }

    /// Something is to be decided now.
    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        let wakes = self.by_instant.first();
        !self.undecided.is_empty() || wakes.is_some_and(|(at_ms, _)| *at_ms <= now_ms)
    }

    /// What is to be decided now, to be given back by [`Agenda::rank`].
    pub(super) fn take_due(&mut self, now_ms: i64) -> Vec<LineId> {
        let mut due = std::mem::take(&mut self.undecided);
        while let Some((at_ms, _)) = self.by_instant.first()
            && *at_ms <= now_ms
            && let Some((_, id)) = self.by_instant.pop_first()
        {
            self.wakes.remove(&id);
            due.push(id);
        }
        due
    }

    pub(super) fn rank(&mut self, id: LineId, alert: Option<&AlertTransition>) {
        if !self.waiting.insert(id.clone()) {
            return;
        }
        let rank = match alert {
            Some(alert) => (
                id.0,
                Scope::of(alert),
                Reverse(severity_rank(&alert.severity)),
                alert.fired_at_ms.unwrap_or(i64::MIN),
                self.turns,
            ),
            None => (id.0, Scope::Vendor, Reverse(0), i64::MIN, self.turns),
        };
        self.turns += 1;
        self.ranked.insert((rank, id));
    }

    pub(super) fn next(&mut self) -> Option<LineId> {
        let (_, id) = self.ranked.pop_first()?;
        self.waiting.remove(&id);
        Some(id)
    }

    /// That line is looked at again at that instant, and not at the one planned before.
    pub(super) fn wake(&mut self, id: &LineId, at_ms: Option<i64>) {
        if let Some(before_ms) = self.wakes.remove(id) {
            self.by_instant.remove(&(before_ms, id.clone()));
        }
        if let Some(at_ms) = at_ms {
            self.wakes.insert(id.clone(), at_ms);
            self.by_instant.insert((at_ms, id.clone()));
        }
    }
}

/// Who quiets whom, who is told with whom, and who waits for room.
#[derive(Debug, Default)]
pub(super) struct Relations {
    /// Alerts of vendors and queues that go on, by receiver and vendor.
    pub(super) great: BTreeMap<(usize, String), BTreeSet<LineId>>,
    /// What each of them, by its key, keeps from a receiver.
    pub(super) hushed: BTreeMap<(usize, String), BTreeSet<LineId>>,
    /// When the group is told that forms.
    pub(super) groups: BTreeMap<(usize, String), i64>,
    /// What a receiver's limit kept back.
    pub(super) limited: BTreeMap<usize, BTreeSet<LineId>>,
}
