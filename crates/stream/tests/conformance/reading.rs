//! Records in offset order, from where a reader is told, and nothing while it is told to wait.

use std::sync::Arc;

use slawatch_stream::{
    LogReader, Outgoing, StartAt, StreamError, TimestampKind, TopicPartition, TopicSpec,
};

use crate::place::Place;
use crate::seen::{Seen, joined};

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn append_numbers(place: &dyn Place, partition: &TopicPartition, range: std::ops::Range<u32>) {
    let texts = numbers(range);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    place.append_all(partition, &texts);
}

fn reader_of(place: &dyn Place, partitions: &[TopicPartition]) -> Box<dyn LogReader> {
    let reader = place.log().reader(partitions, StartAt::Beginning);
    reader.expect("a reader")
}

fn two_partitions(place: &dyn Place) -> [TopicPartition; 2] {
    let topic = place.topic(2);
    [0, 1].map(|number| TopicPartition::new(Arc::clone(&topic), number))
}

pub(crate) fn gaps_between_offsets_are_passed_over(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    place.append_all(&at, &["a"]);
    place.append_committed(&at, &["b", "c"]);
    place.append_aborted(&at, 2);
    place.append_all(&at, &["d"]);
    let mut reader = reader_of(place, std::slice::from_ref(&at));
    let mut seen = Seen::default();
    seen.until_got(place, reader.as_mut(), 4);
    assert_eq!(seen.values(), ["a", "b", "c", "d"]);
    assert_eq!(seen.offsets(0), [0, 1, 2, 7]);
    assert_eq!(reader.position(&at), Some(8));
}

pub(crate) fn an_assigned_partition_waits_for_its_seek(place: &dyn Place) {
    let [first, second] = two_partitions(place);
    place.append_all(&first, &["first"]);
    place.append_all(&second, &["second"]);
    let member = place
        .log()
        .member(&place.fresh("group"), &[&first.topic])
        .expect("a member");
    let (mut member, mut seen) = joined(place, member, 2);
    assert_eq!(member.position(&first), None);
    member.seek(&second, 0).expect("started");
    seen.until_got(place, member.as_mut(), 1);
    assert_eq!(seen.values(), ["second"]);
    member.seek(&first, 0).expect("started");
    seen.until_got(place, member.as_mut(), 2);
    assert_eq!(seen.values(), ["second", "first"]);
    let foreign = TopicPartition::new("elsewhere", 0);
    assert!(matches!(
        member.seek(&foreign, 0),
        Err(StreamError::NotAssigned { .. })
    ));
}

pub(crate) fn a_seek_goes_back_and_forth(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    append_numbers(place, &at, 0..50);
    let mut reader = reader_of(place, std::slice::from_ref(&at));
    let mut seen = Seen::default();
    for (to, expected) in [(30, 30), (3, 3), (49, 49), (0, 0), (7, 7)] {
        reader.seek(&at, to).expect("sought");
        assert_eq!(reader.position(&at), Some(to));
        seen.got.clear();
        for _ in 0..crate::place::PATIENCE {
            if seen.got.is_empty() {
                seen.poll(place, reader.as_mut(), 1);
            }
        }
        assert_eq!(seen.offsets(0), [expected]);
    }
    seen.until_got(place, reader.as_mut(), 43);
    assert_eq!(seen.offsets(0), (7..50).collect::<Vec<_>>());
}

pub(crate) fn a_pause_holds_back_and_a_resume_goes_on(place: &dyn Place) {
    let [first, second] = two_partitions(place);
    append_numbers(place, &first, 0..100);
    let mut reader = reader_of(place, &[first.clone(), second.clone()]);
    let mut seen = Seen::default();
    while seen.got.len() < 5 {
        seen.poll(place, reader.as_mut(), 5);
    }
    let before = reader.position(&first);
    reader.pause(std::slice::from_ref(&first)).expect("paused");
    append_numbers(place, &first, 100..120);
    append_numbers(place, &second, 0..20);
    let of_second = |seen: &Seen| seen.offsets(1).len() == 20;
    seen.until(place, reader.as_mut(), "the other partition", of_second);
    assert_eq!(reader.position(&first), before);
    reader
        .resume(std::slice::from_ref(&first))
        .expect("resumed");
    seen.until_got(place, reader.as_mut(), 140);
    assert_eq!(seen.offsets(0), (0..120).collect::<Vec<_>>());
    assert_eq!(seen.offsets(1), (0..20).collect::<Vec<_>>());
}

pub(crate) fn a_seek_while_paused_stays_paused(place: &dyn Place) {
    let [first, second] = two_partitions(place);
    append_numbers(place, &first, 0..10);
    let mut reader = reader_of(place, &[first.clone(), second.clone()]);
    let mut seen = Seen::default();
    seen.until_got(place, reader.as_mut(), 10);
    reader.pause(std::slice::from_ref(&first)).expect("paused");
    reader.seek(&first, 4).expect("sought");
    append_numbers(place, &second, 0..1);
    seen.until_got(place, reader.as_mut(), 11);
    assert_eq!(seen.offsets(1), [0]);
    assert_eq!(reader.position(&first), Some(4));
    reader
        .resume(std::slice::from_ref(&first))
        .expect("resumed");
    seen.until_got(place, reader.as_mut(), 17);
    assert_eq!(seen.offsets(0)[10..], [4, 5, 6, 7, 8, 9]);
}

pub(crate) fn a_reader_begins_where_it_is_told(place: &dyn Place) {
    let topic = place.topic_with(1, |spec| spec.timestamps = TimestampKind::Create);
    let at = TopicPartition::new(topic, 0);
    let append = |value: &str, timestamp_ms| {
        let record = Outgoing::new(Arc::clone(&at.topic), 0, value.as_bytes().to_vec());
        place.append(record.at(timestamp_ms));
    };
    for (value, timestamp_ms) in [("a", 1_000), ("b", 2_000), ("c", 3_000)] {
        append(value, timestamp_ms);
    }
    let cases = [
        (StartAt::Beginning, 0),
        (StartAt::End, 3),
        (StartAt::TimestampMs(-1), 0),
        (StartAt::TimestampMs(1_000), 0),
        (StartAt::TimestampMs(1_001), 1),
        (StartAt::TimestampMs(3_000), 2),
        (StartAt::TimestampMs(3_001), 3),
    ];
    let mut readers = cases.map(|(from, expected)| {
        let reader = place.log().reader(std::slice::from_ref(&at), from);
        (reader.expect("a reader"), expected)
    });
    append("d", 4_000);
    for (reader, expected) in &mut readers {
        assert_eq!(reader.position(&at), Some(*expected));
        let mut seen = Seen::default();
        seen.until_got(place, reader.as_mut(), 4 - *expected as usize);
        assert_eq!(seen.offsets(0), (*expected..4).collect::<Vec<_>>());
        assert_eq!(seen.owned(), [0], "told once that it is its own");
    }
}

pub(crate) fn a_record_arrives_as_it_was_sent(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    let mut record = Outgoing::new(Arc::clone(&at.topic), 0, b"value".to_vec()).with_key("key");
    for value in ["overruled", "value of the header"] {
        let header = ("header".to_owned(), value.as_bytes().to_vec());
        record.headers.push(header);
    }
    place.append(record);
    place.append(Outgoing::new(Arc::clone(&at.topic), 0, Vec::new()));
    let mut reader = reader_of(place, std::slice::from_ref(&at));
    let mut seen = Seen::default();
    seen.until_got(place, reader.as_mut(), 2);
    let first = &seen.got[0];
    assert_eq!(first.key.as_deref(), Some(&b"key"[..]));
    assert_eq!(first.value, "value");
    assert_eq!(first.header.as_deref(), Some(&b"value of the header"[..]));
    let second = &seen.got[1];
    assert_eq!((&second.key, second.value.as_str()), (&None, ""));
    assert_eq!(second.header, None);
}

pub(crate) fn timestamps_are_the_producers_or_the_logs(place: &dyn Place) {
    for kind in [TimestampKind::Create, TimestampKind::LogAppend] {
        let topic = place.topic_with(1, |spec| spec.timestamps = kind);
        let at = TopicPartition::new(topic, 0);
        let record = || Outgoing::new(Arc::clone(&at.topic), 0, Vec::new());
        let before_ms = place.clock().wall_ms();
        place.append(record().at(5_000));
        place.append(record());
        let after_ms = place.clock().wall_ms();
        let mut reader = reader_of(place, std::slice::from_ref(&at));
        let mut seen = Seen::default();
        seen.until_got(place, reader.as_mut(), 2);
        let [named, unnamed] = [0, 1].map(|index| seen.got[index].timestamp_ms);
        let now = before_ms..=after_ms;
        match kind {
            TimestampKind::Create => assert_eq!(named, 5_000),
            TimestampKind::LogAppend => assert!(now.contains(&named), "{named} {now:?}"),
        }
        assert!(now.contains(&unnamed), "{unnamed} {now:?}");
    }
}

/// Wherever a topic takes it: what a client fetches at once is no limit.
pub(crate) fn a_record_larger_than_a_fetch_arrives(place: &dyn Place) {
    const BYTES: usize = 9 << 20;
    let topic = place.topic_with(1, |spec| spec.max_record_bytes = 12 << 20);
    let at = TopicPartition::new(topic, 0);
    let mut producer = place.log().producer().expect("a producer");
    let value = vec![b'x'; BYTES];
    let record = Outgoing::new(Arc::clone(&at.topic), 0, value);
    producer.send(record).expect("sent");
    place.delivered(producer.as_mut());
    let mut reader = reader_of(place, std::slice::from_ref(&at));
    let mut seen = Seen::default();
    seen.until_got(place, reader.as_mut(), 1);
    assert_eq!(seen.got[0].value.len(), BYTES);
}

pub(crate) fn what_does_not_exist_is_named(place: &dyn Place) {
    let log = place.log();
    let missing = place.fresh("missing");
    let at = TopicPartition::new(missing.as_str(), 0);
    let errors = [
        log.partitions(&missing).unwrap_err(),
        log.end_probe(&missing).unwrap_err(),
        log.reader(&[at], StartAt::Beginning).unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(matches!(error, StreamError::UnknownTopic { .. }), "{text}");
        assert!(text.contains(&missing), "{text}");
    }
    let topic = place.topic(2);
    assert_eq!(log.partitions(&topic).unwrap(), 2);
    log.create_topic(&TopicSpec::new(&*topic, 2)).unwrap();
    let error = log.create_topic(&TopicSpec::new(&*topic, 3)).unwrap_err();
    assert!(
        matches!(
            error,
            StreamError::TopicDiffers {
                wanted: 3,
                actual: 2,
                ..
            }
        ),
        "{error}"
    );
}
