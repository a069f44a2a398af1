//! What a rule's alerts over a history were worth: how often, how long, how early and how true.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use slawatch_evaluator::{RuleFacts, RuleSet};
use slawatch_wire::v1::{CycleState, OutcomeRow, Warning};

use crate::course::Ended;
use crate::episodes::{Episode, Hindsight, episodes};
use crate::ledger::MergedPanes;
use crate::periods::{ContractPeriod, Loss, loss};

/// The first contact of a period rarely comes with the stroke of midnight.
const LATE_START_MS: i64 = 3_600_000;

/// How contracts judge.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Over how long.
    pub period: ContractPeriod,
    /// In whose days.
    pub zone: TimeZone,
}

/// What a backtest found.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtest {
    /// The first pane of the history; `None` for an empty one.
    pub from_ms: Option<i64>,
    /// Where the clock ended.
    pub to_ms: i64,
    /// One a rule, in the order of the rule set.
    pub rules: Vec<RuleReport>,
}

/// One rule's part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    /// As written in its `type`.
    pub kind: &'static str,
    /// Times that an alert fired.
    pub episodes: u64,
    /// Of them, those that hindsight does not show.
    pub false_episodes: u64,
    /// Of them, those that were taken back when late events came.
    pub retracted: u64,
    /// Of them, those that still fire at the end.
    pub firing_at_end: u64,
    /// All of them together.
    pub firing_ms: i64,
    /// The longest.
    pub longest_ms: i64,
    /// How early it came.
    pub lead: Lead,
}

/// What a rule was early for.
#[derive(Clone, Debug, PartialEq)]
pub enum Lead {
    /// It says what is, not what will be.
    Nothing,
    /// Breaches of the clocks that it warns of.
    Clocks(ClockLeads),
    /// Targets of contract periods, sorted by instant, vendor and queue.
    Periods(Vec<LostPeriod>),
}

/// Clocks that were breached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockLeads {
    /// All that the rule is about.
    pub breached: u64,
    /// From the first warning to the due, of those that had one, ascending.
    pub leads_ms: Vec<i64>,
}

/// A contract period whose target was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPeriod {
    /// Whose.
    pub vendor: String,
    /// Which queue's; `None` where the rule is about vendors.
    pub queue: Option<String>,
    /// The period's first instant.
    pub from_ms: i64,
    /// The first instant after it.
    pub to_ms: i64,
    /// The history holds only a part of it, and it is judged by that.
    pub is_partial: bool,
    /// When.
    pub lost_ms: i64,
    /// How.
    pub loss: Loss,
    /// The first alert of the period before that.
    pub alerted_ms: Option<i64>,
}

impl LostPeriod {
    /// How early the alert came; `None` if none did.
    pub fn lead_ms(&self) -> Option<i64> {
        self.alerted_ms.map(|alerted_ms| self.lost_ms - alerted_ms)
    }
}

impl Backtest {
    /// Judges what the rules told over a history, beside what they tell of it `in_hindsight`: the same events, each the
    /// moment it happened.
    pub fn new(rules: &RuleSet, told: &Ended, in_hindsight: &Ended, contract: &Contract) -> Self {
        let none = Vec::new();
        let all = episodes(told.alerts.first().unwrap_or(&none));
        let hindsight = Hindsight::new(in_hindsight.alerts.first().unwrap_or(&none));
        let from_ms = told.panes.keys().next().map(|(pane_ms, ..)| *pane_ms);
        let to_ms = told.end_ms;
        let judged = rules.facts().map(|facts| {
            let own: Vec<&Episode> = all
                .iter()
                .filter(|episode| episode.rule == facts.name() && episode.fired_ms.is_some())
                .collect();
            let is_false = |episode: &&&Episode| {
                let ended_ms = episode.ended_ms.unwrap_or(to_ms);
                let until_ms = ended_ms.saturating_add(facts.window_ms());
                hindsight.is_silent(&episode.key, episode.began_ms, until_ms)
            };
            let firing = || own.iter().map(|episode| episode.firing_ms(to_ms));
            let count = |of: &dyn Fn(&&&Episode) -> bool| own.iter().filter(of).count() as u64;
            RuleReport {
                rule: facts.name().to_owned(),
                kind: facts.kind(),
                episodes: own.len() as u64,
                false_episodes: count(&is_false),
                retracted: count(&|episode| episode.is_retracted),
                firing_at_end: count(&|episode| episode.ended_ms.is_none()),
                firing_ms: firing().sum(),
                longest_ms: firing().max().unwrap_or(0),
                lead: lead(facts, told, &own, contract),
            }
        });
        Self {
            from_ms,
            to_ms,
            rules: judged.collect(),
        }
    }
}

fn lead(facts: RuleFacts<'_>, told: &Ended, own: &[&Episode], contract: &Contract) -> Lead {
    if facts.warns() {
        return Lead::Clocks(clock_leads(facts, &told.outcomes, &told.warnings));
    }
    if facts.target().is_none() {
        return Lead::Nothing;
    }
    Lead::Periods(lost_periods(facts, told, own, contract))
}

fn clock_leads(facts: RuleFacts<'_>, outcomes: &[OutcomeRow], warnings: &[Warning]) -> ClockLeads {
    let mut first: BTreeMap<(&str, i32, u32), i64> = BTreeMap::new();
    for warning in warnings.iter().filter(|warning| facts.tells_of(warning)) {
        let key = (warning.ticket_id.as_str(), warning.metric, warning.cycle);
        let reached_ms = first.entry(key).or_insert(warning.reached_at_ms);
        *reached_ms = warning.reached_at_ms.min(*reached_ms);
    }
    let mut leads = ClockLeads::default();
    for row in outcomes {
        if row.state() != CycleState::Breached || !facts.covers(row) {
            continue;
        }
        leads.breached += 1;
        let warned_ms = first.get(&(row.ticket_id.as_str(), row.metric, row.cycle));
        let lead_ms = row
            .breached_at_ms
            .zip(warned_ms)
            .map(|(due, warned)| due - warned);
        leads
            .leads_ms
            .extend(lead_ms.filter(|lead_ms| *lead_ms > 0));
    }
    leads.leads_ms.sort_unstable();
    leads
}

/// A vendor and, for rules about queues, a queue.
type Group = (String, Option<String>);

/// Minutes in order, each with what it added to numerator and denominator.
type Minutes = Vec<(i64, i64, i64)>;

fn lost_periods(
    facts: RuleFacts<'_>,
    told: &Ended,
    own: &[&Episode],
    contract: &Contract,
) -> Vec<LostPeriod> {
    let Some(target) = facts.target() else {
        return Vec::new();
    };
    let panes = &told.panes;
    let started_ms = panes.keys().next().map_or(0, |(pane_ms, ..)| *pane_ms);
    let mut lost = Vec::new();
    for ((vendor, queue), minutes) in by_group(facts, panes) {
        let mut rest = minutes.as_slice();
        while let Some((at_ms, ..)) = rest.first() {
            let (from_ms, to_ms) = contract.period.around(*at_ms, &contract.zone);
            let inside = rest.partition_point(|minute| minute.0 < to_ms);
            let (own_minutes, later) = rest.split_at(inside.max(1));
            rest = later;
            let end_ms = to_ms.min(told.end_ms);
            let Some((lost_ms, loss)) = loss(target, own_minutes, end_ms) else {
                continue;
            };
            let alerted_ms = own
                .iter()
                .filter(|episode| {
                    episode.vendor == vendor
                        && queue.as_ref().is_none_or(|queue| episode.queue == *queue)
                        && episode.ended_ms.is_none_or(|ended_ms| ended_ms > from_ms)
                })
                .filter_map(|episode| episode.fired_ms)
                .map(|fired_ms| fired_ms.max(from_ms))
                .filter(|fired_ms| *fired_ms < lost_ms)
                .min();
            lost.push(LostPeriod {
                vendor: vendor.clone(),
                queue: queue.clone(),
                from_ms,
                to_ms,
                is_partial: from_ms < started_ms - LATE_START_MS || to_ms > told.end_ms,
                lost_ms,
                loss,
                alerted_ms,
            });
        }
    }
    lost.sort_by(|a, b| (a.lost_ms, &a.vendor, &a.queue).cmp(&(b.lost_ms, &b.vendor, &b.queue)));
    lost
}

fn by_group(facts: RuleFacts<'_>, panes: &MergedPanes) -> BTreeMap<Group, Minutes> {
    let mut groups: BTreeMap<Group, Minutes> = BTreeMap::new();
    for ((pane_ms, vendor, queue), measures) in panes {
        if !facts.is_about(vendor, queue) {
            continue;
        }
        let Some((numerator, denominator)) = facts.reading(measures) else {
            continue;
        };
        if (numerator, denominator) == (0, 0) {
            continue;
        }
        let queue = facts.has_queues().then(|| queue.clone());
        let minutes = groups.entry((vendor.clone(), queue)).or_default();
        match minutes.last_mut() {
            Some(last) if last.0 == *pane_ms => {
                last.1 += numerator;
                last.2 += denominator;
            }
            _ => minutes.push((*pane_ms, numerator, denominator)),
        }
    }
    groups
}
