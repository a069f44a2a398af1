//! How ClickHouse is reached.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use clickhouse::Client;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::LoaderError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Below the 3 s after which a server of default configuration closes idle connections.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where ClickHouse is and who asks.
#[derive(Clone)]
pub struct ClickHouseOptions {
    /// `http://host:8123`.
    pub url: String,
    /// The database of the tables.
    pub database: String,
    /// The user; none: the server's default one.
    pub user: Option<String>,
    /// Its password; never shown.
    pub password: Option<String>,
    /// Further settings for every query.
    pub settings: BTreeMap<String, String>,
}

impl Default for ClickHouseOptions {
    fn default() -> Self {
        Self {
            url: "http://localhost:8123".to_owned(),
            database: "slawatch".to_owned(),
            user: None,
            password: None,
            settings: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for ClickHouseOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickHouseOptions")
            .field("url", &self.url)
            .field("database", &self.database)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("settings", &self.settings)
            .finish()
    }
}

impl ClickHouseOptions {
    /// A client of the official crate that sends small requests at once (`TCP_NODELAY`; without it they wait 40 ms) and
    /// gives up connecting after 5 s. It has no database set: statements name theirs.
    ///
    /// # Errors
    /// [`LoaderError::Url`], [`LoaderError::Name`].
    pub fn client(&self) -> Result<Client, LoaderError> {
        self.check()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEP_ALIVE));
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = HyperClient::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        let mut client = Client::with_http_client(http)
            .with_url(&self.url)
            .with_product_info("slawatch", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &self.user {
            client = client.with_user(user);
        }
        if let Some(password) = &self.password {
            client = client.with_password(password);
        }
        for (name, value) in &self.settings {
            client = client.with_setting(name, value);
        }
        Ok(client)
    }

    fn check(&self) -> Result<(), LoaderError> {
        let refused = |reason| {
            Err(LoaderError::Url {
                url: self.url.clone(),
                reason,
            })
        };
        check_name("database", &self.database)?;
        match self.url.split_once("://") {
            Some(("http", rest)) if rest.trim_matches('/').is_empty() => {
                refused("it names no host")
            }
            Some(("http", rest)) if rest.contains('@') => {
                refused("user and password have settings of their own")
            }
            Some(("http", _)) => Ok(()),
            Some(_) | None => refused("only http:// is spoken"),
        }
    }
}

/// Checks a name that becomes part of statements.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), LoaderError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|first| !first.is_ascii_digit());
    if begins_well && name.len() <= 64 && name.bytes().all(plain) {
        return Ok(());
    }
    Err(LoaderError::Name {
        what,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named() {
        let with = |url: &str, database: &str| ClickHouseOptions {
            url: url.to_owned(),
            database: database.to_owned(),
            ..ClickHouseOptions::default()
        };
        for (options, expected) in [
            (
                with("localhost:8123", "d"),
                r#"ClickHouse address "localhost:8123" cannot be used: only http:// is spoken; write it like http://localhost:8123"#,
            ),
            (
                with("https://h", "d"),
                r#"ClickHouse address "https://h" cannot be used: only http:// is spoken; write it like http://localhost:8123"#,
            ),
            (
                with("http:///", "d"),
                r#"ClickHouse address "http:///" cannot be used: it names no host; write it like http://localhost:8123"#,
            ),
            (
                with("http://h", "a;b"),
                r#"database "a;b" cannot be used: letters, digits and _ only, not beginning with a digit, at most 64 of them"#,
            ),
            (
                with("http://h", "1a"),
                r#"database "1a" cannot be used: letters, digits and _ only, not beginning with a digit, at most 64 of them"#,
            ),
        ] {
            assert_eq!(
                options.client().map(|_| ()).unwrap_err().to_string(),
                expected
            );
        }
        assert!(with("http://h:1/path", "slawatch_2").client().is_ok());
    }

    #[test]
    fn the_password_is_never_shown() {
        let options = ClickHouseOptions {
            password: Some("s3cret".to_owned()),
            ..ClickHouseOptions::default()
        };
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
