//! SEMANTICS 7, cases 25 to 27, and 6: the clock, restarts, warnings, gauges.

use super::teller::{Ending, Story, always, policy, tell};
use super::ticket;
use crate::tracker::Tracker;

fn waiting() -> Story {
    ticket()
        .policies(&policy(
            "warn_at = [0.5, '15m']\n[policy.targets]\nfirst_reply = '1h'",
        ))
        .created("Mon 09:00")
        .vendor("acme")
}

fn restarted(story: &Story, tracker: &Tracker) -> Tracker {
    let mut bytes = Vec::new();
    tracker.snapshot(&mut bytes);
    let fresh = story.tracker();
    let restored =
        Tracker::restore(fresh.rules.sets().clone(), fresh.options.clone(), &bytes).unwrap();
    let mut again = Vec::new();
    restored.snapshot(&mut again);
    assert_eq!(again, bytes);
    restored
}

#[test]
fn case_25_a_minute_in_which_nothing_counts_has_no_pane() {
    waiting()
        .at("Mon 09:30")
        .counted("Mon 09:00", "acme/", "created 1, entered 1")
        .counted("Mon 09:01", "acme/", "")
        .counted("Mon 09:00", "/", "");
}

#[test]
fn case_26_a_restart_between_breach_and_reply_says_the_same_of_the_same_cycle() {
    let mut story = waiting().agent_replied("Mon 10:30");
    let told = story.told();
    let mut unbroken = story.tracker();
    let (mut heard, mut heard_unbroken) = (Ending::default(), Ending::default());
    let breach_ms = story.instant("Mon 10:01");
    tell(&mut unbroken, &told[0], 0);
    unbroken.advance_clock(breach_ms);
    heard_unbroken.hear(&mut unbroken);
    heard.clone_from(&heard_unbroken);
    heard
        .clone()
        .counted("Mon 10:00", "acme/", "breached.first_reply 1");

    let mut restored = restarted(&story, &unbroken);
    let nothing = restored.conclude();
    assert!(nothing.is_empty(), "{nothing:?}");
    for (tracker, ending) in [
        (&mut unbroken, &mut heard_unbroken),
        (&mut restored, &mut heard),
    ] {
        tell(tracker, &told[1], 1);
        tracker.advance_clock(breach_ms + 3_600_000);
        ending.hear(tracker);
    }
    assert_eq!(heard, heard_unbroken);
    assert_eq!(heard.warnings, heard_unbroken.warnings);
    heard.says(
        "first_reply",
        "breached at 2025-06-02 10:00, stopped 2025-06-02 10:30, elapsed 1h30m",
    );
}

#[test]
fn case_27_deadlines_of_an_idle_partition_fire_by_the_clock_alone() {
    let mut story = waiting();
    let mut tracker = story.tracker();
    tell(&mut tracker, &story.told()[0], 0);
    let due_ms = story.instant("Mon 10:00");
    tracker.advance_clock(due_ms);
    let mut ending = Ending::default();
    ending.hear(&mut tracker);
    ending
        .clone()
        .says("first_reply", "running, due 2025-06-02 10:00");
    assert!(!tracker.fires_before(due_ms));
    assert!(tracker.fires_before(due_ms + 1));
    tracker.advance_clock(due_ms + 1);
    ending.hear(&mut tracker);
    ending.says("first_reply", "breached at 2025-06-02 10:00");
    assert!(!tracker.fires_before(i64::MAX));
}

#[test]
fn the_clock_never_goes_back() {
    let mut story = waiting();
    let mut tracker = story.tracker();
    tell(&mut tracker, &story.told()[0], 0);
    let late_ms = story.instant("Mon 11:00");
    tracker.advance_clock(late_ms);
    tracker.advance_clock(late_ms - 3_600_000);
    assert_eq!(tracker.clock_ms(), late_ms);
}

#[test]
fn each_warning_level_is_announced_once_and_touches_no_row() {
    let mut story = waiting();
    let mut tracker = story.tracker();
    tell(&mut tracker, &story.told()[0], 0);
    let mut announced = Vec::new();
    for at in [
        "Mon 09:30",
        "Mon 09:30:00.001",
        "Mon 09:40",
        "Mon 09:45",
        "Mon 09:45:00.001",
        "Mon 10:30",
    ] {
        tracker.advance_clock(story.instant(at));
        let conclusions = tracker.conclude();
        for warning in conclusions.warnings {
            assert_eq!((&*warning.vendor, &*warning.policy), ("acme", "only"));
            announced.push((at, warning.level, warning.reached_at_ms));
        }
    }
    assert_eq!(
        announced,
        [
            (
                "Mon 09:30:00.001",
                "0.5".to_owned(),
                story.instant("Mon 09:30")
            ),
            (
                "Mon 09:45:00.001",
                "15m".to_owned(),
                story.instant("Mon 09:45")
            ),
        ]
    );
}

#[test]
fn a_warning_is_measured_in_business_time_and_not_given_in_a_pause() {
    let warns = policy("warn_at = [0.5]\n[policy.targets]\nrequester_wait = '2h'");
    let story = ticket()
        .policies(&warns)
        .created("Mon 09:00")
        .updated("Mon 09:30")
        .status("pending");
    assert_eq!(story.clone().at("Mon 20:00").warnings, []);
    let resumed = story.updated("Mon 12:00").status("open");
    assert_eq!(resumed.clone().at("Mon 12:30").warnings, []);
    assert_eq!(resumed.at("Mon 12:31").warnings.len(), 1);
}

#[test]
fn gauges_follow_the_open_tickets_and_their_running_clocks() {
    let story = ticket()
        .policies(&always("first_reply = '1h'\nrequester_wait = '8h'"))
        .created("Mon 09:00")
        .vendor("acme");
    story
        .clone()
        .at("Mon 09:10")
        .gauges("acme/", "open 1 (T), first_reply 1, requester_wait 1");
    let moved = story
        .agent_replied("Mon 09:20")
        .vendor("globex")
        .status("pending");
    moved
        .clone()
        .at("Mon 09:30")
        .gauges("acme/", "open 0")
        .gauges("globex/", "open 1 (T)");
    moved
        .solved("Mon 09:40")
        .at("Mon 09:50")
        .gauges("globex/", "open 0");
}
