//! What a rules file says, checked: the shape on which the evaluator works. Reading the file is `parse`.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_calendar::Calendar;
use slawatch_policy::reading::read_warn_level;
use slawatch_policy::{Glob, Metric, WarnLevel};
use slawatch_wire::v1::{OutcomeRow, Warning};

use crate::crowd::CrowdLimits;
use crate::history::Plan;
use crate::minute::PANE_MS;
use crate::summary::Summary;
use crate::watch::Watch;
use crate::windows::Lengths;

/// The rules of one file.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub(crate) groups: Vec<GroupRule>,
    pub(crate) tickets: Vec<TicketRule>,
    pub(crate) lengths: Lengths,
    pub(crate) plan: Plan,
    pub(crate) hash: u64,
    /// The file's name and text, so that a state can name the rules that it was reached under.
    pub(crate) file: String,
    pub(crate) text: String,
}

impl RuleSet {
    /// Names the rules: equal texts have equal hashes.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The name of the file that they were read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text that they were read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.groups.len() + self.tickets.len()
    }

    /// No rule at all: nothing will ever be paged.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The longest `for` or `keep_firing_for`, in panes, rounded up.
    pub(crate) fn longest_timer(&self) -> i64 {
        let timers = self
            .groups
            .iter()
            .flat_map(|rule| [rule.for_ms, rule.keep_firing_for_ms]);
        timers.max().unwrap_or(0) / PANE_MS + 1
    }
}

/// What every kind of rule has.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) severity: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) runbook_url: String,
    pub(crate) summary: Option<Summary>,
    pub(crate) scope: Scope,
    /// Outside of them nothing begins and nothing goes on.
    pub(crate) hours: Option<Hours>,
    /// In which messages give times; empty where nothing says so.
    pub(crate) timezone: String,
}

/// A calendar by the name that its file gives it.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    pub(crate) name: String,
    pub(crate) calendar: Arc<Calendar>,
}

impl About {
    /// What its alerts are known by.
    pub(crate) fn badge(&self) -> Badge {
        Badge {
            severity: self.severity.clone(),
            labels: self.labels.clone(),
        }
    }

    /// Whether it is within its hours.
    pub(crate) fn is_open(&self, at_ms: i64) -> bool {
        let hours = self.hours.as_ref();
        hours.is_none_or(|hours| hours.calendar.is_open(at_ms))
    }

    /// Why it ends what fires when its hours are over.
    pub(crate) fn closed(&self) -> String {
        let name = self.hours.as_ref().map_or("", |hours| &hours.name);
        format!("the hours of the calendar {name} are over")
    }

    /// How much time within its hours has passed.
    pub(crate) fn elapsed_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        match &self.hours {
            Some(hours) => hours.calendar.elapsed(from_ms, to_ms),
            None => to_ms.saturating_sub(from_ms),
        }
    }

    /// When so much time within its hours will have passed; `None` if never.
    pub(crate) fn after(&self, from_ms: i64, duration_ms: i64) -> Option<i64> {
        match &self.hours {
            Some(hours) => hours.calendar.add(from_ms, duration_ms),
            None => Some(from_ms.saturating_add(duration_ms)),
        }
    }
}

/// What receivers tell alerts apart by, beside the key. An alert keeps that of its firing to its end, whatever its rule
/// says by then: to an Alertmanager other labels are another alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) severity: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// Which vendors and queues a rule is about; an empty list means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) vendor: Vec<Glob>,
    pub(crate) queue: Vec<Glob>,
    /// Of rules on tickets: what further attributes must be like, each by its name in rows.
    pub(crate) attributes: Vec<(String, Vec<Glob>)>,
}

impl Scope {
    pub(crate) fn has_vendor(&self, vendor: &str) -> bool {
        any(&self.vendor, vendor)
    }

    pub(crate) fn has_queue(&self, queue: &str) -> bool {
        any(&self.queue, queue)
    }

    pub(crate) fn has(&self, vendor: &str, queue: &str) -> bool {
        self.has_vendor(vendor) && self.has_queue(queue)
    }
}

fn any(globs: &[Glob], text: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.matches(text))
}

/// What one alert of a rule about groups is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// A vendor, its matching queues taken together.
    Vendor,
    /// A vendor and queue.
    VendorQueue,
}

/// A rule whose alerts are about vendors or queues, whatever its kind.
#[derive(Clone, Debug)]
pub(crate) struct GroupRule {
    pub(crate) about: About,
    pub(crate) group: Group,
    pub(crate) for_ms: i64,
    pub(crate) keep_firing_for_ms: i64,
    /// How much worse an acknowledged alert must get to fire again, in the unit of what it watches.
    pub(crate) worse_by: Option<f64>,
    pub(crate) watch: Watch,
}

impl GroupRule {
    /// Whether a look is due though nothing was heard.
    pub(crate) fn follows_the_clock(&self) -> bool {
        self.watch.follows_the_clock() || self.about.hours.is_some()
    }

    /// What must be unchanged for an alert to go on after the rules were changed.
    pub(crate) fn identity(&self) -> String {
        let group = match self.group {
            Group::Vendor => "vendor",
            Group::VendorQueue => "vendor,queue",
        };
        let (name, kind) = (&self.about.name, self.watch.kind());
        format!("{name}/{kind}/{}/{group}", self.watch.identity())
    }
}

/// Clocks that are breached or about to be.
#[derive(Clone, Debug)]
pub(crate) struct TicketRule {
    pub(crate) about: About,
    pub(crate) on_breached: bool,
    pub(crate) on_warning: bool,
    /// Empty means all.
    pub(crate) metrics: Vec<Metric>,
    pub(crate) priority: Vec<Glob>,
    /// How long after an acknowledgement a clock that is still running fires again.
    pub(crate) worse_by_ms: Option<i64>,
    /// The warning levels that are told; empty means all.
    pub(crate) at: Vec<WarnLevel>,
    pub(crate) crowd: Option<CrowdLimits>,
}

impl TicketRule {
    /// As rules files and alerts call it.
    pub(crate) const KIND: &str = "ticket";

    /// What must be unchanged for an alert to go on after the rules were changed.
    pub(crate) fn identity(&self) -> String {
        format!("{}/ticket", self.about.name)
    }

    /// Is this clock its business?
    pub(crate) fn covers(&self, metric: Metric, ticket: Ticket<'_>) -> bool {
        let matches = |(attribute, globs): &(String, Vec<Glob>)| {
            ticket
                .attribute(attribute)
                .is_some_and(|value| any(globs, value))
        };
        (self.metrics.is_empty() || self.metrics.contains(&metric))
            && any(&self.priority, ticket.priority)
            && self.about.scope.has(ticket.vendor, ticket.queue)
            && self.about.scope.attributes.iter().all(matches)
    }

    /// Does it tell of this warning level?
    pub(crate) fn warns_at(&self, level: &str) -> bool {
        self.at.is_empty()
            || read_warn_level(level)
                .is_ok_and(|level| self.at.iter().any(|wanted| wanted.same_as(&level)))
    }

    /// Whether the clock alone may change what it tells.
    pub(crate) fn has_timers(&self) -> bool {
        self.crowd.is_some() || self.about.hours.is_some()
    }
}

/// A ticket as its row or warning shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket<'a> {
    pub(crate) vendor: &'a str,
    pub(crate) queue: &'a str,
    pub(crate) priority: &'a str,
    attributes: &'a BTreeMap<String, String>,
}

impl<'a> Ticket<'a> {
    pub(crate) fn of_row(row: &'a OutcomeRow) -> Self {
        Self {
            vendor: &row.vendor,
            queue: &row.queue,
            priority: &row.priority,
            attributes: &row.attributes,
        }
    }

    pub(crate) fn of_warning(warning: &'a Warning) -> Self {
        Self {
            vendor: &warning.vendor,
            queue: &warning.queue,
            priority: &warning.priority,
            attributes: &warning.attributes,
        }
    }

    /// Empty if it is unset; `None` where nothing is known of any attribute.
    fn attribute(self, name: &str) -> Option<&'a str> {
        match name {
            "priority" => Some(self.priority),
            _ if self.attributes.is_empty() => None,
            _ => Some(self.attributes.get(name).map_or("", String::as_str)),
        }
    }
}
