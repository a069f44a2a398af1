//! One HTTP request to one receiver, and what its answer means. Nothing here waits for another try.

use std::sync::{Arc, Once};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, Url};

use crate::address::{self, PublicOnly};
use crate::config::ReceiverConfig;
use crate::delivery::Answer;
use crate::error::DispatcherError;
use crate::secret::Secret;

/// As much of a receiver's answer as is read.
const ANSWER_BYTES: usize = 64 * 1024;
/// As much of it as is recorded.
const RECORDED_BYTES: usize = 1024;

/// Where requests of one receiver go, and what all of them carry.
pub(crate) struct HttpClient {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

/// What came back, whatever it says.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) retry_after_ms: Option<i64>,
    pub(crate) text: String,
}

impl HttpClient {
    /// Sets the client up; no connection is made yet. `fallback` is the public address of what has one.
    pub(crate) fn new(
        config: &ReceiverConfig,
        fallback: Option<&str>,
    ) -> Result<Self, DispatcherError> {
        install_crypto();
        let url = target(config, fallback)?;
        let mut client = Client::builder()
            .timeout(config.timeout)
            .connect_timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("slawatch/", env!("CARGO_PKG_VERSION")));
        if !config.allows_private() {
            let host = url.host_str().unwrap_or_default().to_owned();
            client = client.dns_resolver(Arc::new(PublicOnly { host }));
        }
        let client = client.build().map_err(|source| DispatcherError::Client {
            name: config.name.clone(),
            source,
        })?;
        Ok(Self {
            client,
            url,
            headers: headers(config)?,
        })
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.url.host_str()
    }

    /// The path below the configured address.
    pub(crate) fn below(mut self, path: &str) -> Self {
        let root = self.url.path().trim_end_matches('/').to_owned();
        self.url.set_path(&format!("{root}/{path}"));
        self
    }

    /// A POST of JSON.
    pub(crate) fn post(&self) -> RequestBuilder {
        self.post_to(self.url.clone())
    }

    /// A POST of JSON below the configured address.
    pub(crate) fn post_below(&self, path: &str) -> RequestBuilder {
        let mut url = self.url.clone();
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{root}/{path}"));
        self.post_to(url)
    }

    fn post_to(&self, url: Url) -> RequestBuilder {
        let request = self.client.post(url).headers(self.headers.clone());
        request.header(CONTENT_TYPE, "application/json")
    }

    #[cfg(test)]
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }
}

/// Makes the request.
///
/// # Errors
/// The trouble, if no answer came.
pub(crate) async fn send(request: RequestBuilder, now_ms: i64) -> Result<Response, Answer> {
    let response = request.send().await.map_err(trouble)?;
    let retry_after_ms = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after_ms(value, now_ms));
    Ok(Response {
        status: response.status(),
        retry_after_ms,
        text: beginning(response).await,
    })
}

/// The bytes of a request's body.
///
/// # Errors
/// The refusal, if it cannot be written as JSON.
pub(crate) fn json(body: &impl serde::Serialize) -> Result<Vec<u8>, Answer> {
    serde_json::to_vec(body).map_err(|error| Answer::Refused {
        detail: format!("the alert is no JSON: {error}"),
    })
}

impl Response {
    /// The status and what was said, as it is recorded.
    pub(crate) fn detail(&self) -> String {
        let text = shortened(self.text.trim(), RECORDED_BYTES);
        if text.is_empty() {
            self.status.to_string()
        } else {
            format!("{}: {text}", self.status)
        }
    }

    /// What the status alone says.
    pub(crate) fn judge(&self) -> Answer {
        let (status, detail) = (self.status, self.detail());
        if status.is_success() {
            Answer::taken(status.to_string())
        } else if status.is_redirection() {
            self.trouble(
                format!("{detail}; redirects are not followed, configure the final url"),
                false,
            )
        } else if is_about_the_alert(status) {
            Answer::Refused { detail }
        } else {
            self.trouble(detail, status.is_server_error())
        }
    }

    /// Trouble, with the pause that was asked for.
    pub(crate) fn trouble(&self, detail: String, maybe_delivered: bool) -> Answer {
        Answer::Trouble {
            detail,
            retry_after_ms: self.retry_after_ms,
            maybe_delivered,
        }
    }
}

/// At most so many bytes of it, whole characters.
pub(crate) fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The process's cryptography for TLS.
pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Whoever came first, the process has a provider now.
        let _already_installed = rustls::crypto::ring::default_provider()
            .install_default()
            .is_err();
    });
}

/// Where requests go, if that can be used.
pub(crate) fn target(
    config: &ReceiverConfig,
    fallback: Option<&str>,
) -> Result<Url, DispatcherError> {
    let unusable = |reason: String| DispatcherError::Url {
        name: config.name.clone(),
        reason,
    };
    let text = match &config.url {
        Some(source) => source.resolve(&config.place(), "url")?,
        None => Secret::new(fallback.unwrap_or_default()),
    };
    let url = Url::parse(text.expose()).map_err(|error| unusable(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable(format!("its scheme is {:?}", url.scheme())));
    }
    if !config.allows_private()
        && let Some(reason) = address::trouble_with(&url)
    {
        return Err(DispatcherError::PrivateAddress {
            name: config.name.clone(),
            reason,
        });
    }
    Ok(url)
}

fn headers(config: &ReceiverConfig) -> Result<HeaderMap, DispatcherError> {
    let mut headers = HeaderMap::new();
    for (name, source) in &config.headers {
        let unusable = |reason: &str| DispatcherError::Header {
            name: config.name.clone(),
            header: name.clone(),
            reason: reason.to_owned(),
        };
        let secret = source.resolve(&config.place(), &format!("headers.{name}"))?;
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| unusable("it is no header name"))?;
        let mut value = HeaderValue::from_str(secret.expose())
            .map_err(|_| unusable("its value has characters that no header may hold"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// Whether another try with the same alert would get the same answer whatever is done to the receiver. What speaks of
/// the way there (logins, proxies, routes, load) is mended sooner or later, and the alert must arrive then.
fn is_about_the_alert(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::GONE
                | StatusCode::MISDIRECTED_REQUEST
                | StatusCode::LOCKED
                | StatusCode::TOO_EARLY
                | StatusCode::UPGRADE_REQUIRED
                | StatusCode::TOO_MANY_REQUESTS
        )
}

/// The beginning of the body; what goes wrong while reading it does not change the answer.
async fn beginning(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(ANSWER_BYTES);
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after_ms(value: &str, now_ms: i64) -> Option<i64> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(i64::from(seconds) * 1000);
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    Some((date.timestamp().as_millisecond() - now_ms).max(0))
}

/// An error and what caused it, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn trouble(error: reqwest::Error) -> Answer {
    let never_left = error.is_connect() || error.is_builder();
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    // The address may hold a token.
    let error = error.without_url();
    let detail = format!("{what}: {}", causes(&error));
    Answer::Trouble {
        detail,
        retry_after_ms: None,
        maybe_delivered: !never_left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Result<HttpClient, DispatcherError> {
        HttpClient::new(
            &toml::from_str(&format!("name = \"r\"\n{text}")).unwrap(),
            None,
        )
    }

    #[test]
    fn a_path_below_keeps_what_was_configured() {
        for (url, expected) in [
            ("http://am:9093", "http://am:9093/api/v2/alerts"),
            ("http://am:9093/", "http://am:9093/api/v2/alerts"),
            ("https://proxy/am/", "https://proxy/am/api/v2/alerts"),
        ] {
            let made = client(&format!("type = \"alertmanager\"\nurl = \"{url}\"")).unwrap();
            assert_eq!(made.below("api/v2/alerts").url(), expected);
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_being_shown() {
        for (text, message) in [
            (
                "type = \"webhook\"\nurl = \"hunter2\"",
                "receiver \"r\": url is not usable: relative URL without a base; write it like \"https://host:port/path\"",
            ),
            (
                "type = \"webhook\"\nurl = \"ftp://hunter2\"",
                "receiver \"r\": url is not usable: its scheme is \"ftp\"; write it like \"https://host:port/path\"",
            ),
            (
                "type = \"webhook\"\nurl = \"http://10.0.0.1/hunter2\"",
                "receiver \"r\": url may not be used: 10.0.0.1 is 10.0.0.1, a private address; if it is meant to be, set \
                 allow_private = true",
            ),
            (
                "type = \"webhook\"\nurl = \"http://x\"\nheaders = { \"a b\" = \"hunter2\" }",
                "receiver \"r\": header \"a b\" cannot be sent: it is no header name",
            ),
            (
                "type = \"webhook\"\nurl = \"http://x\"\nheaders = { a = \"hunter2\\n\" }",
                "receiver \"r\": header \"a\" cannot be sent: its value has characters that no header may hold",
            ),
        ] {
            assert_eq!(client(text).err().unwrap().to_string(), message);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, expected) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 5 ", Some(5_000)),
            ("Thu, 01 Jan 1970 00:01:00 GMT", Some(50_000)),
            ("Thu, 01 Jan 1970 00:00:01 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after_ms(value, 10_000), expected, "{value}");
        }
    }
}
