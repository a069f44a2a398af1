//! The life of a threshold alert.

use super::builders::{Flush, Story, at, contacts, evidence, first_replies, service_level};
use slawatch_wire::v1::Measures;

/// (the flush at that time, what it makes known)
type Steps<'a> = &'a [(Flush, &'a [&'a str])];

fn story(rules: &str, steps: Steps<'_>) -> Story {
    let mut story = Story::under(rules);
    for (step, (flush, expected)) in steps.iter().enumerate() {
        story.hear(flush.clone());
        assert_eq!(story.tellings(), *expected, "step {step}");
    }
    story
}

#[test]
fn it_fires_below_and_resolves_at_the_level_to_leave() {
    story(
        &service_level(""),
        &[
            (Flush::at("10:00:10").contacts("10:00", 20, 16), &[]),
            (
                Flush::at("10:00:20").contacts("10:00", 21, 16),
                &["10:00:20 firing sl/acme/refunds"],
            ),
            // 25/30 = 83.3 %: above the level to enter, below the level to leave.
            (Flush::at("10:00:30").contacts("10:00", 30, 25), &[]),
            // 34/40 = 85 %: the level to leave itself is enough.
            (
                Flush::at("10:00:40").contacts("10:00", 40, 34),
                &["10:00:40 resolved sl/acme/refunds"],
            ),
            (Flush::at("10:00:50").contacts("10:00", 41, 34), &[]),
        ],
    );
}

#[test]
fn too_few_samples_do_not_fire_but_do_not_keep_it_firing_either() {
    story(
        &service_level(""),
        &[
            (Flush::at("10:00:10").contacts("10:00", 9, 0), &[]),
            (
                Flush::at("10:00:20").contacts("10:00", 10, 0),
                &["10:00:20 firing sl/acme/refunds"],
            ),
            (Flush::at("10:04:50").contacts("10:04", 2, 2), &[]),
            // The bad minute has left the window: two good contacts are what is known.
            (Flush::at("10:05:00"), &["10:05 resolved sl/acme/refunds"]),
        ],
    );
}

#[test]
fn an_empty_window_ends_it_and_says_so() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 0));
    story.hear(Flush::at("10:04:59"));
    assert_eq!(story.tellings(), ["10:00:30 firing sl/acme/refunds"]);
    story.hear(Flush::at("10:05"));
    assert_eq!(story.last().reason, "no contacts left in the window");
    assert_eq!(
        story.last().summary,
        "acme / refunds: service level no value over 5m (target to leave: 85 %), 0 of 0 contacts in target"
    );
}

#[test]
fn with_for_it_is_pending_first() {
    story(
        &service_level("for = \"2m\""),
        &[
            (
                Flush::at("10:00:30").contacts("10:00", 20, 0),
                &["10:00:30 pending sl/acme/refunds"],
            ),
            (Flush::at("10:02:29"), &[]),
            (Flush::at("10:02:30"), &["10:02:30 firing sl/acme/refunds"]),
        ],
    );
}

#[test]
fn a_dip_shorter_than_for_never_fires() {
    let mut story = story(
        &service_level("for = \"2m\""),
        &[
            (
                Flush::at("10:00:30").contacts("10:00", 20, 15),
                &["10:00:30 pending sl/acme/refunds"],
            ),
            (
                Flush::at("10:01:30").contacts("10:01", 20, 20),
                &["10:01:30 resolved sl/acme/refunds"],
            ),
            (
                Flush::at("10:01:40").contacts("10:01", 40, 20),
                &["10:01:40 pending sl/acme/refunds"],
            ),
            (Flush::at("10:03:39"), &[]),
        ],
    );
    story.hear(Flush::at("10:03:40"));
    assert_eq!(
        (story.last().revision, story.last().fired_at_ms),
        (4, Some(at("10:03:40")))
    );
}

#[test]
fn what_ends_a_pending_alert_has_no_incident() {
    let mut story = Story::under(&service_level("for = \"2m\""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 15));
    assert_eq!(
        (story.last().incident.as_str(), story.last().fired_at_ms),
        ("", None)
    );
    assert_eq!(
        story.last().reason,
        "below 80 %; fires if it stays so for 2m"
    );
    story.hear(Flush::at("10:01").contacts("10:00", 20, 16));
    assert_eq!(
        (story.last().incident.as_str(), story.last().fired_at_ms),
        ("", None)
    );
    assert_eq!(
        story.last().reason,
        "no longer below 80 % before 2m had passed"
    );
}

#[test]
fn keep_firing_for_rides_out_a_short_recovery() {
    story(
        &service_level("keep_firing_for = \"3m\""),
        &[
            (
                Flush::at("10:00:30").contacts("10:00", 20, 0),
                &["10:00:30 firing sl/acme/refunds"],
            ),
            (Flush::at("10:01").contacts("10:01", 180, 180), &[]),
            (Flush::at("10:03:59").contacts("10:03", 100, 0), &[]),
            (Flush::at("10:04:30").contacts("10:04", 900, 900), &[]),
            (Flush::at("10:07:29"), &[]),
            (
                Flush::at("10:07:30"),
                &["10:07:30 resolved sl/acme/refunds"],
            ),
        ],
    );
}

#[test]
fn one_incident_per_episode_under_one_key() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 0));
    story.hear(Flush::at("10:10"));
    story.hear(Flush::at("10:11").contacts("10:11", 20, 0));
    let told = &story.told;
    let keys: Vec<&str> = told.iter().map(|told| told.key.as_str()).collect();
    assert_eq!(keys, ["sl/acme/refunds"; 3]);
    let revisions: Vec<u64> = told.iter().map(|told| told.revision).collect();
    assert_eq!(revisions, [1, 2, 3]);
    assert_eq!(told[0].incident, told[1].incident);
    assert_ne!(told[0].incident, told[2].incident);
    assert_eq!(told[1].fired_at_ms, told[0].fired_at_ms);
}

#[test]
fn the_alert_explains_itself() {
    let mut story = Story::under(&service_level(
        "runbook_url = \"https://wiki/sl\"\nlabels = { team = \"ops\" }",
    ));
    story.hear(Flush::at("10:00:30").row(
        "acme-manila",
        "refunds",
        "10:00",
        Measures {
            answered: 70,
            abandoned: 10,
            answered_in_target: 47,
            abandoned_in_target: 2,
            ..Measures::default()
        },
    ));
    let told = story.last();
    assert_eq!(
        told.summary,
        "acme-manila / refunds: service level 61.3 % over 5m (target to leave: 85 %), 49 of 80 contacts in target"
    );
    assert_eq!(told.reason, "below 80 %");
    assert_eq!(told.severity, "critical");
    assert_eq!(told.runbook_url, "https://wiki/sl");
    assert_eq!(told.labels["team"], "ops");
    assert_eq!((told.at_ms, told.due_ms), (at("10:00:30"), at("10:00:30")));
    for (name, value) in [
        ("value", 0.6125),
        ("numerator", 49.0),
        ("denominator", 80.0),
        ("min_samples", 10.0),
        ("enter", 0.8),
        ("exit", 0.85),
        ("window_ms", 300_000.0),
        ("answered", 70.0),
        ("abandoned", 10.0),
        ("answered_in_target", 47.0),
        ("abandoned_in_target", 2.0),
    ] {
        assert_eq!(evidence(told, name), Some(value), "{name}");
    }
    story.hear(Flush::at("10:00:40").row("acme-manila", "refunds", "10:00", contacts(100, 90)));
    assert_eq!(story.last().reason, "back at 90.0 %: 85 % or better");
}

#[test]
fn own_words_are_used() {
    let mut story = Story::under(&service_level(
        "summary = \"{vendor} drowns in {queue}: {value} of {denominator}, below {enter}\"",
    ));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 10));
    assert_eq!(
        story.last().summary,
        "acme drowns in refunds: 50.0 % of 20, below 80 %"
    );
}

#[test]
fn a_vendor_is_its_matching_queues_together() {
    let rules = r#"[[rule]]
name = "vendor-sl"
type = "threshold"
measure = "service_level"
window = "5m"
enter = "80%"
exit = "85%"
severity = "error"
by = ["vendor"]
match = { vendor = ["acme*"], queue = ["ref*", "billing"] }
"#;
    let mut story = Story::under(rules);
    story.hear(
        Flush::at("10:00:30")
            .contacts_of("refunds", "10:00", 50, 30)
            .contacts_of("billing", "10:00", 50, 49)
            .contacts_of("chat", "10:00", 1000, 1000)
            .row("globex", "refunds", "10:00", contacts(50, 0)),
    );
    assert_eq!(story.told.len(), 1);
    let told = story.last();
    assert_eq!(
        (told.key.as_str(), told.queue.as_str()),
        ("vendor-sl/acme", "")
    );
    assert_eq!(
        told.summary,
        "acme: service level 79.0 % over 5m (target to leave: 85 %), 79 of 100 contacts in target, worst queue refunds 60.0 %"
    );
    assert_eq!(evidence(told, "queue.refunds"), Some(0.6));
    assert_eq!(evidence(told, "queue.billing"), Some(0.98));
}

#[test]
fn higher_is_worse_for_times_and_counts() {
    let rules = r#"[[rule]]
name = "aht"
type = "threshold"
measure = "aht"
window = "5m"
enter = "6m"
exit = "5m"
min_samples = 3
severity = "warning"
by = ["vendor", "queue"]
[[rule]]
name = "misses"
type = "threshold"
measure = "breached.first_reply"
window = "5m"
enter = 4
exit = 1
severity = "warning"
by = ["vendor", "queue"]
"#;
    let handled = |handled, talk_ms| Measures {
        handled,
        talk_ms,
        ..Measures::default()
    };
    let story = story(
        rules,
        &[
            (
                Flush::at("10:00:10").row("acme", "chat", "10:00", handled(3, 1_080_000)),
                &[],
            ),
            (
                Flush::at("10:00:20").row("acme", "chat", "10:00", handled(3, 1_080_003)),
                &["10:00:20 firing aht/acme/chat"],
            ),
            (
                Flush::at("10:00:30").row("acme", "chat", "10:00", handled(4, 1_333_332)),
                &[],
            ),
            (
                Flush::at("10:00:40").row("acme", "chat", "10:00", handled(6, 1_800_000)),
                &["10:00:40 resolved aht/acme/chat"],
            ),
            (
                Flush::at("10:01").row("acme", "refunds", "10:01", first_replies(0, 4)),
                &[],
            ),
            (
                Flush::at("10:01:10").row("acme", "refunds", "10:01", first_replies(0, 5)),
                &["10:01:10 firing misses/acme/refunds"],
            ),
            (
                Flush::at("10:05:59").row("acme", "refunds", "10:05", first_replies(0, 1)),
                &[],
            ),
            (Flush::at("10:06"), &["10:06 resolved misses/acme/refunds"]),
        ],
    );
    assert_eq!(story.evaluator.stats().batches, 8);
}

#[test]
fn a_backlog_is_what_is_open_now() {
    let rules = r#"[[rule]]
name = "backlog"
type = "threshold"
measure = "backlog"
enter = 100
exit = 80
severity = "warning"
by = ["vendor", "queue"]
"#;
    let mut story = Story::under(rules);
    story.hear(
        Flush::at("10:00:10")
            .source(0, 2)
            .open("refunds", 60, "09:00"),
    );
    story.hear(
        Flush::at("10:00:10")
            .source(1, 2)
            .open("refunds", 40, "08:00"),
    );
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(
        Flush::at("10:00:20")
            .source(0, 2)
            .open("refunds", 61, "09:00"),
    );
    story.hear(Flush::at("10:00:20").source(1, 2));
    assert_eq!(
        story.last().summary,
        "acme / refunds: backlog 101 (target to leave: 80)"
    );
    assert_eq!(evidence(story.last(), "oldest_age_ms"), Some(7_220_000.0));
    assert_eq!(story.tellings(), ["10:00:20 firing backlog/acme/refunds"]);
    // It stays so for hours without a word about it.
    story.hear(Flush::at("13:00").source(0, 2));
    story.hear(Flush::at("13:00").source(1, 2).open("refunds", 19, "08:00"));
    assert_eq!(story.tellings(), ["13:00 resolved backlog/acme/refunds"]);
}

#[test]
fn every_pane_passed_is_looked_at_once_however_the_clock_jumps() {
    let mut live = Story::under(&service_level("for = \"1m\""));
    let mut jumping = Story::under(&service_level("for = \"1m\""));
    let rows = |flush: Flush| {
        flush
            .contacts("10:01", 20, 0)
            .contacts("10:03", 200, 200)
            .contacts("10:04", 900, 0)
    };
    live.hear(rows(Flush::at("10:00:00")));
    jumping.hear(rows(Flush::at("10:00:00")));
    for minute in 0..20 {
        live.hear(Flush::at(&format!("10:{minute:02}:59.999")));
    }
    live.hear(Flush::at("10:20"));
    jumping.hear(Flush::at("10:20"));
    assert_eq!(live.told, jumping.told);
    assert_eq!(
        live.tellings(),
        [
            "10:01:59.999 pending sl/acme/refunds",
            "10:02:59.999 firing sl/acme/refunds",
            "10:03:59.999 resolved sl/acme/refunds",
            "10:04:59.999 pending sl/acme/refunds",
            "10:05:59.999 firing sl/acme/refunds",
            "10:09:59.999 resolved sl/acme/refunds",
        ]
    );
}

#[test]
fn a_clock_that_jumps_by_years_is_no_work() {
    let mut story = Story::under(&service_level("keep_firing_for = \"10m\""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 0));
    let mut far = Flush::at("10:00");
    far.0.clock_ms = i64::MAX;
    far = far.contacts("12:00", 20, 0);
    story.hear(far);
    assert_eq!(
        story.tellings(),
        [
            "10:00:30 firing sl/acme/refunds",
            "10:15:59.999 resolved sl/acme/refunds",
            "12:00:59.999 firing sl/acme/refunds",
            "12:15:59.999 resolved sl/acme/refunds",
        ]
    );
}

#[test]
fn late_events_may_show_that_it_never_was_so() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:59").contacts("10:00", 40, 32));
    story.hear(Flush::at("10:01:10").contacts("10:01", 1, 0));
    assert_eq!(story.tellings(), ["10:01:10 firing sl/acme/refunds"]);
    story.hear(Flush::at("10:01:20").contacts("10:00", 40, 39));
    assert_eq!(
        story.last().reason,
        "late events show that it was never below 80 %"
    );
    assert_eq!(story.tellings(), ["10:01:20 retracted sl/acme/refunds"]);
}

#[test]
fn a_recovery_is_no_correction() {
    let mut story = Story::under(&service_level(""));
    story.hear(
        Flush::at("10:01:10")
            .contacts("10:00", 40, 32)
            .contacts("10:01", 1, 0),
    );
    story.hear(Flush::at("10:01:20").contacts("10:01", 100, 99));
    assert_eq!(story.last().reason, "back at 93.6 %: 85 % or better");
}

#[test]
fn a_correction_adds_and_counts_once() {
    let mut story = Story::under(&service_level(""));
    let correction = |flush: Flush, part| {
        let less = Measures {
            answered_in_target: -1,
            ..Measures::default()
        };
        flush.correction(part, "10:00", less)
    };
    story.hear(Flush::at("10:00:59").contacts("10:00", 10, 9));
    story.hear(correction(Flush::at("10:01:10"), 7));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(correction(Flush::at("10:01:20").epoch(2), 7));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(correction(Flush::at("10:01:30").epoch(2), 8));
    assert_eq!(story.tellings(), ["10:01:30 firing sl/acme/refunds"]);
}

#[test]
fn half_of_a_flush_fires_nothing() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00"));
    // The bad half of a flush too large for one record, then the good one.
    story.hear(Flush::at("10:05").more().contacts("10:04", 20, 0));
    assert_eq!(story.evaluator.clock_ms(), Some(at("10:00")));
    story.hear(Flush::at("10:05").contacts("10:03", 400, 400));
    assert_eq!(story.evaluator.clock_ms(), Some(at("10:05")));
    assert_eq!(story.tellings(), Vec::<String>::new());
}
