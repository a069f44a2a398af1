//! Compares what stands in ClickHouse's views with a plain recomputation, row by row.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context;
use clickhouse::Client;
use serde_json::{Map, Value, json};
use slawatch_wire::v1;

use crate::replay::{ReplayResult, metric_name, outcome_object, plain};

/// How rows differ.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// Rows compared.
    pub compared: usize,
    /// Rows that are not the same on both sides.
    pub differing: usize,
    /// A few of them, for a person.
    pub examples: Vec<String>,
}

impl Differences {
    const EXAMPLES: usize = 5;

    fn between(stored: &BTreeMap<String, Value>, expected: &BTreeMap<String, Value>) -> Self {
        let mut found = Self {
            compared: expected.len(),
            ..Self::default()
        };
        let missing = expected
            .iter()
            .map(|(key, row)| (key, stored.get(key), Some(row)));
        let surplus = stored
            .iter()
            .filter(|(key, _)| !expected.contains_key(*key))
            .map(|(key, row)| (key, Some(row), None));
        for (key, stored, expected) in missing.chain(surplus) {
            if stored == expected {
                continue;
            }
            found.differing += 1;
            if found.examples.len() < Self::EXAMPLES {
                let text = |row: Option<&Value>| {
                    row.map_or_else(|| "nothing".to_owned(), Value::to_string)
                };
                found.examples.push(format!(
                    "{key}:\n  in ClickHouse {}\n  expected      {}",
                    text(stored),
                    text(expected)
                ));
            }
        }
        found
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {} differ", self.compared, self.differing)?;
        for example in &self.examples {
            write!(f, "\n{example}")?;
        }
        Ok(())
    }
}

/// Compares the view `measures` with a replay.
///
/// # Errors
/// If ClickHouse cannot be asked.
pub async fn compare_panes(
    client: &Client,
    database: &str,
    expected: &ReplayResult,
) -> anyhow::Result<Differences> {
    let sql = format!(
        "SELECT toUnixTimestamp64Milli(pane) AS pane_ms, * EXCEPT (pane) FROM {database}.measures"
    );
    let mut stored = BTreeMap::new();
    for mut row in rows(client, &sql).await? {
        let key = [&row["pane_ms"], &row["vendor"], &row["queue"]]
            .map(Value::to_string)
            .join(" ");
        for name in ["pane_ms", "vendor", "queue"] {
            row.remove(name);
        }
        row.retain(|_, value| *value != json!(0) && *value != json!({}));
        if !row.is_empty() {
            stored.insert(key, sorted(row));
        }
    }
    let expected = expected
        .panes
        .iter()
        .map(|((pane_ms, vendor, queue), measures)| {
            let key = [json!(pane_ms), json!(vendor), json!(queue)].map(|part| part.to_string());
            (key.join(" "), sorted(flat(measures)))
        })
        .collect();
    Ok(Differences::between(&stored, &expected))
}

/// Compares the view `outcomes_latest` with a replay.
///
/// # Errors
/// If ClickHouse cannot be asked.
pub async fn compare_outcomes(
    client: &Client,
    database: &str,
    expected: &ReplayResult,
) -> anyhow::Result<Differences> {
    let instant = |name: &str| {
        format!(
            "formatDateTime({name}, '%Y-%m-%dT%H:%i:%S.', 'UTC') || leftPad(toString(toUnixTimestamp64Milli({name}) % 1000), 3, '0') || 'Z'"
        )
    };
    let sql = format!(
        "SELECT ticket_id, metric, cycle, contact_id, {} AS policy_set, policy, target_ms, vendor, queue, priority, \
         {} AS started_at, {} AS due_at, state, {} AS decided_at, {} AS breached_at, {} AS stopped_at, elapsed_ms, \
         if(has_shares, toJSONString(shares), NULL) AS shares \
         FROM {database}.outcomes FINAL \
         WHERE generation = (SELECT generation FROM {database}.current_generation)",
        instant("outcomes.policy_set"),
        instant("outcomes.started_at"),
        instant("outcomes.due_at"),
        instant("outcomes.decided_at"),
        instant("outcomes.breached_at"),
        instant("outcomes.stopped_at"),
    );
    let key = |row: &Map<String, Value>| {
        format!("{} {} {}", row["ticket_id"], row["metric"], row["cycle"])
    };
    let mut stored = BTreeMap::new();
    for mut row in rows(client, &sql).await? {
        if let Some(Value::String(shares)) = row.get("shares") {
            let shares: Value = serde_json::from_str(shares).context("shares are no JSON")?;
            row.insert("shares".to_owned(), shares);
        }
        stored.insert(key(&row), sorted(row));
    }
    let expected = expected
        .outcomes
        .iter()
        .map(|row| {
            let object = outcome_object(row);
            (key(&object), sorted(object))
        })
        .collect();
    Ok(Differences::between(&stored, &expected))
}

/// One number.
///
/// # Errors
/// If ClickHouse cannot be asked, or says something else.
pub async fn number(client: &Client, sql: &str) -> anyhow::Result<u64> {
    client
        .query(sql)
        .fetch_one()
        .await
        .with_context(|| format!("cannot ask ClickHouse: {sql}"))
}

/// The rows of a query, as objects.
///
/// # Errors
/// If ClickHouse cannot be asked.
pub async fn rows(client: &Client, sql: &str) -> anyhow::Result<Vec<Map<String, Value>>> {
    let context = || format!("cannot ask ClickHouse: {sql}");
    let mut cursor = client
        .clone()
        .with_setting("output_format_json_quote_64bit_integers", "0")
        .query(sql)
        .fetch_bytes("JSONEachRow")
        .with_context(context)?;
    let bytes = cursor.collect().await.with_context(context)?;
    serde_json::Deserializer::from_slice(&bytes)
        .into_iter()
        .collect::<Result<_, _>>()
        .with_context(|| format!("ClickHouse's answer is no JSON: {sql}"))
}

/// The non-zero measures under the names of the columns.
fn flat(measures: &v1::Measures) -> Map<String, Value> {
    let mut flat: Map<String, Value> = plain(measures)
        .into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|(name, amount)| (name.to_owned(), json!(amount)))
        .collect();
    for verdict in &measures.verdicts {
        let metric = metric_name(verdict.metric());
        for (what, count) in [("met", verdict.met), ("breached", verdict.breached)] {
            if count != 0 {
                flat.insert(format!("{what}_{metric}"), json!(count));
            }
        }
    }
    for (name, buckets) in [
        ("wait_histogram", &measures.wait_histogram),
        ("handle_histogram", &measures.handle_histogram),
    ] {
        let counts: Map<String, Value> = buckets
            .iter()
            .filter(|bucket| bucket.count != 0)
            .map(|bucket| (bucket.bucket.to_string(), json!(bucket.count)))
            .collect();
        if !counts.is_empty() {
            flat.insert(name.to_owned(), Value::Object(counts));
        }
    }
    flat
}

/// The same object with its keys in order, so that equal ones read alike.
fn sorted(object: Map<String, Value>) -> Value {
    let ordered: BTreeMap<String, Value> = object
        .into_iter()
        .map(|(key, value)| match value {
            Value::Object(inner) => (key, sorted(inner)),
            other => (key, other),
        })
        .collect();
    Value::Object(ordered.into_iter().collect())
}
