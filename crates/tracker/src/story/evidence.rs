//! What a breached row and a warning say of the ticket beside its owner and priority: the attributes that were set where it
//! was decided.

use std::collections::BTreeMap;

use slawatch_event::Attribute;
use slawatch_wire::v1;

use super::teller::{Ending, Story, always, policy, tell};
use super::ticket;
use crate::tracker::{Options, Tracker};

const POLICY: &str = "warn_at = [0.5]\n[policy.targets]\nfirst_reply = '1h'";

fn refund() -> Story {
    ticket()
        .policies(&policy(POLICY))
        .created("Mon 09:00")
        .field("category", "'refund'")
        .field("channel", "'mail'")
        .field("labels", "{'region':'eu'}")
}

fn words(attributes: &BTreeMap<String, String>) -> String {
    let words = attributes.iter();
    let words: Vec<_> = words
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    words.join(", ")
}

fn shown(row: &v1::OutcomeRow) -> String {
    words(&row.attributes)
}

#[test]
fn a_breached_row_shows_what_was_set_at_its_due_and_no_other_row_shows_anything() {
    let story = refund();
    story
        .clone()
        .at("Mon 09:30")
        .check("first_reply", shown, String::new());
    story
        .clone()
        .agent_replied("Mon 09:30")
        .at("Mon 11:00")
        .check("first_reply", shown, String::new());
    let changed = story
        .updated("Mon 10:00")
        .status("open")
        .field("category", "'fraud'")
        .updated("Mon 10:00:00.001")
        .status("pending")
        .field("category", "'login'");
    changed.at("Mon 11:00").check(
        "first_reply",
        shown,
        "category fraud, status open".to_owned(),
    );
}

#[test]
fn an_attribute_that_a_policy_matches_on_is_shown_and_one_that_is_cleared_is_not() {
    let story = ticket()
        .policies(&format!(
            "[[policy]]\nname = 'eu'\nmatch = {{ 'labels.region' = ['eu'] }}\ntargets = {{ first_reply = '1h' }}\n{}",
            always("first_reply = '1h'").replace("only", "rest")
        ))
        .created("Mon 09:00")
        .field("category", "'refund'")
        .field("channel", "'mail'")
        .field("labels", "{'region':'eu'}");
    story.clone().at("Mon 11:00").check(
        "first_reply",
        shown,
        "category refund, labels.region eu, status new".to_owned(),
    );
    story
        .updated("Mon 09:10")
        .field("category", "''")
        .at("Mon 11:00")
        .check(
            "first_reply",
            shown,
            "labels.region eu, status new".to_owned(),
        );
}

#[test]
fn a_row_told_already_is_told_again_when_an_event_up_to_its_due_changes_what_it_shows() {
    for at in ["Mon 09:20", "Mon 10:00"] {
        told_again(refund().updated(at).field("category", "'fraud'"));
    }
}

fn told_again(mut story: Story) {
    let told = story.told();
    let mut tracker = story.tracker();
    tell(&mut tracker, &told[0], 0);
    tracker.advance_clock(story.instant("Mon 10:30"));
    let mut ending = Ending::default();
    ending.hear(&mut tracker);
    ending.clone().check(
        "first_reply",
        shown,
        "category refund, status new".to_owned(),
    );
    tell(&mut tracker, &told[1], 1);
    ending.hear(&mut tracker);
    ending.check(
        "first_reply",
        shown,
        "category fraud, status new".to_owned(),
    );
}

#[test]
fn a_warning_shows_what_was_set_when_its_level_was_reached() {
    let story = refund().updated("Mon 09:31").field("category", "'fraud'");
    let ending = story.at("Mon 09:45");
    assert_eq!(
        words(&ending.warnings[0].attributes),
        "category refund, status new"
    );
}

/// Other attributes for alerts take effect for what is told from then on; nothing told before is told again for them.
#[test]
fn alert_attributes_can_be_changed_at_a_restart() {
    let mut story = refund()
        .solved("Mon 10:30")
        .updated("Mon 11:00")
        .status("open")
        .field("channel", "'phone'")
        .customer_replied("Mon 11:00");
    let told = story.told();
    let mut tracker = story.tracker();
    tell(&mut tracker, &told[0], 0);
    tracker.advance_clock(story.instant("Mon 10:15"));
    let mut ending = Ending::default();
    ending.hear(&mut tracker);

    let mut bytes = Vec::new();
    tracker.snapshot(&mut bytes);
    let options = Options {
        alert_attributes: vec![Attribute::Channel, Attribute::Label("region".to_owned())],
        ..tracker.options.clone()
    };
    let sets = tracker.rules.sets().clone();
    let mut tracker = Tracker::restore(sets, options, &bytes).unwrap();
    let nothing = tracker.conclude();
    assert!(nothing.is_empty(), "{nothing:?}");
    for (offset, line) in told.iter().enumerate().skip(1) {
        tell(&mut tracker, line, offset as u64);
    }
    tracker.advance_clock(story.instant("Mon 13:00"));
    ending.hear(&mut tracker);
    // Of the time before, what was not kept then is not known.
    ending
        .clone()
        .check("first_reply", shown, "status new".to_owned());
}
