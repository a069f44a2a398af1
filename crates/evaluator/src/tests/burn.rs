//! Stories of error budgets that burn.

use std::ops::Range;

use super::builders::{Flush, Story, contacts, evidence};

/// 80 % a week. 10 % of the week's budget in 6 hours is 2.8 times what is allowed.
const BURNING: &str = r#"[[rule]]
name = "budget"
type = "burn"
measure = "service_level"
target = "80%"
period = "week"
timezone = "Asia/Manila"
windows = ["1h", "6h"]
severity = "critical"
by = ["vendor", "queue"]
"#;

/// In every ten minutes of these hours so many contacts, so many of them in target.
pub(super) fn hours(story: &mut Story, hours: Range<i64>, answered: i64, in_target: i64) {
    for step in hours.start * 6..hours.end * 6 {
        let minute = format!("{:02}:{}0", step / 6, step % 6);
        story.hear(Flush::at(&format!("{minute}:30")).contacts(&minute, answered, in_target));
    }
}

#[test]
fn a_low_target_can_fire_and_it_is_over_when_the_short_window_is_well() {
    let mut story = Story::under(BURNING);
    hours(&mut story, 10..13, 20, 19);
    assert_eq!(story.tellings(), Vec::<String>::new());
    hours(&mut story, 13..17, 20, 0);
    let told = story.last();
    assert_eq!(
        told.summary,
        "acme / refunds: service level uses up its error budget too fast, at 2.9 times over 6h and 5 times over 1h what \
         the contract of 80 % allows; 275 % of what the week's contacts so far allow is used"
    );
    assert_eq!(
        told.reason,
        "burning the error budget at 2.8 times over 6h and 2.8 times over 1h or more"
    );
    assert_eq!(told.kind, "burn");
    for (name, value) in [
        ("target", 0.8),
        ("factor.6h", 2.8),
        ("burn_rate.1h", 5.0),
        ("bad.6h", 416.0),
        ("samples.6h", 720.0),
        ("period_bad", 418.0),
        ("period_samples", 760.0),
        ("budget_used", 2.75),
    ] {
        let found = evidence(told, name).unwrap_or_else(|| panic!("no {name}"));
        assert!((found - value).abs() < 1e-9, "{name}: {found}");
    }
    assert_eq!(story.tellings(), ["16:10:30 firing budget/acme/refunds"]);
    hours(&mut story, 17..18, 20, 19);
    assert_eq!(
        story.last().reason,
        "burning at 3.4 times over 6h and 1.8 times over 1h what is allowed"
    );
    assert_eq!(story.tellings(), ["17:30:30 resolved budget/acme/refunds"]);
}

/// What was bad for a while is no lasting burn, and a few bad contacts are none.
#[test]
fn both_windows_and_enough_contacts_are_needed() {
    let mut story = Story::under(BURNING);
    hours(&mut story, 10..16, 20, 19);
    hours(&mut story, 16..17, 20, 0);
    hours(&mut story, 17..22, 20, 20);
    assert_eq!(story.tellings(), Vec::<String>::new());
    let mut story = Story::under(BURNING);
    hours(&mut story, 10..13, 1, 0);
    assert_eq!(story.tellings(), Vec::<String>::new());
    hours(&mut story, 13..14, 1, 0);
    assert_eq!(story.tellings(), ["13:10:30 firing budget/acme/refunds"]);
}

/// The week before tells how many contacts are still to come, and so how large the budget is.
#[test]
fn once_a_week_is_known_the_budget_has_an_end() {
    let mut story = Story::under(BURNING);
    // 60 contacts an hour, day and night: 10,080 a week, of which 2,016 may be bad.
    hours(&mut story, 10..8 * 24, 10, 10);
    hours(&mut story, 8 * 24..8 * 24 + 6, 10, 0);
    let told = &story.told[0];
    assert_eq!(
        told.summary.split("; ").nth(1),
        Some(
            "10 % of the week's budget is used, at this rate all of it at 2026-01-15 14:59 PST (volume by the same hours of \
             the last week)"
        ),
    );
    let to_come = evidence(told, "period_samples_to_come").expect("a forecast");
    let samples = evidence(told, "period_samples").expect("a period");
    assert!(
        (samples + to_come - 10_080.0).abs() < 12.0,
        "{samples} and {to_come}"
    );
    assert!(evidence(told, "budget_gone_at_ms").is_some());
}

#[test]
fn late_events_can_prove_that_nothing_burned() {
    let mut story = Story::under(BURNING);
    hours(&mut story, 10..12, 10, 0);
    let fired = story.last().clone();
    assert_eq!(story.tellings(), ["10:10:30 firing budget/acme/refunds"]);
    for step in 60..72 {
        let minute = format!("{:02}:{}0", step / 6, step % 6);
        story.hear(Flush::at("11:59").contacts(&minute, 10, 10));
    }
    story.hear(Flush::at("12:00"));
    let last = story.last();
    assert_eq!(last.incident, fired.incident);
    assert!(
        last.reason
            .starts_with("late events show that it was never burning the error budget"),
        "{}",
        last.reason
    );
}

/// Of a measure whose trouble lies above, the target is the budget.
#[test]
fn an_abandon_rate_burns_what_it_may_have() {
    let text = BURNING
        .replace("service_level", "abandon_rate")
        .replace("80%", "5%");
    let mut story = Story::under(&text);
    let mut measures = contacts(100, 100);
    for step in 60..72 {
        measures.abandoned = 50;
        let minute = format!("{:02}:{}0", step / 6, step % 6);
        let flush = Flush::at(&format!("{minute}:30"));
        story.hear(flush.row("acme", "refunds", &minute, measures.clone()));
    }
    let told = &story.told[0];
    assert_eq!(evidence(told, "burn_rate.1h"), Some(10.0));
    assert_eq!(evidence(told, "factor.1h"), Some(2.8));
}

#[test]
fn a_restart_is_not_seen() {
    let mut whole = Story::under(BURNING);
    hours(&mut whole, 10..18, 20, 2);
    let mut broken = Story::under(BURNING);
    for hour in 10..18 {
        hours(&mut broken, hour..hour + 1, 20, 2);
        broken.restart();
    }
    assert_eq!(whole.told, broken.told);
    assert_eq!(whole.told.len(), 1);
}

/// Own words, and a factor of one's own for each window.
#[test]
fn a_rule_can_say_it_in_its_own_words() {
    let text = BURNING.replace("windows", "factors = [4, 2]\nwindows")
        + "summary = \"{vendor} burns {value} ({window}, {target})\"\n";
    let mut story = Story::under(&text);
    hours(&mut story, 10..11, 20, 4);
    assert_eq!(
        story.last().summary,
        "acme burns 4 times over 6h and 4 times over 1h (6h and 1h, 80 %)"
    );
}
