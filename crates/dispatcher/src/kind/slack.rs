//! Slack's Web API: one message an incident, posted when it begins and changed as it goes on, with an entry in its thread for
//! each further state.
//!
//! The message is known again by `channel/ts`, the reference that is recorded when it was posted. Where that was lost in a
//! crash, the next state is a message of its own.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::{Value, json};
use slawatch_wire::v1::AlertState;

use crate::config::ReceiverConfig;
use crate::delivery::{Answer, state_word};
use crate::error::DispatcherError;
use crate::http::{self, HttpClient, Response};
use crate::links::Links;
use crate::message::{Format, Telling, Templates};
use crate::queue::Item;
use crate::secret::Secret;

const URL: &str = "https://slack.com/api";
/// Of a section's text.
const LONGEST_SECTION: usize = 3000;
/// Of the text that notifications show; more is cut by Slack.
const LONGEST_TEXT: usize = 3000;
/// Where Slack asks for a pause without saying how long.
const PAUSE_MS: i64 = 1_000;

/// See the module.
pub(crate) struct Slack {
    pub(super) http: HttpClient,
    token: Secret,
    channel: String,
    templates: Templates,
    links: Arc<Links>,
}

#[derive(Debug, Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

/// What a call came to.
enum Call {
    Done(Said),
    /// Slack's word for what is wrong with the request.
    Refused(String),
    Failed(Answer),
}

impl Slack {
    pub(super) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        config.check()?;
        let token = config.token.as_ref();
        let token = token.map(|source| source.resolve(&config.place(), "token"));
        Ok(Self {
            http: HttpClient::new(config, Some(URL))?,
            token: token.transpose()?.unwrap_or_else(|| Secret::new("")),
            channel: config.channel.clone().unwrap_or_default(),
            templates: Templates::new(config)?,
            links: Arc::clone(links),
        })
    }

    pub(super) async fn send(&self, item: &Item, now_ms: i64) -> Answer {
        let telling = Telling::of(item, &self.links, now_ms);
        let Some((channel, ts)) = item.delivery.reference.split_once('/') else {
            return self.post(telling).await;
        };
        let mut message = self.message(telling);
        message["channel"] = channel.into();
        message["ts"] = ts.into();
        match self.call("chat.update", &message, now_ms).await {
            Call::Done(_) => {}
            // Somebody removed it, or Slack's terms let nobody change it any more.
            Call::Refused(error)
                if matches!(
                    error.as_str(),
                    "message_not_found" | "cant_update_message" | "edit_window_closed"
                ) =>
            {
                return self.post(telling).await;
            }
            Call::Refused(error) => return refusal(&error),
            Call::Failed(answer) => return answer,
        }
        let entry = self.entry(telling, channel, ts);
        let detail = match self.call("chat.postMessage", &entry, now_ms).await {
            Call::Done(_) => "200 OK: updated".to_owned(),
            // The message itself says it all; without its thread it has been told.
            Call::Refused(error) => format!("200 OK: updated, but not its thread: {error}"),
            Call::Failed(answer) => return answer,
        };
        Answer::Taken {
            detail,
            reference: item.delivery.reference.clone(),
        }
    }

    async fn post(&self, telling: Telling<'_>) -> Answer {
        let mut message = self.message(telling);
        message["channel"] = self.channel.as_str().into();
        match self
            .call("chat.postMessage", &message, telling.now_ms)
            .await
        {
            Call::Done(said) => Answer::Taken {
                detail: "200 OK: posted".to_owned(),
                reference: format!("{}/{}", said.channel, said.ts),
            },
            Call::Refused(error) => refusal(&error),
            Call::Failed(answer) => answer,
        }
    }

    fn message(&self, telling: Telling<'_>) -> Value {
        let title = self.templates.title(telling);
        let text = format!("{} {title}", mark(telling));
        let shown = Format::Slack.escape(&text);
        let section = format!("*{}*\n{}", shown, self.templates.body(telling));
        json!({
            "text": fitted(&shown, LONGEST_TEXT),
            "blocks": [{
                "type": "section",
                "text": { "type": "mrkdwn", "text": fitted(&section, LONGEST_SECTION) },
            }],
            "unfurl_links": false,
            "unfurl_media": false,
        })
    }

    /// One line for the thread; what got worse is shown in the channel too.
    fn entry(&self, telling: Telling<'_>, channel: &str, ts: &str) -> Value {
        let Telling { alert, intent, .. } = telling;
        let word = match intent.state {
            AlertState::Firing => "Still firing".to_owned(),
            AlertState::Acknowledged if alert.author.is_empty() => "Acknowledged".to_owned(),
            AlertState::Acknowledged => format!("Acknowledged by {}", alert.author),
            AlertState::Resolved => "Resolved".to_owned(),
            AlertState::Retracted => "Retracted: it was never true".to_owned(),
            AlertState::Expired => "Expired".to_owned(),
            AlertState::Pending | AlertState::Unspecified => state_word(intent.state).to_owned(),
        };
        let text = match alert.reason.as_str() {
            "" => word,
            reason => format!("{word}: {reason}"),
        };
        let text = format!("{} {text}", mark(telling));
        json!({
            "channel": channel,
            "thread_ts": ts,
            "reply_broadcast": intent.state == AlertState::Firing,
            "text": fitted(&Format::Slack.escape(&text), LONGEST_TEXT),
            "unfurl_links": false,
            "unfurl_media": false,
        })
    }

    async fn call(&self, method: &str, body: &Value, now_ms: i64) -> Call {
        let body = match http::json(body) {
            Ok(body) => body,
            Err(refusal) => return Call::Failed(refusal),
        };
        let bearer = format!("Bearer {}", self.token.expose());
        let request = self.http.post_below(method).header(AUTHORIZATION, bearer);
        match http::send(request.body(body), now_ms).await {
            Ok(response) => judge(method, &response),
            Err(trouble) => Call::Failed(trouble),
        }
    }
}

fn judge(method: &str, response: &Response) -> Call {
    if response.status != StatusCode::OK {
        return Call::Failed(response.judge());
    }
    let said = match serde_json::from_str::<Said>(&response.text) {
        Ok(said) => said,
        Err(_) => {
            let detail = format!(
                "{method}: {}; that is no answer of Slack, check url and what stands before it",
                response.detail()
            );
            return Call::Failed(response.trouble(detail, true));
        }
    };
    let has_name = !said.channel.is_empty() && !said.ts.is_empty();
    match said.error.as_str() {
        _ if said.ok && has_name => Call::Done(said),
        _ if said.ok => {
            Call::Failed(response.trouble(format!("{method}: the answer names no message"), true))
        }
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            Call::Failed(Answer::Trouble {
                detail: format!("{method}: {}", said.error),
                retry_after_ms: response.retry_after_ms.or(Some(PAUSE_MS)),
                maybe_delivered: false,
            })
        }
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "external_channel_migrating" => {
            Call::Failed(response.trouble(format!("{method}: {}", said.error), true))
        }
        _ => Call::Refused(said.error),
    }
}

/// What Slack will say again however often it is asked, and what helps.
fn refusal(error: &str) -> Answer {
    let advice = match error {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            "; check token, it must be the bot token of an installed app"
        }
        "missing_scope" | "not_allowed_token_type" => {
            "; give the app the scope chat:write and install it again"
        }
        "channel_not_found" => "; check channel, best its id, and invite the app into it",
        "not_in_channel" => "; invite the app into the channel",
        "is_archived" => "; the channel is archived, name another one",
        _ => "",
    };
    Answer::Refused {
        detail: format!("200 OK: {error}{advice}"),
    }
}

fn mark(telling: Telling<'_>) -> &'static str {
    match telling.intent.state {
        AlertState::Firing | AlertState::Pending => match telling.alert.severity.as_str() {
            "critical" => "🔴",
            "error" => "🟠",
            "warning" => "🟡",
            _ => "🔵",
        },
        AlertState::Acknowledged => "👀",
        AlertState::Resolved => "✅",
        AlertState::Retracted => "↩️",
        AlertState::Expired | AlertState::Unspecified => "⚪",
    }
}

/// At most so many characters: whole lines, or else a part of the first one in which nothing is torn.
fn fitted(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = longest - 2;
    for line in text.lines() {
        let size = line.chars().count() + 1;
        if size > left {
            break;
        }
        left -= size;
        kept.push_str(line);
        kept.push('\n');
    }
    if kept.is_empty() {
        kept = text.chars().take(longest - 2).collect();
        for (opens, closes) in [('<', '>'), ('&', ';')] {
            let opened = kept.rfind(opens);
            let closed = kept.rfind(closes);
            if let Some(at) = opened.filter(|at| closed.is_none_or(|closed| closed < *at)) {
                kept.truncate(at);
            }
        }
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::sample;

    /// What a message's thread is told of a state.
    fn entry(state: AlertState, author: &str, reason: &str) -> Value {
        let config = "name = \"s\"\ntype = \"slack\"\ntoken = \"t\"\nchannel = \"C1\"";
        let links = Arc::new(Links::default());
        let slack = Slack::new(&toml::from_str(config).unwrap(), &links).unwrap();
        let (mut alert, mut intent, _) = sample::all().swap_remove(0);
        (alert.author, alert.reason, intent.state) = (author.into(), reason.into(), state);
        let telling = Telling {
            alert: &alert,
            intent: &intent,
            links: &links,
            now_ms: 0,
        };
        slack.entry(telling, "C1", "1.2")
    }

    #[test]
    fn a_thread_says_what_became_of_it_and_the_channel_hears_what_got_worse() {
        for (state, author, reason, text, in_channel) in [
            (
                AlertState::Firing,
                "",
                "got worse: 41 %",
                "🔴 Still firing: got worse: 41 %",
                true,
            ),
            (
                AlertState::Acknowledged,
                "Maria <m@x>",
                "",
                "👀 Acknowledged by Maria &lt;m@x&gt;",
                false,
            ),
            (
                AlertState::Acknowledged,
                "",
                "on it",
                "👀 Acknowledged: on it",
                false,
            ),
            (
                AlertState::Resolved,
                "",
                "back at 85 %",
                "✅ Resolved: back at 85 %",
                false,
            ),
            (
                AlertState::Retracted,
                "",
                "",
                "↩️ Retracted: it was never true",
                false,
            ),
            (AlertState::Expired, "", "", "⚪ Expired", false),
        ] {
            let entry = entry(state, author, reason);
            assert_eq!(entry["text"], text);
            assert_eq!(entry["reply_broadcast"], in_channel, "{text}");
            assert_eq!(
                (&entry["channel"], &entry["thread_ts"]),
                (&"C1".into(), &"1.2".into())
            );
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_lines_or_characters() {
        assert_eq!(fitted("short", 10), "short");
        assert_eq!(fitted("one\ntwo\nthree", 10), "one\ntwo\n…");
        assert_eq!(fitted("üüüüüüüüüüüü", 10), "üüüüüüüü…");
        assert_eq!(fitted("abc<https://x|y>", 12), "abc…");
        assert_eq!(fitted("abcdef&amp;ghi", 10), "abcdef…");
        for longest in 4..40 {
            let cut = fitted("a&amp;b <https://x|y> c\nd", longest);
            assert!(cut.chars().count() <= longest, "{longest}: {cut}");
        }
    }
}
