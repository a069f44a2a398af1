//! All alerts, those of single tickets too, of one vendor or of all.

use maud::{Markup, html};

use super::alerts::shown_severity;
use super::details::state;
use super::named;
use super::shell::{self, Filter, Viewer};
use crate::alerts::Alert;
use crate::view::View;
use crate::wording::plural;
use crate::zone::Zone;

/// More rows than this are a wall and no list.
const ROWS: usize = 300;

/// The page.
#[derive(Debug)]
pub(crate) struct AlertList<'a> {
    pub(crate) view: &'a View,
    pub(crate) chosen: Option<&'a str>,
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a Zone,
    pub(crate) viewer: &'a Viewer,
}

impl AlertList<'_> {
    pub(crate) fn document(&self) -> String {
        let alerts = &self.view.alerts;
        let inside = html! {
            (self.part("Firing", &alerts.firing))
            (self.part("Pending", &alerts.pending))
            (self.part("Ended within the last hour", &alerts.ended))
        };
        let filter = Filter {
            vendors: vendors(self.view),
            chosen: self.chosen,
        };
        let document = html! {
            (maud::DOCTYPE)
            html lang="en" {
                (shell::head("Alerts · slawatch", &html! {}))
                body.paper {
                    a.skip href="#content" { "Skip to the content" }
                    (shell::tools(self.viewer, "/alerts", Some(&filter)))
                    main #content { h1 { "Alerts" } (inside) }
                }
            }
        };
        document.into_string()
    }

    fn part(&self, title: &str, alerts: &[Alert]) -> Markup {
        let is_chosen = |alert: &&Alert| self.chosen.is_none_or(|vendor| vendor == alert.vendor);
        let chosen: Vec<&Alert> = alerts.iter().filter(is_chosen).collect();
        html! {
            section {
                h2 { (title) " " span.soft { (chosen.len()) } }
                @if chosen.is_empty() { p.soft { "None." } }
                ul.list { @for alert in chosen.iter().take(ROWS) { (self.row(alert)) } }
                @if chosen.len() > ROWS {
                    p.more { "and " (plural(chosen.len() - ROWS, "alert")) " more: /api/v1/alerts" }
                }
            }
        }
    }

    fn row(&self, alert: &Alert) -> Markup {
        let (icon, class) = shown_severity(alert.severity);
        html! {
            li class=(class) {
                p.top {
                    b { (icon) " " (alert.severity.name().to_uppercase()) }
                    span { (named(&alert.vendor)) @if !alert.queue.is_empty() { " / " (alert.queue) } }
                    span.since { "since " (self.zone.short(alert.since_ms, self.now_ms)) }
                }
                p.summary { a href=(shell::alert_address(&alert.key)) { (alert.summary) } }
                p { (state(alert, self.now_ms, self.zone)) }
            }
        }
    }
}

/// Everybody of whom something is shown.
pub(super) fn vendors(view: &View) -> Vec<&str> {
    let alerts = view.alerts.firing.iter().chain(&view.alerts.pending);
    let of_alerts = alerts.map(|alert| alert.vendor.as_str());
    let of_queues = view.vendors.iter().map(|vendor| vendor.vendor.as_str());
    let all: std::collections::BTreeSet<&str> = of_queues.chain(of_alerts).collect();
    all.into_iter()
        .filter(|vendor| !vendor.is_empty())
        .collect()
}
