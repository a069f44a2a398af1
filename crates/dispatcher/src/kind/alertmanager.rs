//! What an Alertmanager is told: `POST /api/v2/alerts`.
//!
//! Labels are its identity of an alert, so everything in them must stay the same from the first post to the last; what
//! may change goes into annotations. It takes an alert for over once `endsAt` has passed, so each post of a firing one
//! promises a few intervals more.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use slawatch_wire::v1::AlertTransition;

use crate::config::ReceiverConfig;
use crate::delivery::{Answer, is_over};
use crate::error::DispatcherError;
use crate::http::{self, HttpClient};
use crate::instant::rfc3339;
use crate::links::Links;
use crate::message::{Telling, Templates};
use crate::queue::Item;

/// Where below the configured root alerts are posted.
const PATH: &str = "api/v2/alerts";

/// An alert stays up at the Alertmanager for this many intervals after the last post.
const INTERVALS_PROMISED: i64 = 4;

/// One alert as the API wants it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PostableAlert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
}

/// See the module.
pub(crate) struct Alertmanager {
    pub(super) http: HttpClient,
    repost_interval_ms: i64,
    templates: Templates,
    links: Arc<Links>,
}

impl Alertmanager {
    pub(super) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        let interval_ms = config.repost_interval().as_millis();
        Ok(Self {
            http: HttpClient::new(config, None)?.below(PATH),
            repost_interval_ms: i64::try_from(interval_ms).unwrap_or(i64::MAX / 8),
            templates: Templates::new(config)?,
            links: Arc::clone(links),
        })
    }

    pub(super) async fn send(&self, items: &[Item], now_ms: i64) -> Answer {
        let alerts: Vec<_> = items.iter().map(|item| self.alert(item, now_ms)).collect();
        let request = match http::json(&alerts) {
            Ok(body) => self.http.post().body(body),
            Err(refusal) => return refusal,
        };
        match http::send(request, now_ms).await {
            Ok(response) => response.judge(),
            Err(trouble) => trouble,
        }
    }

    fn alert(&self, item: &Item, now_ms: i64) -> PostableAlert {
        let telling = Telling::of(item, &self.links, now_ms);
        let said = [self.templates.title(telling), self.templates.body(telling)];
        let mut alert = alert(item, now_ms, self.repost_interval_ms);
        alert.annotations = annotations(telling, said);
        alert
    }
}

fn alert(item: &Item, now_ms: i64, repost_interval_ms: i64) -> PostableAlert {
    let transition = &item.delivery.transition;
    let ends_ms = if is_over(item.delivery.intent.state) {
        now_ms.saturating_sub(item.over_for_ms)
    } else {
        now_ms.saturating_add(repost_interval_ms.saturating_mul(INTERVALS_PROMISED))
    };
    // An alert that starts after its end is refused.
    let starts_ms = transition
        .fired_at_ms
        .unwrap_or(transition.at_ms)
        .min(ends_ms);
    PostableAlert {
        labels: labels(transition),
        annotations: BTreeMap::new(),
        starts_at: rfc3339(starts_ms),
        ends_at: rfc3339(ends_ms),
    }
}

/// Ours first, so that no label of the user's can change what an alert is; empty ones are left out, as an Alertmanager
/// takes them for absent.
fn labels(alert: &AlertTransition) -> BTreeMap<String, String> {
    let ours = [
        ("alertname", &alert.rule),
        ("severity", &alert.severity),
        ("vendor", &alert.vendor),
        ("queue", &alert.queue),
        ("ticket_id", &alert.ticket_id),
        ("slawatch_key", &alert.key),
    ];
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in ours {
        labels.insert(name.to_owned(), value.clone());
    }
    for (name, value) in &alert.labels {
        let mut free = label_name(name);
        while labels.contains_key(&free) {
            free.push('_');
        }
        labels.insert(free, value.clone());
    }
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// Label names are `[a-zA-Z_][a-zA-Z0-9_]*`; those that begin with `__` are Prometheus's own.
fn label_name(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if clean.is_empty()
        || clean.starts_with("__")
        || clean.starts_with(|c: char| c.is_ascii_digit())
    {
        clean = format!("label_{}", clean.trim_start_matches('_'));
    }
    clean
}

fn annotations(telling: Telling<'_>, [title, body]: [String; 2]) -> BTreeMap<&'static str, String> {
    let Telling { alert, intent, .. } = telling;
    let evidence: Vec<String> = alert
        .evidence
        .iter()
        .map(|evidence| format!("{}={}", evidence.name, evidence.value))
        .collect();
    let links = telling
        .links
        .of(alert, &intent.incident, intent.state, telling.now_ms);
    let mut annotations = BTreeMap::from([
        ("summary", title),
        ("description", body),
        ("runbook_url", links.runbook),
        ("ticket_url", links.ticket),
        ("board_url", links.board),
        ("acknowledge_url", links.acknowledge),
        ("evidence", evidence.join(", ")),
        ("incident", intent.incident.clone()),
    ]);
    annotations.retain(|_, value| !value.is_empty());
    annotations
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use slawatch_wire::v1::{AlertState, Evidence};

    use super::*;
    use crate::delivery::{Address, Delivery, IntentKey, LedgerId, Subject};

    fn item(state: AlertState, user_labels: &[(&str, &str)]) -> Item {
        let transition = AlertTransition {
            key: "slow|acme|refunds".into(),
            incident: "i-1".into(),
            rule: "slow".into(),
            severity: "critical".into(),
            vendor: "acme".into(),
            queue: "refunds".into(),
            at_ms: 2_000,
            fired_at_ms: Some(1_000),
            summary: "refunds drowns".into(),
            reason: "62.5 % < 80 %".into(),
            evidence: vec![
                Evidence {
                    name: "answered".into(),
                    value: 5.0,
                },
                Evidence {
                    name: "level".into(),
                    value: 0.625,
                },
            ],
            labels: user_labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            runbook_url: "https://runbook/slow".into(),
            ..AlertTransition::default()
        };
        Item {
            delivery: Delivery {
                address: Address {
                    ledger: LedgerId(1),
                    subject: Subject {
                        key: transition.key.clone(),
                        incident: String::new(),
                    },
                },
                transition: Arc::new(transition),
                intent: IntentKey {
                    incident: "i-1".into(),
                    state,
                    revision: 1,
                    ..IntentKey::default()
                },
                may_be_open: false,
                reference: String::new(),
                group: None,
            },
            over_for_ms: 0,
            repeated: false,
            attempt: 1,
        }
    }

    #[test]
    fn a_firing_alert_promises_four_intervals() {
        let config = "name = \"am\"\ntype = \"alertmanager\"\nurl = \"http://am\"";
        let links = Arc::new(Links::default());
        let alertmanager = Alertmanager::new(&toml::from_str(config).unwrap(), &links).unwrap();
        let body = alertmanager.alert(&item(AlertState::Firing, &[]), 10_000);
        assert_eq!(
            serde_json::to_value([body]).unwrap(),
            serde_json::json!([{
                "labels": {
                    "alertname": "slow", "severity": "critical", "vendor": "acme", "queue": "refunds",
                    "slawatch_key": "slow|acme|refunds"
                },
                "annotations": {
                    "summary": "refunds drowns", "description": "62.5 % < 80 %", "incident": "i-1",
                    "runbook_url": "https://runbook/slow", "evidence": "answered=5, level=0.625"
                },
                "startsAt": "1970-01-01T00:00:01.000Z",
                "endsAt": "1970-01-01T00:04:10.000Z"
            }])
        );
    }

    #[test]
    fn an_end_is_now_and_stays_when_repeated() {
        for state in [
            AlertState::Resolved,
            AlertState::Retracted,
            AlertState::Expired,
        ] {
            let mut over = item(state, &[]);
            assert_eq!(
                alert(&over, 10_000, 60_000).ends_at,
                "1970-01-01T00:00:10.000Z"
            );
            over.over_for_ms = 1_000;
            assert_eq!(
                alert(&over, 10_000, 60_000).ends_at,
                "1970-01-01T00:00:09.000Z"
            );
        }
        // The evaluator's clock may be ahead of ours.
        let early = alert(&item(AlertState::Resolved, &[]), 500, 60_000);
        assert_eq!(
            (early.starts_at, early.ends_at.as_str()),
            (early.ends_at.clone(), "1970-01-01T00:00:00.500Z")
        );
    }

    #[test]
    fn label_names_are_made_fit() {
        for (name, expected) in [
            ("team", "team"),
            ("team.lead", "team_lead"),
            ("1st", "label_1st"),
            ("__name__", "label_name__"),
            ("größe", "gr__e"),
            ("", "label_"),
        ] {
            assert_eq!(label_name(name), expected, "{name}");
        }
    }

    #[test]
    fn no_user_label_replaces_one_of_ours() {
        let labels = labels(
            &item(
                AlertState::Firing,
                &[
                    ("alertname", "x"),
                    ("a-b", "1"),
                    ("a.b", "2"),
                    ("ticket_id", "7"),
                ],
            )
            .delivery
            .transition,
        );
        assert_eq!(labels["alertname"], "slow");
        assert_eq!(labels["alertname_"], "x");
        assert_eq!(
            (labels["a_b"].as_str(), labels["a_b_"].as_str()),
            ("1", "2")
        );
        // Ours is empty here, and yet the user's does not take its place.
        assert_eq!(
            (labels.get("ticket_id"), labels["ticket_id_"].as_str()),
            (None, "7")
        );
    }
}
