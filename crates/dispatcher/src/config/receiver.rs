//! One `[[receiver]]`: who is told, over which protocol, and how patiently.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::email::{EmailConfig, EmailTls};
use super::{GroupBy, duration, optional_duration};
use crate::error::DispatcherError;
use crate::http;
use crate::kind::ReceiverKind;
use crate::kind::email::mailboxes;
use crate::matching::AlertMatch;
use crate::secret::SecretSource;

/// One `[[receiver]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    /// Its name in `slawatch.notifications` and in metrics; renaming it makes a new receiver of it.
    pub name: String,
    /// Which protocol it speaks.
    #[serde(rename = "type")]
    pub kind: ReceiverKind,
    /// For `alertmanager` its root (`/api/v2/alerts` is added), for `webhook` and `teams` the whole address. For `pagerduty`
    /// and `slack` only where theirs is not the public one.
    pub url: Option<SecretSource>,
    /// Whether `url` may lead to a private address, of this machine or of its network; default false, `alertmanager` apart.
    pub allow_private: Option<bool>,
    /// Which alerts it gets; default all.
    #[serde(default, rename = "match")]
    pub matching: AlertMatch,
    /// One request, from connecting to the last byte of the answer.
    #[serde(default = "default_timeout", deserialize_with = "duration")]
    pub timeout: Duration,
    /// `alertmanager` only: how often everything that fires is posted again (default 60 s).
    #[serde(default, deserialize_with = "optional_duration")]
    pub repost_interval: Option<Duration>,
    /// Requests under way at once while the receiver is well (default 4; 1 where order shows: slack, teams, email).
    pub concurrency: Option<usize>,
    /// `webhook` only: signs each request with HMAC-SHA256.
    pub hmac_key: Option<SecretSource>,
    /// `pagerduty` only: the integration key of the service.
    pub routing_key: Option<SecretSource>,
    /// `slack` only: the app's bot token.
    pub token: Option<SecretSource>,
    /// `slack` only: the channel, best by its id.
    pub channel: Option<String>,
    /// `email` only.
    pub email: Option<EmailConfig>,
    /// Template of a message's title; default: the built-in one.
    pub title: Option<String>,
    /// Template of a message's text; default: the built-in one.
    pub body: Option<String>,
    /// Added to each request, for instance `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// How long a new incident waits for others to be told along with it; default: not at all.
    #[serde(default, deserialize_with = "optional_duration")]
    pub group_wait: Option<Duration>,
    /// What alerts that are told in one message have in common; default: the vendor.
    pub group_by: Option<GroupBy>,
    /// What still fires and nobody acknowledged is told again this often; default: never.
    #[serde(default, deserialize_with = "optional_duration")]
    pub repeat_interval: Option<Duration>,
    /// Most new incidents told within an hour; what goes beyond is told in sum. Default: no limit.
    pub max_per_hour: Option<usize>,
    /// First pause after a failure; it doubles with each further one.
    #[serde(default = "default_retry_min", deserialize_with = "duration")]
    pub retry_min: Duration,
    /// Longest pause between two attempts.
    #[serde(default = "default_retry_max", deserialize_with = "duration")]
    pub retry_max: Duration,
}

const DEFAULT_REPOST_INTERVAL: Duration = Duration::from_secs(60);

fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_retry_min() -> Duration {
    Duration::from_millis(500)
}

fn default_retry_max() -> Duration {
    Duration::from_secs(30)
}

/// A field that some kinds have, whether it is given, and those kinds, with what to write if they need it.
type Belonging = (
    &'static str,
    bool,
    &'static [ReceiverKind],
    Option<&'static str>,
);

impl ReceiverConfig {
    /// `repost_interval` or its default.
    pub fn repost_interval(&self) -> Duration {
        self.repost_interval.unwrap_or(DEFAULT_REPOST_INTERVAL)
    }

    /// `concurrency` or its default.
    pub fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(match self.kind {
            ReceiverKind::Webhook | ReceiverKind::PagerDuty => 4,
            ReceiverKind::Alertmanager
            | ReceiverKind::Slack
            | ReceiverKind::Teams
            | ReceiverKind::Email => 1,
        })
    }

    /// `allow_private` or its default: an Alertmanager is usually inside.
    pub fn allows_private(&self) -> bool {
        self.allow_private
            .unwrap_or(self.kind == ReceiverKind::Alertmanager)
    }

    /// Whose a setting is, in messages.
    pub(crate) fn place(&self) -> String {
        format!("receiver {:?}", self.name)
    }

    fn belongings(&self) -> [Belonging; 10] {
        use ReceiverKind::{Alertmanager, Email, PagerDuty, Slack, Teams, Webhook};
        const BY_HTTP: &[ReceiverKind] = &[Alertmanager, Webhook, PagerDuty, Slack, Teams];
        [
            ("url", self.url.is_some(), BY_HTTP, None),
            ("allow_private", self.allow_private.is_some(), BY_HTTP, None),
            ("headers", !self.headers.is_empty(), BY_HTTP, None),
            (
                "repost_interval",
                self.repost_interval.is_some(),
                &[Alertmanager],
                None,
            ),
            (
                "concurrency",
                self.concurrency.is_some(),
                &[Webhook, PagerDuty, Slack, Teams, Email],
                None,
            ),
            ("hmac_key", self.hmac_key.is_some(), &[Webhook], None),
            (
                "routing_key",
                self.routing_key.is_some(),
                &[PagerDuty],
                Some("the integration key of an \"Events API v2\" integration"),
            ),
            (
                "token",
                self.token.is_some(),
                &[Slack],
                Some("the app's bot token, which begins with xoxb-"),
            ),
            (
                "channel",
                self.channel.is_some(),
                &[Slack],
                Some("the channel's id, like \"C0123456789\""),
            ),
            (
                "email",
                self.email.is_some(),
                &[Email],
                Some("a table with host, from and to"),
            ),
        ]
    }

    pub(crate) fn check(&self) -> Result<(), DispatcherError> {
        for (field, given, kinds, needed) in self.belongings() {
            let belongs = kinds.contains(&self.kind);
            self.misplaced(field, given && !belongs)?;
            if let Some(write) = needed.filter(|_| belongs && !given) {
                return Err(self.missing(field, write));
            }
        }
        let has_own_address = match self.kind {
            ReceiverKind::Alertmanager | ReceiverKind::Webhook | ReceiverKind::Teams => true,
            ReceiverKind::PagerDuty | ReceiverKind::Slack | ReceiverKind::Email => false,
        };
        if has_own_address && self.url.is_none() {
            return Err(self.missing("url", "the address that it is told at"));
        }
        if matches!(self.url, Some(SecretSource::Plain(_))) {
            http::target(self, None)?;
        }
        self.email
            .as_ref()
            .map_or(Ok(()), |email| self.check_email(email))?;
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), DispatcherError> {
        self.at_least_a_millisecond("timeout", self.timeout)?;
        self.at_least_a_millisecond("repost_interval", self.repost_interval())?;
        self.at_least_a_millisecond("retry_min", self.retry_min)?;
        if self.retry_max < self.retry_min {
            return Err(self.out_of_range(
                "retry_max",
                format!("{:?}", self.retry_max),
                "it must not be shorter than retry_min",
            ));
        }
        if !(1..=64).contains(&self.concurrency()) {
            return Err(self.out_of_range(
                "concurrency",
                self.concurrency().to_string(),
                "1 to 64 are accepted",
            ));
        }
        Ok(())
    }

    fn check_email(&self, email: &EmailConfig) -> Result<(), DispatcherError> {
        if email.to.is_empty() {
            return Err(self.missing("email.to", "a list of addresses"));
        }
        mailboxes(self, email)?;
        if email.user.is_some() != email.password.is_some() {
            return Err(self.missing(
                if email.user.is_some() {
                    "email.password"
                } else {
                    "email.user"
                },
                "both for a login, or neither",
            ));
        }
        if email.tls == EmailTls::None && email.user.is_some() {
            return Err(self.out_of_range(
                "email.tls",
                "\"none\"".to_owned(),
                "a login would be sent in the open; write \"required\", or leave user and password out",
            ));
        }
        Ok(())
    }

    fn misplaced(&self, field: &'static str, given: bool) -> Result<(), DispatcherError> {
        if given {
            return Err(DispatcherError::Misplaced {
                name: self.name.clone(),
                field,
                kind: self.kind.as_written(),
            });
        }
        Ok(())
    }

    fn missing(&self, field: &'static str, write: &'static str) -> DispatcherError {
        DispatcherError::Missing {
            name: self.name.clone(),
            field,
            kind: self.kind.as_written(),
            write,
        }
    }

    fn at_least_a_millisecond(
        &self,
        field: &'static str,
        value: Duration,
    ) -> Result<(), DispatcherError> {
        if value < Duration::from_millis(1) {
            return Err(self.out_of_range(field, format!("{value:?}"), "at least 1ms is needed"));
        }
        Ok(())
    }

    fn out_of_range(
        &self,
        field: &'static str,
        value: String,
        expected: &'static str,
    ) -> DispatcherError {
        DispatcherError::OutOfRange {
            name: self.name.clone(),
            field,
            value,
            expected,
        }
    }
}
