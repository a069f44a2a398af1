//! The main job, with everything that can be killed killed once.

use std::collections::BTreeMap;
use std::time::Duration;

use slawatch::demo::verify;
use slawatch::replay::{Replay, ReplayOptions, ReplayResult};
use slawatch_devstack::topic_writer::TopicWriter;
use slawatch_devstack::traffic::{DAY_MS, Emission, Incident, Traffic, TrafficConfig};
use slawatch_policy::PolicySets;
use slawatch_stream::{
    ConsumerEvent, KafkaLog, KafkaOptions, Log, PollHandler, Record, StartAt, SystemClock,
    TopicPartition,
};

use crate::installation::{Contract, Installation, wait_until};

const PATIENCE: Duration = Duration::from_secs(180);
const TOPIC: &str = "ticket-events";
const PARTITIONS: u32 = 4;

fn traffic(days: i64, tickets_per_day: f64) -> TrafficConfig {
    // Long past, so that every clock that runs out has run out.
    let mut config = TrafficConfig::week(7, 1_767_571_200_000);
    config.duration_ms = days * DAY_MS;
    config.tickets_per_day = tickets_per_day;
    config.incident = Some(Incident::mid_week(
        config.start_ms,
        config.duration_ms,
        tickets_per_day,
    ));
    config
}

fn produce(writer: &mut TopicWriter, records: impl Iterator<Item = Emission>) {
    for record in records {
        writer
            .write(&record.ticket_id, &record.json, Some(record.timestamp_ms))
            .unwrap();
    }
    writer.finish().unwrap();
}

#[derive(Default)]
struct Export(Vec<(u32, i64, i64, Vec<u8>)>);

impl PollHandler for Export {
    fn record(&mut self, record: &Record<'_>) {
        let value = record.value.unwrap_or_default().to_vec();
        self.0
            .push((record.partition, record.offset, record.timestamp_ms, value));
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

/// Every record of the topic, by timestamp.
fn export(bootstrap: &str, records: u64) -> Vec<Vec<u8>> {
    let options = KafkaOptions {
        brokers: bootstrap.to_owned(),
        ..KafkaOptions::default()
    };
    let log = KafkaLog::new(options, std::sync::Arc::new(SystemClock::new()));
    let partitions: Vec<_> = (0..PARTITIONS)
        .map(|number| TopicPartition::new(TOPIC, number))
        .collect();
    let mut reader = log.reader(&partitions, StartAt::Beginning).unwrap();
    let mut export = Export::default();
    wait_until("reading the topic", PATIENCE, || {
        reader
            .poll(Duration::from_millis(100), 100_000, &mut export)
            .unwrap();
        let read = export.0.len() as u64;
        (read == records)
            .then_some(())
            .ok_or(format!("{read} of {records} records"))
    });
    export
        .0
        .sort_by_key(|(partition, offset, timestamp_ms, _)| (*timestamp_ms, *partition, *offset));
    export.0.into_iter().map(|(_, _, _, value)| value).collect()
}

pub(crate) const POLICIES: &str = include_str!("../../examples/policies/contract.toml");

/// Ticket alerts only: a threshold over traffic that is read in one go, long after it happened, would depend on which
/// partition is read first, for a source that is behind is out.
const RULES: &str = r#"
[[rule]]
name = "breach"
type = "ticket"
on = ["breached"]
metrics = ["first_reply"]
severity = "critical"
"#;

pub(crate) fn recompute(lines: &[Vec<u8>], until_ms: i64) -> ReplayResult {
    let sets = PolicySets::parse(&[("contract.toml".to_owned(), POLICIES.to_owned())]).unwrap();
    let options = ReplayOptions {
        until_ms: Some(until_ms),
        ..ReplayOptions::default()
    };
    let mut replay = Replay::new(&sets, options);
    for line in lines {
        replay.line(line);
    }
    replay.finish()
}

#[test]
fn killed_in_the_middle_it_still_ends_with_what_a_recomputation_gives() {
    let mut here = Installation::start(&Contract {
        policies: POLICIES,
        rules: RULES,
        // Long past, and told all the same.
        stale_after: "1000000h",
    });
    here.broker
        .create_topic(
            TOPIC,
            PARTITIONS,
            &[("message.timestamp.type", "CreateTime")],
        )
        .unwrap();
    here.command(&["migrate", "--config", "slawatch.toml"]);
    here.command(&["migrate", "--config", "slawatch.toml"]);

    let roles = ["tracker", "evaluator,dispatcher,board", "loader"];
    let processes = roles.map(|roles| here.run(roles));

    let config = traffic(2, 2500.0);
    let until_ms = config.start_ms + 60 * DAY_MS;
    let mut traffic = Traffic::new(config);
    let bootstrap = here.broker.bootstrap();
    let mut writer = TopicWriter::new(&bootstrap, TOPIC).unwrap();
    produce(&mut writer, traffic.by_ref().take(8_000));
    let client = clickhouse::Client::default().with_url(here.clickhouse.url());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let count = |sql: &str| {
        runtime
            .block_on(verify::number(&client, sql))
            .map_err(|e| e.to_string())
    };
    wait_until("the middle", PATIENCE, || {
        let events = count("SELECT count() FROM slawatch.ticket_events")?;
        let outcomes = count("SELECT count() FROM slawatch.outcomes")?;
        (events > 0 && outcomes > 0)
            .then_some(())
            .ok_or(format!("{events} events, {outcomes} outcomes"))
    });

    // In the middle of it, and while ClickHouse is away.
    here.clickhouse.kill();
    for process in processes {
        process.kill();
    }
    produce(&mut writer, traffic.by_ref());
    let truth = traffic.truth().clone();
    let processes = roles.map(|roles| here.run(roles));
    here.clickhouse.restart().unwrap();

    let lines = export(&bootstrap, truth.records);
    let expected = recompute(&lines, until_ms);
    wait_until("rows in ClickHouse", PATIENCE, || {
        let panes = runtime
            .block_on(verify::compare_panes(&client, "slawatch", &expected))
            .map_err(|error| error.to_string())?;
        let outcomes = runtime
            .block_on(verify::compare_outcomes(&client, "slawatch", &expected))
            .map_err(|error| error.to_string())?;
        let accepted = count("SELECT count() FROM slawatch.ticket_events FINAL")?;
        let rejected = count("SELECT count() FROM slawatch.dead_letters FINAL")?;
        let is_right =
            panes.differing == 0 && outcomes.differing == 0 && accepted + rejected == truth.records;
        is_right.then_some(()).ok_or(format!(
            "panes {panes}\noutcomes {outcomes}\n{accepted} accepted, {rejected} dead letters of {} records",
            truth.records
        ))
    });
    assert_eq!(
        count("SELECT count() FROM slawatch.dead_letters FINAL").unwrap(),
        truth.dead_letters()
    );

    // An independent look at the raw events: what each copy-free event of a type adds up to.
    for (measure, sql) in [
        (
            "handled",
            "SELECT uniqExact(ticket_id, event_id) FROM slawatch.ticket_events FINAL WHERE type = 'handled'",
        ),
        (
            "ratings",
            "SELECT uniqExact(ticket_id, event_id) FROM slawatch.ticket_events FINAL WHERE type = 'rated'",
        ),
        (
            "talk_ms",
            "SELECT sum(talk_ms) FROM (SELECT any(talk_ms) AS talk_ms FROM slawatch.ticket_events FINAL WHERE type = 'handled' GROUP BY ticket_id, event_id)",
        ),
    ] {
        let counted = count(&format!(
            "SELECT toUInt64(sum({measure})) FROM slawatch.measures"
        ))
        .unwrap();
        assert_eq!(counted, count(sql).unwrap(), "{measure}");
    }

    // Most tickets were never answered, so somebody is told; and whatever was told under a key is the last that the
    // alerts know of it.
    let sql = "SELECT alert_key, argMax(state, revision) AS state FROM slawatch.alerts FINAL GROUP BY alert_key";
    wait_until("the end of what was paged", PATIENCE, || {
        let rows = runtime
            .block_on(verify::rows(&client, sql))
            .map_err(|error| error.to_string())?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let states: BTreeMap<_, _> = rows
            .iter()
            .map(|row| (text(&row["alert_key"]), text(&row["state"])))
            .collect();
        let last: BTreeMap<_, _> = here
            .told()
            .into_iter()
            .map(|told| (told.key, told.state))
            .collect();
        let wrong: Vec<_> = last
            .iter()
            .filter(|(key, state)| states.get(*key) != Some(*state))
            .take(3)
            .collect();
        (wrong.is_empty() && !last.is_empty())
            .then_some(())
            .ok_or(format!("{wrong:?} of {}", last.len()))
    });
    for process in processes {
        process.stop();
    }
}
