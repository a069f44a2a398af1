//! Positions that the log does not hold: removed before they were read, or never written.

use slawatch_stream::{OffsetRange, StartAt, TopicPartition};

use crate::place::Place;
use crate::seen::{Seen, Told, joined};

fn ten_records(place: &dyn Place) -> TopicPartition {
    let at = TopicPartition::new(place.topic(1), 0);
    place.append_all(&at, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    at
}

pub(crate) fn offsets_removed_before_the_start_are_told_of(place: &dyn Place) {
    let at = ten_records(place);
    place.remove_below(&at, 6);
    let member = place.log().member(&place.fresh("group"), &[&at.topic]);
    let (mut member, mut seen) = joined(place, member.expect("a member"), 1);
    assert_eq!(
        member.offsets(&at).expect("a range"),
        OffsetRange { low: 6, high: 10 }
    );
    member.seek(&at, 1).expect("started");
    let gone = Told::Gone {
        partition: 0,
        position: 1,
        low: 6,
    };
    seen.until(place, member.as_mut(), "the gap", |seen| {
        seen.told.contains(&gone)
    });
    assert!(seen.got.is_empty());
    member.seek(&at, 6).expect("started again");
    seen.until_got(place, member.as_mut(), 4);
    assert_eq!(seen.offsets(0), [6, 7, 8, 9]);
    let gaps = seen.told.iter().filter(|told| **told == gone).count();
    assert_eq!(gaps, 1, "told once");
}

pub(crate) fn offsets_removed_while_running_are_told_of(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    place.append_all(&at, &["0", "1"]);
    let process = place.process();
    let member = process.member(&place.fresh("group"), &[&at.topic]);
    let (mut member, mut seen) = joined(place, member, 1);
    member.seek(&at, 0).expect("started");
    seen.until_got(place, member.as_mut(), 2);
    process.behind_its_back(&mut || {
        place.append_all(&at, &["2", "3", "4", "5", "6", "7", "8", "9"]);
        place.remove_below(&at, 9);
    });
    seen.until(place, member.as_mut(), "the gap", |seen| {
        let gone = |told: &Told| matches!(told, Told::Gone { low: 9, .. });
        seen.told.iter().any(gone)
    });
    member.seek(&at, 9).expect("started again");
    seen.until(place, member.as_mut(), "what is left", |seen| {
        seen.offsets(0).last() == Some(&9)
    });
    place.append_all(&at, &["10"]);
    seen.until(place, member.as_mut(), "what comes", |seen| {
        seen.offsets(0).last() == Some(&10)
    });
    let offsets = seen.offsets(0);
    assert!(offsets.is_sorted(), "{offsets:?}");
    assert!(offsets.len() < 11, "there was a gap: {offsets:?}");
}

pub(crate) fn an_offset_beyond_the_end_is_told_of(place: &dyn Place) {
    let at = ten_records(place);
    let reader = place.log().reader(std::slice::from_ref(&at), StartAt::End);
    let mut reader = reader.expect("a reader");
    let mut seen = Seen::default();
    reader.seek(&at, 25).expect("sought");
    let ahead = Told::Ahead {
        partition: 0,
        position: 25,
        range: OffsetRange { low: 0, high: 10 },
    };
    seen.until(place, reader.as_mut(), "that it is ahead", |seen| {
        seen.told.contains(&ahead)
    });
    reader.seek(&at, 8).expect("started again");
    seen.until_got(place, reader.as_mut(), 2);
    assert_eq!(seen.offsets(0), [8, 9]);
}

/// Again and again, because a client that fetches from the beginning meanwhile does so in a race.
pub(crate) fn a_partition_that_begins_late_can_be_taken(place: &dyn Place) {
    let at = ten_records(place);
    place.remove_below(&at, 7);
    for _ in 0..5 {
        let member = place.log().member(&place.fresh("group"), &[&at.topic]);
        let (mut member, mut seen) = joined(place, member.expect("a member"), 1);
        for _ in 0..3 {
            seen.poll(place, member.as_mut(), 10);
        }
        member.seek(&at, 7).expect("started");
        seen.until_got(place, member.as_mut(), 3);
        assert_eq!(seen.offsets(0), [7, 8, 9]);
        assert!(
            !seen
                .told
                .iter()
                .any(|told| matches!(told, Told::Gone { .. }))
        );
    }
}
