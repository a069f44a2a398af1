//! `slawatch ack`, `silence` and `mark-change`: what they write to a real broker, and what they say.

use std::sync::Arc;
use std::time::Duration;

use slawatch_devstack::kafka::Broker;
use slawatch_stream::{
    Clock, ConsumerEvent, KafkaLog, KafkaOptions, Log, PollHandler, Record, StartAt, SystemClock,
    TopicPartition,
};
use slawatch_wire::v1::{Action, ActionKind, Signal, signal};
use slawatch_wire::{Message, vendor_partition};

use crate::run::{Run, folder, slawatch};

const PARTITIONS: u32 = 3;

#[derive(Default)]
struct Actions(Vec<(u32, Action)>);

impl PollHandler for Actions {
    fn record(&mut self, record: &Record<'_>) {
        let signal = Signal::decode(record.value.expect("a value")).expect("a signal");
        if let Some(signal::Kind::Action(action)) = signal.kind {
            self.0.push((record.partition, action));
        }
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

struct Installation {
    folder: tempfile::TempDir,
    topic: String,
    log: KafkaLog,
}

impl Installation {
    fn new() -> Self {
        let broker = Broker::shared_for_tests();
        let topic = broker
            .unique_topic("signals", PARTITIONS, &[])
            .expect("a topic");
        let brokers = broker.bootstrap();
        let config = format!(
            "policies = [\"p.toml\"]\n[kafka]\nbrokers = \"{brokers}\"\n[topics]\nsignals = \"{topic}\"\n"
        );
        let options = KafkaOptions {
            brokers,
            ..KafkaOptions::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Self {
            folder: folder(&[("slawatch.toml", &config)]),
            topic,
            log: KafkaLog::new(options, clock),
        }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let author = ["--author", "ana"];
        slawatch(self.folder.path(), &[arguments, &author[..]].concat())
    }

    /// As many as are awaited, by partition.
    fn actions(&self, awaited: usize) -> Vec<(u32, Action)> {
        let all: Vec<_> = (0..PARTITIONS)
            .map(|number| TopicPartition::new(self.topic.as_str(), number))
            .collect();
        let mut reader = self.log.reader(&all, StartAt::Beginning).expect("a reader");
        let mut actions = Actions::default();
        for _ in 0..300 {
            reader
                .poll(Duration::from_millis(100), 1_000, &mut actions)
                .expect("read");
            if actions.0.len() >= awaited {
                break;
            }
        }
        actions.0.sort_by_key(|(partition, _)| *partition);
        actions.0
    }
}

#[test]
fn what_is_done_from_a_shell_is_on_the_log() {
    let installation = Installation::new();
    let run = installation.run(&["ack", "low/acme", "--vendor", "acme", "--reason", "on it"]);
    assert!(run.succeeded, "{run:?}");
    assert!(
        run.out
            .starts_with("ana sees to low/acme\nwritten to Kafka as cli-"),
        "{}",
        run.out
    );
    let actions = installation.actions(1);
    let [(partition, action)] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(*partition, vendor_partition("acme", PARTITIONS));
    assert_eq!(action.kind(), ActionKind::Acknowledge);
    assert_eq!(
        (action.author.as_str(), action.reason.as_str()),
        ("ana", "on it")
    );

    let run = installation.run(&[
        "silence",
        "--vendor",
        "ac*",
        "--for",
        "90m",
        "--reason",
        "they move",
        "--action-id",
        "s-1",
    ]);
    assert!(run.succeeded, "{run:?}");
    assert!(
        run.out.starts_with("silenced vendor ac* from "),
        "{}",
        run.out
    );
    assert!(
        run.out
            .contains("end it early with: slawatch silence --end s-1\n"),
        "{}",
        run.out
    );
    let run = installation.run(&["silence", "--end", "s-1"]);
    assert!(run.out.starts_with("the silence s-1 ends now\n"), "{run:?}");
    let run = installation.run(&[
        "mark-change",
        "--reason",
        "SOP 14",
        "--at",
        "2026-01-05T10:00:00Z",
    ]);
    assert!(
        run.out
            .starts_with("marked a change of everything at 2026-01-05T10:00:00Z: SOP 14\n"),
        "{run:?}"
    );
    // Globs, and what names no vendor, go to every partition.
    let actions = installation.actions(1 + 3 * 3);
    assert_eq!(actions.len(), 10, "{actions:?}");
    let silence = actions.iter().find(|(_, action)| action.action_id == "s-1");
    let silence = &silence.expect("the silence").1;
    assert_eq!(silence.until_ms, Some(silence.at_ms + 5_400_000));
}

#[test]
fn every_mistake_is_told_by_its_option() {
    let folder = folder(&[(
        "slawatch.toml",
        "policies = [\"p.toml\"]\n[kafka]\nbrokers = \"127.0.0.1:1\"\n",
    )]);
    for (arguments, told) in [
        (
            &["silence", "--author", "ana"][..],
            "slawatch: --vendor: this would silence everything; name at least one of vendor, queue, rule and ticket_id (globs with \
             *), or write \"*\" if everything is meant\n\
             slawatch: --reason: it is missing; write why, for those who wonder\n\
             slawatch: --until or --for: it is missing; write when the silence ends, like \"2026-01-05T10:00:00Z\"\n",
        ),
        (
            &["silence", "--vendor", "a", "--reason", "r", "--for", "soon"],
            "slawatch: --for \"soon\" is no duration that fits; write it like \"90m\" or \"2h\", up to \"720h\"\n",
        ),
        (
            &["ack", "k", "--author", ""],
            "slawatch: --author: it is missing; write your name\n",
        ),
        (
            &[
                "mark-change",
                "--author",
                "ana",
                "--reason",
                "r",
                "--at",
                "noon",
            ],
            "slawatch: --at: this is no instant; write it with an offset, like \"2026-01-05T10:00:00Z\" or \
             \"2026-01-05T18:00:00+08:00\", or as milliseconds since 1970\n",
        ),
    ] {
        let run = slawatch(folder.path(), arguments);
        assert!(!run.succeeded, "{run:?}");
        assert_eq!(run.error, told);
    }
}
