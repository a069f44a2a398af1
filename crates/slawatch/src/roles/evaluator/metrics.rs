//! What an evaluator counts while it reads: which batches it dropped, what came too late, whom it waits for no longer.

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use slawatch_evaluator::{Evaluator, Stats};

const BATCHES: &str = "slawatch_signal_batches_total";
const LATE_ROWS: &str = "slawatch_signal_late_rows_total";
const UNKNOWN: &str = "slawatch_signal_unknown_total";
const UNREADABLE_RULES: &str = "slawatch_evaluator_unreadable_rules_total";
const IGNORED_ACKNOWLEDGEMENTS: &str = "slawatch_ignored_acknowledgements_total";
const SOURCES_OUT: &str = "slawatch_signal_sources_out";
const CLOCK: &str = "slawatch_evaluator_clock_ms";

/// Tells the recorder what the metrics mean.
pub(crate) fn describe() {
    describe_counter!(
        BATCHES,
        "Batches of signals by result: accepted, repeated, or fenced (of a writer that had lost its source; alert SlawatchFencedBatches)"
    );
    describe_counter!(
        LATE_ROWS,
        "Pane rows older than every window, which no alert takes into account"
    );
    describe_counter!(
        UNKNOWN,
        "Signals of a kind that this version does not know and left out"
    );
    describe_counter!(
        UNREADABLE_RULES,
        "Rules that another version of slawatch put in force and that this one cannot read; those before went on (alert SlawatchRulesUnreadable)"
    );
    describe_counter!(
        IGNORED_ACKNOWLEDGEMENTS,
        "Acknowledgements of alerts that did not fire any more, or of an earlier episode; they change nothing"
    );
    describe_gauge!(
        SOURCES_OUT,
        "Sources of signals that are behind or not seen; while there are any, no threshold alert resolves (alert SlawatchSourceOut)"
    );
    describe_gauge!(
        CLOCK,
        "The evaluator's clock by partition, in milliseconds since 1970 (alert SlawatchEvaluatorBehind)"
    );
}

/// The metrics of one evaluator, and how much of its counts was reported already.
pub(super) struct Reported {
    before: Stats,
    accepted: Counter,
    repeated: Counter,
    fenced: Counter,
    late_rows: Counter,
    unknown: Counter,
    unreadable_rules: Counter,
    ignored_acknowledgements: Counter,
    sources_out: Gauge,
    clock_ms: Gauge,
}

impl std::fmt::Debug for Reported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reported")
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}

/// Whoever gives a partition up knows nothing of its clock and its sources any more. An owner in the same process says
/// its own with its next flush.
impl Drop for Reported {
    fn drop(&mut self) {
        self.sources_out.set(f64::NAN);
        self.clock_ms.set(f64::NAN);
    }
}

impl Reported {
    pub(super) fn new(partition: u32, evaluator: &Evaluator) -> Self {
        let partition = partition.to_string();
        Self {
            before: evaluator.stats(),
            accepted: counter!(BATCHES, "result" => "accepted"),
            repeated: counter!(BATCHES, "result" => "repeated"),
            fenced: counter!(BATCHES, "result" => "fenced"),
            late_rows: counter!(LATE_ROWS),
            unknown: counter!(UNKNOWN),
            unreadable_rules: counter!(UNREADABLE_RULES),
            ignored_acknowledgements: counter!(IGNORED_ACKNOWLEDGEMENTS),
            sources_out: gauge!(SOURCES_OUT, "partition" => partition.clone()),
            clock_ms: gauge!(CLOCK, "partition" => partition),
        }
    }

    pub(super) fn report(&mut self, evaluator: &Evaluator) {
        let (now, before) = (evaluator.stats(), self.before);
        self.accepted.increment(now.batches - before.batches);
        self.repeated
            .increment(now.repeated_batches - before.repeated_batches);
        self.fenced
            .increment(now.fenced_batches - before.fenced_batches);
        self.late_rows.increment(now.late_rows - before.late_rows);
        self.unknown
            .increment(now.unknown_signals - before.unknown_signals);
        self.unreadable_rules
            .increment(now.unreadable_rules - before.unreadable_rules);
        self.ignored_acknowledgements
            .increment(now.ignored_acknowledgements - before.ignored_acknowledgements);
        self.before = now;
        self.sources_out.set(evaluator.sources_out().len() as f64);
        if let Some(clock_ms) = evaluator.clock_ms() {
            self.clock_ms.set(clock_ms as f64);
        }
    }
}
