//! The files that a replay writes: one JSON object a line, as SEMANTICS 8 names their fields.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use slawatch_event::format_instant;
use slawatch_wire::v1;

use slawatch_backtest::{MergedPanes, metric_name};

use super::DeadLetterLine;

/// The name of a state in rows.
pub fn state_name(state: v1::CycleState) -> &'static str {
    match state {
        v1::CycleState::Unspecified => "",
        v1::CycleState::Running => "running",
        v1::CycleState::Paused => "paused",
        v1::CycleState::Met => "met",
        v1::CycleState::Breached => "breached",
        v1::CycleState::Cancelled => "cancelled",
        v1::CycleState::Abandoned => "abandoned",
        v1::CycleState::FlowedOut => "flowed_out",
        v1::CycleState::Untargeted => "untargeted",
    }
}

/// Writes `outcomes.jsonl`.
///
/// # Errors
/// The writer's.
pub fn write_outcomes(rows: &[v1::OutcomeRow], out: &mut impl Write) -> io::Result<()> {
    for row in rows {
        write_line(outcome_object(row), out)?;
    }
    Ok(())
}

/// A row as SEMANTICS 8 writes it.
pub fn outcome_object(row: &v1::OutcomeRow) -> Map<String, Value> {
    let instant = |at_ms: Option<i64>| at_ms.map(format_instant);
    let shares = row.has_shares.then(|| {
        let share = |share: &v1::Share| json!({"vendor": share.vendor, "queue": share.queue, "ms": share.ms});
        row.shares.iter().map(share).collect::<Vec<_>>()
    });
    let fields = [
        ("ticket_id", json!(row.ticket_id)),
        ("metric", json!(metric_name(row.metric()))),
        ("cycle", json!(row.cycle)),
        ("contact_id", json!(row.contact_id)),
        ("policy_set", json!(instant(row.policy_set_ms))),
        ("policy", json!(row.policy)),
        ("target_ms", json!(row.target_ms)),
        ("vendor", json!(row.vendor)),
        ("queue", json!(row.queue)),
        ("priority", json!(row.priority)),
        ("started_at", json!(format_instant(row.started_at_ms))),
        ("due_at", json!(instant(row.due_at_ms))),
        ("state", json!(state_name(row.state()))),
        ("decided_at", json!(instant(row.decided_at_ms))),
        ("breached_at", json!(instant(row.breached_at_ms))),
        ("stopped_at", json!(instant(row.stopped_at_ms))),
        ("elapsed_ms", json!(row.elapsed_ms)),
        ("shares", json!(shares)),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Writes `panes.jsonl`; what is zero or empty is left out, and so is a pane of nothing else.
///
/// # Errors
/// The writer's.
pub fn write_panes(panes: &MergedPanes, out: &mut impl Write) -> io::Result<()> {
    for ((pane_ms, vendor, queue), measures) in panes {
        let measured = measures_object(measures);
        if measured.is_empty() {
            continue;
        }
        let mut object = Map::new();
        object.insert("pane".into(), json!(format_instant(*pane_ms)));
        object.insert("vendor".into(), json!(vendor));
        object.insert("queue".into(), json!(queue));
        object.extend(measured);
        write_line(object, out)?;
    }
    Ok(())
}

/// Writes `dead_letters.jsonl`.
///
/// # Errors
/// The writer's.
pub fn write_dead_letters(letters: &[DeadLetterLine], out: &mut impl Write) -> io::Result<()> {
    for letter in letters {
        let mut object = Map::new();
        object.insert("line".into(), json!(letter.line));
        object.insert("reason".into(), json!(letter.reason.name()));
        write_line(object, out)?;
    }
    Ok(())
}

fn write_line(object: Map<String, Value>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Value::Object(object))?;
    out.write_all(b"\n")
}

/// The measures that are plain numbers, by name.
pub fn plain(measures: &v1::Measures) -> [(&'static str, i64); 22] {
    [
        ("created", measures.created),
        ("entered", measures.entered),
        ("left", measures.left),
        ("solved", measures.solved),
        ("reopened", measures.reopened),
        ("escalated", measures.escalated),
        ("offered", measures.offered),
        ("answered", measures.answered),
        ("abandoned", measures.abandoned),
        ("flowed_out", measures.flowed_out),
        ("answered_in_target", measures.answered_in_target),
        ("abandoned_in_target", measures.abandoned_in_target),
        ("short_abandoned", measures.short_abandoned),
        ("wait_ms", measures.wait_ms),
        ("handled", measures.handled),
        ("talk_ms", measures.talk_ms),
        ("hold_ms", measures.hold_ms),
        ("wrap_ms", measures.wrap_ms),
        ("ratings", measures.ratings),
        ("satisfied", measures.satisfied),
        ("audits", measures.audits),
        ("audits_passed", measures.audits_passed),
    ]
}

fn measures_object(measures: &v1::Measures) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, amount) in plain(measures) {
        if amount != 0 {
            // Sums of unsigned durations, kept in two's complement.
            object.insert(name.into(), json!(amount as u64));
        }
    }
    let verdicts = |count: fn(&v1::VerdictCount) -> i64| {
        let counts: Map<String, Value> = measures
            .verdicts
            .iter()
            .filter(|verdict| count(verdict) != 0)
            .map(|verdict| {
                (
                    metric_name(verdict.metric()).to_owned(),
                    json!(count(verdict)),
                )
            })
            .collect();
        counts
    };
    let histogram = |buckets: &[v1::Bucket]| -> Map<String, Value> {
        buckets
            .iter()
            .filter(|bucket| bucket.count != 0)
            .map(|bucket| (bucket.bucket.to_string(), json!(bucket.count)))
            .collect()
    };
    for (name, counts) in [
        ("met", verdicts(|verdict| verdict.met)),
        ("breached", verdicts(|verdict| verdict.breached)),
        ("wait_histogram", histogram(&measures.wait_histogram)),
        ("handle_histogram", histogram(&measures.handle_histogram)),
    ] {
        if !counts.is_empty() {
            object.insert(name.into(), Value::Object(counts));
        }
    }
    object
}

/// Whether a pane has nothing but zeros.
pub(crate) fn is_empty(measures: &v1::Measures) -> bool {
    measures_object(measures).is_empty()
}
