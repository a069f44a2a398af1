//! Alerts of single clocks: breached, or at a warning level. They come with the row or warning and wait for no clock.
//!
//! An alert is keyed (rule, vendor, ticket, metric, cycle, level) and remembered as long as its cycle runs, and for
//! [`REMEMBERED_MS`] more so that a repeat is known as one and a breach that late events undo is taken back. However old
//! a breach is when it is learnt of, it is told: whether anybody is still to be paged for it is the dispatcher's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_policy::Metric;
use slawatch_wire::v1::{Action, AlertTransition, CycleState, OutcomeRow, Warning};

use crate::counters::metric_of_wire;
use crate::evaluator::Home;
use crate::groups::Moment;
use crate::rule::{Badge, RuleSet, TicketRule};
use crate::ticket_alert::{Change, Over, Subject};

/// How long an alert that is over is remembered, from when that was told.
pub(crate) const REMEMBERED_MS: i64 = 24 * 3_600_000;

/// A warning that nothing was heard of for so long has lost its ticket: to another vendor, or for good.
const WARNED_MS: i64 = 7 * 24 * 3_600_000;

/// A contact that was breached and of which nothing came for so long. Its clock is the only one that outlives its ticket
/// being over (SEMANTICS 3), so once the ticket is forgotten (30 days, SEMANTICS 2) nothing would ever end it.
const UNANSWERED_MS: i64 = 31 * 24 * 3_600_000;

/// The level of a breach in keys and words; a warning has the level that its policy names.
pub(crate) const BREACHED: &str = "breached";

/// The moment of a row or warning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) source_clock_ms: i64,
    pub(crate) sources_out: &'a [u32],
}

impl<'a> From<Moment<'a>> for Arrival<'a> {
    fn from(moment: Moment<'a>) -> Self {
        Self {
            source_clock_ms: moment.now_ms,
            sources_out: moment.sources_out,
        }
    }
}

/// One alert of one clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockAlert {
    /// The rule's place among the ticket rules.
    pub(crate) rule: usize,
    pub(crate) metric: Metric,
    pub(crate) cycle: u32,
    pub(crate) level: String,
    pub(crate) vendor: String,
    pub(crate) queue: String,
    pub(crate) priority: String,
    pub(crate) target_ms: i64,
    pub(crate) revision: u64,
    /// The due, or the instant at which the level was reached.
    pub(crate) fired_at_ms: i64,
    pub(crate) phase: ClockPhase,
    /// Since when somebody sees to it.
    pub(crate) acknowledged_at_ms: Option<i64>,
    /// The acknowledgements so far.
    pub(crate) actions: Vec<String>,
    /// Of its firing, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockPhase {
    Firing,
    /// The cycle is over; what was told stands.
    Over {
        at_ms: i64,
    },
    /// It was told that it was false.
    TakenBack {
        at_ms: i64,
    },
}

impl ClockAlert {
    fn is_breach(&self) -> bool {
        self.level == BREACHED
    }

    /// Why no end of it is waited for any longer.
    fn given_up(&self, now_ms: i64) -> Option<&'static str> {
        let (patience_ms, why) = if !self.is_breach() {
            (WARNED_MS, "nothing was heard of this clock for 7 days")
        } else if self.metric == Metric::Answer {
            (
                UNANSWERED_MS,
                "no end of this contact was heard of for 31 days; a ticket that is over is forgotten by then",
            )
        } else {
            return None;
        };
        (self.fired_at_ms < now_ms.saturating_sub(patience_ms)).then_some(why)
    }

    /// When it gets worse, if nothing ends it: somebody saw to it, and it is still so.
    fn worsens_at_ms(&self, rule: &TicketRule) -> Option<i64> {
        let since_ms = self.acknowledged_at_ms?;
        let worse_by_ms = rule.worse_by_ms?;
        (self.phase == ClockPhase::Firing).then(|| since_ms.saturating_add(worse_by_ms))
    }

    /// What a row of the same cycle does to this alert.
    fn judge(&self, rule: &TicketRule, row: &OutcomeRow) -> Option<Change<'static>> {
        if matches!(self.phase, ClockPhase::TakenBack { .. }) {
            return None;
        }
        let firing = self.phase == ClockPhase::Firing;
        if self.vendor != row.vendor {
            // The row's deletion elsewhere says nothing about this vendor.
            return match (row.deleted, self.is_breach()) {
                (true, _) => None,
                (false, true) => Some(Change::Retract("the breach belongs to another vendor")),
                (false, false) => {
                    firing.then_some(Change::Expire("the ticket went to another vendor"))
                }
            };
        }
        if row.deleted {
            let why = "late events show that this clock never ran so";
            return (firing || self.is_breach()).then_some(Change::Retract(why));
        }
        let state = row.state();
        if !self.is_breach() {
            return firing.then(|| warned(state)).flatten();
        }
        if state != CycleState::Breached {
            return Some(Change::Retract("late events show that it was not breached"));
        }
        if !rule.covers(self.metric, &row.priority, &row.vendor, &row.queue) {
            return Some(Change::Retract(
                "late events show that it is none of this rule's tickets",
            ));
        }
        let stopped_at_ms = row.stopped_at_ms.filter(|_| firing)?;
        Some(Change::Resolve(Over::Fulfilled {
            at_ms: stopped_at_ms,
            elapsed_ms: row.elapsed_ms,
        }))
    }
}

fn warned(state: CycleState) -> Option<Change<'static>> {
    match state {
        CycleState::Running | CycleState::Paused | CycleState::Unspecified => None,
        CycleState::Met => Some(Change::Resolve(Over::Said("fulfilled in time"))),
        CycleState::Breached => Some(Change::Resolve(Over::Said("the clock is breached now"))),
        CycleState::Cancelled => Some(Change::Resolve(Over::Said("the clock was cancelled"))),
        CycleState::Abandoned => Some(Change::Resolve(Over::Said("the contact was abandoned"))),
        CycleState::FlowedOut => Some(Change::Resolve(Over::Said("the contact flowed out"))),
        CycleState::Untargeted => Some(Change::Resolve(Over::Said("no target holds any more"))),
    }
}

/// A clock that may be alerted, as its row or warning says.
#[derive(Debug)]
struct Candidate<'a> {
    ticket: &'a str,
    metric: Metric,
    cycle: u32,
    level: &'a str,
    vendor: &'a str,
    queue: &'a str,
    priority: &'a str,
    target_ms: i64,
    fired_at_ms: i64,
    /// Known to be over already.
    over: Option<Over>,
}

impl Candidate<'_> {
    fn is_for(&self, rule: &TicketRule) -> bool {
        let wanted = if self.level == BREACHED {
            rule.on_breached
        } else {
            rule.on_warning
        };
        wanted && rule.covers(self.metric, self.priority, self.vendor, self.queue)
    }

    fn is_told_by(&self, alert: &ClockAlert, rule: usize) -> bool {
        alert.rule == rule
            && alert.metric == self.metric
            && alert.cycle == self.cycle
            && alert.level == self.level
            && alert.vendor == self.vendor
    }

    fn alert(&self, rule: usize, revision: u64) -> ClockAlert {
        ClockAlert {
            rule,
            metric: self.metric,
            cycle: self.cycle,
            level: self.level.to_owned(),
            vendor: self.vendor.to_owned(),
            queue: self.queue.to_owned(),
            priority: self.priority.to_owned(),
            target_ms: self.target_ms,
            revision,
            fired_at_ms: self.fired_at_ms,
            phase: ClockPhase::Firing,
            acknowledged_at_ms: None,
            actions: Vec::new(),
            badge: None,
        }
    }
}

/// All alerts of clocks, by ticket.
#[derive(Debug)]
pub(crate) struct Tickets {
    pub(crate) home: Home,
    pub(crate) alerts: BTreeMap<String, Vec<ClockAlert>>,
    /// No timer of any alert runs out before.
    wakes_ms: Option<i64>,
}

impl Tickets {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            alerts: BTreeMap::new(),
            wakes_ms: None,
        }
    }

    /// Takes up alerts kept earlier.
    pub(crate) fn restore(home: Home, alerts: BTreeMap<String, Vec<ClockAlert>>) -> Self {
        Self {
            home,
            alerts,
            // Whatever timers there are: the first look finds them.
            wakes_ms: Some(i64::MIN),
        }
    }

    /// Somebody sees to an alert; false if no such alert fires.
    pub(crate) fn acknowledge(
        &mut self,
        rules: &RuleSet,
        action: &Action,
        moment: Moment<'_>,
        out: &mut Vec<AlertTransition>,
    ) -> bool {
        let alerts = self.alerts.iter_mut();
        let alerts =
            alerts.flat_map(|(ticket, alerts)| alerts.iter_mut().map(move |alert| (ticket, alert)));
        let firing = alerts.filter(|(_, alert)| alert.phase == ClockPhase::Firing);
        for (ticket, alert) in firing {
            let rule = &rules.tickets[alert.rule];
            let subject = Subject { rule, ticket };
            if !subject.is_meant_by(alert, action) {
                continue;
            }
            if !alert.actions.contains(&action.action_id) {
                alert.acknowledged_at_ms = Some(moment.now_ms);
                alert.actions.push(action.action_id.clone());
                out.push(subject.tell(alert, Change::Acknowledge(action), moment.into()));
                let wakes = [self.wakes_ms, alert.worsens_at_ms(rule)];
                self.wakes_ms = wakes.into_iter().flatten().min();
            }
            return true;
        }
        false
    }

    /// No timer runs out before that.
    pub(crate) fn next_wake_ms(&self) -> Option<i64> {
        self.wakes_ms
    }

    /// Carries out what the clock alone brings about.
    pub(crate) fn tick(
        &mut self,
        rules: &RuleSet,
        moment: Moment<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        if self
            .wakes_ms
            .is_none_or(|wakes_ms| wakes_ms > moment.now_ms)
        {
            return;
        }
        let mut wakes_ms: Option<i64> = None;
        for (ticket, alerts) in &mut self.alerts {
            for alert in alerts {
                let rule = &rules.tickets[alert.rule];
                let Some(at_ms) = alert.worsens_at_ms(rule) else {
                    continue;
                };
                if at_ms <= moment.now_ms {
                    alert.acknowledged_at_ms = None;
                    let subject = Subject { rule, ticket };
                    out.push(subject.tell(alert, Change::Worsen, moment.into()));
                } else {
                    wakes_ms = [wakes_ms, Some(at_ms)].into_iter().flatten().min();
                }
            }
        }
        self.wakes_ms = wakes_ms;
    }

    /// Takes in a row: what it does to alerts there are, and whether it makes new ones.
    pub(crate) fn outcome(
        &mut self,
        rules: &RuleSet,
        row: &OutcomeRow,
        arrival: Arrival<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        let Some(metric) = metric_of_wire(row.metric) else {
            return;
        };
        if let Some(alerts) = self.alerts.get_mut(&row.ticket_id) {
            let same = |alert: &&mut ClockAlert| alert.metric == metric && alert.cycle == row.cycle;
            for alert in alerts.iter_mut().filter(same) {
                let rule = &rules.tickets[alert.rule];
                if let Some(change) = alert.judge(rule, row) {
                    let subject = Subject {
                        rule,
                        ticket: &row.ticket_id,
                    };
                    out.push(subject.tell(alert, change, arrival));
                }
            }
        }
        if row.deleted || row.state() != CycleState::Breached {
            return;
        }
        let candidate = Candidate {
            ticket: &row.ticket_id,
            metric,
            cycle: row.cycle,
            level: BREACHED,
            vendor: &row.vendor,
            queue: &row.queue,
            priority: &row.priority,
            target_ms: row.target_ms.unwrap_or(0),
            fired_at_ms: row
                .breached_at_ms
                .or(row.due_at_ms)
                .unwrap_or(arrival.source_clock_ms),
            over: row.stopped_at_ms.map(|at_ms| Over::Fulfilled {
                at_ms,
                elapsed_ms: row.elapsed_ms,
            }),
        };
        self.fire(rules, &candidate, arrival, out);
    }

    /// Takes in a warning.
    pub(crate) fn warning(
        &mut self,
        rules: &RuleSet,
        warning: &Warning,
        arrival: Arrival<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        let Some(metric) = metric_of_wire(warning.metric) else {
            return;
        };
        let candidate = Candidate {
            ticket: &warning.ticket_id,
            metric,
            cycle: warning.cycle,
            level: &warning.level,
            vendor: &warning.vendor,
            queue: &warning.queue,
            priority: &warning.priority,
            target_ms: warning.target_ms,
            fired_at_ms: warning.reached_at_ms,
            over: None,
        };
        self.fire(rules, &candidate, arrival, out);
    }

    fn fire(
        &mut self,
        rules: &RuleSet,
        candidate: &Candidate<'_>,
        arrival: Arrival<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        if !self.home.has(candidate.vendor) {
            return;
        }
        let ticket = candidate.ticket;
        let wanting = rules.tickets.iter().enumerate();
        for (place, rule) in wanting.filter(|(_, rule)| candidate.is_for(rule)) {
            let alerts = self.alerts.entry(ticket.to_owned()).or_default();
            let known = alerts
                .iter_mut()
                .find(|alert| candidate.is_told_by(alert, place));
            let alert = match known {
                Some(alert) if matches!(alert.phase, ClockPhase::TakenBack { .. }) => {
                    *alert = candidate.alert(place, alert.revision);
                    alert
                }
                Some(_) => continue,
                None => {
                    alerts.push(candidate.alert(place, 0));
                    let last = alerts.len() - 1;
                    &mut alerts[last]
                }
            };
            let subject = Subject { rule, ticket };
            out.push(subject.tell(alert, Change::Fire, arrival));
            let over = candidate.over.map(Change::Resolve);
            out.extend(over.map(|over| subject.tell(alert, over, arrival)));
        }
    }

    /// Forgets what is over for long enough, and gives up what nothing will end.
    pub(crate) fn sweep(
        &mut self,
        rules: &RuleSet,
        now_ms: i64,
        sources_out: &[u32],
        out: &mut Vec<AlertTransition>,
    ) {
        let arrival = Arrival {
            source_clock_ms: now_ms,
            sources_out,
        };
        self.alerts.retain(|ticket, alerts| {
            alerts.retain_mut(|alert| match alert.phase {
                ClockPhase::Firing => {
                    if let Some(why) = alert.given_up(now_ms) {
                        let rule = &rules.tickets[alert.rule];
                        let change = Change::Expire(why);
                        out.push(Subject { rule, ticket }.tell(alert, change, arrival));
                    }
                    true
                }
                ClockPhase::Over { at_ms } | ClockPhase::TakenBack { at_ms } => {
                    at_ms >= now_ms.saturating_sub(REMEMBERED_MS)
                }
            });
            !alerts.is_empty()
        });
    }
}
