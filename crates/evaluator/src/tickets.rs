//! Alerts of single clocks: breached, or at a warning level. They come with the row or warning and wait for no clock.
//!
//! An alert is keyed (rule, vendor, ticket, metric, cycle, level) and remembered as long as its cycle runs, and for
//! [`REMEMBERED_MS`] more so that a repeat is known as one and a breach that late events undo is taken back. However old
//! a breach is when it is learnt of, it is told: whether anybody is still to be paged for it is the dispatcher's business.
//! Where a rule groups its clocks, those beyond a crowd are held back and one alert about their queue stands for them.

use std::collections::BTreeMap;

use slawatch_policy::Metric;
use slawatch_wire::v1::{Action, AlertTransition, CycleState, OutcomeRow, Warning};

use crate::clock_alert::{BREACHED, ClockAlert, ClockPhase};
use crate::counters::metric_of_wire;
use crate::crowd::{Crowd, CrowdKey};
use crate::crowd_alert;
use crate::evaluator::Home;
use crate::groups::Moment;
use crate::rule::{RuleSet, Ticket, TicketRule};
use crate::ticket_alert::{Change, Over, Subject};

/// How long an alert that is over is remembered, from when that was told.
pub(crate) const REMEMBERED_MS: i64 = 24 * 3_600_000;

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

/// A clock that may be alerted, as its row or warning says.
#[derive(Debug)]
struct Candidate<'a> {
    ticket_id: &'a str,
    metric: Metric,
    cycle: u32,
    level: &'a str,
    ticket: Ticket<'a>,
    target_ms: i64,
    due_ms: i64,
    /// Known to be over already.
    over: Option<Over>,
}

impl<'a> Candidate<'a> {
    /// `None` of a metric that this version does not know, and of what is no breach.
    fn of_row(row: &'a OutcomeRow, now_ms: i64) -> Option<Self> {
        let metric = metric_of_wire(row.metric)?;
        if row.deleted || row.state() != CycleState::Breached {
            return None;
        }
        Some(Self {
            ticket_id: &row.ticket_id,
            metric,
            cycle: row.cycle,
            level: BREACHED,
            ticket: Ticket::of_row(row),
            target_ms: row.target_ms.unwrap_or(0),
            due_ms: row.breached_at_ms.or(row.due_at_ms).unwrap_or(now_ms),
            over: row.stopped_at_ms.map(|at_ms| Over::Fulfilled {
                at_ms,
                elapsed_ms: row.elapsed_ms,
            }),
        })
    }

    fn of_warning(warning: &'a Warning) -> Option<Self> {
        Some(Self {
            ticket_id: &warning.ticket_id,
            metric: metric_of_wire(warning.metric)?,
            cycle: warning.cycle,
            level: &warning.level,
            ticket: Ticket::of_warning(warning),
            target_ms: warning.target_ms,
            due_ms: warning.reached_at_ms,
            over: None,
        })
    }

    fn is_for(&self, rule: &TicketRule) -> bool {
        let wanted = if self.level == BREACHED {
            rule.on_breached
        } else {
            rule.on_warning && rule.warns_at(self.level)
        };
        wanted && rule.covers(self.metric, self.ticket)
    }

    fn is_told_by(&self, alert: &ClockAlert, rule: usize) -> bool {
        alert.rule == rule
            && alert.metric == self.metric
            && alert.cycle == self.cycle
            && alert.level == self.level
            && alert.vendor == self.ticket.vendor
    }

    fn alert(&self, rule: usize, revision: u64) -> ClockAlert {
        ClockAlert {
            rule,
            metric: self.metric,
            cycle: self.cycle,
            level: self.level.to_owned(),
            vendor: self.ticket.vendor.to_owned(),
            queue: self.ticket.queue.to_owned(),
            priority: self.ticket.priority.to_owned(),
            target_ms: self.target_ms,
            revision,
            due_ms: self.due_ms,
            fired_at_ms: self.due_ms,
            fired_after: revision,
            phase: ClockPhase::Waiting,
            acknowledged_at_ms: None,
            actions: Vec::new(),
            badge: None,
        }
    }
}

/// All alerts of clocks, by ticket, and those of queues where many breach together.
#[derive(Debug)]
pub(crate) struct Tickets {
    pub(crate) home: Home,
    pub(crate) alerts: BTreeMap<String, Vec<ClockAlert>>,
    pub(crate) crowds: BTreeMap<CrowdKey, Crowd>,
    /// No timer of any alert runs out before.
    wakes_ms: Option<i64>,
}

impl Tickets {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            alerts: BTreeMap::new(),
            crowds: BTreeMap::new(),
            wakes_ms: None,
        }
    }

    /// Takes up alerts kept earlier.
    pub(crate) fn restore(
        home: Home,
        alerts: BTreeMap<String, Vec<ClockAlert>>,
        crowds: BTreeMap<CrowdKey, Crowd>,
    ) -> Self {
        Self {
            home,
            alerts,
            crowds,
            // Whatever timers there are: the first look finds them.
            wakes_ms: Some(i64::MIN),
        }
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
                let Some(change) = alert.judge(rule, row) else {
                    continue;
                };
                if alert.is_breach()
                    && let Some(crowd) = self.crowds.get_mut(&CrowdKey::of(alert))
                {
                    let false_alarm = matches!(change, Change::Retract(_));
                    crowd.lose(&row.ticket_id, alert, false_alarm);
                    self.wakes_ms = Some(i64::MIN);
                }
                let ticket = &row.ticket_id;
                out.extend(Subject { rule, ticket }.tell(alert, change, arrival));
            }
        }
        if let Some(candidate) = Candidate::of_row(row, arrival.source_clock_ms) {
            self.take(rules, &candidate, arrival, out);
        }
    }

    /// Takes in a warning.
    pub(crate) fn warning(
        &mut self,
        rules: &RuleSet,
        warning: &Warning,
        arrival: Arrival<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        if let Some(candidate) = Candidate::of_warning(warning) {
            self.take(rules, &candidate, arrival, out);
        }
    }

    fn take(
        &mut self,
        rules: &RuleSet,
        candidate: &Candidate<'_>,
        arrival: Arrival<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        if !self.home.has(candidate.ticket.vendor) {
            return;
        }
        let ticket = candidate.ticket_id;
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
            begin(&mut self.crowds, subject, alert, arrival, out);
            if let Some(over) = candidate.over {
                if let Some(crowd) = self.crowds.get_mut(&CrowdKey::of(alert)) {
                    crowd.lose(ticket, alert, false);
                }
                out.extend(subject.tell(alert, Change::Resolve(over), arrival));
            }
            if rule.has_timers() {
                self.wakes_ms = Some(i64::MIN);
            }
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
                out.extend(subject.tell(alert, Change::Acknowledge(action), moment.into()));
                self.wakes_ms = Some(i64::MIN);
            }
            return true;
        }
        for (key, crowd) in &mut self.crowds {
            let rule = &rules.tickets[key.rule];
            let told = crowd_alert::Told::new(rule, key, &self.alerts, moment);
            if let Some(said) = told.acknowledge(crowd, action) {
                out.extend(said);
                return true;
            }
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
        let now_ms = moment.now_ms;
        let open: Vec<bool> = rules
            .tickets
            .iter()
            .map(|rule| rule.about.is_open(now_ms))
            .collect();
        for (ticket, alerts) in &mut self.alerts {
            for alert in alerts {
                let rule = &rules.tickets[alert.rule];
                let subject = Subject { rule, ticket };
                let worse = alert.worsens_at_ms(rule);
                match (alert.phase, open[alert.rule]) {
                    (ClockPhase::Firing, false) => {
                        out.extend(subject.tell(alert, Change::Close, moment.into()));
                    }
                    (ClockPhase::Held, false) => alert.phase = ClockPhase::Waiting,
                    (ClockPhase::Waiting, true) => {
                        alert.fired_at_ms = now_ms;
                        alert.fired_after = alert.revision;
                        begin(&mut self.crowds, subject, alert, moment.into(), out);
                    }
                    (ClockPhase::Firing, true) if worse.is_some_and(|at_ms| at_ms <= now_ms) => {
                        alert.acknowledged_at_ms = None;
                        out.extend(subject.tell(alert, Change::Worsen, moment.into()));
                    }
                    (
                        ClockPhase::Firing
                        | ClockPhase::Held
                        | ClockPhase::Waiting
                        | ClockPhase::Over { .. }
                        | ClockPhase::TakenBack { .. },
                        _,
                    ) => {}
                }
            }
        }
        for (key, crowd) in &mut self.crowds {
            let rule = &rules.tickets[key.rule];
            let told = crowd_alert::Told::new(rule, key, &self.alerts, moment);
            out.extend(told.look(crowd, open[key.rule]));
        }
        self.wakes_ms = self.wakes_after(rules, now_ms);
    }

    /// When a timer next runs out.
    fn wakes_after(&self, rules: &RuleSet, now_ms: i64) -> Option<i64> {
        let turns: Vec<Option<i64>> = rules
            .tickets
            .iter()
            .map(|rule| rule.about.hours.as_ref()?.calendar.next_change(now_ms))
            .collect();
        let live = self.alerts.values().flatten();
        let clocks = live.filter(|alert| alert.is_live()).flat_map(|alert| {
            let worsens = alert.worsens_at_ms(&rules.tickets[alert.rule]);
            [turns[alert.rule], worsens]
        });
        let crowds = self.crowds.iter().flat_map(|(key, crowd)| {
            let calms = crowd.calms_at_ms(rules.tickets[key.rule].crowd);
            let turn = turns[key.rule].filter(|_| crowd.firing.is_some());
            [calms, turn]
        });
        let ahead = clocks.chain(crowds).flatten();
        ahead.filter(|at_ms| *at_ms > now_ms).min()
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
        let crowds = &mut self.crowds;
        self.alerts.retain(|ticket, alerts| {
            alerts.retain_mut(|alert| match alert.phase {
                ClockPhase::Waiting | ClockPhase::Held | ClockPhase::Firing => {
                    if let Some(why) = alert.given_up(now_ms) {
                        if let Some(crowd) = crowds.get_mut(&CrowdKey::of(alert)) {
                            crowd.lose(ticket, alert, false);
                        }
                        let rule = &rules.tickets[alert.rule];
                        let change = Change::Expire(why);
                        out.extend(Subject { rule, ticket }.tell(alert, change, arrival));
                    }
                    true
                }
                ClockPhase::Over { at_ms } | ClockPhase::TakenBack { at_ms } => {
                    at_ms >= now_ms.saturating_sub(REMEMBERED_MS)
                }
            });
            !alerts.is_empty()
        });
        self.crowds
            .retain(|key, crowd| !crowd.is_idle(rules.tickets[key.rule].crowd, now_ms));
    }
}

/// A clock that is not yet told of is told, held back, or waits for the hours of its rule.
fn begin(
    crowds: &mut BTreeMap<CrowdKey, Crowd>,
    subject: Subject<'_>,
    alert: &mut ClockAlert,
    arrival: Arrival<'_>,
    out: &mut Vec<AlertTransition>,
) {
    let now_ms = arrival.source_clock_ms;
    let rule = subject.rule;
    if !rule.about.is_open(now_ms) {
        alert.phase = ClockPhase::Waiting;
        return;
    }
    if let Some(limits) = rule.crowd.filter(|_| alert.is_breach()) {
        let crowd = crowds.entry(CrowdKey::of(alert)).or_default();
        crowd.settle(limits, now_ms);
        crowd.breach(limits, alert.fired_at_ms, now_ms);
        if crowd.holds_back() {
            crowd.hold(subject.ticket, alert);
            alert.phase = ClockPhase::Held;
            return;
        }
    }
    out.extend(subject.tell(alert, Change::Fire, arrival));
}
