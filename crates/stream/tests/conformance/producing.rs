//! What is sent arrives once and in order, or is named.

use std::sync::Arc;
use std::time::Duration;

use slawatch_stream::{
    DeliveryFailed, MAX_SENT_BYTES, Outgoing, Producer, StartAt, StreamError, TopicPartition,
};

use crate::cast::noise;
use crate::place::{PATIENCE, Place};
use crate::seen::Seen;

fn send(producer: &mut dyn Producer, at: &TopicPartition, value: impl Into<Vec<u8>>) -> u64 {
    let record = Outgoing::new(Arc::clone(&at.topic), at.partition, value.into());
    producer.send(record).expect("sent")
}

fn read(place: &dyn Place, at: &TopicPartition, count: usize) -> Seen {
    let reader = place
        .log()
        .reader(std::slice::from_ref(at), StartAt::Beginning);
    let mut seen = Seen::default();
    let mut reader = reader.expect("a reader");
    seen.until_got(place, reader.as_mut(), count);
    let range = reader.offsets(at).expect("a range");
    assert_eq!(range.high, count as i64, "nothing else is there");
    seen
}

fn failure(place: &dyn Place, producer: &mut dyn Producer) -> DeliveryFailed {
    for _ in 0..PATIENCE {
        if let Err(failed) = producer.poll(Duration::from_millis(place.look_ms())) {
            return failed;
        }
    }
    panic!("{producer:?} delivered what was to fail");
}

pub(crate) fn sends_are_acknowledged_in_order(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    let mut producer = place.log().producer().expect("a producer");
    assert_eq!(producer.poll(Duration::ZERO).expect("polled"), 0);
    let mut expected = Vec::new();
    let mut acknowledged = 0;
    for number in 1..=300_u64 {
        assert_eq!(
            send(producer.as_mut(), &at, number.to_string()),
            number,
            "numbered from 1"
        );
        expected.push(number.to_string());
        let now = producer.poll(Duration::ZERO).expect("polled");
        assert!((acknowledged..=number).contains(&now));
        acknowledged = now;
    }
    place.delivered(producer.as_mut());
    assert_eq!(read(place, &at, 300).values(), expected);
}

pub(crate) fn a_lost_answer_doubles_nothing(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    let process = place.process();
    let mut producer = process.log().producer().expect("a producer");
    send(producer.as_mut(), &at, "0");
    place.delivered(producer.as_mut());
    let mut expected = vec!["0".to_owned()];
    process.lose_answers(2);
    for number in 1..=40 {
        send(producer.as_mut(), &at, number.to_string());
        expected.push(number.to_string());
        // Several batches, so that some are under way behind the one whose answer is lost.
        if number % 10 == 0 {
            producer.poll(Duration::from_millis(5)).expect("polled");
        }
    }
    place.delivered(producer.as_mut());
    assert_eq!(process.answers_left_to_lose(), 0, "answers were lost");
    assert_eq!(read(place, &at, 41).values(), expected);
}

pub(crate) fn a_record_that_is_too_large_is_named(place: &dyn Place) {
    let topic = place.topic_with(1, |spec| spec.max_record_bytes = 2_000);
    let at = TopicPartition::new(topic, 0);
    let mut producer = place.log().producer().expect("a producer");
    send(producer.as_mut(), &at, "before");
    place.delivered(producer.as_mut());
    let large = send(producer.as_mut(), &at, noise(5_000));
    let failed = failure(place, producer.as_mut());
    let expected = DeliveryFailed::TooLarge {
        number: large,
        destination: at.clone(),
        bytes: 5_000,
        limit: Some(2_000),
    };
    assert_eq!(failed, expected);
    assert_eq!(
        failed.to_string(),
        format!(
            "a record of 5000 bytes for {at} is larger than the log takes (2000 bytes): raise max.message.bytes of topic {}",
            at.topic
        )
    );
    let next = Outgoing::new(Arc::clone(&at.topic), 0, b"next".to_vec());
    let refused = producer.send(next).expect_err("a failed producer");
    assert!(matches!(refused, StreamError::Delivery(same) if same == expected));
    assert_eq!(producer.poll(Duration::ZERO), Err(expected));

    producer.reset().expect("a new client");
    assert_eq!(producer.poll(Duration::ZERO), Ok(large));
    assert_eq!(send(producer.as_mut(), &at, "after"), large + 1);
    place.delivered(producer.as_mut());
    assert_eq!(read(place, &at, 2).values(), ["before", "after"]);
}

pub(crate) fn a_record_too_large_for_any_topic_is_not_sent(place: &dyn Place) {
    let at = TopicPartition::new(place.topic(1), 0);
    let mut producer = place.log().producer().expect("a producer");
    let record = Outgoing::new(Arc::clone(&at.topic), 0, vec![0; MAX_SENT_BYTES + 1]);
    let error = producer.send(record).expect_err("too large");
    assert!(
        matches!(&error, StreamError::TooLarge { destination, bytes, limit: MAX_SENT_BYTES }
            if *destination == at && *bytes == MAX_SENT_BYTES + 1),
        "{error}"
    );
    assert_eq!(send(producer.as_mut(), &at, "the producer lives"), 1);
    place.delivered(producer.as_mut());
    assert_eq!(read(place, &at, 1).values(), ["the producer lives"]);
}

/// The limit counts for a whole batch: a client that makes larger ones has to learn better, not to fail for ever.
pub(crate) fn small_records_fit_a_topic_with_a_small_limit(place: &dyn Place) {
    const RECORDS: usize = 50;
    // Of one piece, so that no record repeats another and compression helps nothing.
    let values = noise(RECORDS * 1_000);
    let topic = place.topic_with(1, |spec| spec.max_record_bytes = 4_000);
    let at = TopicPartition::new(topic, 0);
    let mut producer = place.log().producer().expect("a producer");
    for attempt in 0..3 {
        for value in values.chunks(1_000) {
            let record = Outgoing::new(Arc::clone(&at.topic), 0, value.to_vec());
            if producer.send(record).is_err() {
                break;
            }
        }
        let wait = Duration::from_millis(place.look_ms());
        for _ in 0..PATIENCE {
            match producer.poll(wait) {
                Ok(acknowledged) if acknowledged == producer.sent() => return,
                Ok(_) => {}
                Err(failed @ DeliveryFailed::TooLarge { .. }) => panic!("{attempt}: {failed}"),
                Err(DeliveryFailed::Lost { .. }) => break,
            }
        }
        producer.reset().expect("a new client");
    }
    panic!("{producer:?} never learnt");
}
