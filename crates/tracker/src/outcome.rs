//! Outcome rows (SEMANTICS 8).

use std::borrow::Cow;

use slawatch_policy::Metric;
use slawatch_wire::v1;
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::Writer;
use crate::event::Event;
use crate::fold::{Cycle, Decision, Fold, Standing, StopKind, Verdict};
use crate::rules::Rules;
use crate::symbol::Symbol;
use crate::tally::{Discard, Owner};

/// A metric as it travels.
pub fn wire_metric(metric: Metric) -> v1::Metric {
    match metric {
        Metric::FirstReply => v1::Metric::FirstReply,
        Metric::NextReply => v1::Metric::NextReply,
        Metric::PeriodicUpdate => v1::Metric::PeriodicUpdate,
        Metric::RequesterWait => v1::Metric::RequesterWait,
        Metric::AgentWork => v1::Metric::AgentWork,
        Metric::Resolution => v1::Metric::Resolution,
        Metric::Answer => v1::Metric::Answer,
    }
}

/// What a cycle's row says, before any of it is text.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// Met, breached, ended or without target.
    Decided {
        state: v1::CycleState,
        decision: Cow<'a, Decision>,
        due_at_ms: Option<i64>,
    },
    /// Running or paused, and what holds at the clock.
    Undecided {
        state: v1::CycleState,
        standing: Standing,
        due_at_ms: Option<i64>,
    },
}

/// What there is to say of a cycle at `now_ms`; `None` if it has no row. `history` is what `fold` has taken.
pub(crate) fn said<'a>(
    history: &[Event],
    fold: &'a Fold,
    index: usize,
    now_ms: i64,
    rules: &mut Rules,
) -> Option<Said<'a>> {
    let cycle = &fold.cycles[index];
    let verdict = fold.verdict(index, now_ms, rules);
    if !has_row(cycle, &verdict) {
        return None;
    }
    say(history, fold, index, verdict, now_ms, rules)
}

/// Whether a target was ever defined for a cycle.
pub(crate) fn has_row(cycle: &Cycle, verdict: &Verdict<'_>) -> bool {
    // A cycle that fell due had a target there; one that runs has what holds after the last event.
    let is_targeted = match verdict {
        Verdict::Undecided { standing, .. } => standing.target_ms.is_some(),
        Verdict::Breached(_) => true,
        Verdict::Stopped(_) => false,
    };
    is_targeted || cycle.was_targeted()
}

/// What the row of a cycle with this verdict says, or would say if it had one.
pub(crate) fn say<'a>(
    history: &[Event],
    fold: &'a Fold,
    index: usize,
    verdict: Verdict<'a>,
    now_ms: i64,
    rules: &mut Rules,
) -> Option<Said<'a>> {
    let cycle = &fold.cycles[index];
    Some(match verdict {
        Verdict::Breached(decision) => Said::Decided {
            state: v1::CycleState::Breached,
            due_at_ms: Some(decision.at_ms),
            decision,
        },
        Verdict::Stopped(kind) => stopped(cycle, kind)?,
        Verdict::Undecided { due_at_ms, .. } => {
            let (standing, is_over) = present(history, fold, index, now_ms, rules);
            if standing.paused || is_over {
                Said::Undecided {
                    state: v1::CycleState::Paused,
                    standing,
                    due_at_ms: None,
                }
            } else {
                Said::Undecided {
                    state: v1::CycleState::Running,
                    due_at_ms: due_at_ms.filter(|_| standing.target_ms.is_some()),
                    standing,
                }
            }
        }
    })
}

fn stopped(cycle: &Cycle, kind: StopKind) -> Option<Said<'_>> {
    let stop = cycle.stop.as_deref()?;
    let state = match kind {
        StopKind::Fulfilled if stop.decision.target_ms.is_some() => v1::CycleState::Met,
        StopKind::Fulfilled => v1::CycleState::Untargeted,
        StopKind::Cancelled => v1::CycleState::Cancelled,
        StopKind::Abandoned => v1::CycleState::Abandoned,
        StopKind::FlowedOut => v1::CycleState::FlowedOut,
    };
    Some(Said::Decided {
        state,
        decision: Cow::Borrowed(&stop.decision),
        due_at_ms: stop.due_at_ms.filter(|_| state == v1::CycleState::Met),
    })
}

/// What holds for an undecided cycle at `now_ms`, or at its start if that is later, and whether the ticket is over
/// there. Only where events are known that lie after that instant does it take a fold of those up to it.
fn present(
    history: &[Event],
    fold: &Fold,
    index: usize,
    now_ms: i64,
    rules: &mut Rules,
) -> (Standing, bool) {
    let cycle = &fold.cycles[index];
    let instant_ms = now_ms.max(cycle.started_at_ms);
    if fold.last_at_ms <= instant_ms {
        return (*cycle.standing(), false);
    }
    let mut prefix = Fold::new(rules);
    for event in history.iter().take_while(|event| event.at_ms <= instant_ms) {
        prefix.step(event, rules, &mut Discard);
    }
    let is_over = prefix.cycles.iter().any(|known| {
        known.metric == cycle.metric && known.number == cycle.number && !known.is_running()
    });
    let standing = prefix.standing(cycle.set, cycle.metric, rules);
    (standing, is_over)
}

fn has_shares(state: v1::CycleState) -> bool {
    matches!(state, v1::CycleState::Met | v1::CycleState::Breached)
}

impl Said<'_> {
    fn owner(&self) -> Owner {
        match self {
            Self::Decided { decision, .. } => decision.owner,
            Self::Undecided { standing, .. } => standing.owner,
        }
    }

    /// The vendor of the row.
    pub(crate) fn vendor(&self) -> Symbol {
        self.owner().vendor
    }

    /// The due that was missed.
    pub(crate) fn breached_at_ms(&self) -> Option<i64> {
        match self {
            Self::Decided {
                state: v1::CycleState::Breached,
                decision,
                ..
            } => Some(decision.at_ms),
            Self::Decided { .. } | Self::Undecided { .. } => None,
        }
    }

    /// A hash of everything that the row will say, attributes apart. `scratch` is emptied.
    pub(crate) fn fingerprint(&self, cycle: &Cycle, scratch: &mut Vec<u8>) -> u64 {
        scratch.clear();
        let mut writer = Writer(scratch);
        writer.signed(cycle.started_at_ms);
        writer.option(cycle.set, |writer, set| writer.unsigned(set.into()));
        writer.option(cycle.contact.as_deref(), Writer::text);
        let (state, priority, policy, target_ms, due_at_ms) = match self {
            Self::Decided {
                state,
                decision,
                due_at_ms,
            } => (
                *state,
                decision.priority,
                decision.policy,
                decision.target_ms,
                *due_at_ms,
            ),
            Self::Undecided {
                state,
                standing,
                due_at_ms,
            } => (
                *state,
                standing.priority,
                standing.policy,
                standing.target_ms,
                *due_at_ms,
            ),
        };
        let owner = self.owner();
        writer.unsigned(state as u64);
        writer.unsigned(owner.vendor.number());
        writer.unsigned(owner.queue.number());
        writer.unsigned(priority.number());
        writer.option(policy, |writer, policy| writer.unsigned(policy.into()));
        writer.option(target_ms, Writer::signed);
        writer.option(due_at_ms, Writer::signed);
        if let Self::Decided { decision, .. } = self {
            writer.signed(decision.at_ms);
            writer.option(cycle.stop.as_deref(), |writer, stop| {
                writer.signed(stop.decision.at_ms);
                writer.signed(stop.elapsed_ms);
            });
            let shares = decision.shares.iter().filter(|(_, ms)| *ms != 0);
            for (owner, ms) in shares.filter(|_| has_shares(state)) {
                writer.unsigned(owner.vendor.number());
                writer.unsigned(owner.queue.number());
                writer.signed(*ms);
            }
        }
        xxh3_64(scratch)
    }

    /// The row, without attributes.
    pub(crate) fn row(&self, ticket_id: &str, cycle: &Cycle, rules: &Rules) -> v1::OutcomeRow {
        let sets = rules.sets().sets();
        let text = |symbol| rules.symbols.text(symbol).to_owned();
        let owner = self.owner();
        let mut row = v1::OutcomeRow {
            ticket_id: ticket_id.to_owned(),
            metric: wire_metric(cycle.metric).into(),
            cycle: cycle.number,
            contact_id: cycle.contact.as_deref().map(str::to_owned),
            policy_set_ms: cycle
                .set
                .map(|set| sets[usize::from(set)].effective_from_ms),
            started_at_ms: cycle.started_at_ms,
            vendor: text(owner.vendor),
            queue: text(owner.queue),
            ..Default::default()
        };
        let policy_name = |policy| rules.policy_name(cycle.set, policy).map(str::to_owned);
        match self {
            Self::Decided {
                state,
                decision,
                due_at_ms,
            } => {
                row.set_state(*state);
                row.priority = text(decision.priority);
                row.policy = policy_name(decision.policy);
                row.target_ms = decision.target_ms;
                row.due_at_ms = *due_at_ms;
                row.decided_at_ms = Some(decision.at_ms);
                if *state == v1::CycleState::Breached {
                    row.breached_at_ms = Some(decision.at_ms);
                }
                if let Some(stop) = &cycle.stop {
                    row.stopped_at_ms = Some(stop.decision.at_ms);
                    row.elapsed_ms = Some(stop.elapsed_ms);
                }
                if has_shares(*state) {
                    row.has_shares = true;
                    row.shares = shares(decision, rules);
                }
            }
            Self::Undecided {
                state,
                standing,
                due_at_ms,
            } => {
                row.set_state(*state);
                row.priority = text(standing.priority);
                row.policy = policy_name(standing.policy);
                row.target_ms = standing.target_ms;
                row.due_at_ms = *due_at_ms;
            }
        }
        row
    }
}

fn shares(decision: &Decision, rules: &Rules) -> Vec<v1::Share> {
    let shares = decision.shares.iter().filter(|(_, ms)| *ms != 0);
    shares
        .map(|(owner, ms)| v1::Share {
            vendor: rules.symbols.text(owner.vendor).to_owned(),
            queue: rules.symbols.text(owner.queue).to_owned(),
            ms: *ms,
        })
        .collect()
}
