//! Pages with little on them: the way in, links in messages, what was not done and why.

use maud::{DOCTYPE, Markup, html};
use slawatch_wire::v1::Action;

use super::details::summary;
use super::shell::{self, Viewer};
use crate::alerts::Alert;
use crate::server::{Link, Refusal};
use crate::zone::Zone;

/// The way in.
pub(crate) fn login(viewer: &Viewer, next: &str, wrong: Option<&str>) -> String {
    let inside = html! {
        h1 { "Log in" }
        @if let Some(wrong) = wrong { p.wrong role="alert" { "✕ " (wrong) } }
        @if viewer.can_log_in {
            form.narrow method="post" action="/login" {
                input type="hidden" name="next" value=(next);
                p.field {
                    label for="login-token" { "Your token" }
                    input #login-token name="token" type="password" required autocomplete="current-password" autofocus;
                }
                p.help { "Whoever runs slawatch gives out tokens. This browser remembers yours for 30 days, or until you log out." }
                button type="submit" { "Log in" }
            }
        } @else {
            p.note { "No token is configured, so nobody can log in: board.access.tokens of the configuration names people." }
        }
    };
    shell::document("Log in", viewer, "/login", &inside)
}

/// Leads to the same address again, from a page of ours.
pub(crate) fn detour(address: &str) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            (shell::head("slawatch", &html! { meta http-equiv="refresh" content=(format!("0; url={address}")); }))
            body.paper { main #content { p { a href=(address) { "Go on" } } } }
        }
    };
    document.into_string()
}

/// What was not done, and why.
pub(crate) fn refused(viewer: &Viewer, refusal: &Refusal) -> String {
    let inside = html! {
        h1 { "Not done" }
        @match refusal {
            Refusal::Mistakes(mistakes) => {
                ul.wrong role="alert" {
                    @for mistake in &mistakes.0 { li { b { (label(mistake.field)) } ": " (mistake.message) } }
                }
            }
            other => p.wrong role="alert" { "✕ " (sentence(&other.to_string())) },
        }
        p { "Go back in your browser to change it, or to " a href="/" { "the board" } "." }
    };
    shell::document("Not done", viewer, "", &inside)
}

/// As the field is called on the pages.
fn label(field: &str) -> &str {
    match field {
        "author" => "Your name",
        "reason" => "Reason",
        "ends_at" => "End",
        "starts_at" => "From",
        "vendor" => "Vendor",
        other => other,
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// What a link in a message would acknowledge.
#[derive(Debug)]
pub(crate) struct ByLink<'a> {
    /// None: it does not fire, or is not known.
    pub(crate) alert: Option<&'a Alert>,
    /// Everything that fires is known.
    pub(crate) is_known: bool,
    pub(crate) link: &'a Link,
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a Zone,
    pub(crate) viewer: &'a Viewer,
}

impl ByLink<'_> {
    pub(crate) fn document(&self) -> String {
        let inside = match self.alert {
            Some(alert) => html! {
                (summary(alert, self.now_ms, self.zone))
                @if alert.acknowledged.is_none() { (self.form()) }
            },
            None if self.is_known => html! {
                h1 { "It is over" }
                p { "What this link is about does not fire any more, and there is nothing to acknowledge." }
            },
            None => html! {
                h1 { "Acknowledge" }
                p.note { "The board is still reading, and cannot show the alert yet: " b { (self.link.key) } }
                (self.form())
            },
        };
        shell::document("Acknowledge", self.viewer, "", &inside)
    }

    fn form(&self) -> Markup {
        let link = self.link;
        let name = self.viewer.user.as_deref().unwrap_or_default();
        html! {
            form.narrow method="post" action="/ack" {
                @for (name, value) in [("key", &link.key), ("incident", &link.incident), ("sig", &link.sig)] {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="exp" value=(link.exp);
                p.help { "You see to it: nobody further is called, unless it gets worse." }
                p.field {
                    label for="author" { "Your name" }
                    input #author name="author" required maxlength="180" autocomplete="name" value=(name);
                }
                p.field {
                    label for="reason" { "Note " span.soft { "(may be empty)" } }
                    input #reason name="reason" maxlength="1000" autocomplete="off";
                }
                button type="submit" { "Acknowledge" }
            }
        }
    }
}

/// After it.
pub(crate) fn acknowledged_by_link(viewer: &Viewer, action: &Action) -> String {
    let inside = html! {
        p.done role="status" { "✔ Acknowledged by " (action.author) "." }
        p { "It is written down. Nobody further is called, unless it gets worse." }
        p { a href=(shell::alert_address(&action.alert_key)) { "The alert on the board" } }
    };
    shell::document("Acknowledged", viewer, "", &inside)
}
