//! The answers of a process about itself.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use metrics::{Unit, describe_gauge, gauge};
use serde::Serialize;

use crate::RoleHealth;

const SILENT: &str = "slawatch_thread_silent_seconds";

/// Tells the recorder what the metrics mean. Call it once a process, after the recorder is installed.
pub fn describe_metrics() {
    describe_gauge!(
        SILENT,
        Unit::Seconds,
        "Time since a role's thread last came round (alert SlawatchThreadHangs)"
    );
}

/// Everything that a process can be asked about itself.
#[derive(Clone)]
pub struct Probes {
    /// The roles of this process.
    pub roles: Vec<RoleHealth>,
    /// The text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes")
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl Probes {
    /// `/metrics`, `/livez` and `/readyz`, to be merged with other pages.
    pub fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics_text))
            .route("/livez", get(alive))
            .route("/readyz", get(ready))
            .with_state(Arc::new(self))
    }

    /// The same, for a server of its own.
    pub fn alone(self) -> Router {
        self.router().fallback(nothing_there)
    }

    /// Why the process is not ready, each with its role; empty if it is.
    pub fn not_ready(&self) -> Vec<String> {
        self.reasons(RoleHealth::not_ready)
    }

    fn reasons(&self, of: impl Fn(&RoleHealth) -> Vec<String>) -> Vec<String> {
        let named = self.roles.iter().flat_map(|role| {
            of(role)
                .into_iter()
                .map(|why| format!("{}: {why}", role.role))
        });
        named.collect()
    }
}

async fn metrics_text(State(probes): State<Arc<Probes>>) -> Response {
    for role in &probes.roles {
        for thread in &role.threads {
            let silent =
                gauge!(SILENT, "role" => role.role.clone(), "thread" => thread.name.clone());
            silent.set(thread.heartbeat.silent_ms() as f64 / 1_000.0);
        }
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], (probes.metrics)()).into_response()
}

async fn alive(State(probes): State<Arc<Probes>>) -> Response {
    let wrong = probes.reasons(RoleHealth::not_alive);
    let (status, mut text) = if wrong.is_empty() {
        (StatusCode::OK, "alive".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n"))
    };
    text.push('\n');
    let kind = "text/plain; charset=utf-8";
    (status, [(CONTENT_TYPE, kind)], text).into_response()
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    roles: Vec<RoleReadiness>,
}

#[derive(Serialize)]
struct RoleReadiness {
    role: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

async fn ready(State(probes): State<Arc<Probes>>) -> Response {
    let roles: Vec<RoleReadiness> = probes.roles.iter().map(readiness).collect();
    let ready = roles.iter().all(|role| role.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, roles })).into_response()
}

fn readiness(role: &RoleHealth) -> RoleReadiness {
    let reasons = role.not_ready();
    RoleReadiness {
        role: role.role.clone(),
        ready: reasons.is_empty(),
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
    }
}

async fn nothing_there() -> Response {
    let text = "There is nothing here. This process is at /metrics, /livez and /readyz\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
