//! The frame of every page but the wallboard itself: where one is, who one is, where one can go.

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// Whoever looks at a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Viewer {
    /// Known by a token.
    pub(crate) user: Option<String>,
    pub(crate) may_act: bool,
    /// There are tokens.
    pub(crate) can_log_in: bool,
    /// The secret of forms.
    pub(crate) form_token: String,
}

/// What was done, told on the page that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Done {
    Acknowledged,
    Silenced,
    Ended,
}

impl Done {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Silenced => "silenced",
            Self::Ended => "ended",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::Acknowledged => {
                "✔ Acknowledged. It is written down; the board shows it as soon as the evaluator has read it."
            }
            Self::Silenced => {
                "✔ Silenced. It is written down, and nobody is told from its begin on; alerts still show on the board."
            }
            Self::Ended => {
                "✔ Ended. It is written down; whoever has something to hear hears it from now on."
            }
        }
    }
}

/// All that a query's value must not hold as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Where an alert is found.
pub(crate) fn alert_address(key: &str) -> String {
    format!("/alert?key={}", escaped(key))
}

/// Where to log in on the way to somewhere.
pub(crate) fn login_address(next: &str) -> String {
    format!("/login?next={}", escaped(next))
}

pub(super) fn head(title: &str, more: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="dark light";
            title { (title) }
            link rel="icon" type="image/svg+xml" href="/icon.svg";
            link rel="stylesheet" href="/board.css";
            (more)
        }
    }
}

/// Links to the other pages, and who one is. `vendors` to choose from are of this page, if it can be filtered.
pub(super) fn tools(viewer: &Viewer, here: &str, chosen: Option<&Filter<'_>>) -> Markup {
    html! {
        nav #tools aria-label="Pages" {
            ul {
                @for (address, name) in [("/", "Board"), ("/alerts", "Alerts"), ("/silences", "Silences")] {
                    li { a href=(address) aria-current=[(address == here).then_some("page")] { (name) } }
                }
            }
            @if let Some(filter) = chosen { (filter.form(here)) }
            (who(viewer, here))
        }
    }
}

fn who(viewer: &Viewer, here: &str) -> Markup {
    html! {
        @if let Some(user) = &viewer.user {
            form.who method="post" action="/logout" {
                span { (user) @if !viewer.may_act { " (may look)" } }
                button.plain type="submit" { "Log out" }
            }
        } @else if viewer.can_log_in {
            p.who { a href=(login_address(here)) { "Log in to act" } }
        }
    }
}

/// A choice of one vendor.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    pub(super) vendors: Vec<&'a str>,
    pub(super) chosen: Option<&'a str>,
}

impl Filter<'_> {
    fn form(&self, here: &str) -> Markup {
        html! {
            form.filter method="get" action=(here) {
                label for="vendor" { "Vendor" }
                select #vendor name="vendor" {
                    option value="" selected[self.chosen.is_none()] { "All" }
                    @for vendor in &self.vendors {
                        option value=(vendor) selected[self.chosen == Some(vendor)] { (vendor) }
                    }
                }
                button.plain type="submit" { "Show" }
            }
        }
    }
}

/// A page with something to read or to fill in.
pub(super) fn document(title: &str, viewer: &Viewer, here: &str, inside: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("{title} · slawatch"), &html! {}))
            body.paper {
                a.skip href="#content" { "Skip to the content" }
                (tools(viewer, here, None))
                main #content { (inside) }
            }
        }
    };
    document.into_string()
}

pub(super) fn told(done: Option<Done>) -> Markup {
    html! {
        @if let Some(done) = done { p.done role="status" { (done.told()) } }
    }
}

/// What forms need that are sent by nobody known.
pub(super) fn secrets(viewer: &Viewer) -> Markup {
    html! { input type="hidden" name="token" value=(viewer.form_token); }
}

/// The name, where no token says it. `id` tells the fields of several forms apart.
pub(super) fn author(viewer: &Viewer, id: &str) -> Markup {
    html! {
        @if viewer.user.is_none() {
            p.field {
                label for=(id) { "Your name" }
                input id=(id) name="author" required maxlength="190" autocomplete="name";
            }
        }
    }
}
