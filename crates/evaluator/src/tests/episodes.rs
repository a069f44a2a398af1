//! What must hold of every episode, whatever happens: revisions without a gap, one incident and exactly one end each; and
//! that a restart at any place of the log is not seen, with every kind of rule and people who acknowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use slawatch_wire::v1::{
    Action, ActionKind, AlertState, AlertTransition, RulesTaken, Signal, signal,
};

use super::builders::{ALONE, rules, signal as batch_signal};
use super::properties::{Round, log, rounds};
use crate::{Evaluator, RuleSet};

/// One rule of every kind, with all that changes the life of an alert.
const RULES: &str = r#"[[calendar]]
name = "desk"
timezone = "UTC"
hours = { mon-fri = ["09:00-10:03", "10:06-18:00"] }
[[rule]]
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
worse_by = "20%"
[[rule]]
name = "replies"
type = "threshold"
measure = "attainment.first_reply"
window = "2m"
enter = "85%"
exit = "95%"
severity = "error"
by = ["vendor"]
calendar = "desk"
for = "5s"
[[rule]]
name = "backlog"
type = "backlog"
enter = 60
exit = 50
severity = "warning"
by = ["vendor", "queue"]
worse_by = 5
[[rule]]
name = "old"
type = "oldest"
enter = "61m"
exit = "30m"
severity = "warning"
by = ["vendor"]
calendar = "desk"
worse_by = "1m"
[[rule]]
name = "quiet"
type = "quiet"
after = "1m"
severity = "warning"
by = ["vendor", "queue"]
[[rule]]
name = "many"
type = "ticket"
on = ["breached", "warning"]
severity = "error"
calendar = "desk"
worse_by = "1m"
group = { over = 2, within = "2m", worse_by = 2 }
[[rule]]
name = "each"
type = "ticket"
on = ["breached"]
severity = "error"
worse_by = "30s"
"#;

/// Whom people speak of: alerts that may fire or not.
const SPOKEN_OF: [&str; 6] = [
    "sl/acme/refunds",
    "replies/acme",
    "backlog/acme/refunds",
    "old/acme",
    "many/acme/refunds",
    "each/acme/T0-1/first_reply/1/breached",
];

fn acknowledge(number: usize, whom: usize) -> Signal {
    let action = Action {
        action_id: format!("a{}", number / 2),
        kind: ActionKind::Acknowledge as i32,
        alert_key: SPOKEN_OF[whom].to_owned(),
        vendor: "acme".to_owned(),
        ..Action::default()
    };
    Signal {
        kind: Some(signal::Kind::Action(action)),
    }
}

/// The rounds as one log, with people between them.
fn story(rounds: &[Round], people: &[usize]) -> Vec<Signal> {
    let mut story = Vec::new();
    for (number, round) in log(rounds).into_iter().enumerate() {
        story.extend(round.into_iter().map(batch_signal));
        let whom = people.get(number).filter(|whom| **whom < SPOKEN_OF.len());
        story.extend(whom.map(|whom| acknowledge(number, *whom)));
    }
    story
}

fn no_rules() -> Signal {
    let taken = RulesTaken {
        epoch: 9,
        file: "rules.toml".to_owned(),
        text: String::new(),
    };
    Signal {
        kind: Some(signal::Kind::Rules(taken)),
    }
}

fn run(rules: &Arc<RuleSet>, story: &[Signal]) -> Vec<AlertTransition> {
    let mut evaluator = Evaluator::new(Arc::clone(rules), ALONE);
    let mut told = Vec::new();
    for signal in story {
        evaluator.apply(signal, &mut told);
    }
    told
}

/// What is wrong with the transitions of one key, if anything is.
fn flaw(told: &[&AlertTransition]) -> Option<String> {
    let mut incidents = BTreeSet::new();
    let mut firing: Option<&str> = None;
    let mut last = "";
    for (number, told) in told.iter().enumerate() {
        let incident = told.incident.as_str();
        let wrong = match told.state() {
            AlertState::Pending => firing.is_some() || !incident.is_empty(),
            AlertState::Firing if firing.is_some() => firing != Some(incident),
            AlertState::Firing => {
                firing = Some(incident);
                !incidents.insert(incident)
            }
            AlertState::Acknowledged => firing != Some(incident),
            AlertState::Resolved | AlertState::Expired if incident.is_empty() => firing.is_some(),
            // What was over may still turn out to be false.
            AlertState::Retracted if firing.is_none() => incident != last,
            AlertState::Resolved | AlertState::Retracted | AlertState::Expired => {
                firing.take() != Some(incident)
            }
            AlertState::Unspecified => true,
        };
        if wrong || told.revision != number as u64 + 1 {
            return Some(format!("{number}: {told:#?}"));
        }
        last = incident;
    }
    firing.map(|incident| format!("{incident} has no end"))
}

/// The stories of the properties come to all that can happen to an alert, or the properties would prove little.
#[test]
fn the_stories_have_everything_in_them() {
    let rules = rules(RULES);
    let mut seen = BTreeSet::new();
    let people = proptest::collection::vec(0..9usize, 40);
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let rounds = rounds().new_tree(&mut runner).expect("rounds").current();
        let people = people.new_tree(&mut runner).expect("people").current();
        for told in run(&rules, &story(&rounds, &people)) {
            let of_a_queue = told.ticket_id.is_empty();
            let worse = told.reason.starts_with("got worse");
            seen.insert((told.rule.clone(), told.state() as i32, of_a_queue, worse));
        }
    }
    let wanted = [
        ("sl", AlertState::Pending, true, false),
        ("sl", AlertState::Firing, true, false),
        ("sl", AlertState::Firing, true, true),
        ("sl", AlertState::Acknowledged, true, false),
        ("sl", AlertState::Resolved, true, false),
        ("replies", AlertState::Expired, true, false),
        ("backlog", AlertState::Firing, true, true),
        ("old", AlertState::Firing, true, true),
        ("old", AlertState::Expired, true, false),
        ("quiet", AlertState::Firing, true, false),
        ("quiet", AlertState::Resolved, true, false),
        ("many", AlertState::Firing, false, false),
        ("many", AlertState::Firing, true, false),
        ("many", AlertState::Acknowledged, true, false),
        ("many", AlertState::Resolved, true, false),
        ("many", AlertState::Expired, false, false),
        ("each", AlertState::Firing, false, true),
        ("each", AlertState::Retracted, false, false),
    ];
    let is_missing = |(rule, state, of_a_queue, worse): &(&str, AlertState, bool, bool)| {
        !seen.contains(&((*rule).to_owned(), *state as i32, *of_a_queue, *worse))
    };
    let missing: Vec<_> = wanted.into_iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_episode_has_one_incident_and_one_end(
        rounds in rounds(),
        people in proptest::collection::vec(0..9usize, 40),
    ) {
        let rules = rules(RULES);
        let mut story = story(&rounds, &people);
        // Whatever still fires ends with its rule.
        story.push(no_rules());
        let told = run(&rules, &story);
        let mut by_key: BTreeMap<&str, Vec<&AlertTransition>> = BTreeMap::new();
        for told in &told {
            by_key.entry(&told.key).or_default().push(told);
        }
        for (key, told) in by_key {
            prop_assert_eq!(flaw(&told), None, "{}", key);
        }
    }

    #[test]
    fn a_restart_at_any_place_is_not_seen(
        rounds in rounds(),
        people in proptest::collection::vec(0..9usize, 40),
        place in 0..1000usize,
    ) {
        let rules = rules(RULES);
        let story = story(&rounds, &people);
        let place = place % story.len();
        let mut evaluator = Evaluator::new(Arc::clone(&rules), ALONE);
        let mut told = Vec::new();
        for (now, signal) in story.iter().enumerate() {
            if now == place {
                let mut bytes = Vec::new();
                evaluator.snapshot(&mut bytes);
                evaluator = Evaluator::restore(&rules, ALONE, &bytes).expect("a sound snapshot");
                let mut again = Vec::new();
                evaluator.snapshot(&mut again);
                prop_assert_eq!(bytes, again);
            }
            evaluator.apply(signal, &mut told);
        }
        prop_assert_eq!(told, run(&rules, &story));
    }
}
