//! Rules files: what is read, and what every mistake is told with.

use crate::watch::Watch;
use crate::{RuleSet, check_rules};

const GOOD: &str = r#"[[rule]]
name = "sl"
type = "threshold"
measure = "service_level"
formula = "short_abandons_dropped"
window = "30m"
enter = 0.8
exit = "85 %"
min_samples = 20
for = "2m"
keep_firing_for = "5m"
severity = "critical"
by = ["queue", "vendor"]
match = { vendor = ["acme*"], queue = ["refunds", "chat"] }
labels = { team = "operations" }
runbook_url = "https://wiki.example.com/sl"
summary = "{vendor}: {value}"

[[rule]]
name = "urgent"
type = "ticket"
on = ["breached"]
metrics = ["first_reply", "resolution"]
priority = ["urgent"]
severity = "error"
"#;

#[test]
fn a_whole_file() {
    let rules = RuleSet::parse("rules.toml", GOOD).expect("good rules");
    assert_eq!((rules.len(), rules.is_empty()), (2, false));
    let rule = &rules.groups[0];
    let Watch::Threshold(watch) = &rule.watch else {
        panic!("a threshold");
    };
    assert_eq!(
        (watch.window, watch.enter, watch.exit, watch.min_samples),
        (30, 0.8, 0.85, 20)
    );
    assert_eq!((rule.for_ms, rule.keep_firing_for_ms), (120_000, 300_000));
    assert!(
        rule.about.scope.has("acme-manila", "chat") && !rule.about.scope.has("acme", "billing")
    );
    let ticket = &rules.tickets[0];
    assert!(ticket.on_breached && !ticket.on_warning);
    assert_eq!(ticket.metrics.len(), 2);
}

#[test]
fn the_hash_names_the_text() {
    let hash = |text| {
        RuleSet::parse("rules.toml", text)
            .expect("good rules")
            .hash()
    };
    assert_eq!(hash(GOOD), hash(GOOD));
    assert_ne!(hash(GOOD), hash(&GOOD.replace("2m", "3m")));
}

/// What is written instead of a line of the threshold rule (by its key), the words named, the message, the help.
#[test]
fn every_mistake_in_a_threshold_rule() {
    for (key, line, words, message, help) in [
        (
            "name",
            "nam = \"sl\"",
            "nam",
            "unknown key \"nam\" in [[rule]]",
            "write name",
        ),
        (
            "name",
            "name = \"\"",
            "\"\"",
            "a rule's name has 1 to 64 characters",
            "write a short name; it is part of every alert's key",
        ),
        (
            "type",
            "type = \"treshold\"",
            "\"treshold\"",
            "\"treshold\" is no type",
            "write threshold",
        ),
        (
            "measure",
            "measure = \"service-level\"",
            "\"service-level\"",
            "there is no measure \"service-level\"",
            "write service_level",
        ),
        (
            "measure",
            "measure = \"attainment.first_repy\"",
            "\"attainment.first_repy\"",
            "there is no measure \"attainment.first_repy\"",
            "write attainment.first_reply",
        ),
        (
            "formula",
            "formula = \"answerd_only\"",
            "\"answerd_only\"",
            "\"answerd_only\" is no formula",
            "write answered_only",
        ),
        (
            "window",
            "window = 15",
            "15",
            "window takes a duration, and this is an integer",
            "write it with units and in quotes, such as \"15m\"",
        ),
        (
            "window",
            "window = \"90s\"",
            "\"90s\"",
            "a window has whole minutes, from \"1m\" to \"24h\"",
            "write \"1m\"",
        ),
        (
            "window",
            "window = \"48h\"",
            "\"48h\"",
            "a window has whole minutes, from \"1m\" to \"24h\"",
            "write \"24h\"",
        ),
        (
            "window",
            "window = \"1d\"",
            "\"1d\"",
            "\"1d\": a duration cannot be in days: a business day has no fixed length, so say how many hours it shall be",
            "write \"24h\" for that much business time, or the hours of as many business days",
        ),
        (
            "enter",
            "enter = 80",
            "80",
            "enter is a share of all, from 0 to 1 or from \"0%\" to \"100%\"",
            "write \"80%\"",
        ),
        (
            "enter",
            "enter = \"80\"",
            "\"80\"",
            "enter is a share of all, from 0 to 1 or from \"0%\" to \"100%\"",
            "write \"80%\"",
        ),
        (
            "enter",
            "enter = true",
            "true",
            "enter takes a share from 0 to 1 or from \"0%\" to \"100%\", and this is a boolean",
            "write \"80%\"",
        ),
        (
            "exit",
            "exit = 0.8",
            "0.8",
            "enter and exit are equal, so an alert would come and go with every contact",
            "write an exit above 80 %",
        ),
        (
            "exit",
            "exit = \"70%\"",
            "\"70%\"",
            "this would alert when the service level is above 80 %, which is good news",
            "swap them: enter at 70 % and exit at 80 %",
        ),
        (
            "min_samples",
            "min_samples = 0",
            "0",
            "min_samples takes a whole number from 1 on, and this is an integer",
            "write a number such as 20",
        ),
        (
            "severity",
            "severity = \"crit\"",
            "\"crit\"",
            "\"crit\" is no severity",
            "write one of critical, error, warning, info",
        ),
        (
            "by",
            "by = [\"queue\"]",
            "[\"queue\"]",
            "by does not contain vendor, and an alert always is about one",
            "write [\"vendor\"] or [\"vendor\", \"queue\"]",
        ),
        (
            "by",
            "by = \"vendor\"",
            "\"vendor\"",
            "by takes a list of texts, and this is a string",
            "write [\"vendor\"]",
        ),
        (
            "by",
            "by = [\"vendor\", \"agent\"]",
            "\"agent\"",
            "\"agent\" is no word for by",
            "write one of vendor, queue",
        ),
        (
            "match",
            "match = { vendr = [\"acme\"] }",
            "vendr",
            "unknown key \"vendr\" in match",
            "write vendor",
        ),
        (
            "match",
            "match = { vendor = \"acme\" }",
            "\"acme\"",
            "vendor takes a list of texts, and this is a string",
            "write [\"acme\"]",
        ),
        (
            "match",
            "match = { queue = [] }",
            "[]",
            "the list of queue is empty",
            "leave queue out, or write [\"acme*\"]",
        ),
        (
            "match",
            "match = \"acme\"",
            "\"acme\"",
            "match takes a table, and this is a string",
            "write { vendor = [\"acme*\"], queue = [\"refunds\"] }",
        ),
        (
            "labels",
            "labels = { team = 1 }",
            "1",
            "team takes a text, and this is an integer",
            "write it in quotes",
        ),
        (
            "runbook_url",
            "runbook_url = \"wiki/sl\"",
            "\"wiki/sl\"",
            "\"wiki/sl\" is no web address",
            "write it in full, such as \"https://wiki.example.com/runbook\"",
        ),
        (
            "summary",
            "summary = \"{vendr}\"",
            "\"{vendr}\"",
            "{vendr} stands for nothing in a summary of this kind of rule",
            "write one of {rule}, {severity}, {vendor}, {queue}, {value}, {window}, {enter}, {exit}, {numerator}, {denominator}",
        ),
        (
            "for",
            "on = [\"breached\"]",
            "on",
            "unknown key \"on\" in [[rule]]",
            "on belongs to rules of type = \"projection\" or \"ticket\"",
        ),
    ] {
        let text: String = GOOD
            .lines()
            .map(|known| if first_of(known, key) { line } else { known })
            .scan(false, |seen, now| {
                // Only the first rule is changed.
                let kept = if *seen && now == line { "" } else { now };
                *seen |= now == line;
                Some(format!("{kept}\n"))
            })
            .collect();
        let report = check_rules("rules.toml", &text);
        let number = 1 + text
            .lines()
            .position(|known| known == line)
            .expect("the line");
        let found = report.diagnostics.iter().find(|found| found.line == number);
        let found = found.unwrap_or_else(|| panic!("{line}: {}", report.diagnostics));
        assert_eq!(
            (
                found.words.as_str(),
                found.message.as_str(),
                found.help.as_str()
            ),
            (words, message, help)
        );
        assert!(report.rules.is_none());
    }
}

fn first_of(line: &str, key: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(found, _)| found == key)
}

#[test]
fn counts_and_times_have_levels_of_their_own() {
    let rule = |measure: &str, further: &str| {
        format!(
            "[[rule]]\nname = \"r\"\ntype = \"threshold\"\nmeasure = \"{measure}\"\nseverity = \"info\"\nby = [\"vendor\"]\n{further}\n"
        )
    };
    for (measure, further, message) in [
        (
            "aht",
            "window = \"5m\"\nenter = 360\nexit = \"5m\"",
            "enter takes a duration, and this is an integer",
        ),
        (
            "asa",
            "window = \"5m\"\nenter = \"20s\"\nexit = \"40s\"",
            "this would alert when the average speed of answer is below 20s, which is good news",
        ),
        (
            "created",
            "window = \"5m\"\nenter = \"80%\"\nexit = 5",
            "enter takes a whole number from 0 on, and this is a string",
        ),
        (
            "created",
            "window = \"5m\"\nenter = -1\nexit = 5",
            "enter takes a whole number from 0 on, and this is an integer",
        ),
        (
            "created",
            "window = \"5m\"\nenter = 9\nexit = 5\nmin_samples = 3",
            "created is a plain count, so there are no samples to wait for",
        ),
        (
            "created",
            "window = \"5m\"\nenter = 5\nexit = 5",
            "enter and exit are equal, so an alert would come and go with every contact",
        ),
        (
            "backlog",
            "window = \"5m\"\nenter = 9\nexit = 5",
            "backlog is what is open now and has no window",
        ),
        (
            "aht",
            "window = \"5m\"\nenter = \"6m\"\nexit = \"5m\"\nformula = \"answered_only\"",
            "aht has no formula",
        ),
        (
            "abandon_rate",
            "window = \"5m\"\nenter = 0.1\nexit = 0.2",
            "this would alert when the abandon rate is below 10 %, which is good news",
        ),
        (
            "aht",
            "enter = \"6m\"\nexit = \"5m\"",
            "[[rule]] has no window",
        ),
    ] {
        let report = check_rules("rules.toml", &rule(measure, further));
        let messages: Vec<&str> = report
            .diagnostics
            .iter()
            .map(|found| found.message.as_str())
            .collect();
        assert_eq!(messages, [message]);
    }
    for (measure, further) in [
        ("aht", "window = \"5m\"\nenter = \"2m\"\nexit = \"3m\""),
        ("created", "window = \"5m\"\nenter = 0\nexit = 1"),
        ("backlog", "enter = 100\nexit = 80"),
    ] {
        let report = check_rules("rules.toml", &rule(measure, further));
        assert!(report.rules.is_some(), "{}", report.diagnostics);
    }
}

#[test]
fn everything_missing_is_named_in_one_run() {
    let text = "[[rule]]\ntype = \"threshold\"\n\n[[rule]]\ntype = \"ticket\"\nname = \"t\"\n\n[[rule]]\nname = \"t\"\n";
    let report = check_rules("rules.toml", text);
    let found: Vec<String> = report
        .diagnostics
        .iter()
        .map(|found| format!("{} {}: {}", found.line, found.message, found.help))
        .collect();
    assert_eq!(
        found,
        [
            "1 [[rule]] has no name: write name = \"service-level-drops\"",
            "1 [[rule]] has no severity: write severity = \"critical\"",
            "1 [[rule]] has no by: write by = [\"vendor\", \"queue\"]",
            "1 [[rule]] has no measure: write measure = \"service_level\"",
            "1 [[rule]] has no window: write window = \"15m\"",
            "4 [[rule]] has no severity: write severity = \"critical\"",
            "4 [[rule]] has no on: write on = [\"breached\", \"warning\"]",
            "8 [[rule]] has no type: write type = \"threshold\"",
            "8 [[rule]] has no severity: write severity = \"critical\"",
            "9 the name \"t\" is taken by the rule in line 6: write another name: alerts are told apart by it",
        ]
    );
}

#[test]
fn files_of_another_shape() {
    for (text, message, help) in [
        (
            "",
            "there is no rule, so nothing will ever be alerted",
            "begin one with [[rule]]",
        ),
        (
            "rule = 1",
            "rule is a list of tables",
            "write [[rule]] on a line of its own, and its keys below",
        ),
        (
            "rule = [1]",
            "a rule is a table",
            "write [[rule]] on a line of its own, and its keys below",
        ),
        (
            "severity = \"info\"\nrule = []",
            "unknown key \"severity\" in the file",
            "severity belongs to a rule: write it below a line [[rule]]",
        ),
        (
            "[[rules]]",
            "unknown key \"rules\" in the file",
            "write rule",
        ),
    ] {
        let report = check_rules("rules.toml", text);
        let found = report.diagnostics.iter().next().expect("a diagnostic");
        assert_eq!(
            (found.message.as_str(), found.help.as_str()),
            (message, help),
            "{text}"
        );
    }
    let report = check_rules("rules.toml", "[[rule]]\nname = sl\n");
    let found = report.diagnostics.iter().next().expect("a diagnostic");
    assert!(found.message.starts_with("this is not TOML: "), "{found}");
    assert_eq!((found.line, report.rules.is_none()), (2, true));
}

#[test]
fn a_mistake_is_shown_with_its_line() {
    let text = GOOD.replace("exit = \"85 %\"", "exit = \"70%\"");
    let mistakes = RuleSet::parse("ops/rules.toml", &text).expect_err("a mistake");
    assert_eq!(
        mistakes.to_string(),
        "error: this would alert when the service level is above 80 %, which is good news\n \
         --> ops/rules.toml:8:8\n  |\n8 | exit = \"70%\"\n  |        ^^^^^\n  = help: swap them: enter at 70 % and exit at 80 %"
    );
}

#[test]
fn the_example_is_good() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/rules/operations.toml"
    );
    let text = std::fs::read_to_string(path).expect("the example");
    let report = check_rules("operations.toml", &text);
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(report.rules.expect("rules").len(), 15);
}
