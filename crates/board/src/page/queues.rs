//! The table of vendors and their queues.

use maud::{Markup, html};

use super::{Page, named, shown_state, trend};
use crate::status::Freshness;
use crate::view::Group;
use crate::wording::{UNKNOWN, clock_time, count, duration, percent};

impl Page<'_> {
    pub(super) fn queues(&self) -> Markup {
        if self.view.vendors.is_empty() {
            return self.no_queues();
        }
        html! {
            section #queues aria-label="Vendors and queues" {
                table {
                    caption.unseen { "Service level, times, backlog and breaches by vendor and queue" }
                    thead {
                        tr {
                            th.name scope="col" rowspan="2" { "Vendor / queue" }
                            th scope="col" rowspan="2" { "State" }
                            th.group scope="colgroup" colspan="4" { "Service level" }
                            th.group scope="colgroup" colspan="3" { "Last 60 min" }
                            th.group scope="colgroup" colspan="3" { "Backlog" }
                            th.group scope="colgroup" colspan="2" { "Breaches" }
                        }
                        tr {
                            th.first scope="col" { "30 min" }
                            th scope="col" { "60 min" }
                            th scope="col" { "Today" }
                            th scope="col" { "2 h" }
                            th.first scope="col" { abbr title="Average speed of answer" { "ASA" } }
                            th scope="col" { abbr title="Average handling time" { "AHT" } }
                            th scope="col" { "Abandon" }
                            th.first scope="col" { "Open" }
                            th scope="col" { "Oldest" }
                            th scope="col" { "Clocks" }
                            th.first scope="col" { "Open" }
                            th scope="col" { "60 min" }
                        }
                    }
                    @for vendor in self.view.vendors.iter().filter(|vendor| self.shows(&vendor.vendor)) {
                        tbody {
                            (row(named(&vendor.vendor), &vendor.group, "vendor"))
                            @for queue in &vendor.queues {
                                (row(named(&queue.queue), &queue.group, "queue"))
                            }
                        }
                    }
                }
            }
        }
    }

    fn no_queues(&self) -> Markup {
        let why = match self.status.freshness {
            Freshness::Starting => "Waiting for the first signals of the trackers.",
            Freshness::CatchingUp => "Reading the last day.",
            Freshness::Stale | Freshness::Live => "No queue had any work within the last day.",
        };
        html! {
            section #queues aria-label="Vendors and queues" { p.empty { (why) } }
        }
    }
}

fn row(name: &str, group: &Group, kind: &str) -> Markup {
    let (icon, word, class) = shown_state(group.state);
    let standing = &group.standing;
    html! {
        tr class=(format!("{kind} {class}")) {
            th.name scope="row" { (name) }
            td.state { span.icon aria-hidden="true" { (icon) } " " (word) }
            (value("first level", percent(group.last_30m.service_level)))
            (value("", percent(group.last_60m.service_level)))
            (value("", percent(group.today.service_level)))
            td.trend { (trend::line(&group.trend)) }
            (value("first", clock_time(group.last_60m.asa_ms)))
            (value("", clock_time(group.last_60m.aht_ms)))
            (value("", percent(group.last_60m.abandon_rate)))
            (value("first strong", count(standing.open_tickets)))
            (value("", group.oldest_age_ms.map_or_else(|| UNKNOWN.to_owned(), oldest)))
            (value("", count(standing.running())))
            (number("first strong", group.open_breaches))
            (value("", count(group.last_60m.breached)))
        }
    }
}

/// In minutes, so that the table does not change every second.
fn oldest(age_ms: i64) -> String {
    if age_ms < 60_000 {
        "< 1m".to_owned()
    } else {
        duration(age_ms / 60_000 * 60_000)
    }
}

fn value(class: &str, text: String) -> Markup {
    let unknown = if text == UNKNOWN { " unknown" } else { "" };
    html! { td class=(format!("{class}{unknown}").trim_start()) { (text) } }
}

/// A number that is bad unless it is 0.
fn number(class: &str, number: u64) -> Markup {
    let mark = if number > 0 { " bad" } else { " none" };
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    html! { td class=(format!("{class}{mark}").trim_start()) { (count(number)) } }
}
