//! Alerts of single clocks.

use super::builders::{Flush, Story, at, breached, evidence, outcome, rules};
use crate::{Evaluator, Home};
use slawatch_wire::v1::{CycleState, Metric, OutcomeRow};
use slawatch_wire::vendor_partition;

const RULES: &str = r#"[[rule]]
name = "urgent"
type = "ticket"
on = ["breached", "warning"]
metrics = ["first_reply"]
priority = ["urgent", "high"]
severity = "error"
match = { vendor = ["acme*"] }
"#;

const QUIET: [&str; 0] = [];

fn answered(stopped: &str) -> OutcomeRow {
    OutcomeRow {
        stopped_at_ms: Some(at(stopped)),
        elapsed_ms: Some(at(stopped) - at("10:00")),
        ..breached("10:15")
    }
}

#[test]
fn a_breach_fires_at_its_due_and_resolves_when_the_clock_stops() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:00").outcome(outcome(CycleState::Running)));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
    let told = story.last();
    assert_eq!(told.key, "urgent/acme/T1/first_reply/1/breached");
    assert_eq!(
        told.summary,
        "acme / refunds: ticket T1 (urgent) first_reply breached, not fulfilled within 15m"
    );
    assert_eq!(
        (told.fired_at_ms, told.due_ms),
        (Some(at("10:15")), at("10:15"))
    );
    assert_eq!(evidence(told, "target_ms"), Some(900_000.0));
    assert_eq!(story.tellings(), ["10:15 firing urgent/acme/refunds/T1"]);
    // A repeat after a takeover says nothing new.
    story.hear(Flush::at("10:16").epoch(2).outcome(breached("10:15")));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("10:20").epoch(2).outcome(answered("10:19")));
    assert_eq!(story.last().reason, "the clock stopped after 19m");
    assert_eq!(story.tellings(), ["10:19 resolved urgent/acme/refunds/T1"]);
    story.hear(Flush::at("10:21").epoch(3).outcome(answered("10:19")));
    assert_eq!(story.tellings(), QUIET);
}

#[test]
fn it_waits_for_no_clock() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:00").source(0, 2));
    story.hear(Flush::at("10:00").source(1, 2));
    story.hear(
        Flush::at("10:15:02")
            .source(0, 2)
            .outcome(breached("10:15")),
    );
    assert_eq!(story.tellings(), ["10:15 firing urgent/acme/refunds/T1"]);
}

/// Case 23 of SEMANTICS 7, and its kin: (what the later row says, what is told of it).
#[test]
fn a_breach_that_late_events_undo_is_retracted() {
    let deleted = OutcomeRow {
        deleted: true,
        ..outcome(CycleState::Unspecified)
    };
    let elsewhere = OutcomeRow {
        vendor: "globex".to_owned(),
        ..breached("10:15")
    };
    let deleted_elsewhere = OutcomeRow {
        vendor: "globex".to_owned(),
        ..deleted.clone()
    };
    let low = OutcomeRow {
        priority: "low".to_owned(),
        ..breached("10:15")
    };
    let retracted = "10:20 retracted urgent/acme/refunds/T1";
    for (case, row, told) in [
        ("paused", outcome(CycleState::Paused), Some(retracted)),
        ("met", outcome(CycleState::Met), Some(retracted)),
        ("deleted", deleted, Some(retracted)),
        ("of another vendor", elsewhere, Some(retracted)),
        ("of low priority", low, Some(retracted)),
        ("deleted at another vendor", deleted_elsewhere, None),
        ("breached all the same", breached("10:15"), None),
    ] {
        let mut story = Story::under(RULES);
        story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
        let incident = story.last().incident.clone();
        story.tellings();
        story.hear(Flush::at("10:20").outcome(row.clone()));
        let same = story.told.iter().all(|told| told.incident == incident);
        assert!(same, "{case}");
        assert_eq!(story.tellings(), Vec::from_iter(told), "{case}");
        // Also once it was over, for receivers have been told a falsehood.
        let mut story = Story::under(RULES);
        story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
        story.hear(Flush::at("10:19:02").outcome(answered("10:19")));
        story.tellings();
        story.hear(Flush::at("10:20").outcome(row));
        assert_eq!(
            story.tellings(),
            Vec::from_iter(told),
            "{case}, resolved before"
        );
    }
}

#[test]
fn what_was_retracted_may_come_back() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
    story.hear(Flush::at("10:16").outcome(outcome(CycleState::Paused)));
    story.hear(Flush::at("10:30").outcome(breached("10:25")));
    assert_eq!(story.last().revision, 3);
    assert_eq!(
        story.tellings(),
        [
            "10:15 firing urgent/acme/refunds/T1",
            "10:16 retracted urgent/acme/refunds/T1",
            "10:25 firing urgent/acme/refunds/T1",
        ]
    );
}

#[test]
fn a_breach_learnt_of_when_it_is_over_is_told_whole() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:20").outcome(answered("10:19")));
    assert_eq!(
        story.tellings(),
        [
            "10:15 firing urgent/acme/refunds/T1",
            "10:19 resolved urgent/acme/refunds/T1"
        ]
    );
}

#[test]
fn only_what_the_rule_covers() {
    let other = |change: fn(&mut OutcomeRow)| {
        let mut row = breached("10:15");
        change(&mut row);
        row
    };
    for row in [
        other(|row| row.priority = "low".to_owned()),
        other(|row| row.vendor = "globex".to_owned()),
        other(|row| row.metric = 6),
        other(|row| row.metric = 99),
    ] {
        let mut story = Story::under(RULES);
        story.hear(Flush::at("10:15:02").outcome(row.clone()));
        assert_eq!(story.tellings(), QUIET, "{row:?}");
    }
}

#[test]
fn a_warning_is_told_once_a_level_and_ends_with_the_clock() {
    for (state, why) in [
        (CycleState::Met, "fulfilled in time"),
        (CycleState::Cancelled, "the clock was cancelled"),
        (CycleState::Untargeted, "no target holds any more"),
    ] {
        let mut story = Story::under(RULES);
        story.hear(Flush::at("10:08").warning("0.5", "10:07:30"));
        assert_eq!(
            story.last().summary,
            "acme / refunds: ticket T1 (urgent) first_reply about to be breached, reached the warning level 0.5 of 15m"
        );
        story.hear(Flush::at("10:09").epoch(2).warning("0.5", "10:07:30"));
        story.hear(Flush::at("10:12").epoch(2).warning("0.8", "10:12"));
        assert_eq!(
            story.tellings(),
            [
                "10:07:30 firing urgent/acme/refunds/T1",
                "10:12 firing urgent/acme/refunds/T1"
            ]
        );
        story.hear(
            Flush::at("10:13")
                .epoch(2)
                .outcome(outcome(CycleState::Running)),
        );
        assert_eq!(story.tellings(), QUIET);
        story.hear(Flush::at("10:14").epoch(2).outcome(outcome(state)));
        assert_eq!(story.last().reason, why);
        assert_eq!(
            story.tellings(),
            ["10:14 resolved urgent/acme/refunds/T1"; 2]
        );
        story.hear(Flush::at("10:15").epoch(3).warning("0.8", "10:12"));
        assert_eq!(story.tellings(), QUIET);
    }
}

#[test]
fn a_warning_gives_way_to_the_breach_of_the_same_flush() {
    let mut story = Story::under(RULES);
    story.hear(
        Flush::at("10:16")
            .warning("0.8", "10:12")
            .outcome(breached("10:15")),
    );
    let told: Vec<(String, &str)> = story
        .told
        .iter()
        .map(|told| (super::builders::telling(told), told.reason.as_str()))
        .collect();
    let subject = |text: &str| format!("{text} urgent/acme/refunds/T1");
    assert_eq!(
        told,
        [
            (
                subject("10:12 firing"),
                "reached the warning level 0.8 of 15m"
            ),
            (subject("10:16 resolved"), "the clock is breached now"),
            (subject("10:15 firing"), "not fulfilled within 15m"),
        ]
    );
}

#[test]
fn a_warning_expires_when_the_ticket_goes_to_another_vendor() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:08").warning("0.5", "10:07:30"));
    story.tellings();
    story.hear(Flush::at("10:09").outcome(OutcomeRow {
        vendor: "globex".to_owned(),
        ..outcome(CycleState::Running)
    }));
    assert_eq!(story.tellings(), ["10:09 expired urgent/acme/refunds/T1"]);
}

#[test]
fn a_warning_of_which_nothing_is_heard_expires() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:08").warning("0.5", "10:07:30"));
    story.tellings();
    story.hear(Flush::at("178:00"));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("179:00"));
    assert_eq!(
        story.last().reason,
        "nothing was heard of this clock for 7 days"
    );
    assert_eq!(
        story.tellings(),
        ["178:59:59.999 expired urgent/acme/refunds/T1"]
    );
}

#[test]
fn what_is_over_is_forgotten_after_a_day() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
    story.hear(Flush::at("10:20").outcome(answered("10:19")));
    story.hear(Flush::at("34:00").outcome(answered("10:19")));
    story.tellings();
    story.hear(Flush::at("36:00"));
    assert_eq!(story.tellings(), QUIET);
    assert!(story.evaluator.tickets.alerts.is_empty());
}

/// As after days without a broker, or where the log holds months: who is paged for it is decided behind.
#[test]
fn a_breach_is_told_however_old_it_is() {
    let told = ["10:15 firing urgent/acme/refunds/T1"];
    let mut story = Story::under(RULES);
    story.hear(Flush::at("900:00").outcome(breached("10:15")));
    assert_eq!(story.tellings(), told);
    // Remembered as long as its cycle runs.
    story.hear(Flush::at("950:00").epoch(2).outcome(breached("10:15")));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("950:10").epoch(2).outcome(answered("950:05")));
    assert_eq!(story.tellings(), ["950:05 resolved urgent/acme/refunds/T1"]);

    let mut story = Story::under(RULES);
    story.hear(Flush::at("900:00").outcome(answered("10:19")));
    story.hear(Flush::at("910:00").epoch(2).outcome(answered("10:19")));
    assert_eq!(
        story.tellings(),
        [told[0], "10:19 resolved urgent/acme/refunds/T1"]
    );
}

#[test]
fn the_breach_of_a_contact_whose_end_never_comes_expires() {
    let any_metric = RULES.replace("metrics = [\"first_reply\"]\n", "");
    let mut story = Story::under(&any_metric);
    let contact = OutcomeRow {
        metric: Metric::Answer as i32,
        ..breached("10:15")
    };
    story.hear(
        Flush::at("10:15:02")
            .outcome(contact.clone())
            .outcome(breached("10:15")),
    );
    story.tellings();
    story.hear(Flush::at("754:00"));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("755:00"));
    assert_eq!(
        story.last().reason,
        "no end of this contact was heard of for 31 days; a ticket that is over is forgotten by then"
    );
    assert_eq!(story.last().key, "urgent/acme/T1/answer/1/breached");
    assert_eq!(
        story.tellings(),
        ["754:59:59.999 expired urgent/acme/refunds/T1"]
    );
    // A repeat changes nothing, and what it expired beside goes on.
    story.hear(Flush::at("755:01").epoch(2).outcome(contact));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("756:10").epoch(2).outcome(answered("756:05")));
    assert_eq!(story.tellings(), ["756:05 resolved urgent/acme/refunds/T1"]);
}

#[test]
fn a_breach_that_nobody_answers_keeps_firing() {
    let mut story = Story::under(RULES);
    story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
    story.tellings();
    story.hear(Flush::at("400:00"));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("400:10").outcome(answered("400:05")));
    assert_eq!(story.tellings(), ["400:05 resolved urgent/acme/refunds/T1"]);
}

#[test]
fn what_begins_is_told_by_the_partition_of_its_vendor_alone() {
    let at_home: Vec<u32> = (0..8)
        .filter(|partition| {
            let mut story = Story::under(RULES);
            let home = Home {
                partition: *partition,
                partitions: 8,
            };
            story.evaluator = Evaluator::new(rules(RULES), home);
            story.hear(Flush::at("10:15:02").outcome(breached("10:15")));
            !story.told.is_empty()
        })
        .collect();
    assert_eq!(at_home, [vendor_partition("acme", 8)]);
}
