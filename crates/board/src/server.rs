//! The HTTP side: pages, forms and the API, and beside them what the process says about itself. Every answer comes from the
//! newest snapshot; whatever is done is written onto the log, and shows once it was read from there.

mod acting;
mod api;
mod forms;
mod gate;
mod login;
mod openapi;
mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use slawatch_health::Probes;
use slawatch_stream::Clock;

use crate::access::{Access, Caller, Limit, Limits};
use crate::act::ActionWriter;
use crate::feed::{Newest, Snapshot};
use crate::page::{self, AlertList, Page};
use crate::status::Status;
use crate::zone::Zone;

use acting::Client;
use api::Chosen;
pub(crate) use forms::Link;
pub(crate) use refusal::Refusal;

/// The largest body: a form with room to spare.
const BODY_BYTES: usize = 64 << 10;

/// What requests need.
pub(crate) struct App {
    pub(crate) newest: Arc<Newest>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) writer: ActionWriter,
}

impl App {
    fn now(&self) -> (Arc<Snapshot>, Status) {
        let snapshot = self.newest.get();
        let status = Status::of(&snapshot, self.clock.wall_ms(), self.clock.steady_ms());
        (snapshot, status)
    }

    /// One turn to do something, for whoever needs no other leave.
    fn take_turn(&self, client: &Client) -> Result<(), Refusal> {
        let steady_ms = self.clock.steady_ms();
        let taken = self.limits.take(Limit::Act, &client.0, steady_ms);
        taken.map_err(Refusal::TooMany)
    }
}

pub(crate) fn router(app: App, probes: Probes) -> Router {
    let app = Arc::new(app);
    let pages = Router::new()
        .route("/", get(whole_page))
        .route("/live", get(live_part))
        .route("/alerts", get(alert_list))
        .route("/alert", get(forms::alert))
        .route("/silences", get(forms::silences))
        .route("/act/acknowledge", post(forms::acknowledge))
        .route("/act/silence", post(forms::silence))
        .route("/act/end-silence", post(forms::end_silence))
        .route("/ack", get(forms::link).post(forms::acknowledge_by_link))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route(
            "/board.css",
            get(|| text("text/css; charset=utf-8", page::CSS)),
        )
        .route(
            "/board.js",
            get(|| text("text/javascript; charset=utf-8", page::JS)),
        )
        .route("/icon.svg", get(|| text("image/svg+xml", page::ICON)))
        .merge(api::router())
        .fallback(nothing_there)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            gate::let_in,
        ))
        .with_state(app);
    pages
        .merge(probes.router())
        .layer(middleware::from_fn(gate::guarded))
}

async fn text(kind: &'static str, body: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], body).into_response()
}

fn html(body: String) -> Response {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

async fn whole_page(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(chosen): Query<Chosen>,
) -> Response {
    let (snapshot, status) = app.now();
    let viewer = app.viewer(&caller);
    let page = Page::new(&snapshot, &status, &app.zone).for_viewer(&viewer, chosen.vendor());
    html(page.document())
}

async fn live_part(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(chosen): Query<Chosen>,
) -> Response {
    let (snapshot, status) = app.now();
    let viewer = app.viewer(&caller);
    let page = Page::new(&snapshot, &status, &app.zone).for_viewer(&viewer, chosen.vendor());
    html(page.live())
}

async fn alert_list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(chosen): Query<Chosen>,
) -> Response {
    let (snapshot, status) = app.now();
    let viewer = app.viewer(&caller);
    let page = AlertList {
        view: &snapshot.view,
        chosen: chosen.vendor(),
        now_ms: snapshot.view.as_of_ms.unwrap_or(status.now_ms),
        zone: &app.zone,
        viewer: &viewer,
    };
    html(page.document())
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
