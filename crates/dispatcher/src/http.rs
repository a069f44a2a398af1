//! One request to one receiver, and what its answer means. Nothing here waits for another try.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use crate::config::{ReceiverConfig, ReceiverKind};
use crate::delivery::Answer;
use crate::error::DispatcherError;
use crate::queue::Item;
use crate::secret::Secret;
use crate::{alertmanager, webhook};

/// As much of a receiver's answer as is recorded.
const ANSWER_BYTES: usize = 1024;

/// A receiver as HTTP sees it. Its `Debug` shows no address, which may hold a token.
pub struct HttpReceiver {
    client: Client,
    url: Url,
    protocol: Protocol,
    headers: HeaderMap,
}

enum Protocol {
    Alertmanager { repost_interval_ms: i64 },
    Webhook { hmac_key: Option<Secret> },
}

impl std::fmt::Debug for HttpReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpReceiver")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

impl HttpReceiver {
    /// Fetches the secrets and sets the client up; no connection is made yet.
    ///
    /// # Errors
    /// If a secret is missing, or an address or header cannot be used.
    pub fn new(config: &ReceiverConfig) -> Result<Self, DispatcherError> {
        install_crypto();
        let client = Client::builder()
            .timeout(config.timeout)
            .connect_timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("slawatch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| DispatcherError::Client {
                name: config.name.clone(),
                source,
            })?;
        let protocol = match config.kind {
            ReceiverKind::Alertmanager => Protocol::Alertmanager {
                repost_interval_ms: millis(config.repost_interval()),
            },
            ReceiverKind::Webhook => {
                let hmac_key = config.hmac_key.as_ref();
                let resolved = hmac_key.map(|source| source.resolve(&config.name, "hmac_key"));
                Protocol::Webhook {
                    hmac_key: resolved.transpose()?,
                }
            }
        };
        Ok(Self {
            client,
            url: target(config)?,
            protocol,
            headers: headers(config)?,
        })
    }

    /// Makes one request. `now_ms` is the wall clock.
    pub async fn send(&self, items: &[Item], now_ms: i64) -> Answer {
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone());
        request = request.header(CONTENT_TYPE, "application/json");
        let body = match (&self.protocol, items) {
            (Protocol::Alertmanager { repost_interval_ms }, items) => {
                serde_json::to_vec(&alertmanager::alerts(items, now_ms, *repost_interval_ms))
            }
            (Protocol::Webhook { .. }, [item]) => {
                let delivery = &item.delivery;
                let idempotency =
                    webhook::idempotency_key(&delivery.transition.key, &delivery.intent);
                request = request.header(webhook::IDEMPOTENCY_HEADER, idempotency);
                serde_json::to_vec(&webhook::body(&delivery.transition, &delivery.intent))
            }
            (Protocol::Webhook { .. }, _) => {
                let detail = format!("a webhook takes one alert a request, not {}", items.len());
                return Answer::Refused { detail };
            }
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                return Answer::Refused {
                    detail: format!("the alert is no JSON: {error}"),
                };
            }
        };
        if let Protocol::Webhook {
            hmac_key: Some(key),
        } = &self.protocol
        {
            let signature = webhook::signature(key, now_ms, &body);
            request = request.header(webhook::SIGNATURE_HEADER, signature);
        }
        match request.body(body).send().await {
            Ok(response) => judge(response, now_ms).await,
            Err(error) => trouble(error),
        }
    }
}

fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Whoever came first, the process has a provider now.
        let _already_installed = rustls::crypto::ring::default_provider()
            .install_default()
            .is_err();
    });
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

fn target(config: &ReceiverConfig) -> Result<Url, DispatcherError> {
    let unusable = |reason: String| DispatcherError::Url {
        name: config.name.clone(),
        reason,
    };
    let text = config.url.resolve(&config.name, "url")?;
    let mut url = Url::parse(text.expose()).map_err(|error| unusable(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable(format!("its scheme is {:?}", url.scheme())));
    }
    match config.kind {
        ReceiverKind::Alertmanager => {
            let root = url.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{root}/{}", alertmanager::PATH));
        }
        ReceiverKind::Webhook => {}
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
        let secret = source.resolve(&config.name, &format!("headers.{name}"))?;
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| unusable("it is no header name"))?;
        let mut value = HeaderValue::from_str(secret.expose())
            .map_err(|_| unusable("its value has characters that no header may hold"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

async fn judge(response: Response, now_ms: i64) -> Answer {
    let status = response.status();
    let retry_after_ms = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after_ms(value, now_ms));
    let text = beginning(response).await;
    let detail = if text.is_empty() {
        status.to_string()
    } else {
        format!("{status}: {text}")
    };
    if status.is_success() {
        Answer::Taken {
            detail: status.to_string(),
        }
    } else if status.is_redirection() {
        Answer::Trouble {
            detail: format!("{detail}; redirects are not followed, configure the final url"),
            retry_after_ms,
            maybe_delivered: false,
        }
    } else if is_about_the_alert(status) {
        Answer::Refused { detail }
    } else {
        Answer::Trouble {
            detail,
            retry_after_ms,
            maybe_delivered: status.is_server_error(),
        }
    }
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
async fn beginning(mut response: Response) -> String {
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
    let mut detail = format!("{what}: {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        cause = inner.source();
    }
    Answer::Trouble {
        detail,
        retry_after_ms: None,
        maybe_delivered: !never_left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(text: &str) -> Result<HttpReceiver, DispatcherError> {
        HttpReceiver::new(&toml::from_str(&format!("name = \"r\"\n{text}")).unwrap())
    }

    #[test]
    fn an_alertmanager_below_a_path_keeps_it() {
        for (url, expected) in [
            ("http://am:9093", "http://am:9093/api/v2/alerts"),
            ("http://am:9093/", "http://am:9093/api/v2/alerts"),
            ("https://proxy/am/", "https://proxy/am/api/v2/alerts"),
        ] {
            let made = receiver(&format!("type = \"alertmanager\"\nurl = \"{url}\"")).unwrap();
            assert_eq!(made.url.as_str(), expected);
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
                "type = \"webhook\"\nurl = \"http://x\"\nheaders = { \"a b\" = \"hunter2\" }",
                "receiver \"r\": header \"a b\" cannot be sent: it is no header name",
            ),
            (
                "type = \"webhook\"\nurl = \"http://x\"\nheaders = { a = \"hunter2\\n\" }",
                "receiver \"r\": header \"a\" cannot be sent: its value has characters that no header may hold",
            ),
        ] {
            assert_eq!(receiver(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn debug_shows_the_host_only() {
        let made = receiver(
            "type = \"webhook\"\nurl = \"https://me:hunter2@hook/hunter2?k=hunter2\"\nhmac_key = \"hunter2\"\n\
             headers = { a = \"hunter2\" }",
        )
        .unwrap();
        assert_eq!(
            format!("{made:?}"),
            "HttpReceiver { host: Some(\"hook\"), .. }"
        );
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
