//! From the messages of a snapshot to an evaluator, under rules that may have changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slawatch_policy::Metric;
use slawatch_wire::v1::{AlertState, AlertTransition};

use super::format::{
    BadgeState, BreachState, ClockAlertState, CountsState, CrowdState, EpisodeState, PaneState,
    RuleState, SourceState, State, WitnessState,
};
use super::{RestoreError, past};
use crate::breaches::{Breach, Breaches};
use crate::clock_alert::{ClockAlert, ClockPhase};
use crate::counters::Packed;
use crate::crowd::{Crowd, CrowdFiring, CrowdKey};
use crate::crowd_alert;
use crate::episode::{Acknowledged, Episode, Firing, Phase, Witness};
use crate::evaluator::{Evaluator, Home};
use crate::gauges::{Gauge, Gauges};
use crate::group_alert;
use crate::groups::{Groups, queue_of, vendor_of};
use crate::identity;
use crate::measure::Reading;
use crate::minute::Minute;
use crate::rule::{About, Badge, RuleSet};
use crate::sources::{Source, Sources};
use crate::ticket_alert;
use crate::tickets::Tickets;
use crate::windows::{Pane, Windows};

pub(super) fn damaged(what: &str) -> RestoreError {
    RestoreError::Damaged(what.to_owned())
}

pub(super) fn evaluator(
    rules: Arc<RuleSet>,
    home: Home,
    state: State,
) -> Result<Evaluator, RestoreError> {
    let clock_ms = state.clock_ms;
    let reader = Reader {
        rules: &rules,
        at_ms: clock_ms.unwrap_or(0),
        clock: clock_ms.map(Minute::of),
        groups: renumbered(
            &state.group_rules,
            rules
                .groups
                .iter()
                .map(|rule| (rule.identity(), &rule.about)),
        ),
        tickets: renumbered(
            &state.ticket_rules,
            rules
                .tickets
                .iter()
                .map(|rule| (rule.identity(), &rule.about)),
        ),
        parting: Vec::new(),
    };
    let sources = state.sources.iter().map(source).collect();
    let sources = Sources::restore(sources, state.sources_expected, clock_ms);
    let (groups, tickets, ended) = reader.read(home, &state)?;
    let mut parting = state.parting;
    parting.extend(ended);
    let mut evaluator = Evaluator::restored(rules, sources, groups, tickets, parting);
    evaluator.rules_epoch = state.rules_epoch;
    Ok(evaluator)
}

/// A rule of the snapshot.
struct KeptRule {
    state: RuleState,
    /// Where it stands among the rules of today.
    today: Option<usize>,
    /// What its alerts were known by, if today's rule says something else.
    badge: Option<Arc<Badge>>,
}

fn renumbered<'a>(
    kept: &[RuleState],
    today: impl Iterator<Item = (String, &'a About)>,
) -> Vec<KeptRule> {
    let today: Vec<(String, &About)> = today.collect();
    let renumber = |state: &RuleState| {
        let place = today
            .iter()
            .position(|(identity, _)| *identity == state.identity);
        let before = Badge {
            severity: state.severity.clone(),
            labels: state.labels.clone(),
        };
        let changed = place.is_some_and(|place| today[place].1.badge() != before);
        KeptRule {
            state: state.clone(),
            today: place,
            badge: changed.then(|| Arc::new(before)),
        }
    };
    kept.iter().map(renumber).collect()
}

fn badge(kept: Option<&BadgeState>, rule: &KeptRule) -> Option<Arc<Badge>> {
    let own = kept.map(|state| {
        Arc::new(Badge {
            severity: state.severity.clone(),
            labels: state.labels.clone(),
        })
    });
    own.or_else(|| rule.badge.clone())
}

fn source(state: &SourceState) -> (u32, Source) {
    let corrections = state.corrections.iter();
    let source = Source {
        epoch: state.epoch,
        batch: state.batch,
        clock_ms: state.clock_ms,
        out: state.out,
        settled_part: state.settled_part,
        corrections: corrections
            .map(|known| {
                (
                    known.part,
                    known.pane_ms,
                    known.vendor.clone(),
                    known.queue.clone(),
                )
            })
            .collect(),
    };
    (state.source, source)
}

struct Reader<'a> {
    rules: &'a RuleSet,
    at_ms: i64,
    clock: Option<Minute>,
    groups: Vec<KeptRule>,
    tickets: Vec<KeptRule>,
    /// The end of alerts whose rule is gone.
    parting: Vec<AlertTransition>,
}

impl Reader<'_> {
    fn read(
        mut self,
        home: Home,
        state: &State,
    ) -> Result<(Groups, Tickets, Vec<AlertTransition>), RestoreError> {
        let mut groups = Groups::new(self.rules);
        groups.clock = self.clock;
        groups.complete_from = self.complete_from(state);
        let (kept_past, plan) = (state.past.as_ref(), &self.rules.plan);
        let (past, carry) = past::past(plan, kept_past, self.clock, self.whole_from(state));
        groups.past = past;
        for kept in &state.vendors {
            let vendor = vendor_of(&mut groups.vendors, self.rules, &kept.vendor);
            self.episodes(&mut vendor.episodes, &kept.episodes, &kept.vendor, None)?;
            for kept_queue in &kept.queues {
                let queue = queue_of(
                    &mut vendor.queues,
                    self.rules,
                    &kept.vendor,
                    &kept_queue.queue,
                );
                let panes = kept_queue.panes.iter().map(pane);
                let panes = panes.collect::<Result<_, RestoreError>>()?;
                let history = kept_queue.history.as_ref();
                queue.figures.history = carry.history(&groups.past, history, &panes)?;
                queue.figures.windows = Windows::restore(&self.rules.lengths, panes, self.clock);
                let gauges = kept_queue.gauges.iter().map(|gauge| Gauge {
                    source: gauge.source,
                    open_tickets: gauge.open_tickets,
                    oldest_created_at_ms: gauge.oldest_created_at_ms,
                    oldest_ticket_id: gauge.oldest_ticket_id.clone(),
                });
                queue.figures.gauges = Gauges::restore(gauges.collect());
                queue.figures.heard_ms = kept_queue.heard_ms;
                let breaches = kept_queue.breaches.iter().map(breach);
                let breaches = breaches.collect::<Result<_, RestoreError>>()?;
                queue.figures.breaches = Breaches::restore(breaches);
                let group = Some(kept_queue.queue.as_str());
                self.episodes(
                    &mut queue.episodes,
                    &kept_queue.episodes,
                    &kept.vendor,
                    group,
                )?;
            }
        }
        groups.place_breaches();
        let mut alerts: BTreeMap<String, Vec<ClockAlert>> = BTreeMap::new();
        for kept in &state.clock_alerts {
            if let Some(alert) = self.clock_alert(kept)? {
                let of_ticket = alerts.entry(kept.ticket.clone()).or_default();
                of_ticket.push(alert);
            }
        }
        let crowds = self.crowds(&state.crowds, &mut alerts)?;
        let tickets = Tickets::restore(home, alerts, crowds);
        Ok((groups, tickets, self.parting))
    }

    /// The pane from which on every one is in the snapshot.
    fn whole_from(&self, state: &State) -> Minute {
        let known = Minute(state.complete_from);
        self.clock.map_or(known, |clock| {
            known.max(clock.minus(state.kept_panes).plus(1))
        })
    }

    /// A window that is longer than any before is full only from the oldest pane kept on.
    fn complete_from(&self, state: &State) -> Minute {
        let known = Minute(state.complete_from);
        match self.clock {
            Some(clock) if self.rules.lengths.kept() > state.kept_panes => {
                known.max(clock.minus(state.kept_panes).plus(1))
            }
            Some(_) | None => known,
        }
    }

    fn episodes(
        &mut self,
        episodes: &mut [Episode],
        kept: &[EpisodeState],
        vendor: &str,
        queue: Option<&str>,
    ) -> Result<(), RestoreError> {
        for kept in kept {
            let rule = self
                .groups
                .get(kept.rule as usize)
                .ok_or_else(|| damaged("an alert of an unknown rule"))?;
            let episode = episodes
                .iter_mut()
                .find(|episode| Some(episode.rule) == rule.today);
            let phase = phase(kept, rule)?;
            match episode {
                Some(episode) => {
                    episode.revision = kept.revision;
                    episode.last_fired_ms = kept.last_fired_ms;
                    episode.phase = phase;
                }
                None => {
                    let (fired_at_ms, own) = match &phase {
                        Phase::Quiet => continue,
                        Phase::Pending { .. } => (None, None),
                        Phase::Firing(firing) => (Some(firing.since_ms), firing.badge.as_deref()),
                    };
                    let key = group_alert::key(&rule.state.name, vendor, queue);
                    let mut end = self.end(&rule.state, key, kept.revision, fired_at_ms);
                    wear(&mut end, own);
                    end.vendor = vendor.to_owned();
                    end.queue = queue.unwrap_or_default().to_owned();
                    self.parting.push(end);
                }
            }
        }
        Ok(())
    }

    fn clock_alert(&mut self, kept: &ClockAlertState) -> Result<Option<ClockAlert>, RestoreError> {
        let rule = self
            .tickets
            .get(kept.rule as usize)
            .ok_or_else(|| damaged("an alert of an unknown rule"))?;
        let metric = Metric::from_name(&kept.metric).ok_or_else(|| damaged("an unknown metric"))?;
        let phase = match (kept.over_at_ms, kept.taken_back_at_ms) {
            (None, None) if kept.held => ClockPhase::Held,
            (None, None) if kept.waiting => ClockPhase::Waiting,
            (None, None) => ClockPhase::Firing,
            (Some(at_ms), _) => ClockPhase::Over { at_ms },
            (None, Some(at_ms)) => ClockPhase::TakenBack { at_ms },
        };
        let alert = ClockAlert {
            rule: rule.today.unwrap_or(0),
            metric,
            cycle: kept.cycle,
            level: kept.level.clone(),
            vendor: kept.vendor.clone(),
            queue: kept.queue.clone(),
            priority: kept.priority.clone(),
            target_ms: kept.target_ms,
            revision: kept.revision,
            due_ms: kept.due_ms,
            fired_at_ms: kept.fired_at_ms,
            fired_after: kept.fired_after,
            phase,
            acknowledged_at_ms: kept.acknowledged_at_ms,
            actions: kept.actions.clone(),
            badge: badge(kept.badge.as_ref(), rule),
        };
        if rule.today.is_some() {
            return Ok(Some(alert));
        }
        if phase == ClockPhase::Firing {
            let key = ticket_alert::key(&rule.state.name, &kept.ticket, &alert);
            let incident = ticket_alert::incident(&key, &alert);
            let mut end = self.end(&rule.state, key, kept.revision, Some(kept.fired_at_ms));
            end.incident = incident;
            wear(&mut end, alert.badge.as_deref());
            end.vendor = alert.vendor;
            end.queue = alert.queue;
            end.ticket_id = kept.ticket.clone();
            self.parting.push(end);
        }
        Ok(None)
    }

    /// The crowds whose rule still groups its clocks. Where it does not, what was held back waits to be told by itself.
    fn crowds(
        &mut self,
        kept: &[CrowdState],
        alerts: &mut BTreeMap<String, Vec<ClockAlert>>,
    ) -> Result<BTreeMap<CrowdKey, Crowd>, RestoreError> {
        let mut crowds = BTreeMap::new();
        for kept in kept {
            let rule = self
                .tickets
                .get(kept.rule as usize)
                .ok_or_else(|| damaged("a crowd of an unknown rule"))?;
            let key = CrowdKey {
                rule: rule.today.unwrap_or(0),
                vendor: kept.vendor.clone(),
                queue: kept.queue.clone(),
            };
            let groups = |place: usize| self.rules.tickets[place].crowd.is_some();
            if rule.today.is_some_and(groups) {
                crowds.insert(key, crowd(kept, rule));
            } else if let Some(firing) = &kept.firing
                && firing.since_ms.is_some()
            {
                let name = crowd_alert::key(&rule.state.name, &key);
                let mut end = self.end(&rule.state, name, kept.revision, firing.since_ms);
                wear(&mut end, badge(firing.badge.as_ref(), rule).as_deref());
                end.vendor = key.vendor;
                end.queue = key.queue;
                self.parting.push(end);
            }
        }
        for (ticket, alerts) in alerts {
            for alert in alerts {
                if alert.phase != ClockPhase::Held {
                    continue;
                }
                match crowds.get_mut(&CrowdKey::of(alert)) {
                    Some(crowd) => crowd.hold(ticket, alert),
                    None => alert.phase = ClockPhase::Waiting,
                }
            }
        }
        Ok(crowds)
    }

    fn end(
        &self,
        rule: &RuleState,
        key: String,
        revision: u64,
        fired_at_ms: Option<i64>,
    ) -> AlertTransition {
        AlertTransition {
            incident: fired_at_ms.map_or_else(String::new, |at| identity::incident(&key, at)),
            key,
            rule: rule.name.clone(),
            severity: rule.severity.clone(),
            state: AlertState::Expired as i32,
            at_ms: self.at_ms,
            fired_at_ms,
            summary: format!("the rule {} no longer watches this", rule.name),
            reason: "the rule was removed or changed".to_owned(),
            labels: rule.labels.clone(),
            runbook_url: rule.runbook_url.clone(),
            due_ms: self.at_ms,
            revision: revision + 1,
            kind: rule.kind.clone(),
            timezone: rule.timezone.clone(),
            ..AlertTransition::default()
        }
    }
}

fn crowd(state: &CrowdState, rule: &KeptRule) -> Crowd {
    let firing = state.firing.as_ref().map(|firing| CrowdFiring {
        since_ms: firing.since_ms,
        first_ms: firing.first_ms,
        gathering: firing.gathering,
        breached: firing.breached,
        taken_back: firing.taken_back,
        held: BTreeSet::new(),
        acknowledged: firing.acknowledged,
        actions: firing.actions.clone(),
        badge: badge(firing.badge.as_ref(), rule),
    });
    Crowd {
        recent_ms: state.recent_ms.clone(),
        revision: state.revision,
        last_fired_ms: state.last_fired_ms,
        firing,
    }
}

fn wear(end: &mut AlertTransition, badge: Option<&Badge>) {
    if let Some(badge) = badge {
        end.severity.clone_from(&badge.severity);
        end.labels.clone_from(&badge.labels);
    }
}

fn pane(state: &PaneState) -> Result<(Minute, Pane), RestoreError> {
    let total = state.total.as_ref().map(counts).transpose()?;
    let sources = state
        .sources
        .iter()
        .map(|row| Ok((row.source, counts(row)?)));
    let pane = Pane {
        total: total.unwrap_or_default(),
        sources: sources.collect::<Result<_, RestoreError>>()?,
    };
    Ok((Minute(state.minute), pane))
}

fn breach(state: &BreachState) -> Result<Breach, RestoreError> {
    Ok(Breach {
        ticket: state.ticket.clone(),
        metric: Metric::from_name(&state.metric).ok_or_else(|| damaged("an unknown metric"))?,
        cycle: state.cycle,
        due_ms: state.due_ms,
        target_ms: state.target_ms,
        elapsed_ms: state.elapsed_ms,
        category: state.category.clone(),
    })
}

pub(super) fn counts(state: &CountsState) -> Result<Packed, RestoreError> {
    Packed::from_parts(state.mask, state.values.clone())
        .ok_or_else(|| damaged("counts that do not fit"))
}

fn witness(state: &WitnessState) -> Result<Witness, RestoreError> {
    let seen = state.grounds.iter().map(|ground| Reading {
        numerator: ground.seen_numerator,
        denominator: ground.seen_denominator,
    });
    let corrected = state.grounds.iter().map(|ground| Reading {
        numerator: ground.corrected_numerator,
        denominator: ground.corrected_denominator,
    });
    let rest = state.rest.as_ref().map(counts).transpose()?;
    Ok(Witness {
        at_ms: state.at_ms,
        badness: state.badness,
        seen: seen.collect(),
        corrected: corrected.collect(),
        rest: rest.unwrap_or_default(),
    })
}

fn phase(state: &EpisodeState, rule: &KeptRule) -> Result<Phase, RestoreError> {
    Ok(match (&state.firing, state.pending_since_ms) {
        (Some(firing), _) => Phase::Firing(Firing {
            since_ms: firing.since_ms,
            left_since_ms: firing.left_since_ms,
            witnesses: firing
                .witnesses
                .iter()
                .map(witness)
                .collect::<Result<_, _>>()?,
            acknowledged: firing.acknowledged.then_some(Acknowledged {
                badness: firing.acknowledged_badness,
            }),
            grade: u8::try_from(firing.grade).unwrap_or(u8::MAX),
            actions: firing.actions.clone(),
            badge: badge(firing.badge.as_ref(), rule),
        }),
        (None, Some(since_ms)) => Phase::Pending { since_ms },
        (None, None) => Phase::Quiet,
    })
}
