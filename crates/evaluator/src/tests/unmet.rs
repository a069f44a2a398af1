//! Rules that ask for what the rest of the configuration does not give.

use slawatch_policy::reading::read_warn_level;

use crate::RuleSet;

const RULES: &str = r#"[[rule]]
name = "phone"
type = "ticket"
on = ["breached", "warning"]
severity = "error"
at = [0.5, 0.70, "15m", "20m"]
[rule.match]
vendor = ["acme*"]
queue = ["refunds"]
priority = ["urgent"]
status = ["open"]
category = ["billing"]
channel = ["phone"]
"labels.region" = ["emea"]
labels = { tier = ["gold"], plan = ["pro"] }
"#;

fn told(matched: &[&str], kept: &[&str], announced: &[&str]) -> Vec<String> {
    let rules = RuleSet::parse("rules.toml", RULES).expect("good rules");
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let levels = announced.iter().map(|level| read_warn_level(level));
    let levels: Vec<_> = levels.map(|level| level.expect("a level")).collect();
    let unmet = rules.unmet(&owned(matched), &owned(kept), &levels);
    let found = unmet.iter().map(|found| {
        format!(
            "{} {} {} | {} | {}",
            found.severity.name(),
            found.line,
            found.words,
            found.message,
            found.help
        )
    });
    found.collect()
}

#[test]
fn what_no_tracker_tells_and_no_policy_announces_is_named_with_what_to_write() {
    let attribute = |line: u32, words: &str, name: &str| {
        format!(
            "error {line} {words} | the rule \"phone\" matches on {name}, which trackers do not tell, so that no ticket ever has it | \
             write alert_attributes = [\"category\", \"{name}\"] in [tracker] of the configuration"
        )
    };
    let level = |words: &str, text: &str| {
        format!(
            "warning 6 {words} | no policy announces {text}, so that the rule \"phone\" never tells of it | \
             write warn_at = [{words}] in a policy, or one of those announced: \"900s\", 0.50, 0.8"
        )
    };
    assert_eq!(
        told(
            &["vendor", "labels.tier"],
            &["category"],
            &["0.50", "0.8", "900s"]
        ),
        [
            level("0.70", "0.70"),
            level("\"20m\"", "20m"),
            attribute(13, "channel", "channel"),
            attribute(14, "\"labels.region\"", "labels.region"),
            attribute(15, "plan", "labels.plan"),
        ]
    );
}

#[test]
fn nothing_is_said_of_what_is_there() {
    let kept = [
        "category",
        "channel",
        "labels.tier",
        "labels.plan",
        "labels.region",
    ];
    assert_eq!(told(&[], &kept, &["0.5", "0.7", "15m", "20m"]), [""; 0]);
    let silent = told(&[], &kept, &[]);
    assert_eq!(silent.len(), 4);
    assert!(
        silent[0].ends_with("never tells of it | write warn_at = [0.5] in a policy"),
        "{silent:?}"
    );
}
