//! What every request passes: how often, who, may they see it. And what every answer carries.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::acting::Client;
use super::forms::see_other;
use super::login::cookie;
use super::refusal::Refusal;
use super::{App, html};
use crate::access::{Caller, Limit, VISITOR};
use crate::page;

/// Everything comes from here and nothing is inline, so a hostile name that slipped through could load or run nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Fixed headers.
pub(super) async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Of what a page of ours sends, our own server shall see where it came from.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Nobody has to be known for these: how pages look, the way in, and links, which prove themselves.
fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/board.css" | "/board.js" | "/icon.svg" | "/login" | "/logout" | "/ack"
    )
}

/// Lets a request in, with who makes it.
pub(super) async fn let_in(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let is_api = path.starts_with("/api/");
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = Client(address.map_or_else(String::new, |address| address.0.ip().to_string()));
    let steady_ms = app.clock.steady_ms();
    let no_user = Caller {
        user: None,
        cookie: None,
    };
    let refused = |refusal: Refusal| {
        if is_api {
            refusal.json()
        } else {
            app.refused(&no_user, &refusal)
        }
    };
    if let Err(wait_s) = app.limits.take(Limit::Request, &client.0, steady_ms) {
        return refused(Refusal::TooMany(wait_s));
    }
    let Ok(mut caller) = app.access.identify(request.headers()) else {
        let attempt = app.limits.take(Limit::WrongToken, &client.0, steady_ms);
        return refused(attempt.map_or_else(Refusal::TooMany, |()| Refusal::WrongToken));
    };
    if !is_public(&path) && !app.access.may_read(&caller) {
        return if is_api || path == "/live" {
            Refusal::NoToken.json()
        } else {
            to_login(&request)
        };
    }
    let visitor = match (&caller.user, &caller.cookie) {
        (None, None) if app.access.open && !is_api => match app.new_id() {
            Ok(id) => Some(caller.cookie.insert(id).clone()),
            Err(refusal) => return refused(refusal),
        },
        _ => None,
    };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if let Some(visitor) = visitor {
        let visitor = cookie(VISITOR, &visitor, 365 * 86_400, app.access.is_secure());
        if let Ok(value) = HeaderValue::from_str(&visitor) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

/// Whoever follows a link from another site comes without the cookie, which browsers keep back then; a page of ours that
/// leads to the same address brings it along.
fn to_login(request: &Request) -> Response {
    let address = request.uri().path_and_query();
    let address = address.map_or("/", |address| address.as_str());
    let site = request.headers().get("sec-fetch-site");
    if request.method() == Method::GET && site.is_some_and(|site| site == "cross-site") {
        return html(page::detour(address));
    }
    see_other(&page::login_address(address))
}
