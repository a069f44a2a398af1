//! The metrics of logs and workers: each declared once, with its help text, labels and the alert that it serves.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::record::TopicPartition;
use crate::worker::{PartitionState, PartitionStatus};

/// Labels `role`, `partition`. Alert: growing for minutes.
const LAG: &str = "slawatch_partition_lag_records";
/// Labels `role`, `partition`. Alert: above a minute, deadlines fire late.
const CLOCK_DELAY: &str = "slawatch_partition_clock_delay_milliseconds";
/// Labels `role`, `partition`. Alert: above ten times the configured interval, a takeover would take long.
const SNAPSHOT_AGE: &str = "slawatch_partition_snapshot_age_milliseconds";
/// Labels `role`, `partition`. Shows takeovers.
const EPOCH: &str = "slawatch_partition_epoch";
/// Labels `role`, `partition`. Alert: 0 while owned (see the log or `/readyz` for the reason).
const LIVE: &str = "slawatch_partition_live";
/// Label `role`. Alert: any at a steady rate.
const FENCED: &str = "slawatch_worker_fenced_total";
/// Label `role`. Alert: any at a steady rate.
const RETAKEN: &str = "slawatch_worker_retaken_total";
/// Label `role`. Alert: any.
const SNAPSHOT_FAILURES: &str = "slawatch_snapshot_failures_total";
/// Label `role`. Alert: any.
const SNAPSHOT_DAMAGE: &str = "slawatch_snapshot_damaged_total";
/// Labels `topic`, `partition`. Alert: any, numbers are incomplete.
const GAP: &str = "slawatch_gap_offsets_total";

/// Gives the metrics of this crate their help texts. Call once, after a recorder is installed.
pub fn describe() {
    describe_gauge!(
        LAG,
        Unit::Count,
        "Records in the source partition that are not read yet"
    );
    describe_gauge!(
        CLOCK_DELAY,
        Unit::Milliseconds,
        "Wall clock less the partition's clock"
    );
    describe_gauge!(
        SNAPSHOT_AGE,
        Unit::Milliseconds,
        "Time since a snapshot of a moving partition was kept"
    );
    describe_gauge!(
        EPOCH,
        "Epoch under which the partition's rows are published"
    );
    describe_gauge!(
        LIVE,
        "1 if the owned partition is at work, 0 if it is being taken over or is stopped"
    );
    describe_counter!(
        FENCED,
        "Commits refused because the group gave the partitions to others"
    );
    describe_counter!(
        RETAKEN,
        "Times that all partitions were taken again after a failed delivery"
    );
    describe_counter!(
        SNAPSHOT_FAILURES,
        "Snapshots that could not be written to the store"
    );
    describe_counter!(SNAPSHOT_DAMAGE, "Snapshots found damaged at a takeover");
    describe_counter!(
        GAP,
        "Offsets that retention removed before they were read, accepted by accept_gap"
    );
}

pub(crate) fn partition(role: &str, partition: u32, status: &PartitionStatus) {
    let labels = [
        ("role", role.to_owned()),
        ("partition", partition.to_string()),
    ];
    let live = status.state == PartitionState::Live;
    gauge!(LIVE, &labels).set(f64::from(u8::from(live)));
    gauge!(EPOCH, &labels).set(status.epoch as f64);
    if let Some(lag) = status.lag_records {
        gauge!(LAG, &labels).set(lag as f64);
    }
    if let Some(delay_ms) = status.clock_delay_ms {
        gauge!(CLOCK_DELAY, &labels).set(delay_ms as f64);
    }
    if let Some(age_ms) = status.snapshot_age_ms {
        gauge!(SNAPSHOT_AGE, &labels).set(age_ms as f64);
    }
}

/// The partition is another worker's business: leave no stale figure behind that an alert would act on.
pub(crate) fn partition_gone(role: &str, partition: u32) {
    let labels = [
        ("role", role.to_owned()),
        ("partition", partition.to_string()),
    ];
    for name in [LAG, CLOCK_DELAY, SNAPSHOT_AGE, EPOCH] {
        gauge!(name, &labels).set(0.0);
    }
    gauge!(LIVE, &labels).set(f64::NAN);
}

pub(crate) fn count_fenced(role: &str) {
    counter!(FENCED, "role" => role.to_owned()).increment(1);
}

pub(crate) fn count_retaken(role: &str) {
    counter!(RETAKEN, "role" => role.to_owned()).increment(1);
}

pub(crate) fn count_snapshot_failure(role: &str) {
    counter!(SNAPSHOT_FAILURES, "role" => role.to_owned()).increment(1);
}

pub(crate) fn count_snapshot_damage(role: &str) {
    counter!(SNAPSHOT_DAMAGE, "role" => role.to_owned()).increment(1);
}

pub(crate) fn count_gap(partition: &TopicPartition, offsets: i64) {
    let labels = [
        ("topic", partition.topic.to_string()),
        ("partition", partition.partition.to_string()),
    ];
    counter!(GAP, &labels).increment(u64::try_from(offsets).unwrap_or(0));
}
