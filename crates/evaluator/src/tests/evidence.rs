//! What an alert about many shows of the tickets that it rests on.

use super::builders::{Flush, Story, at, breached, first_replies, outcome};
use slawatch_wire::v1::{Contribution, CycleState, OutcomeRow};

const RULES: &str = r#"[[rule]]
name = "replies"
type = "threshold"
measure = "attainment.first_reply"
window = "10m"
enter = "70%"
exit = "90%"
severity = "error"
by = ["vendor"]
"#;

fn late(ticket: &str, due: &str, category: &str) -> OutcomeRow {
    let mut row = OutcomeRow {
        ticket_id: ticket.to_owned(),
        ..breached(due)
    };
    row.attributes
        .insert("category".to_owned(), category.to_owned());
    row
}

fn named(told: &slawatch_wire::v1::AlertTransition) -> Vec<&str> {
    let worst = told.worst_tickets.iter();
    worst.map(|worst| worst.ticket_id.as_str()).collect()
}

#[test]
fn the_worst_tickets_and_what_most_have_in_common() {
    let mut story = Story::under(RULES);
    let mut stopped = late("T3", "10:02", "refund_delay");
    stopped.stopped_at_ms = Some(at("10:04"));
    stopped.elapsed_ms = Some(900_000 + 120_000);
    let answer = OutcomeRow {
        metric: slawatch_wire::v1::Metric::Answer as i32,
        ..late("T9", "10:03", "voice")
    };
    story.hear(
        Flush::at("10:05:30")
            .outcome(late("T0", "09:40", "old"))
            .outcome(late("T1", "10:01", "refund_delay"))
            .outcome(late("T2", "10:00", "login"))
            .outcome(stopped)
            .outcome(answer)
            .outcome(late("T4", "10:05", ""))
            .row("acme", "refunds", "10:05", first_replies(1, 4)),
    );
    let told = story.last();
    assert_eq!(
        told.summary,
        "acme: attainment of first_reply 20.0 % over 10m (target to leave: 90 %), 1 of 5 verdicts met, worst queue \
         refunds 20.0 %, top category of the breached: refund_delay (2 of 4)"
    );
    // 5.5, 4.5, 2 and 0.5 minutes late.
    assert_eq!(named(told), ["T2", "T1", "T3", "T4"]);
    assert_eq!(told.worst_tickets[2].elapsed_ms, Some(1_020_000));
    let of = |value: &str, tickets| Contribution {
        attribute: "category".to_owned(),
        value: value.to_owned(),
        tickets,
    };
    assert_eq!(told.contributions, [of("refund_delay", 2), of("login", 1)]);
}

#[test]
fn what_is_undone_or_moved_is_shown_no_more() {
    let mut story = Story::under(RULES);
    story.hear(
        Flush::at("10:05")
            .outcome(late("T1", "10:01", "a"))
            .outcome(late("T2", "10:02", "a"))
            .outcome(late("T3", "10:03", "a"))
            .outcome(late("T4", "10:04", "a")),
    );
    story.restart();
    let moved = OutcomeRow {
        queue: "chat".to_owned(),
        ..late("T2", "10:02", "a")
    };
    let elsewhere = OutcomeRow {
        vendor: "globex".to_owned(),
        ..late("T3", "10:03", "a")
    };
    let foreign_deletion = OutcomeRow {
        vendor: "globex".to_owned(),
        deleted: true,
        ..late("T4", "10:04", "a")
    };
    let met = OutcomeRow {
        ticket_id: "T1".to_owned(),
        ..outcome(CycleState::Met)
    };
    story.hear(
        Flush::at("10:05:30")
            .outcome(met)
            .outcome(moved)
            .outcome(elsewhere)
            .outcome(foreign_deletion)
            .row("acme", "chat", "10:05", first_replies(0, 4)),
    );
    assert_eq!(named(story.last()), ["T2", "T4"]);
}
