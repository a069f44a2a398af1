//! The HTTP side: the page, the API, `/metrics`, `/livez` and `/readyz`. Reads only; every answer comes from the newest
//! snapshot.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use serde::Serialize;
use slawatch_stream::Clock;
use tokio::sync::oneshot;

use crate::alerts::Alert;
use crate::board::Health;
use crate::feed::{Newest, Snapshot};
use crate::page::{self, Page};
use crate::status::Status;
use crate::view::View;
use crate::zone::Zone;

/// How long requests under way may take once the board stops.
const GRACE: Duration = Duration::from_secs(2);

/// Everything comes from here and nothing is inline, so a hostile name that slipped through could load or run nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What requests need.
pub(crate) struct App {
    pub(crate) newest: Arc<Newest>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
    pub(crate) health: Vec<Health>,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl App {
    fn now(&self) -> (Arc<Snapshot>, Status) {
        let snapshot = self.newest.get();
        let status = Status::of(&snapshot, self.clock.wall_ms(), self.clock.steady_ms());
        (snapshot, status)
    }
}

/// Serves until told to stop.
pub(crate) fn serve(listener: TcpListener, app: App, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| runtime.block_on(serve_until(listener, app, stopped)));
    if let Err(error) = served {
        tracing::error!(%error, "the board does not serve any more");
    }
}

async fn serve_until(
    listener: TcpListener,
    app: App,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|socket| {
        // Without it answers are merely slower.
        socket.set_nodelay(true).ok();
    });
    let (stopping, mut stops) = tokio::sync::watch::channel(false);
    let graceful = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
        // A dropped sender means the same as a sent word.
        stopped.await.ok();
        stopping.send_replace(true);
    });
    let out_of_patience = async {
        stops.wait_for(|stops| *stops).await.ok();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = async { graceful.await } => served,
        () = out_of_patience => Ok(()),
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(whole_page))
        .route("/live", get(live_part))
        .route(
            "/board.css",
            get(|| text("text/css; charset=utf-8", page::CSS)),
        )
        .route(
            "/board.js",
            get(|| text("text/javascript; charset=utf-8", page::JS)),
        )
        .route("/icon.svg", get(|| text("image/svg+xml", page::ICON)))
        .route("/api/v1/board", get(board_json))
        .route("/api/v1/alerts", get(alerts_json))
        .route("/metrics", get(metrics))
        .route(
            "/livez",
            get(|| text("text/plain; charset=utf-8", "alive\n")),
        )
        .route("/readyz", get(ready))
        .fallback(nothing_there)
        .layer(middleware::from_fn(guarded))
        .with_state(Arc::new(app))
}

async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn text(kind: &'static str, body: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], body).into_response()
}

fn html(body: String) -> Response {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

async fn whole_page(State(app): State<Arc<App>>) -> Response {
    let (snapshot, status) = app.now();
    html(Page::new(&snapshot, &status, &app.zone).document())
}

async fn live_part(State(app): State<Arc<App>>) -> Response {
    let (snapshot, status) = app.now();
    html(Page::new(&snapshot, &status, &app.zone).live())
}

#[derive(Serialize)]
struct BoardAnswer<'a> {
    #[serde(flatten)]
    status: Status,
    alerts_firing: usize,
    alerts_pending: usize,
    #[serde(flatten)]
    view: &'a View,
}

async fn board_json(State(app): State<Arc<App>>) -> Response {
    let (snapshot, status) = app.now();
    let view = &snapshot.view;
    let answer = BoardAnswer {
        status,
        alerts_firing: view.alerts.firing.len(),
        alerts_pending: view.alerts.pending.len(),
        view,
    };
    Json(answer).into_response()
}

#[derive(Serialize)]
struct AlertsAnswer<'a> {
    #[serde(flatten)]
    status: Status,
    as_of_ms: Option<i64>,
    firing: &'a [Alert],
    pending: &'a [Alert],
    ended: &'a [Alert],
}

async fn alerts_json(State(app): State<Arc<App>>) -> Response {
    let (snapshot, status) = app.now();
    let alerts = &snapshot.view.alerts;
    let answer = AlertsAnswer {
        status,
        as_of_ms: snapshot.view.as_of_ms,
        firing: &alerts.firing,
        pending: &alerts.pending,
        ended: &alerts.ended,
    };
    Json(answer).into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], (app.metrics)()).into_response()
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

async fn ready(State(app): State<Arc<App>>) -> Response {
    let snapshot = app.newest.get();
    let own = match &snapshot.trouble {
        Some(trouble) => Err(trouble.clone()),
        None if !snapshot.caught_up => Err("the last day is still being read".to_owned()),
        None => Ok(()),
    };
    let others = app
        .health
        .iter()
        .map(|health| (health.role.clone(), (health.check)()));
    let roles: Vec<RoleReadiness> = others
        .chain([("board".to_owned(), own)])
        .map(|(role, checked)| RoleReadiness {
            role,
            ready: checked.is_ok(),
            reason: checked.err(),
        })
        .collect();
    let ready = roles.iter().all(|role| role.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, roles })).into_response()
}

async fn nothing_there() -> Response {
    (
        StatusCode::NOT_FOUND,
        "There is nothing here. The board is at /\n",
    )
        .into_response()
}

#[cfg(test)]
mod tests;
