//! The HTTP side: the page and the API, and beside them what the process says about itself. Reads only; every answer comes
//! from the newest snapshot.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;
use slawatch_health::Probes;
use slawatch_stream::Clock;

use crate::alerts::Alert;
use crate::feed::{Newest, Snapshot};
use crate::page::{self, Page};
use crate::status::Status;
use crate::view::View;
use crate::zone::Zone;

/// Everything comes from here and nothing is inline, so a hostile name that slipped through could load or run nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What requests need.
pub(crate) struct App {
    pub(crate) newest: Arc<Newest>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
}

impl App {
    fn now(&self) -> (Arc<Snapshot>, Status) {
        let snapshot = self.newest.get();
        let status = Status::of(&snapshot, self.clock.wall_ms(), self.clock.steady_ms());
        (snapshot, status)
    }
}

pub(crate) fn router(app: App, probes: Probes) -> Router {
    let pages = Router::new()
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
        .fallback(nothing_there)
        .with_state(Arc::new(app));
    pages
        .merge(probes.router())
        .layer(middleware::from_fn(guarded))
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

async fn nothing_there() -> Response {
    (
        StatusCode::NOT_FOUND,
        "There is nothing here. The board is at /\n",
    )
        .into_response()
}

#[cfg(test)]
mod tests;
