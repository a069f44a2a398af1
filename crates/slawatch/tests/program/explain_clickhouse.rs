//! `slawatch explain` from `ticket_events` on real ClickHouse: the same explanation as from a file of the same events.

use std::collections::BTreeMap;

use serde_json::Value;
use slawatch_devstack::clickhouse::ClickHouse;
use slawatch_loader::{ClickHouseOptions, MigrateOptions, migrate};

use crate::run::{Run, folder, slawatch};

const POLICIES: &str = r#"effective_from = "2025-01-01T00:00:00Z"
[[policy]]
name = "gold"
match = { "labels.tier" = ["gold"] }
[policy.targets]
first_reply = "30m"
[[policy]]
name = "only"
[policy.targets]
first_reply = "1h"
answer = "20s"
"#;

/// In the order of the log, with what makes rows hard: quotes, labels, cleared values, scores, copies that differ.
const EVENTS: &str = r#"{"event_id":"e1","ticket_id":"T'1","type":"created","occurred_at":"2025-06-02T09:00:00Z","sequence":3,"vendor":"ac\"me","queue":"refunds","status":"open"}
{"event_id":"e3","ticket_id":"T'1","type":"updated","occurred_at":"2025-06-02T09:20:00.250Z","queue":"","labels":{"tier":"gold","x":"ü"}}
{"event_id":"e2","ticket_id":"T'1","type":"contact_offered","occurred_at":"2025-06-02T09:10:00Z","contact_id":"c\\1"}
{"event_id":"e2","ticket_id":"T'1","type":"contact_offered","occurred_at":"2025-06-02T09:10:00Z","contact_id":"c\\1"}
{"event_id":"e4","ticket_id":"T'1","type":"rated","occurred_at":"2025-06-02T09:25:00Z","score":4.50,"score_max":5}
{"event_id":"e4","ticket_id":"T'1","type":"rated","occurred_at":"2025-06-02T09:25:00Z","score":4.5,"score_max":5}
{"event_id":"e5","ticket_id":"T'1","type":"agent_replied","occurred_at":"2025-06-02T09:29:00Z","status":"pending"}
"#;

/// The same as rows, the first of them written twice.
const ROWS: &str = r#"
    (0, 0, 10, '2025-06-02 09:00:00', 'e1', 'T\'1', 'created', '2025-06-02 09:00:00', 3, 'ac"me', 'refunds', 'open', map(), NULL, NULL, NULL),
    (0, 0, 10, '2025-06-02 09:00:00', 'e1', 'T\'1', 'created', '2025-06-02 09:00:00', 3, 'ac"me', 'refunds', 'open', map(), NULL, NULL, NULL),
    (0, 0, 11, '2025-06-02 09:00:00', 'e3', 'T\'1', 'updated', '2025-06-02 09:20:00.250', 0, NULL, '', NULL, map('tier', 'gold', 'x', 'ü'), NULL, NULL, NULL),
    (0, 0, 12, '2025-06-02 09:00:00', 'e2', 'T\'1', 'contact_offered', '2025-06-02 09:10:00', 0, NULL, NULL, NULL, map(), 'c\\1', NULL, NULL),
    (0, 0, 13, '2025-06-02 09:00:00', 'e2', 'T\'1', 'contact_offered', '2025-06-02 09:10:00', 0, NULL, NULL, NULL, map(), 'c\\1', NULL, NULL),
    (0, 0, 14, '2025-06-02 09:00:00', 'e4', 'T\'1', 'rated', '2025-06-02 09:25:00', 0, NULL, NULL, NULL, map(), NULL, '4.50', '5'),
    (0, 0, 15, '2025-06-02 09:00:00', 'e4', 'T\'1', 'rated', '2025-06-02 09:25:00', 0, NULL, NULL, NULL, map(), NULL, '4.5', '5'),
    (0, 0, 16, '2025-06-02 09:00:00', 'e5', 'T\'1', 'agent_replied', '2025-06-02 09:29:00', 0, NULL, NULL, 'pending', map(), NULL, NULL, NULL),
    (0, 0, 17, '2025-06-02 09:00:00', 'e6', 'T\'1', 'updated', '2024-01-01 00:00:00', 0, NULL, NULL, NULL, map(), NULL, NULL, NULL),
    (0, 1, 10, '2025-06-02 09:00:00', 'e1', 'other', 'created', '2025-06-02 09:00:00', 0, NULL, NULL, NULL, map(), NULL, NULL, NULL),
    (1, 0, 10, '2025-06-02 09:00:00', 'e9', 'T\'1', 'cancelled', '2025-06-02 09:05:00', 0, NULL, NULL, NULL, map(), NULL, NULL, NULL)"#;

struct Database {
    server: &'static ClickHouse,
    name: String,
    folder: tempfile::TempDir,
}

impl Database {
    fn new() -> Self {
        let server = ClickHouse::shared_for_tests();
        let name = server.create_database("explain").expect("a database");
        let config = format!(
            "policies = ['p.toml']\n[clickhouse]\nurl = '{}'\ndatabase = '{name}'\n",
            server.url()
        );
        let folder = folder(&[
            ("slawatch.toml", &config),
            ("p.toml", POLICIES),
            ("log.jsonl", EVENTS),
        ]);
        Self {
            server,
            name,
            folder,
        }
    }

    fn migrate(&self) {
        let options = ClickHouseOptions {
            url: self.server.url(),
            database: self.name.clone(),
            ..ClickHouseOptions::default()
        };
        let tables = MigrateOptions {
            database: self.name.clone(),
            // What the rows tell is long ago.
            ttl_days: BTreeMap::new(),
            ..MigrateOptions::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime
            .block_on(migrate(&options, &tables))
            .expect("migrated");
    }

    fn run(&self, sql: &str) {
        let sql = sql.replace('@', &format!("{}.", self.name));
        self.server.execute(&sql).expect(&sql);
    }

    fn explain(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["explain", "--until", "2025-06-02T12:00:00Z"];
        all.extend(arguments);
        slawatch(self.folder.path(), &all)
    }
}

fn json(run: &Run) -> Value {
    assert!(run.succeeded, "{}", run.error);
    serde_json::from_str(&run.out).expect("JSON")
}

#[test]
fn a_ticket_is_explained_from_its_rows_as_from_a_file() {
    let database = Database::new();
    let missing = database.explain(&["T'1", "--config", "slawatch.toml"]);
    assert!(!missing.succeeded);
    assert_eq!(
        missing.error,
        format!(
            "slawatch: ClickHouse at {} has no table {}.ticket_events; `slawatch migrate --config FILE` makes it, and the loader fills it\n",
            database.server.url(),
            database.name
        )
    );

    database.migrate();
    database.run(&format!(
        "INSERT INTO @ticket_events (generation, partition, offset, record_at, event_id, ticket_id, type, occurred_at,
            sequence, vendor, queue, status, labels, contact_id, score, score_max) VALUES {ROWS}"
    ));
    database.run(
        "INSERT INTO @dead_letters (topic, generation, partition, offset, record_at, reason) VALUES
            ('ticket-events', 0, 0, 17, '2025-06-02 09:00:00', 'ticket_forgotten'),
            ('ticket-events', 1, 0, 11, '2025-06-02 09:00:00', 'ticket_forgotten')",
    );
    let unknown = database.explain(&["U", "--config", "slawatch.toml"]);
    assert!(!unknown.succeeded);
    assert!(
        unknown
            .error
            .starts_with("slawatch: no event of ticket U is among the ")
            && unknown
                .error
                .contains("(generation 0); has the loader caught up?"),
        "{}",
        unknown.error
    );

    let stored = json(&database.explain(&["T'1", "--config", "slawatch.toml", "--json"]));
    let read = json(&database.explain(&[
        "T'1",
        "--config",
        "slawatch.toml",
        "--events",
        "log.jsonl",
        "--allowed-delay",
        "2s",
        "--json",
    ]));
    for part in ["now", "state", "created_at", "events", "cycles"] {
        assert_eq!(stored[part], read[part], "{part}");
    }
    assert_eq!(stored["now"], "2025-06-02T11:59:58.000Z");
    let dropped = |told: &Value| {
        let dropped = told["dropped"].as_array().expect("a list");
        let each = dropped
            .iter()
            .map(|event| format!("{} {}", event["event_id"], event["reason"]));
        each.collect::<Vec<_>>().join(", ")
    };
    let copies = r#""e2" "duplicate", "e4" "conflicting""#;
    assert_eq!(dropped(&read), copies);
    assert_eq!(
        dropped(&stored),
        format!(r#"{copies}, "e6" "ticket_forgotten""#)
    );
}
