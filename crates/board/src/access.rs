//! Who may see and who may act: tokens of the configuration, sessions of the login page, links in messages.
//!
//! Nobody is asked for a password and nothing is stored: a session's cookie holds the token itself, out of reach of scripts
//! and of other sites, and ends when the token is taken out of the configuration.

mod csrf;
mod limits;
mod options;
mod tokens;

use std::net::SocketAddr;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};

pub(crate) use csrf::{form_token, is_form_token};
pub(crate) use limits::{Limit, Limits};
pub use options::{AccessMistake, AccessOptions, AccessSetting, Role, TokenGrant};
use tokens::Tokens;

/// The cookie of a session.
pub(crate) const SESSION: &str = "slawatch_session";
/// The cookie that a form's secret is bound to where nobody has a token.
pub(crate) const VISITOR: &str = "slawatch_visitor";

/// Somebody known by a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// By a cookie, which browsers send on their own, and not by a header, which only a program sets.
    pub(crate) by_cookie: bool,
}

/// Whoever makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) user: Option<User>,
    /// What the secrets of its forms are bound to: session, or visitor.
    pub(crate) cookie: Option<String>,
}

/// A header that names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownToken;

/// The rules.
#[derive(Debug)]
pub(crate) struct Access {
    tokens: Tokens,
    pub(crate) open: bool,
    pub(crate) free_reading: bool,
    /// Scheme, host and port under which browsers find the board, if that is not where it listens.
    origin: Option<String>,
    pub(crate) link_key: Option<options::LinkKey>,
}

impl Access {
    pub(crate) fn new(options: &AccessOptions, listen: SocketAddr) -> Self {
        Self {
            tokens: Tokens::new(&options.tokens),
            open: options.open,
            free_reading: options.reads_freely(listen),
            origin: options.url.as_deref().and_then(options::origin),
            link_key: options.link_key.clone(),
        }
    }

    /// Whether anybody can log in.
    pub(crate) fn has_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Whether cookies may travel over TLS only.
    pub(crate) fn is_secure(&self) -> bool {
        self.origin
            .as_ref()
            .is_some_and(|origin| origin.starts_with("https://"))
    }

    /// Who it is. A cookie that names nobody is as good as none; a header that does is an error.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Caller, UnknownToken> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value.to_str().ok().and_then(bearer).ok_or(UnknownToken)?;
            let user = self.user(token, false).ok_or(UnknownToken)?;
            return Ok(Caller {
                user: Some(user),
                cookie: None,
            });
        }
        let session = cookie(headers, SESSION);
        let user = session.and_then(|token| self.user(token, true));
        let cookie = match &user {
            Some(_) => session,
            None => cookie(headers, VISITOR),
        };
        Ok(Caller {
            user,
            cookie: cookie.map(str::to_owned),
        })
    }

    /// Whose token it is.
    pub(crate) fn user(&self, token: &str, by_cookie: bool) -> Option<User> {
        let (name, role) = self.tokens.find(token)?;
        Some(User {
            name: name.to_owned(),
            role,
            by_cookie,
        })
    }

    pub(crate) fn may_read(&self, caller: &Caller) -> bool {
        self.free_reading || self.open || caller.user.is_some()
    }

    pub(crate) fn may_act(&self, caller: &Caller) -> bool {
        match &caller.user {
            Some(user) => user.role == Role::Act,
            None => self.open,
        }
    }

    /// Whether a request that changes something comes from a page of ours, as browsers tell. Programs, which tell nothing,
    /// pass: no foreign site can make a browser say nothing.
    pub(crate) fn is_of_own_page(&self, headers: &HeaderMap) -> bool {
        let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if said("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return false;
        }
        let Some(origin) = said("origin") else {
            return true;
        };
        if self.origin.as_deref() == Some(origin) {
            return true;
        }
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == said("host")
    }

    /// Where nobody needs a token, a foreign site could have its own name point to this machine, and speak to us in our
    /// reader's browser. So the request must be meant for a name that is ours.
    pub(crate) fn is_meant_for_us(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get("host").and_then(|host| host.to_str().ok()) else {
            return false;
        };
        let own = self.origin.as_deref().and_then(|own| own.split_once("://"));
        own.is_some_and(|(_, own)| own == host) || options::is_local(host)
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
