//! `[clickhouse]`: where the tables are, and how they are made.

use std::collections::BTreeMap;

use serde::Deserialize;
use slawatch_loader::Table;

use super::Secret;

/// Where ClickHouse is.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClickHouse {
    /// `http://host:8123`.
    pub url: String,
    /// The database of the tables.
    pub database: String,
    /// The user; none: the server's default one.
    pub user: Option<String>,
    /// Its password; better in `SLAWATCH_CLICKHOUSE__PASSWORD` or in the file that `SLAWATCH_CLICKHOUSE__PASSWORD_FILE` names.
    pub password: Option<Secret>,
    /// Makes everything on this cluster.
    pub cluster: Option<String>,
    /// Makes replicated tables.
    pub replicated: bool,
    /// Days after which a table's rows are deleted, by table; 0 is never.
    pub ttl_days: BTreeMap<String, u32>,
    /// Vendors by their own ClickHouse user, who then sees that vendor's rows only.
    pub vendor_users: BTreeMap<String, String>,
}

impl Default for ClickHouse {
    fn default() -> Self {
        Self {
            url: "http://localhost:8123".to_owned(),
            database: "slawatch".to_owned(),
            user: None,
            password: None,
            cluster: None,
            replicated: false,
            ttl_days: BTreeMap::new(),
            vendor_users: BTreeMap::new(),
        }
    }
}

impl ClickHouse {
    /// For the loader.
    pub fn options(&self) -> slawatch_loader::ClickHouseOptions {
        slawatch_loader::ClickHouseOptions {
            url: self.url.clone(),
            database: self.database.clone(),
            user: self.user.clone(),
            password: self
                .password
                .as_ref()
                .map(|password| password.expose().to_owned()),
            ..Default::default()
        }
    }

    /// For `slawatch migrate`.
    pub fn migrate_options(&self) -> slawatch_loader::MigrateOptions {
        let mut options = slawatch_loader::MigrateOptions {
            database: self.database.clone(),
            cluster: self.cluster.clone(),
            replicated: self.replicated,
            vendor_users: self.vendor_users.clone(),
            ..Default::default()
        };
        for table in Table::ALL {
            if let Some(days) = self.ttl_days.get(table.name()) {
                options.ttl_days.insert(table, *days);
            }
        }
        options
    }
}

impl std::fmt::Debug for ClickHouse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Before an @ stands a password, which is refused but not shown either.
        let url = self.url.rsplit('@').next();
        f.debug_struct("ClickHouse")
            .field("url", &url.unwrap_or_default())
            .field("database", &self.database)
            .field("user", &self.user)
            .field("password", &self.password)
            .finish_non_exhaustive()
    }
}
