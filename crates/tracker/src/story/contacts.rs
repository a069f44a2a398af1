//! Contacts: offers, answers, abandons and flow-outs (SEMANTICS 3 and 5).

use super::teller::{Story, always, policy};
use super::ticket;

fn phone() -> Story {
    ticket().policies(&always("answer = '20s'"))
}

#[test]
fn an_answer_in_time_and_one_too_late() {
    phone()
        .offered("Mon 09:00")
        .contact("c1")
        .queue("calls")
        .answered("Mon 09:00:20")
        .contact("c1")
        .queue("done")
        .offered("Mon 09:10")
        .contact("c2")
        .answered("Mon 09:10:20.001")
        .contact("c2")
        .at("Mon 12:00")
        .says(
            "answer",
            "met at Mon 09:00:20, due Mon 09:00:20, elapsed 20s",
        )
        .check("answer", |row| row.contact_id.clone(), Some("c1".into()))
        .says(
            "answer#2",
            "breached at Mon 09:10:20, stopped Mon 09:10:20.001, elapsed 20.001s",
        )
        .counted(
            "Mon 09:00",
            "/calls",
            "answered 1, answered_in_target 1, met.answer 1, offered 1, wait_ms 20000",
        )
        .counted(
            "Mon 09:10",
            "/done",
            "answered 1, breached.answer 1, offered 1, wait_ms 20001",
        );
}

#[test]
fn an_abandon_is_no_verdict_and_may_be_short_or_in_target() {
    let long_short = policy("short_abandon = '8s'\n[policy.targets]\nanswer = '20s'");
    for (policies, left, counted) in [
        (
            always("answer = '20s'"),
            "Mon 09:00:05",
            "abandoned 1, abandoned_in_target 1, offered 1, short_abandoned 1",
        ),
        (
            always("answer = '20s'"),
            "Mon 09:00:05.001",
            "abandoned 1, abandoned_in_target 1, offered 1",
        ),
        (
            long_short.clone(),
            "Mon 09:00:08",
            "abandoned 1, abandoned_in_target 1, offered 1, short_abandoned 1",
        ),
        (
            long_short,
            "Mon 09:00:20.001",
            "abandoned 1, breached.answer 1, offered 1",
        ),
        (
            always("first_reply = '1h'"),
            "Mon 09:00:06",
            "abandoned 1, offered 1",
        ),
    ] {
        ticket()
            .policies(&policies)
            .offered("Mon 09:00")
            .abandoned(left)
            .at("Mon 12:00")
            .counted("Mon 09:00", "/", counted);
    }
    phone()
        .offered("Mon 09:00")
        .abandoned("Mon 09:00:05")
        .at("Mon 12:00")
        .says("answer", "abandoned at Mon 09:00:05, elapsed 5s");
    phone()
        .offered("Mon 09:00")
        .abandoned("Mon 09:00:30")
        .at("Mon 12:00")
        .says(
            "answer",
            "breached at Mon 09:00:20, stopped Mon 09:00:30, elapsed 30s",
        );
}

#[test]
fn offered_again_before_an_answer_is_a_flow_out() {
    phone()
        .offered("Mon 09:00")
        .queue("first")
        .offered("Mon 09:00:10")
        .queue("second")
        .answered("Mon 09:00:15")
        .at("Mon 12:00")
        .says("answer", "flowed_out at Mon 09:00:10, elapsed 10s")
        .stands("answer", "/first, only, ")
        .says(
            "answer#2",
            "met at Mon 09:00:15, due Mon 09:00:30, elapsed 5s",
        )
        .counted("Mon 09:00", "/first", "flowed_out 1, offered 1")
        .counted(
            "Mon 09:00",
            "/second",
            "answered 1, answered_in_target 1, met.answer 1, offered 1, wait_ms 5000",
        );
}

#[test]
fn contacts_wait_side_by_side_and_the_one_without_name_is_its_own() {
    phone()
        .offered("Mon 09:00")
        .offered("Mon 09:00:01")
        .contact("c1")
        .offered("Mon 09:00:02")
        .contact("")
        .answered("Mon 09:00:03")
        .contact("c1")
        .answered("Mon 09:00:04")
        .field("contact_id", "null")
        .answered("Mon 09:00:05")
        .at("Mon 12:00")
        .says("answer", "flowed_out at Mon 09:00:02, elapsed 2s")
        .check("answer", |row| row.contact_id.clone(), None)
        .says(
            "answer#2",
            "met at Mon 09:00:03, due Mon 09:00:21, elapsed 2s",
        )
        .says(
            "answer#3",
            "met at Mon 09:00:04, due Mon 09:00:22, elapsed 2s",
        )
        .has_no("answer#4")
        .in_all("answered", 2)
        .in_all("offered", 3);
}

#[test]
fn only_offered_contacts_count_and_one_end_per_offer() {
    phone()
        .answered("Mon 09:00")
        .offered("Mon 09:01")
        .abandoned("Mon 09:01:02")
        .answered("Mon 09:01:03")
        .abandoned("Mon 09:01:04")
        .at("Mon 12:00")
        .in_all("answered", 0)
        .in_all("abandoned", 1)
        .has_no("answer#2");
}

#[test]
fn contacts_count_without_a_ticket_created_and_while_it_is_over() {
    phone()
        .offered("Mon 08:00")
        .answered("Mon 08:00:01")
        .created("Mon 09:00")
        .solved("Mon 10:00")
        .offered("Mon 11:00")
        .answered("Mon 11:00:01")
        .at("Mon 12:00")
        .in_all("answered", 2)
        .in_all("met.answer", 2);
}

#[test]
fn an_end_cancels_what_waits_and_nothing_is_offered_after_it() {
    phone()
        .created("Mon 09:00")
        .offered("Mon 10:00")
        .contact("c1")
        .merged("Mon 10:00:05")
        .answered("Mon 10:00:06")
        .contact("c1")
        .offered("Mon 10:01")
        .contact("c2")
        .at("Mon 12:00")
        .says("answer", "cancelled at Mon 10:00:05, elapsed 5s")
        .has_no("answer#2")
        .in_all("offered", 1)
        .in_all("answered", 0)
        .in_all("flowed_out", 0);
}

#[test]
fn a_merge_before_the_creation_ends_no_contact() {
    phone()
        .offered("Mon 09:00")
        .merged("Mon 09:00:05")
        .queue("calls")
        .answered("Mon 09:00:06")
        .at("Mon 12:00")
        .says(
            "answer",
            "met at Mon 09:00:06, due Mon 09:00:20, elapsed 6s",
        )
        .stands("answer", "/calls, only, ");
}

#[test]
fn the_waiting_time_is_plain_even_where_the_clock_pauses() {
    let pauses =
        policy("[policy.targets]\nanswer = '20s'\n[policy.pause_on]\nanswer = ['on_hold']");
    ticket()
        .policies(&pauses)
        .offered("Mon 09:00")
        .status("on_hold")
        .updated("Mon 09:00:30")
        .status("open")
        .answered("Mon 09:00:40")
        .at("Mon 12:00")
        .says(
            "answer",
            "met at Mon 09:00:40, due Mon 09:00:50, elapsed 10s",
        )
        .in_all("wait_ms", 40_000)
        .in_all("answered_in_target", 1);
}

#[test]
fn an_abandoned_contact_belongs_where_attribute_to_says_but_its_pane_does_not_move() {
    let starts = policy("attribute_to = 'start'\n[policy.targets]\nanswer = '20s'");
    ticket()
        .policies(&starts)
        .offered("Mon 09:00")
        .queue("first")
        .updated("Mon 09:00:03")
        .queue("second")
        .abandoned("Mon 09:00:10")
        .at("Mon 12:00")
        .stands("answer", "/first, only, ")
        .counted("Mon 09:00", "/second", "abandoned 1, abandoned_in_target 1");
}
