//! `slawatch migrate`: makes the database and brings it up to date, any number of times.
//!
//! What was applied is written down with a checksum; a database whose history is not this program's is left alone. TTLs
//! are no history but configuration: they are set to what is configured at every run.

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use serde::Deserialize;

use crate::client::check_name;
use crate::migration_sql::{MIGRATIONS, Migration};
use crate::row_policy::row_policies;
use crate::{ClickHouseOptions, LoaderError, Table};

/// Where and how the tables are made.
#[derive(Clone, Debug)]
pub struct MigrateOptions {
    /// The database.
    pub database: String,
    /// Makes everything `ON CLUSTER` of that name.
    pub cluster: Option<String>,
    /// Makes replicated tables; the server's `default_replica_path` says where they meet.
    pub replicated: bool,
    /// Days after which a table's rows are deleted; 0 or not named: never.
    pub ttl_days: BTreeMap<Table, u32>,
    /// Vendors by their own ClickHouse user, who then sees that vendor's rows only ([`crate::row_policies`]).
    pub vendor_users: BTreeMap<String, String>,
}

impl Default for MigrateOptions {
    /// Panes are kept for ever: they are small, and the backlog is the sum over all of them.
    fn default() -> Self {
        let ttl_days = [
            (Table::TicketEvents, 400),
            (Table::Outcomes, 1100),
            (Table::Gauges, 400),
            (Table::Alerts, 1100),
            (Table::Notifications, 400),
            (Table::Actions, 1100),
            (Table::DeadLetters, 30),
        ];
        Self {
            database: "slawatch".to_owned(),
            cluster: None,
            replicated: false,
            ttl_days: ttl_days.into(),
            vendor_users: BTreeMap::new(),
        }
    }
}

impl MigrateOptions {
    pub(crate) fn fill_in(&self, statement: &str) -> String {
        statement
            .replace("${database}", &self.database)
            .replace("${on_cluster}", &self.on_cluster())
            .replace(
                "${replicated}",
                if self.replicated { "Replicated" } else { "" },
            )
    }

    fn on_cluster(&self) -> String {
        self.cluster
            .as_ref()
            .map(|cluster| format!(" ON CLUSTER {cluster}"))
            .unwrap_or_default()
    }
}

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Names of the migrations that were missing.
    pub migrations: Vec<&'static str>,
    /// Tables whose TTL was another one, with the days now (0: none).
    pub ttls: Vec<(Table, u32)>,
}

const HISTORY: &str = "\
CREATE TABLE IF NOT EXISTS ${database}.schema_migrations${on_cluster}
(
    number     UInt32               COMMENT 'Number of the migration',
    name       String               COMMENT 'Its file',
    checksum   String               COMMENT 'XXH3-128 of its text',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied'
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY number
COMMENT 'Which migrations were applied'";

#[derive(Debug, Row, Deserialize)]
struct History {
    number: u32,
    name: String,
    checksum: String,
}

/// A client with what its errors need to say.
struct Server {
    client: Client,
    url: String,
}

impl Server {
    fn failed(&self, what: &str) -> impl FnOnce(clickhouse::error::Error) -> LoaderError {
        let (url, what) = (self.url.clone(), what.to_owned());
        move |error| LoaderError::Server {
            url,
            what,
            reason: error.to_string(),
        }
    }

    async fn run(&self, what: &str, statement: &str) -> Result<(), LoaderError> {
        let query = self.client.query_raw(statement);
        query.execute().await.map_err(self.failed(what))
    }
}

/// Makes the database `options.database` if it is missing and applies what it lacks.
///
/// # Errors
/// [`LoaderError::Name`], [`LoaderError::Server`], [`LoaderError::MigrationChanged`],
/// [`LoaderError::MigrationUnknown`].
pub async fn migrate(
    clickhouse: &ClickHouseOptions,
    options: &MigrateOptions,
) -> Result<Applied, LoaderError> {
    migrate_with(clickhouse, options, MIGRATIONS).await
}

async fn migrate_with(
    clickhouse: &ClickHouseOptions,
    options: &MigrateOptions,
    known: &'static [Migration],
) -> Result<Applied, LoaderError> {
    check_name("database", &options.database)?;
    if let Some(cluster) = &options.cluster {
        check_name("cluster", cluster)?;
    }
    let server = Server {
        client: clickhouse.client()?,
        url: clickhouse.url.clone(),
    };
    let database = "CREATE DATABASE IF NOT EXISTS ${database}${on_cluster}";
    server
        .run("creating the database", &options.fill_in(database))
        .await?;
    server
        .run("creating schema_migrations", &options.fill_in(HISTORY))
        .await?;
    let mut applied = Applied::default();
    for migration in missing(&server, options, known).await? {
        apply(&server, options, migration).await?;
        applied.migrations.push(migration.name);
    }
    for table in Table::ALL {
        applied.ttls.extend(set_ttl(&server, options, table).await?);
    }
    for policy in row_policies(options) {
        let what = format!("the row policy of {}", policy.table);
        server.run(&what, &policy.statement).await?;
    }
    Ok(applied)
}

/// The migrations that were not applied yet, after checking those that were.
async fn missing(
    server: &Server,
    options: &MigrateOptions,
    known: &'static [Migration],
) -> Result<Vec<&'static Migration>, LoaderError> {
    let select =
        "SELECT number, name, checksum FROM ${database}.schema_migrations FINAL ORDER BY number";
    let history: Vec<History> = server
        .client
        .query_raw(&options.fill_in(select))
        .fetch_all()
        .await
        .map_err(server.failed("reading schema_migrations"))?;
    for entry in &history {
        let same_number = known
            .iter()
            .find(|migration| migration.number == entry.number);
        let Some(migration) = same_number else {
            return Err(LoaderError::MigrationUnknown {
                number: entry.number,
                name: entry.name.clone(),
                database: options.database.clone(),
            });
        };
        if migration.checksum() != entry.checksum {
            return Err(LoaderError::MigrationChanged {
                number: entry.number,
                database: options.database.clone(),
                applied: format!("{} ({})", entry.name, entry.checksum),
                known: format!("{} ({})", migration.name, migration.checksum()),
            });
        }
    }
    let is_missing =
        |migration: &&Migration| history.iter().all(|entry| entry.number != migration.number);
    Ok(known.iter().filter(is_missing).collect())
}

/// Runs a migration and then writes it down: one that is cut off in between runs again, which its statements allow.
async fn apply(
    server: &Server,
    options: &MigrateOptions,
    migration: &Migration,
) -> Result<(), LoaderError> {
    for statement in migration.statements(options) {
        let first_line = statement.lines().next().unwrap_or_default();
        let what = format!("migration {} ({first_line})", migration.name);
        server.run(&what, &statement).await?;
    }
    let record = format!(
        "INSERT INTO ${{database}}.schema_migrations (number, name, checksum) VALUES ({}, '{}', '{}')",
        migration.number,
        migration.name,
        migration.checksum()
    );
    server
        .run("writing schema_migrations", &options.fill_in(&record))
        .await
}

/// Makes a table's TTL what the configuration says. Returns the table if it was another one.
async fn set_ttl(
    server: &Server,
    options: &MigrateOptions,
    table: Table,
) -> Result<Option<(Table, u32)>, LoaderError> {
    let days = options.ttl_days.get(&table).copied().unwrap_or(0);
    let wanted = format!(" TTL {} + toIntervalDay({days})", table.ttl_from());
    let engine: String = server
        .client
        .query_raw("SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = {table:String}")
        .param("database", &options.database)
        .param("table", table.name())
        .fetch_one()
        .await
        .map_err(server.failed("reading system.tables"))?;
    let is_right = match days {
        0 => !engine.contains(" TTL "),
        // The next word after a TTL is SETTINGS; without it 30 days would pass for 300.
        _ => engine.contains(&format!("{wanted} ")) || engine.ends_with(&wanted),
    };
    if is_right {
        return Ok(None);
    }
    let change = match days {
        0 => "REMOVE TTL".to_owned(),
        _ => format!("MODIFY{wanted}"),
    };
    // Old parts follow as they are merged: rewriting all of them at once would be a load that nobody asked for.
    let alter = format!(
        "ALTER TABLE ${{database}}.{table}${{on_cluster}} {change} SETTINGS materialize_ttl_after_modify = 0"
    );
    server
        .run(
            &format!("setting the TTL of {table}"),
            &options.fill_in(&alter),
        )
        .await?;
    Ok(Some((table, days)))
}
