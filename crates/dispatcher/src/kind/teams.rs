//! Microsoft Teams by a webhook of Workflows (the older connectors are retired): an Adaptive Card for each state.
//!
//! A card cannot be changed afterwards, so each state is a card of its own. Messages are limited to 28 KB.

use std::sync::Arc;

use serde_json::{Value, json};
use slawatch_wire::v1::AlertState;

use crate::config::ReceiverConfig;
use crate::delivery::Answer;
use crate::error::DispatcherError;
use crate::http::{self, HttpClient};
use crate::links::Links;
use crate::message::{Format, Telling, Templates};
use crate::queue::Item;

const LONGEST_BYTES: usize = 28 * 1024;
/// Kept for what Teams adds on its way.
const SPARE_BYTES: usize = 1024;
/// A card shows no more buttons side by side.
const MOST_ACTIONS: usize = 6;

/// See the module.
pub(crate) struct Teams {
    pub(super) http: HttpClient,
    templates: Templates,
    links: Arc<Links>,
}

impl Teams {
    pub(super) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        Ok(Self {
            http: HttpClient::new(config, None)?,
            templates: Templates::new(config)?,
            links: Arc::clone(links),
        })
    }

    pub(super) async fn send(&self, items: &[Item], now_ms: i64) -> Answer {
        let tellings: Vec<_> = items
            .iter()
            .map(|item| Telling::of(item, &self.links, now_ms))
            .collect();
        let request = match self.fitting(&tellings) {
            Ok(body) => self.http.post().body(body),
            Err(refusal) => return refusal,
        };
        match http::send(request, now_ms).await {
            Ok(response) => response.judge(),
            Err(trouble) => trouble,
        }
    }

    /// The message with as much of the texts as there is room for.
    fn fitting(&self, tellings: &[Telling<'_>]) -> Result<Vec<u8>, Answer> {
        let mut room = LONGEST_BYTES;
        loop {
            let body = http::json(&self.message(tellings, room))?;
            if body.len() <= LONGEST_BYTES - SPARE_BYTES || room < 64 {
                return Ok(body);
            }
            room /= 2;
        }
    }

    fn message(&self, tellings: &[Telling<'_>], room: usize) -> Value {
        let title = self.templates.title_of_all(tellings);
        let mut blocks = vec![json!({
            "type": "TextBlock",
            "text": Format::Markdown.escape(&cut(&title, room)),
            "size": "Medium",
            "weight": "Bolder",
            "wrap": true,
            "color": tellings.first().map_or("Default", |first| color(*first)),
        })];
        let each = room / tellings.len().max(1);
        for (place, telling) in tellings.iter().enumerate() {
            if tellings.len() > 1 {
                let title = cut(&self.templates.title(*telling), each);
                blocks.push(json!({
                    "type": "TextBlock",
                    "text": Format::Markdown.strong(&title),
                    "wrap": true,
                    "separator": place > 0,
                }));
            }
            // In a card's Markdown one line break is none.
            let text = cut(&self.templates.body(*telling), each).replace('\n', "\n\n");
            blocks.push(json!({ "type": "TextBlock", "text": text, "wrap": true }));
        }
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "msteams": { "width": "Full" },
                    "body": blocks,
                    "actions": actions(tellings),
                },
            }],
        })
    }
}

/// Buttons, where the card is about one incident.
fn actions(tellings: &[Telling<'_>]) -> Vec<Value> {
    let [telling] = tellings else {
        return Vec::new();
    };
    let Telling { alert, intent, .. } = telling;
    let links = telling
        .links
        .of(alert, &intent.incident, intent.state, telling.now_ms);
    let named = links.named().into_iter().take(MOST_ACTIONS);
    named
        .map(|(title, url)| json!({ "type": "Action.OpenUrl", "title": title, "url": url }))
        .collect()
}

fn color(telling: Telling<'_>) -> &'static str {
    match telling.intent.state {
        AlertState::Firing | AlertState::Pending => match telling.alert.severity.as_str() {
            "critical" | "error" => "Attention",
            "warning" => "Warning",
            _ => "Accent",
        },
        AlertState::Acknowledged => "Accent",
        AlertState::Resolved => "Good",
        AlertState::Retracted | AlertState::Expired | AlertState::Unspecified => "Default",
    }
}

/// Whole lines as long as there is room, or else a part of the first one.
fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let kept = http::shortened(text, bytes.saturating_sub('…'.len_utf8()));
    let kept = kept.rfind('\n').map_or(kept, |end| &kept[..end]);
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::sample;

    #[test]
    fn a_card_of_many_long_texts_fits() {
        let config = "name = \"t\"\ntype = \"teams\"\nurl = \"https://teams\"";
        let links = Arc::new(sample::links());
        let teams = Teams::new(&toml::from_str(config).unwrap(), &links).unwrap();
        let (mut alert, intent, _) = sample::all().swap_remove(0);
        alert.reason = "[grün](x) \"\\\" ".repeat(4_000);
        let telling = Telling {
            alert: &alert,
            intent: &intent,
            links: &links,
            now_ms: 0,
        };
        for count in [1, 30] {
            let body = teams.fitting(&vec![telling; count]).unwrap();
            assert!(body.len() <= LONGEST_BYTES, "{count}: {}", body.len());
            let text = String::from_utf8(body).unwrap();
            assert!(text.contains("CRITICAL") && text.contains("grün"), "{text}");
        }
    }

    #[test]
    fn texts_are_cut_between_lines() {
        assert_eq!(cut("one\ntwo", 7), "one\ntwo");
        assert_eq!(cut("one\ntwo three", 10), "one…");
        assert_eq!(cut("üüüüüüü", 10), "üüü…");
    }
}
