//! Where each partition of a consumer stands: what was asked for, and what has been delivered.
//!
//! Every record is checked against its partition's cursor, so that nothing read ahead before a seek or a pause is
//! delivered after it.

use crate::error::StreamError;
use crate::record::TopicPartition;

#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) partition: TopicPartition,
    /// `None` until it is told where to start.
    pub(super) position: Option<i64>,
    pub(super) is_paused: bool,
    /// It was told that its position is out of the log's range, and delivers nothing until the next seek.
    pub(super) is_out_of_range: bool,
}

impl Cursor {
    pub(super) fn new(partition: TopicPartition, position: Option<i64>) -> Self {
        Self {
            partition,
            position,
            is_paused: false,
            is_out_of_range: false,
        }
    }

    /// May a record at `offset` be delivered?
    pub(super) fn takes(&self, offset: i64) -> bool {
        !self.is_paused && self.position.is_some_and(|position| position <= offset)
    }
}

#[derive(Debug, Default)]
pub(super) struct Cursors(Vec<Cursor>);

impl Cursors {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Cursor> {
        self.0.iter()
    }

    pub(super) fn add(&mut self, cursor: Cursor) {
        self.0.push(cursor);
    }

    pub(super) fn remove(&mut self, partitions: &[TopicPartition]) {
        self.0
            .retain(|cursor| !partitions.contains(&cursor.partition));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn find(&self, partition: &TopicPartition) -> Option<&Cursor> {
        self.0.iter().find(|cursor| cursor.partition == *partition)
    }

    pub(super) fn find_mut(&mut self, topic: &str, partition: u32) -> Option<&mut Cursor> {
        self.0.iter_mut().find(|cursor| {
            cursor.partition.partition == partition && *cursor.partition.topic == *topic
        })
    }

    pub(super) fn get_mut(
        &mut self,
        partition: &TopicPartition,
    ) -> Result<&mut Cursor, StreamError> {
        self.find_mut(&partition.topic, partition.partition)
            .ok_or_else(|| StreamError::NotAssigned {
                partition: partition.clone(),
            })
    }

    /// The one cursor with that partition number; none if several topics have it.
    pub(super) fn only_mut(&mut self, partition: u32) -> Option<&mut Cursor> {
        let mut of_number = self
            .0
            .iter_mut()
            .filter(|cursor| cursor.partition.partition == partition);
        let only = of_number.next();
        if of_number.next().is_some() {
            return None;
        }
        only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_two_topics_share_names_no_partition() {
        let mut cursors = Cursors::default();
        for (topic, number) in [("a", 0), ("a", 1), ("b", 1)] {
            cursors.add(Cursor::new(TopicPartition::new(topic, number), None));
        }
        assert!(cursors.only_mut(0).is_some());
        assert!(cursors.only_mut(1).is_none());
        assert!(cursors.only_mut(2).is_none());
    }
}
