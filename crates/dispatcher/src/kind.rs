//! The kinds of receivers: each a file, which knows what a request looks like, what its answer means and what the other side
//! can show.

pub(crate) mod alertmanager;
pub(crate) mod email;
pub(crate) mod pagerduty;
pub(crate) mod slack;
pub(crate) mod teams;
pub mod webhook;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::config::ReceiverConfig;
use crate::delivery::Answer;
use crate::error::DispatcherError;
use crate::links::Links;
use crate::queue::Item;

/// The protocols.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverKind {
    /// Alertmanager's API v2: stable labels, posted again while firing.
    Alertmanager,
    /// One JSON object for each state of each incident.
    Webhook,
    /// PagerDuty's Events API v2.
    PagerDuty,
    /// Slack's Web API: one message an incident, changed as the incident goes on, with a thread.
    Slack,
    /// An Adaptive Card for each state, by a Workflows webhook of Microsoft Teams.
    Teams,
    /// SMTP.
    Email,
}

/// What the other side can show; what is worth telling depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shows {
    /// Alerts are posted again as long as they hold, many in a request.
    pub repeated: bool,
    /// Incidents of one key are things of their own.
    pub by_incident: bool,
    /// That somebody sees to an alert.
    pub acknowledged: bool,
    /// Several incidents in one message.
    pub several: bool,
}

impl ReceiverKind {
    /// As in `type = "…"`.
    pub fn as_written(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Webhook => "webhook",
            Self::PagerDuty => "pagerduty",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Email => "email",
        }
    }

    /// See [`Shows`].
    pub fn shows(self) -> Shows {
        let single = Shows {
            repeated: false,
            by_incident: true,
            acknowledged: true,
            several: false,
        };
        match self {
            Self::Alertmanager => Shows {
                repeated: true,
                by_incident: false,
                acknowledged: false,
                several: true,
            },
            // Its alert is that of the deduplication key, whatever the incident.
            Self::PagerDuty => Shows {
                by_incident: false,
                ..single
            },
            Self::Webhook | Self::Slack => single,
            Self::Teams | Self::Email => Shows {
                several: true,
                ..single
            },
        }
    }
}

/// A receiver ready to be told. Its `Debug` shows no address, which may hold a token.
pub(crate) enum Receiver {
    /// See [`ReceiverKind`].
    Alertmanager(alertmanager::Alertmanager),
    /// See [`ReceiverKind`].
    Webhook(webhook::Webhook),
    /// See [`ReceiverKind`].
    PagerDuty(pagerduty::PagerDuty),
    /// See [`ReceiverKind`].
    Slack(slack::Slack),
    /// See [`ReceiverKind`].
    Teams(teams::Teams),
    /// See [`ReceiverKind`].
    Email(email::Email),
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, host) = match self {
            Self::Alertmanager(alertmanager) => ("Alertmanager", alertmanager.http.host()),
            Self::Webhook(webhook) => ("Webhook", webhook.http.host()),
            Self::PagerDuty(pagerduty) => ("PagerDuty", pagerduty.http.host()),
            Self::Slack(slack) => ("Slack", slack.http.host()),
            Self::Teams(teams) => ("Teams", teams.http.host()),
            Self::Email(email) => ("Email", email.host()),
        };
        f.debug_struct(kind)
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

impl Receiver {
    /// Fetches the secrets and sets everything up; no connection is made yet.
    ///
    /// # Errors
    /// If a secret is missing, or an address, header or template cannot be used.
    pub(crate) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        Ok(match config.kind {
            ReceiverKind::Alertmanager => {
                Self::Alertmanager(alertmanager::Alertmanager::new(config, links)?)
            }
            ReceiverKind::Webhook => Self::Webhook(webhook::Webhook::new(config, links)?),
            ReceiverKind::PagerDuty => Self::PagerDuty(pagerduty::PagerDuty::new(config, links)?),
            ReceiverKind::Slack => Self::Slack(slack::Slack::new(config, links)?),
            ReceiverKind::Teams => Self::Teams(teams::Teams::new(config, links)?),
            ReceiverKind::Email => Self::Email(email::Email::new(config, links)?),
        })
    }

    /// Tells all of these, in one message where the kind can; nothing here waits for another try. `now_ms` is the wall clock.
    pub(crate) async fn send(&self, items: &[Item], now_ms: i64) -> Answer {
        match (self, items) {
            (Self::Alertmanager(alertmanager), items) => alertmanager.send(items, now_ms).await,
            (Self::Teams(teams), items) => teams.send(items, now_ms).await,
            (Self::Email(email), items) => email.send(items, now_ms).await,
            (Self::Webhook(webhook), [item]) => webhook.send(item, now_ms).await,
            (Self::PagerDuty(pagerduty), [item]) => pagerduty.send(item, now_ms).await,
            (Self::Slack(slack), [item]) => slack.send(item, now_ms).await,
            (Self::Webhook(_) | Self::PagerDuty(_) | Self::Slack(_), items) => Answer::Refused {
                detail: format!("one alert a request is taken, not {}", items.len()),
            },
        }
    }
}
