//! The embedded server against the unmodified official client: what the loader and the reports rely on.

use std::time::{Duration, Instant};

use clickhouse::{Client, Row};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use slawatch_devstack::clickhouse::{ClickHouse, StartOptions};

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
struct Reading {
    id: u64,
    vendor: String,
    wait_ms: u32,
    labels: Vec<(String, String)>,
}

fn reading(id: u64) -> Reading {
    Reading {
        id,
        vendor: format!("vendor-{}\t'\\ \n", id % 3),
        wait_ms: u32::try_from(id % 1000).expect("small"),
        labels: vec![("k".to_owned(), format!("{id}"))],
    }
}

const TABLE: &str = "CREATE TABLE readings (id UInt64, vendor String, wait_ms UInt32, labels Map(String, String)) \
                     ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100";

fn client_of(server: &ClickHouse, database: &str) -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
    Client::with_http_client(http)
        .with_url(server.url())
        .with_database(database)
}

fn database(prefix: &str) -> (Client, String) {
    let server = ClickHouse::shared_for_tests();
    let name = server.create_database(prefix).expect("a database");
    (client_of(server, &name), name)
}

async fn insert(
    client: &Client,
    ids: std::ops::Range<u64>,
) -> Result<(), clickhouse::error::Error> {
    let mut insert = client.insert::<Reading>("readings").await?;
    for id in ids {
        insert.write(&reading(id)).await?;
    }
    insert.end().await
}

async fn count(client: &Client) -> u64 {
    client
        .query("SELECT count() FROM readings")
        .fetch_one::<u64>()
        .await
        .expect("a count")
}

#[tokio::test]
async fn rows_come_back_as_they_were_sent() {
    let (client, _) = database("round_trip");
    client.query(TABLE).execute().await.expect("a table");
    insert(&client, 0..200_000).await.expect("inserted");
    let rows = client
        .query("SELECT ?fields FROM readings ORDER BY id")
        .fetch_all::<Reading>()
        .await
        .expect("rows");
    assert_eq!(rows.len(), 200_000);
    assert!(
        rows.iter()
            .enumerate()
            .all(|(id, row)| *row == reading(id as u64))
    );
    let none = client
        .query("SELECT ?fields FROM readings WHERE id > 1e9")
        .fetch_all::<Reading>()
        .await
        .expect("no rows");
    assert!(none.is_empty());
}

#[tokio::test]
async fn parameters_are_bound_not_pasted() {
    let (client, _) = database("parameters");
    client.query(TABLE).execute().await.expect("a table");
    insert(&client, 0..30).await.expect("inserted");
    client
        .query("CREATE VIEW of_vendor AS SELECT id FROM readings WHERE vendor = {vendor:String}")
        .execute()
        .await
        .expect("a view");
    let vendor = reading(1).vendor;
    let through_view = client
        .query("SELECT count() FROM of_vendor(vendor = {vendor:String})")
        .param("vendor", &vendor)
        .fetch_one::<u64>()
        .await
        .expect("counted");
    let directly = client
        .query("SELECT count() FROM readings WHERE id IN {ids:Array(UInt64)} AND vendor = {vendor:String}")
        .param("ids", vec![1_u64, 2, 4])
        .param("vendor", &vendor)
        .fetch_one::<u64>()
        .await
        .expect("counted");
    assert_eq!((through_view, directly), (10, 2));
}

#[tokio::test]
async fn errors_carry_clickhouses_code() {
    let (client, _) = database("errors");
    client.query(TABLE).execute().await.expect("a table");
    let cases = [
        ("SELECT * FROM missing", "Code: 60."),
        ("SELEC 1", "Code: 62."),
        ("SELECT 1; SELECT 2", "Code: 62."),
        ("SELECT nope FROM readings", "Code: 47."),
        ("SELECT throwIf(number = 3) FROM numbers(5)", "Code: 395."),
        (
            "CREATE TABLE readings (a Int8) ENGINE = Memory",
            "Code: 57.",
        ),
        ("1", "Code: 62."),
        ("", "Code: 62."),
    ];
    for (sql, code) in cases {
        let error = client
            .query(sql)
            .execute()
            .await
            .expect_err(sql)
            .to_string();
        assert!(error.contains(code), "{sql}: {error}");
    }
    let unknown = client
        .clone()
        .with_setting("no_such_setting", "1")
        .query("SELECT 1")
        .execute()
        .await;
    assert!(
        unknown
            .expect_err("refused")
            .to_string()
            .contains("Code: 115.")
    );
    let nowhere = client
        .clone()
        .with_database("nowhere")
        .query("SELECT 1")
        .execute()
        .await;
    assert!(
        nowhere
            .expect_err("refused")
            .to_string()
            .contains("Code: 81.")
    );
    assert_eq!(count(&client).await, 0, "errors leave the server whole");
}

#[tokio::test]
async fn a_failure_after_the_first_rows_is_seen() {
    let (client, _) = database("late_failure");
    let sql = "SELECT number + throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 10000, max_threads = 1";
    let mut cursor = client.query(sql).fetch::<u64>().expect("started");
    let mut rows = 0;
    let error = loop {
        match cursor.next().await {
            Ok(Some(_)) => rows += 1,
            Ok(None) => panic!("the failure was lost after {rows} rows"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(rows > 10_000, "{rows} rows came before the failure");
    assert!(error.contains("Code: 395."), "{error}");
    let whole = client
        .clone()
        .with_setting("wait_end_of_query", "1")
        .query(sql)
        .fetch_all::<u64>()
        .await;
    assert!(
        whole
            .expect_err("failed")
            .to_string()
            .contains("Code: 395.")
    );
}

#[tokio::test]
async fn the_same_token_inserts_once() {
    let (client, _) = database("deduplication");
    client.query(TABLE).execute().await.expect("a table");
    for (token, ids, expected) in [
        ("a", 0..10, 10),
        ("a", 0..10, 10),
        ("b", 0..10, 20),
        ("a", 50..60, 20),
    ] {
        let client = client
            .clone()
            .with_setting("insert_deduplication_token", token);
        insert(&client, ids).await.expect("inserted");
        assert_eq!(count(&client).await, expected, "after token {token}");
    }
}

#[tokio::test]
async fn final_sees_the_newest_version_and_no_deleted_row() {
    let (client, _) = database("versions");
    client
        .query("CREATE TABLE v (k UInt64, s String, version UInt64, deleted UInt8) ENGINE = ReplacingMergeTree(version, deleted) ORDER BY k")
        .execute()
        .await
        .expect("a table");
    for values in [
        "(1,'old',1,0),(2,'kept',1,0)",
        "(1,'new',2,0),(3,'x',1,0)",
        "(3,'x',2,1)",
    ] {
        client
            .query(&format!("INSERT INTO v VALUES {values}"))
            .execute()
            .await
            .expect("inserted");
    }
    let rows = client
        .query("SELECT k, s FROM v FINAL ORDER BY k")
        .fetch_all::<(u64, String)>()
        .await
        .expect("rows");
    assert_eq!(rows, [(1, "new".to_owned()), (2, "kept".to_owned())]);
}

#[tokio::test]
async fn a_bad_insert_writes_nothing_and_says_why() {
    let (client, _) = database("bad_insert");
    client.query(TABLE).execute().await.expect("a table");
    let missing = client
        .insert::<Reading>("missing")
        .await
        .err()
        .map(|error| error.to_string());
    assert!(missing.is_some_and(|text| text.contains("Code: 60.")));
    client
        .query("ALTER TABLE readings ADD CONSTRAINT short CHECK wait_ms < 500")
        .execute()
        .await
        .expect("altered");
    let error = insert(&client, 0..5_000)
        .await
        .expect_err("violates the constraint")
        .to_string();
    assert!(error.contains("Code: 469."), "{error}");
    assert_eq!(count(&client).await, 0);
}

#[tokio::test]
async fn plain_http_works_as_with_the_server() {
    let (client, name) = database("plain");
    let server = ClickHouse::shared_for_tests();
    client
        .query("CREATE TABLE t (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
        .execute()
        .await
        .expect("a table");
    // An empty line inside the data would end inline data; rows behind it must arrive.
    let inserts = [
        format!("INSERT INTO {name}.t FORMAT CSV\n1,\"x\n\ny\"\n2,b\n"),
        format!("INSERT INTO {name}.t VALUES (3, 'c'), (4, ';')"),
        format!(
            "INSERT INTO {name}.t FORMAT JSONEachRow {{\"a\":5,\"s\":\"e\"}}\n\n{{\"a\":6,\"s\":\"f\"}}"
        ),
        format!("INSERT INTO {name}.t SELECT 7, 'g'"),
    ];
    for sql in inserts {
        server.execute(&sql).expect("inserted");
    }
    let cases = [
        (format!("SELECT count(), sum(a) FROM {name}.t"), "7\t28\n"),
        (
            format!("SELECT s FROM {name}.t WHERE a = 1 FORMAT JSONEachRow"),
            "{\"s\":\"x\\n\\ny\"}\n",
        ),
        (format!("EXISTS {name}.t"), "1\n"),
        (
            "SELECT 'FORMAT JSON' AS x FORMAT TSVWithNames".to_owned(),
            "x\nFORMAT JSON\n",
        ),
        (format!("SHOW TABLES FROM {name}"), "t\n"),
    ];
    for (sql, answer) in cases {
        assert_eq!(server.execute(&sql).expect("answered"), answer, "{sql}");
    }
    let json = server
        .execute("SELECT number FROM numbers(200000) FORMAT JSON")
        .expect("answered");
    let json: serde_json::Value = serde_json::from_str(&json).expect("one document");
    assert_eq!(json["rows"], 200_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_goes_away_stops_its_query() {
    let (client, name) = database("cancel");
    let server = ClickHouse::shared_for_tests();
    let running = format!(
        "SELECT count() FROM system.processes WHERE query LIKE '%slow_{name}%' AND query NOT LIKE '%processes%'"
    );
    let sql = format!(
        "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore('slow_{name}', sipHash64(number))"
    );
    let slow = tokio::spawn(async move { client.query(&sql).fetch_one::<u64>().await });
    wait_until("the query runs", || {
        server.execute(&running).is_ok_and(|count| count == "1\n")
    });
    slow.abort();
    wait_until("the query is stopped", || {
        server.execute(&running).is_ok_and(|count| count == "0\n")
    });
}

/// Polls what another process does; there is nothing to be told by.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the bounded poll that waits for another process"
)]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited in vain until {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let data = tempfile::tempdir().expect("a folder");
    let mut server = ClickHouse::start(StartOptions {
        data: Some(data.path().to_owned()),
        ..StartOptions::default()
    })
    .expect("started");
    server.execute("CREATE DATABASE d").expect("a database");
    let client = client_of(&server, "d");
    client.query(TABLE).execute().await.expect("a table");
    let mut acknowledged = 0;
    for round in 0..3 {
        let writer = {
            let client = client.clone();
            tokio::spawn(async move {
                let mut next = acknowledged;
                while next < acknowledged + 100_000 {
                    // The token makes the repetition after the kill count once, as the loader does it.
                    let client = client
                        .clone()
                        .with_setting("insert_deduplication_token", format!("batch-{next}"));
                    if insert(&client, next..next + 100).await.is_err() {
                        break;
                    }
                    next += 100;
                }
                next
            })
        };
        let target = acknowledged + 1_500;
        let mut seen = 0;
        while seen < target {
            seen = count(&client).await;
            tokio::task::yield_now().await;
        }
        server.kill();
        acknowledged = writer.await.expect("joined");
        server
            .restart()
            .expect("restarted on the same port and data");
        let kept = count(&client).await;
        assert!(
            kept >= acknowledged,
            "round {round}: {kept} rows of {acknowledged} acknowledged"
        );
        assert_eq!(
            kept % 100,
            0,
            "round {round}: a batch is whole or not there"
        );
        let token = format!("batch-{acknowledged}");
        let client = client
            .clone()
            .with_setting("insert_deduplication_token", token);
        insert(&client, acknowledged..acknowledged + 100)
            .await
            .expect("repeated");
        acknowledged += 100;
        assert_eq!(
            count(&client).await,
            acknowledged,
            "round {round}: the repeated batch counts once"
        );
    }
}

#[test]
fn a_folder_in_use_is_named() {
    let data = tempfile::tempdir().expect("a folder");
    let options = StartOptions {
        data: Some(data.path().to_owned()),
        ..StartOptions::default()
    };
    let _first = ClickHouse::start(options.clone()).expect("started");
    let error = ClickHouse::start(options).expect_err("in use").to_string();
    assert!(error.contains("another process uses it"), "{error}");
}

#[test]
fn the_server_dies_with_the_process_that_started_it() {
    // A shell starts the server and is killed: the number of the shell is what the server was told.
    let data = tempfile::tempdir().expect("a folder");
    let library = slawatch_devstack::clickhouse::ensure_library().expect("the library");
    let script = format!(
        "{} --die-with-parent $$ clickhouse --port 0 --data {} --library {} --ready-file {} & echo $!; wait",
        env!("CARGO_BIN_EXE_slawatch-devstack"),
        data.path().join("engine").display(),
        library.display(),
        data.path().join("ready").display(),
    );
    let mut shell = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("a shell");
    wait_until("the server is ready", || data.path().join("ready").exists());
    let address = std::fs::read_to_string(data.path().join("ready")).expect("the address");
    let address = address.trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    shell.kill().expect("killed");
    shell.wait().expect("gone");
    wait_until("the server is gone", || {
        std::net::TcpStream::connect(&address).is_err()
    });
}
