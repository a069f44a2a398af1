//! The board's own metrics, each declared once with its help text and the alert that it serves.

use std::sync::LazyLock;

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

const LAG: &str = "slawatch_board_lag_seconds";
const RECORDS: &str = "slawatch_board_records_total";
const UNREADABLE: &str = "slawatch_board_unreadable_records_total";
const FAILURES: &str = "slawatch_board_log_failures_total";
const ACTIONS: &str = "slawatch_board_actions_total";
const REFUSED: &str = "slawatch_board_refused_requests_total";

/// Wall clock less the picture's clock.
pub(crate) static LAG_SECONDS: LazyLock<Gauge> = LazyLock::new(|| gauge!(LAG));
/// Records read.
pub(crate) static RECORDS_READ: LazyLock<Counter> = LazyLock::new(|| counter!(RECORDS));
/// Records that are no message.
pub(crate) static RECORDS_UNREADABLE: LazyLock<Counter> = LazyLock::new(|| counter!(UNREADABLE));
/// Times that reading had to be begun again.
pub(crate) static LOG_FAILURES: LazyLock<Counter> = LazyLock::new(|| counter!(FAILURES));

/// Actions that the log has acknowledged.
pub(crate) static ACTIONS_WRITTEN: LazyLock<Counter> =
    LazyLock::new(|| counter!(ACTIONS, "result" => "written"));
/// Actions that are not known to be in the log.
pub(crate) static ACTIONS_FAILED: LazyLock<Counter> =
    LazyLock::new(|| counter!(ACTIONS, "result" => "failed"));

/// Counts a request that somebody may not make, or made too often.
pub(crate) fn refused(why: &'static str) {
    counter!(REFUSED, "why" => why).increment(1);
}

/// Tells the recorder what the metrics mean. Call it once a process, after the recorder is installed.
pub fn describe() {
    describe_gauge!(
        LAG,
        Unit::Seconds,
        "How far the wallboard's picture is behind the wall clock (alert SlawatchBoardBehind)"
    );
    describe_counter!(RECORDS, "Signals and alerts read by the wallboard");
    describe_counter!(
        UNREADABLE,
        "Records on slawatch's own topics that are no message of them (alert SlawatchBadMessages)"
    );
    describe_counter!(
        FAILURES,
        "Times that the wallboard had to begin reading again after a failure of the log"
    );
    describe_counter!(
        ACTIONS,
        "What people did on the wallboard, by whether Kafka took it (alert SlawatchActionsFail)"
    );
    describe_counter!(
        REFUSED,
        "Requests that the wallboard refused: no login, a wrong token, no right to act, a foreign site, too many"
    );
}
