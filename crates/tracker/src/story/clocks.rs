//! SEMANTICS 7, cases 11 to 15, 17, 18, 20, 21 and 24: targets, policies, stops and owners.

use super::teller::{always, policy};
use super::ticket;

const BY_PRIORITY: &str = "first_reply = { urgent = '1h', low = '8h' }";

#[test]
fn case_11_a_lower_priority_after_the_breach_saves_nothing() {
    ticket()
        .policies(&always(BY_PRIORITY))
        .created("Mon 09:00")
        .priority("urgent")
        .updated("Mon 10:30")
        .priority("low")
        .at("Mon 11:00")
        .says("first_reply", "breached at Mon 10:00")
        .stands("first_reply", "/, only, urgent");
}

#[test]
fn case_11_a_higher_priority_with_its_target_used_up_is_due_at_once() {
    ticket()
        .policies(&always(BY_PRIORITY))
        .created("Mon 09:00")
        .priority("low")
        .updated("Mon 11:00")
        .priority("urgent")
        .at("Mon 11:01")
        .says("first_reply", "breached at Mon 11:00")
        .stands("first_reply", "/, only, urgent");
}

#[test]
fn a_lower_priority_at_the_very_due_moves_it() {
    ticket()
        .policies(&always(BY_PRIORITY))
        .created("Mon 09:00")
        .priority("urgent")
        .updated("Mon 10:00")
        .priority("low")
        .at("Mon 11:00")
        .says("first_reply", "running, due Mon 17:00");
}

const QUEUES: &str = "
[[policy]]
name = 'a'
match = { queue = ['a'] }
[policy.targets]
resolution = '4h'
[policy.pause_on]
resolution = ['pending']
[[policy]]
name = 'b'
match = { queue = ['b'] }
[policy.targets]
resolution = '6h'
[[policy]]
name = 'spam'
match = { queue = ['spam'] }
";

#[test]
fn case_12_a_new_policy_keeps_what_was_measured_and_paused() {
    ticket()
        .policies(QUEUES)
        .created("Mon 09:00")
        .queue("a")
        .updated("Mon 10:00")
        .status("pending")
        .updated("Mon 11:00")
        .status("open")
        .updated("Mon 12:00")
        .queue("b")
        .at("Mon 12:00")
        .says("resolution", "running, due Mon 16:00")
        .check("resolution", |row| row.target_ms, Some(6 * 3_600_000));
}

#[test]
fn case_12_a_pause_ends_with_the_policy_that_makes_it_one() {
    ticket()
        .policies(QUEUES)
        .created("Mon 09:00")
        .queue("a")
        .updated("Mon 10:00")
        .status("pending")
        .updated("Mon 11:00")
        .queue("b")
        .at("Mon 12:00")
        .says("resolution", "running, due Mon 16:00");
}

#[test]
fn case_13_moved_to_a_queue_without_target_there_is_no_verdict() {
    let moved = ticket()
        .policies(QUEUES)
        .created("Mon 09:00")
        .queue("a")
        .updated("Mon 10:00")
        .queue("spam");
    moved
        .clone()
        .at("Tue 09:00")
        .says("resolution", "running")
        .stands("resolution", "/spam, spam, ");
    moved
        .clone()
        .solved("Mon 15:00")
        .at("Tue 09:00")
        .says("resolution", "untargeted at Mon 15:00, elapsed 6h")
        .in_all("met.resolution", 0)
        .in_all("solved", 1);
    moved
        .updated("Mon 15:00")
        .queue("a")
        .at("Tue 09:00")
        .says("resolution", "breached at Mon 15:00")
        .shared("resolution", "/a 1h, /spam 5h");
}

#[test]
fn a_clock_that_never_had_a_target_has_no_row() {
    ticket()
        .policies(QUEUES)
        .created("Mon 09:00")
        .queue("spam")
        .solved("Mon 10:00")
        .queue("a")
        .at("Tue 09:00")
        .has_no("resolution")
        .has_no("first_reply");
}

#[test]
fn case_14_closing_what_is_solved_changes_nothing() {
    ticket()
        .policies(&always("resolution = '4h'"))
        .created("Mon 09:00")
        .solved("Mon 10:00")
        .updated("Mon 20:00")
        .status("closed")
        .at("Tue 09:00")
        .says("resolution", "met at Mon 10:00, due Mon 13:00, elapsed 1h")
        .has_no("resolution#2")
        .in_all("solved", 1)
        .in_all("left", 1);
}

fn thanked() -> super::teller::Story {
    ticket()
        .created("Mon 09:00")
        .agent_replied("Mon 09:10")
        .customer_replied("Mon 09:20")
        .solved("Mon 09:30")
}

#[test]
fn case_15_solving_answers_a_thank_you() {
    thanked()
        .policies(&always("next_reply = '1h'"))
        .at("Mon 12:00")
        .says("next_reply", "met at Mon 09:30, due Mon 10:20, elapsed 10m")
        .counted("Mon 09:30", "/", "left 1, met.next_reply 1, solved 1");
}

#[test]
fn where_solving_is_no_reply_the_clock_ends_without_verdict() {
    let cancels = policy(
        "reply_by_solving = 'cancelled'\n[policy.targets]\nnext_reply = '1h'\nfirst_reply = '1h'",
    );
    thanked()
        .policies(&cancels)
        .at("Mon 12:00")
        .says("next_reply", "cancelled at Mon 09:30, elapsed 10m")
        .counted("Mon 09:30", "/", "left 1, solved 1");
    ticket()
        .policies(&cancels)
        .created("Mon 09:00")
        .agent_replied("Mon 09:10")
        .status("solved")
        .at("Mon 12:00")
        .says(
            "first_reply",
            "met at Mon 09:10, due Mon 10:00, elapsed 10m",
        );
    ticket()
        .policies(&cancels)
        .created("Mon 09:00")
        .solved("Mon 10:30")
        .at("Mon 12:00")
        .says(
            "first_reply",
            "breached at Mon 10:00, stopped Mon 10:30, elapsed 1h30m",
        );
}

#[test]
fn case_17_a_merge_cancels_what_runs_and_leaves_what_is_decided() {
    ticket()
        .policies(&always(
            "first_reply = '1h'\nperiodic_update = '2h'\nrequester_wait = '3h'\nresolution = '8h'",
        ))
        .created("Mon 09:00")
        .agent_replied("Mon 09:30")
        .merged("Mon 12:30")
        .solved("Mon 13:00")
        .at("Tue 09:00")
        .says(
            "first_reply",
            "met at Mon 09:30, due Mon 10:00, elapsed 30m",
        )
        .says(
            "periodic_update",
            "breached at Mon 11:30, stopped Mon 12:30, elapsed 3h",
        )
        .says(
            "requester_wait",
            "breached at Mon 12:00, stopped Mon 12:30, elapsed 3h30m",
        )
        .says("resolution", "cancelled at Mon 12:30, elapsed 3h30m")
        .in_all("solved", 0)
        .counted("Mon 12:30", "/", "left 1");
}

#[test]
fn case_18_a_stop_at_the_due_is_met() {
    ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 10:00")
        .at("Mon 12:00")
        .says("first_reply", "met at Mon 10:00, due Mon 10:00, elapsed 1h");
}

#[test]
fn case_18_a_breach_waits_until_the_clock_is_past_the_due() {
    let open = ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00");
    open.clone()
        .at("Mon 10:00")
        .says("first_reply", "running, due Mon 10:00");
    open.clone()
        .at("Mon 10:00:00.001")
        .says("first_reply", "breached at Mon 10:00");
    let patient = open.allowed_delay(2_000);
    patient
        .clone()
        .at("Mon 10:00:02")
        .says("first_reply", "running, due Mon 10:00");
    patient
        .at("Mon 10:00:02.001")
        .says("first_reply", "breached at Mon 10:00");
}

#[test]
fn case_20_a_millisecond_decides() {
    for (replied, verdict) in [
        (
            "Mon 10:00:00.250",
            "met at Mon 10:00:00.250, due Mon 10:00:00.250, elapsed 1h",
        ),
        (
            "Mon 10:00:00.251",
            "breached at Mon 10:00:00.250, stopped Mon 10:00:00.251, elapsed 1h0.001s",
        ),
    ] {
        ticket()
            .policies(&always("first_reply = '1h'"))
            .created("Mon 09:00:00.250")
            .agent_replied(replied)
            .at("Mon 12:00")
            .says("first_reply", verdict);
    }
}

#[test]
fn case_21_a_new_policy_set_changes_no_cycle_that_has_started() {
    ticket()
        .policies(&always("first_reply = '4h'\nnext_reply = '4h'"))
        .policies_from(
            "2025-06-02T10:00:00Z",
            &always("first_reply = '1h'\nnext_reply = '1h'").replace("only", "new"),
        )
        .created("Mon 09:59:59.999")
        .agent_replied("Mon 11:30")
        .customer_replied("Mon 12:00")
        .updated("Mon 12:10")
        .queue("moved")
        .at("Mon 12:10")
        .says(
            "first_reply",
            "met at Mon 11:30, due Mon 13:59:59.999, elapsed 1h30m0.001s",
        )
        .stands("first_reply", "/, only, ")
        .says("next_reply", "running, due Mon 13:00")
        .stands("next_reply", "/moved, new, ")
        .check(
            "next_reply",
            |row| row.policy_set_ms,
            Some(1_748_858_400_000),
        );
}

#[test]
fn a_cycle_that_starts_before_all_sets_has_neither_policy_nor_row() {
    ticket()
        .policies_from("2025-06-02T10:00:00Z", &always("resolution = '1h'"))
        .created("Mon 09:59:59")
        .updated("Mon 12:00")
        .queue("moved")
        .at("Tue 09:00")
        .has_no("resolution");
    ticket()
        .policies_from("2025-06-02T10:00:00Z", &always("resolution = '1h'"))
        .created("Mon 10:00")
        .at("Mon 10:00")
        .assert_due("resolution", "Mon 11:00");
}

const CREDITED: &str = "resolution = '3h'\nfirst_reply = '1h'";

fn handed_over() -> super::teller::Story {
    ticket()
        .created("Mon 09:00")
        .vendor("acme")
        .updated("Mon 10:30")
        .vendor("globex")
        .updated("Mon 13:00")
        .vendor("initech")
}

#[test]
fn case_24_each_vendor_gets_its_time_and_the_breach_goes_to_the_owner_at_due() {
    handed_over()
        .policies(&always(CREDITED))
        .at("Mon 14:00")
        .says("resolution", "breached at Mon 12:00")
        .stands("resolution", "globex/, only, ")
        .shared("resolution", "acme/ 1h30m, globex/ 1h30m")
        .counted("Mon 12:00", "globex/", "breached.resolution 1")
        .says("first_reply", "breached at Mon 10:00")
        .stands("first_reply", "acme/, only, ")
        .counted("Mon 10:30", "acme/", "left 1")
        .counted("Mon 10:30", "globex/", "entered 1");
}

#[test]
fn a_policy_attributes_a_breach_to_the_first_owner_or_to_the_longest() {
    for (attribute_to, owner) in [("due", "globex/"), ("start", "acme/"), ("longest", "acme/")] {
        let attributes = policy(&format!(
            "attribute_to = '{attribute_to}'\n[policy.targets]\n{CREDITED}"
        ));
        handed_over()
            .policies(&attributes)
            .at("Mon 14:00")
            .stands("resolution", &format!("{owner}, only, "))
            .counted("Mon 12:00", owner, "breached.resolution 1");
    }
}

#[test]
fn who_replies_and_hands_over_in_one_event_is_credited() {
    ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00")
        .vendor("acme")
        .agent_replied("Mon 09:30")
        .vendor("globex")
        .priority("high")
        .at("Mon 12:00")
        .stands("first_reply", "acme/, only, ")
        .shared("first_reply", "acme/ 30m")
        .counted("Mon 09:30", "acme/", "left 1, met.first_reply 1")
        .counted("Mon 09:30", "globex/", "entered 1");
}
