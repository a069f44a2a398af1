//! Links that messages carry: to the ticket, the board and the runbook, and the one that acknowledges.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use slawatch_wire::link::Acknowledgement;
use slawatch_wire::v1::AlertTransition;

use crate::config::DispatcherConfig;
use crate::delivery::is_over;
use crate::error::DispatcherError;
use crate::secret::Secret;
use slawatch_wire::v1::AlertState;

/// What stands for the ticket in `ticket_url`.
const PLACE: &str = "{ticket_id}";
/// An acknowledgement's link changes only so often, so that what is sent again reads as before.
const STEP_S: i64 = 3_600;

/// How links are made.
#[derive(Debug, Default)]
pub struct Links {
    board_url: Option<String>,
    ticket_url: Option<String>,
    secret: Option<Secret>,
    valid_for_s: i64,
}

/// The links of one message; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinksOf {
    pub(crate) ticket: String,
    pub(crate) board: String,
    pub(crate) runbook: String,
    pub(crate) acknowledge: String,
}

impl LinksOf {
    /// Those that there are, with what people call them, the most useful first.
    pub(crate) fn named(&self) -> Vec<(&'static str, &str)> {
        [
            ("Acknowledge", self.acknowledge.as_str()),
            ("Ticket", &self.ticket),
            ("Runbook", &self.runbook),
            ("Board", &self.board),
        ]
        .into_iter()
        .filter(|(_, url)| !url.is_empty())
        .collect()
    }
}

impl Links {
    /// Fetches the secret.
    ///
    /// # Errors
    /// If the secret is missing.
    pub fn new(config: &DispatcherConfig) -> Result<Self, DispatcherError> {
        let secret = config.link_secret.as_ref();
        let secret = secret.map(|source| source.resolve("dispatcher", "link_secret"));
        Ok(Self {
            board_url: config.board_url.clone(),
            ticket_url: config.ticket_url.clone(),
            secret: secret.transpose()?,
            valid_for_s: i64::try_from(config.link_valid_for.as_secs()).unwrap_or(i64::MAX / 4),
        })
    }

    /// Of a ticket; empty where nothing says how.
    pub(crate) fn ticket(&self, ticket_id: &str) -> String {
        let Some(template) = self.ticket_url.as_ref().filter(|_| !ticket_id.is_empty()) else {
            return String::new();
        };
        let id = utf8_percent_encode(ticket_id, NON_ALPHANUMERIC).to_string();
        template.replace(PLACE, &id)
    }

    /// Of a message sent at `now_ms` that tells of `state`.
    pub(crate) fn of(
        &self,
        alert: &AlertTransition,
        incident: &str,
        state: AlertState,
        now_ms: i64,
    ) -> LinksOf {
        let may_be_acknowledged = match state {
            AlertState::Firing => true,
            AlertState::Pending | AlertState::Acknowledged => false,
            AlertState::Resolved
            | AlertState::Retracted
            | AlertState::Expired
            | AlertState::Unspecified => {
                debug_assert!(is_over(state));
                false
            }
        };
        let acknowledge = match (&self.board_url, &self.secret) {
            (Some(board_url), Some(secret)) if may_be_acknowledged => {
                let hour_s = now_ms.div_euclid(1000 * STEP_S) * STEP_S;
                let link = Acknowledgement {
                    key: &alert.key,
                    incident,
                    expires_s: hour_s + STEP_S + self.valid_for_s,
                };
                link.link(board_url, secret.expose().as_bytes())
            }
            _ => String::new(),
        };
        LinksOf {
            ticket: self.ticket(&alert.ticket_id),
            board: self.board_url.clone().unwrap_or_default(),
            runbook: alert.runbook_url.clone(),
            acknowledge,
        }
    }
}

/// What is wrong with the settings that links are made of.
pub(crate) fn check(config: &DispatcherConfig) -> Vec<DispatcherError> {
    let mut mistakes = Vec::new();
    let mut wrong = |field, reason| mistakes.push(DispatcherError::Link { field, reason });
    let is_web = |url: &str| {
        let parsed = reqwest::Url::parse(url);
        parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    if config.board_url.as_ref().is_some_and(|url| !is_web(url)) {
        wrong(
            "board_url",
            "it is no address; write it like \"https://slawatch.example.com\"",
        );
    }
    if let Some(url) = &config.ticket_url {
        if !url.contains(PLACE) {
            wrong(
                "ticket_url",
                "it does not say where the ticket's id goes; write it like \
                 \"https://desk.example.com/tickets/{ticket_id}\"",
            );
        } else if !is_web(&url.replace(PLACE, "1")) {
            wrong(
                "ticket_url",
                "it is no address; write it like \"https://desk.example.com/tickets/{ticket_id}\"",
            );
        }
    }
    if config.link_secret.is_some() && config.board_url.is_none() {
        wrong(
            "link_secret",
            "links that acknowledge lead to the board; write board_url too, or remove it",
        );
    }
    if config.link_valid_for < Duration::from_secs(60) {
        wrong(
            "link_valid_for",
            "nobody could use a link in time; write at least \"1m\"",
        );
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> DispatcherConfig {
        toml::from_str(text).unwrap()
    }

    fn alert() -> AlertTransition {
        AlertTransition {
            key: "k/1".into(),
            ticket_id: "T 1/2".into(),
            runbook_url: "https://runbook".into(),
            ..AlertTransition::default()
        }
    }

    #[test]
    fn a_message_has_the_links_that_there_are() {
        let all = config(
            "board_url = \"https://board/\"\nticket_url = \"https://desk/{ticket_id}?x\"\nlink_secret = \"s\"",
        );
        let links = Links::new(&all).unwrap();
        let of = links.of(&alert(), "i", AlertState::Firing, 7_200_500);
        assert_eq!(of.ticket, "https://desk/T%201%2F2?x");
        assert_eq!(
            (of.board.as_str(), of.runbook.as_str()),
            ("https://board/", "https://runbook")
        );
        let later = links.of(&alert(), "i", AlertState::Firing, 10_799_999);
        assert_eq!(of.acknowledge, later.acknowledge);
        let signature = of.acknowledge.rsplit_once("&sig=").unwrap().1;
        let expires_s = 7_200 + 3_600 + 86_400;
        let same = Acknowledgement {
            key: "k/1",
            incident: "i",
            expires_s,
        };
        assert_eq!(same.verify(signature, b"s", expires_s), Ok(()));
        // What is seen to, or over, is acknowledged no more.
        for state in [AlertState::Acknowledged, AlertState::Resolved] {
            assert_eq!(links.of(&alert(), "i", state, 0).acknowledge, "");
        }
        let none = Links::new(&config(""))
            .unwrap()
            .of(&alert(), "i", AlertState::Firing, 0);
        assert_eq!(none.named(), [("Runbook", "https://runbook")]);
    }

    #[test]
    fn every_mistake_says_what_to_write() {
        for (text, message) in [
            (
                "board_url = \"board\"",
                "board_url: it is no address; write it like \"https://slawatch.example.com\"",
            ),
            (
                "ticket_url = \"https://desk\"",
                "ticket_url: it does not say where the ticket's id goes; write it like \
                 \"https://desk.example.com/tickets/{ticket_id}\"",
            ),
            (
                "ticket_url = \"{ticket_id}\"",
                "ticket_url: it is no address; write it like \"https://desk.example.com/tickets/{ticket_id}\"",
            ),
            (
                "link_secret = \"hunter2\"",
                "link_secret: links that acknowledge lead to the board; write board_url too, or remove it",
            ),
            (
                "link_valid_for = \"1s\"",
                "link_valid_for: nobody could use a link in time; write at least \"1m\"",
            ),
        ] {
            let told: Vec<_> = check(&config(text))
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(told, [message], "{text}");
        }
    }
}
