//! Where partitions end, and how a reader learns that nothing is left below that.

use std::sync::Arc;

use slawatch_stream::{StartAt, TopicPartition};

use crate::place::{PATIENCE, Place};
use crate::seen::{Seen, Told, joined};

pub(crate) fn an_end_is_asked_for_at_an_instant(place: &dyn Place) {
    let topic = place.topic(2);
    let at = TopicPartition::new(Arc::clone(&topic), 0);
    let mut probe = place.log().end_probe(&topic).expect("a probe");
    let mut second = place.log().end_probe(&topic).expect("a second follower");
    for count in 0..3_i64 {
        let since_ms = place.clock().wall_ms();
        for probe in [&mut probe, &mut second] {
            let mut newest = None;
            for _ in 0..PATIENCE {
                place.pass();
                newest = probe.newest().or(newest);
                if newest
                    .as_ref()
                    .is_some_and(|newest| newest.asked_at_ms >= since_ms)
                {
                    break;
                }
                std::thread::park_timeout(std::time::Duration::from_millis(place.look_ms()));
            }
            let newest = newest.expect("an answer");
            assert!(newest.asked_at_ms >= since_ms);
            assert!(newest.asked_at_ms <= place.clock().wall_ms());
            assert_eq!(newest.ends, [Some(count), Some(0)]);
        }
        place.append_all(&at, &["one more"]);
    }
}

/// A position that stays below the end for ever would keep a clock from moving, and a replay from ending.
pub(crate) fn a_tail_without_records_is_told_of(place: &dyn Place) {
    for records_before in [0, 2] {
        let at = TopicPartition::new(place.topic(1), 0);
        place.append_all(&at, &["a", "b"][..records_before]);
        place.append_aborted(&at, 3);
        let member = place.log().member(&place.fresh("group"), &[&at.topic]);
        let (mut member, mut of_member) = joined(place, member.expect("a member"), 1);
        member.seek(&at, 0).expect("started");
        let reader = place
            .log()
            .reader(std::slice::from_ref(&at), StartAt::Beginning);
        let mut reader = reader.expect("a reader");
        let mut of_reader = Seen::default();

        let end = records_before as i64 + 4;
        let at_end = move |seen: &Seen| seen.told.contains(&Told::End(0, end));
        of_member.until(place, member.as_mut(), "the end", at_end);
        of_reader.until(place, reader.as_mut(), "the end", at_end);
        assert_eq!(of_member.got.len(), records_before);
        assert_eq!(of_reader.got.len(), records_before);
        assert_eq!(member.position(&at), Some(end));
        assert_eq!(member.offsets(&at).expect("a range").high, end);

        // Not one record is lost by it, and the next tail is told of as well.
        place.append_all(&at, &["c"]);
        place.append_aborted(&at, 1);
        let at_end = move |seen: &Seen| seen.told.contains(&Told::End(0, end + 3));
        of_member.until(place, member.as_mut(), "the second end", at_end);
        assert_eq!(of_member.values().last(), Some(&"c"));
        assert_eq!(member.position(&at), Some(end + 3));
    }
}

pub(crate) fn an_end_is_not_told_of_to_a_paused_reader(place: &dyn Place) {
    let topic = place.topic(2);
    let [first, second] = [0, 1].map(|number| TopicPartition::new(Arc::clone(&topic), number));
    let both = [first.clone(), second.clone()];
    let mut reader = place.log().reader(&both, StartAt::Beginning).unwrap();
    let mut seen = Seen::default();
    reader.pause(std::slice::from_ref(&first)).expect("paused");
    place.append_aborted(&first, 1);
    place.append_aborted(&second, 1);
    let at_end = |seen: &Seen| seen.told.contains(&Told::End(1, 2));
    seen.until(place, reader.as_mut(), "the end of the other", at_end);
    assert_eq!(reader.position(&first), Some(0));
    reader
        .resume(std::slice::from_ref(&first))
        .expect("resumed");
    let at_end = |seen: &Seen| seen.told.contains(&Told::End(0, 2));
    seen.until(place, reader.as_mut(), "its own end", at_end);
}

pub(crate) fn a_seek_behind_an_end_reads_again(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    place.append_all(&at, &["a", "b"]);
    place.append_aborted(&at, 1);
    let reader = place
        .log()
        .reader(std::slice::from_ref(&at), StartAt::Beginning);
    let mut reader = reader.expect("a reader");
    let mut seen = Seen::default();
    for _ in 0..3 {
        let at_end = |seen: &Seen| seen.told.contains(&Told::End(0, 4));
        seen.until(place, reader.as_mut(), "the end", at_end);
        assert_eq!(seen.values(), ["a", "b"]);
        seen = Seen::default();
        reader.seek(&at, 0).expect("sought");
        assert_eq!(reader.position(&at), Some(0));
    }
}
