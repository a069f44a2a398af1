//! From the evaluator to the messages of a snapshot.

use std::collections::BTreeMap;

use super::SCHEMA;
use super::format::{
    BadgeState, BreachState, ClockAlertState, CorrectionState, CountsState, CrowdFiringState,
    CrowdState, EpisodeState, FiringState, GaugeState, GroundState, PaneState, QueueState,
    RuleState, SourceState, State, VendorState, WitnessState,
};
use super::past::{of_history, of_past};
use crate::breaches::Breach;
use crate::clock_alert::{ClockAlert, ClockPhase};
use crate::counters::Packed;
use crate::crowd::{Crowd, CrowdKey};
use crate::episode::{Episode, Phase, Witness};
use crate::evaluator::Evaluator;
use crate::groups::Queue;
use crate::minute::Minute;
use crate::rule::{About, Badge, TicketRule};
use crate::sources::Source;
use crate::windows::Pane;

pub(super) fn state(evaluator: &Evaluator) -> State {
    let rules = &evaluator.rules;
    let groups = rules.groups.iter();
    let tickets = rules.tickets.iter();
    let sources = evaluator.sources.seen.iter();
    let vendors = evaluator.groups.vendors.iter();
    let alerts = evaluator.tickets.alerts.iter();
    State {
        schema: SCHEMA,
        clock_ms: evaluator.sources.clock_ms,
        sources_expected: evaluator.sources.expected,
        sources: sources
            .map(|(number, source)| of_source(*number, source))
            .collect(),
        complete_from: evaluator.groups.complete_from.0,
        kept_panes: rules.lengths.kept(),
        group_rules: groups
            .map(|rule| of_rule(rule.identity(), rule.watch.kind(), &rule.about))
            .collect(),
        ticket_rules: tickets
            .map(|rule| of_rule(rule.identity(), TicketRule::KIND, &rule.about))
            .collect(),
        vendors: vendors
            .map(|(name, vendor)| VendorState {
                vendor: name.clone(),
                queues: vendor
                    .queues
                    .iter()
                    .map(|(name, queue)| of_queue(name, queue))
                    .collect(),
                episodes: of_episodes(&vendor.episodes),
            })
            .collect(),
        clock_alerts: alerts
            .flat_map(|(ticket, alerts)| alerts.iter().map(move |alert| of_alert(ticket, alert)))
            .collect(),
        crowds: evaluator.tickets.crowds.iter().map(of_crowd).collect(),
        parting: evaluator.parting.clone(),
        rules_file: rules.file.clone(),
        rules_text: rules.text.clone(),
        rules_epoch: evaluator.rules_epoch,
        past: of_past(&rules.plan, &evaluator.groups.past),
    }
}

fn of_source(number: u32, source: &Source) -> SourceState {
    let corrections = source.corrections.iter();
    SourceState {
        source: number,
        epoch: source.epoch,
        batch: source.batch,
        clock_ms: source.clock_ms,
        out: source.out,
        settled_part: source.settled_part,
        corrections: corrections
            .map(|(part, pane_ms, vendor, queue)| CorrectionState {
                part: *part,
                pane_ms: *pane_ms,
                vendor: vendor.clone(),
                queue: queue.clone(),
            })
            .collect(),
    }
}

fn of_rule(identity: String, kind: &str, about: &About) -> RuleState {
    let labels: &BTreeMap<String, String> = &about.labels;
    RuleState {
        identity,
        name: about.name.clone(),
        severity: about.severity.clone(),
        labels: labels.clone(),
        runbook_url: about.runbook_url.clone(),
        kind: kind.to_owned(),
        timezone: about.timezone.clone(),
    }
}

fn of_queue(name: &str, queue: &Queue) -> QueueState {
    let panes = queue.figures.windows.panes().iter();
    let gauges = queue.figures.gauges.iter();
    QueueState {
        queue: name.to_owned(),
        panes: panes.map(|(minute, pane)| of_pane(*minute, pane)).collect(),
        gauges: gauges
            .map(|gauge| GaugeState {
                source: gauge.source,
                open_tickets: gauge.open_tickets,
                oldest_created_at_ms: gauge.oldest_created_at_ms,
                oldest_ticket_id: gauge.oldest_ticket_id.clone(),
            })
            .collect(),
        history: of_history(&queue.figures.history),
        episodes: of_episodes(&queue.episodes),
        heard_ms: queue.figures.heard_ms,
        breaches: queue.figures.breaches.iter().map(of_breach).collect(),
    }
}

fn of_breach(breach: &Breach) -> BreachState {
    BreachState {
        ticket: breach.ticket.clone(),
        metric: breach.metric.name().to_owned(),
        cycle: breach.cycle,
        due_ms: breach.due_ms,
        target_ms: breach.target_ms,
        elapsed_ms: breach.elapsed_ms,
        category: breach.category.clone(),
    }
}

fn of_pane(minute: Minute, pane: &Pane) -> PaneState {
    let sources = pane.sources.iter();
    PaneState {
        minute: minute.0,
        total: Some(of_counts(0, &pane.total)),
        sources: sources
            .map(|(source, counts)| of_counts(*source, counts))
            .collect(),
    }
}

pub(super) fn of_counts(source: u32, counts: &Packed) -> CountsState {
    let (mask, values) = counts.parts();
    CountsState {
        source,
        mask,
        values: values.to_vec(),
    }
}

fn of_episodes(episodes: &[Episode]) -> Vec<EpisodeState> {
    let told = episodes.iter().filter(|episode| episode.revision > 0);
    told.map(|episode| {
        let (pending_since_ms, firing) = match &episode.phase {
            Phase::Quiet => (None, None),
            Phase::Pending { since_ms } => (Some(*since_ms), None),
            Phase::Firing(firing) => (
                None,
                Some(FiringState {
                    since_ms: firing.since_ms,
                    left_since_ms: firing.left_since_ms,
                    badge: firing.badge.as_deref().map(of_badge),
                    witnesses: firing.witnesses.iter().map(of_witness).collect(),
                    acknowledged: firing.acknowledged.is_some(),
                    acknowledged_badness: firing.acknowledged.and_then(|known| known.badness),
                    grade: u32::from(firing.grade),
                    actions: firing.actions.clone(),
                }),
            ),
        };
        EpisodeState {
            // A rule set is a file read by people: it has nowhere near 2^32 rules.
            rule: episode.rule as u32,
            revision: episode.revision,
            pending_since_ms,
            firing,
            last_fired_ms: episode.last_fired_ms,
        }
    })
    .collect()
}

fn of_witness(witness: &Witness) -> WitnessState {
    let pairs = witness.seen.iter().zip(&witness.corrected);
    let grounds = pairs.map(|(seen, corrected)| GroundState {
        seen_numerator: seen.numerator,
        seen_denominator: seen.denominator,
        corrected_numerator: corrected.numerator,
        corrected_denominator: corrected.denominator,
    });
    WitnessState {
        at_ms: witness.at_ms,
        badness: witness.badness,
        grounds: grounds.collect(),
        rest: Some(of_counts(0, &witness.rest)),
    }
}

fn of_alert(ticket: &str, alert: &ClockAlert) -> ClockAlertState {
    let (over_at_ms, taken_back_at_ms) = match alert.phase {
        ClockPhase::Waiting | ClockPhase::Held | ClockPhase::Firing => (None, None),
        ClockPhase::Over { at_ms } => (Some(at_ms), None),
        ClockPhase::TakenBack { at_ms } => (None, Some(at_ms)),
    };
    ClockAlertState {
        ticket: ticket.to_owned(),
        rule: alert.rule as u32,
        metric: alert.metric.name().to_owned(),
        cycle: alert.cycle,
        level: alert.level.clone(),
        vendor: alert.vendor.clone(),
        queue: alert.queue.clone(),
        priority: alert.priority.clone(),
        target_ms: alert.target_ms,
        revision: alert.revision,
        fired_at_ms: alert.fired_at_ms,
        over_at_ms,
        taken_back_at_ms,
        badge: alert.badge.as_deref().map(of_badge),
        acknowledged_at_ms: alert.acknowledged_at_ms,
        actions: alert.actions.clone(),
        due_ms: alert.due_ms,
        fired_after: alert.fired_after,
        waiting: alert.phase == ClockPhase::Waiting,
        held: alert.phase == ClockPhase::Held,
    }
}

fn of_crowd((key, crowd): (&CrowdKey, &Crowd)) -> CrowdState {
    let firing = crowd.firing.as_ref().map(|firing| CrowdFiringState {
        since_ms: firing.since_ms,
        first_ms: firing.first_ms,
        gathering: firing.gathering,
        breached: firing.breached,
        taken_back: firing.taken_back,
        acknowledged: firing.acknowledged,
        actions: firing.actions.clone(),
        badge: firing.badge.as_deref().map(of_badge),
    });
    CrowdState {
        rule: key.rule as u32,
        vendor: key.vendor.clone(),
        queue: key.queue.clone(),
        recent_ms: crowd.recent_ms.clone(),
        revision: crowd.revision,
        last_fired_ms: crowd.last_fired_ms,
        firing,
    }
}

fn of_badge(badge: &Badge) -> BadgeState {
    let Badge { severity, labels } = badge.clone();
    BadgeState { severity, labels }
}
