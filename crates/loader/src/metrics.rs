//! The loader's own metrics, each declared once.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::Table;

const ROWS: &str = "slawatch_loader_rows_total";
const BATCHES: &str = "slawatch_loader_batches_total";
const RETRIES: &str = "slawatch_loader_insert_retries_total";
const INSERT_SECONDS: &str = "slawatch_loader_insert_seconds";
const STOPPED: &str = "slawatch_loader_table_stopped";
const FENCED: &str = "slawatch_loader_fenced_batches_total";
const SENSELESS: &str = "slawatch_loader_bad_messages_total";
const NOT_ACCEPTED: &str = "slawatch_loader_events_not_accepted_total";
const HELD_BYTES: &str = "slawatch_loader_held_bytes";
const PAUSED: &str = "slawatch_loader_paused";

/// Tells the recorder what the metrics mean. Call it once a process, after the recorder is installed.
pub fn describe() {
    describe_counter!(
        ROWS,
        Unit::Count,
        "Rows acknowledged by ClickHouse, by table"
    );
    describe_counter!(
        BATCHES,
        Unit::Count,
        "Batches acknowledged by ClickHouse, by table"
    );
    describe_counter!(
        RETRIES,
        Unit::Count,
        "Inserts that failed and are tried again, by table; alert SlawatchLoaderRetrying when it grows for minutes"
    );
    describe_histogram!(
        INSERT_SECONDS,
        Unit::Seconds,
        "Time an insert took until its answer, by table"
    );
    describe_gauge!(
        STOPPED,
        "1 if the table refuses rows for good and a person must repair it, by table; alert SlawatchLoaderTableStopped"
    );
    describe_counter!(
        FENCED,
        Unit::Count,
        "Batches of writers that were replaced, not loaded, by topic; alert SlawatchFencedBatches"
    );
    describe_counter!(
        SENSELESS,
        Unit::Count,
        "Messages of slawatch's own topics that cannot be read, kept as dead letters, by topic; alert SlawatchBadMessages"
    );
    describe_counter!(
        NOT_ACCEPTED,
        Unit::Count,
        "Records of the input topic that are not accepted events; the tracker writes their dead letters"
    );
    describe_gauge!(
        HELD_BYTES,
        Unit::Bytes,
        "Rows in memory, compressed for the most part"
    );
    describe_gauge!(
        PAUSED,
        "1 while reading a topic waits for ClickHouse, by topic; alert SlawatchLoaderBehind when it stays so"
    );
}

pub(crate) fn batch_done(table: Table, rows: u64) {
    counter!(ROWS, "table" => table.name()).increment(rows);
    counter!(BATCHES, "table" => table.name()).increment(1);
}

pub(crate) fn retried(table: Table) {
    counter!(RETRIES, "table" => table.name()).increment(1);
}

pub(crate) fn insert_took(table: Table, seconds: f64) {
    histogram!(INSERT_SECONDS, "table" => table.name()).record(seconds);
}

pub(crate) fn stopped(table: Table) {
    gauge!(STOPPED, "table" => table.name()).set(1.0);
}

/// Shows from the start that no table has stopped.
pub(crate) fn running() {
    for table in Table::ALL {
        gauge!(STOPPED, "table" => table.name()).set(0.0);
    }
}

pub(crate) fn fenced(topic: &str) {
    counter!(FENCED, "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn senseless(topic: &str) {
    counter!(SENSELESS, "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn not_accepted() {
    counter!(NOT_ACCEPTED).increment(1);
}

pub(crate) fn held_bytes(bytes: usize) {
    gauge!(HELD_BYTES).set(bytes as f64);
}

pub(crate) fn paused(topic: &str, paused: bool) {
    gauge!(PAUSED, "topic" => topic.to_owned()).set(f64::from(u8::from(paused)));
}
