//! Every query of the dashboard, its macros and variables expanded, on real ClickHouse with an afternoon of data.

use std::collections::BTreeMap;

use clickhouse::Client;
use serde_json::Value;
use slawatch_devstack::clickhouse::ClickHouse;
use slawatch_devstack::grafana::{Choice, queries};
use slawatch_loader::{ClickHouseOptions, MigrateOptions, migrate};

use crate::read;

const DASHBOARD: &str = "grafana/dashboards/operations-now.json";
const HOURS: i64 = 6;

struct Database {
    client: Client,
    end_s: i64,
}

impl Database {
    /// Migrated, and empty.
    async fn new(prefix: &str) -> Self {
        let server = ClickHouse::shared_for_tests();
        let name = server.create_database(prefix).unwrap();
        let options = ClickHouseOptions {
            url: server.url(),
            database: name.clone(),
            ..ClickHouseOptions::default()
        };
        let tables = MigrateOptions {
            database: name.clone(),
            ..MigrateOptions::default()
        };
        migrate(&options, &tables).await.unwrap();
        let now_s: i64 = server
            .execute("SELECT toUnixTimestamp(now())")
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        Self {
            client: Client::default().with_url(server.url()).with_database(name),
            // In the middle of a minute, so that a pane lies on either side of the range's first instant.
            end_s: now_s / 60 * 60 - 30,
        }
    }

    async fn with_afternoon(prefix: &str) -> Self {
        let database = Self::new(prefix).await;
        let script = read("tests/deploy/afternoon.sql");
        let lines = script.lines().filter(|line| !line.starts_with("--"));
        let script = lines.collect::<Vec<_>>().join("\n");
        let script = script.replace("@end", &(database.end_s * 1_000).to_string());
        for statement in script
            .split(";\n")
            .filter(|statement| !statement.trim().is_empty())
        {
            let statement = statement.trim_end_matches(';');
            let done = database.client.query(statement).execute().await;
            done.unwrap_or_else(|error| panic!("{error} in {statement}"));
        }
        database
    }

    /// The six hours before the end. Vendors and queues as the dashboard's own variables find them.
    async fn choice(&self, formula: &str) -> Choice {
        let mut choice = Choice {
            from_s: self.end_s - HOURS * 3_600,
            to_s: self.end_s,
            interval_s: 120,
            variables: BTreeMap::from([("formula".to_owned(), vec![formula.to_owned()])]),
        };
        for (name, sql) in variables() {
            let rows = self.rows(&choice, &sql).await;
            let values = rows
                .iter()
                .filter_map(|row| row.as_object()?.values().next()?.as_str());
            choice
                .variables
                .insert(name, values.map(str::to_owned).collect());
        }
        choice
    }

    async fn rows(&self, choice: &Choice, sql: &str) -> Vec<Value> {
        let statement = choice.expand(sql).unwrap();
        // The client's own placeholder.
        let query = self.client.query(&statement.replace('?', "??"));
        let answer = query.fetch_bytes("JSONEachRow").unwrap().collect().await;
        let answer = answer.unwrap_or_else(|error| panic!("{error} in {statement}"));
        let text = std::str::from_utf8(&answer).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The first value of the first row of a panel.
    async fn value(&self, choice: &Choice, panel: &str) -> Value {
        let sql = panel_query(panel);
        let rows = self.rows(choice, &sql).await;
        let row = rows.first().and_then(Value::as_object).cloned().unwrap();
        row.into_iter().next().unwrap().1
    }
}

/// The variables that are queries, in their order.
fn variables() -> Vec<(String, String)> {
    let found = queries(&read(DASHBOARD)).unwrap().into_iter();
    found
        .filter_map(|query| {
            let name = query.place.strip_prefix("variable \"")?.strip_suffix('"')?;
            Some((name.to_owned(), query.sql))
        })
        .collect()
}

fn panel_query(title: &str) -> String {
    let place = format!("panel {title:?}");
    let found = queries(&read(DASHBOARD))
        .unwrap()
        .into_iter()
        .find(|query| query.place == place);
    found.unwrap_or_else(|| panic!("no {place}")).sql
}

fn formulas() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let formula = variables
        .iter()
        .find(|variable| variable["name"] == "formula")
        .unwrap();
    formula["query"]
        .as_str()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_finds_something_in_an_afternoon_by_every_formula() {
    let database = Database::with_afternoon("dashboard").await;
    assert_eq!(formulas().len(), 6);
    for formula in formulas() {
        let choice = database.choice(&formula).await;
        assert_eq!(choice.variables["vendor"], ["acme", "brightdesk", "nova"]);
        assert_eq!(choice.variables["queue"], ["billing", "refunds", "voice"]);
        for query in queries(&read(DASHBOARD)).unwrap() {
            let rows = database.rows(&choice, &query.sql).await;
            assert!(
                !rows.is_empty(),
                "{} finds nothing by {formula}",
                query.place
            );
            let row = rows[0].as_object().unwrap();
            assert!(
                row.values().any(|value| !value.is_null()),
                "{}: {row:?}",
                query.place
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_those_that_can_be_counted_by_hand() {
    let mut database = Database::with_afternoon("dashboard").await;
    let choice = database.choice("abandons_in_target_met").await;
    // The servers' time zone must not move the time range.
    for zone in ["UTC", "Asia/Manila"] {
        database.client = database.client.with_setting("session_timezone", zone);
        // 359 minutes after the range's first instant; three queues serve 8 of 10, the fourth 8 and, for an hour, 3.
        let in_target = f64::from(3 * 8 * 359 + 8 * 299 + 3 * 60);
        let level = database
            .value(&choice, "Service level")
            .await
            .as_f64()
            .unwrap();
        assert!(
            (level - in_target / f64::from(4 * 10 * 359)).abs() < 1e-9,
            "{zone}: {level}"
        );
        assert_eq!(
            database.value(&choice, "Average handling time").await,
            250_000.0,
            "{zone}"
        );
        assert_eq!(database.value(&choice, "Abandon rate").await, 0.1, "{zone}");
    }
    for (panel, expected) in [
        ("Open tickets", 152),
        ("Open breaches", 20),
        ("Alerts firing", 1),
    ] {
        let value = database.value(&choice, panel).await;
        let value = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        assert_eq!(value, Some(expected), "{panel}");
    }
    let only_acme = BTreeMap::from([
        ("vendor".to_owned(), vec!["acme".to_owned()]),
        ("queue".to_owned(), vec!["refunds".to_owned()]),
        ("formula".to_owned(), vec!["answered_only".to_owned()]),
    ]);
    let choice = Choice {
        variables: only_acme,
        ..choice
    };
    let level = database
        .value(&choice, "Service level")
        .await
        .as_f64()
        .unwrap();
    assert!((level - 8.0 / 9.0).abs() < 1e-9, "{level}");
    let owners = database
        .rows(&choice, &panel_query("Vendors and queues"))
        .await;
    assert_eq!(owners.len(), 1);
    assert_eq!(
        owners[0]["open_tickets"].to_string().trim_matches('"'),
        "12"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_valid_before_there_is_anything() {
    let database = Database::new("dashboard_empty").await;
    let mut choice = database.choice("answered_only").await;
    // What Grafana sends while a variable has no value.
    for name in ["vendor", "queue"] {
        choice
            .variables
            .insert(name.to_owned(), vec![String::new()]);
    }
    for query in queries(&read(DASHBOARD)).unwrap() {
        let rows = database.rows(&choice, &query.sql).await;
        assert!(rows.len() <= 1, "{} finds {rows:?} in nothing", query.place);
        let numbers = rows
            .iter()
            .flat_map(|row| row.as_object().unwrap().values());
        for value in numbers {
            let is_nothing = value.is_null() || value == 0 || value == "0";
            assert!(is_nothing, "{} says {value} of nothing", query.place);
        }
    }
}

#[test]
fn panels_read_views_and_no_table() {
    let tables = [
        "panes",
        "outcomes",
        "gauges",
        "alerts",
        "notifications",
        "dead_letters",
        "ticket_events",
        "actions",
    ];
    for query in queries(&read(DASHBOARD)).unwrap() {
        let words: Vec<&str> = query
            .sql
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        for pair in words.windows(2) {
            let reads = matches!(pair[0], "FROM" | "JOIN").then_some(pair[1]);
            assert!(
                reads.is_none_or(|name| !tables.contains(&name)),
                "{}: {}",
                query.place,
                query.sql
            );
        }
    }
}
