//! What the vendors' servers do with a request, as their protocol documentation says: whether its form is right, and what a
//! right one is answered. What is wrong with a form is kept too, so that a test finds it whatever was answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::target::Seen;

pub const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy";
pub const CHANNEL: &str = "C0123456789";

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    Webhook,
    PagerDuty,
    Slack,
    Teams,
}

/// What a vendor's server remembers.
#[derive(Debug, Default)]
pub struct Memory {
    /// Slack's messages by `ts`, each with its text.
    pub messages: BTreeMap<String, String>,
    /// Slack's threads: the message's `ts` and the entry's text.
    pub threads: Vec<(String, String)>,
    /// PagerDuty's alerts by key: how they stand.
    pub alerts: BTreeMap<String, String>,
    posts: u32,
}

impl Vendor {
    pub const ALL: [Self; 4] = [Self::Webhook, Self::PagerDuty, Self::Slack, Self::Teams];

    /// `[[receiver]]` of this kind.
    pub fn settings(self, name: &str, url: &str) -> String {
        let (kind, url, more) = match self {
            Self::Webhook => (
                "webhook",
                url.to_owned(),
                "hmac_key = \"s3cret\"".to_owned(),
            ),
            Self::PagerDuty => (
                "pagerduty",
                format!("{url}/v2/enqueue"),
                format!("routing_key = \"{ROUTING_KEY}\""),
            ),
            Self::Slack => (
                "slack",
                format!("{url}/api"),
                format!("token = \"{TOKEN}\"\nchannel = \"{CHANNEL}\""),
            ),
            Self::Teams => ("teams", format!("{url}/workflows/abc?sig=x"), String::new()),
        };
        format!(
            "[[receiver]]\nname = \"{name}\"\ntype = \"{kind}\"\nurl = \"{url}\"\nallow_private = true\n{more}\n"
        )
    }

    /// What a right request is recorded as.
    pub fn taken(self) -> &'static str {
        match self {
            Self::Webhook => "200 OK",
            Self::PagerDuty | Self::Teams => "202 Accepted",
            Self::Slack => "200 OK: posted",
        }
    }

    /// The form of a request.
    pub fn examine(self, seen: &Seen) -> Result<(), String> {
        let header = |name: &str| seen.headers.get(name).map_or("", String::as_str);
        is("the method", &seen.method, "POST")?;
        is("content-type", header("content-type"), "application/json")?;
        is(
            "user-agent",
            header("user-agent"),
            concat!("slawatch/", env!("CARGO_PKG_VERSION")),
        )?;
        let body: Value = serde_json::from_slice(&seen.body).map_err(|error| error.to_string())?;
        match self {
            Self::Webhook => webhook(seen, &body),
            Self::PagerDuty => pagerduty(seen, &body),
            Self::Slack => slack(seen, &body),
            Self::Teams => teams(seen, &body),
        }
    }

    /// The answer to a right request.
    pub fn answer(self, memory: &mut Memory, seen: &Seen) -> (u16, String) {
        match self {
            Self::Webhook => (200, "ok".to_owned()),
            Self::PagerDuty => answer_of_pagerduty(memory, &seen.json()),
            Self::Slack => answer_of_slack(memory, seen),
            Self::Teams => (202, String::new()),
        }
    }
}

fn is(what: &str, found: &str, expected: &str) -> Result<(), String> {
    (found == expected)
        .then_some(())
        .ok_or_else(|| format!("{what} is {found:?}, not {expected:?}"))
}

fn ensure(holds: bool, what: impl Into<String>) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| what.into())
}

/// A text that is there, of at most so many characters.
fn text<'a>(body: &'a Value, pointer: &str, longest: usize) -> Result<&'a str, String> {
    let found = body.pointer(pointer).and_then(Value::as_str);
    let found = found.ok_or_else(|| format!("{pointer} is no text in {body:#}"))?;
    let count = found.chars().count();
    ensure(
        (1..=longest).contains(&count),
        format!("{pointer} has {count} characters"),
    )?;
    Ok(found)
}

fn webhook(seen: &Seen, body: &Value) -> Result<(), String> {
    let header = |name: &str| seen.headers.get(name).map_or("", String::as_str);
    ensure(header("idempotency-key").len() == 32, "no idempotency key")?;
    let signature = header("x-slawatch-signature");
    let seconds = signature
        .strip_prefix("t=")
        .and_then(|rest| rest.split(',').next());
    let seconds: i64 = seconds
        .and_then(|text| text.parse().ok())
        .ok_or("no signature")?;
    let key = slawatch_dispatcher::secret::Secret::new("s3cret");
    let expected = slawatch_dispatcher::kind::webhook::signature(&key, seconds * 1000, &seen.body);
    is("the signature", signature, &expected)?;
    for field in [
        "state", "key", "incident", "rule", "severity", "at", "summary", "title", "body",
    ] {
        text(body, &format!("/{field}"), 100_000)?;
    }
    ensure(
        body["evidence"].is_object() && body["labels"].is_object(),
        "no evidence or labels",
    )
}

fn pagerduty(seen: &Seen, body: &Value) -> Result<(), String> {
    const KNOWN: [&str; 8] = [
        "routing_key",
        "event_action",
        "dedup_key",
        "payload",
        "images",
        "links",
        "client",
        "client_url",
    ];
    is("the path", &seen.path, "/v2/enqueue")?;
    let fields = body.as_object().ok_or("no object")?;
    for field in fields.keys() {
        ensure(
            KNOWN.contains(&field.as_str()),
            format!("{field} is no field of an event"),
        )?;
    }
    is("routing_key", text(body, "/routing_key", 32)?, ROUTING_KEY)?;
    text(body, "/dedup_key", 255)?;
    for link in body["links"].as_array().into_iter().flatten() {
        ensure(
            text(link, "/href", 4096)?.starts_with("http"),
            "a link without address",
        )?;
        text(link, "/text", 256)?;
    }
    match text(body, "/event_action", 16)? {
        "trigger" => {
            text(body, "/payload/summary", 1024)?;
            text(body, "/payload/source", 255)?;
            let severity = text(body, "/payload/severity", 16)?;
            let is_known = ["critical", "error", "warning", "info"].contains(&severity);
            ensure(is_known, format!("the severity {severity}"))?;
            let timestamp = text(body, "/payload/timestamp", 64)?;
            ensure(
                timestamp.parse::<jiff::Timestamp>().is_ok(),
                format!("the timestamp {timestamp}"),
            )?;
            ensure(body["payload"]["custom_details"].is_object(), "no details")
        }
        "acknowledge" | "resolve" => Ok(()),
        action => Err(format!("the action {action}")),
    }
}

fn answer_of_pagerduty(memory: &mut Memory, body: &Value) -> (u16, String) {
    let key = body["dedup_key"].as_str().unwrap_or_default().to_owned();
    let action = body["event_action"].as_str().unwrap_or_default().to_owned();
    memory.alerts.insert(key.clone(), action);
    let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
    (202, answer.to_string())
}

fn slack(seen: &Seen, body: &Value) -> Result<(), String> {
    let authorization = seen.headers.get("authorization").map_or("", String::as_str);
    is("authorization", authorization, &format!("Bearer {TOKEN}"))?;
    text(body, "/text", 40_000)?;
    text(body, "/channel", 64)?;
    let blocks = body["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    ensure(blocks.len() <= 50, "more than 50 blocks")?;
    for block in blocks {
        is("a block", text(block, "/type", 16)?, "section")?;
        is("its text", text(block, "/text/type", 16)?, "mrkdwn")?;
        let shown = text(block, "/text/text", 3000)?;
        let without_links = shown
            .replace("&amp;", "")
            .replace("&lt;", "")
            .replace("&gt;", "");
        ensure(
            !without_links.contains('&'),
            format!("& is not escaped in {shown}"),
        )?;
        let (opened, closed) = (shown.matches('<').count(), shown.matches('>').count());
        ensure(opened == closed, format!("< is not escaped in {shown}"))?;
    }
    match seen.path.as_str() {
        "/api/chat.postMessage" => Ok(()),
        "/api/chat.update" => text(body, "/ts", 32).map(|_| ()),
        path => Err(format!("the method {path}")),
    }
}

fn answer_of_slack(memory: &mut Memory, seen: &Seen) -> (u16, String) {
    let body = seen.json();
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let wrong = |error: &str| (200, json!({ "ok": false, "error": error }).to_string());
    if field("channel") != CHANNEL {
        return wrong("channel_not_found");
    }
    let ts = if seen.path == "/api/chat.update" {
        let ts = field("ts");
        match memory.messages.get_mut(&ts) {
            Some(text) => *text = field("text"),
            None => return wrong("message_not_found"),
        }
        ts
    } else {
        memory.posts += 1;
        let ts = format!("1503435956.{:06}", memory.posts);
        let thread = field("thread_ts");
        if thread.is_empty() {
            memory.messages.insert(ts.clone(), field("text"));
        } else if memory.messages.contains_key(&thread) {
            memory.threads.push((thread, field("text")));
        } else {
            return wrong("thread_not_found");
        }
        ts
    };
    let answer =
        json!({ "ok": true, "channel": CHANNEL, "ts": ts, "message": { "text": field("text") } });
    (200, answer.to_string())
}

fn teams(seen: &Seen, body: &Value) -> Result<(), String> {
    is("the path", &seen.path, "/workflows/abc?sig=x")?;
    ensure(seen.body.len() <= 28 * 1024, "more than 28 KB")?;
    is("the type", text(body, "/type", 16)?, "message")?;
    let attachments = body["attachments"].as_array().map_or(0, Vec::len);
    ensure(attachments == 1, "not one card")?;
    let card = &body["attachments"][0];
    is(
        "the content",
        text(card, "/contentType", 64)?,
        "application/vnd.microsoft.card.adaptive",
    )?;
    is("the card", text(card, "/content/type", 16)?, "AdaptiveCard")?;
    let version = text(card, "/content/version", 8)?;
    ensure(
        ["1.0", "1.2", "1.4", "1.5"].contains(&version),
        format!("version {version}"),
    )?;
    let blocks = card["content"]["body"]
        .as_array()
        .ok_or("a card without body")?;
    for block in blocks {
        is("a block", text(block, "/type", 16)?, "TextBlock")?;
        text(block, "/text", 28 * 1024)?;
    }
    for action in card["content"]["actions"].as_array().into_iter().flatten() {
        is("an action", text(action, "/type", 32)?, "Action.OpenUrl")?;
        ensure(
            text(action, "/url", 4096)?.starts_with("http"),
            "an action without address",
        )?;
        text(action, "/title", 64)?;
    }
    Ok(())
}
