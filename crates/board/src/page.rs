//! The wallboard page. Rendered here once, escaped by maud; the script in it only fetches [`Page::live`] every second and
//! puts what changed in place.

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, html};

use crate::feed::Snapshot;
use crate::sources::SourceOut;
use crate::status::{Freshness, Status};
use crate::view::{State, View};
use crate::wording::{UNKNOWN, count, duration, plural};
use crate::zone::Zone;

mod alerts;
#[cfg(test)]
mod browser;
mod details;
mod list;
mod papers;
mod queues;
mod shell;
mod silences;
#[cfg(test)]
mod tests;
mod trend;

pub(crate) use details::Details;
pub(crate) use list::AlertList;
pub(crate) use papers::{ByLink, acknowledged_by_link, detour, login, refused};
pub(crate) use shell::{Done, Viewer, alert_address, login_address};
pub(crate) use silences::Silences;

pub(crate) const CSS: &str = include_str!("page/board.css");
pub(crate) const JS: &str = include_str!("page/board.js");
pub(crate) const ICON: &str = include_str!("page/icon.svg");

/// Names this program's page, so that a screen on the wall loads the page of a new program by itself.
const EDITION: u64 = {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let parts = [
        CSS.as_bytes(),
        JS.as_bytes(),
        env!("CARGO_PKG_VERSION").as_bytes(),
    ];
    let mut part = 0;
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            hash = (hash ^ parts[part][index] as u64).wrapping_mul(0x100_0000_01b3);
            index += 1;
        }
        part += 1;
    }
    hash
};

/// One rendering.
pub(crate) struct Page<'a> {
    view: &'a View,
    status: &'a Status,
    zone: &'a Zone,
    /// What ages are measured from.
    as_of_ms: i64,
    viewer: Cow<'a, Viewer>,
    /// The one vendor that is shown.
    chosen: Option<&'a str>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, status: &'a Status, zone: &'a Zone) -> Self {
        Self {
            view: &snapshot.view,
            status,
            zone,
            as_of_ms: snapshot.view.as_of_ms.unwrap_or(status.now_ms),
            viewer: Cow::Owned(Viewer::default()),
            chosen: None,
        }
    }

    /// The same for somebody, of one vendor only or of all.
    pub(crate) fn for_viewer(self, viewer: &'a Viewer, chosen: Option<&'a str>) -> Self {
        Self {
            viewer: Cow::Borrowed(viewer),
            chosen,
            ..self
        }
    }

    fn shows(&self, vendor: &str) -> bool {
        self.chosen.is_none_or(|chosen| chosen == vendor)
    }

    /// The whole page, filled in: it says something without its script, too.
    pub(crate) fn document(&self) -> String {
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                (shell::head(&self.title(), &html! { script src="/board.js" defer {} }))
                body {
                    div #lost role="alert" hidden {
                        strong { "✕ No connection to slawatch" }
                        " What you see is old. Trying again every second."
                    }
                    (self.main())
                }
            }
        };
        document.into_string()
    }

    /// What changes.
    pub(crate) fn live(&self) -> String {
        self.main().into_string()
    }

    fn main(&self) -> Markup {
        html! {
            main #board data-edition=(format!("{EDITION:016x}")) data-title=(self.title()) {
                (self.header())
                (shell::tools(&self.viewer, "/", Some(&self.filter())))
                (self.banner())
                (self.alerts())
                (self.queues())
                (self.footer())
            }
        }
    }

    fn filter(&self) -> shell::Filter<'_> {
        shell::Filter {
            vendors: list::vendors(self.view),
            chosen: self.chosen,
        }
    }

    fn title(&self) -> String {
        let firing = self.view.alerts.firing.len();
        match self.status.freshness {
            Freshness::Stale => "stale · slawatch".to_owned(),
            Freshness::Starting | Freshness::CatchingUp => "starting · slawatch".to_owned(),
            Freshness::Live if firing > 0 => {
                format!("{} · slawatch", plural(firing, "alert"))
            }
            Freshness::Live => "all quiet · slawatch".to_owned(),
        }
    }

    fn header(&self) -> Markup {
        let (word, class) = match self.status.freshness {
            Freshness::Starting => ("… starting", "waiting"),
            Freshness::CatchingUp => ("… catching up", "waiting"),
            Freshness::Stale => ("✕ stale", "stale"),
            Freshness::Live => ("● live", "live"),
        };
        html! {
            header #head class=(class) {
                h1 { "slawatch" }
                dl.tally {
                    (self.tally("Alerts firing", self.view.alerts.firing.len()))
                    (self.tally("Open breaches", self.open_breaches()))
                    (self.tally("Open tickets", self.open_tickets()))
                }
                div.asof {
                    span.label { "Data as of" }
                    @match self.view.as_of_ms {
                        Some(as_of_ms) => {
                            time { (self.zone.time_of_day(as_of_ms)) }
                            span.date { (self.zone.date(as_of_ms)) " " (self.zone.name()) }
                        }
                        None => time { (UNKNOWN) }
                    }
                    span.freshness { (word) " · " (self.lag()) }
                }
            }
        }
    }

    fn tally(&self, label: &str, number: impl TryInto<i64>) -> Markup {
        let number = number.try_into().unwrap_or(i64::MAX);
        html! {
            div class=[(number > 0).then_some("some")] {
                dt { (label) }
                dd { (count(number)) }
            }
        }
    }

    fn lag(&self) -> String {
        match self.status.lag_ms {
            None => "nothing heard yet".to_owned(),
            Some(lag_ms) if lag_ms < -1_000 => format!("{} ahead", duration(-lag_ms)),
            Some(lag_ms) => format!("{} behind", duration(lag_ms.max(0))),
        }
    }

    fn open_breaches(&self) -> u64 {
        self.view
            .vendors
            .iter()
            .map(|vendor| vendor.group.open_breaches)
            .sum()
    }

    fn open_tickets(&self) -> i64 {
        let vendors = self.view.vendors.iter();
        vendors
            .map(|vendor| vendor.group.standing.open_tickets)
            .sum()
    }

    /// Whatever keeps the picture from being whole and fresh.
    fn banner(&self) -> Markup {
        let stale = match (self.status.freshness, self.status.still_for_ms) {
            (Freshness::Stale, Some(still_for_ms)) => {
                // Whole tens of seconds: a screen reader shall not read it out every second.
                let still_for_ms = still_for_ms / 10_000 * 10_000;
                Some(i64::try_from(still_for_ms).unwrap_or(i64::MAX))
            }
            _ => None,
        };
        let out: Vec<String> = self
            .view
            .sources_out
            .iter()
            .map(|out| self.source_out(out))
            .collect();
        let says_nothing = stale.is_none()
            && self.status.trouble.is_none()
            && out.is_empty()
            && self.view.gaps.is_empty();
        html! {
            div #banner role="alert" hidden[says_nothing] {
                @if let Some(still_for_ms) = stale {
                    p.stale {
                        strong { "✕ Stale" }
                        " No progress from the trackers for more than " (duration(still_for_ms)) "."
                    }
                }
                @if let Some(trouble) = &self.status.trouble {
                    p.stale { strong { "✕ Cannot read" } " " (trouble) }
                }
                @if !out.is_empty() && self.view.as_of_ms.is_some() {
                    p.partial { strong { "◆ Partial" } " Without " (out.join(", ")) "." }
                }
                @for gap in &self.view.gaps {
                    p.partial { strong { "◆ Partial" } " " (gap) "." }
                }
            }
        }
    }

    fn source_out(&self, out: &SourceOut) -> String {
        match out.clock_ms {
            // In minutes, for the same reason.
            Some(clock_ms) => {
                let since = self.zone.short(clock_ms, self.as_of_ms);
                format!("source {} (silent since {since})", out.source)
            }
            None => format!("source {} (not heard yet)", out.source),
        }
    }

    fn footer(&self) -> Markup {
        html! {
            footer #foot {
                p {
                    "Service level: (answered + abandoned in target) ÷ (answered + abandoned). "
                    "ASA, AHT and abandon rate: last 60 min. Today: from midnight " (self.zone.name()) ". "
                    "A dash: nothing to divide by."
                }
            }
        }
    }
}

/// A state as icon, word and class: never by colour alone.
const fn shown_state(state: State) -> (&'static str, &'static str, &'static str) {
    match state {
        State::Critical => ("▲", "ALERT", "critical"),
        State::Warning => ("◆", "WARN", "warning"),
        State::Watch => ("●", "WATCH", "watch"),
        State::Ok => ("✔", "OK", "ok"),
        State::Idle => ("○", "IDLE", "idle"),
    }
}

fn named(name: &str) -> &str {
    if name.is_empty() { "(unnamed)" } else { name }
}
