//! Logging in and out: a token becomes a cookie that only the browser reads.

use std::sync::Arc;

use axum::extract::{Extension, Form, Query, State};
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use serde::Deserialize;

use super::acting::Client;
use super::forms::see_other;
use super::refusal::Refusal;
use super::{App, html};
use crate::access::{Caller, Limit, SESSION};
use crate::page;

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    next: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginForm {
    token: String,
    next: String,
}

/// A path of ours, and no other site's.
fn own_path(next: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let is_own = next.starts_with('/') && !next.starts_with("//") && next.chars().all(is_plain);
    if is_own { next } else { "/" }
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Response {
    html(page::login(
        &app.viewer(&caller),
        own_path(&wanted.next),
        None,
    ))
}

pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Response {
    let next = own_path(&form.next);
    let refused = |refusal: &Refusal| {
        let told = refusal.to_string();
        let page = page::login(&app.viewer(&caller), next, Some(&told));
        refusal.with_body(html(page))
    };
    if !app.access.is_of_own_page(&headers) {
        return refused(&Refusal::Foreign);
    }
    let steady_ms = app.clock.steady_ms();
    if let Err(wait_s) = app.limits.look(Limit::WrongToken, &client.0, steady_ms) {
        return refused(&Refusal::TooMany(wait_s));
    }
    let token = form.token.trim();
    let Some(user) = app.access.user(token, true) else {
        // Looked at above: this takes it.
        app.limits
            .take(Limit::WrongToken, &client.0, steady_ms)
            .ok();
        return refused(&Refusal::WrongToken);
    };
    tracing::info!(user = user.name, client = client.0, "somebody logged in");
    with_session(see_other(next), token, 30 * 86_400, app.access.is_secure())
}

pub(super) async fn log_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if !app.access.is_of_own_page(&headers) {
        return Refusal::Foreign.json();
    }
    with_session(see_other("/"), "", 0, app.access.is_secure())
}

/// Tokens have only characters that a cookie may have.
fn with_session(mut response: Response, token: &str, seconds: u32, is_secure: bool) -> Response {
    let cookie = cookie(SESSION, token, seconds, is_secure);
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

pub(super) fn cookie(name: &str, value: &str, seconds: u32, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_login_people_stay_on_the_board() {
        for (next, expected) in [
            ("/alert?key=a%2Fb", "/alert?key=a%2Fb"),
            ("", "/"),
            ("//evil.example.com", "/"),
            ("/\\evil.example.com", "/"),
            ("https://evil.example.com", "/"),
            ("/a\r\nb", "/"),
        ] {
            assert_eq!(own_path(next), expected, "{next:?}");
        }
    }
}
