//! The in-memory log, its clock standing still until a case lets time pass.

use std::sync::{Arc, Mutex};

use slawatch_stream::{
    Clock, Consumer, Log, ManualClock, MemoryLog, MemorySession, Outgoing, TopicPartition,
};

use crate::place::{Place, Process};

pub(crate) struct MemoryPlace {
    log: MemoryLog,
    clock: Arc<ManualClock>,
}

impl MemoryPlace {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        Self {
            log: MemoryLog::stepped(clock.clone()),
            clock,
        }
    }
}

impl Place for MemoryPlace {
    fn log(&self) -> Arc<dyn Log> {
        Arc::new(self.log.clone())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn look_ms(&self) -> u64 {
        0
    }

    fn pass(&self) {
        self.clock.advance(10);
    }

    fn append(&self, record: Outgoing) {
        self.log.append(record).expect("appended");
    }

    fn append_committed(&self, partition: &TopicPartition, values: &[&str]) {
        (self as &dyn Place).append_all(partition, values);
        self.log.skip_offsets(partition, 1).expect("a marker");
    }

    fn append_aborted(&self, partition: &TopicPartition, records: u32) {
        self.log
            .skip_offsets(partition, records + 1)
            .expect("records and a marker");
    }

    fn remove_below(&self, partition: &TopicPartition, low: i64) {
        self.log.truncate(partition, low).expect("removed");
    }

    fn process(&self) -> Box<dyn Process> {
        Box::new(MemoryProcess {
            log: self.log.clone(),
            sessions: Mutex::default(),
        })
    }
}

struct MemoryProcess {
    log: MemoryLog,
    sessions: Mutex<Vec<MemorySession>>,
}

impl Process for MemoryProcess {
    fn log(&self) -> Arc<dyn Log> {
        Arc::new(self.log.clone())
    }

    fn member(&self, group: &str, topics: &[&str]) -> Box<dyn Consumer> {
        let member = self.log.join(group, topics);
        self.sessions.lock().unwrap().extend(member.session());
        Box::new(member)
    }

    fn lose_answers(&self, count: u32) {
        self.log.lose_answers(count);
    }

    fn answers_left_to_lose(&self) -> u32 {
        self.log.answers_left_to_lose()
    }

    fn silence(&self) {
        for session in self.sessions.lock().unwrap().iter() {
            session.expire();
        }
    }

    fn wake(&self) {}

    fn behind_its_back(&self, act: &mut dyn FnMut()) {
        act();
    }
}
