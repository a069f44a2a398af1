//! SEMANTICS 7, cases 19, 22 and 23: late events, and what they take back.

use super::teller::{Ending, Story, always, policy, tell};
use super::ticket;
use crate::tracker::Tracker;

#[test]
fn case_19_what_was_unseen_until_much_later_was_breached_at_its_due() {
    ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00")
        .at("Sun 23:00")
        .says("first_reply", "breached at Mon 10:00")
        .counted("Mon 10:00", "/", "breached.first_reply 1");
}

#[test]
fn case_22_every_permutation_and_repetition_ends_the_same() {
    let story = ticket()
        .policies(&policy(
            "on_reopen = 'restart'\nattribute_to = 'longest'\n[policy.targets]\nfirst_reply = '1h'\n\
             next_reply = '30m'\nperiodic_update = '2h'\nrequester_wait = '3h'\nresolution = '4h'\nanswer = '20s'",
        ))
        .created("Mon 09:00")
        .vendor("acme")
        .agent_replied("Mon 09:50")
        .vendor("globex")
        .customer_replied("Mon 09:50")
        .solved("Mon 11:00")
        .customer_replied("Mon 12:00")
        .status("open")
        .merged("Mon 14:00");
    let mut story_at = story.clone();
    let now_ms = story_at.instant("Mon 20:00");
    let expected = story.clone().at("Mon 20:00");
    let told = story.told();
    let fresh = story.tracker();
    let mut order: Vec<usize> = (0..told.len()).collect();
    for_each_permutation(&mut order, 0, &mut |order| {
        let mut tracker = Tracker::new(fresh.rules.sets().clone(), fresh.options.clone());
        let mut ending = Ending::default();
        for (offset, index) in order.iter().enumerate() {
            tell(&mut tracker, &told[*index], offset as u64);
            tell(&mut tracker, &told[order[offset / 2]], offset as u64);
        }
        tracker.advance_clock(now_ms);
        ending.hear(&mut tracker);
        assert_eq!(ending, expected, "{order:?}");
    });
}

fn for_each_permutation(order: &mut [usize], from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        visit(order);
        return;
    }
    for swapped in from..order.len() {
        order.swap(from, swapped);
        for_each_permutation(order, from + 1, visit);
        order.swap(from, swapped);
    }
}

/// A tracker that has heard some events and stands at some instant, and what its readers have.
struct Told {
    story: Story,
    tracker: Tracker,
    ending: Ending,
    next: usize,
}

impl Told {
    fn begin(story: Story) -> Self {
        Self {
            tracker: story.tracker(),
            ending: Ending::default(),
            story,
            next: 0,
        }
    }

    /// Tells the next `events` of the story, moves the clock and publishes.
    fn tell(mut self, events: usize, now: &str) -> Self {
        let told = self.story.told();
        for (offset, line) in told.iter().enumerate().skip(self.next).take(events) {
            tell(&mut self.tracker, line, offset as u64);
        }
        self.next += events;
        self.tracker.advance_clock(self.story.instant(now));
        self.ending.hear(&mut self.tracker);
        self
    }
}

#[test]
fn case_23_a_late_pause_retracts_the_breach_and_corrects_the_pane() {
    let story = ticket()
        .policies(&always("requester_wait = '1h'"))
        .created("Mon 09:00")
        .updated("Mon 09:30")
        .status("pending");
    let told = Told::begin(story).tell(1, "Mon 12:00");
    let row = told.ending.clone().row_of("requester_wait");
    assert_eq!(row.state(), slawatch_wire::v1::CycleState::Breached);
    told.ending
        .clone()
        .counted("Mon 10:00", "/", "breached.requester_wait 1");
    told.tell(1, "Mon 12:01")
        .ending
        .says("requester_wait", "paused")
        .counted("Mon 10:00", "/", "")
        .in_all("breached.requester_wait", 0);
}

#[test]
fn a_late_reply_turns_a_breach_into_met_in_its_own_minute() {
    let story = ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 09:59");
    let told = Told::begin(story).tell(1, "Mon 12:00");
    told.ending
        .clone()
        .counted("Mon 10:00", "/", "breached.first_reply 1");
    told.tell(1, "Mon 12:00")
        .ending
        .counted("Mon 10:00", "/", "")
        .counted("Mon 09:59", "/", "met.first_reply 1");
}

#[test]
fn a_row_whose_cycle_late_events_undo_is_deleted_and_may_return() {
    let story = ticket()
        .policies(&always("next_reply = '1h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 09:10")
        .customer_replied("Mon 10:00")
        .solved("Mon 09:30")
        .updated("Mon 09:45")
        .status("open");
    let told = Told::begin(story).tell(3, "Mon 10:30");
    let told = told.tell(0, "Mon 10:31");
    assert!(told.ending.has("next_reply"));
    let told = told.tell(1, "Mon 10:40");
    assert!(!told.ending.has("next_reply"));
    let told = told.tell(1, "Mon 10:50");
    assert!(told.ending.has("next_reply"));
}

#[test]
fn a_row_undone_and_done_again_before_it_was_published_is_not_deleted() {
    let story = ticket()
        .policies(&always("next_reply = '1h'"))
        .created("Mon 09:00")
        .agent_replied("Mon 09:10")
        .customer_replied("Mon 10:00")
        .solved("Mon 09:30")
        .updated("Mon 09:45")
        .status("open");
    let told = Told::begin(story).tell(3, "Mon 10:30").tell(2, "Mon 10:30");
    assert!(told.ending.has("next_reply"));
}

#[test]
fn copies_that_differ_are_told_and_the_first_counts() {
    let mut story = ticket()
        .policies(&always("first_reply = '1h'"))
        .created("Mon 09:00")
        .queue("first");
    let other = story.clone().queue("second").told();
    let now_ms = story.instant("Mon 09:30");
    let told = story.told();
    let mut tracker = story.tracker();
    let mut applied = Vec::new();
    for line in told.iter().chain(&other).chain(&told) {
        let options = slawatch_event::DecodeOptions::default();
        let encoding = slawatch_event::Encoding::Json;
        let event = slawatch_event::parse(line.as_bytes(), encoding, &options).unwrap();
        applied.push(tracker.apply(&event, now_ms, applied.len() as u64));
    }
    assert_eq!(
        applied,
        [
            crate::Applied::Counted,
            crate::Applied::Conflicting,
            crate::Applied::Duplicate
        ]
    );
    tracker.advance_clock(now_ms);
    let mut ending = Ending::default();
    ending.hear(&mut tracker);
    ending.stands("first_reply", "/first, only, ");
}
