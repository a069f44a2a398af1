//! Mistakes in the keys that rules of every kind have, and in those of the kinds on what is open.

use crate::check_rules;

/// What is said of a file, line by line.
pub(super) fn said(text: &str) -> Vec<String> {
    let report = check_rules("rules.toml", text);
    let found = report.diagnostics.iter();
    found
        .map(|found| {
            format!(
                "{} | {} | {} | {}",
                found.line, found.words, found.message, found.help
            )
        })
        .collect()
}

const DESK: &str =
    "[[calendar]]\nname = \"desk\"\ntimezone = \"UTC\"\nhours = { mon-fri = [\"08:00-18:00\"] }\n";

fn rule(lines: &str) -> String {
    format!("[[rule]]\nname = \"r\"\nseverity = \"info\"\n{lines}\n")
}

#[test]
fn mistakes_in_calendars_and_zones() {
    let quiet = "type = \"quiet\"\nby = [\"vendor\"]\nafter = \"15m\"";
    for (text, expected) in [
        (
            format!("{DESK}{}", rule(&format!("{quiet}\ncalendar = \"desc\""))),
            vec!["11 | \"desc\" | unknown calendar \"desc\" | write \"desk\""],
        ),
        (
            rule(&format!("{quiet}\ncalendar = \"desk\"")),
            vec![
                "7 | \"desk\" | unknown calendar \"desk\" | write a [[calendar]] with name = \"desk\"",
            ],
        ),
        (
            format!("{DESK}{}", rule(quiet)),
            vec![
                "2 | \"desk\" | no rule uses the calendar \"desk\" | write calendar = \"desk\" in a [[rule]], or remove it",
            ],
        ),
        (
            format!("timezone = \"Manila\"\n{}", rule(quiet)),
            vec!["1 | \"Manila\" | unknown time zone \"Manila\" | write \"Asia/Manila\""],
        ),
        (
            rule(&format!("{quiet}\ntimezone = 8")),
            vec!["7 | 8 | timezone takes a text, and this is an integer | write it in quotes"],
        ),
        (
            format!(
                "{}{}",
                DESK.replace("08:00-18:00", "8-18"),
                rule(&format!("{quiet}\ncalendar = \"desk\""))
            ),
            vec![
                "4 | \"8-18\" | \"8-18\" is no span of a day | write \"08:00-18:00\"",
                "11 | \"desk\" | unknown calendar \"desk\" | write a [[calendar]] with name = \"desk\"",
            ],
        ),
    ] {
        assert_eq!(said(&text), expected, "{text}");
    }
}

#[test]
fn mistakes_in_rules_on_what_is_open() {
    for (lines, expected) in [
        (
            "type = \"oldest\"\nby = [\"vendor\"]\nenter = \"1h\"\nexit = \"2h\"",
            vec![
                "7 | \"2h\" | this would alert when the age of the oldest ticket is below 1h, which is good news | swap them: enter at 2h and exit at 1h",
            ],
        ),
        (
            "type = \"oldest\"\nby = [\"vendor\"]\nenter = 48\nexit = \"2h\"",
            vec![
                "6 | 48 | enter takes a duration, and this is an integer | write it with units and in quotes, such as \"15m\"",
            ],
        ),
        (
            "type = \"backlog\"\nby = [\"vendor\"]\nenter = 100",
            vec!["1 | [[rule]] | [[rule]] has no exit | write exit = 100"],
        ),
        (
            "type = \"backlog\"\nby = [\"vendor\"]\nenter = 100\nexit = 80\nwindow = \"5m\"",
            vec![
                "8 | window | unknown key \"window\" in [[rule]] | window belongs to rules of type = \"threshold\" or \"change\"",
            ],
        ),
        (
            "type = \"quiet\"\nby = [\"vendor\"]",
            vec!["1 | [[rule]] | [[rule]] has no after | write after = \"15m\""],
        ),
        (
            "type = \"quiet\"\nby = [\"vendor\"]\nafter = \"10s\"",
            vec![
                "6 | \"10s\" | after is from \"1m\" to less than 7 days, when a vendor is given up | write \"1m\"",
            ],
        ),
        (
            "type = \"quiet\"\nby = [\"vendor\"]\nafter = \"200h\"",
            vec![
                "6 | \"200h\" | after is from \"1m\" to less than 7 days, when a vendor is given up | write \"167h\"",
            ],
        ),
        (
            "type = \"quiet\"\nby = [\"vendor\"]\nafter = \"15m\"\nsummary = \"{ticket}\"",
            vec![
                "7 | \"{ticket}\" | {ticket} stands for nothing in a summary of this kind of rule | write one of {rule}, {severity}, {vendor}, {queue}, {value}, {after}",
            ],
        ),
        (
            "type = \"quiet\"\nby = [\"vendor\"]\nafter = \"15m\"\nmatch = { category = [\"x\"] }",
            vec![
                "7 | category | unknown key \"category\" in match | alerts about queues know no category of a ticket: match vendor and queue",
            ],
        ),
    ] {
        assert_eq!(said(&rule(lines)), expected, "{lines}");
    }
}

#[test]
fn mistakes_in_how_much_worse() {
    for (lines, expected) in [
        (
            "type = \"backlog\"\nby = [\"vendor\"]\nenter = 100\nexit = 80\nworse_by = 0",
            "8 | 0 | worse_by is nothing, so an acknowledged alert would fire again at once | write how much worse, such as 100",
        ),
        (
            "type = \"oldest\"\nby = [\"vendor\"]\nenter = \"2h\"\nexit = \"1h\"\nworse_by = \"10%\"",
            "8 | \"10%\" | \"10%\": this is no duration: only digits and the units h, m and s may stand in it | write hours, minutes and seconds, such as \"1h30m\", \"90s\" or \"24h\"",
        ),
        (
            "type = \"threshold\"\nmeasure = \"csat\"\nwindow = \"1h\"\nby = [\"vendor\"]\nenter = \"70%\"\nexit = \"80%\"\nworse_by = 10",
            "10 | 10 | worse_by is a share of all, from 0 to 1 or from \"0%\" to \"100%\" | write \"10%\"",
        ),
        (
            "type = \"ticket\"\non = [\"breached\"]\nworse_by = \"0s\"",
            "6 | \"0s\" | worse_by is nothing, so an acknowledged alert would fire again at once | write how much longer, such as \"2h\"",
        ),
    ] {
        assert_eq!(said(&rule(lines)), [expected], "{lines}");
    }
}

#[test]
fn mistakes_in_ticket_rules() {
    let breached = "type = \"ticket\"\non = [\"breached\"]";
    let warning = "type = \"ticket\"\non = [\"warning\"]";
    for (lines, expected) in [
        (
            format!("{breached}\nmatch = {{ categry = [\"x\"] }}"),
            "6 | categry | a ticket has no attribute \"categry\" | write \"category\"; a label is written \"labels.categry\"",
        ),
        (
            format!("{breached}\nmatch = {{ category = \"x\" }}"),
            "6 | \"x\" | category takes a list of texts, and this is a string | write [\"x\"]",
        ),
        (
            format!("{breached}\nmatch = {{ labels = [\"gold\"] }}"),
            "6 | [\"gold\"] | labels takes a table, and this is a list | write { tier = [\"gold\"] }",
        ),
        (
            format!("{breached}\nat = [0.8]"),
            "6 | [0.8] | at picks among warnings, and this rule tells of none | write on = [\"breached\", \"warning\"], or leave at out",
        ),
        (
            format!("{warning}\nat = [80]"),
            "6 | 80 | 80 is no fraction of the target between 0 and 1 | write 0.8 for 80 %",
        ),
        (
            format!("{warning}\nat = \"0.8\""),
            "6 | \"0.8\" | at takes a list of warning levels, and this is a string | write [0.8, \"15m\"]",
        ),
        (
            format!("{warning}\ngroup = {{ over = 5, within = \"10m\" }}"),
            "6 | { over = 5, within = \"10m\" } | group is about clocks that breach, and this rule tells of none | write on = [\"breached\", \"warning\"], or leave group out",
        ),
        (
            format!("{breached}\ngroup = {{ over = 0, within = \"10m\" }}"),
            "6 | 0 | over takes a whole number from 1 on, and this is an integer | write a number such as 5",
        ),
        (
            format!("{breached}\ngroup = {{ over = 5, within = \"10m\", worse_by = \"10%\" }}"),
            "6 | \"10%\" | worse_by takes a whole number from 1 on, and this is a string | write a number such as 10",
        ),
        (
            format!("{breached}\ngroup = {{ over = 5 }}"),
            "6 | { over = 5 } | group has no within | write within = \"10m\"",
        ),
        (
            format!("{breached}\ngroup = {{ over = 5, within = \"0s\" }}"),
            "6 | \"0s\" | nothing breaches within no time | write \"10m\"",
        ),
        (
            format!("{breached}\ngroup = {{ over = 5, within = \"10m\", by = \"queue\" }}"),
            "6 | by | unknown key \"by\" in group | write one of over, within, worse_by",
        ),
        (
            format!("{breached}\nby = [\"vendor\"]"),
            "6 | by | unknown key \"by\" in [[rule]] | by belongs to rules of type = \"threshold\", \"backlog\", \"oldest\", \"quiet\", \"burn\", \"projection\" or \"change\"",
        ),
    ] {
        assert_eq!(said(&rule(&lines)), [expected], "{lines}");
    }
}
