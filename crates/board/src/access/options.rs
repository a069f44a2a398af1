//! `[board.access]` as the board needs it, and what is wrong with it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See.
    View,
    /// See, acknowledge, silence and mark changes.
    Act,
}

/// A token and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenGrant {
    /// Stands beside whatever is done with it.
    pub name: String,
    /// What may be done with it.
    pub role: Role,
    /// The token itself.
    pub token: String,
}

impl fmt::Debug for TokenGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenGrant")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The key that links in messages are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey(pub(super) String);

impl LinkKey {
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Who may see and act.
#[derive(Clone, Debug, Default)]
pub struct AccessOptions {
    /// Who is known.
    pub tokens: Vec<TokenGrant>,
    /// Everybody who reaches the board may act, under whatever name.
    pub open: bool,
    /// Everybody who reaches the board may see; none: if that is this machine alone.
    pub free_reading: Option<bool>,
    /// Where browsers find the board, if that is not where it listens: behind a proxy.
    pub url: Option<String>,
    /// The key of links in messages; none: no such link is taken.
    pub link_key: Option<LinkKey>,
}

/// Shorter ones can be guessed.
const LEAST_TOKEN: usize = 16;

/// What a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessSetting {
    /// The address.
    Listen,
    /// Where browsers find the board.
    Url,
    /// Somebody's token.
    Tokens,
    /// What links in messages are signed with.
    LinkSecret,
}

/// A mistake in what says who may see and act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessMistake {
    /// What it is about.
    pub setting: AccessSetting,
    /// What is wrong, and what to write.
    pub message: String,
}

impl AccessOptions {
    /// With a key for links in messages.
    #[must_use]
    pub fn with_link_key(mut self, key: impl Into<String>) -> Self {
        self.link_key = Some(LinkKey(key.into()));
        self
    }

    pub(super) fn reads_freely(&self, listen: SocketAddr) -> bool {
        self.free_reading
            .unwrap_or_else(|| listen.ip().is_loopback())
    }

    /// Everything that cannot work or would let anybody in.
    pub fn mistakes(&self, listen: SocketAddr) -> Vec<AccessMistake> {
        let mut found = Vec::new();
        let mut add = |setting, message: String| found.push(AccessMistake { setting, message });
        for (at, grant) in self.tokens.iter().enumerate() {
            let number = at + 1;
            if grant.name.trim().is_empty() {
                let why = "has no name; name it: the name stands beside what is done with it";
                add(AccessSetting::Tokens, format!("token {number} {why}"));
            }
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
            if !grant.token.chars().all(is_plain) {
                let why = "has characters that no header and cookie can hold; use letters, digits and -._~+/=, as \
                           `openssl rand -hex 32` writes them";
                add(
                    AccessSetting::Tokens,
                    format!("the token of {:?} {why}", grant.name),
                );
            } else if grant.token.len() < LEAST_TOKEN {
                let why = format!(
                    "can be guessed: it has fewer than {LEAST_TOKEN} characters; make one with `openssl rand -hex 32`"
                );
                add(
                    AccessSetting::Tokens,
                    format!("the token of {:?} {why}", grant.name),
                );
            } else if let Some(other) = self.tokens[..at]
                .iter()
                .find(|other| other.token == grant.token)
            {
                let names = format!("{:?} and {:?}", other.name, grant.name);
                add(
                    AccessSetting::Tokens,
                    format!("{names} have one token; give each its own"),
                );
            }
        }
        if self
            .link_key
            .as_ref()
            .is_some_and(|key| key.0.len() < LEAST_TOKEN)
        {
            let why = "can be guessed: it has fewer than 16 characters; make one with `openssl rand -hex 32`";
            add(
                AccessSetting::LinkSecret,
                format!("the secret of links {why}"),
            );
        }
        if self.url.as_deref().is_some_and(|url| origin(url).is_none()) {
            let message =
                "this is no address of a web site; write it like \"https://slawatch.example.com\"";
            add(AccessSetting::Url, message.to_owned());
        }
        let is_guarded = !self.tokens.is_empty() || self.open || self.free_reading == Some(true);
        if !listen.ip().is_loopback() && !is_guarded {
            let message = format!(
                "{listen} can be reached from other machines, and nobody has a token: give people one in board.access.tokens, \
                 listen on 127.0.0.1, or say board.access.open = true if whoever reaches it may see and act"
            );
            add(AccessSetting::Listen, message);
        }
        found
    }
}

/// Scheme, host and port of an address, as browsers name them.
pub(super) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let host = host.strip_suffix(port).unwrap_or(host).to_lowercase();
    (!host.is_empty() && host.chars().all(is_plain)).then(|| format!("{scheme}://{host}"))
}

/// Whether a Host header names this machine.
pub(super) fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
