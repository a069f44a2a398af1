//! Builders for the board's own tests: messages as trackers and evaluators send them.

use slawatch_wire::v1::{
    AlertBatch, AlertState, AlertTransition, CycleState, Evidence, GaugeRow, Measures, Metric,
    OutcomeRow, PaneRow, RunningClocks, Signal, SignalBatch, VerdictCount, signal,
};

/// Sun 2026-11-22 14:30:00 UTC.
pub(crate) const NOON_MS: i64 = 1_795_357_800_000;
const MINUTE_MS: i64 = 60_000;

/// A flush of one source.
pub(crate) fn batch(source: u32, batch: u64, clock_ms: i64) -> SignalBatch {
    SignalBatch {
        source,
        epoch: 1,
        batch,
        clock_ms,
        log_clock_ms: clock_ms,
        sources: 1,
        ..SignalBatch::default()
    }
}

pub(crate) fn signal(batch: SignalBatch) -> Signal {
    Signal {
        kind: Some(signal::Kind::Batch(batch)),
    }
}

/// Contacts of one minute: answered in target, answered late, abandoned late; each wait 10 s, each handled in 300 s.
pub(crate) fn contacts(pane_ms: i64, owner: (&str, &str), counts: (i64, i64, i64)) -> PaneRow {
    let (in_target, late, abandoned) = counts;
    let answered = in_target + late;
    PaneRow {
        pane_ms,
        vendor: owner.0.to_owned(),
        queue: owner.1.to_owned(),
        part: 0,
        measures: Some(Measures {
            offered: answered + abandoned,
            answered,
            abandoned,
            answered_in_target: in_target,
            wait_ms: answered * 10_000,
            handled: answered,
            talk_ms: answered * 240_000,
            hold_ms: answered * 20_000,
            wrap_ms: answered * 40_000,
            verdicts: vec![VerdictCount {
                metric: Metric::Answer.into(),
                met: in_target,
                breached: late + abandoned,
            }],
            ..Measures::default()
        }),
    }
}

pub(crate) fn gauge(owner: (&str, &str), open_tickets: i64, oldest_ms: i64) -> GaugeRow {
    GaugeRow {
        vendor: owner.0.to_owned(),
        queue: owner.1.to_owned(),
        open_tickets,
        oldest_created_at_ms: (open_tickets > 0).then_some(oldest_ms),
        running: vec![RunningClocks {
            metric: Metric::Resolution.into(),
            clocks: open_tickets,
        }],
        ..GaugeRow::default()
    }
}

pub(crate) fn open_breach(owner: (&str, &str), ticket: &str) -> OutcomeRow {
    OutcomeRow {
        ticket_id: ticket.to_owned(),
        metric: Metric::FirstReply.into(),
        cycle: 1,
        vendor: owner.0.to_owned(),
        queue: owner.1.to_owned(),
        state: CycleState::Breached.into(),
        ..OutcomeRow::default()
    }
}

/// An alert that fires.
pub(crate) fn firing(
    key: &str,
    severity: &str,
    owner: (&str, &str),
    at_ms: i64,
) -> AlertTransition {
    AlertTransition {
        key: key.to_owned(),
        incident: format!("{key}-{at_ms}"),
        rule: "service-level-drops".to_owned(),
        severity: severity.to_owned(),
        vendor: owner.0.to_owned(),
        queue: owner.1.to_owned(),
        state: AlertState::Firing.into(),
        at_ms,
        fired_at_ms: Some(at_ms),
        summary: format!("{} / {}: service level 41.2 % over 15m", owner.0, owner.1),
        reason: "below 75 % for 2m".to_owned(),
        evidence: vec![
            Evidence {
                name: "value".to_owned(),
                value: 0.412,
            },
            Evidence {
                name: "window_ms".to_owned(),
                value: 900_000.0,
            },
        ],
        revision: 2,
        ..AlertTransition::default()
    }
}

pub(crate) fn alert_batch(number: u64, alerts: Vec<AlertTransition>) -> AlertBatch {
    let clock_ms = alerts.iter().map(|alert| alert.at_ms).max().unwrap_or(0);
    AlertBatch {
        source: 0,
        epoch: 1,
        batch: number,
        clock_ms,
        alerts,
        ..AlertBatch::default()
    }
}

/// An afternoon of three vendors at [`NOON_MS`]: nova's refunds drown, everybody else does well. Hostile names included.
pub(crate) fn afternoon() -> (Vec<Signal>, Vec<AlertBatch>) {
    let owners = [
        (("acme", "billing"), 12),
        (("acme", "refunds"), 8),
        (("acme", "technical <b>2nd</b>"), 5),
        (("brightdesk", "chat"), 15),
        (("brightdesk", "voice"), 20),
        (("nova", "refunds"), 9),
        (("nova", "returns"), 4),
    ];
    let mut signals = Vec::new();
    for minute in 0..(10 * 60) {
        let pane_ms = NOON_MS - (10 * 60 - 1 - minute) * MINUTE_MS;
        let panes = owners.iter().enumerate().map(|(index, (owner, busy))| {
            let drowns = *owner == ("nova", "refunds") && minute > 560;
            // Some texture, the same at every run.
            let noise = (minute * 7 + index as i64 * 13) % 5;
            let late = if drowns {
                busy / 2 + noise
            } else {
                i64::from(noise == 0)
            };
            let abandoned = if drowns {
                3
            } else {
                i64::from(noise == 4 && minute % 3 == 0)
            };
            contacts(
                pane_ms,
                *owner,
                (busy / 2 + noise - late.min(busy / 2), late, abandoned),
            )
        });
        let mut flush = batch(0, 1 + minute.unsigned_abs(), pane_ms + 5_000);
        flush.panes = panes.collect();
        signals.push(signal(flush));
    }
    let mut last = batch(0, 10_000, NOON_MS + 12_000);
    for (index, (owner, busy)) in (0..).zip(owners) {
        let open = if owner.1 == "returns" { 0 } else { busy * 11 };
        last.gauges
            .push(gauge(owner, open, NOON_MS - (index + 1) * 47 * MINUTE_MS));
    }
    for ticket in 0..17 {
        last.outcomes
            .push(open_breach(("nova", "refunds"), &format!("T-{ticket}")));
    }
    last.outcomes.push(open_breach(("acme", "billing"), "T-99"));
    signals.push(signal(last));
    let mut of_ticket = firing("b", "warning", ("acme", "billing"), NOON_MS - 5 * MINUTE_MS);
    of_ticket.rule = "breach".to_owned();
    of_ticket.ticket_id = "T-99".to_owned();
    of_ticket.summary =
        "acme / billing: ticket T-99 (high) first_reply breached, not fulfilled within 1h"
            .to_owned();
    let drowning = firing(
        "a",
        "critical",
        ("nova", "refunds"),
        NOON_MS - 31 * MINUTE_MS,
    );
    let mut over = firing(
        "c",
        "error",
        ("brightdesk", "voice"),
        NOON_MS - 50 * MINUTE_MS,
    );
    over.summary = "brightdesk / voice: abandon rate 14.0 % over 30m".to_owned();
    let ended = AlertTransition {
        state: AlertState::Resolved.into(),
        at_ms: NOON_MS - 20 * MINUTE_MS,
        reason: "back at 3.1 %: 5 % or better for 10m".to_owned(),
        revision: 3,
        ..over.clone()
    };
    let alerts = vec![
        alert_batch(1, vec![over, drowning]),
        alert_batch(2, vec![ended, of_ticket]),
    ];
    (signals, alerts)
}
