//! Whole explanations, read as somebody would who argues about a minute: the cases of SEMANTICS 7 that have a story to
//! tell, and what else can become of a clock. Times of the cases are those of the page.

use slawatch::explain::{Explained, Lines, Selection, text};
use slawatch::replay::IntakeOptions;
use slawatch_event::parse_instant;
use slawatch_policy::{Metric, PolicySets};

/// A desk in Berlin, Monday to Friday; the Friday of the second week of January 2026 is a holiday.
fn desk(hours: &str, body: &str) -> String {
    format!(
        "[[calendar]]\nname = 'desk'\ntimezone = 'Europe/Berlin'\nhours = {{ mon-fri = ['{hours}'] }}\nholidays = ['2026-01-16']\n{}",
        policy("desk", &format!("calendar = 'desk'\n{body}"))
    )
}

fn policy(name: &str, body: &str) -> String {
    format!("[[policy]]\nname = '{name}'\n{body}\n")
}

fn sets(policies: &str) -> PolicySets {
    let text = format!("effective_from = '2026-01-01T00:00:00Z'\n{policies}");
    PolicySets::parse(&[("contract.toml".to_owned(), text)])
        .unwrap_or_else(|errors| panic!("{errors}"))
}

/// An event a line: id, type, local time of Berlin (an hour ahead of UTC) in January 2026 as `09T16:30`, and further
/// fields as JSON with single quotes.
fn event(line: &str) -> String {
    let mut words = line.splitn(4, ' ');
    let mut next = || words.next().unwrap_or_default().trim();
    let (id, event_type, at, fields) = (next(), next(), next(), next());
    let seconds = if at.matches(':').count() == 1 {
        ":00"
    } else {
        ""
    };
    let fields = match fields {
        "" => String::new(),
        fields => format!(",{}", fields.replace('\'', "\"")),
    };
    format!(
        r#"{{"event_id":"{id}","ticket_id":"T-1","type":"{event_type}","occurred_at":"2026-01-{at}{seconds}+01:00"{fields}}}"#
    )
}

fn explained(policies: &str, events: &str, until: &str) -> Explained {
    let until_ms = parse_instant(&format!("2026-01-{until}:00+01:00"));
    let options = IntakeOptions {
        until_ms: Some(until_ms.expect("an instant")),
        ..IntakeOptions::default()
    };
    let mut lines = Lines::new("T-1", sets(policies), options);
    for line in events
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        if line.starts_with('{') {
            lines.line(line.as_bytes());
        } else {
            lines.line(event(line).as_bytes());
        }
    }
    lines
        .finish(0, "events.jsonl")
        .unwrap_or_else(|error| panic!("{error}"))
}

fn told(policies: &str, events: &str, until: &str) -> String {
    text(&explained(policies, events, until), false)
}

#[test]
fn case_1_created_friday_16_30_target_1_h_due_monday_09_30() {
    let policies = desk("09:00-17:00", "[policy.targets]\nfirst_reply = '1h'");
    let events = "e1 created 09T16:30 'vendor':'acme','queue':'refunds','priority':'normal'";
    insta::assert_snapshot!(told(&policies, events, "10T12:00"));
}

#[test]
fn case_6_a_pause_inside_hours_moves_the_due_by_its_length() {
    let policies = desk("10:00-18:00", "[policy.targets]\nrequester_wait = '2h'");
    let events = |resumed: &str| {
        format!(
            "e1 created 08T15:00 'vendor':'acme','queue':'refunds'
            e2 updated 08T15:30 'status':'pending'
            e3 updated {resumed} 'status':'open'"
        )
    };
    insta::assert_snapshot!(
        "case_6_3600_s",
        told(&policies, &events("08T16:30:00"), "08T17:00")
    );
    insta::assert_snapshot!(
        "case_6_3601_s",
        told(&policies, &events("08T16:30:01"), "08T17:00")
    );
}

#[test]
fn case_7_a_pause_over_a_holiday_leaves_50_min_elapsed() {
    let policies = desk("10:00-18:00", "[policy.targets]\nagent_work = '4h'");
    let events = "
        e1 created 15T17:30 'vendor':'acme','queue':'refunds'
        e2 updated 15T17:50 'status':'on_hold'
        e3 updated 19T12:30 'status':'open'
        e4 updated 19T13:00 'status':'solved'";
    insta::assert_snapshot!(told(&policies, events, "20T00:00"));
}

/// Two desks, one of them far away.
fn two_desks() -> String {
    format!(
        "[[calendar]]\nname = 'berlin'\ntimezone = 'Europe/Berlin'\nhours = {{ mon-fri = ['09:00-17:00'] }}
        [[calendar]]\nname = 'manila'\ntimezone = 'Asia/Manila'\nhours = {{ mon-fri = ['09:00-18:00'] }}\n{}{}",
        policy(
            "night",
            "match = { queue = ['night'] }\ncalendar = 'manila'\n[policy.targets]\nresolution = '6h'"
        ),
        policy("day", "calendar = 'berlin'\n[policy.targets]\nresolution = '8h'")
    )
}

#[test]
fn case_10_a_queue_moved_to_another_calendar_accumulates_under_each() {
    let events = "
        e1 created 08T14:00 'vendor':'acme','queue':'day'
        e2 updated 08T18:00 'queue':'night'
        e3 updated 09T06:30 'status':'solved'";
    insta::assert_snapshot!(told(&two_desks(), events, "10T00:00"));
}

#[test]
fn case_11_priorities_change_before_and_after_the_breach() {
    let policies = desk(
        "09:00-17:00",
        "[policy.targets]\nfirst_reply = { urgent = '1h', low = '8h', default = '4h' }",
    );
    let raised = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds','priority':'normal'
        e17 updated 08T12:00 'priority':'urgent'
        e18 agent_replied 08T13:00";
    let lowered = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds','priority':'urgent'
        e2 updated 08T12:00 'priority':'low'";
    insta::assert_snapshot!("case_11_raised", told(&policies, raised, "09T00:00"));
    insta::assert_snapshot!("case_11_lowered", told(&policies, lowered, "12T12:00"));
}

#[test]
fn case_12_a_new_policy_by_re_match_keeps_elapsed_and_pauses() {
    let policies = format!(
        "{}{}",
        policy(
            "gold",
            "match = { 'labels.tier' = ['gold'] }\n[policy.targets]\nresolution = '2h'\n[policy.pause_on]\nresolution = ['pending']"
        ),
        policy(
            "plain",
            "[policy.targets]\nresolution = '8h'\n[policy.pause_on]\nresolution = ['pending']"
        )
    );
    let events = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 08T10:30 'status':'pending'
        e3 updated 08T11:00 'labels':{'tier':'gold'}
        e4 updated 08T11:30 'status':'open'
        e5 updated 08T12:30 'status':'solved'";
    insta::assert_snapshot!(told(&policies, events, "09T00:00"));
}

#[test]
fn case_16_reopened_under_resume_restart_and_ignore() {
    let events = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 08T11:00 'status':'solved'
        e3 updated 08T14:00 'status':'open'
        e4 updated 08T15:00 'status':'closed'";
    for on_reopen in ["resume", "restart", "ignore"] {
        let policies = policy(
            "only",
            &format!("on_reopen = '{on_reopen}'\n[policy.targets]\nresolution = '4h'"),
        );
        insta::assert_snapshot!(
            format!("case_16_{on_reopen}"),
            told(&policies, events, "09T00:00")
        );
    }
}

#[test]
fn case_24_after_a_handover_the_breach_goes_to_the_owner_at_due() {
    let events = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 08T13:00 'vendor':'globex','queue':'claims'
        e3 updated 08T16:00 'status':'solved'";
    let at_due = policy("only", "[policy.targets]\nresolution = '4h'");
    let longest = policy(
        "only",
        "attribute_to = 'longest'\n[policy.targets]\nresolution = '4h'",
    );
    insta::assert_snapshot!("case_24_due", told(&at_due, events, "09T00:00"));
    insta::assert_snapshot!("case_24_longest", told(&longest, events, "09T00:00"));
}

#[test]
fn a_contact_offered_again_and_one_given_up_on_a_ticket_never_created() {
    let policies = policy(
        "calls",
        "[policy.targets]\nanswer = '20s'\nresolution = '8h'",
    );
    let events = "
        e1 contact_offered 08T10:00:00 'vendor':'acme','queue':'calls','contact_id':'c1'
        e2 contact_offered 08T10:00:15 'queue':'overflow','contact_id':'c1'
        e3 contact_abandoned 08T10:00:40 'contact_id':'c1'
        e4 contact_offered 08T10:01:00 'contact_id':'c2'
        e5 contact_answered 08T10:01:20 'contact_id':'c2'
        e6 contact_answered 08T10:02:00 'contact_id':'c3'";
    insta::assert_snapshot!(told(&policies, events, "09T00:00"));
}

#[test]
fn what_does_not_count_is_said_to_be_ignored_and_why() {
    let policies = policy(
        "only",
        "[policy.targets]\nfirst_reply = '1h'\nresolution = '8h'",
    );
    let events = "
        e0 updated 08T09:00 'vendor':'acme','queue':'refunds'
        e1 created 08T10:00
        e1 created 08T10:00
        e2 agent_replied 08T10:30
        e2 agent_replied 08T10:45
        e3 created 08T10:40 'priority':'high'
        e4 merged 08T11:00
        e5 agent_replied 08T11:30 'vendor':'globex'
        e6 handled 08T11:40 'talk_ms':1000
        {\"event_id\":\"e7\",\"ticket_id\":\"T-1\",\"type\":\"solved\",\"occurred_at\":\"2026-01-08T12:00:00+01:00\"}";
    insta::assert_snapshot!(told(&policies, events, "09T00:00"));
}

#[test]
fn what_is_known_and_lies_ahead_of_the_clock_is_told_apart() {
    let policies = policy("only", "[policy.targets]\nresolution = '8h'");
    let events = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 08T11:00 'status':'solved'
        e3 updated 08T11:04 'status':'open'";
    insta::assert_snapshot!(told(&policies, events, "08T11:02"));
}

#[test]
fn long_after_a_breach_the_days_are_told_together() {
    let policies = desk("09:00-17:00", "[policy.targets]\nresolution = '10h'");
    let events = "
        e1 created 05T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 13T12:00 'queue':'claims'";
    insta::assert_snapshot!(told(&policies, events, "27T12:00"));
}

#[test]
fn solving_without_a_reply_can_end_a_reply_clock_without_verdict() {
    let policies = policy(
        "only",
        "reply_by_solving = 'cancelled'\n[policy.targets]\nfirst_reply = '1h'\nperiodic_update = '4h'",
    );
    let events = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 08T10:30 'status':'solved'
        e3 agent_replied 08T11:00 'status':'open'
        e4 updated 08T11:30 'status':'solved'";
    insta::assert_snapshot!(told(&policies, events, "09T00:00"));
}

#[test]
fn a_clock_asked_for_is_told_in_full_though_it_never_had_a_target() {
    let policies = policy("only", "[policy.targets]\nfirst_reply = '1h'");
    let events = "
        e1 created 08T10:00 'vendor':'acme','queue':'refunds'
        e2 updated 08T11:00 'status':'solved'";
    let mut explained = explained(&policies, events, "09T00:00");
    let wanted = Selection {
        metric: Some(Metric::Resolution),
        cycle: None,
    };
    explained.select(wanted).expect("it has one");
    insta::assert_snapshot!(text(&explained, true));
    for (metric, cycle, expected) in [
        (
            Some(Metric::Resolution),
            Some(2),
            "ticket T-1 has no cycle 2 of resolution; it has first_reply 1, requester_wait 1, agent_work 1, resolution 1",
        ),
        (
            Some(Metric::Answer),
            None,
            "ticket T-1 has no cycle of answer; it has first_reply 1, requester_wait 1, agent_work 1, resolution 1",
        ),
        (
            None,
            Some(9),
            "ticket T-1 has no cycle 9 of any clock; it has first_reply 1, requester_wait 1, agent_work 1, resolution 1",
        ),
    ] {
        let mut again = self::explained(&policies, events, "09T00:00");
        let refused = again.select(Selection { metric, cycle }).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}
