//! What must hold for every log: repeats and restarts change nothing, and of the order only what the clock can see.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use slawatch_wire::v1::{
    AlertState, AlertTransition, CycleState, Measures, OutcomeRow, SignalBatch,
};

use super::builders::{ALONE, Flush, TEN, first_replies, rules, signal};
use crate::{Evaluator, RuleSet};

const RULES: &str = r#"[[rule]]
name = "sl"
type = "threshold"
measure = "service_level"
window = "4m"
enter = "80%"
exit = "85%"
min_samples = 5
for = "30s"
keep_firing_for = "1m"
severity = "critical"
by = ["vendor", "queue"]
[[rule]]
name = "vendor-replies"
type = "threshold"
measure = "attainment.first_reply"
window = "2m"
enter = "70%"
exit = "90%"
severity = "error"
by = ["vendor"]
[[rule]]
name = "backlog"
type = "threshold"
measure = "backlog"
enter = 60
exit = 50
severity = "warning"
by = ["vendor", "queue"]
[[rule]]
name = "old"
type = "oldest"
enter = "65m"
exit = "30m"
severity = "warning"
by = ["vendor"]
[[rule]]
name = "quiet"
type = "quiet"
after = "1m"
severity = "warning"
by = ["vendor", "queue"]
[[rule]]
name = "urgent"
type = "ticket"
on = ["breached", "warning"]
severity = "error"
"#;

const SOURCES: u32 = 3;
const QUEUES: [&str; 2] = ["refunds", "chat"];

/// What one source says in one round.
#[derive(Clone, Debug)]
struct Said {
    rows: Vec<(usize, i64, i64, i64)>,
    outcomes: Vec<(u8, usize, bool)>,
    open: Option<(usize, i64)>,
    warns: bool,
}

/// One round: the clock's step, and what each source says. Clocks stay within the 30 s that nobody is out for.
#[derive(Clone, Debug)]
pub(super) struct Round {
    step_ms: i64,
    said: Vec<Said>,
}

fn said() -> impl Strategy<Value = Said> {
    (
        proptest::collection::vec((0..2usize, 0..3i64, 0..12i64, 0..12i64), 0..3),
        proptest::collection::vec((0..4u8, 0..4usize, any::<bool>()), 0..2),
        proptest::option::of((0..2usize, 0..40i64)),
        proptest::bool::weighted(0.1),
    )
        .prop_map(|(rows, outcomes, open, warns)| Said {
            rows,
            outcomes,
            open,
            warns,
        })
}

pub(super) fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let round = (
        1_000..25_000i64,
        proptest::collection::vec(said(), SOURCES as usize),
    )
        .prop_map(|(step_ms, said)| Round { step_ms, said });
    proptest::collection::vec(round, 1..40)
}

const STATES: [CycleState; 4] = [
    CycleState::Running,
    CycleState::Breached,
    CycleState::Met,
    CycleState::Cancelled,
];

fn flush(round: usize, source: u32, clock_ms: i64, said: &Said) -> SignalBatch {
    let mut flush = Flush::at("10:00").source(source, SOURCES);
    let mut rows: BTreeMap<(usize, i64), Measures> = BTreeMap::new();
    for (queue, back, answered, in_target) in &said.rows {
        let mut measures = first_replies(*in_target, *back);
        measures.answered = *answered;
        measures.answered_in_target = (*in_target).min(*answered);
        rows.insert((*queue, *back), measures);
    }
    let minute = |back: i64| format!("10:{:02}", (clock_ms - TEN) / 60_000 - back);
    for ((queue, back), measures) in rows {
        if (clock_ms - TEN) / 60_000 >= back {
            flush = flush.row("acme", QUEUES[queue], &minute(back), measures);
        }
    }
    for (ticket, state, stopped) in &said.outcomes {
        flush = flush.outcome(ticket_row(
            source,
            *ticket,
            STATES[*state],
            *stopped,
            clock_ms,
        ));
    }
    if let Some((queue, open)) = said.open {
        flush = flush.open(QUEUES[queue], open, "09:00");
    }
    if said.warns {
        flush = flush.warning("0.5", "10:00");
    }
    let mut batch = flush.0;
    batch.clock_ms = clock_ms;
    batch.batch = round as u64 + 1;
    batch
}

/// A ticket is of one source, as its partition is.
fn ticket_row(
    source: u32,
    ticket: u8,
    state: CycleState,
    stopped: bool,
    clock_ms: i64,
) -> OutcomeRow {
    let mut row = OutcomeRow {
        ticket_id: format!("T{source}-{ticket}"),
        metric: 1,
        cycle: 1,
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        target_ms: Some(60_000),
        state: state as i32,
        ..OutcomeRow::default()
    };
    if state == CycleState::Breached {
        row.breached_at_ms = Some(TEN);
        row.stopped_at_ms = stopped.then_some(clock_ms);
    }
    row
}

/// The log: in each round every source speaks, the last one being the one that the clock waits for.
pub(super) fn log(rounds: &[Round]) -> Vec<Vec<SignalBatch>> {
    let mut clock_ms = TEN;
    let each = rounds.iter().enumerate();
    each.map(|(number, round)| {
        clock_ms += round.step_ms;
        let said = round.said.iter().zip(0..SOURCES);
        // The last source is a little behind the others, so that the clock is its clock.
        said.map(|(said, source)| flush(number, source, clock_ms - i64::from(source) * 10, said))
            .collect()
    })
    .collect()
}

fn run(rules: &Arc<RuleSet>, log: impl IntoIterator<Item = SignalBatch>) -> Vec<AlertTransition> {
    let mut evaluator = Evaluator::new(Arc::clone(rules), ALONE);
    let mut told = Vec::new();
    for batch in log {
        evaluator.apply(&signal(batch), &mut told);
    }
    told
}

/// The state that each key is in at the end.
fn final_states(told: &[AlertTransition]) -> BTreeMap<&str, AlertState> {
    told.iter()
        .map(|told| (told.key.as_str(), told.state()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn repeats_change_nothing(rounds in rounds(), repeats in proptest::collection::vec(0..8usize, 120)) {
        let rules = rules(RULES);
        let plain: Vec<SignalBatch> = log(&rounds).concat();
        let mut repeated = Vec::new();
        for (place, batch) in plain.iter().enumerate() {
            repeated.push(batch.clone());
            // The newest again, and an older one of some source.
            match repeats[place % repeats.len()] {
                0 | 1 => repeated.push(batch.clone()),
                back @ 2..=5 => repeated.push(plain[place.saturating_sub(back * 2)].clone()),
                _ => {}
            }
        }
        prop_assert_eq!(run(&rules, plain), run(&rules, repeated));
    }

    #[test]
    fn the_order_of_those_who_are_ahead_changes_nothing(rounds in rounds(), order in any::<[bool; 40]>()) {
        let rules = rules(RULES);
        let plain = log(&rounds);
        let mut shuffled = plain.clone();
        for (round, swap) in shuffled.iter_mut().skip(1).zip(order) {
            if swap {
                round.swap(0, 1);
            }
        }
        let (plain, shuffled) = (run(&rules, plain.concat()), run(&rules, shuffled.concat()));
        // Ticket alerts come as their rows do, so only their order may differ.
        let sorted = |mut told: Vec<AlertTransition>| {
            told.sort_by(|a, b| (&a.key, a.revision).cmp(&(&b.key, b.revision)));
            told
        };
        let mute = |told: Vec<AlertTransition>| -> Vec<AlertTransition> {
            // While the first round runs, who is named as not yet seen depends on who came.
            told.into_iter().map(|told| AlertTransition { summary: String::new(), evidence: Vec::new(), ..told }).collect()
        };
        prop_assert_eq!(mute(sorted(plain)), mute(sorted(shuffled)));
    }

    #[test]
    fn cutting_flushes_in_pieces_changes_nothing(rounds in rounds()) {
        let rules = rules(RULES);
        let plain: Vec<SignalBatch> = log(&rounds).concat();
        let mut cut = Vec::new();
        for batch in &plain {
            let mut rest = batch.clone();
            let half = batch.panes.len() / 2;
            cut.push(SignalBatch {
                panes: rest.panes.drain(..half).collect(),
                gauges: std::mem::take(&mut rest.gauges),
                outcomes: Vec::new(),
                warnings: Vec::new(),
                more: true,
                ..batch.clone()
            });
            cut.push(rest);
        }
        prop_assert_eq!(run(&rules, plain), run(&rules, cut));
    }

    #[test]
    fn any_order_ends_in_the_same_states(rounds in rounds(), lag in proptest::collection::vec(0..3usize, SOURCES as usize)) {
        let rules = rules(RULES);
        let plain = log(&rounds);
        // Each source runs some rounds behind or ahead of the others, its own order kept.
        let mut late = Vec::new();
        for round in 0..plain.len() + 3 {
            for source in 0..SOURCES as usize {
                if let Some(batches) = round.checked_sub(lag[source]).and_then(|round| plain.get(round)) {
                    late.push(batches[source].clone());
                }
            }
        }
        // Then all is quiet for long enough that every window is empty.
        let end = |source: u32| {
            let mut batch = Flush::at("12:00").source(source, SOURCES).0;
            batch.batch = 1_000;
            batch
        };
        let quiet: Vec<SignalBatch> = (0..SOURCES).map(end).collect();
        let plain = run(&rules, plain.concat().into_iter().chain(quiet.clone()));
        let late = run(&rules, late.into_iter().chain(quiet));
        let of_tickets = |told: &[AlertTransition]| -> BTreeMap<String, AlertState> {
            let states = final_states(told);
            states.into_iter().filter(|(key, _)| key.starts_with("urgent/")).map(|(key, state)| (key.to_owned(), state)).collect()
        };
        prop_assert_eq!(of_tickets(&plain), of_tickets(&late));
        let windowed = |told: &[AlertTransition]| {
            let states = final_states(told);
            states.iter().all(|(key, state)| {
                !(key.starts_with("sl/") || key.starts_with("vendor-replies/"))
                    || matches!(state, AlertState::Resolved | AlertState::Retracted)
            })
        };
        prop_assert!(windowed(&plain) && windowed(&late));
    }

    #[test]
    fn a_restart_anywhere_is_not_seen(rounds in rounds(), place in 0..1000usize) {
        let rules = rules(RULES);
        let plain: Vec<SignalBatch> = log(&rounds).concat();
        let place = place % plain.len();
        let mut evaluator = Evaluator::new(Arc::clone(&rules), ALONE);
        let mut told = Vec::new();
        for (now, batch) in plain.iter().enumerate() {
            if now == place {
                let mut bytes = Vec::new();
                evaluator.snapshot(&mut bytes);
                evaluator = Evaluator::restore(&rules, ALONE, &bytes).expect("a sound snapshot");
                let mut again = Vec::new();
                evaluator.snapshot(&mut again);
                prop_assert_eq!(bytes, again);
            }
            evaluator.apply(&signal(batch.clone()), &mut told);
        }
        prop_assert_eq!(told, run(&rules, plain));
    }
}
