//! Making and upgrading the database.

use slawatch_devstack::clickhouse::ClickHouse;
use slawatch_loader::{ClickHouseOptions, LoaderError, Table, migrate, row_policies};

use crate::{Database, block_on};

#[test]
fn a_second_run_changes_nothing() {
    let database = Database::migrated("twice");
    let again = block_on(migrate(&database.clickhouse(), &database.options())).expect("again");
    assert_eq!(again, Default::default());
}

#[test]
fn a_missing_database_is_made() {
    let server = ClickHouse::shared_for_tests();
    let name = server.create_database("made").expect("a database");
    server
        .execute(&format!("DROP DATABASE {name}"))
        .expect("dropped");
    let database = Database { server, name };
    let applied = block_on(migrate(&database.clickhouse(), &database.options())).expect("migrated");
    assert_eq!(applied.migrations[0], "0001_tables");
    assert_eq!(database.run("SELECT count() FROM @panes"), ["0"]);
}

#[test]
fn the_tables_have_the_columns_that_the_loader_writes_each_with_a_comment() {
    let database = Database::migrated("columns");
    for table in Table::ALL {
        let columns = database.run(&format!(
            "SELECT name, type FROM system.columns WHERE database || '.' = '@' AND table = '{table}' ORDER BY position FORMAT TSVRaw"
        ));
        let written: Vec<String> = table
            .columns()
            .iter()
            .map(|(name, kind)| format!("{name}\t{kind}"))
            .collect();
        assert_eq!(columns, written, "{table}");
        let key = database.run(&format!(
            "SELECT sorting_key FROM system.tables WHERE database || '.' = '@' AND name = '{table}'"
        ));
        assert_eq!(key, [table.key().join(", ")], "{table}");
    }
    let silent = database.run(
        "SELECT table || '.' || name FROM system.columns AS c \
         WHERE database || '.' = '@' AND comment = '' \
         AND table IN (SELECT name FROM system.tables WHERE database || '.' = '@' AND engine != 'View')",
    );
    assert_eq!(silent, [""; 0]);
    let silent =
        database.run("SELECT name FROM system.tables WHERE database || '.' = '@' AND comment = ''");
    assert_eq!(silent, [""; 0]);
}

#[test]
fn ttls_follow_the_configuration() {
    let database = Database::migrated("ttl");
    let mut options = database.options();
    options.ttl_days = [(Table::Panes, 300), (Table::DeadLetters, 7)].into();
    let applied = block_on(migrate(&database.clickhouse(), &options)).expect("migrated");
    assert_eq!(applied.ttls, [(Table::Panes, 300), (Table::DeadLetters, 7)]);
    options.ttl_days = [
        (Table::Panes, 30),
        (Table::Gauges, 4000),
        (Table::DeadLetters, 0),
    ]
    .into();
    let applied = block_on(migrate(&database.clickhouse(), &options)).expect("migrated");
    assert_eq!(
        applied.ttls,
        [
            (Table::Panes, 30),
            (Table::Gauges, 4000),
            (Table::DeadLetters, 0)
        ]
    );
    let engine = |table: &str| {
        database
            .run(&format!(
                "SELECT engine_full FROM system.tables WHERE database || '.' = '@' AND name = '{table}'"
            ))
            .join("")
    };
    assert!(
        engine("panes").contains("TTL toDateTime(pane) + toIntervalDay(30) "),
        "{}",
        engine("panes")
    );
    assert!(
        !engine("dead_letters").contains("TTL"),
        "{}",
        engine("dead_letters")
    );
    let again = block_on(migrate(&database.clickhouse(), &options)).expect("again");
    assert_eq!(again, Default::default());
}

#[test]
fn a_migration_that_was_cut_off_is_finished() {
    let database = Database::migrated("cut");
    database
        .run("ALTER TABLE @schema_migrations DELETE WHERE number = 3 SETTINGS mutations_sync = 2");
    database.run("DROP VIEW @breaches");
    let applied = block_on(migrate(&database.clickhouse(), &database.options())).expect("finished");
    assert_eq!(applied.migrations, ["0003_row_views"]);
    assert_eq!(database.run("SELECT count() FROM @breaches"), ["0"]);
}

const FILES: [&str; 6] = [
    "0001_tables",
    "0002_measure_views",
    "0003_row_views",
    "0004_alert_order",
    "0005_people_act",
    "0006_unanswered",
];

fn text(file: &str) -> String {
    let path = format!("{}/migrations/{file}.sql", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the file")
}

/// A database as a release with so many migrations left it.
fn database_of(prefix: &str, migrations: usize) -> Database {
    let server = ClickHouse::shared_for_tests();
    let name = server.create_database(prefix).expect("a database");
    let database = Database { server, name };
    database.run(
        "CREATE TABLE @schema_migrations (number UInt32 COMMENT 'n', name String COMMENT 'n', checksum String COMMENT 'c', \
         applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'a') ENGINE = ReplacingMergeTree ORDER BY number COMMENT 'Which \
         migrations were applied'",
    );
    for (number, file) in (1..).zip(&FILES[..migrations]) {
        let sql = text(file);
        let code: Vec<&str> = sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .collect();
        let code = code.join("\n").replace("${database}", &database.name);
        let code = code
            .replace("${on_cluster}", "")
            .replace("${replicated}", "");
        for statement in code
            .split(";\n")
            .map(str::trim)
            .filter(|statement| !statement.is_empty())
        {
            database.run(statement.trim_end_matches(';'));
        }
        let checksum = xxhash_rust::xxh3::xxh3_128(sql.as_bytes());
        database.run(&format!(
            "INSERT INTO @schema_migrations (number, name, checksum) VALUES ({number}, '{file}', '{checksum:032x}')"
        ));
    }
    database
}

#[test]
fn tables_with_rows_take_up_what_people_do() {
    let database = database_of("upgraded", 4);
    database.run(
        "INSERT INTO @alerts (alert_key, at, revision, state, incident, rule, version) VALUES \
         ('k','2026-01-05 10:00:00',1,'firing','i','low',1)",
    );
    let told = "INSERT INTO @notifications (alert_key, incident, receiver, revision, alert_state, state, detail, version";
    database.run(&format!("{told}) VALUES ('k','i','am',1,'firing','sent','200',1), ('k','i','am',1,'firing','sent','202',2)"));
    database.run("INSERT INTO @actions (action_id, at, kind, author) VALUES ('a','2026-01-05 10:00:00','silence','ann')");
    for expected in [&FILES[4..], &FILES[4..5]] {
        let applied =
            block_on(migrate(&database.clickhouse(), &database.options())).expect("upgraded");
        assert_eq!(applied.migrations, expected);
        // Cut off before it was written down, it runs again.
        database.run(
            "ALTER TABLE @schema_migrations DELETE WHERE number = 5 SETTINGS mutations_sync = 2",
        );
    }
    database.run(&format!(
        "{told}, step) VALUES ('k','i','am',1,'firing','sent','second step',3,2)"
    ));
    assert_eq!(
        database.run("SELECT detail, step, reference FROM @notifications FINAL ORDER BY step"),
        ["202\t0\t", "second step\t2\t"],
        "a step replaces no other"
    );
    assert_eq!(
        database.run(
            "SELECT state, author, acknowledged_by, acknowledged_at, worst_tickets, timezone, sent_to FROM @alert_history"
        ),
        ["firing\t\t\t\\N\t[]\t\t['am']"]
    );
    assert_eq!(
        database.run("SELECT silence_id, starts_at, ends_at, author, ended_by FROM @silences"),
        ["a\t2026-01-05 10:00:00.000\t\\N\tann\t"]
    );
    let columns = database.run(
        "SELECT name, type FROM system.columns WHERE database || '.' = '@' AND table = 'alerts' ORDER BY position FORMAT TSVRaw",
    );
    let written = Table::Alerts.columns().iter();
    let written: Vec<String> = written
        .map(|(name, kind)| format!("{name}\t{kind}"))
        .collect();
    assert_eq!(columns, written);
}

fn migration_error(database: &Database) -> String {
    block_on(migrate(&database.clickhouse(), &database.options()))
        .expect_err("refused")
        .to_string()
}

#[test]
fn a_history_that_is_not_this_programs_is_refused() {
    let changed = Database::migrated("changed");
    changed.run("INSERT INTO @schema_migrations (number, name, checksum) VALUES (2, '0002_measure_views', 'feed')");
    let text = migration_error(&changed);
    let start = format!(
        "migration 2 was applied to database {} as 0002_measure_views (feed) but is 0002_measure_views (",
        changed.name
    );
    assert!(text.starts_with(&start), "{text}");
    assert!(text.ends_with("or migrate into a new database"), "{text}");

    let later = Database::migrated("later");
    later.run("INSERT INTO @schema_migrations (number, name, checksum) VALUES (999, '0999_future', 'feed')");
    assert_eq!(
        migration_error(&later),
        format!(
            "database {} has migration 999 (0999_future), which this program does not know: it was upgraded by a later release \
             of slawatch; use that one",
            later.name
        )
    );
}

#[test]
fn errors_name_the_server_the_step_and_the_names() {
    let server = ClickHouse::shared_for_tests();
    let nowhere = ClickHouseOptions {
        url: "http://127.0.0.1:9".to_owned(),
        ..ClickHouseOptions::default()
    };
    let error = block_on(migrate(&nowhere, &Default::default())).expect_err("nobody is there");
    let text = error.to_string();
    assert!(
        text.starts_with(
            "ClickHouse at http://127.0.0.1:9 failed at creating the database: network error: "
        ),
        "{text}"
    );
    let clickhouse = ClickHouseOptions {
        url: server.url(),
        ..ClickHouseOptions::default()
    };
    let mut options = slawatch_loader::MigrateOptions {
        database: "a b".to_owned(),
        ..Default::default()
    };
    let error = block_on(migrate(&clickhouse, &options)).expect_err("no name");
    assert!(
        matches!(
            error,
            LoaderError::Name {
                what: "database",
                ..
            }
        ),
        "{error}"
    );
    options.database = "ab".to_owned();
    options.cluster = Some("x'".to_owned());
    let error = block_on(migrate(&clickhouse, &options)).expect_err("no name");
    assert!(
        matches!(
            error,
            LoaderError::Name {
                what: "cluster",
                ..
            }
        ),
        "{error}"
    );
}

/// The embedded engine has neither clusters nor replicas, so what it parses must do.
#[test]
fn the_statements_for_a_cluster_parse() {
    let server = ClickHouse::shared_for_tests();
    for file in FILES {
        let sql = text(file)
            .replace("${database}", "d")
            .replace("${on_cluster}", " ON CLUSTER main")
            .replace("${replicated}", "Replicated");
        for statement in sql
            .split(";\n")
            .filter(|statement| statement.contains("ON CLUSTER"))
        {
            let quoted = statement
                .trim_end()
                .trim_end_matches(';')
                .replace('\\', "\\\\")
                .replace('\'', "\\'");
            let formatted = server
                .execute(&format!("SELECT formatQuery('{quoted}')"))
                .expect(statement);
            assert!(formatted.contains("ON CLUSTER main"), "{formatted}");
            assert_eq!(
                statement.contains("ENGINE"),
                formatted.contains("ENGINE = Replicated"),
                "{formatted}"
            );
        }
    }
}

/// The embedded engine has no users: the statements must parse, and each condition must leave that vendor's rows.
#[test]
fn row_policies_leave_a_vendor_its_own_rows() {
    let database = Database::migrated("policies");
    let mut options = database.options();
    options.vendor_users = [
        ("acme_reader".to_owned(), "acme".to_owned()),
        ("o'neil".to_owned(), "o'neil".to_owned()),
    ]
    .into();
    for table in Table::ALL {
        if table != Table::DeadLetters {
            database.run(&format!(
                "INSERT INTO @{table} (vendor, {}) VALUES ('acme', '1'), ('o\\'neil', '2'), ('other', '3')",
                if table == Table::Panes || table == Table::Gauges { "queue" } else { table.key()[0] }
                    .replace("generation", "ticket_id")
                    .replace("at", "action_id"),
            ));
        }
    }
    for policy in row_policies(&options) {
        let quoted = policy.statement.replace('\\', "\\\\").replace('\'', "\\'");
        let formatted = database
            .run(&format!("SELECT formatQuery('{quoted}')"))
            .join(" ");
        assert!(formatted.contains("CREATE ROW POLICY"), "{formatted}");
        let visible = database.run(&format!(
            "SELECT count() FROM @{} WHERE {}",
            policy.table, policy.condition
        ));
        let expected = match (policy.table, policy.condition.as_str()) {
            ("ticket_events", "1") => "3",
            ("dead_letters", _) | (_, "0") => "0",
            (_, "1") => "3",
            (_, _) => "1",
        };
        assert_eq!(visible, [expected], "{policy:?}");
    }
}
