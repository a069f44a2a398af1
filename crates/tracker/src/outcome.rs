//! Outcome rows (SEMANTICS 8).

use slawatch_policy::Metric;
use slawatch_wire::v1;

use crate::event::Event;
use crate::fold::{Cycle, Decision, Fold, Standing, StopKind, Verdict};
use crate::measure::Measure;
use crate::rules::{Rules, SetIndex};
use crate::tally::{Owner, Tally};

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

/// What an undecided cycle's row says of the present.
struct Present {
    standing: Standing,
    is_over: bool,
}

/// The row of a cycle at `now_ms`; `None` if it has none. `history` is what `fold` has taken.
pub(crate) fn row(
    ticket_id: &str,
    history: &[Event],
    fold: &mut Fold,
    index: usize,
    now_ms: i64,
    rules: &mut Rules,
) -> Option<v1::OutcomeRow> {
    let verdict = fold.verdict(index, now_ms, rules);
    // A cycle that fell due had a target there; one that runs has what holds after the last event.
    let is_targeted = match &verdict {
        Verdict::Undecided { standing, .. } => standing.target_ms.is_some(),
        Verdict::Breached(_) => true,
        Verdict::Stopped(_) => false,
    };
    if !is_targeted && !fold.cycles[index].was_targeted() {
        return None;
    }
    let mut row = identity(ticket_id, &fold.cycles[index], rules);
    let cycle = &fold.cycles[index];
    match verdict {
        Verdict::Breached(decision) => {
            decided(&mut row, &decision, cycle.set, rules);
            row.set_state(v1::CycleState::Breached);
            row.breached_at_ms = Some(decision.at_ms);
            row.due_at_ms = Some(decision.at_ms);
            if let Some(stop) = &cycle.stop {
                row.stopped_at_ms = Some(stop.decision.at_ms);
                row.elapsed_ms = Some(stop.elapsed_ms);
            }
            set_shares(&mut row, &decision, rules);
        }
        Verdict::Stopped(kind) => stopped(&mut row, cycle, kind, rules),
        Verdict::Undecided { due_at_ms, .. } => {
            let present = present(history, fold, index, now_ms, rules);
            undecided(&mut row, fold.cycles[index].set, &present, due_at_ms, rules);
        }
    }
    Some(row)
}

fn identity(ticket_id: &str, cycle: &Cycle, rules: &Rules) -> v1::OutcomeRow {
    let sets = rules.sets().sets();
    v1::OutcomeRow {
        ticket_id: ticket_id.to_owned(),
        metric: wire_metric(cycle.metric).into(),
        cycle: cycle.number,
        contact_id: cycle.contact.as_deref().map(str::to_owned),
        policy_set_ms: cycle
            .set
            .map(|set| sets[usize::from(set)].effective_from_ms),
        started_at_ms: cycle.started_at_ms,
        ..Default::default()
    }
}

fn decided(row: &mut v1::OutcomeRow, decision: &Decision, set: Option<SetIndex>, rules: &Rules) {
    set_owner(row, decision.owner, rules);
    row.priority = rules.symbols.text(decision.priority).to_owned();
    row.policy = rules.policy_name(set, decision.policy).map(str::to_owned);
    row.target_ms = decision.target_ms;
    row.decided_at_ms = Some(decision.at_ms);
}

fn stopped(row: &mut v1::OutcomeRow, cycle: &Cycle, kind: StopKind, rules: &Rules) {
    let Some(stop) = cycle.stop.as_deref() else {
        return;
    };
    decided(row, &stop.decision, cycle.set, rules);
    row.stopped_at_ms = Some(stop.decision.at_ms);
    row.elapsed_ms = Some(stop.elapsed_ms);
    let state = match kind {
        StopKind::Fulfilled if stop.decision.target_ms.is_some() => v1::CycleState::Met,
        StopKind::Fulfilled => v1::CycleState::Untargeted,
        StopKind::Cancelled => v1::CycleState::Cancelled,
        StopKind::Abandoned => v1::CycleState::Abandoned,
        StopKind::FlowedOut => v1::CycleState::FlowedOut,
    };
    row.set_state(state);
    if state == v1::CycleState::Met {
        row.due_at_ms = stop.due_at_ms;
        set_shares(row, &stop.decision, rules);
    }
}

fn undecided(
    row: &mut v1::OutcomeRow,
    set: Option<SetIndex>,
    present: &Present,
    due_at_ms: Option<i64>,
    rules: &Rules,
) {
    let standing = &present.standing;
    set_owner(row, standing.owner, rules);
    row.priority = rules.symbols.text(standing.priority).to_owned();
    row.policy = rules.policy_name(set, standing.policy).map(str::to_owned);
    row.target_ms = standing.target_ms;
    if standing.paused || present.is_over {
        row.set_state(v1::CycleState::Paused);
    } else {
        row.set_state(v1::CycleState::Running);
        row.due_at_ms = due_at_ms.filter(|_| standing.target_ms.is_some());
    }
}

/// What holds for an undecided cycle at `now_ms`, or at its start if that is later. Only where events are known that
/// lie after that instant does it take a fold of those up to it.
fn present(
    history: &[Event],
    fold: &mut Fold,
    index: usize,
    now_ms: i64,
    rules: &mut Rules,
) -> Present {
    let cycle = &fold.cycles[index];
    let (set, metric, number) = (cycle.set, cycle.metric, cycle.number);
    let instant_ms = now_ms.max(cycle.started_at_ms);
    if fold.last_at_ms <= instant_ms {
        return Present {
            standing: fold.standing(set, metric, rules),
            is_over: false,
        };
    }
    let mut prefix = Fold::new(rules);
    for event in history.iter().take_while(|event| event.at_ms <= instant_ms) {
        prefix.step(event, rules, &mut Discard);
    }
    let is_over = prefix
        .cycles
        .iter()
        .any(|cycle| cycle.metric == metric && cycle.number == number && !cycle.is_running());
    Present {
        standing: prefix.standing(set, metric, rules),
        is_over,
    }
}

struct Discard;

impl Tally for Discard {
    fn add(&mut self, _: i64, _: Owner, _: Measure, _: i64) {}
}

fn set_owner(row: &mut v1::OutcomeRow, owner: Owner, rules: &Rules) {
    row.vendor = rules.symbols.text(owner.vendor).to_owned();
    row.queue = rules.symbols.text(owner.queue).to_owned();
}

fn set_shares(row: &mut v1::OutcomeRow, decision: &Decision, rules: &Rules) {
    row.has_shares = true;
    row.shares = decision
        .shares
        .iter()
        .filter(|(_, ms)| *ms != 0)
        .map(|(owner, ms)| v1::Share {
            vendor: rules.symbols.text(owner.vendor).to_owned(),
            queue: rules.symbols.text(owner.queue).to_owned(),
            ms: *ms,
        })
        .collect();
}
