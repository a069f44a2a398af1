//! What every mistake in the rules on contracts and changes is told with.

use crate::check_rules;

const BURN: &str = r#"type = "burn"
measure = "service_level"
target = "80%"
period = "month"
windows = ["1h", "6h"]
"#;

const PROJECTION: &str = r#"type = "projection"
measure = "attainment.first_reply"
target = "80%"
period = "week"
"#;

const CHANGE: &str = r#"type = "change"
measure = "csat"
window = "4h"
at_least = "5%"
"#;

/// The kind, a line in place of that of its key (or a further one), the message and the help.
#[test]
fn every_mistake_has_its_words() {
    for (kind, line, message, help) in [
        (
            BURN,
            "measure = \"aht\"",
            "average handling time is no proportion, so no share of it is good",
            "write a proportion, such as service_level, abandon_rate, csat, reopen_rate, escalation_rate, \
             audit_pass_rate, attainment.first_reply",
        ),
        (
            BURN,
            "target = \"100%\"",
            "with a target of 0% or 100% there is no budget of errors that could be watched",
            "write a target between them, such as \"80%\"",
        ),
        (
            BURN,
            "period = \"year\"",
            "\"year\" is no period",
            "write one of day, week, month",
        ),
        (
            BURN,
            "factors = [14.4, 5]",
            "a burn rate of 14.4 can never be reached: with a target of 80 % it is 5 when every contact is bad",
            "write a factor of at most 5, or leave factors out",
        ),
        (
            BURN,
            "factors = [3, 1]",
            "a burn rate of 1 is within the contract",
            "write a factor above 1: at 1 the budget lasts for exactly the period",
        ),
        (
            BURN,
            "factors = [3]",
            "there are 2 windows and 1 factors",
            "write one factor for each window",
        ),
        (
            BURN,
            "factors = \"3\"",
            "factors takes a list of numbers, and this is a string",
            "write numbers such as [3, 3]",
        ),
        (
            BURN,
            "factors = [3, 3]\nbudget = \"5%\"",
            "factors are given, so nothing is derived from budget",
            "leave one of them out",
        ),
        (
            BURN,
            "budget = \"0%\"",
            "with a budget of 0% every contact would be trouble",
            "write a share such as \"10%\"",
        ),
        (
            BURN,
            "windows = [\"1h\", \"60m\"]",
            "the window 1h stands twice",
            "leave one of them out",
        ),
        (
            BURN,
            "windows = [\"36h\"]",
            "a window has whole minutes, from \"1m\" to \"24h\"",
            "write \"24h\"",
        ),
        (
            PROJECTION,
            "needs = \"80%\"",
            "the contract asks 80 % of every contact anyway, so that is no risk",
            "write a share above 80 %, such as \"95%\"",
        ),
        (
            PROJECTION,
            "on = [\"risk\"]",
            "\"risk\" is no word for on",
            "write one of at_risk, lost",
        ),
        (
            CHANGE,
            "measure = \"created\"",
            "created is a plain count, and change compares proportions and means",
            "write a measure such as service_level, csat or aht",
        ),
        (
            CHANGE,
            "window = \"90m\"",
            "whole hours are compared, from \"1h\" to \"24h\"",
            "write \"1h\"",
        ),
        (
            CHANGE,
            "weeks = 52",
            "weeks takes a whole number from 1 to 8, and this is an integer",
            "write a number such as 4",
        ),
        (
            CHANGE,
            "error_rate = \"0%\"",
            "an error rate lies above 0% and at most at 50%",
            "write how often chance alone may fire the rule, such as \"1%\"",
        ),
        (
            CHANGE,
            "at_least = \"0%\"",
            "with many contacts the smallest difference is no chance, so one that matters must be named",
            "write the least that matters, such as \"5%\", which means 5 points",
        ),
        (
            CHANGE,
            "measure = \"aht\"\nat_least = \"30s\"\ndirection = \"worse\"",
            "neither more nor less average handling time is worse in itself",
            "write \"either\", or leave direction out",
        ),
        (
            CHANGE,
            "against = \"last_week\"",
            "\"last_week\" is no against",
            "write one of weeks_before, marked_change",
        ),
    ] {
        let keys: Vec<&str> = line.lines().map(key_of).collect();
        let kept = kind.lines().filter(|known| !keys.contains(&key_of(known)));
        let kept: Vec<&str> = kept.chain([line]).collect();
        let text = format!(
            "[[rule]]\nname = \"r\"\nseverity = \"info\"\nby = [\"vendor\"]\n{}\n",
            kept.join("\n")
        );
        let report = check_rules("rules.toml", &text);
        let mut found = report.diagnostics.iter();
        let one = found
            .next()
            .unwrap_or_else(|| panic!("nothing wrong with {line}"));
        assert_eq!(
            (one.message.as_str(), one.help.as_str()),
            (message, help),
            "{line}"
        );
        assert!(found.next().is_none(), "{}", report.diagnostics);
        assert!(
            text.lines()
                .nth(one.line - 1)
                .is_some_and(|found| line.contains(found))
        );
    }
}

fn key_of(line: &str) -> &str {
    line.split_once(" = ").map_or(line, |(key, _)| key)
}

#[test]
fn what_must_be_there_is_asked_for() {
    let text = "[[rule]]\nname = \"r\"\nseverity = \"info\"\nby = [\"vendor\"]\ntype = \"burn\"\n";
    let report = check_rules("rules.toml", text);
    let mut messages: Vec<&str> = report
        .diagnostics
        .iter()
        .map(|found| found.message.as_str())
        .collect();
    messages.sort_unstable();
    assert_eq!(
        messages,
        [
            "[[rule]] has no measure",
            "[[rule]] has no period",
            "[[rule]] has no target",
            "[[rule]] has no windows",
        ]
    );
}
