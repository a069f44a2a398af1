//! Rules on what is open: how many tickets, and how old the oldest is; and on who is not heard of.

use super::builders::{Flush, Story, at, contacts, evidence, first_replies};
use slawatch_wire::v1::GaugeRow;

fn open(ticket: &str, open_tickets: i64, oldest: Option<&str>) -> GaugeRow {
    GaugeRow {
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        open_tickets,
        oldest_created_at_ms: oldest.map(at),
        oldest_ticket_id: ticket.to_owned(),
        ..GaugeRow::default()
    }
}

impl Flush {
    fn gauge(mut self, row: GaugeRow) -> Self {
        self.0.gauges.push(row);
        self
    }
}

const OLDEST: &str = r#"[[rule]]
name = "old"
type = "oldest"
enter = "2h"
exit = "1h"
severity = "error"
by = ["vendor", "queue"]
worse_by = "1h"
"#;

#[test]
fn a_ticket_grows_old_though_nothing_is_heard() {
    let mut story = Story::under(OLDEST);
    story.hear(Flush::at("10:00").gauge(open("T7", 12, Some("09:00"))));
    story.hear(Flush::at("10:59:59"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("11:00"));
    let told = story.last().clone();
    assert_eq!(
        told.summary,
        "acme / refunds: oldest open ticket T7 is 2h old, 12 open (target to leave: 1h)"
    );
    assert_eq!(told.reason, "the oldest open ticket is at least 2h old");
    assert_eq!((told.kind.as_str(), told.rule.as_str()), ("oldest", "old"));
    assert_eq!(evidence(&told, "value"), Some(7_200_000.0));
    assert_eq!(evidence(&told, "open_tickets"), Some(12.0));
    let worst = &told.worst_tickets[0];
    assert_eq!(
        (worst.ticket_id.as_str(), worst.due_ms, worst.elapsed_ms),
        ("T7", Some(at("09:00")), Some(7_200_000))
    );
    assert_eq!(story.tellings(), ["11:00 firing old/acme/refunds"]);
    story.restart();
    story.hear(Flush::at("11:29:59.999"));
    story.hear(Flush::at("11:30").gauge(open("T9", 11, Some("10:15"))));
    story.hear(Flush::at("11:40"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("11:40:30").gauge(open("T11", 2, Some("10:45:30"))));
    assert_eq!(
        story.last().reason,
        "the oldest open ticket is 55m old, 1h or less"
    );
    assert_eq!(story.tellings(), ["11:40:30 resolved old/acme/refunds"]);
}

#[test]
fn nothing_open_ends_it() {
    let mut story = Story::under(OLDEST);
    story.hear(Flush::at("10:00").gauge(open("T7", 1, Some("07:00"))));
    story.hear(Flush::at("10:00:30").gauge(open("", 0, None)));
    assert_eq!(story.last().reason, "no ticket is open any more");
    assert_eq!(story.last().summary, "acme / refunds: no ticket is open");
    assert_eq!(
        story.tellings(),
        [
            "10:00 firing old/acme/refunds",
            "10:00:30 resolved old/acme/refunds"
        ]
    );
}

#[test]
fn a_jump_of_the_clock_finds_the_minute() {
    let mut story = Story::under(OLDEST);
    story.hear(Flush::at("10:00").gauge(open("T7", 1, Some("09:00:30"))));
    story.hear(Flush::at("40:00"));
    assert_eq!(story.tellings(), ["11:00:59.999 firing old/acme/refunds"]);
}

/// Whichever way it is written, it is one kind, and its alert goes on.
#[test]
fn a_backlog_has_a_kind_of_its_own() {
    let rule = |kind: &str| {
        format!(
            "[[rule]]\nname = \"b\"\n{kind}\nenter = 100\nexit = 80\nseverity = \"warning\"\nby = [\"vendor\"]\n"
        )
    };
    let mut story = Story::under(&rule("type = \"backlog\""));
    story.hear(Flush::at("10:00").gauge(open("T7", 101, Some("09:00"))));
    let told = story.last();
    assert_eq!(
        (told.kind.as_str(), told.worst_tickets[0].ticket_id.as_str()),
        ("backlog", "T7")
    );
    assert_eq!(
        told.summary,
        "acme: backlog 101 (target to leave: 80), worst queue refunds 101"
    );
    assert_eq!(story.tellings(), ["10:00 firing b/acme"]);
    story.restart_under(&rule("type = \"threshold\"\nmeasure = \"backlog\""));
    story.hear(Flush::at("10:00:30").gauge(open("T7", 80, Some("09:00"))));
    assert_eq!(story.tellings(), ["10:00:30 resolved b/acme"]);
}

const QUIET: &str = r#"[[calendar]]
name = "desk"
timezone = "UTC"
hours = { mon-fri = ["08:00-18:00"] }
[[rule]]
name = "quiet"
type = "quiet"
after = "15m"
severity = "critical"
by = ["vendor"]
calendar = "desk"
"#;

#[test]
fn a_vendor_that_falls_silent_is_missed_on_the_minute() {
    let mut story = Story::under(QUIET);
    story.hear(Flush::at("10:00").row("acme", "refunds", "10:00", contacts(1, 1)));
    story.hear(Flush::at("10:10").row("acme", "chat", "10:10", contacts(1, 1)));
    story.hear(Flush::at("10:24:59"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("10:25"));
    assert_eq!(
        story.last().summary,
        "acme: nothing heard for 15m within the hours of desk"
    );
    assert_eq!(
        evidence(story.last(), "last_heard_ms"),
        Some(at("10:10") as f64)
    );
    assert_eq!(story.tellings(), ["10:25 firing quiet/acme"]);
    story.restart();
    story.hear(Flush::at("10:40"));
    story.hear(Flush::at("10:40:30").gauge(open("T1", 1, Some("10:39"))));
    assert_eq!(story.last().reason, "heard of again");
    assert_eq!(story.tellings(), ["10:40:30 resolved quiet/acme"]);
}

#[test]
fn what_the_clock_brings_about_is_no_sign_of_life() {
    let mut story = Story::under(QUIET);
    story.hear(Flush::at("10:00").row("acme", "refunds", "10:00", contacts(1, 1)));
    story.hear(Flush::at("10:14").row("acme", "refunds", "10:14", first_replies(0, 7)));
    story.hear(Flush::at("10:15"));
    assert_eq!(story.tellings(), ["10:15 firing quiet/acme"]);
}

#[test]
fn only_time_within_the_hours_counts() {
    let mut story = Story::under(QUIET);
    story.hear(Flush::at("17:55").row("acme", "refunds", "17:55", contacts(1, 1)));
    // Tuesday, 08:10.
    story.hear(Flush::at("32:09:59"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("32:10"));
    assert_eq!(story.tellings(), ["32:10 firing quiet/acme"]);
}

#[test]
fn while_a_source_is_out_nobody_is_missed() {
    let mut story = Story::under(QUIET);
    for source in 0..3 {
        story.hear(Flush::at("10:00").source(source, 3).row(
            "acme",
            "refunds",
            "10:00",
            contacts(1, 1),
        ));
    }
    for source in 0..2 {
        story.hear(Flush::at("10:20").source(source, 3));
    }
    assert_eq!(story.evaluator.sources_out(), [2]);
    assert_eq!(story.tellings(), Vec::<String>::new());
    // It is back, and had something to tell.
    let back = Flush::at("10:20").source(2, 3);
    story.hear(back.row("acme", "refunds", "10:18", contacts(1, 1)));
    story.hear(Flush::at("10:20:10").source(0, 3));
    assert_eq!(story.tellings(), Vec::<String>::new());
}

#[test]
fn nobody_waits_for_a_vendor_for_ever() {
    let mut story = Story::under(&QUIET.replace("calendar = \"desk\"\n", "").replace("[[calendar]]\nname = \"desk\"\ntimezone = \"UTC\"\nhours = { mon-fri = [\"08:00-18:00\"] }\n", ""));
    story.hear(Flush::at("10:00").row("acme", "refunds", "10:00", contacts(1, 1)));
    story.hear(Flush::at("179:00"));
    assert_eq!(story.last().reason, "nothing was heard for 7 days");
    story.hear(Flush::at("200:00").row("acme", "refunds", "200:00", contacts(1, 1)));
    story.hear(Flush::at("200:20"));
    assert_eq!(
        story.tellings(),
        [
            "10:15:59.999 firing quiet/acme",
            "178:00:59.999 expired quiet/acme",
            "200:15:59.999 firing quiet/acme",
        ]
    );
}
