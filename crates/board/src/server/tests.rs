//! A whole board on a log in memory, asked over HTTP as browsers and Prometheus do.

mod access;
mod acting;

use std::future::Future;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use serde_json::Value;
use slawatch_health::RoleHealth;
use slawatch_stream::{Log, ManualClock, MemoryLog, Outgoing, TopicSpec};
use slawatch_wire::Message;

use super::*;
use crate::access::AccessOptions;
use crate::board::{Board, BoardOptions};
use crate::error::BoardError;
use crate::story::{NOON_MS, afternoon};

/// How often something is asked until it is so: 20 s.
const PATIENCE: u32 = 400;

struct World {
    board: Board,
    log: MemoryLog,
    clock: Arc<ManualClock>,
    client: reqwest::Client,
    voice_is_ready: Arc<AtomicBool>,
}

impl World {
    /// A board on a log without topics.
    fn new() -> Self {
        Self::with(AccessOptions::default())
    }

    fn with(access: AccessOptions) -> Self {
        // Fails only if another test was faster.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(ManualClock::new(NOON_MS + 12_400));
        let log = MemoryLog::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let voice_is_ready = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&voice_is_ready);
        let loader = RoleHealth {
            role: "loader".to_owned(),
            problems: Arc::new(move || match asked.load(Ordering::SeqCst) {
                true => Vec::new(),
                false => vec!["ClickHouse at http://c:8123 does not answer".to_owned()],
            }),
            threads: Vec::new(),
        };
        let options = BoardOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            probes: Probes {
                roles: vec![loader],
                metrics: Arc::new(|| "slawatch_up 1\n".to_owned()),
            },
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            access,
            ..BoardOptions::new()
        };
        let board = Board::start(options, Arc::new(log.clone())).unwrap();
        Self {
            board,
            log,
            clock,
            client: reqwest::Client::new(),
            voice_is_ready,
        }
    }

    fn make_topics(&self) {
        for topic in ["slawatch.signals", "slawatch.alerts"] {
            self.log.create_topic(&TopicSpec::new(topic, 1)).unwrap();
        }
    }

    fn append(&self, topic: &str, value: Vec<u8>) {
        self.log
            .append(Outgoing::new(topic.into(), 0, value))
            .unwrap();
    }

    /// A board that has read the afternoon.
    async fn afternoon() -> Self {
        Self::afternoon_with(AccessOptions::default()).await
    }

    async fn afternoon_with(access: AccessOptions) -> Self {
        let world = Self::with(access);
        world.make_topics();
        let (signals, alerts) = afternoon();
        for signal in &signals {
            world.append("slawatch.signals", signal.encode_to_vec());
        }
        for batch in &alerts {
            world.append("slawatch.alerts", batch.encode_to_vec());
        }
        world.append("slawatch.alerts", b"no message".to_vec());
        world
            .until(|| async { world.get("/readyz").await.0 == 200 })
            .await;
        world
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn json(&self, path: &str) -> Value {
        let (status, text) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.board.local_addr())
    }

    /// Lets the board's time pass until it is so.
    async fn until<F: Future<Output = bool>>(&self, is_so: impl Fn() -> F) {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..PATIENCE {
            if is_so().await {
                return;
            }
            self.clock.advance(50);
            tick.tick().await;
        }
        panic!(
            "it did not become so; readyz says {:?}",
            self.get("/readyz").await
        );
    }
}

#[tokio::test]
async fn every_address_answers_with_its_kind_and_allows_nothing_foreign() {
    let world = World::afternoon().await;
    for (path, status, kind, said) in [
        ("/", 200, "text/html; charset=utf-8", "<!DOCTYPE html>"),
        (
            "/live",
            200,
            "text/html; charset=utf-8",
            "<main id=\"board\"",
        ),
        ("/board.css", 200, "text/css; charset=utf-8", "--critical"),
        (
            "/board.js",
            200,
            "text/javascript; charset=utf-8",
            "fetch(\"/live\"",
        ),
        ("/icon.svg", 200, "image/svg+xml", "<svg"),
        (
            "/api/v1/board",
            200,
            "application/json",
            "\"freshness\":\"live\"",
        ),
        ("/api/v1/alerts", 200, "application/json", "\"firing\":["),
        (
            "/metrics",
            200,
            "text/plain; version=0.0.4; charset=utf-8",
            "slawatch_up 1\n",
        ),
        ("/livez", 200, "text/plain; charset=utf-8", "alive\n"),
        ("/readyz", 200, "application/json", "\"ready\":true"),
        (
            "/nothing",
            404,
            "text/plain; charset=utf-8",
            "The board is at /",
        ),
    ] {
        let response = world.client.get(world.url(path)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let header = |name| {
            response
                .headers()
                .get(name)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(header(CONTENT_TYPE), kind, "{path}");
        assert!(
            header(CONTENT_SECURITY_POLICY).starts_with("default-src 'none';"),
            "{path}"
        );
        assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(header(CACHE_CONTROL), "no-store", "{path}");
        let text = response.text().await.unwrap();
        assert!(text.contains(said), "{path}: {text}");
    }
    let posted = world.client.post(world.url("/")).send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 405);
}

#[tokio::test]
async fn the_api_gives_the_numbers_and_null_for_what_cannot_be_said() {
    let world = World::afternoon().await;
    let board = world.json("/api/v1/board").await;
    assert_eq!(board["as_of_ms"], NOON_MS + 12_000);
    assert_eq!(board["time_zone"], "UTC");
    assert_eq!(board["sources"], 1);
    assert_eq!(board["alerts_firing"], 2);
    assert!(board["lag_ms"].as_i64().unwrap() >= 400, "{board}");
    let nova = &board["vendors"][2];
    assert_eq!(nova["vendor"], "nova");
    assert_eq!(nova["state"], "critical");
    assert_eq!(nova["open_breaches"], 17);
    let refunds = &nova["queues"][0];
    assert_eq!(refunds["queue"], "refunds");
    assert_eq!(refunds["open_tickets"], 99);
    assert_eq!(refunds["running_clocks"]["resolution"], 99);
    assert_eq!(refunds["last_30m"]["aht_ms"], 300_000.0);
    let level = refunds["last_30m"]["service_level"].as_f64().unwrap();
    let of = |name: &str| refunds["last_30m"][name].as_f64().unwrap();
    assert!(
        (level - of("in_target") / of("ended")).abs() < 1e-12,
        "{level}"
    );
    assert!(level < 0.25, "{level}");
    assert_eq!(nova["queues"][1]["oldest_age_ms"], Value::Null);

    let alerts = world.json("/api/v1/alerts").await;
    assert_eq!(alerts["firing"][0]["severity"], "critical");
    assert_eq!(alerts["firing"][0]["evidence"][0]["name"], "value");
    assert_eq!(alerts["firing"][1]["ticket_id"], "T-99");
    assert_eq!(alerts["ended"][0]["state"], "resolved");
    assert_eq!(alerts["pending"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn without_progress_the_board_says_that_it_is_stale() {
    let world = World::afternoon().await;
    assert_eq!(world.json("/api/v1/board").await["freshness"], "live");
    world.clock.advance(11_000);
    let board = world.json("/api/v1/board").await;
    assert_eq!(board["freshness"], "stale");
    assert!(board["still_for_ms"].as_u64().unwrap() > 10_000, "{board}");
    let (_, page) = world.get("/").await;
    assert!(page.contains("No progress from the trackers"), "{page}");
    // Progress comes again.
    let progress = crate::story::batch(0, 10_001, NOON_MS + 30_000);
    world.append(
        "slawatch.signals",
        crate::story::signal(progress).encode_to_vec(),
    );
    world
        .until(|| async { world.json("/api/v1/board").await["freshness"] == "live" })
        .await;
}

#[tokio::test]
async fn a_board_is_ready_once_every_role_is_and_it_has_read_its_topics() {
    let world = World::new();
    let not_there = "topic slawatch.signals does not exist: create it, or correct its name in the configuration";
    world
        .until(|| async { world.get("/readyz").await.1.contains(not_there) })
        .await;
    assert_eq!(world.get("/readyz").await.0, 503);
    assert_eq!(world.get("/livez").await.0, 200);
    let (_, page) = world.get("/").await;
    assert!(page.contains(not_there), "{page}");

    world.make_topics();
    world
        .until(|| async { world.get("/readyz").await.0 == 200 })
        .await;
    world.voice_is_ready.store(false, Ordering::SeqCst);
    let (status, text) = world.get("/readyz").await;
    assert_eq!(status, 503);
    let ready: Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "ready": false,
        "roles": [
            {"role": "loader", "ready": false, "reason": "ClickHouse at http://c:8123 does not answer"},
            {"role": "board", "ready": true},
        ],
    });
    assert_eq!(ready, expected);
}

#[tokio::test]
async fn a_board_that_stops_answers_nobody_any_more() {
    let world = World::afternoon().await;
    let url = world.url("/livez");
    world.board.shutdown();
    let error = reqwest::Client::new().get(url).send().await.unwrap_err();
    assert!(error.is_connect(), "{error}");
}

#[test]
fn a_taken_address_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let listen = taken.local_addr().unwrap();
    let log = MemoryLog::new(Arc::new(ManualClock::new(0)));
    let options = BoardOptions {
        listen,
        ..BoardOptions::new()
    };
    let error: BoardError = Board::start(options, Arc::new(log))
        .map(|_| ())
        .unwrap_err();
    let text = error.to_string();
    let start = format!("the board cannot listen on {listen}: ");
    assert!(text.starts_with(&start), "{text}");
    assert!(
        text.ends_with("; free the port or configure another"),
        "{text}"
    );
}
