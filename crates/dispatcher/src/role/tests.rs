//! The role as its worker drives it.

use slawatch_stream::{ManualClock, MemoryLog, TopicSpec};

use super::*;
use crate::delivery::Order;

#[derive(Debug)]
struct Nowhere;

impl Outbox for Nowhere {
    fn join(&self, _: LedgerId, _: &mpsc::Sender<Reported>) {}
    fn order(&self, _: usize, _: Order) {}
    fn forget(&self, _: LedgerId) {}
    fn is_watched(&self) -> bool {
        false
    }
    fn beat(&self, _: LedgerId, _: bool) {}
}

/// Flushes, writes what comes of it and acknowledges that.
fn flush(processor: &mut DispatcherProcessor, log: &MemoryLog, batch: u64) {
    let stamp = Stamp {
        source: 0,
        sources: 1,
        epoch: 1,
        batch,
        clock_ms: 0,
        log_clock_ms: 0,
        position: 0,
        progress: false,
    };
    let mut out = Vec::new();
    processor.flush(&stamp, &mut out);
    for record in out {
        log.append(record).unwrap();
    }
    processor.acknowledged(batch);
}

fn history_from(processor: &DispatcherProcessor) -> Option<i64> {
    let mut state = Vec::new();
    processor.snapshot(&mut state);
    image::read(&state).unwrap().0
}

#[test]
fn the_next_owner_reads_little_however_long_this_one_has_spoken() {
    let log = Arc::new(MemoryLog::stepped(Arc::new(ManualClock::new(0))));
    for topic in ["slawatch.alerts", "slawatch.notifications"] {
        log.create_topic(&TopicSpec::new(topic, 1)).unwrap();
    }
    let config: DispatcherConfig =
        toml::from_str("[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://hook\"")
            .unwrap();
    let outbox = Arc::new(Nowhere);
    let factory = DispatcherFactory::new(log.clone(), Topics::default(), &config, outbox).unwrap();
    let mut processor = factory.create(&Source {
        topic: "slawatch.alerts".into(),
        partition: 0,
        partitions: 1,
    });
    processor.took_over(1);
    for batch in 1..10 {
        processor.tick(0);
        flush(&mut processor, &log, batch);
    }
    assert!(matches!(processor.stage, Stage::Speaking));
    // The takeover record.
    assert_eq!(history_from(&processor), Some(0));
    for number in 0..20 {
        let mut fires = slawatch_wire::v1::AlertTransition {
            key: format!("k{number}"),
            incident: "i".into(),
            revision: 1,
            fired_at_ms: Some(0),
            ..Default::default()
        };
        fires.set_state(AlertState::Firing);
        let alerts = AlertBatch {
            alerts: vec![fires],
            ..AlertBatch::default()
        };
        let value = alerts.encode_to_vec();
        processor.apply(&Record::plain("slawatch.alerts", 0, number, 0, &value));
        flush(&mut processor, &log, 10 + number.unsigned_abs());
    }
    processor.tick(HISTORY_STEP_MS - 1);
    assert_eq!(history_from(&processor), Some(0));
    processor.tick(HISTORY_STEP_MS);
    assert_eq!(history_from(&processor), Some(21));
}
