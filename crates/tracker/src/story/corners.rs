//! Corners of SEMANTICS 1 to 5 and 8 that its list of cases leaves out.

use super::teller::{always, policy};
use super::ticket;

#[test]
fn events_without_created_set_attributes_and_count_what_they_count() {
    ticket()
        .policies(&always("first_reply = '1h'\nnext_reply = '1h'"))
        .updated("Mon 09:00")
        .vendor("acme")
        .customer_replied("Mon 09:01")
        .agent_replied("Mon 09:02")
        .event("escalated", "Mon 09:03")
        .event("audited", "Mon 09:03")
        .field("passed", "true")
        .event("rated", "Mon 09:03")
        .field("score", "4.0")
        .event("handled", "Mon 09:03")
        .field("talk_ms", "5000")
        .field("wrap_ms", "2290")
        .solved("Mon 09:04")
        .at("Mon 12:00")
        .has_no("first_reply")
        .has_no("next_reply")
        .counted(
            "Mon 09:03",
            "acme/",
            "audits 1, audits_passed 1, escalated 1, handled 1, ratings 1, satisfied 1, talk_ms 5000, wrap_ms 2290",
        )
        .in_all("handle_histogram.206", 1)
        .in_all("solved", 0)
        .gauges("acme/", "open 0");
}

#[test]
fn a_status_from_before_the_creation_makes_it_over_at_once() {
    ticket()
        .policies(&always("first_reply = '1h'"))
        .updated("Mon 08:00")
        .status("closed")
        .created("Mon 09:00")
        .at("Mon 12:00")
        .says("first_reply", "met at Mon 09:00, due Mon 10:00, elapsed 0")
        .counted("Mon 09:00", "/", "created 1, met.first_reply 1, solved 1");
}

#[test]
fn a_second_created_is_an_update() {
    ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00")
        .created("Mon 09:30")
        .queue("moved")
        .at("Mon 09:30")
        .says("first_reply", "running, due Mon 10:00")
        .has_no("first_reply#2")
        .in_all("created", 1)
        .gauges("/moved", "open 1 (T), first_reply 1");
}

#[test]
fn ties_go_by_sequence_and_then_by_type() {
    let at_once = ticket()
        .policies(&always("first_reply = '1h'\nperiodic_update = '1h'"))
        .agent_replied("Mon 09:00")
        .sequence(7)
        .created("Mon 09:00");
    at_once
        .clone()
        .sequence(7)
        .at("Mon 09:00")
        .says("first_reply", "met at Mon 09:00, due Mon 10:00, elapsed 0")
        .says("periodic_update", "running, due Mon 10:00");
    at_once
        .clone()
        .sequence(8)
        .at("Mon 09:00")
        .says("first_reply", "running, due Mon 10:00")
        .has_no("periodic_update");
    at_once
        .sequence(u64::MAX)
        .at("Mon 09:00")
        .says("first_reply", "running, due Mon 10:00");
}

#[test]
fn what_comes_after_an_end_counts_work_and_nothing_else() {
    ticket()
        .policies(&always("first_reply = '1h'\nresolution = '8h'"))
        .created("Mon 09:00")
        .queue("a")
        .event("cancelled", "Mon 10:00")
        .updated("Mon 10:01")
        .queue("lost")
        .event("handled", "Mon 10:02")
        .field("talk_ms", "1000")
        .status("solved")
        .queue("b")
        .event("escalated", "Mon 10:03")
        .created("Mon 10:04")
        .at("Mon 12:00")
        .counted("Mon 10:00", "/a", "left 1")
        .counted("Mon 10:02", "/b", "handled 1, talk_ms 1000")
        .counted("Mon 10:03", "/b", "escalated 1")
        .in_all("created", 1)
        .in_all("solved", 0)
        .in_all("entered", 1)
        .in_all("left", 1);
}

#[test]
fn a_periodic_update_runs_from_reply_to_reply_and_not_while_the_customer_is_awaited() {
    ticket()
        .policies(&always("periodic_update = '2h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 10:00")
        .agent_replied("Mon 11:00")
        .status("pending")
        .customer_replied("Mon 15:00")
        .status("open")
        .agent_replied("Mon 16:00")
        .solved("Mon 16:30")
        .at("Tue 09:00")
        .says(
            "periodic_update",
            "met at Mon 11:00, due Mon 12:00, elapsed 1h",
        )
        .says(
            "periodic_update#2",
            "met at Mon 16:00, due Mon 17:00, elapsed 1h",
        )
        .says("periodic_update#3", "cancelled at Mon 16:30, elapsed 30m");
    ticket()
        .policies(&always("periodic_update = '2h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 10:00")
        .agent_replied("Mon 11:00")
        .status("solved")
        .at("Tue 09:00")
        .says(
            "periodic_update",
            "met at Mon 11:00, due Mon 12:00, elapsed 1h",
        )
        .has_no("periodic_update#2");
}

#[test]
fn stopped_out_of_a_pause_has_no_due() {
    ticket()
        .policies(&always("requester_wait = '2h'"))
        .created("Mon 09:00")
        .updated("Mon 10:00")
        .status("pending")
        .solved("Mon 11:00")
        .at("Tue 09:00")
        .says("requester_wait", "met at Mon 11:00, elapsed 1h");
    ticket()
        .policies(&always("requester_wait = '2h'"))
        .created("Mon 09:00")
        .updated("Mon 10:00")
        .status("pending")
        .at("Tue 09:00")
        .says("requester_wait", "paused")
        .gauges("/", "open 1 (T)");
}

#[test]
fn a_target_lowered_below_what_was_used_is_due_even_in_a_pause() {
    ticket()
        .policies(&always("requester_wait = { low = '4h', urgent = '30m' }"))
        .created("Mon 09:00")
        .priority("low")
        .updated("Mon 10:00")
        .status("pending")
        .updated("Mon 11:00")
        .priority("urgent")
        .at("Mon 12:00")
        .says("requester_wait", "breached at Mon 11:00")
        .shared("requester_wait", "/ 1h");
}

#[test]
fn events_later_than_the_clock_count_and_rows_show_what_holds_now() {
    let story = ticket()
        .policies(&always("resolution = { low = '3h', urgent = '1h' }"))
        .created("Mon 09:00")
        .priority("low")
        .vendor("acme")
        .updated("Mon 09:05")
        .priority("urgent")
        .vendor("globex");
    story
        .clone()
        .at("Mon 09:04:59.999")
        .says("resolution", "running, due Mon 10:00")
        .stands("resolution", "acme/, only, low")
        .counted("Mon 09:05", "globex/", "entered 1");
    story
        .at("Mon 09:05")
        .stands("resolution", "globex/, only, urgent");
}

#[test]
fn a_stop_later_than_the_clock_decides_at_once() {
    let story = ticket()
        .policies(&always("first_reply = '1h'\nresolution = '2h'"))
        .created("Mon 09:00")
        .solved("Mon 10:30");
    story
        .at("Mon 09:10")
        .says(
            "first_reply",
            "breached at Mon 10:00, stopped Mon 10:30, elapsed 1h30m",
        )
        .says(
            "resolution",
            "met at Mon 10:30, due Mon 11:00, elapsed 1h30m",
        );
}

#[test]
fn a_cycle_over_now_and_known_to_reopen_is_paused() {
    let story = ticket()
        .policies(&always("resolution = '2h'"))
        .created("Mon 09:00")
        .solved("Mon 10:00")
        .updated("Mon 11:00")
        .status("open");
    story.clone().at("Mon 10:30").says("resolution", "paused");
    story
        .clone()
        .at("Mon 09:30")
        .says("resolution", "running, due Mon 12:00");
    story
        .at("Mon 11:00")
        .says("resolution", "running, due Mon 12:00");
}

#[test]
fn a_cycle_that_starts_later_than_the_clock_shows_its_start() {
    ticket()
        .policies(&always("resolution = '2h'"))
        .created("Mon 09:00")
        .queue("a")
        .updated("Mon 09:03")
        .queue("b")
        .at("Mon 08:59")
        .says("resolution", "running, due Mon 11:00")
        .stands("resolution", "/a, only, ");
}

#[test]
fn a_target_defined_only_while_over_counts_for_a_resumed_clock() {
    let by_queue = "
[[policy]]
name = 'aimed'
match = { queue = ['aimed'] }
[policy.targets]
resolution = '2h'
[[policy]]
name = 'free'
";
    let over = ticket()
        .policies(by_queue)
        .created("Mon 09:00")
        .solved("Mon 09:30")
        .updated("Mon 10:00")
        .queue("aimed")
        .updated("Mon 11:00")
        .queue("");
    over.clone().at("Mon 12:00").has_no("resolution");
    over.updated("Mon 11:30")
        .status("open")
        .at("Mon 12:00")
        .says("resolution", "running")
        .stands("resolution", "/, free, ");
}

#[test]
fn a_target_that_only_a_forgotten_stop_had_gives_no_row() {
    let by_status = "
[[policy]]
name = 'aimed'
match = { queue = ['aimed'] }
[policy.targets]
resolution = '2h'
[[policy]]
name = 'free'
";
    let story = ticket()
        .policies(by_status)
        .created("Mon 09:00")
        .updated("Mon 09:30")
        .queue("aimed")
        .solved("Mon 09:30")
        .queue("");
    story
        .clone()
        .at("Mon 12:00")
        .says("resolution", "met at Mon 09:30, due Mon 11:00, elapsed 30m");
    story
        .updated("Mon 10:00")
        .status("open")
        .at("Mon 12:00")
        .has_no("resolution");
}

#[test]
fn satisfied_is_decided_in_exact_decimals() {
    for (score, score_max, satisfied) in [
        ("4", None, 1),
        ("3.99999999999999999999", None, 0),
        ("0.8", Some("1"), 1),
        ("8.0e1", Some("100"), 1),
        ("-4", Some("5"), 0),
        ("0.24000000000000000001", Some("0.3"), 1),
        ("0.23999999999999999999", Some("0.3"), 0),
    ] {
        let mut story = ticket()
            .policies(&always("answer = '20s'"))
            .event("rated", "Mon 09:00")
            .field("score", score);
        if let Some(score_max) = score_max {
            story = story.field("score_max", score_max);
        }
        story
            .at("Mon 12:00")
            .in_all("ratings", 1)
            .in_all("satisfied", satisfied);
    }
}

#[test]
fn labels_keep_their_value_unless_named_and_null_is_absent() {
    let by_label = "
[[policy]]
name = 'gold'
match = { 'labels.tier' = ['gold'] }
[policy.targets]
resolution = '1h'
[[policy]]
name = 'rest'
[policy.targets]
resolution = '8h'
";
    for (labels, due) in [
        ("{'other': 'x'}", "Mon 10:00"),
        ("{'tier': null}", "Mon 10:00"),
        ("null", "Mon 10:00"),
        ("{'tier': ''}", "Mon 17:00"),
        ("{'tier': 'silver'}", "Mon 17:00"),
    ] {
        ticket()
            .policies(by_label)
            .created("Mon 09:00")
            .field("labels", "{'tier': 'gold'}")
            .updated("Mon 09:10")
            .field("labels", labels)
            .at("Mon 09:20")
            .assert_due("resolution", due);
    }
}

#[test]
fn an_empty_status_is_new_and_reopens() {
    ticket()
        .policies(&always("resolution = '2h'"))
        .created("Mon 09:00")
        .solved("Mon 10:00")
        .updated("Mon 11:00")
        .status("")
        .at("Mon 11:00")
        .says("resolution", "running, due Mon 12:00")
        .in_all("reopened", 1);
}

#[test]
fn a_due_beyond_twenty_years_or_the_year_9999_is_none() {
    for (created, target, due) in [
        ("2025-06-02 00:00", "175320h", Some("2045-06-02 00:00")),
        ("2025-06-02 00:00", "175320h1s", None),
        ("9999-12-31 23:00", "59m", Some("9999-12-31 23:59")),
        ("9999-12-31 23:00", "1h", None),
    ] {
        let policies = always(&format!("resolution = '{target}'"));
        let mut story = ticket().policies(&policies).created(created);
        let due_ms = due.map(|due| story.instant(due));
        story
            .at(created)
            .check("resolution", |row| row.due_at_ms, due_ms);
    }
}

#[test]
fn an_event_long_after_brings_a_far_due_into_reach() {
    ticket()
        .policies(&always("resolution = '175321h'"))
        .created("2025-06-02 00:00")
        .updated("2025-06-03 00:00")
        .at("2025-06-03 00:00")
        .assert_due("resolution", "2045-06-02 01:00");
}

#[test]
fn first_reply_pauses_where_the_policy_says_so() {
    let pauses =
        policy("[policy.targets]\nfirst_reply = '1h'\n[policy.pause_on]\nfirst_reply = ['new']");
    let story = ticket().policies(&pauses).created("Mon 09:00");
    story.clone().at("Mon 20:00").says("first_reply", "paused");
    story
        .updated("Mon 12:00")
        .status("open")
        .at("Mon 12:00")
        .assert_due("first_reply", "Mon 13:00");
}

#[test]
fn moves_within_one_owner_are_none() {
    ticket()
        .policies(&always("resolution = '1h'"))
        .created("Mon 09:00")
        .vendor("acme")
        .updated("Mon 09:10")
        .vendor("acme")
        .priority("high")
        .updated("Mon 09:20")
        .vendor("")
        .solved("Mon 09:30")
        .vendor("globex")
        .updated("Mon 09:40")
        .vendor("initech")
        .status("open")
        .at("Mon 12:00")
        .counted("Mon 09:10", "acme/", "")
        .counted("Mon 09:20", "acme/", "left 1")
        .counted("Mon 09:20", "/", "entered 1")
        .counted("Mon 09:30", "/", "left 1")
        .counted("Mon 09:30", "globex/", "solved 1")
        .counted("Mon 09:40", "initech/", "entered 1, reopened 1");
}
