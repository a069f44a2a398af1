//! Whether a partition's owner keeps up with the alerts, for the watchdog.

use slawatch_stream::{Log, TopicPartition};

use super::history;

/// How often it is asked where the alerts end. What was there at one question must be taken in by the next.
const LOOK_MS: i64 = 30_000;

#[derive(Debug, Default)]
pub(super) struct Life {
    due_ms: Option<i64>,
    end: i64,
    has_caught_up: bool,
}

impl Life {
    pub(super) fn has_caught_up(
        &mut self,
        log: &dyn Log,
        alerts: &TopicPartition,
        position: i64,
        now_ms: i64,
    ) -> bool {
        if self.due_ms.is_some_and(|due_ms| now_ms < due_ms) {
            return self.has_caught_up;
        }
        self.due_ms = Some(now_ms.saturating_add(LOOK_MS));
        match history::end_of(log, alerts) {
            Ok(end) => {
                self.has_caught_up = position >= self.end;
                self.end = end;
            }
            Err(error) => {
                tracing::warn!(partition = %alerts, %error, "where the alerts end is not known; the watchdog is held back");
                self.has_caught_up = false;
            }
        }
        self.has_caught_up
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use slawatch_stream::memory::MemoryLog;
    use slawatch_stream::{Outgoing, SystemClock, TopicSpec};

    use super::*;

    #[test]
    fn what_was_there_at_one_question_is_taken_in_by_the_next() {
        let log = MemoryLog::stepped(Arc::new(SystemClock::new()));
        log.create_topic(&TopicSpec::new("alerts", 1)).unwrap();
        let alerts = TopicPartition::new("alerts", 0);
        let mut life = Life::default();
        assert!(life.has_caught_up(&log, &alerts, 0, 0));
        for _ in 0..2 {
            log.append(Outgoing::new("alerts".into(), 0, vec![1]))
                .unwrap();
        }
        assert!(
            life.has_caught_up(&log, &alerts, 0, LOOK_MS),
            "they came in between"
        );
        assert!(
            life.has_caught_up(&log, &alerts, 0, LOOK_MS + 1),
            "it is not asked all the time"
        );
        assert!(!life.has_caught_up(&log, &alerts, 1, 2 * LOOK_MS));
        assert!(life.has_caught_up(&log, &alerts, 2, 3 * LOOK_MS));
    }

    #[test]
    fn a_log_that_does_not_answer_is_not_caught_up_with() {
        let log = MemoryLog::stepped(Arc::new(SystemClock::new()));
        let nowhere = TopicPartition::new("nowhere", 0);
        assert!(!Life::default().has_caught_up(&log, &nowhere, 0, 0));
    }
}
