//! What a webhook is told: one JSON object for each state of each incident, with a key against repetitions and, if a
//! key is configured, a signature.
//!
//! What a receiver should do: take a request whose idempotency key it has seen for done, and pass over one whose
//! revision is lower than the highest it has seen of that incident. Both happen only after a crash.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};
use slawatch_wire::v1::{AlertTransition, Contribution, WorstTicket};

use crate::config::ReceiverConfig;
use crate::delivery::{Answer, IntentKey, state_word};
use crate::error::DispatcherError;
use crate::http::{self, HttpClient};
use crate::instant::rfc3339;
use crate::links::{Links, LinksOf};
use crate::message::{Telling, Templates, is_test};
use crate::queue::Item;
use crate::secret::Secret;

/// Header with the same value whenever the same thing is said again.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Header `t=<unix seconds>,v1=<hex>`, where hex is HMAC-SHA256 over `<unix seconds>.<body>`.
pub const SIGNATURE_HEADER: &str = "x-slawatch-signature";

/// See the module.
pub(crate) struct Webhook {
    pub(super) http: HttpClient,
    hmac_key: Option<Secret>,
    templates: Templates,
    links: Arc<Links>,
}

/// The JSON object. Instants are RFC 3339 in UTC; fields without a value are empty strings or null.
#[derive(Debug, Serialize)]
struct Body<'a> {
    state: &'static str,
    key: &'a str,
    incident: &'a str,
    revision: u64,
    rule: &'a str,
    kind: &'a str,
    severity: &'a str,
    vendor: &'a str,
    queue: &'a str,
    ticket_id: &'a str,
    at: String,
    fired_at: Option<String>,
    due_at: String,
    timezone: &'a str,
    summary: &'a str,
    reason: &'a str,
    author: &'a str,
    title: String,
    body: String,
    evidence: BTreeMap<&'a str, f64>,
    worst_tickets: Vec<Worst<'a>>,
    contributions: Vec<Part<'a>>,
    labels: &'a BTreeMap<String, String>,
    runbook_url: &'a str,
    links: LinksBody,
    test: bool,
}

#[derive(Debug, Serialize)]
struct Worst<'a> {
    ticket_id: &'a str,
    metric: &'a str,
    due_at: Option<String>,
    elapsed_ms: Option<i64>,
    target_ms: Option<i64>,
    url: String,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    attribute: &'a str,
    value: &'a str,
    tickets: i64,
}

#[derive(Debug, Serialize)]
struct LinksBody {
    ticket: String,
    board: String,
    acknowledge: String,
}

impl Webhook {
    pub(super) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        let hmac_key = config.hmac_key.as_ref();
        let hmac_key = hmac_key.map(|source| source.resolve(&config.place(), "hmac_key"));
        Ok(Self {
            http: HttpClient::new(config, None)?,
            hmac_key: hmac_key.transpose()?,
            templates: Templates::new(config)?,
            links: Arc::clone(links),
        })
    }

    pub(super) async fn send(&self, item: &Item, now_ms: i64) -> Answer {
        let telling = Telling::of(item, &self.links, now_ms);
        let body = match http::json(&self.body(telling)) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let key = idempotency_key(&telling.alert.key, telling.intent);
        let mut request = self.http.post().header(IDEMPOTENCY_HEADER, key);
        if let Some(key) = &self.hmac_key {
            request = request.header(SIGNATURE_HEADER, signature(key, now_ms, &body));
        }
        match http::send(request.body(body), now_ms).await {
            Ok(response) => response.judge(),
            Err(trouble) => trouble,
        }
    }

    fn body<'a>(&self, telling: Telling<'a>) -> Body<'a> {
        let Telling {
            alert,
            intent,
            links,
            now_ms,
        } = telling;
        let evidence = alert.evidence.iter();
        Body {
            state: state_word(intent.state),
            key: &alert.key,
            incident: &intent.incident,
            revision: intent.revision,
            rule: &alert.rule,
            kind: &alert.kind,
            severity: &alert.severity,
            vendor: &alert.vendor,
            queue: &alert.queue,
            ticket_id: &alert.ticket_id,
            at: rfc3339(alert.at_ms),
            fired_at: alert.fired_at_ms.map(rfc3339),
            due_at: rfc3339(alert.due_ms),
            timezone: &alert.timezone,
            summary: &alert.summary,
            reason: &alert.reason,
            author: &alert.author,
            title: self.templates.title(telling),
            body: self.templates.body(telling),
            evidence: evidence
                .map(|evidence| (evidence.name.as_str(), evidence.value))
                .collect(),
            worst_tickets: worst_tickets(alert, links),
            contributions: contributions(alert),
            labels: &alert.labels,
            runbook_url: &alert.runbook_url,
            links: links_body(links.of(alert, &intent.incident, intent.state, now_ms)),
            test: is_test(alert),
        }
    }
}

fn worst_tickets<'a>(alert: &'a AlertTransition, links: &Links) -> Vec<Worst<'a>> {
    let worst = |ticket: &'a WorstTicket| Worst {
        ticket_id: &ticket.ticket_id,
        metric: &ticket.metric,
        due_at: ticket.due_ms.map(rfc3339),
        elapsed_ms: ticket.elapsed_ms,
        target_ms: ticket.target_ms,
        url: links.ticket(&ticket.ticket_id),
    };
    alert.worst_tickets.iter().map(worst).collect()
}

fn contributions(alert: &AlertTransition) -> Vec<Part<'_>> {
    fn part(part: &Contribution) -> Part<'_> {
        Part {
            attribute: &part.attribute,
            value: &part.value,
            tickets: part.tickets,
        }
    }
    alert.contributions.iter().map(part).collect()
}

fn links_body(links: LinksOf) -> LinksBody {
    LinksBody {
        ticket: links.ticket,
        board: links.board,
        acknowledge: links.acknowledge,
    }
}

/// Depends on nothing but what is told, so a resend by another process carries the same.
pub fn idempotency_key(key: &str, intent: &IntentKey) -> String {
    let mut hash = Sha256::new();
    for part in [key, &intent.incident, state_word(intent.state)] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.update(intent.revision.to_be_bytes());
    if intent.repeat > 0 {
        hash.update(intent.repeat.to_be_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// The value of [`SIGNATURE_HEADER`]. A receiver recomputes it and refuses what is wrong or older than a few minutes.
pub fn signature(key: &Secret, at_ms: i64, body: &[u8]) -> String {
    let seconds = at_ms.div_euclid(1000);
    // An HMAC takes keys of any length.
    #[allow(clippy::unwrap_used)]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use slawatch_wire::v1::{AlertState, Evidence};

    use super::*;

    fn intent(incident: &str, state: AlertState, revision: u64) -> IntentKey {
        IntentKey {
            incident: incident.into(),
            state,
            revision,
            ..IntentKey::default()
        }
    }

    #[test]
    fn the_body_names_everything() {
        let alert = AlertTransition {
            key: "k".into(),
            rule: "breach".into(),
            severity: "warning".into(),
            vendor: "acme".into(),
            queue: "refunds".into(),
            ticket_id: "T-1".into(),
            at_ms: 1_000,
            fired_at_ms: Some(1_000),
            due_ms: 900,
            summary: "s".into(),
            reason: "r".into(),
            evidence: vec![Evidence {
                name: "elapsed_ms".into(),
                value: 1.5,
            }],
            labels: [("team".to_owned(), "eu".to_owned())].into(),
            runbook_url: "https://r".into(),
            ..AlertTransition::default()
        };
        let intent = intent("i", AlertState::Firing, 2);
        let config = "name = \"hook\"\ntype = \"webhook\"\nurl = \"https://hook\"";
        let links = Arc::new(Links::default());
        let webhook = Webhook::new(&toml::from_str(config).unwrap(), &links).unwrap();
        let telling = Telling {
            alert: &alert,
            intent: &intent,
            links: &links,
            now_ms: 0,
        };
        assert_eq!(
            serde_json::to_value(webhook.body(telling)).unwrap(),
            serde_json::json!({
                "state": "firing", "key": "k", "incident": "i", "revision": 2, "rule": "breach", "kind": "",
                "severity": "warning", "vendor": "acme", "queue": "refunds", "ticket_id": "T-1",
                "at": "1970-01-01T00:00:01.000Z", "fired_at": "1970-01-01T00:00:01.000Z",
                "due_at": "1970-01-01T00:00:00.900Z", "timezone": "", "summary": "s", "reason": "r", "author": "",
                "title": "WARNING: s",
                "body": "r\nTicket: T-1, due Thu 1 Jan 1970 00:00 UTC\nWho: acme, queue refunds\n\
                         Since: Thu 1 Jan 1970 00:00 UTC\nEvidence: elapsed 1 ms\nRule: breach, warning, team eu\n\
                         Runbook (https://r)",
                "evidence": {"elapsed_ms": 1.5}, "worst_tickets": [], "contributions": [], "labels": {"team": "eu"},
                "runbook_url": "https://r", "links": {"ticket": "", "board": "", "acknowledge": ""}, "test": false
            })
        );
    }

    #[test]
    fn one_key_for_one_saying() {
        let firing = intent("i", AlertState::Firing, 2);
        let key = idempotency_key("k", &firing);
        assert_eq!(key, idempotency_key("k", &firing));
        assert_eq!(key.len(), 32);
        let again = IntentKey {
            repeat: 1,
            ..firing.clone()
        };
        for (other_key, other) in [
            ("k", again),
            ("k2", firing),
            ("ki", intent("", AlertState::Firing, 2)),
            ("k", intent("i", AlertState::Resolved, 2)),
            ("k", intent("i", AlertState::Firing, 3)),
        ] {
            assert_ne!(
                key,
                idempotency_key(other_key, &other),
                "{other_key} {other:?}"
            );
        }
    }

    #[test]
    fn the_signature_is_hmac_sha256_over_time_and_body() {
        // echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'key'
        assert_eq!(
            signature(&Secret::new("key"), 1_700_000_000_999, b"{\"a\":1}"),
            "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
        );
    }
}
