//! Pages in real time: whoever is on call hears of a breach while it holds, ClickHouse or not, and only once.

use std::collections::BTreeSet;
use std::time::Duration;

use slawatch::demo::verify;
use slawatch_devstack::topic_writer::TopicWriter;

use crate::installation::{Contract, Installation, Told, wait_until};

const PATIENCE: Duration = Duration::from_secs(90);
const TOPIC: &str = "ticket-events";

/// Clocks short enough to run out while a test waits.
const POLICIES: &str = r#"
effective_from = "2020-01-01T00:00:00Z"
[[policy]]
name = "all"
[policy.targets]
first_reply = "2s"
answer = "20s"
"#;

const RULES: &str = r#"
[[rule]]
name = "breach"
type = "ticket"
on = ["breached"]
metrics = ["first_reply"]
severity = "critical"

[[rule]]
name = "abandon-rate"
type = "threshold"
measure = "abandon_rate"
window = "30m"
enter = "50%"
exit = "10%"
min_samples = 8
for = "0s"
severity = "error"
by = ["vendor", "queue"]
"#;

/// Sends events that happen now.
struct Desk {
    writer: TopicWriter,
    events: u32,
}

impl Desk {
    fn happens(&mut self, kind: &str, ticket_id: &str) {
        self.events += 1;
        let now = now_ms();
        let event = serde_json::json!({
            "event_id": format!("e{}", self.events),
            "ticket_id": ticket_id,
            "type": kind,
            "occurred_at": now,
            "vendor": "northwind",
            "queue": "billing",
        });
        let text = event.to_string();
        self.writer.write(ticket_id, text.as_bytes(), None).unwrap();
        self.writer.finish().unwrap();
    }
}

fn now_ms() -> i64 {
    use slawatch_stream::Clock as _;
    slawatch_stream::SystemClock::new().wall_ms()
}

/// The ticket fires at the webhook and holds in Alertmanager.
fn wait_for_page(here: &Installation, ticket_id: &str) {
    wait_until("a page", PATIENCE, || {
        let told = here.told();
        let fires = |told: &Told| told.ticket_id == ticket_id && told.state == "firing";
        if !told.iter().any(fires) {
            return Err(format!("{ticket_id} is not among {told:?}"));
        }
        let held = here.held_by_alertmanager()?;
        held.iter()
            .any(|held| held == ticket_id)
            .then_some(())
            .ok_or(format!("Alertmanager holds {held:?}"))
    });
}

#[test]
fn a_breach_is_paged_once_whatever_is_killed_meanwhile() {
    let mut here = Installation::start(&Contract {
        policies: POLICIES,
        rules: RULES,
        stale_after: "1h",
    });
    here.broker.create_topic(TOPIC, 4, &[]).unwrap();
    here.command(&["migrate", "--config", "slawatch.toml"]);
    let mut desk = Desk {
        writer: TopicWriter::new(&here.broker.bootstrap(), TOPIC).unwrap(),
        events: 0,
    };
    let roles = ["tracker", "evaluator,dispatcher,board", "loader"];
    let mut processes = roles.map(|roles| here.run(roles));

    // Nobody replies, and nothing else happens: only the clock can tell.
    desk.happens("created", "quiet");
    wait_for_page(&here, "quiet");

    // Every fourth contact is answered; a queue is a queue on every partition.
    for contact in 0..12 {
        let ticket_id = format!("call-{contact}");
        desk.happens("contact_offered", &ticket_id);
        let end = ["contact_answered", "contact_abandoned"][usize::from(contact % 4 != 0)];
        desk.happens(end, &ticket_id);
    }
    wait_until("the queue's page", PATIENCE, || {
        let told = here.told();
        let is_paged = told
            .iter()
            .any(|told| told.rule == "abandon-rate" && told.state == "firing");
        is_paged.then_some(()).ok_or(format!("{told:?}"))
    });

    // ClickHouse delays nobody.
    here.clickhouse.kill();
    desk.happens("created", "no tables");
    wait_for_page(&here, "no tables");
    here.clickhouse.restart().unwrap();

    // A breach falls due while nothing runs.
    desk.happens("created", "unseen");
    for process in processes {
        process.kill();
    }
    processes = roles.map(|roles| here.run(roles));
    wait_for_page(&here, "unseen");

    // What was paged before and after the crash ends under the same key, and only when it is over.
    let ends = |told: &Told| told.state == "resolved";
    assert!(!here.told().iter().any(ends), "{:?}", here.told());
    let tickets = ["no tables", "quiet", "unseen"];
    for ticket_id in tickets {
        desk.happens("agent_replied", ticket_id);
    }
    wait_until("the ends", PATIENCE, || {
        let told = here.told();
        let ended: Vec<_> = told.iter().filter(|told| ends(told)).collect();
        let held = here.held_by_alertmanager()?;
        let is_over = tickets.iter().all(|ticket_id| {
            ended.iter().any(|told| told.ticket_id == *ticket_id)
                && !held.iter().any(|held| held == ticket_id)
        });
        is_over
            .then_some(())
            .ok_or(format!("{told:?}\nAlertmanager holds {held:?}"))
    });
    for ticket_id in tickets {
        let told = here.told();
        let about = || told.iter().filter(|told| told.ticket_id == ticket_id);
        let incidents: BTreeSet<_> = about().map(|told| (&told.key, &told.incident)).collect();
        assert_eq!(incidents.len(), 1, "{told:?}");
    }

    // And the tables know all of it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = clickhouse::Client::default().with_url(here.clickhouse.url());
    let count = |sql: &str| {
        runtime
            .block_on(verify::number(&client, sql))
            .map_err(|error| error.to_string())
    };
    wait_until("rows in ClickHouse", PATIENCE, || {
        let events = count("SELECT count() FROM slawatch.ticket_events FINAL")?;
        let breaches = count(
            "SELECT count() FROM slawatch.outcomes FINAL WHERE metric = 'first_reply' AND state = 'breached'",
        )?;
        let over = count(
            "SELECT count() FROM (SELECT alert_key, argMax(state, revision) AS last FROM slawatch.alerts FINAL WHERE rule = 'breach' GROUP BY alert_key) WHERE last = 'resolved'",
        )?;
        let found = (events, breaches, over);
        (found == (u64::from(desk.events), 3, 3))
            .then_some(())
            .ok_or(format!("{found:?}"))
    });
    for process in processes {
        process.stop();
    }
}
