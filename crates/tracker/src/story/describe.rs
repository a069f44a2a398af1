//! Rows and panes in the words of the stories.

use std::collections::BTreeMap;

use slawatch_policy::Metric;
use slawatch_wire::v1;

use super::when::{Week, duration};
use crate::outcome::wire_metric;

/// By (pane, vendor, queue): the measures that are not zero, `met.M`, `wait_histogram.B` and the like among them.
pub(crate) type Panes = BTreeMap<(i64, String, String), BTreeMap<String, i64>>;

/// Adds a row's measures to the panes; what comes to zero goes.
pub(crate) fn merge_pane(panes: &mut Panes, row: &v1::PaneRow) {
    let key = (row.pane_ms, row.vendor.clone(), row.queue.clone());
    let pane = panes.entry(key.clone()).or_default();
    for (name, amount) in named(row.measures.as_ref().unwrap()) {
        *pane.entry(name).or_default() += amount;
    }
    pane.retain(|_, amount| *amount != 0);
    if pane.is_empty() {
        panes.remove(&key);
    }
}

fn named(measures: &v1::Measures) -> Vec<(String, i64)> {
    let mut out = Vec::new();
    macro_rules! plain {
        ($($field:ident)*) => { $( out.push((stringify!($field).to_owned(), measures.$field)); )* };
    }
    plain!(created entered left solved reopened escalated offered answered abandoned flowed_out
        answered_in_target abandoned_in_target short_abandoned wait_ms handled talk_ms hold_ms wrap_ms
        ratings satisfied audits audits_passed);
    for verdict in &measures.verdicts {
        let metric = metric_name(verdict.metric());
        out.push((format!("met.{metric}"), verdict.met));
        out.push((format!("breached.{metric}"), verdict.breached));
    }
    for (name, histogram) in [
        ("wait_histogram", &measures.wait_histogram),
        ("handle_histogram", &measures.handle_histogram),
    ] {
        out.extend(
            histogram
                .iter()
                .map(|bucket| (format!("{name}.{}", bucket.bucket), bucket.count)),
        );
    }
    out
}

pub(super) fn metric_name(metric: v1::Metric) -> &'static str {
    Metric::ALL
        .into_iter()
        .find(|known| wire_metric(*known) == metric)
        .map(Metric::name)
        .unwrap()
}

pub(super) fn owner(vendor: &str, queue: &str) -> String {
    format!("{vendor}/{queue}")
}

/// `met at Mon 09:00, due Mon 09:30, elapsed 50m`. What the state makes certain is checked and left out.
pub(super) fn row(row: &v1::OutcomeRow, week: Week) -> String {
    let (state, is_decided) = match row.state() {
        v1::CycleState::Running => ("running", false),
        v1::CycleState::Paused => ("paused", false),
        v1::CycleState::Met => ("met", true),
        v1::CycleState::Breached => ("breached", true),
        v1::CycleState::Cancelled => ("cancelled", true),
        v1::CycleState::Abandoned => ("abandoned", true),
        v1::CycleState::FlowedOut => ("flowed_out", true),
        v1::CycleState::Untargeted => ("untargeted", true),
        v1::CycleState::Unspecified => panic!("a row without a state"),
    };
    assert_eq!(row.decided_at_ms.is_some(), is_decided, "{row:?}");
    assert_eq!(
        row.stopped_at_ms.is_some(),
        row.elapsed_ms.is_some(),
        "{row:?}"
    );
    let mut text = state.to_owned();
    if let Some(decided_at_ms) = row.decided_at_ms {
        text += &format!(" at {}", week.text(decided_at_ms));
    }
    if state == "breached" {
        assert_eq!(row.breached_at_ms, row.decided_at_ms, "{row:?}");
        assert_eq!(row.due_at_ms, row.decided_at_ms, "{row:?}");
        if let Some(stopped_at_ms) = row.stopped_at_ms {
            text += &format!(", stopped {}", week.text(stopped_at_ms));
        }
    } else {
        assert_eq!(row.breached_at_ms, None, "{row:?}");
        assert_eq!(row.stopped_at_ms, row.decided_at_ms, "{row:?}");
        if let Some(due_at_ms) = row.due_at_ms {
            text += &format!(", due {}", week.text(due_at_ms));
        }
    }
    if let Some(elapsed_ms) = row.elapsed_ms {
        text += &format!(", elapsed {}", duration(elapsed_ms));
    }
    let has_verdict = matches!(row.state(), v1::CycleState::Met | v1::CycleState::Breached);
    assert_eq!(row.has_shares, has_verdict, "{row:?}");
    text
}

/// `acme/refunds 30m, globex/ 10m`; `-` if the row has none.
pub(super) fn shares(row: &v1::OutcomeRow) -> String {
    let shares = row
        .shares
        .iter()
        .map(|share| {
            let owner = owner(&share.vendor, &share.queue);
            format!("{owner} {}", duration(share.ms))
        })
        .collect::<Vec<_>>();
    if row.has_shares {
        shares.join(", ")
    } else {
        "-".into()
    }
}
