//! What people do on the pages: forms, answered by another page.

use std::sync::Arc;

use axum::extract::{Extension, Form, Query, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::acting::{Client, Proof, firing};
use super::refusal::Refusal;
use super::{App, html};
use crate::access::Caller;
use crate::act::{Acknowledge, EndSilence, Mistakes, Moment, Silence};
use crate::page::{self, Done, Viewer};

/// What every form has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Common {
    /// The form's secret.
    token: String,
    /// Only where nobody is known by a token.
    author: Option<String>,
    reason: String,
}

impl Common {
    fn author(&self) -> Option<String> {
        self.author
            .clone()
            .filter(|author| !author.trim().is_empty())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AcknowledgeForm {
    #[serde(flatten)]
    common: Common,
    key: String,
    incident: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SilenceForm {
    #[serde(flatten)]
    common: Common,
    vendor: String,
    queue: String,
    rule: String,
    ticket_id: String,
    /// Local time of the board's zone; empty: now.
    from: String,
    /// Minutes, or `until`.
    lasts: String,
    /// Local time of the board's zone.
    until: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EndForm {
    #[serde(flatten)]
    common: Common,
    id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WhichAlert {
    key: String,
    done: Option<Done>,
}

/// What a page was made for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct WhatWasDone {
    pub(crate) done: Option<Done>,
}

impl App {
    /// What the one who looks may do.
    pub(crate) fn viewer(&self, caller: &Caller) -> Viewer {
        Viewer {
            user: caller.user.as_ref().map(|user| user.name.clone()),
            may_act: self.access.may_act(caller),
            can_log_in: self.access.has_tokens(),
            form_token: caller
                .cookie
                .as_deref()
                .map(crate::access::form_token)
                .unwrap_or_default(),
        }
    }

    /// A page that says why not.
    pub(crate) fn refused(&self, caller: &Caller, refusal: &Refusal) -> Response {
        let page = page::refused(&self.viewer(caller), refusal);
        refusal.with_body(html(page))
    }
}

/// Answers with another page, to be fetched.
pub(super) fn see_other(path: &str) -> Response {
    match path.parse::<axum::http::HeaderValue>() {
        Ok(value) => (StatusCode::SEE_OTHER, [(LOCATION, value)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response(),
    }
}

pub(super) async fn alert(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<WhichAlert>,
) -> Response {
    let (snapshot, status) = app.now();
    let alerts = &snapshot.view.alerts;
    let all = alerts
        .firing
        .iter()
        .chain(&alerts.pending)
        .chain(&alerts.ended);
    let found = all.into_iter().find(|alert| alert.key == which.key);
    let Some(alert) = found else {
        let key = &which.key;
        let refusal = Refusal::Unknown(format!(
            "no alert {key:?} fires, nor did one end within the last hour; alert_history in ClickHouse has those of before"
        ));
        return app.refused(&caller, &refusal);
    };
    let viewer = app.viewer(&caller);
    let page = page::Details {
        alert,
        now_ms: snapshot.view.as_of_ms.unwrap_or(status.now_ms),
        zone: &app.zone,
        viewer: &viewer,
        done: which.done,
    };
    html(page.document())
}

pub(super) async fn silences(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(what): Query<WhatWasDone>,
) -> Response {
    let (snapshot, status) = app.now();
    let viewer = app.viewer(&caller);
    let page = page::Silences {
        silences: &snapshot.view.silences,
        now_ms: snapshot.view.as_of_ms.unwrap_or(status.now_ms),
        zone: &app.zone,
        viewer: &viewer,
        done: what.done,
    };
    html(page.document())
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<AcknowledgeForm>,
) -> Response {
    let proof = Proof::Form(&form.common.token);
    if let Err(refusal) = app.permit(&caller, &client, &headers, &proof) {
        return app.refused(&caller, &refusal);
    }
    let back = page::alert_address(&form.key);
    let asked = Acknowledge {
        author: form.common.author(),
        reason: form.common.reason,
        key: form.key,
        incident: form.incident,
        ..Acknowledge::default()
    };
    match app.act(&caller, asked, None).await {
        Ok(_) => see_other(&format!("{back}&done={}", Done::Acknowledged.word())),
        Err(refusal) => app.refused(&caller, &refusal),
    }
}

const MINUTE_MS: i64 = 60_000;

pub(super) async fn silence(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<SilenceForm>,
) -> Response {
    let proof = Proof::Form(&form.common.token);
    if let Err(refusal) = app.permit(&caller, &client, &headers, &proof) {
        return app.refused(&caller, &refusal);
    }
    let (starts_ms, ends_ms) = match span(&app, &form) {
        Ok(span) => span,
        Err(mistakes) => return app.refused(&caller, &mistakes.into()),
    };
    let asked = Silence {
        author: form.common.author(),
        reason: form.common.reason,
        vendor: form.vendor,
        queue: form.queue,
        rule: form.rule,
        ticket_id: form.ticket_id,
        starts_at: starts_ms.map(Moment::Ms),
        ends_at: Some(Moment::Ms(ends_ms)),
        ..Silence::default()
    };
    match app.act(&caller, asked, None).await {
        Ok(_) => see_other(&format!("/silences?done={}", Done::Silenced.word())),
        Err(refusal) => app.refused(&caller, &refusal),
    }
}

/// Begin and end; no begin is now.
fn span(app: &App, form: &SilenceForm) -> Result<(Option<i64>, i64), Mistakes> {
    let mut mistakes = Mistakes::default();
    let from = form.from.trim();
    let starts_ms = app.zone.local_ms(from);
    if starts_ms.is_none() && !from.is_empty() {
        mistakes.add(
            "starts_at",
            "this is no day and time; choose one, or leave it empty for now",
        );
    }
    let ends_ms = match form.lasts.as_str() {
        "until" => app.zone.local_ms(&form.until),
        minutes => minutes.parse::<u32>().ok().map(|minutes| {
            starts_ms.unwrap_or_else(|| app.clock.wall_ms()) + i64::from(minutes) * MINUTE_MS
        }),
    };
    if ends_ms.is_none() {
        mistakes.add(
            "ends_at",
            "the end is missing; choose how long, or \"until\" with a day and a time",
        );
    }
    mistakes.or((starts_ms, ends_ms.unwrap_or_default()))
}

pub(super) async fn end_silence(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<EndForm>,
) -> Response {
    let proof = Proof::Form(&form.common.token);
    if let Err(refusal) = app.permit(&caller, &client, &headers, &proof) {
        return app.refused(&caller, &refusal);
    }
    let asked = EndSilence {
        author: form.common.author(),
        reason: form.common.reason,
        silence_id: form.id,
        ..EndSilence::default()
    };
    match app.act(&caller, asked, None).await {
        Ok(_) => see_other(&format!("/silences?done={}", Done::Ended.word())),
        Err(refusal) => app.refused(&caller, &refusal),
    }
}

/// A link in a message: key, incident, end and signature.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    pub(crate) key: String,
    pub(crate) incident: String,
    pub(crate) exp: i64,
    pub(crate) sig: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinkForm {
    key: String,
    incident: String,
    exp: String,
    sig: String,
    author: String,
    reason: String,
}

impl App {
    fn check_link(&self, link: &Link) -> Result<(), Refusal> {
        let Some(secret) = &self.access.link_key else {
            let why = "links in messages are not taken here: dispatcher.link_secret is missing in this board's configuration";
            return Err(Refusal::Link(why.to_owned()));
        };
        let claim = slawatch_wire::link::Acknowledgement {
            key: &link.key,
            incident: &link.incident,
            expires_s: link.exp,
        };
        let now_s = self.clock.wall_ms().div_euclid(1_000);
        claim
            .verify(&link.sig, secret.expose(), now_s)
            .map_err(|error| Refusal::Link(error.to_string()))
    }
}

/// Shows what would be acknowledged, and does nothing: programs look at links too.
pub(super) async fn link(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(link): Query<Link>,
) -> Response {
    if let Err(refusal) = app.check_link(&link) {
        return app.refused(&caller, &refusal);
    }
    let (snapshot, status) = app.now();
    let page = page::ByLink {
        alert: firing(&snapshot, &link.key).filter(|alert| alert.incident == link.incident),
        is_known: snapshot.caught_up,
        link: &link,
        now_ms: snapshot.view.as_of_ms.unwrap_or(status.now_ms),
        zone: &app.zone,
        viewer: &app.viewer(&caller),
    };
    html(page.document())
}

/// The signature is the leave; whoever has it says who they are.
pub(super) async fn acknowledge_by_link(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<LinkForm>,
) -> Response {
    let link = Link {
        exp: form.exp.parse().unwrap_or(0),
        key: form.key,
        incident: form.incident,
        sig: form.sig,
    };
    let leave = app.take_turn(&client).and_then(|()| app.check_link(&link));
    if let Err(refusal) = leave {
        return app.refused(&caller, &refusal);
    }
    if !app.access.is_of_own_page(&headers) {
        return app.refused(&caller, &Refusal::Foreign);
    }
    let name = form.author.trim();
    let asked = Acknowledge {
        author: (!name.is_empty()).then(|| format!("{name} (by link)")),
        reason: form.reason,
        key: link.key.clone(),
        incident: link.incident.clone(),
        ..Acknowledge::default()
    };
    // By its signature, whoever is logged in.
    let nobody = Caller {
        user: None,
        cookie: None,
    };
    match app.act(&nobody, asked, None).await {
        Ok((action, _)) => html(page::acknowledged_by_link(&app.viewer(&caller), &action)),
        Err(refusal) => app.refused(&caller, &refusal),
    }
}
