//! One alert with all that is known of it, and what can be done about it.

use maud::{Markup, html};

use super::alerts::{is_web_address, shown_severity};
use super::named;
use super::shell::{self, Done, Viewer};
use crate::alerts::{Alert, Phase, Step, Ticket};
use crate::wording::{UNKNOWN, duration, fact};
use crate::zone::Zone;

/// The page.
#[derive(Debug)]
pub(crate) struct Details<'a> {
    pub(crate) alert: &'a Alert,
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a Zone,
    pub(crate) viewer: &'a Viewer,
    pub(crate) done: Option<Done>,
}

impl Details<'_> {
    pub(crate) fn document(&self) -> String {
        let inside = html! {
            (shell::told(self.done))
            (summary(self.alert, self.now_ms, self.zone))
            @if self.alert.state.fires() { (self.seeing_to_it()) }
            (self.grounds())
            (self.history())
            @if self.viewer.may_act && self.alert.state.fires() { div.forms { (self.silence()) } }
        };
        shell::document(
            &self.alert.summary,
            self.viewer,
            &shell::alert_address(&self.alert.key),
            &inside,
        )
    }

    fn seeing_to_it(&self) -> Markup {
        let (alert, viewer) = (self.alert, self.viewer);
        html! {
            @if viewer.may_act {
                @if alert.acknowledged.is_none() { div.forms { (self.acknowledge()) } }
            } @else if viewer.user.is_some() {
                p.note { "Your token may look and not act." }
            } @else if viewer.can_log_in {
                p.note {
                    a href=(shell::login_address(&shell::alert_address(&alert.key))) { "Log in" }
                    " to acknowledge or silence."
                }
            } @else {
                p.note {
                    "Nobody can act here yet: the configuration gives nobody a token (board.access.tokens). "
                    "Links in messages and the command line work without."
                }
            }
        }
    }

    fn acknowledge(&self) -> Markup {
        html! {
            form #acknowledge method="post" action="/act/acknowledge" {
                h2 { "Acknowledge" }
                p.help { "You see to it: nobody further is called, unless it gets worse." }
                (shell::secrets(self.viewer))
                input type="hidden" name="key" value=(self.alert.key);
                input type="hidden" name="incident" value=(self.alert.incident);
                (shell::author(self.viewer, "acknowledge-author"))
                p.field {
                    label for="acknowledge-reason" { "Note " span.soft { "(may be empty)" } }
                    input #acknowledge-reason name="reason" maxlength="1000" autocomplete="off";
                }
                button type="submit" { "Acknowledge" }
            }
        }
    }

    fn silence(&self) -> Markup {
        let alert = self.alert;
        let prefilled = Prefilled {
            vendor: &alert.vendor,
            queue: &alert.queue,
            rule: &alert.rule,
            ticket_id: &alert.ticket_id,
        };
        silence_form(&prefilled, self.viewer, self.zone)
    }

    fn grounds(&self) -> Markup {
        let alert = self.alert;
        html! {
            @if !alert.evidence.is_empty() {
                section {
                    h2 { "Evidence" }
                    dl.evidence {
                        @for one in &alert.evidence {
                            @let (name, value) = fact(&one.name, one.value);
                            div { dt { (name) } dd { (value) } }
                        }
                    }
                }
            }
            @if !alert.worst_tickets.is_empty() {
                section {
                    h2 { "Worst tickets" }
                    div.wide { table {
                        thead { tr {
                            th.name scope="col" { "Ticket" } th scope="col" { "Clock" } th scope="col" { "Due" }
                            th scope="col" { "Used" } th scope="col" { "Target" }
                        } }
                        tbody { @for ticket in &alert.worst_tickets { (self.ticket(ticket)) } }
                    } }
                }
            }
            @if !alert.contributions.is_empty() {
                section {
                    h2 { "What they have in common" }
                    ul.parts {
                        @for part in &alert.contributions {
                            li { (part.attribute) " " b { (named(&part.value)) } " · " (part.tickets) }
                        }
                    }
                }
            }
        }
    }

    fn ticket(&self, ticket: &Ticket) -> Markup {
        let unknown = || UNKNOWN.to_owned();
        let due = ticket
            .due_ms
            .map(|due_ms| self.zone.short(due_ms, self.now_ms));
        html! {
            tr {
                th.name scope="row" { (ticket.ticket_id) }
                td { (ticket.metric.replace('_', " ")) }
                td { (due.unwrap_or_else(unknown)) }
                td { (ticket.elapsed_ms.map_or_else(unknown, duration)) }
                td { (ticket.target_ms.map_or_else(unknown, duration)) }
            }
        }
    }

    fn history(&self) -> Markup {
        html! {
            section {
                h2 { "What happened" }
                ol.steps {
                    @for step in &self.alert.history { (self.step(step)) }
                }
                details {
                    summary { "For programs" }
                    dl.evidence {
                        div { dt { "key" } dd { (self.alert.key) } }
                        div { dt { "incident" } dd { (self.alert.incident) } }
                        @for (name, value) in &self.alert.labels { div { dt { (name) } dd { (value) } } }
                    }
                }
            }
        }
    }

    fn step(&self, step: &Step) -> Markup {
        html! {
            li {
                time { (self.zone.short(step.at_ms, self.now_ms)) }
                b { (step.state.name()) @if !step.author.is_empty() { " by " (step.author) } }
                span { (step.reason) }
            }
        }
    }
}

/// What it is, since when, and who sees to it.
pub(super) fn summary(alert: &Alert, now_ms: i64, zone: &Zone) -> Markup {
    let (icon, class) = shown_severity(alert.severity);
    let for_ms = (now_ms - alert.since_ms).max(0) / 60_000 * 60_000;
    html! {
        section class=(format!("subject {class}")) {
            p.top {
                b { (icon) " " (alert.severity.name().to_uppercase()) }
                span { (alert.rule) }
                span { (named(&alert.vendor)) @if !alert.queue.is_empty() { " / " (alert.queue) } }
            }
            h1 { (alert.summary) }
            p { (state(alert, now_ms, zone)) }
            @if alert.state == Phase::Firing && !alert.reason.is_empty() { p.soft { (alert.reason) } }
            p.soft {
                "Since " (zone.short(alert.since_ms, now_ms)) " " (zone.name()) ", for "
                (if for_ms < 60_000 { "less than a minute".to_owned() } else { duration(for_ms) })
                @if !alert.ticket_id.is_empty() { " · ticket " (alert.ticket_id) }
                @if is_web_address(&alert.runbook_url) {
                    " · " a href=(alert.runbook_url) rel="noreferrer" { "Runbook" }
                }
            }
        }
    }
}

/// Where it is in its life, in words.
pub(super) fn state(alert: &Alert, now_ms: i64, zone: &Zone) -> Markup {
    html! {
        @match (&alert.acknowledged, alert.state) {
            (Some(acknowledged), _) => {
                span.seen {
                    "✔ " b { (acknowledged.by) } " sees to it since " (zone.short(acknowledged.at_ms, now_ms))
                }
                @if !acknowledged.reason.is_empty() { span.soft { " “" (acknowledged.reason) "”" } }
            }
            (None, Phase::Firing | Phase::Acknowledged) => { span.unseen-to { "● Nobody sees to it yet" } }
            (None, Phase::Pending) => { span.soft { "◷ Pending: " (alert.reason) } }
            (None, Phase::Resolved) => { span.seen { "✔ Resolved " (zone.short(alert.changed_at_ms, now_ms)) } " " (alert.reason) }
            (None, Phase::Retracted) => { span.seen { "✔ Retracted " (zone.short(alert.changed_at_ms, now_ms)) } " " (alert.reason) }
            (None, Phase::Expired) => { span.seen { "✔ Expired " (zone.short(alert.changed_at_ms, now_ms)) } " " (alert.reason) }
        }
    }
}

/// What a silence begins with.
#[derive(Debug, Default)]
pub(super) struct Prefilled<'a> {
    vendor: &'a str,
    queue: &'a str,
    rule: &'a str,
    ticket_id: &'a str,
}

/// Makes a silence, now or ahead.
pub(super) fn silence_form(prefilled: &Prefilled<'_>, viewer: &Viewer, zone: &Zone) -> Markup {
    html! {
        form #silence method="post" action="/act/silence" {
            h2 { "Silence" }
            p.help { "Nobody is told of alerts that match, until the silence ends. * stands for any text; empty for all." }
            (shell::secrets(viewer))
            (shell::author(viewer, "silence-author"))
            div.columns {
                @for (name, label, value) in [
                    ("vendor", "Vendor", prefilled.vendor),
                    ("queue", "Queue", prefilled.queue),
                    ("rule", "Rule", prefilled.rule),
                    ("ticket_id", "Ticket", prefilled.ticket_id),
                ] {
                    p.field {
                        label for=(format!("silence-{name}")) { (label) }
                        input id=(format!("silence-{name}")) name=(name) value=(value) maxlength="200" autocomplete="off";
                    }
                }
                (lasts(zone))
            }
            p.field {
                label for="silence-reason" { "Reason" }
                input #silence-reason name="reason" required maxlength="1000" autocomplete="off";
            }
            button.second type="submit" { "Silence" }
        }
    }
}

fn lasts(zone: &Zone) -> Markup {
    html! {
        p.field {
            label for="silence-from" { "From " span.soft { "(" (zone.name()) "; empty: now)" } }
            input #silence-from name="from" type="datetime-local";
        }
        p.field {
            label for="silence-lasts" { "For" }
            select #silence-lasts name="lasts" {
                @for (minutes, words) in [
                    (30, "30 minutes"), (60, "1 hour"), (240, "4 hours"), (480, "8 hours"), (1_440, "1 day"), (10_080, "1 week"),
                ] {
                    option value=(minutes) selected[minutes == 60] { (words) }
                }
                option value="until" { "until …" }
            }
        }
        p.field {
            label for="silence-until" { "… until " span.soft { "(" (zone.name()) ", if chosen)" } }
            input #silence-until name="until" type="datetime-local";
        }
    }
}
