//! Every ticket of the sample logs explained, and added up again from the JSON that users get: the rows are those
//! expected, the segments have no gap, and what runs in them is what the row says was used up.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use slawatch::explain::{Explained, json, text};
use slawatch::replay::{Intake, IntakeOptions};
use slawatch_event::parse_instant;
use slawatch_policy::{PolicySet, PolicySets};
use slawatch_tracker::Explainer;

use crate::run::lines;
use crate::samples::{INCIDENTS, RANDOM, Sample};

fn policies(folder: &Path, sample: &Sample) -> PolicySets {
    let files = sample.policies.iter().map(|name| {
        let text = std::fs::read_to_string(folder.join(name)).expect("a policy set");
        ((*name).to_owned(), text)
    });
    let files: Vec<_> = files.collect();
    PolicySets::parse(&files).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Every ticket's explanation.
fn explained(sample: &Sample) -> Option<Vec<Explained>> {
    let sets = policies(&sample.folder()?, sample);
    let mut explainers: BTreeMap<String, Explainer> = BTreeMap::new();
    let mut intake = Intake::new(IntakeOptions {
        until_ms: parse_instant(sample.until),
        ..IntakeOptions::default()
    });
    for line in sample.events()?.lines() {
        intake.line(line.as_bytes(), |event, _| {
            let explainer = explainers
                .entry(event.ticket_id.clone().into_owned())
                .or_insert_with(|| Explainer::new(&event.ticket_id, &sets));
            explainer.tell(event);
            Ok(())
        });
    }
    let now_ms = intake.end_ms();
    let all = explainers.into_values().map(|mut explainer| Explained {
        explanation: explainer.explain(now_ms),
        sets: sets.clone(),
        source: sample.name.to_owned(),
        dead_letters: Vec::new(),
    });
    Some(all.collect())
}

fn instant(value: &Value) -> i64 {
    parse_instant(value.as_str().expect("an instant")).expect("an instant")
}

/// What the segments come to: where they end, and the elapsed time there and at the decision.
fn add_up(cycle: &Value, sets: &PolicySets) {
    let outcome = &cycle["outcome"];
    let set = sets.sets().iter().find(|set| {
        !outcome["policy_set"].is_null() && set.effective_from_ms == instant(&outcome["policy_set"])
    });
    let decided_ms = outcome["decided_at"].as_str().and_then(parse_instant);
    let (mut at_ms, mut elapsed_ms, mut decided_elapsed_ms) =
        (instant(&outcome["started_at"]), 0, 0);
    for segment in cycle["segments"].as_array().expect("segments") {
        assert_eq!(instant(&segment["from"]), at_ms, "a gap: {cycle:#}");
        at_ms = instant(&segment["to"]);
        elapsed_ms += business_ms(segment, set);
        assert_eq!(segment["elapsed_ms"], elapsed_ms, "{cycle:#}");
        if decided_ms.is_some_and(|decided_ms| at_ms <= decided_ms) {
            decided_elapsed_ms = elapsed_ms;
        }
    }
    if let Some(stopped_ms) = outcome["stopped_at"].as_str().and_then(parse_instant) {
        assert_eq!(at_ms, stopped_ms, "{cycle:#}");
        assert_eq!(outcome["elapsed_ms"], elapsed_ms, "{cycle:#}");
    }
    if let Some(shares) = outcome["shares"].as_array() {
        let sum: i64 = shares
            .iter()
            .map(|share| share["ms"].as_i64().expect("ms"))
            .sum();
        assert_eq!(sum, decided_elapsed_ms, "{cycle:#}");
    }
    let target_ms = outcome["target_ms"].as_i64();
    match cycle["state"].as_str().expect("a state") {
        // A target that comes into force at the stop may have been used up already: the due is then the stop itself.
        "met" => assert!(
            target_ms.is_some_and(|ms| decided_elapsed_ms <= ms)
                || outcome["due_at"] == outcome["decided_at"],
            "{cycle:#}"
        ),
        "breached" => assert!(
            target_ms.is_some_and(|ms| decided_elapsed_ms >= ms),
            "{cycle:#}"
        ),
        _ => {}
    }
}

/// What a segment adds, by the calendar of the policy that it names.
fn business_ms(segment: &Value, set: Option<&PolicySet>) -> i64 {
    let (from_ms, to_ms) = (instant(&segment["from"]), instant(&segment["to"]));
    let named = |set: &PolicySet| {
        let policies = set.policies.iter();
        let mut policies = policies.filter(|policy| segment["policy"] == policy.name.as_str());
        policies.next().and_then(|policy| policy.calendar.clone())
    };
    let open_ms = match set.and_then(named) {
        Some(calendar) => calendar.elapsed(from_ms, to_ms),
        None => to_ms - from_ms,
    };
    match segment["what"].as_str() {
        Some("running" | "in_hours") => {
            assert!(open_ms > 0, "{segment:#}");
            open_ms
        }
        Some("closed") => {
            assert_eq!(open_ms, 0, "{segment:#}");
            0
        }
        Some("paused" | "over") => 0,
        what => panic!("{what:?}"),
    }
}

#[test]
fn every_ticket_of_the_samples_adds_up_to_its_expected_rows() {
    for sample in [INCIDENTS, RANDOM] {
        let Some(all) = explained(&sample) else {
            continue;
        };
        let mut expected: BTreeMap<String, Value> = BTreeMap::new();
        let folder = sample.folder().expect("it was there");
        for line in lines(&folder.join("expected/outcomes.jsonl")) {
            let row: Value = serde_json::from_str(&line).expect("a row is JSON");
            expected.insert(
                format!("{} {} {}", row["ticket_id"], row["metric"], row["cycle"]),
                row,
            );
        }
        for one in &all {
            let told = json(one);
            let events = one.explanation.events.len();
            assert!(text(one, true).lines().count() > events, "{told:#}");
            for cycle in told["cycles"].as_array().expect("cycles") {
                add_up(cycle, &one.sets);
                if cycle["has_row"] == true {
                    let row = &cycle["outcome"];
                    let key = format!("{} {} {}", row["ticket_id"], row["metric"], row["cycle"]);
                    assert_eq!(Some(row), expected.remove(&key).as_ref(), "{key}");
                }
            }
        }
        assert!(
            expected.is_empty(),
            "never explained: {:?}",
            expected.keys()
        );
    }
}
