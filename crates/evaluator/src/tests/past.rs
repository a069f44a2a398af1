//! What must hold of the past for every log: the sums are those of the rows, however late and however often replaced, and a
//! snapshot anywhere changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use slawatch_calendar::{PeriodLength, Periods};
use slawatch_wire::v1::{Measures, SignalBatch};

use super::builders::{ALONE, Flush, TEN, contacts, rules, signal};
use crate::Evaluator;
use crate::counters::{Counter, Totals};
use crate::history::{HOUR_MS, REPLACED_PANES};

const RULES: &str = r#"[[rule]]
name = "day"
type = "burn"
measure = "service_level"
target = "80%"
period = "day"
timezone = "Asia/Kathmandu"
windows = ["30m", "2h"]
min_samples = 5
severity = "error"
by = ["vendor", "queue"]
[[rule]]
name = "week"
type = "projection"
measure = "service_level"
target = "80%"
period = "week"
timezone = "Europe/Berlin"
needs = "85%"
min_samples = 5
severity = "error"
by = ["vendor"]
[[rule]]
name = "other"
type = "change"
measure = "service_level"
window = "2h"
weeks = 1
at_least = "1%"
error_rate = "50%"
min_samples = 5
severity = "error"
by = ["vendor", "queue"]
"#;

const MINUTE_MS: i64 = 60_000;

/// One flush: the clock's step, the rows of recent panes, and corrections of panes of any age, all in minutes back.
#[derive(Clone, Debug)]
struct Round {
    step_min: i64,
    rows: Vec<(usize, i64, i64, i64)>,
    corrections: Vec<(usize, i64, i64)>,
}

const QUEUES: [&str; 2] = ["refunds", "chat"];

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let row = (0..2usize, 0..200i64, 0..30i64, 0..30i64);
    let correction = (0..2usize, 0..20_000i64, -3..4i64);
    let round = (
        1..900i64,
        proptest::collection::vec(row, 0..4),
        proptest::collection::vec(correction, 0..3),
    );
    let round = round.prop_map(|(step_min, rows, corrections)| Round {
        step_min,
        rows,
        corrections,
    });
    proptest::collection::vec(round, 1..40)
}

/// What each (queue, pane) comes to, and the log.
type Truth = BTreeMap<(usize, i64), i64>;

fn log(rounds: &[Round]) -> (Vec<SignalBatch>, Vec<Truth>, Vec<i64>) {
    let (mut now_min, mut part) = (TEN / MINUTE_MS, 0);
    let mut rows: Truth = BTreeMap::new();
    let mut corrected: Truth = BTreeMap::new();
    let (mut batches, mut truths, mut clocks) = (Vec::new(), Vec::new(), Vec::new());
    for (number, round) in rounds.iter().enumerate() {
        now_min += round.step_min;
        let mut flush = Flush::at("10:00");
        for (queue, back, answered, in_target) in &round.rows {
            let pane = now_min - back;
            rows.insert((*queue, pane), *answered);
            let measures = contacts(*answered, (*in_target).min(*answered));
            flush = flush.row("acme", QUEUES[*queue], "10:00", measures);
            if let Some(row) = flush.0.panes.last_mut() {
                row.pane_ms = pane * MINUTE_MS;
            }
        }
        for (queue, back, by) in &round.corrections {
            part += 1;
            let pane = now_min - back;
            *corrected.entry((*queue, pane)).or_default() += by;
            flush = flush.row("acme", QUEUES[*queue], "10:00", contacts(*by, *by));
            if let Some(row) = flush.0.panes.last_mut() {
                (row.pane_ms, row.part) = (pane * MINUTE_MS, part);
            }
        }
        let mut batch = flush.0;
        batch.batch = number as u64 + 1;
        batch.clock_ms = now_min * MINUTE_MS + 30_000;
        batches.push(batch);
        let mut truth = rows.clone();
        for (key, by) in &corrected {
            *truth.entry(*key).or_default() += by;
        }
        truths.push(truth);
        clocks.push(now_min);
    }
    (batches, truths, clocks)
}

fn snapshot(evaluator: &Evaluator) -> Vec<u8> {
    let mut bytes = Vec::new();
    evaluator.snapshot(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Of every period that runs and every hour that is kept: what is counted is what the rows say.
    #[test]
    fn the_past_is_the_sum_of_its_rows(rounds in rounds()) {
        let rules = rules(RULES);
        let (batches, truths, clocks) = log(&rounds);
        let mut evaluator = Evaluator::new(Arc::clone(&rules), ALONE);
        let mut told = Vec::new();
        for ((batch, truth), now_min) in batches.into_iter().zip(&truths).zip(&clocks) {
            evaluator.apply(&signal(batch), &mut told);
            let now_ms = now_min * MINUTE_MS;
            let Some(vendor) = evaluator.groups.vendors.get("acme") else { continue };
            for (name, queue) in &vendor.queues {
                let of_queue = |from_ms: i64, to_ms: i64| -> i64 {
                    let own = truth.iter().filter(|((queue, pane), _)| {
                        QUEUES[*queue] == name && (from_ms..to_ms).contains(&(pane * MINUTE_MS))
                    });
                    own.map(|(_, answered)| answered).sum()
                };
                let history = &queue.figures.history;
                for (length, zone) in [(PeriodLength::Day, "Asia/Kathmandu"), (PeriodLength::Week, "Europe/Berlin")] {
                    let periods = Periods::new(length, zone).expect("a zone");
                    let place = rules.plan.place(&periods).expect("it is in the plan");
                    let period = periods.around(now_ms);
                    let mut sum = Totals::ZERO;
                    history.sum_period(place, period, &mut sum);
                    prop_assert_eq!(sum.get(Counter::ANSWERED), of_queue(period.start_ms, period.end_ms));
                    prop_assert!(history.periods[place].len() <= 2);
                }
                let hour = now_ms.div_euclid(HOUR_MS);
                for (from, to) in [(hour, hour + 1), (hour - 24, hour), (hour - 4 * 168, hour + 1)] {
                    let mut sum = Totals::ZERO;
                    history.sum_hours(from..to, &mut sum);
                    prop_assert_eq!(sum.get(Counter::ANSWERED), of_queue(from * HOUR_MS, to * HOUR_MS));
                }
                prop_assert!(history.hours.len() as i64 <= 4 * 168 + 1 + REPLACED_PANES / 60);
            }
        }
    }

    #[test]
    fn a_snapshot_anywhere_changes_nothing(rounds in rounds(), cuts in proptest::collection::vec(any::<bool>(), 40)) {
        let rules = rules(RULES);
        let (batches, ..) = log(&rounds);
        let (mut whole, mut cut) = (Evaluator::new(Arc::clone(&rules), ALONE), Evaluator::new(Arc::clone(&rules), ALONE));
        let (mut told, mut told_cut) = (Vec::new(), Vec::new());
        for (batch, is_cut) in batches.into_iter().zip(cuts) {
            if is_cut {
                cut = Evaluator::restore(&rules, ALONE, &snapshot(&cut)).expect("a sound snapshot");
            }
            whole.apply(&signal(batch.clone()), &mut told);
            cut.apply(&signal(batch), &mut told_cut);
        }
        prop_assert_eq!(told, told_cut);
        prop_assert_eq!(snapshot(&whole), snapshot(&cut));
    }
}

/// Rows replaced as late as the tracker can, and rules that come later, find the panes that were kept.
#[test]
fn a_new_rule_begins_with_the_panes_that_were_kept() {
    let threshold = r#"[[rule]]
name = "sl"
type = "threshold"
measure = "service_level"
window = "2h"
enter = "10%"
exit = "20%"
severity = "info"
by = ["vendor"]
"#;
    let mut evaluator = Evaluator::new(rules(threshold), ALONE);
    let mut told = Vec::new();
    let flush = |number: u64, minute: &str, measures: Measures| {
        let mut batch = Flush::at(minute).row("acme", "refunds", minute, measures).0;
        batch.batch = number;
        signal(batch)
    };
    evaluator.apply(&flush(1, "10:00", contacts(50, 40)), &mut told);
    evaluator.apply(&flush(2, "13:00", contacts(7, 7)), &mut told);
    evaluator.apply(&flush(3, "14:00", contacts(5, 5)), &mut told);
    let changed = evaluator.under(rules(RULES)).expect("a sound state");
    let queue = &changed.groups.vendors["acme"].queues["refunds"];
    let place = 0;
    let period = changed.groups.past.almanac.period(place).expect("a period");
    let mut sum = Totals::ZERO;
    queue.figures.history.sum_period(place, period, &mut sum);
    assert_eq!(sum.get(Counter::ANSWERED), 12);
    assert!(!changed.groups.past.known.has_whole(place, period));
    // Under the same rules again, what is known is carried over.
    let again = changed
        .under(rules(&format!("{RULES}# again\n")))
        .expect("a sound state");
    assert_eq!(again.groups.past.known, changed.groups.past.known);
    let same = &again.groups.vendors["acme"].queues["refunds"];
    assert_eq!(same.figures.history, queue.figures.history);
}
