//! The loader's SQL and its inserts against real ClickHouse.

mod kafka;
mod loading;
mod migrations;
mod outage;
mod views;

use std::collections::BTreeMap;

use slawatch_devstack::clickhouse::ClickHouse;
use slawatch_loader::{ClickHouseOptions, MigrateOptions, migrate};

/// A database of its own, migrated.
struct Database {
    server: &'static ClickHouse,
    name: String,
}

impl Database {
    fn migrated(prefix: &str) -> Self {
        let server = ClickHouse::shared_for_tests();
        let name = server.create_database(prefix).expect("a database");
        let database = Self { server, name };
        block_on(migrate(&database.clickhouse(), &database.options())).expect("migrated");
        database
    }

    fn clickhouse(&self) -> ClickHouseOptions {
        ClickHouseOptions {
            url: self.server.url(),
            database: self.name.clone(),
            ..ClickHouseOptions::default()
        }
    }

    /// Without TTLs: what tests tell is long ago.
    fn options(&self) -> MigrateOptions {
        MigrateOptions {
            database: self.name.clone(),
            ttl_days: BTreeMap::new(),
            ..MigrateOptions::default()
        }
    }

    /// Runs a statement in which `@` stands for the database, and gives the answer's lines.
    fn run(&self, sql: &str) -> Vec<String> {
        let sql = sql.replace('@', &format!("{}.", self.name));
        let answer = self.server.execute(&sql).expect(&sql);
        answer.lines().map(str::to_owned).collect()
    }

    fn refusal(&self, sql: &str) -> String {
        let sql = sql.replace('@', &format!("{}.", self.name));
        self.server.execute(&sql).expect_err(&sql).to_string()
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}
