//! Sums of what panes hold, and the names of metrics.

use slawatch_policy::Metric;
use slawatch_tracker::wire_metric;
use slawatch_wire::v1;

/// The name of a metric in rows.
pub fn metric_name(metric: v1::Metric) -> &'static str {
    Metric::ALL
        .into_iter()
        .find(|known| wire_metric(*known) == metric)
        .map_or("", Metric::name)
}

/// Adds what one pane holds to another. Verdicts stay sorted by metric, histograms by bucket.
pub fn merge(into: &mut v1::Measures, from: &v1::Measures) {
    macro_rules! add {
        ($($field:ident)*) => { $( into.$field = into.$field.wrapping_add(from.$field); )* };
    }
    add!(created entered left solved reopened escalated offered answered abandoned flowed_out
        answered_in_target abandoned_in_target short_abandoned wait_ms handled talk_ms hold_ms wrap_ms
        ratings satisfied audits audits_passed);
    for verdict in &from.verdicts {
        let verdicts = &mut into.verdicts;
        match verdicts.binary_search_by_key(&verdict.metric, |known| known.metric) {
            Ok(position) => {
                verdicts[position].met += verdict.met;
                verdicts[position].breached += verdict.breached;
            }
            Err(position) => verdicts.insert(position, *verdict),
        }
    }
    merge_histogram(&mut into.wait_histogram, &from.wait_histogram);
    merge_histogram(&mut into.handle_histogram, &from.handle_histogram);
}

fn merge_histogram(into: &mut Vec<v1::Bucket>, from: &[v1::Bucket]) {
    for bucket in from {
        match into.binary_search_by_key(&bucket.bucket, |known| known.bucket) {
            Ok(position) => into[position].count += bucket.count,
            Err(position) => into.insert(position, *bucket),
        }
    }
}
