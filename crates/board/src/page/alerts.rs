//! What fires: alerts of queues as cards, alerts of single tickets gathered by rule and queue.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::details::state;
use super::shell::{self, alert_address, escaped};
use super::{Page, named};
use crate::alerts::{Alert, Phase, Severity};
use crate::wording::{duration, fact, plural};

/// More cards than this push the queues off the screen.
const CARDS: usize = 6;
const LINES: usize = 6;
const FACTS: usize = 6;
const ENDED: usize = 3;

impl Page<'_> {
    pub(super) fn alerts(&self) -> Markup {
        let alerts = &self.view.alerts;
        let pending: Vec<&Alert> = self.shown(&alerts.pending);
        let ended: Vec<&Alert> = self.shown(&alerts.ended);
        let firing = self.shown(&alerts.firing);
        let (of_tickets, of_queues): (Vec<&Alert>, Vec<&Alert>) =
            firing.iter().partition(|alert| alert.is_of_ticket());
        let gathered = gather(&of_tickets);
        html! {
            section #alerts aria-label="Alerts" {
                @if firing.is_empty() {
                    p.quiet { "✔ No alert is firing" @if let Some(vendor) = self.chosen { " of " (vendor) } }
                }
                @if !of_queues.is_empty() {
                    ul.cards {
                        @for alert in of_queues.iter().take(CARDS) { (self.card(alert)) }
                    }
                    (more(of_queues.len(), CARDS, "alert"))
                }
                @if !gathered.is_empty() {
                    ul.lines {
                        @for gathered in gathered.iter().take(LINES) { (self.line(gathered)) }
                    }
                    (more(gathered.len(), LINES, "group"))
                }
                @if !pending.is_empty() || !ended.is_empty() {
                    ul.lines.quieter {
                        @for alert in pending.iter().take(ENDED) {
                            li {
                                b { "◷ Pending" } " " (alert.summary) " · " (alert.reason)
                            }
                        }
                        @for alert in ended.iter().take(ENDED) { (self.ended(alert)) }
                    }
                }
            }
        }
    }

    fn shown<'b>(&self, alerts: &'b [Alert]) -> Vec<&'b Alert> {
        let all = alerts.iter();
        all.filter(|alert| self.shows(&alert.vendor)).collect()
    }

    fn card(&self, alert: &Alert) -> Markup {
        let (icon, class) = shown_severity(alert.severity);
        html! {
            li class=(if alert.acknowledged.is_some() { format!("{class} seen-to") } else { class.to_owned() }) {
                p.top {
                    b { (icon) " " (alert.severity.name().to_uppercase()) }
                    span.rule { (alert.rule) }
                    span.since {
                        "since " (self.zone.short(alert.since_ms, self.as_of_ms))
                        " (" (self.age(alert.since_ms)) ")"
                    }
                }
                p.summary { (alert.summary) }
                p.facts {
                    @if !alert.reason.is_empty() { span { (alert.reason) } }
                    @for one in alert.evidence.iter().take(FACTS) {
                        @let (name, value) = fact(&one.name, one.value);
                        span { (name) " " b { (value) } }
                    }
                    @if is_web_address(&alert.runbook_url) {
                        a href=(alert.runbook_url) rel="noreferrer" { "Runbook" }
                    }
                }
                div.doing {
                    p { (state(alert, self.as_of_ms, self.zone)) }
                    (self.buttons(alert))
                }
            }
        }
    }

    /// Their ids let the script find the one that had the focus.
    fn buttons(&self, alert: &Alert) -> Markup {
        let (address, id) = (alert_address(&alert.key), escaped(&alert.key));
        html! {
            // Nobody known: the name is asked for on the alert's page.
            @if self.viewer.may_act && alert.acknowledged.is_none() {
                @if self.viewer.user.is_some() {
                    form method="post" action="/act/acknowledge" {
                        (shell::secrets(&self.viewer))
                        input type="hidden" name="key" value=(alert.key);
                        input type="hidden" name="incident" value=(alert.incident);
                        button id=(format!("acknowledge-{id}")) type="submit" aria-label=(format!("Acknowledge: {}", alert.summary)) {
                            "Acknowledge"
                        }
                    }
                } @else {
                    a.button id=(format!("acknowledge-{id}")) href=(format!("{address}#acknowledge"))
                        aria-label=(format!("Acknowledge: {}", alert.summary)) { "Acknowledge" }
                }
            }
            @if self.viewer.may_act {
                a.button.second id=(format!("silence-{id}")) href=(format!("{address}#silence"))
                    aria-label=(format!("Silence: {}", alert.summary)) { "Silence" }
            }
            a.button.plain id=(format!("details-{id}")) href=(address) aria-label=(format!("Details: {}", alert.summary)) {
                "Details"
            }
        }
    }

    fn line(&self, gathered: &Gathered<'_>) -> Markup {
        let newest = gathered.newest;
        let (icon, class) = shown_severity(newest.severity);
        html! {
            li class=(class) {
                b { (icon) " " (newest.severity.name().to_uppercase()) } " "
                (named(&newest.vendor)) " / " (named(&newest.queue)) " · "
                b { (plural(gathered.tickets, "ticket")) } " · " (newest.rule)
                " · since " (self.zone.short(gathered.since_ms, self.as_of_ms))
                span.newest { a href=(self.gathered_address(gathered)) { (newest.summary) } }
            }
        }
    }

    /// Of one ticket its alert, of several the list.
    fn gathered_address(&self, gathered: &Gathered<'_>) -> String {
        if gathered.tickets == 1 {
            alert_address(&gathered.newest.key)
        } else {
            format!("/alerts?vendor={}", escaped(&gathered.newest.vendor))
        }
    }

    fn ended(&self, alert: &Alert) -> Markup {
        let word = match alert.state {
            Phase::Retracted => "✔ Retracted",
            Phase::Expired => "✔ Expired",
            Phase::Resolved | Phase::Pending | Phase::Firing | Phase::Acknowledged => "✔ Resolved",
        };
        html! {
            li {
                b { (word) } " " (self.zone.short(alert.changed_at_ms, self.as_of_ms))
                " " (alert.summary) " · " (alert.reason)
            }
        }
    }

    /// In minutes, so that the card does not change every second.
    fn age(&self, since_ms: i64) -> String {
        let age_ms = (self.as_of_ms - since_ms).max(0);
        if age_ms < 60_000 {
            "now".to_owned()
        } else {
            duration(age_ms / 60_000 * 60_000)
        }
    }
}

/// Alerts of single tickets with one rule and queue.
struct Gathered<'a> {
    tickets: usize,
    since_ms: i64,
    newest: &'a Alert,
}

/// In the order in which the first of each comes.
fn gather<'a>(alerts: &[&'a Alert]) -> Vec<Gathered<'a>> {
    let mut places: BTreeMap<(Severity, &str, &str, &str), usize> = BTreeMap::new();
    let mut gathered: Vec<Gathered<'a>> = Vec::new();
    for alert in alerts {
        let group = (
            alert.severity,
            alert.rule.as_str(),
            alert.vendor.as_str(),
            alert.queue.as_str(),
        );
        let place = *places.entry(group).or_insert(gathered.len());
        match gathered.get_mut(place) {
            Some(of) => {
                of.tickets += 1;
                of.since_ms = of.since_ms.min(alert.since_ms);
            }
            None => gathered.push(Gathered {
                tickets: 1,
                since_ms: alert.since_ms,
                newest: alert,
            }),
        }
    }
    gathered
}

fn more(all: usize, shown: usize, what: &str) -> Markup {
    html! {
        @if all > shown {
            p.more { a href="/alerts" { "and " (plural(all - shown, what)) " more" } }
        }
    }
}

pub(super) const fn shown_severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("▲", "critical"),
        Severity::Error => ("▲", "error"),
        Severity::Warning => ("◆", "warning"),
        Severity::Info => ("●", "info"),
    }
}

/// A rules file could name a `javascript:` address.
pub(super) fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
