//! Stories of targets that can hardly be reached any more.

use super::builders::{Flush, Story, contacts, evidence};
use super::burn::hours;

const PROJECTING: &str = r#"[[rule]]
name = "week"
type = "projection"
measure = "service_level"
target = "80%"
period = "week"
timezone = "Asia/Manila"
severity = "error"
by = ["vendor", "queue"]
"#;

/// Ten busy hours on each of these days, so many of ten contacts in target.
fn days(story: &mut Story, days: std::ops::Range<i64>, in_target: i64) {
    for day in days {
        hours(story, day * 24 + 10..day * 24 + 20, 10, in_target);
    }
}

/// Manila is 8 hours ahead, so its week begins on day 6 at 16:00 and ends on day 13 at 16:00.
#[test]
fn a_week_gets_at_risk_is_lost_and_a_new_one_begins() {
    let mut story = Story::under(PROJECTING);
    days(&mut story, 0..7, 9);
    assert_eq!(story.tellings(), Vec::<String>::new());
    days(&mut story, 7..9, 4);
    let told = story.last();
    assert_eq!(
        told.summary,
        "acme / refunds: the week's service level stands at 48.8 %, 668 of 1370 contacts in target; to keep 80 %, 95.0 % of \
         the some 2849 still to come until 2026-01-19 00:00 PST must be good, the next 2140 in a row would bring it back; \
         as things go it is lost at 2026-01-14 20:27 PST (volume by the same hours of the last week)"
    );
    assert_eq!(
        told.reason,
        "needing more than 95 % of what is still to come for the week's target of 80 %"
    );
    assert_eq!(told.kind, "projection");
    assert_eq!(evidence(told, "lost"), Some(0.0));
    assert_eq!(evidence(told, "needed_in_a_row"), Some(2140.0));
    let incident = told.incident.clone();
    assert_eq!(story.tellings(), ["210:30:59.999 firing week/acme/refunds"]);
    // At 20:30 in Manila, as was foretold.
    days(&mut story, 9..13, 4);
    let worse = story.last();
    assert_eq!(
        worse.reason,
        "got worse: past saving: the week's target of 80 % can no longer be reached"
    );
    assert_eq!(
        (worse.revision, worse.incident.as_str()),
        (2, incident.as_str())
    );
    assert_eq!(story.tellings(), ["228:30:59.999 firing week/acme/refunds"]);
    days(&mut story, 13..14, 4);
    assert_eq!(story.last().reason, "a new week has begun");
    assert_eq!(story.tellings(), ["328:00:30 resolved week/acme/refunds"]);
}

/// Nothing is known of the hours to come, until half of the period is over.
#[test]
fn before_a_week_is_known_the_rate_so_far_must_do() {
    let text = PROJECTING.replace(
        "week\"\ntimezone = \"Asia/Manila",
        "day\"\ntimezone = \"UTC",
    );
    let mut story = Story::under(&text);
    hours(&mut story, 0..11, 10, 3);
    assert_eq!(story.tellings(), Vec::<String>::new());
    hours(&mut story, 11..14, 10, 3);
    assert_eq!(
        story.last().summary,
        "acme / refunds: the day's service level stands at 30.0 %, 219 of 730 contacts in target; 80 % can no longer be \
         reached: if the some 729 still to come until 2026-01-06 00:00 UTC are all good, it ends at 65.0 % (volume by the \
         period's rate so far)"
    );
    assert_eq!(story.tellings(), ["12:00:30 firing week/acme/refunds"]);
}

/// What was counted before a rule came is not known.
#[test]
fn a_rule_that_comes_in_the_middle_waits_for_the_next_period() {
    let mut story = Story::under(
        "[[rule]]\nname = \"x\"\ntype = \"ticket\"\non = [\"breached\"]\nseverity = \"info\"\n",
    );
    let text = PROJECTING.replace(
        "week\"\ntimezone = \"Asia/Manila",
        "day\"\ntimezone = \"UTC",
    );
    hours(&mut story, 10..12, 10, 0);
    story.take_rules(&text, 1);
    hours(&mut story, 12..24, 10, 0);
    assert_eq!(story.tellings(), Vec::<String>::new());
    hours(&mut story, 24..38, 10, 0);
    assert_eq!(story.tellings(), ["36:00:30 firing week/acme/refunds"]);
}

/// It is lost when the alert of the other story said that it would be, at 20:27 in Manila, to the next look.
#[test]
fn only_what_is_asked_for_is_told() {
    let text = format!("{PROJECTING}on = [\"lost\"]\n");
    let mut story = Story::under(&text);
    days(&mut story, 0..7, 9);
    days(&mut story, 7..13, 4);
    let told = story.last();
    assert_eq!(evidence(told, "lost"), Some(1.0));
    assert_eq!(evidence(told, "savable_until_ms"), None);
    assert_eq!(
        told.reason,
        "past saving: the week's target of 80 % can no longer be reached"
    );
    assert_eq!(story.tellings(), ["228:30:59.999 firing week/acme/refunds"]);
}

/// A correction counts however old its pane, as long as the period runs.
#[test]
fn late_events_of_days_ago_save_the_week() {
    let mut story = Story::under(PROJECTING);
    days(&mut story, 0..7, 9);
    days(&mut story, 7..9, 4);
    assert_eq!(story.tellings().len(), 1);
    let now = format!("{}:00", 8 * 24 + 20);
    story.hear(Flush::at(&now).correction(1, &format!("{}:00", 6 * 24 + 17), contacts(0, 500)));
    assert_eq!(
        story.last().reason,
        "late events show that it was never needing more than 95 % of what is still to come for the week's target of 80 %"
    );
    assert_eq!(evidence(story.last(), "numerator"), Some(1196.0));
}
