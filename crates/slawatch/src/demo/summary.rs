//! What came of the demo, and whether all of it was right.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clickhouse::Client;
use serde_json::Value;

use super::Timer;
use super::feed::{Fed, Feed};
use super::receiver::LocalReceiver;
use super::verify::{self, Differences};
use super::watch::Watch;
use crate::config::Config;

/// Tables that are counted, in the order of the flow.
const TABLES: [&str; 7] = [
    "ticket_events",
    "dead_letters",
    "panes",
    "outcomes",
    "gauges",
    "alerts",
    "notifications",
];
/// How long rows may take from the log into ClickHouse, and alerts to the receiver.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(500);

pub(super) struct Summary {
    fed: Arc<Fed>,
    rows: Vec<(&'static str, u64)>,
    panes: Differences,
    outcomes: Differences,
    dead_letters: BTreeMap<String, u64>,
    fired: usize,
    resolved: usize,
    incident_told: IncidentTold,
    played: Duration,
}

/// Whether the receiver was told of the staged incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct IncidentTold {
    fired: bool,
    resolved: bool,
}

impl IncidentTold {
    fn is_whole(self) -> bool {
        self.fired && self.resolved
    }
}

impl Summary {
    /// Waits until everything is in ClickHouse and at the receiver, or has taken too long, and takes stock.
    pub(super) fn take(
        feed: Feed,
        watch: &Watch,
        receiver: &LocalReceiver,
        config: &Config,
        played: Duration,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        let fed = Arc::new(feed.finish());
        let client = config.clickhouse.options().client()?;
        let database = config.clickhouse.database.clone();
        let waited = Timer::start();
        // First what costs little to ask: whether everything has arrived, and was told.
        while waited.elapsed() < PATIENCE {
            let is_told = told(&fed, &receiver.messages()).is_whole();
            if is_told && runtime.block_on(has_arrived(&client, &database, &fed))? {
                break;
            }
            std::thread::park_timeout(LOOK);
        }
        loop {
            let look = Self::look(&client, &database, &fed, watch, receiver, played);
            let summary = runtime.block_on(look)?;
            if summary.is_right() || waited.elapsed() >= PATIENCE {
                return Ok(summary);
            }
            std::thread::park_timeout(LOOK);
        }
    }

    async fn look(
        client: &Client,
        database: &str,
        fed: &Arc<Fed>,
        watch: &Watch,
        receiver: &LocalReceiver,
        played: Duration,
    ) -> anyhow::Result<Self> {
        let mut rows = Vec::new();
        for table in TABLES {
            let sql = format!("SELECT count() FROM {database}.{table} FINAL");
            rows.push((table, verify::number(client, &sql).await?));
        }
        let reasons = verify::rows(
            client,
            &format!("SELECT reason, sum(records) AS records FROM {database}.dead_letter_reasons GROUP BY reason"),
        )
        .await?;
        let dead_letters = reasons
            .iter()
            .map(|row| {
                let reason = row["reason"].as_str().unwrap_or_default().to_owned();
                (reason, row["records"].as_u64().unwrap_or_default())
            })
            .collect();
        let (fired, resolved) = {
            let seen = watch.seen();
            (seen.fired.len(), seen.resolved.len())
        };
        Ok(Self {
            fed: Arc::clone(fed),
            rows,
            panes: verify::compare_panes(client, database, &fed.expected).await?,
            outcomes: verify::compare_outcomes(client, database, &fed.expected).await?,
            dead_letters,
            fired,
            resolved,
            incident_told: told(fed, &receiver.messages()),
            played,
        })
    }

    /// Every number is what a recomputation gives, and the incident was told and was over.
    pub(super) fn is_right(&self) -> bool {
        self.mistakes().is_empty()
    }

    fn mistakes(&self) -> Vec<String> {
        let truth = &self.fed.truth;
        let mut mistakes = Vec::new();
        let mut check = |is_right: bool, what: &str| {
            if !is_right {
                mistakes.push(what.to_owned());
            }
        };
        check(
            self.count("ticket_events") == truth.accepted(),
            "accepted events in ClickHouse are not those that were sent",
        );
        check(
            truth.records == self.count("ticket_events") + self.count("dead_letters"),
            "events in are not accepted + dead-lettered",
        );
        let expected: BTreeMap<String, u64> = truth
            .malformed
            .iter()
            .map(|(reason, count)| ((*reason).to_owned(), *count))
            .collect();
        check(
            self.dead_letters == expected,
            "dead letters are not those that were sent, reason by reason",
        );
        check(
            self.panes.differing == 0,
            "panes differ from the recomputation",
        );
        check(
            self.outcomes.differing == 0,
            "outcomes differ from the recomputation",
        );
        check(
            self.incident_told.fired,
            "the receiver was not told of the staged incident",
        );
        check(
            self.incident_told.resolved,
            "the receiver was not told that the staged incident is over",
        );
        mistakes
    }

    fn count(&self, table: &str) -> u64 {
        self.rows
            .iter()
            .find(|(name, _)| *name == table)
            .map_or(0, |(_, rows)| *rows)
    }
}

/// Whether as many rows are there as there must be in the end.
async fn has_arrived(client: &Client, database: &str, fed: &Fed) -> anyhow::Result<bool> {
    let expected = [
        ("ticket_events", fed.truth.accepted()),
        ("dead_letters", fed.truth.dead_letters()),
        ("outcomes", fed.expected.outcomes.len() as u64),
    ];
    for (table, rows) in expected {
        let sql = format!("SELECT count() FROM {database}.{table} FINAL");
        if verify::number(client, &sql).await? != rows {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Looks for the incident among what the receiver got: its vendor and queue, firing and then resolved.
fn told(fed: &Fed, messages: &[Value]) -> IncidentTold {
    let Some(incident) = &fed.truth.incident else {
        return IncidentTold {
            fired: true,
            resolved: true,
        };
    };
    let about = |message: &&Value| {
        message["vendor"] == incident.vendor.as_str()
            && message["queue"] == incident.queue.as_str()
            && message["ticket_id"].as_str().is_none_or(str::is_empty)
            && message["rule"]
                .as_str()
                .is_some_and(|rule| rule.contains("service-level"))
    };
    let mut told = IncidentTold::default();
    for message in messages.iter().filter(about) {
        match message["state"].as_str() {
            Some("firing") => told.fired = true,
            Some("resolved") => told.resolved |= told.fired,
            Some(_) | None => {}
        }
    }
    told
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let truth = &self.fed.truth;
        let seconds = self.played.as_secs_f64();
        writeln!(f)?;
        writeln!(
            f,
            "events in        {:>9}   ({} copies, {} late)",
            truth.records, truth.duplicates, truth.late
        )?;
        writeln!(f, "accepted         {:>9}", self.count("ticket_events"))?;
        write!(f, "dead-lettered    {:>9}  ", self.count("dead_letters"))?;
        for (reason, count) in &self.dead_letters {
            write!(f, " {reason} {count}")?;
        }
        writeln!(f)?;
        for (table, rows) in &self.rows {
            writeln!(f, "rows {table:<14}{rows:>7}")?;
        }
        writeln!(f, "panes against a recomputation     {}", self.panes)?;
        writeln!(f, "outcomes against a recomputation  {}", self.outcomes)?;
        writeln!(f, "alerts fired     {:>9}", self.fired)?;
        writeln!(f, "alerts resolved  {:>9}", self.resolved)?;
        if let Some(incident) = &truth.incident {
            writeln!(
                f,
                "the staged incident ({} / {}) was told: {}, and that it is over: {}",
                incident.vendor,
                incident.queue,
                yes(self.incident_told.fired),
                yes(self.incident_told.resolved)
            )?;
        }
        writeln!(
            f,
            "seconds          {seconds:>9.1}   ({:.0} times real time)",
            self.fed.span_ms as f64 / 1000.0 / seconds
        )?;
        let mistakes = self.mistakes();
        if mistakes.is_empty() {
            write!(f, "all of it right")
        } else {
            write!(
                f,
                "WRONG after {} s more: {}",
                PATIENCE.as_secs(),
                mistakes.join("; ")
            )
        }
    }
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
