//! SEMANTICS 7, case 16, and what else a reopen does.

use super::teller::{Story, always, policy};
use super::ticket;

fn under(on_reopen: &str) -> String {
    policy(&format!(
        "on_reopen = '{on_reopen}'\n[policy.targets]\nresolution = '3h'"
    ))
}

fn reopened() -> Story {
    ticket()
        .created("Mon 09:00")
        .solved("Mon 10:00")
        .updated("Mon 14:00")
        .status("open")
}

#[test]
fn case_16_resume_runs_on_and_forgets_the_stop() {
    reopened()
        .policies(&under("resume"))
        .at("Mon 15:00")
        .says("resolution", "running, due Mon 16:00")
        .has_no("resolution#2")
        .in_all("met.resolution", 0)
        .counted("Mon 10:00", "/", "left 1, solved 1")
        .counted("Mon 14:00", "/", "entered 1, reopened 1");
    reopened()
        .policies(&under("resume"))
        .solved("Mon 15:30")
        .at("Mon 20:00")
        .says(
            "resolution",
            "met at Mon 15:30, due Mon 16:00, elapsed 2h30m",
        )
        .counted("Mon 15:30", "/", "left 1, met.resolution 1, solved 1");
}

#[test]
fn case_16_restart_leaves_the_stop_and_starts_anew() {
    reopened()
        .policies(&under("restart"))
        .at("Mon 15:00")
        .says("resolution", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .says("resolution#2", "running, due Mon 17:00")
        .counted("Mon 10:00", "/", "left 1, met.resolution 1, solved 1");
}

#[test]
fn case_16_ignore_makes_the_stop_final() {
    reopened()
        .policies(&under("ignore"))
        .at("Tue 15:00")
        .says("resolution", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .has_no("resolution#2")
        .in_all("reopened", 1);
}

const BY_QUEUE: &str = "
[[policy]]
name = 'resumes'
match = { queue = ['resumes'] }
[policy.targets]
resolution = '3h'
[[policy]]
name = 'restarts'
match = { queue = ['restarts'] }
on_reopen = 'restart'
[policy.targets]
resolution = '3h'
[[policy]]
name = 'ignores'
match = { queue = ['ignores'] }
on_reopen = 'ignore'
[policy.targets]
resolution = '3h'
";

/// Solved at 10, reopened at 12 into one queue; solved at 13, reopened at 14 into another.
fn reopened_twice(first: &str, second: &str) -> super::teller::Ending {
    ticket()
        .policies(BY_QUEUE)
        .created("Mon 09:00")
        .queue("resumes")
        .solved("Mon 10:00")
        .updated("Mon 12:00")
        .status("open")
        .queue(first)
        .solved("Mon 13:00")
        .updated("Mon 14:00")
        .status("open")
        .queue(second)
        .at("Mon 14:00")
}

#[test]
fn the_policy_that_the_reopening_event_brings_decides() {
    reopened_twice("ignores", "resumes")
        .says("resolution", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .has_no("resolution#2");
    reopened_twice("ignores", "restarts")
        .says("resolution", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .says("resolution#2", "running, due Mon 17:00");
    reopened_twice("resumes", "restarts")
        .says("resolution", "met at Mon 13:00, due Mon 14:00, elapsed 2h")
        .says("resolution#2", "running, due Mon 17:00");
    reopened_twice("restarts", "resumes")
        .says("resolution", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .says("resolution#2", "running, due Mon 16:00")
        .has_no("resolution#3");
}

#[test]
fn created_over_and_reopened_resumes_from_nothing() {
    let story = ticket()
        .policies(&under("resume"))
        .created("Mon 09:00")
        .status("solved");
    story
        .clone()
        .at("Mon 10:00")
        .says("resolution", "met at Mon 09:00, due Mon 12:00, elapsed 0")
        .counted("Mon 09:00", "/", "created 1, met.resolution 1, solved 1")
        .gauges("/", "open 0");
    story
        .updated("Mon 14:00")
        .status("open")
        .at("Mon 14:00")
        .says("resolution", "running, due Mon 17:00")
        .in_all("met.resolution", 0)
        .in_all("entered", 1)
        .in_all("left", 0)
        .gauges("/", "open 1 (T), resolution 1");
}

#[test]
fn what_falls_due_while_over_falls_due_at_the_reopen() {
    ticket()
        .policies(&always("resolution = { low = '8h', urgent = '30m' }"))
        .created("Mon 09:00")
        .priority("low")
        .solved("Mon 10:00")
        .updated("Mon 12:00")
        .priority("urgent")
        .updated("Mon 14:00")
        .status("open")
        .at("Mon 15:00")
        .says("resolution", "breached at Mon 14:00")
        .shared("resolution", "/ 1h");
}

#[test]
fn a_breach_stands_through_reopens() {
    let breached = ticket()
        .policies(&under("resume"))
        .created("Mon 09:00")
        .solved("Mon 13:00");
    breached.clone().at("Mon 14:00").says(
        "resolution",
        "breached at Mon 12:00, stopped Mon 13:00, elapsed 4h",
    );
    breached
        .clone()
        .updated("Mon 14:00")
        .status("open")
        .at("Mon 15:00")
        .says("resolution", "breached at Mon 12:00");
    breached
        .updated("Mon 14:00")
        .status("open")
        .merged("Mon 15:00")
        .at("Mon 20:00")
        .says(
            "resolution",
            "breached at Mon 12:00, stopped Mon 15:00, elapsed 5h",
        );
}

#[test]
fn the_first_owner_of_a_resumed_clock_is_that_of_its_start() {
    let starts = policy("attribute_to = 'start'\n[policy.targets]\nresolution = '1h'");
    ticket()
        .policies(&starts)
        .created("Mon 09:00")
        .vendor("acme")
        .status("solved")
        .updated("Mon 10:00")
        .vendor("globex")
        .updated("Mon 11:00")
        .vendor("initech")
        .status("open")
        .at("Mon 13:00")
        .says("resolution", "breached at Mon 12:00")
        .stands("resolution", "acme/, only, ")
        .shared("resolution", "initech/ 1h");
}

#[test]
fn owners_are_in_the_order_in_which_they_had_the_ticket_even_while_over() {
    ticket()
        .policies(&always("resolution = '3h'"))
        .created("Mon 09:00")
        .vendor("acme")
        .solved("Mon 10:00")
        .updated("Mon 11:00")
        .vendor("globex")
        .updated("Mon 12:00")
        .vendor("initech")
        .updated("Mon 13:00")
        .status("open")
        .updated("Mon 14:00")
        .vendor("globex")
        .at("Mon 20:00")
        .says("resolution", "breached at Mon 15:00")
        .shared("resolution", "acme/ 1h, globex/ 1h, initech/ 1h");
}

#[test]
fn the_longest_owner_of_equals_is_the_first() {
    let longest = policy("attribute_to = 'longest'\n[policy.targets]\nresolution = '2h'");
    ticket()
        .policies(&longest)
        .created("Mon 09:00")
        .vendor("acme")
        .updated("Mon 10:00")
        .vendor("globex")
        .at("Mon 20:00")
        .stands("resolution", "acme/, only, ")
        .counted("Mon 11:00", "acme/", "breached.resolution 1");
    ticket()
        .policies(&longest)
        .created("Mon 09:00")
        .vendor("acme")
        .updated("Mon 09:00")
        .vendor("globex")
        .solved("Mon 09:00")
        .vendor("initech")
        .at("Mon 20:00")
        .says("resolution", "met at Mon 09:00, due Mon 11:00, elapsed 0")
        .stands("resolution", "globex/, only, ")
        .shared("resolution", "");
}

#[test]
fn a_reopen_awaits_a_reply_where_the_customer_wrote_to_an_over_ticket() {
    let solved = ticket()
        .policies(&always("next_reply = '1h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 09:10")
        .solved("Mon 10:00");
    let wrote = solved.customer_replied("Mon 11:00");
    wrote
        .clone()
        .updated("Mon 12:00")
        .status("open")
        .at("Mon 12:00")
        .says("next_reply", "running, due Mon 13:00");
    wrote
        .clone()
        .agent_replied("Mon 12:00")
        .status("open")
        .at("Mon 20:00")
        .has_no("next_reply");
    wrote
        .clone()
        .agent_replied("Mon 11:30")
        .updated("Mon 12:00")
        .status("open")
        .at("Mon 20:00")
        .has_no("next_reply");
    wrote
        .customer_replied("Mon 12:00")
        .status("open")
        .at("Mon 12:00")
        .says("next_reply", "running, due Mon 13:00")
        .has_no("next_reply#2");
    ticket()
        .policies(&always("next_reply = '1h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 09:10")
        .customer_replied("Mon 10:00")
        .status("solved")
        .updated("Mon 12:00")
        .status("open")
        .at("Mon 20:00")
        .has_no("next_reply");
}

#[test]
fn a_merge_that_reopens_counts_both_and_cancels_what_it_starts() {
    for (on_reopen, cycle) in [("resume", "resolution"), ("restart", "resolution#2")] {
        ticket()
            .policies(&under(on_reopen))
            .created("Mon 09:00")
            .vendor("acme")
            .solved("Mon 10:00")
            .merged("Mon 11:00")
            .status("open")
            .vendor("globex")
            .at("Mon 20:00")
            .says(
                cycle,
                if on_reopen == "resume" {
                    "cancelled at Mon 11:00, elapsed 1h"
                } else {
                    "cancelled at Mon 11:00, elapsed 0"
                },
            )
            .stands(
                cycle,
                if on_reopen == "resume" {
                    "acme/, only, "
                } else {
                    "globex/, only, "
                },
            )
            .counted("Mon 11:00", "globex/", "entered 1, left 1, reopened 1")
            .gauges("globex/", "open 0");
    }
}

#[test]
fn a_merge_that_solves_stops_the_clocks() {
    ticket()
        .policies(&always("resolution = '3h'\nfirst_reply = '3h'"))
        .created("Mon 09:00")
        .merged("Mon 10:00")
        .status("solved")
        .vendor("globex")
        .at("Mon 20:00")
        .says("resolution", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .says("first_reply", "met at Mon 10:00, due Mon 12:00, elapsed 1h")
        .counted(
            "Mon 10:00",
            "/",
            "left 1, met.first_reply 1, met.resolution 1",
        )
        .counted("Mon 10:00", "globex/", "solved 1");
}
