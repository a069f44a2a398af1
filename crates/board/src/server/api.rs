//! The JSON side of `/api/v1`: what is there, and what can be done.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{MethodRouter, delete, get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use slawatch_wire::v1::ActionKind;

use super::App;
use super::acting::{Ask, Client, Proof};
use super::openapi;
use super::refusal::Refusal;
use crate::access::Caller;
use crate::act::{Acknowledge, Change, EndSilence, Receipt, Silence};
use crate::alerts::Alert;
use crate::silences::SilenceView;
use crate::status::Status;
use crate::view::View;

/// An address, its methods as they are described, and what answers.
type Route = (
    &'static str,
    &'static [&'static str],
    MethodRouter<Arc<App>>,
);

/// Every address of the API.
pub(super) fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/board", &["get"], get(board)),
        ("/api/v1/alerts", &["get"], get(alerts)),
        (
            "/api/v1/alerts/acknowledge",
            &["post"],
            post(act::<Acknowledge>),
        ),
        (
            "/api/v1/silences",
            &["get", "post"],
            get(silences).post(act::<Silence>),
        ),
        ("/api/v1/silences/{id}", &["delete"], delete(end_silence)),
        ("/api/v1/changes", &["post"], post(act::<Change>)),
        (
            "/api/v1/openapi.json",
            &["get"],
            get(|| async { Json(openapi::document()) }),
        ),
    ]
}

pub(super) fn router() -> Router<Arc<App>> {
    let add =
        |router: Router<Arc<App>>, (path, _, answers): (&str, _, _)| router.route(path, answers);
    routes().into_iter().fold(Router::new(), add)
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

async fn board(State(app): State<Arc<App>>) -> Response {
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

/// Of one vendor, or all.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    pub(crate) vendor: Option<String>,
}

impl Chosen {
    fn of<'a>(&self, alerts: &'a [Alert]) -> Vec<&'a Alert> {
        let all = alerts.iter();
        all.filter(|alert| self.takes(&alert.vendor)).collect()
    }

    pub(crate) fn vendor(&self) -> Option<&str> {
        self.vendor.as_deref().filter(|vendor| !vendor.is_empty())
    }

    fn takes(&self, vendor: &str) -> bool {
        self.vendor().is_none_or(|wanted| wanted == vendor)
    }
}

#[derive(Serialize)]
struct AlertsAnswer<'a> {
    #[serde(flatten)]
    status: Status,
    as_of_ms: Option<i64>,
    firing: Vec<&'a Alert>,
    pending: Vec<&'a Alert>,
    ended: Vec<&'a Alert>,
}

async fn alerts(State(app): State<Arc<App>>, Query(chosen): Query<Chosen>) -> Response {
    let (snapshot, status) = app.now();
    let all = &snapshot.view.alerts;
    let answer = AlertsAnswer {
        status,
        as_of_ms: snapshot.view.as_of_ms,
        firing: chosen.of(&all.firing),
        pending: chosen.of(&all.pending),
        ended: chosen.of(&all.ended),
    };
    Json(answer).into_response()
}

#[derive(Serialize)]
struct SilencesAnswer<'a> {
    #[serde(flatten)]
    status: Status,
    as_of_ms: Option<i64>,
    silences: &'a [SilenceView],
}

async fn silences(State(app): State<Arc<App>>) -> Response {
    let (snapshot, status) = app.now();
    let answer = SilencesAnswer {
        status,
        as_of_ms: snapshot.view.as_of_ms,
        silences: &snapshot.view.silences,
    };
    Json(answer).into_response()
}

#[derive(Serialize)]
struct Done<'a> {
    action_id: &'a str,
    kind: &'static str,
    author: &'a str,
    at_ms: i64,
    /// It was done before under this id, and nothing was written now.
    repeated: bool,
}

async fn act<A: Ask + DeserializeOwned>(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = permitted(&app, &caller, &client, &headers) {
        return refusal.json();
    }
    match read::<A>(&headers, &body) {
        Ok(asked) => done(&app, &caller, &headers, asked).await,
        Err(refusal) => refusal.json(),
    }
}

async fn end_silence(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    Path(silence_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = permitted(&app, &caller, &client, &headers) {
        return refusal.json();
    }
    let read = if body.is_empty() {
        Ok(EndSilence::default())
    } else {
        read::<EndSilence>(&headers, &body)
    };
    match read {
        Ok(asked) => {
            let asked = EndSilence {
                silence_id,
                ..asked
            };
            done(&app, &caller, &headers, asked).await
        }
        Err(refusal) => refusal.json(),
    }
}

fn permitted(
    app: &App,
    caller: &Caller,
    client: &Client,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let secret = headers
        .get("x-csrf-token")
        .and_then(|value| value.to_str().ok());
    app.permit(caller, client, headers, &Proof::Header(secret))
}

/// Only a page of ours can make a browser send this kind without being asked for leave first.
fn read<A: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<A, Refusal> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::Kind);
    }
    serde_json::from_slice(body).map_err(|error| {
        Refusal::Body(format!(
            "the body cannot be read: {error}; /api/v1/openapi.json says what it holds"
        ))
    })
}

async fn done<A: Ask>(app: &Arc<App>, caller: &Caller, headers: &HeaderMap, asked: A) -> Response {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok());
    match app.act(caller, asked, key).await {
        Ok((action, receipt)) => Json(Done {
            action_id: &action.action_id,
            kind: kind(action.kind()),
            author: &action.author,
            at_ms: action.at_ms,
            repeated: receipt == Receipt::Known,
        })
        .into_response(),
        Err(refusal) => refusal.json(),
    }
}

const fn kind(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Acknowledge => "acknowledge",
        ActionKind::Silence => "silence",
        ActionKind::ExpireSilence => "expire_silence",
        ActionKind::MarkChange => "mark_change",
        ActionKind::Unspecified => "unspecified",
    }
}
