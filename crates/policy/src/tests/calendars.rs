//! What is said of mistakes in calendars.

use super::{OPEN, USED, said, said_of};

#[test]
fn mistakes_in_calendars() {
    let cases = [
        (
            "timezone = 7",
            "7 | timezone takes an IANA time zone, and this is an integer | write something like \"Asia/Manila\"",
        ),
        (
            "hours = { mon = [\"9-17\"] }",
            "\"9-17\" | \"9-17\" is no span of a day | write \"09:00-17:00\"",
        ),
        (
            "hours = { mon = [\"9:00 – 17:30\"] }",
            "\"9:00 – 17:30\" | \"9:00 – 17:30\" is no span of a day | write \"09:00-17:30\"",
        ),
        (
            "hours = { mon = [\"23:00-24:30\"] }",
            "\"23:00-24:30\" | \"23:00-24:30\" is no span of a day | write two times of day from 00:00 to 24:00, such as \"09:00-17:30\"",
        ),
        (
            "hours = { mon = [\"13:00-13:00\"] }",
            "\"13:00-13:00\" | the span \"13:00-13:00\" is empty | leave it out, or write \"00:00-24:00\" for the whole day",
        ),
        (
            "hours = { mon = [\"22:00-06:00\"] }",
            "\"22:00-06:00\" | the span \"22:00-06:00\" crosses midnight | write \"22:00-24:00\", and \"00:00-06:00\" on the next day",
        ),
        (
            "hours = { mon = [\"18:00-00:00\"] }",
            "\"18:00-00:00\" | the span \"18:00-00:00\" ends before it starts | write \"18:00-24:00\" for the end of the day",
        ),
        (
            "hours = { mon = [\"09:00-13:00\", \"12:00-18:00\"] }",
            "\"12:00-18:00\" | the span 12:00-18:00 overlaps 09:00-13:00 | write one span, \"09:00-18:00\", or let one end where the other starts",
        ),
        (
            "hours = { mon = [\"12:00-18:00\", \"09:00-13:00\"] }",
            "\"09:00-13:00\" | the span 09:00-13:00 overlaps 12:00-18:00 | write one span, \"09:00-18:00\", or let one end where the other starts",
        ),
        (
            "hours = { mon-fri = [\"09:00-17:00\"], fri-sun = [] }",
            "fri-sun | fri is given twice: in mon-fri and in fri-sun | name each weekday once, with all of its spans in one list",
        ),
        (
            "hours = { monday = [\"09:00-17:00\"] }",
            "monday | unknown weekday \"monday\" | write \"mon\"",
        ),
        (
            "hours = { mon-firday = [\"09:00-17:00\"] }",
            "mon-firday | unknown weekday \"firday\" in \"mon-firday\" | write a day or a range of days, such as mon, mon-fri or sat-sun",
        ),
        (
            "hours = { mon = \"09:00-17:00\" }",
            "\"09:00-17:00\" | mon takes a list of spans, and this is a string | write [\"09:00-17:00\"]",
        ),
        (
            "hours = \"09:00-17:00\"",
            "\"09:00-17:00\" | hours takes a table of weekdays, and this is a string | write something like { mon-fri = [\"09:00-17:00\"] }",
        ),
        (
            "special = { \"24.12.2026\" = [\"09:00-12:00\"] }",
            "\"24.12.2026\" | \"24.12.2026\" is no date | write year, month and day, such as \"2026-12-25\"",
        ),
        (
            "special = { 2026-12-24 = [\"09:00-12:00\", \"11:00-13:00\"] }",
            "\"11:00-13:00\" | the span 11:00-13:00 overlaps 09:00-12:00 | write one span, \"09:00-13:00\", or let one end where the other starts",
        ),
        (
            "timezon = \"UTC\"",
            "timezon | unknown key \"timezon\" in [[calendar]] | write timezone",
        ),
        (
            "color = \"red\"",
            "color | unknown key \"color\" in [[calendar]] | the keys of [[calendar]] are name, timezone, hours, holidays, special",
        ),
        (
            "effective_from = \"2026-01-01T00:00:00Z\"",
            "effective_from | unknown key \"effective_from\" in [[calendar]] | effective_from belongs to the file: write it at the top, above every [[…]]",
        ),
        (
            "on_reopen = \"resume\"",
            "on_reopen | unknown key \"on_reopen\" in [[calendar]] | write it below [[policy]], which is where on_reopen belongs",
        ),
    ];
    for (line, expected) in cases {
        let found = if line.starts_with("timezone") {
            said_of(&format!(
                "effective_from = 2026-01-01T00:00:00Z\n[[calendar]]\nname = \"desk\"\n{line}\n{OPEN}\n[[policy]]\nname = \"rest\"\n{USED}"
            ))
        } else {
            let open = if line.starts_with("hours") { "" } else { OPEN };
            said(&format!("{line}\n{open}"), USED)
        };
        assert_eq!(found, [format!("E {expected}")], "{line}");
    }
}

#[test]
fn mistakes_in_dates() {
    let cases = [
        (
            "\"2026-02-30\"",
            "E \"2026-02-30\" | there is no day \"2026-02-30\" | write a day that the calendar has",
        ),
        (
            "\"2026-2-3\"",
            "E \"2026-2-3\" | \"2026-2-3\" is no date | write year, month and day, such as \"2026-12-25\"",
        ),
        (
            "2026-12-25T00:00:00Z",
            "E 2026-12-25T00:00:00Z | \"2026-12-25T00:00:00Z\" is no date | write year, month and day, such as \"2026-12-25\"",
        ),
        (
            "20261225",
            "E 20261225 | holidays takes a date, and this is an integer | write something like \"2026-12-25\"",
        ),
        (
            "2026-12-25, \"2026-12-25\"",
            "W \"2026-12-25\" | 2026-12-25 is a holiday already, on line 5 | remove one of the two",
        ),
    ];
    for (dates, expected) in cases {
        assert_eq!(
            said(&format!("holidays = [{dates}]\n{OPEN}"), USED),
            [expected],
            "{dates}"
        );
    }
}

#[test]
fn mistakes_in_time_zones() {
    let cases = [
        ("Asia/Manilla", "write \"Asia/Manila\""),
        ("Berlin", "write \"Europe/Berlin\""),
        ("new york", "write \"America/New_York\""),
        (
            "PST",
            "write a name of the IANA time zone database, such as \"Asia/Manila\" or \"Europe/Berlin\"",
        ),
        (
            "Atlantis/Capital",
            "write a name of the IANA time zone database, such as \"Asia/Manila\" or \"Europe/Berlin\"",
        ),
    ];
    for (zone, help) in cases {
        let text = format!(
            "effective_from = 2026-01-01T00:00:00Z\n[[calendar]]\nname = \"desk\"\ntimezone = \"{zone}\"\n{OPEN}\n[[policy]]\nname = \"rest\"\n{USED}"
        );
        assert_eq!(
            said_of(&text),
            [format!(
                "E \"{zone}\" | unknown time zone \"{zone}\" | {help}"
            )]
        );
    }
}
