//! Silences: what is kept quiet, by whom, why, and until when.

use maud::{Markup, html};

use super::details::{Prefilled, silence_form};
use super::shell::{self, Done, Viewer};
use crate::silences::{SilenceState, SilenceView};
use crate::wording::duration;
use crate::zone::Zone;

/// The page.
#[derive(Debug)]
pub(crate) struct Silences<'a> {
    pub(crate) silences: &'a [SilenceView],
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a Zone,
    pub(crate) viewer: &'a Viewer,
    pub(crate) done: Option<Done>,
}

impl Silences<'_> {
    pub(crate) fn document(&self) -> String {
        let inside = html! {
            (shell::told(self.done))
            h1 { "Silences" }
            p.help { "Nobody is told of alerts that match; they still show on the board." }
            @if self.silences.is_empty() { p.quiet { "✔ Nothing is silenced" } }
            ul.silences {
                @for silence in self.silences { (self.silence(silence)) }
            }
            @if self.viewer.may_act {
                div.forms { (silence_form(&Prefilled::default(), self.viewer, self.zone)) }
            }
        };
        shell::document("Silences", self.viewer, "/silences", &inside)
    }

    fn silence(&self, silence: &SilenceView) -> Markup {
        let (icon, word, class) = match silence.state {
            SilenceState::Active => ("◼", "Active", "warning"),
            SilenceState::Planned => ("◷", "Planned", "info"),
            SilenceState::Ended => ("✔", "Over", "ok"),
        };
        let when = |ms| self.zone.short(ms, self.now_ms);
        html! {
            li class=(class) {
                p.top {
                    b { (icon) " " (word) }
                    span { (when(silence.starts_at_ms)) " – " (when(silence.ends_at_ms)) " " (self.zone.name()) }
                    @if silence.state == SilenceState::Active {
                        span.since { (duration((silence.ends_at_ms - self.now_ms).max(0) / 60_000 * 60_000)) " left" }
                    }
                }
                p.summary { (what(silence)) }
                p { "“" (silence.reason) "” " span.soft { "— " (silence.author) ", " (when(silence.created_at_ms)) } }
                @if let Some(ended) = &silence.ended {
                    p.soft { "Ended by " (ended.by) " " (when(ended.at_ms)) @if !ended.reason.is_empty() { ": " (ended.reason) } }
                } @else if self.viewer.may_act && silence.state != SilenceState::Ended {
                    (self.end(silence))
                }
            }
        }
    }

    fn end(&self, silence: &SilenceView) -> Markup {
        html! {
            form.row method="post" action="/act/end-silence" {
                (shell::secrets(self.viewer))
                input type="hidden" name="id" value=(silence.id);
                @if self.viewer.user.is_none() {
                    label.unseen for=(format!("author-{}", silence.id)) { "Your name" }
                    input id=(format!("author-{}", silence.id)) name="author" placeholder="Your name" required maxlength="190" autocomplete="name";
                }
                button.second type="submit" aria-label=(format!("End the silence of {}", in_words(silence))) { "End now" }
            }
        }
    }
}

fn parts(silence: &SilenceView) -> Vec<(&'static str, &str)> {
    let parts = [
        ("vendor", silence.vendor.as_str()),
        ("queue", silence.queue.as_str()),
        ("rule", silence.rule.as_str()),
        ("ticket", silence.ticket_id.as_str()),
    ];
    let named = parts.into_iter().filter(|(_, glob)| !glob.is_empty());
    named.collect()
}

fn in_words(silence: &SilenceView) -> String {
    let parts = parts(silence).into_iter();
    let parts: Vec<String> = parts.map(|(name, glob)| format!("{name} {glob}")).collect();
    parts.join(", ")
}

fn what(silence: &SilenceView) -> Markup {
    html! {
        @for (at, (name, glob)) in parts(silence).into_iter().enumerate() {
            @if at > 0 { " · " }
            span.soft { (name) } " " (glob)
        }
    }
}
