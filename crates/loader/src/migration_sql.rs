//! The numbered SQL files, and how they are filled in.

use xxhash_rust::xxh3::xxh3_128;

use crate::migrate::MigrateOptions;

/// One SQL file.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        /// All of them, ascending. One that has been released never changes; what is to change comes as a new one.
        pub(crate) const MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/", $name, ".sql")),
        }),+];
    };
}

migrations! {
    1 "0001_tables",
    2 "0002_measure_views",
    3 "0003_row_views",
    4 "0004_alert_order",
    5 "0005_people_act",
    6 "0006_unanswered",
}

impl Migration {
    /// Identifies the file's text, placeholders unfilled: another cluster is no other migration.
    pub(crate) fn checksum(&self) -> String {
        format!("{:032x}", xxh3_128(self.sql.as_bytes()))
    }

    /// Its statements, ready to run.
    pub(crate) fn statements(&self, options: &MigrateOptions) -> Vec<String> {
        split(self.sql)
            .map(|statement| options.fill_in(&statement))
            .collect()
    }
}

/// Statements without comment lines. A statement ends with a semicolon at the end of a line.
fn split(sql: &str) -> impl Iterator<Item = String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("--");
    let code: Vec<&str> = sql.lines().filter(is_code).collect();
    let statements: Vec<String> = code
        .join("\n")
        .split(";\n")
        .map(|statement| statement.trim().trim_end_matches(';').to_owned())
        .filter(|statement| !statement.is_empty())
        .collect();
    statements.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_numbered_without_gaps_and_every_statement_can_run_twice() {
        for (place, migration) in MIGRATIONS.iter().enumerate() {
            let number = u32::try_from(place).unwrap() + 1;
            assert_eq!(migration.number, number);
            assert!(migration.name.starts_with(&format!("{number:04}_")));
            let options = MigrateOptions {
                cluster: Some("main".to_owned()),
                ..MigrateOptions::default()
            };
            for statement in migration.statements(&options) {
                let repeatable = [
                    "CREATE TABLE IF NOT EXISTS slawatch.",
                    "CREATE OR REPLACE VIEW slawatch.",
                ];
                let alters = statement.starts_with("ALTER TABLE slawatch.");
                assert!(
                    alters || repeatable.iter().any(|begin| statement.starts_with(begin)),
                    "{statement}"
                );
                assert!(
                    !statement
                        .replace("ADD COLUMN IF NOT EXISTS ", "")
                        .contains("ADD COLUMN"),
                    "{statement}"
                );
                assert!(!statement.contains("${"), "{statement}");
                let first_line = statement.lines().next().unwrap();
                assert!(first_line.contains(" ON CLUSTER main"), "{first_line}");
            }
        }
    }
}
