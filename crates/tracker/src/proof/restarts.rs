//! Snapshots, evicted panes and warnings: nobody who reads the conclusions can tell.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::generate::{Size, cases};
use super::model::{Case, Set, minute_ms, plain};
use super::readers::{Readers, config};
use crate::tracker::{Options, Tracker};

const SIZE: Size = Size {
    events: 20,
    tickets: 3,
    minutes: 40,
};

fn restarted(case: &Case, options: Options, tracker: &Tracker) -> Tracker {
    let mut bytes = Vec::new();
    tracker.snapshot(&mut bytes);
    let restored = Tracker::restore(case.policies(), options, &bytes).unwrap();
    let mut again = Vec::new();
    restored.snapshot(&mut again);
    assert_eq!(
        again, bytes,
        "a restored tracker writes the snapshot that it was read from"
    );
    restored
}

/// Applies event `offset`, moves the clock, then the log clock.
fn take(case: &Case, tracker: &mut Tracker, offset: usize, steps: &[i64], clock: &mut i64) {
    case.events[offset].tell(tracker, offset as u64);
    *clock += steps[offset % steps.len()];
    tracker.advance_clock(minute_ms(*clock));
    tracker.advance_log_clock(minute_ms(*clock));
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn a_restart_at_any_point_changes_nothing(
        case in cases(SIZE),
        at in any::<Index>(),
        steps in vec(0..5_i64, 1..8),
        allowed_delay in 0..3_i64,
    ) {
        let options = Options {
            allowed_delay_ms: allowed_delay * 60_000,
            forget_after_ms: Some(30 * 60_000),
            pane_horizon_ms: Some(20 * 60_000),
            ..plain()
        };
        let mut unbroken = case.tracker(options.clone());
        let mut broken = case.tracker(options.clone());
        let (mut clock, mut other_clock) = (480, 480);
        let (mut heard, mut heard_broken) = (Readers::default(), Readers::default());
        let at = at.index(case.events.len());
        for offset in 0..case.events.len() {
            take(&case, &mut unbroken, offset, &steps, &mut clock);
            heard.notice_forgotten(&unbroken);
            heard.hear(unbroken.conclude());
            take(&case, &mut broken, offset, &steps, &mut other_clock);
            heard_broken.notice_forgotten(&broken);
            heard_broken.hear(broken.conclude());
            if offset == at {
                broken = restarted(&case, options.clone(), &broken);
                prop_assert!(broken.conclude().is_empty());
            }
        }
        for tracker in [&mut unbroken, &mut broken] {
            tracker.advance_clock(minute_ms(clock + 100));
        }
        heard.hear(unbroken.conclude());
        heard_broken.hear(broken.conclude());
        heard.assert_same(&heard_broken);
        // Tickets that wake at one instant do so in no certain order.
        let announced = |readers: &Readers| {
            let mut warnings = readers.warnings.clone();
            warnings.sort_by_key(|warning| {
                (warning.ticket_id.clone(), warning.metric, warning.cycle, warning.level.clone())
            });
            warnings
        };
        prop_assert_eq!(announced(&heard), announced(&heard_broken));
        broken.announce_gauges();
        let mut told_anew = Readers::default();
        told_anew.hear(broken.conclude());
        prop_assert_eq!(told_anew.gauges(), heard.gauges());
    }

    #[test]
    fn a_restart_under_another_delay_ends_with_the_same(
        case in cases(SIZE),
        at in any::<Index>(),
        steps in vec(0..5_i64, 1..8),
        delays in (0..4_i64, 0..4_i64),
    ) {
        let delayed = |minutes: i64| Options {
            allowed_delay_ms: minutes * 60_000,
            forget_after_ms: Some(30 * 60_000),
            pane_horizon_ms: Some(20 * 60_000),
            ..plain()
        };
        let mut unbroken = case.tracker(delayed(delays.1));
        let mut broken = case.tracker(delayed(delays.0));
        let (mut clock, mut other_clock) = (480, 480);
        let (mut heard, mut heard_broken) = (Readers::default(), Readers::default());
        let at = at.index(case.events.len());
        for offset in 0..case.events.len() {
            take(&case, &mut unbroken, offset, &steps, &mut clock);
            heard.notice_forgotten(&unbroken);
            heard.hear(unbroken.conclude());
            take(&case, &mut broken, offset, &steps, &mut other_clock);
            heard_broken.notice_forgotten(&broken);
            heard_broken.hear(broken.conclude());
            if offset == at {
                broken = restarted(&case, delayed(delays.1), &broken);
                prop_assert!(broken.conclude().is_empty());
                broken.allow_delay(delayed(delays.1).allowed_delay_ms);
                heard_broken.hear(broken.conclude());
            }
        }
        for tracker in [&mut unbroken, &mut broken] {
            tracker.advance_clock(minute_ms(clock + 100));
        }
        heard.hear(unbroken.conclude());
        heard_broken.hear(broken.conclude());
        heard.assert_same(&heard_broken);
    }

    #[test]
    fn how_often_conclusions_are_taken_changes_nothing(
        case in cases(SIZE),
        steps in vec(0..5_i64, 1..8),
        every in 2..20_usize,
    ) {
        let options = Options {
            forget_after_ms: Some(10 * 60_000),
            pane_horizon_ms: Some(20 * 60_000),
            ..plain()
        };
        let mut often = case.tracker(options.clone());
        let mut seldom = case.tracker(options);
        let (mut clock, mut other_clock) = (480, 480);
        let (mut heard, mut heard_seldom) = (Readers::default(), Readers::default());
        for offset in 0..case.events.len() {
            take(&case, &mut often, offset, &steps, &mut clock);
            heard.notice_forgotten(&often);
            heard.hear(often.conclude());
            take(&case, &mut seldom, offset, &steps, &mut other_clock);
            heard_seldom.notice_forgotten(&seldom);
            if offset % every == 0 {
                heard_seldom.hear(seldom.conclude());
            }
            prop_assert_eq!(often.tickets(), seldom.tickets());
        }
        for tracker in [&mut often, &mut seldom] {
            tracker.advance_clock(minute_ms(clock + 100));
        }
        heard.hear(often.conclude());
        heard_seldom.hear(seldom.conclude());
        heard.assert_same(&heard_seldom);
    }

    #[test]
    fn a_policy_set_added_at_a_restart_is_as_if_it_had_always_been_there(
        case in cases(SIZE),
        at in any::<Index>(),
        steps in vec(0..5_i64, 1..8),
    ) {
        let at = at.index(case.events.len());
        let mut clock = 480;
        for offset in 0..=at {
            clock += steps[offset % steps.len()];
        }
        let known = case.events[..=at].iter().map(|event| event.at).max().unwrap_or(0);
        let mut extended = case.clone();
        let policies = case.sets.iter().flat_map(|set| set.policies.iter().rev().cloned()).collect();
        extended.sets.push(Set { from: known.max(clock) + 1, policies });
        prop_assume!(case.sets.iter().all(|set| set.from <= known.max(clock)));
        let mut always = extended.tracker(plain());
        let mut added = case.tracker(plain());
        let (mut clock, mut other_clock) = (480, 480);
        let (mut heard, mut heard_added) = (Readers::default(), Readers::default());
        for offset in 0..case.events.len() {
            take(&case, &mut always, offset, &steps, &mut clock);
            heard.hear(always.conclude());
            take(&case, &mut added, offset, &steps, &mut other_clock);
            heard_added.hear(added.conclude());
            if offset == at {
                let mut bytes = Vec::new();
                added.snapshot(&mut bytes);
                added = Tracker::restore(extended.policies(), plain(), &bytes).unwrap();
                prop_assert!(added.conclude().is_empty());
            }
        }
        for tracker in [&mut always, &mut added] {
            tracker.advance_clock(minute_ms(clock + 100));
        }
        heard.hear(always.conclude());
        heard_added.hear(added.conclude());
        heard.assert_same(&heard_added);
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_is_another_whole_one(
        case in cases(SIZE),
        damages in vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let mut tracker = case.tracker(plain());
        for (offset, event) in case.events.iter().enumerate() {
            event.tell(&mut tracker, offset as u64);
        }
        tracker.advance_clock(minute_ms(500));
        tracker.conclude();
        let mut bytes = Vec::new();
        tracker.snapshot(&mut bytes);
        for (at, value, how) in damages {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = value,
                1 => bytes[at] ^= 1 << (value % 8),
                2 => bytes.insert(at, value),
                _ => bytes.truncate(at.max(1)),
            }
        }
        // Never a panic; what is read must be able to go on.
        if let Ok(mut restored) = Tracker::restore(case.policies(), plain(), &bytes) {
            restored.announce_gauges();
            restored.advance_clock(minute_ms(100_000));
            restored.advance_log_clock(minute_ms(100_000));
            restored.conclude();
            restored.snapshot(&mut Vec::new());
        }
    }

    #[test]
    fn a_snapshot_cut_short_or_continued_is_refused(case in cases(SIZE), at in any::<Index>()) {
        let mut tracker = case.tracker(plain());
        for (offset, event) in case.events.iter().enumerate() {
            event.tell(&mut tracker, offset as u64);
        }
        tracker.conclude();
        let mut bytes = Vec::new();
        tracker.snapshot(&mut bytes);
        let cut = &bytes[..at.index(bytes.len())];
        let error = Tracker::restore(case.policies(), plain(), cut).unwrap_err().to_string();
        prop_assert!(error.starts_with("the tracker's snapshot is damaged: "), "{}", error);
        bytes.push(0);
        let error = Tracker::restore(case.policies(), plain(), &bytes).unwrap_err().to_string();
        prop_assert_eq!(error, "the tracker's snapshot is damaged: something follows its end");
    }

    #[test]
    fn panes_let_go_and_corrected_sum_to_the_same(
        case in cases(SIZE),
        steps in vec(0..30_i64, 1..8),
        horizon in 0..10_i64,
    ) {
        let evicting = Options { pane_horizon_ms: Some(horizon * 60_000), ..plain() };
        let (mut whole, mut short) = (case.tracker(plain()), case.tracker(evicting));
        let (mut clock, mut other_clock) = (480, 480);
        let (mut heard, mut heard_short) = (Readers::default(), Readers::default());
        for offset in 0..case.events.len() {
            take(&case, &mut whole, offset, &steps, &mut clock);
            heard.hear(whole.conclude());
            take(&case, &mut short, offset, &steps, &mut other_clock);
            if offset % 2 == 0 {
                heard_short.hear(short.conclude());
            }
        }
        heard_short.hear(short.conclude());
        heard.assert_same(&heard_short);
    }

    #[test]
    fn a_level_is_announced_once_for_a_cycle_and_only_where_it_was_reached(
        case in cases(SIZE),
        steps in vec(0..5_i64, 1..8),
    ) {
        let mut tracker = case.tracker(plain());
        let mut clock = 480;
        let mut announced = std::collections::BTreeSet::new();
        for offset in 0..case.events.len() + 60 {
            if offset < case.events.len() {
                take(&case, &mut tracker, offset, &steps, &mut clock);
            } else {
                clock += 1;
                tracker.advance_clock(minute_ms(clock));
            }
            for warning in tracker.conclude().warnings {
                prop_assert!(warning.reached_at_ms < minute_ms(clock));
                prop_assert!(warning.due_at_ms.is_none_or(|due_ms| warning.reached_at_ms <= due_ms));
                let key = (warning.ticket_id, warning.metric, warning.cycle, warning.level);
                prop_assert!(announced.insert(key.clone()), "{:?}", key);
            }
        }
    }
}
