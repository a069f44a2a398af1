//! PagerDuty's Events API v2: `POST /v2/enqueue`.
//!
//! Its alert is that of the deduplication key, which is the alert's key: the same thing said again changes nothing, and what
//! ends an alert is sent on the routing key that began it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use slawatch_wire::v1::{AlertState, AlertTransition};

use super::webhook::hex;
use crate::config::ReceiverConfig;
use crate::delivery::Answer;
use crate::error::DispatcherError;
use crate::http::{self, HttpClient, Response};
use crate::instant::rfc3339;
use crate::links::Links;
use crate::message::{Telling, Templates, evidence_words};
use crate::queue::Item;
use crate::secret::Secret;

/// Of accounts in the EU it is `https://events.eu.pagerduty.com/v2/enqueue`.
const URL: &str = "https://events.pagerduty.com/v2/enqueue";
const LONGEST_KEY: usize = 255;
const LONGEST_SUMMARY: usize = 1024;

/// See the module.
pub(crate) struct PagerDuty {
    pub(super) http: HttpClient,
    routing_key: Secret,
    templates: Templates,
    links: Arc<Links>,
}

#[derive(Debug, Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    client: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    client_url: String,
}

#[derive(Debug, Serialize)]
struct Payload<'a> {
    summary: String,
    source: &'a str,
    severity: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    component: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    class: &'a str,
    custom_details: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    text: &'static str,
}

#[derive(Deserialize)]
struct Accepted {
    status: String,
}

impl PagerDuty {
    pub(super) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        config.check()?;
        let routing_key = config.routing_key.as_ref();
        let routing_key = routing_key.map(|source| source.resolve(&config.place(), "routing_key"));
        Ok(Self {
            http: HttpClient::new(config, Some(URL))?,
            routing_key: routing_key.transpose()?.unwrap_or_else(|| Secret::new("")),
            templates: Templates::new(config)?,
            links: Arc::clone(links),
        })
    }

    pub(super) async fn send(&self, item: &Item, now_ms: i64) -> Answer {
        let event = self.event(Telling::of(item, &self.links, now_ms));
        let request = match http::json(&event) {
            Ok(body) => self.http.post().body(body),
            Err(refusal) => return refusal,
        };
        match http::send(request, now_ms).await {
            Ok(response) => judge(&response),
            Err(trouble) => trouble,
        }
    }

    fn event<'a>(&'a self, telling: Telling<'a>) -> Event<'a> {
        let Telling { alert, intent, .. } = telling;
        let links = telling
            .links
            .of(alert, &intent.incident, intent.state, telling.now_ms);
        let event_action = match intent.state {
            AlertState::Firing | AlertState::Pending => "trigger",
            AlertState::Acknowledged => "acknowledge",
            AlertState::Resolved
            | AlertState::Retracted
            | AlertState::Expired
            | AlertState::Unspecified => "resolve",
        };
        let named = links.named().into_iter();
        Event {
            routing_key: self.routing_key.expose(),
            event_action,
            dedup_key: dedup_key(&alert.key),
            payload: (event_action == "trigger").then(|| self.payload(telling)),
            links: named
                .map(|(text, href)| Link {
                    href: href.to_owned(),
                    text,
                })
                .collect(),
            client: "slawatch",
            client_url: links.board,
        }
    }

    fn payload<'a>(&self, telling: Telling<'a>) -> Payload<'a> {
        let alert = telling.alert;
        Payload {
            summary: summary(&self.templates.title(telling)),
            source: if alert.vendor.is_empty() {
                "slawatch"
            } else {
                &alert.vendor
            },
            severity: severity(&alert.severity),
            timestamp: rfc3339(alert.at_ms),
            component: &alert.queue,
            group: &alert.vendor,
            class: &alert.rule,
            custom_details: self.details(telling),
        }
    }

    fn details(&self, telling: Telling<'_>) -> BTreeMap<String, String> {
        let AlertTransition {
            vendor,
            queue,
            ticket_id,
            rule,
            reason,
            ..
        } = telling.alert;
        let mut details: BTreeMap<String, String> = [
            ("vendor", vendor.clone()),
            ("queue", queue.clone()),
            ("ticket", ticket_id.clone()),
            ("rule", rule.clone()),
            ("reason", reason.clone()),
            ("evidence", evidence_words(telling.alert)),
            ("incident", telling.intent.incident.clone()),
            ("text", self.templates.body(telling)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        for (name, value) in &telling.alert.labels {
            details.insert(format!("label {name}"), value.clone());
        }
        for evidence in &telling.alert.evidence {
            let name = format!("evidence {}", evidence.name);
            details.insert(name, evidence.value.to_string());
        }
        details.retain(|_, value| !value.is_empty());
        details
    }
}

/// A key that fits as it is; a longer one is cut and ends with a hash of the whole.
fn dedup_key(key: &str) -> String {
    if key.len() <= LONGEST_KEY {
        return key.to_owned();
    }
    let hash = format!("~{}", hex(&Sha256::digest(key.as_bytes())[..16]));
    let kept = http::shortened(key, LONGEST_KEY - hash.len());
    format!("{kept}{hash}")
}

/// Whole characters, with a sign that something was cut.
fn summary(title: &str) -> String {
    if title.chars().count() <= LONGEST_SUMMARY {
        return title.to_owned();
    }
    let mut short: String = title.chars().take(LONGEST_SUMMARY - 1).collect();
    short.push('…');
    short
}

/// PagerDuty knows four, which are those of rules.
fn severity(severity: &str) -> &'static str {
    match severity {
        "critical" => "critical",
        "error" => "error",
        "info" => "info",
        _ => "warning",
    }
}

/// Whatever answers there must say what PagerDuty says: a proxy's friendly page wakes nobody.
fn judge(response: &Response) -> Answer {
    if !response.status.is_success() {
        return response.judge();
    }
    match serde_json::from_str::<Accepted>(&response.text) {
        Ok(accepted) if accepted.status == "success" => response.judge(),
        Ok(_) | Err(_) => response.trouble(
            format!(
                "{}; that is no answer of PagerDuty, check url and what stands before it",
                response.detail()
            ),
            true,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_stay_apart_and_fit() {
        assert_eq!(dedup_key("service-level/acme"), "service-level/acme");
        let long = "ü".repeat(200);
        let (one, other) = (
            dedup_key(&format!("{long}a")),
            dedup_key(&format!("{long}b")),
        );
        assert_ne!(one, other);
        assert!(one.len() <= LONGEST_KEY && one.starts_with("üüü"), "{one}");
        assert_eq!(dedup_key(&"k".repeat(255)).len(), 255);
        assert_eq!(dedup_key(&"k".repeat(256)).len(), 255);
    }

    #[test]
    fn a_summary_is_cut_between_characters() {
        assert_eq!(summary("short"), "short");
        let cut = summary(&"ü".repeat(2000));
        assert_eq!((cut.chars().count(), cut.ends_with("ü…")), (1024, true));
    }

    #[test]
    fn severities_are_theirs() {
        for (ours, theirs) in [
            ("critical", "critical"),
            ("error", "error"),
            ("warning", "warning"),
            ("info", "info"),
            ("", "warning"),
        ] {
            assert_eq!(severity(ours), theirs, "{ours}");
        }
    }
}
