//! What a receiver of type `email` needs beside what all have: a mail server, and who writes to whom.

use serde::Deserialize;

use crate::secret::SecretSource;

/// `[dispatcher.receiver.email]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// The mail server's name, as in its certificate.
    pub host: String,
    /// Default: 587, or 465 for `tls = "implicit"`, or 25 for `tls = "none"`.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: EmailTls,
    /// A file of certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<String>,
    /// For the login; none: no login.
    pub user: Option<SecretSource>,
    /// For the login.
    pub password: Option<SecretSource>,
    /// The sender: `slawatch@example.com` or `slawatch <slawatch@example.com>`.
    pub from: String,
    /// Everybody who gets each message.
    pub to: Vec<String>,
    /// Template of the part without HTML; default: the built-in one.
    pub text: Option<String>,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    /// From the first byte on port 465, by STARTTLS on any other; never without.
    #[default]
    Required,
    /// By STARTTLS, on any port; never without.
    StartTls,
    /// From the first byte, on any port.
    Implicit,
    /// Not at all, and no login: for a server on this machine.
    None,
}

impl EmailConfig {
    /// `port`, or the usual one.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            EmailTls::Required | EmailTls::StartTls => 587,
            EmailTls::Implicit => 465,
            EmailTls::None => 25,
        })
    }

    /// Whether TLS begins with the first byte.
    pub fn is_implicit(&self) -> bool {
        match self.tls {
            EmailTls::Required => self.port() == 465,
            EmailTls::Implicit => true,
            EmailTls::StartTls | EmailTls::None => false,
        }
    }
}
