//! A process asked over HTTP, as Prometheus and Kubernetes do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use slawatch_stream::{Clock, ManualClock};

use crate::{HealthError, Heartbeat, HttpServer, Probes, RoleHealth, Thread};

struct Process {
    server: HttpServer,
    clock: Arc<ManualClock>,
    is_well: Arc<AtomicBool>,
    heartbeat: Heartbeat,
}

impl Process {
    fn start() -> Self {
        // Fails only if another test was faster.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(ManualClock::new(0));
        let heartbeat = Heartbeat::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let is_well = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&is_well);
        let tracker = RoleHealth {
            role: "tracker".to_owned(),
            problems: Arc::new(move || match asked.load(Ordering::SeqCst) {
                true => Vec::new(),
                false => vec!["partition 1 has stopped".to_owned(), "so has 2".to_owned()],
            }),
            threads: vec![Thread {
                name: "tracker-0".to_owned(),
                heartbeat: heartbeat.clone(),
            }],
        };
        let probes = Probes {
            roles: vec![tracker],
            metrics: Arc::new(|| "slawatch_up 1\n".to_owned()),
        };
        let listen = ([127, 0, 0, 1], 0).into();
        Self {
            server: HttpServer::start("health", listen, probes.alone()).unwrap(),
            clock,
            is_well,
            heartbeat,
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.server.local_addr());
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn readiness(&self) -> (u16, Value) {
        let (status, text) = self.get("/readyz").await;
        (status, serde_json::from_str(&text).unwrap())
    }
}

#[tokio::test]
async fn a_well_process_is_alive_ready_and_measured() {
    let process = Process::start();
    assert_eq!(process.get("/livez").await, (200, "alive\n".to_owned()));
    assert_eq!(
        process.readiness().await,
        (
            200,
            json!({"ready": true, "roles": [{"role": "tracker", "ready": true}]})
        )
    );
    assert_eq!(
        process.get("/metrics").await,
        (200, "slawatch_up 1\n".to_owned())
    );
    let (status, text) = process.get("/").await;
    assert_eq!(status, 404);
    assert!(text.contains("/readyz"), "{text}");
}

#[tokio::test]
async fn every_reason_why_a_role_is_not_ready_is_named() {
    let process = Process::start();
    process.is_well.store(false, Ordering::SeqCst);
    let (status, answer) = process.readiness().await;
    assert_eq!(status, 503);
    assert_eq!(
        answer["roles"][0]["reason"],
        "partition 1 has stopped; so has 2"
    );
    assert_eq!(process.get("/livez").await.0, 200);
}

#[tokio::test]
async fn a_thread_that_hangs_is_named_and_after_long_silence_the_process_is_not_alive() {
    let process = Process::start();
    process.clock.advance(15_000);
    assert_eq!(process.readiness().await.0, 200);
    process.clock.advance(1_000);
    let hangs = |seconds: u32| {
        format!(
            "thread tracker-0 has not come round for {seconds} s: it hangs, or waits in one request"
        )
    };
    let (status, answer) = process.readiness().await;
    assert_eq!(
        (status, &answer["roles"][0]["reason"]),
        (503, &Value::from(hangs(16)))
    );
    assert_eq!(process.get("/livez").await.0, 200);
    process.clock.advance(300_000);
    let dead = (503, format!("tracker: {}\n", hangs(316)));
    assert_eq!(process.get("/livez").await, dead);
    process.heartbeat.beat();
    assert_eq!(process.get("/livez").await.0, 200);
    assert_eq!(process.readiness().await.0, 200);
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_way_out() {
    let process = Process::start();
    let taken = process.server.local_addr();
    let refused = HttpServer::start("health", taken, axum::Router::new()).unwrap_err();
    assert!(matches!(refused, HealthError::Listen { .. }));
    let text = refused.to_string();
    assert!(
        text.starts_with(&format!("the health server cannot listen on {taken}: ")),
        "{text}"
    );
    assert!(
        text.ends_with("by health.listen or SLAWATCH_HEALTH__LISTEN (port 0 takes a free one)"),
        "{text}"
    );
    assert!(!process.server.has_ended());
    process.server.shutdown();
    HttpServer::start("health", taken, axum::Router::new()).unwrap();
}

#[test]
fn an_address_of_another_machine_is_refused() {
    let elsewhere = ([192, 0, 2, 1], 9464).into();
    let refused = HttpServer::start("health", elsewhere, axum::Router::new()).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.ends_with(
            "write an address of this machine to health.listen, such as \"127.0.0.1:9464\""
        ),
        "{text}"
    );
}
