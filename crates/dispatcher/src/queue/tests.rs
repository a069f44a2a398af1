//! Tables and stories: which request goes out when, and what is reported.

use slawatch_wire::v1::AlertState;

use super::*;
use crate::delivery::{Answer, IntentKey, Subject};
use AlertState::{Firing, Resolved};

const BASE: &str = "name = \"r\"\nurl = \"http://x\"\nretry_min = \"1s\"\nretry_max = \"8s\"\n";

fn webhook(concurrency: usize) -> Queue {
    queue(&format!("type = \"webhook\"\nconcurrency = {concurrency}"))
}

fn alertmanager() -> Queue {
    queue("type = \"alertmanager\"\nrepost_interval = \"60s\"")
}

fn queue(text: &str) -> Queue {
    Queue::new(&toml::from_str(&format!("{BASE}{text}")).unwrap(), 1)
}

fn delivery(key: &str, state: AlertState, revision: u64, may_be_open: bool) -> Delivery {
    Delivery {
        address: Address {
            ledger: LedgerId(1),
            subject: Subject {
                key: key.into(),
                incident: String::new(),
            },
        },
        transition: Arc::new(AlertTransition {
            key: key.into(),
            revision,
            ..Default::default()
        }),
        intent: IntentKey {
            incident: "i".into(),
            state,
            revision,
            ..IntentKey::default()
        },
        may_be_open,
        reference: String::new(),
        group: None,
    }
}

fn fires(key: &str, revision: u64) -> Order {
    Order::Deliver(delivery(key, Firing, revision, false))
}

fn ends(key: &str, revision: u64) -> Order {
    Order::Deliver(delivery(key, Resolved, revision, true))
}

fn taken() -> Answer {
    Answer::taken("200 OK")
}

fn refused() -> Answer {
    Answer::Refused {
        detail: "400 Bad Request".into(),
    }
}

fn trouble(maybe_delivered: bool) -> Answer {
    Answer::Trouble {
        detail: "503".into(),
        retry_after_ms: None,
        maybe_delivered,
    }
}

#[track_caller]
fn sent(queue: &mut Queue, now_ms: i64) -> Request {
    match queue.next(now_ms) {
        Next::Send(request) => request,
        Next::Wait { until_ms } => panic!("waits until {until_ms:?}"),
    }
}

#[track_caller]
fn waits(queue: &mut Queue, now_ms: i64) -> Option<i64> {
    match queue.next(now_ms) {
        Next::Send(request) => panic!("sends {request:?}"),
        Next::Wait { until_ms } => until_ms,
    }
}

fn told(request: &Request) -> Vec<String> {
    let item = |item: &Item| {
        let intent = &item.delivery.intent;
        let again = if item.repeated { " again" } else { "" };
        format!(
            "{} {} r{}{again}",
            item.delivery.address.subject.key,
            state_word(intent.state),
            intent.revision
        )
    };
    request.items.iter().map(item).collect()
}

fn reports(queue: &mut Queue) -> Vec<String> {
    std::iter::from_fn(|| queue.next_report())
        .map(|report| {
            format!(
                "{:?} {} {} r{} after {}: {}",
                report.end,
                report.address.subject.key,
                state_word(report.intent.state),
                report.intent.revision,
                report.attempts,
                report.detail
            )
        })
        .collect()
}

#[test]
fn what_is_taken_is_reported_and_done() {
    let mut queue = webhook(1);
    assert_eq!(waits(&mut queue, 0), None);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    assert_eq!(told(&request), ["a firing r1"]);
    assert_eq!((waits(&mut queue, 0), queue.outstanding()), (None, 1));
    queue.finish(request.number, taken(), 5);
    assert_eq!(reports(&mut queue), ["Sent a firing r1 after 1: 200 OK"]);
    assert_eq!((waits(&mut queue, 5), queue.outstanding()), (None, 0));
}

#[test]
fn trouble_is_tried_again_for_ever_with_growing_pauses() {
    let mut queue = webhook(4);
    queue.order(fires("a", 1), 0);
    let mut now_ms = 0;
    for (failures, longest_ms) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 8_000), (5, 8_000)] {
        let request = sent(&mut queue, now_ms);
        assert_eq!(request.items[0].attempt, failures);
        queue.finish(request.number, trouble(true), now_ms);
        let until_ms = waits(&mut queue, now_ms).unwrap();
        let pause_ms = until_ms - now_ms;
        assert!(
            (longest_ms / 2..=longest_ms).contains(&pause_ms),
            "{failures}: {pause_ms}"
        );
        assert_eq!(waits(&mut queue, until_ms - 1), Some(until_ms));
        now_ms = until_ms;
    }
    let request = sent(&mut queue, now_ms);
    queue.finish(request.number, taken(), now_ms);
    assert_eq!(reports(&mut queue), ["Sent a firing r1 after 6: 200 OK"]);
    assert_eq!(queue.failures(), 0);
}

#[test]
fn a_receiver_says_how_long_to_wait_up_to_a_limit() {
    for (asked_ms, pause_ms) in [(30_000, 30_000), (86_400_000, MAX_RETRY_AFTER_MS)] {
        let mut queue = webhook(1);
        queue.order(fires("a", 1), 0);
        let request = sent(&mut queue, 0);
        let answer = Answer::Trouble {
            detail: "429".into(),
            retry_after_ms: Some(asked_ms),
            maybe_delivered: false,
        };
        queue.finish(request.number, answer, 100);
        queue.order(fires("b", 1), 200);
        assert_eq!(waits(&mut queue, 200), Some(100 + pause_ms));
    }
}

#[test]
fn one_that_always_fails_does_not_stand_in_the_way() {
    let mut queue = webhook(1);
    queue.order(fires("poison", 1), 0);
    let mut now_ms = 0;
    for round in 0..5 {
        let request = sent(&mut queue, now_ms);
        assert_eq!(told(&request), ["poison firing r1"]);
        queue.finish(request.number, trouble(true), now_ms);
        queue.order(fires(&format!("good{round}"), 1), now_ms);
        now_ms = waits(&mut queue, now_ms).unwrap();
        let request = sent(&mut queue, now_ms);
        assert_eq!(told(&request), [format!("good{round} firing r1")]);
        queue.finish(request.number, taken(), now_ms);
        now_ms += 8_000;
    }
}

#[test]
fn several_go_at_once_until_one_fails() {
    let mut queue = webhook(2);
    for key in ["a", "b", "c"] {
        queue.order(fires(key, 1), 0);
    }
    let (first, second) = (sent(&mut queue, 0), sent(&mut queue, 0));
    assert_eq!(waits(&mut queue, 0), None);
    queue.finish(first.number, trouble(false), 0);
    assert_eq!(waits(&mut queue, 0), None, "one is still out");
    queue.finish(second.number, trouble(false), 0);
    let until_ms = waits(&mut queue, 0).unwrap();
    assert_eq!(told(&sent(&mut queue, until_ms)), ["c firing r1"]);
    assert_eq!(
        waits(&mut queue, until_ms + 60_000),
        None,
        "one at a time while it is down"
    );
}

#[test]
fn one_subject_is_never_told_two_things_at_once() {
    let mut queue = webhook(4);
    queue.order(fires("a", 1), 0);
    let first = sent(&mut queue, 0);
    queue.order(ends("a", 2), 0);
    assert_eq!(waits(&mut queue, 0), None);
    queue.finish(first.number, taken(), 1);
    assert_eq!(told(&sent(&mut queue, 1)), ["a resolved r2"]);
}

const NEVER_SENT: [&str; 2] = [
    "Suppressed a firing r1 after 0: it was over before it was sent",
    "Suppressed a resolved r2 after 0: it was over before it was sent",
];
const SUPERSEDED: [&str; 1] =
    ["Suppressed a firing r1 after 1: superseded: resolved at revision 2"];

#[test]
fn the_end_replaces_what_waits() {
    // Never tried: nobody need know.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    queue.order(ends("a", 2), 0);
    assert_eq!(reports(&mut queue), NEVER_SENT);
    assert_eq!(waits(&mut queue, 0), None);
    // Tried, and perhaps it arrived.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.finish(request.number, trouble(true), 0);
    queue.order(ends("a", 2), 10_000);
    assert_eq!(reports(&mut queue), SUPERSEDED);
    assert_eq!(told(&sent(&mut queue, 10_000)), ["a resolved r2"]);
    // Tried, and it cannot have arrived.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.finish(request.number, trouble(false), 0);
    queue.order(ends("a", 2), 10_000);
    assert_eq!(
        reports(&mut queue),
        [
            NEVER_SENT[0].replace("after 0", "after 1"),
            NEVER_SENT[1].to_owned()
        ]
    );
}

#[test]
fn the_end_waits_for_what_is_on_its_way() {
    // Perhaps it arrived.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.order(ends("a", 2), 0);
    queue.finish(request.number, trouble(true), 0);
    assert_eq!(reports(&mut queue), SUPERSEDED);
    let until_ms = waits(&mut queue, 0).unwrap();
    assert_eq!(told(&sent(&mut queue, until_ms)), ["a resolved r2"]);
    // On its way while the end comes, and it cannot have arrived.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.order(ends("a", 2), 0);
    queue.finish(request.number, trouble(false), 0);
    assert_eq!(reports(&mut queue), [SUPERSEDED[0], NEVER_SENT[1]]);
    // On its way, fires and ends once more meanwhile, and it does arrive.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    for order in [ends("a", 2), fires("a", 3), ends("a", 4)] {
        queue.order(order, 0);
    }
    queue.finish(request.number, taken(), 0);
    assert_eq!(told(&sent(&mut queue, 0)), ["a resolved r4"]);
}

#[test]
fn an_end_without_a_beginning_here() {
    // Inherited from an owner who may have sent it.
    let mut queue = webhook(1);
    queue.order(Order::Deliver(delivery("a", Firing, 1, true)), 0);
    queue.order(ends("a", 2), 0);
    assert_eq!(told(&sent(&mut queue, 0)), ["a resolved r2"]);
    // Refused while the end waits: it would end nothing.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.order(Order::Deliver(delivery("a", Resolved, 2, false)), 0);
    queue.finish(request.number, refused(), 0);
    assert_eq!(
        reports(&mut queue),
        [
            "Rejected a firing r1 after 1: 400 Bad Request",
            "Suppressed a resolved r2 after 0: what it would end was refused"
        ]
    );
    // The intent of the firing state was replaced while it was being written.
    let mut queue = webhook(1);
    queue.order(Order::Deliver(delivery("a", Resolved, 2, false)), 0);
    assert_eq!(
        reports(&mut queue),
        ["Suppressed a resolved r2 after 0: the receiver was never told that it fired"]
    );
}

#[test]
fn memory_is_bounded_by_keys() {
    let mut queue = webhook(1);
    queue.order(Order::Deliver(delivery("a", Firing, 1, true)), 0);
    for revision in 2..1000 {
        let order = if revision % 2 == 0 {
            ends("a", revision)
        } else {
            fires("a", revision)
        };
        queue.order(order, 0);
    }
    assert_eq!(queue.outstanding(), 1);
    assert_eq!(told(&sent(&mut queue, 0)), ["a firing r999"]);
}

#[test]
fn an_alertmanager_gets_many_at_once_and_is_told_again_while_they_fire() {
    let mut queue = alertmanager();
    queue.order(fires("a", 1), 0);
    queue.order(fires("b", 1), 0);
    let request = sent(&mut queue, 0);
    assert_eq!(told(&request), ["a firing r1", "b firing r1"]);
    queue.finish(request.number, taken(), 10);
    assert_eq!(reports(&mut queue).len(), 2);
    assert_eq!(waits(&mut queue, 10), Some(60_010));
    let request = sent(&mut queue, 60_010);
    assert_eq!(told(&request), ["a firing r1 again", "b firing r1 again"]);
    queue.finish(request.number, taken(), 60_020);
    assert_eq!(reports(&mut queue), [""; 0]);
    queue.order(ends("a", 2), 70_000);
    let request = sent(&mut queue, 70_000);
    assert_eq!(told(&request), ["a resolved r2"]);
    queue.finish(request.number, taken(), 70_000);
    let request = sent(&mut queue, 130_000);
    assert_eq!(told(&request), ["a resolved r2 again", "b firing r1 again"]);
    assert_eq!(request.items[0].over_for_ms, 60_000);
    queue.finish(request.number, taken(), 130_000);
    let request = sent(&mut queue, 70_000 + REPEAT_END_MS);
    assert_eq!(
        told(&request),
        ["b firing r1 again"],
        "an end is repeated for a while only"
    );
}

#[test]
fn nothing_is_repeated_over_an_end_that_waits() {
    let mut queue = alertmanager();
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.finish(request.number, taken(), 0);
    queue.order(ends("a", 2), 59_000);
    let request = sent(&mut queue, 59_000);
    queue.finish(request.number, trouble(true), 59_000);
    for now_ms in [60_000, 61_000, 70_000] {
        if let Next::Send(request) = queue.next(now_ms) {
            assert_eq!(told(&request), ["a resolved r2"]);
            queue.finish(request.number, trouble(true), now_ms);
        }
    }
}

#[test]
fn a_repetition_that_failed_is_made_up_for() {
    let mut queue = alertmanager();
    queue.order(Order::Keep(delivery("a", Firing, 1, true)), 0);
    let request = sent(&mut queue, 0);
    assert_eq!(told(&request), ["a firing r1 again"]);
    queue.finish(request.number, trouble(false), 0);
    let until_ms = waits(&mut queue, 0).unwrap();
    assert!(until_ms <= 1_000, "{until_ms}");
    assert_eq!(told(&sent(&mut queue, until_ms)), ["a firing r1 again"]);
}

/// Answers every request until `until_ms`, refusing those that `is_bad`; counts the requests.
fn served(
    queue: &mut Queue,
    from_ms: i64,
    until_ms: i64,
    is_bad: impl Fn(&Request) -> bool,
) -> usize {
    let (mut now_ms, mut requests) = (from_ms, 0);
    loop {
        match queue.next(now_ms) {
            Next::Send(request) => {
                requests += 1;
                let answer = if is_bad(&request) { refused() } else { taken() };
                queue.finish(request.number, answer, now_ms);
            }
            Next::Wait {
                until_ms: Some(next_ms),
            } if next_ms <= until_ms => now_ms = next_ms,
            Next::Wait { .. } => return requests,
        }
    }
}

fn holds(request: &Request, key: &str) -> bool {
    let mut items = request.items.iter();
    items.any(|item| item.delivery.address.subject.key == key)
}

#[test]
fn one_bad_alert_does_not_take_the_others_down() {
    let mut queue = alertmanager();
    for key in ["a", "bad", "c"] {
        queue.order(fires(key, 1), 0);
    }
    for expected in [3, 1, 2, 1, 1] {
        let request = sent(&mut queue, 0);
        assert_eq!(request.items.len(), expected, "{:?}", told(&request));
        let answer = if holds(&request, "bad") {
            refused()
        } else {
            taken()
        };
        queue.finish(request.number, answer, 0);
    }
    assert_eq!(
        reports(&mut queue),
        [
            "Sent a firing r1 after 1: 200 OK",
            "Rejected bad firing r1 after 1: 400 Bad Request",
            "Sent c firing r1 after 1: 200 OK"
        ]
    );
    assert_eq!(queue.outstanding(), 0);
}

#[test]
fn one_bad_repetition_does_not_take_the_others_down() {
    let mut queue = alertmanager();
    for number in 0..150 {
        let key = format!("k{number:03}");
        queue.order(Order::Keep(delivery(&key, Firing, 1, true)), 0);
    }
    let repeated = std::cell::RefCell::new(BTreeSet::new());
    let requests = served(&mut queue, 0, 0, |request| {
        let bad = holds(request, "k077");
        if !bad {
            let keys = request
                .items
                .iter()
                .map(|item| item.delivery.address.clone());
            repeated.borrow_mut().extend(keys);
        }
        bad
    });
    assert!(requests < 30, "{requests}");
    assert_eq!(repeated.borrow().len(), 149);
    assert_eq!(
        reports(&mut queue),
        ["Rejected k077 firing r1 after 1: 400 Bad Request"]
    );
    // The receiver has it still: its end is told.
    queue.order(ends("k077", 2), 0);
    assert_eq!(told(&sent(&mut queue, 0)), ["k077 resolved r2"]);
    assert_eq!(reports(&mut queue), [""; 0]);
}

#[test]
fn where_requests_may_only_be_small_they_are() {
    let mut queue = alertmanager();
    for number in 0..200 {
        queue.order(fires(&format!("k{number}"), 1), 0);
    }
    let requests = served(&mut queue, 0, 0, |request| request.items.len() > 30);
    assert!(requests < 40, "{requests}");
    let reports = reports(&mut queue);
    assert_eq!(reports.len(), 200);
    assert!(reports.iter().all(|report| report.starts_with("Sent")));
}

#[test]
fn an_alertmanager_is_offered_again_what_it_refused() {
    let mut queue = alertmanager();
    queue.order(fires("a", 1), 0);
    let all_bad = |_: &Request| true;
    assert_eq!(served(&mut queue, 0, REFUSED_AGAIN_MS * 2, all_bad), 3);
    let rejected = "Rejected a firing r1 after 1: 400 Bad Request";
    assert_eq!(reports(&mut queue), [rejected], "recorded once");
    assert_eq!(queue.outstanding(), 0);
    // What comes meanwhile does not wait, and does not go along.
    queue.order(fires("b", 1), REFUSED_AGAIN_MS * 3);
    let now_ms = REFUSED_AGAIN_MS * 3;
    for expected in ["b firing r1", "a firing r1"] {
        let request = sent(&mut queue, now_ms);
        assert_eq!(told(&request), [expected]);
        queue.finish(request.number, taken(), now_ms);
    }
    assert_eq!(
        reports(&mut queue),
        [
            "Sent b firing r1 after 1: 200 OK",
            "Sent a firing r1 after 4: 200 OK"
        ]
    );
    assert_eq!(
        told(&sent(&mut queue, now_ms + 60_000)),
        ["a firing r1 again", "b firing r1 again"]
    );
}

#[test]
fn the_end_of_what_was_refused_is_told_to_nobody() {
    let mut queue = alertmanager();
    queue.order(fires("a", 1), 0);
    served(&mut queue, 0, 0, |_| true);
    queue.order(ends("a", 2), 1_000);
    assert_eq!(
        reports(&mut queue),
        [
            "Rejected a firing r1 after 1: 400 Bad Request",
            "Suppressed a resolved r2 after 0: what it would end was refused"
        ]
    );
    assert_eq!(waits(&mut queue, 1_000), None);
    // A webhook is not offered it again at all.
    let mut queue = webhook(1);
    queue.order(fires("a", 1), 0);
    served(&mut queue, 0, 0, |_| true);
    assert_eq!(waits(&mut queue, REFUSED_AGAIN_MS), None);
}

#[test]
fn newer_evidence_goes_along_without_a_request_of_its_own() {
    let refresh = |revision| {
        let mut fresh = delivery("a", Firing, 1, true);
        fresh.transition = Arc::new(AlertTransition {
            revision,
            ..Default::default()
        });
        Order::Refresh(fresh)
    };
    let mut queue = alertmanager();
    queue.order(fires("a", 1), 0);
    queue.order(refresh(2), 0);
    let request = sent(&mut queue, 0);
    assert_eq!(request.items[0].delivery.transition.revision, 2);
    queue.order(refresh(3), 0);
    queue.finish(request.number, taken(), 0);
    assert_eq!(waits(&mut queue, 0), Some(60_000));
    assert_eq!(
        sent(&mut queue, 60_000).items[0]
            .delivery
            .transition
            .revision,
        3
    );
}

#[test]
fn a_ledger_that_is_gone_leaves_nothing_behind() {
    let mut queue = alertmanager();
    queue.order(Order::Keep(delivery("old", Firing, 1, true)), 0);
    queue.order(fires("a", 1), 0);
    let request = sent(&mut queue, 0);
    queue.order(fires("b", 1), 0);
    queue.forget(LedgerId(1));
    queue.finish(request.number, trouble(true), 0);
    assert_eq!((waits(&mut queue, 600_000), queue.outstanding()), (None, 0));
    assert_eq!(reports(&mut queue), [""; 0]);
}

fn of_group(key: &str, group: &str) -> Order {
    let mut told = delivery(key, Firing, 1, false);
    told.group = Some(group.into());
    Order::Deliver(told)
}

fn mailbox() -> Queue {
    queue("type = \"email\"\nemail = { host = \"h\", from = \"a@x\", to = [\"b@x\"] }")
}

fn keys(request: &Request) -> Vec<&str> {
    let keys = request.items.iter();
    keys.map(|item| item.delivery.address.subject.key.as_str())
        .collect()
}

#[test]
fn a_group_is_one_message_and_each_of_it_has_its_own_end() {
    let mut queue = mailbox();
    for (key, group) in [("a", "acme"), ("b", "other"), ("c", "acme")] {
        queue.order(of_group(key, group), 0);
    }
    let first = sent(&mut queue, 0);
    assert_eq!(keys(&first), ["a", "c"]);
    queue.finish(first.number, taken(), 0);
    let told: Vec<String> = std::iter::from_fn(|| queue.next_report())
        .map(|report| format!("{} {:?}", report.address.subject.key, report.end))
        .collect();
    assert_eq!(told, ["a Sent", "c Sent"]);
    let second = sent(&mut queue, 0);
    assert_eq!(keys(&second), ["b"]);
}

#[test]
fn a_message_that_failed_is_sent_again_with_the_same_in_it() {
    let mut queue = mailbox();
    queue.order(of_group("a", "acme"), 0);
    queue.order(of_group("b", "acme"), 0);
    let first = sent(&mut queue, 0);
    queue.order(of_group("c", "acme"), 0);
    let trouble = Answer::Trouble {
        detail: "down".into(),
        retry_after_ms: None,
        maybe_delivered: true,
    };
    queue.finish(first.number, trouble, 0);
    let next = sent(&mut queue, 60_000);
    assert_eq!(keys(&next), ["c"]);
    queue.finish(next.number, taken(), 60_000);
    let again = sent(&mut queue, 60_000);
    assert_eq!(keys(&again), ["a", "b"]);
    queue.finish(again.number, refused(), 60_000);
    // One of the two may be at fault.
    let alone = sent(&mut queue, 60_000);
    assert_eq!(keys(&alone), ["a"]);
}
