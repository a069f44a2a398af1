//! Rows of `panes`, `outcomes` and `gauges`.

use slawatch_wire::v1;

use super::{BatchStamp, Senseless};
use crate::rowbinary::RowWriter;

const MINUTE_MS: i64 = 60_000;

/// The metrics that have columns of their own, in the order of those columns.
const METRICS: [v1::Metric; 7] = [
    v1::Metric::FirstReply,
    v1::Metric::NextReply,
    v1::Metric::PeriodicUpdate,
    v1::Metric::RequesterWait,
    v1::Metric::AgentWork,
    v1::Metric::Resolution,
    v1::Metric::Answer,
];

/// A metric's place among [`METRICS`].
fn metric_place(metric: i32) -> Result<usize, Senseless> {
    METRICS
        .iter()
        .position(|known| i32::from(*known) == metric)
        .ok_or_else(|| Senseless::new("metric", metric))
}

fn metric_name(metric: i32) -> Result<&'static str, Senseless> {
    Ok(match METRICS[metric_place(metric)?] {
        v1::Metric::FirstReply => "first_reply",
        v1::Metric::NextReply => "next_reply",
        v1::Metric::PeriodicUpdate => "periodic_update",
        v1::Metric::RequesterWait => "requester_wait",
        v1::Metric::AgentWork => "agent_work",
        v1::Metric::Resolution => "resolution",
        v1::Metric::Answer => "answer",
        v1::Metric::Unspecified => return Err(Senseless::new("metric", metric)),
    })
}

fn state_name(state: i32) -> Result<&'static str, Senseless> {
    let senseless = || Senseless::new("state of a cycle", state);
    Ok(
        match v1::CycleState::try_from(state).map_err(|_| senseless())? {
            v1::CycleState::Unspecified => return Err(senseless()),
            v1::CycleState::Running => "running",
            v1::CycleState::Paused => "paused",
            v1::CycleState::Met => "met",
            v1::CycleState::Breached => "breached",
            v1::CycleState::Cancelled => "cancelled",
            v1::CycleState::Abandoned => "abandoned",
            v1::CycleState::FlowedOut => "flowed_out",
            v1::CycleState::Untargeted => "untargeted",
        },
    )
}

pub(crate) fn write_pane(
    out: &mut Vec<u8>,
    stamp: &BatchStamp,
    pane: &v1::PaneRow,
) -> Result<(), Senseless> {
    // A pane without measures is one whose counts have all gone back to zero.
    let empty = v1::Measures::default();
    let measures = pane.measures.as_ref().unwrap_or(&empty);
    let mut verdicts = [(0_i64, 0_i64); METRICS.len()];
    for verdict in &measures.verdicts {
        let (met, breached) = &mut verdicts[metric_place(verdict.metric)?];
        *met += verdict.met;
        *breached += verdict.breached;
    }
    let mut row = RowWriter(out);
    row.u32(stamp.generation)
        .text(&pane.vendor)
        .text(&pane.queue)
        .instant_ms(pane.pane_ms)
        .u32(stamp.source)
        .u64(pane.part);
    for count in [
        measures.created,
        measures.entered,
        measures.left,
        measures.solved,
        measures.reopened,
        measures.escalated,
        measures.offered,
        measures.answered,
        measures.abandoned,
        measures.flowed_out,
        measures.answered_in_target,
        measures.abandoned_in_target,
        measures.short_abandoned,
        measures.wait_ms,
        measures.handled,
        measures.talk_ms,
        measures.hold_ms,
        measures.wrap_ms,
        measures.ratings,
        measures.satisfied,
        measures.audits,
        measures.audits_passed,
    ] {
        row.i64(count);
    }
    for (met, breached) in verdicts {
        row.i64(met).i64(breached);
    }
    write_histogram(&mut row, &measures.wait_histogram)?;
    write_histogram(&mut row, &measures.handle_histogram)?;
    row.u64(stamp.version);
    Ok(())
}

fn write_histogram(row: &mut RowWriter<'_>, buckets: &[v1::Bucket]) -> Result<(), Senseless> {
    row.items(buckets.len());
    for bucket in buckets {
        let number = u16::try_from(bucket.bucket)
            .map_err(|_| Senseless::new("bucket of a histogram", bucket.bucket))?;
        row.0.extend_from_slice(&number.to_le_bytes());
        row.i64(bucket.count);
    }
    Ok(())
}

pub(crate) fn write_outcome(
    out: &mut Vec<u8>,
    stamp: &BatchStamp,
    outcome: &v1::OutcomeRow,
) -> Result<(), Senseless> {
    let metric = metric_name(outcome.metric)?;
    // A deletion says which row, and need not say what it last held.
    let state = match state_name(outcome.state) {
        Ok(state) => state,
        Err(_) if outcome.deleted => "",
        Err(senseless) => return Err(senseless),
    };
    let mut row = RowWriter(out);
    row.u32(stamp.generation)
        .text(&outcome.ticket_id)
        .text(metric)
        .u32(outcome.cycle)
        .optional_text(outcome.contact_id.as_deref())
        .optional_instant_ms(outcome.policy_set_ms)
        .optional_text(outcome.policy.as_deref())
        .optional_i64(outcome.target_ms)
        .text(&outcome.vendor)
        .text(&outcome.queue)
        .text(&outcome.priority)
        .instant_ms(outcome.started_at_ms)
        .optional_instant_ms(outcome.due_at_ms)
        .text(state)
        .optional_instant_ms(outcome.decided_at_ms)
        .optional_instant_ms(outcome.breached_at_ms)
        .optional_instant_ms(outcome.stopped_at_ms)
        .optional_i64(outcome.elapsed_ms)
        .items(outcome.shares.len());
    for share in &outcome.shares {
        row.text(&share.vendor).text(&share.queue).i64(share.ms);
    }
    row.bool(outcome.has_shares)
        .instant_ms(stamp.log_clock_ms)
        .u32(stamp.source)
        .u64(stamp.version)
        .bool(outcome.deleted);
    Ok(())
}

pub(crate) fn write_gauge(
    out: &mut Vec<u8>,
    stamp: &BatchStamp,
    gauge: &v1::GaugeRow,
) -> Result<(), Senseless> {
    let mut running = [0_i64; METRICS.len()];
    for clocks in &gauge.running {
        running[metric_place(clocks.metric)?] += clocks.clocks;
    }
    let mut row = RowWriter(out);
    row.u32(stamp.generation)
        .text(&gauge.vendor)
        .text(&gauge.queue)
        .instant_ms(stamp.clock_ms - stamp.clock_ms.rem_euclid(MINUTE_MS))
        .u32(stamp.source)
        .i64(gauge.open_tickets)
        .optional_instant_ms(gauge.oldest_created_at_ms);
    for clocks in running {
        row.i64(clocks);
    }
    row.u64(stamp.version);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_contract_but_unspecified_has_a_place() {
        let mut value = 1;
        while let Ok(metric) = v1::Metric::try_from(value) {
            assert_eq!(METRICS[metric_place(value).unwrap()], metric);
            value += 1;
        }
        assert_eq!(usize::try_from(value).unwrap(), METRICS.len() + 1);
        assert_eq!(
            metric_name(0).unwrap_err().to_string(),
            "metric has no meaning for 0"
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let stamp = BatchStamp {
            generation: 0,
            source: 0,
            version: 1,
            clock_ms: 0,
            log_clock_ms: 0,
        };
        let outcome = v1::OutcomeRow {
            metric: 1,
            state: 99,
            ..Default::default()
        };
        let refused = write_outcome(&mut Vec::new(), &stamp, &outcome).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "state of a cycle has no meaning for 99"
        );
        let histogram = vec![v1::Bucket {
            bucket: 70_000,
            count: 1,
        }];
        let pane = v1::PaneRow {
            measures: Some(v1::Measures {
                wait_histogram: histogram,
                ..Default::default()
            }),
            ..Default::default()
        };
        let refused = write_pane(&mut Vec::new(), &stamp, &pane).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "bucket of a histogram has no meaning for 70000"
        );
    }
}
