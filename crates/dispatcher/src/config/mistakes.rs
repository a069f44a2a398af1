//! What is said of mistakes in who is told, when, and when not.

use crate::config::DispatcherConfig;

const RECEIVERS: &str = "[[receiver]]\nname = \"oncall\"\ntype = \"webhook\"\nurl = \"http://x\"\n\
                         [[receiver]]\nname = \"am\"\ntype = \"alertmanager\"\nurl = \"http://x\"\n";

fn mistakes(text: &str) -> Vec<String> {
    let config: DispatcherConfig = toml::from_str(text).unwrap();
    config.mistakes().iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_of_an_escalation_says_what_to_write() {
    let step = "{ after = \"0s\", receivers = [\"oncall\"] }";
    for (rest, message) in [
        (
            "name = \"e\"\nsteps = [{ after = \"0s\", receivers = [\"nobody\"] }]".to_owned(),
            "escalation \"e\", step 1: there is no receiver \"nobody\"; there are: \"am\", \"oncall\"",
        ),
        (
            "name = \"e\"\nsteps = [{ after = \"0s\", receivers = [] }]".to_owned(),
            "escalation \"e\", step 1: nobody is told; name one of the receivers that there are: \"am\", \"oncall\"",
        ),
        (
            "name = \"e\"\nsteps = [{ after = \"0s\", receivers = [\"am\", \"am\"] }]".to_owned(),
            "escalation \"e\", step 1: receiver \"am\" stands here twice; write it once",
        ),
        (
            format!("name = \"e\"\nsteps = [{step}, {step}]"),
            "escalation \"e\", step 2: after = 0ns is not later than the 0ns of the step before; let delays grow from step to step",
        ),
        (
            "name = \"e\"\nsteps = []".to_owned(),
            "escalation \"e\": it has no steps; write steps = [{ after = \"0s\", receivers = [\"…\"] }]",
        ),
        (
            format!("name = \"\"\nsteps = [{step}]"),
            "[[escalation]] number 1: it has an empty name; name it, messages speak of it by that name",
        ),
        (
            format!("name = \"e\"\nsteps = [{step}]\nrepeat = \"1s\""),
            "escalation \"e\": repeat = 1s is out of range: at least 1m is needed",
        ),
        (
            format!("name = \"e\"\nsteps = [{step}]\nmatch = {{ rule = [] }}"),
            "escalation \"e\": match holds for no alert: rule = [] names nothing; write a glob such as \"*\", or leave rule out",
        ),
        (
            format!(
                "name = \"e\"\nsteps = [{step}]\n[[escalation]]\nname = \"e\"\nsteps = [{step}]"
            ),
            "escalation \"e\": it is configured twice; give every [[escalation]] a name of its own",
        ),
    ] {
        assert_eq!(
            mistakes(&format!("{RECEIVERS}[[escalation]]\n{rest}")),
            [message]
        );
    }
    let alone = "[[escalation]]\nname = \"e\"\nsteps = [{ after = \"0s\", receivers = [] }]";
    assert_eq!(
        mistakes(alone),
        [
            "escalation \"e\", step 1: nobody is told; name one of the receivers that there are: none; add a [[receiver]]"
        ]
    );
    assert_eq!(
        mistakes(&format!(
            "{RECEIVERS}[[escalation]]\nname = \"e\"\nsteps = [{step}]\nrepeat = \"1h\""
        )),
        [""; 0]
    );
}

#[test]
fn every_mistake_of_a_maintenance_window_says_what_to_write() {
    let who = "author = \"maria\"\nreason = \"backup\"\n";
    for (text, message) in [
        (
            "match = {}\nfrom = \"2026-01-02T00:00:00Z\"\nuntil = \"2026-01-01T00:00:00Z\"",
            "until is not after from; did you mean the other way round?",
        ),
        (
            "match = {}\nfrom = \"2026-01-02T00:00:00Z\"",
            "its time is not clear; write either from and until, or weekly and timezone",
        ),
        (
            "match = {}\nweekly = \"sat 02:00-04:00\"",
            "timezone is missing; write the IANA name that weekly goes by, such as \"Europe/Berlin\"",
        ),
        (
            "match = {}\nweekly = \"sat 02:00-04:00\"\ntimezone = \"Berlin\"",
            "unknown time zone \"Berlin\"; write an IANA name such as \"Europe/Berlin\"",
        ),
        (
            "match = {}\nweekly = \"saturday 2-4\"\ntimezone = \"UTC\"",
            "weekly = \"saturday 2-4\" is not understood; write a day or a range of days and a span, like \"sat 02:00-04:00\" or \"mon-fri 22:00-24:00\"",
        ),
        (
            "match = {}\nweekly = \"sat 22:00-02:00\"\ntimezone = \"UTC\"",
            "sat: the span 22:00-02:00 does not end after it starts; where it crosses midnight, write two spans, one up to 24:00 and one from 00:00 of the next day",
        ),
        (
            "match = { severity = [\"crit\"] }\nweekly = \"sat 02:00-04:00\"\ntimezone = \"UTC\"",
            "match holds for no alert: severity = [\"crit\"] is none of critical, error, warning, info",
        ),
    ] {
        let found = mistakes(&format!("[[maintenance]]\n{text}\n{who}"));
        assert_eq!(found, [format!("[[maintenance]] number 1: {message}")]);
    }
    let nobody = "[[maintenance]]\nmatch = {}\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2026-01-02T00:00:00+01:00\"\nauthor = \"\"\nreason = \" \"";
    assert_eq!(
        mistakes(nobody),
        [
            "[[maintenance]] number 1: author is empty; say who answers for it",
            "[[maintenance]] number 1: reason is empty; say what is done then, it is recorded with every alert that is not told",
        ]
    );
    for (text, message) in [
        (
            "[[maintenance]]\nauthor = \"a\"\nreason = \"r\"",
            "missing field `match`",
        ),
        (
            "[[maintenance]]\nmatch = {}\nreason = \"r\"",
            "missing field `author`",
        ),
        (
            "[[maintenance]]\nmatch = {}\nauthor = \"a\"\nreason = \"r\"\nfrom = \"tomorrow\"",
            "\"tomorrow\" is not an instant; write it with its offset, like \"2026-03-01T22:00:00Z\"",
        ),
    ] {
        let error = toml::from_str::<DispatcherConfig>(text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn every_mistake_of_pacing_says_what_to_write() {
    for (field, message) in [
        (
            "group_wait = \"11m\"",
            "receiver \"am\": group_wait = 660s is out of range: at most 10m is accepted, nobody hears of it meanwhile",
        ),
        (
            "repeat_interval = \"1s\"",
            "receiver \"am\": repeat_interval = 1s is out of range: at least 1m is needed",
        ),
        (
            "max_per_hour = 0",
            "receiver \"am\": max_per_hour = 0 is out of range: at least 1 is needed; leave it out for no limit",
        ),
        (
            "match = { labels = { team = [] } }",
            "receiver \"am\": match holds for no alert: labels.team = [] names nothing; write a glob such as \"*\", or leave labels.team out",
        ),
    ] {
        let text =
            format!("[[receiver]]\nname = \"am\"\ntype = \"webhook\"\nurl = \"http://x\"\n{field}");
        assert_eq!(mistakes(&text), [message]);
    }
    for field in [
        "group_wait = \"10s\"",
        "group_by = \"rule\"",
        "repeat_interval = \"4h\"",
        "max_per_hour = 3",
    ] {
        let text = format!(
            "[[receiver]]\nname = \"am\"\ntype = \"alertmanager\"\nurl = \"http://x\"\n{field}"
        );
        let (name, _) = field.split_once(' ').unwrap();
        assert_eq!(
            mistakes(&text),
            [format!(
                "receiver \"am\": {name} has no meaning for type \"alertmanager\"; remove it"
            )]
        );
    }
}
