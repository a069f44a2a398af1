//! History that was there before the installation.

use std::io::Write;
use std::time::Duration;

use slawatch::demo::verify;
use slawatch_devstack::traffic::{DAY_MS, Traffic, TrafficConfig};
use slawatch_stream::{Clock, SystemClock};

use crate::installation::{Contract, Installation, wait_until};
use crate::pipeline::{POLICIES, recompute};

const PATIENCE: Duration = Duration::from_secs(120);
const COMMAND: [&str; 4] = ["import", "events.jsonl", "--config", "slawatch.toml"];

const CONFLICTS: usize = 3;

/// Copies of the first events that say something else.
fn conflicts(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let events = lines
        .iter()
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .filter(|event| event["type"] == "created");
    let copies = events.take(CONFLICTS).map(|mut event| {
        event["queue"] = "elsewhere".into();
        event.to_string().into_bytes()
    });
    copies.collect()
}

#[test]
fn imported_history_counts_as_if_it_had_been_heard() {
    let here = Installation::start(&Contract {
        policies: POLICIES,
        rules: "",
        stale_after: "1h",
    });
    here.broker.create_topic("ticket-events", 3, &[]).unwrap();
    here.command(&["migrate", "--config", "slawatch.toml"]);
    let now_ms = SystemClock::new().wall_ms();
    let mut config = TrafficConfig::week(3, now_ms - 9 * DAY_MS);
    config.duration_ms = DAY_MS;
    config.tickets_per_day = 400.0;
    let lines: Vec<Vec<u8>> = Traffic::new(config).map(|record| record.json).collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let mut file = std::fs::File::create(here.path("events.jsonl")).unwrap();
    let mut append = |lines: &[Vec<u8>]| {
        for line in lines {
            file.write_all(line).unwrap();
            file.write_all(b"\n").unwrap();
        }
    };
    append(first);
    let told = here.answer(&COMMAND);
    assert!(told.contains(&format!("{} lines: ", first.len())), "{told}");
    // The file has grown since: only what is new is sent.
    append(second);
    // Ids of events that are there already, on other words: an error of the source, which is counted.
    let conflicting = conflicts(&lines);
    append(&conflicting);
    let second = [second, &conflicting].concat();
    let lines = [&lines[..], &conflicting].concat();
    let told = here.answer(&COMMAND);
    assert!(
        told.contains(&format!("{} lines: ", second.len())),
        "{told}"
    );
    assert!(told.contains("lines that are none"), "{told}");
    let told = here.answer(&COMMAND);
    assert!(
        told.contains("0 lines: 0 events sent to ticket-events"),
        "{told}"
    );

    let processes = ["tracker", "loader"].map(|roles| here.run(roles));
    let expected = recompute(&lines, now_ms);
    assert_eq!(expected.counts.conflicting, CONFLICTS as u64);
    let client = clickhouse::Client::default().with_url(here.clickhouse.url());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    wait_until("rows in ClickHouse", PATIENCE, || {
        let panes = runtime
            .block_on(verify::compare_panes(&client, "slawatch", &expected))
            .map_err(|error| error.to_string())?;
        let outcomes = runtime
            .block_on(verify::compare_outcomes(&client, "slawatch", &expected))
            .map_err(|error| error.to_string())?;
        (panes.differing == 0 && outcomes.differing == 0)
            .then_some(())
            .ok_or(format!("panes {panes}\noutcomes {outcomes}"))
    });
    let counted = format!("slawatch_events_total{{result=\"conflicting\"}} {CONFLICTS}");
    wait_until("conflicting copies in the metric", PATIENCE, || {
        let metrics = processes[0].metrics()?;
        let is_there = metrics.lines().any(|line| line == counted);
        is_there
            .then_some(())
            .ok_or(format!("no line {counted} in {metrics}"))
    });
    for process in processes {
        process.stop();
    }
}
