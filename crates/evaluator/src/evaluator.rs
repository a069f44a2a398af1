//! One partition of `slawatch.signals` in, alert transitions out: takes the rows in, moves the clock, asks the rules.
//!
//! Rules about groups run as the clock advances: at the last millisecond of every pane that it passes, and where it stops.
//! So however the log was cut into batches, every whole pane is looked at once. They also run, at the same instant, when
//! the last source that was out returns, for then the figures are whole. Ticket alerts come with their rows.

use std::sync::Arc;

use slawatch_wire::v1::{
    Action, ActionKind, AlertTransition, RulesTaken, Signal, SignalBatch, signal,
};
use slawatch_wire::vendor_partition;

use crate::groups::{Groups, Moment, Teller};
use crate::history::Mark;
use crate::minute::Minute;
use crate::rule::RuleSet;
use crate::sources::{Admission, Sources};
use crate::tickets::{Arrival, Tickets};

/// What was counted since the start, for the program's own metrics; no part of the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Batches taken in.
    pub batches: u64,
    /// Batches dropped because another writer has taken over their source.
    pub fenced_batches: u64,
    /// Batches dropped because a later one of the same writer was already taken in.
    pub repeated_batches: u64,
    /// Rows of panes older than every window, as after a long absence of their source; they count in no alert.
    pub late_rows: u64,
    /// Signals of a kind that this version does not know.
    pub unknown_signals: u64,
    /// Rules that an owner put in force and that this version cannot read; those before went on.
    pub unreadable_rules: u64,
    /// Acknowledgements of alerts that did not fire here.
    pub ignored_acknowledgements: u64,
}

/// Which partition of `slawatch.signals` an evaluator serves.
///
/// A row whose vendor has changed is also put where its former vendor travels, to end what is alerted there; what begins
/// is told by the vendor's own partition alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The partition.
    pub partition: u32,
    /// Out of how many.
    pub partitions: u32,
}

impl Home {
    pub(crate) fn has(self, vendor: &str) -> bool {
        vendor_partition(vendor, self.partitions) == self.partition
    }
}

/// The alerts of the vendors of one partition of signals.
#[derive(Debug)]
pub struct Evaluator {
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) sources: Sources,
    pub(crate) groups: Groups,
    pub(crate) tickets: Tickets,
    /// The end of alerts whose rule was taken away, to be told with the next signal.
    pub(crate) parting: Vec<AlertTransition>,
    /// Of the owner who last said which rules hold.
    pub(crate) rules_epoch: u64,
    pub(crate) stats: Stats,
}

impl Evaluator {
    /// As at the beginning of the log.
    pub fn new(rules: Arc<RuleSet>, home: Home) -> Self {
        Self {
            groups: Groups::new(&rules),
            rules,
            sources: Sources::default(),
            tickets: Tickets::new(home),
            parting: Vec::new(),
            rules_epoch: 0,
            stats: Stats::default(),
        }
    }

    /// Lets sources lie this far apart before one counts as out (default 30 s): for a log whose time leaps.
    #[must_use]
    pub fn with_sources_apart_ms(mut self, behind_ms: i64) -> Self {
        self.sources.behind_ms = behind_ms;
        self
    }

    pub(crate) fn restored(
        rules: Arc<RuleSet>,
        sources: Sources,
        groups: Groups,
        tickets: Tickets,
        parting: Vec<AlertTransition>,
    ) -> Self {
        Self {
            rules,
            sources,
            groups,
            tickets,
            parting,
            rules_epoch: 0,
            stats: Stats::default(),
        }
    }

    /// Takes in one signal and appends what it makes known, in the order in which it happened.
    pub fn apply(&mut self, signal: &Signal, out: &mut Vec<AlertTransition>) {
        out.append(&mut self.parting);
        match &signal.kind {
            Some(signal::Kind::Batch(batch)) => self.batch(batch, out),
            Some(signal::Kind::Action(action)) => self.act(action, out),
            Some(signal::Kind::Rules(rules)) => self.take_rules(rules, out),
            None => self.stats.unknown_signals += 1,
        }
    }

    /// Who silences what decides who is told, not what is true; so only acknowledgements and marked changes count here.
    fn act(&mut self, action: &Action, out: &mut Vec<AlertTransition>) {
        match action.kind() {
            ActionKind::Acknowledge => {}
            ActionKind::MarkChange => {
                self.groups.past.take_mark(Mark {
                    at_ms: action.starts_ms.unwrap_or(action.at_ms),
                    action_id: action.action_id.clone(),
                    vendor: action.vendor.clone(),
                    queue: action.queue.clone(),
                    reason: action.reason.clone(),
                });
                return;
            }
            ActionKind::Unspecified | ActionKind::Silence | ActionKind::ExpireSilence => return,
        }
        let moment = Moment {
            now_ms: self.sources.clock_ms.unwrap_or(0),
            sources_out: self.sources.out(),
        };
        let known = self.groups.acknowledge(&self.rules, action, moment, out)
            || self.tickets.acknowledge(&self.rules, action, moment, out);
        // One that names no vendor went to every partition, and most know nothing of its alert.
        if !known && !action.vendor.is_empty() {
            self.stats.ignored_acknowledgements += 1;
        }
    }

    /// Every owner of the partition changes its rules at the same place of the log, so whoever replays it says the same.
    fn take_rules(&mut self, taken: &RulesTaken, out: &mut Vec<AlertTransition>) {
        if taken.epoch < self.rules_epoch {
            return;
        }
        self.rules_epoch = taken.epoch;
        if taken.text == self.rules.text() {
            return;
        }
        let changed = RuleSet::parse(&taken.file, &taken.text)
            .ok()
            .and_then(|rules| self.under(Arc::new(rules)).ok());
        match changed {
            Some(changed) => *self = changed,
            None => self.stats.unreadable_rules += 1,
        }
        out.append(&mut self.parting);
    }

    fn batch(&mut self, batch: &SignalBatch, out: &mut Vec<AlertTransition>) {
        match self.sources.admit(batch) {
            Admission::Accepted => self.stats.batches += 1,
            Admission::Fenced => {
                self.stats.fenced_batches += 1;
                return;
            }
            Admission::Repeated => {
                self.stats.repeated_batches += 1;
                return;
            }
        }
        self.take_rows(batch);
        self.take_clocks(batch, out);
        if batch.more {
            // Half of a flush is no instant at which rules may look.
            return;
        }
        let progress = self.sources.progress(batch);
        if let Some(clock_ms) = progress.clock_ms {
            self.advance(clock_ms, out);
        } else if let (true, true, Some(clock_ms)) = (
            progress.returned,
            self.sources.out().is_empty(),
            self.sources.clock_ms,
        ) {
            self.evaluate(clock_ms, out);
        }
    }

    fn take_rows(&mut self, batch: &SignalBatch) {
        let source = self.sources.source_mut(batch);
        let teller = Teller {
            source: batch.source,
            clock_ms: batch.clock_ms,
        };
        for row in &batch.panes {
            if row.part != 0 && !source.is_new_correction(row) {
                continue;
            }
            if !self.groups.pane_row(&self.rules, teller, row) {
                self.stats.late_rows += 1;
            }
        }
        for row in &batch.gauges {
            self.groups.gauge_row(&self.rules, teller, row);
        }
    }

    fn take_clocks(&mut self, batch: &SignalBatch, out: &mut Vec<AlertTransition>) {
        let arrival = Arrival {
            source_clock_ms: batch.clock_ms,
            sources_out: self.sources.out(),
        };
        // A flush says what a clock came to; a warning of the same flush lies before that.
        for warning in &batch.warnings {
            self.tickets.warning(&self.rules, warning, arrival, out);
        }
        for row in &batch.outcomes {
            self.groups.outcome_row(&self.rules, self.tickets.home, row);
            self.tickets.outcome(&self.rules, row, arrival, out);
        }
    }

    fn advance(&mut self, to_ms: i64, out: &mut Vec<AlertTransition>) {
        let target = Minute::of(to_ms);
        let Some(mut clock) = self.groups.clock else {
            self.groups.start(&self.rules, target);
            self.evaluate(to_ms, out);
            return;
        };
        let longest_timer = self.rules.longest_timer();
        let mut unchanged = 0;
        while clock < target {
            self.evaluate(clock.last_ms(), out);
            let mut next = clock.plus(1);
            let leaps = unchanged > longest_timer;
            if leaps {
                // Every timer has run out and nothing moves: on to where something does.
                next = self.next_change(clock).map_or(target, |at| at.min(target));
            }
            let hour_passed = next.0.div_euclid(60) != clock.0.div_euclid(60);
            unchanged = if self.groups.roll(&self.rules, next) || leaps {
                0
            } else {
                unchanged + 1
            };
            clock = next;
            if hour_passed {
                self.sweep(clock.minus(1).last_ms(), out);
            }
        }
        self.evaluate(to_ms, out);
    }

    /// The first minute after `clock` in which something may change though nothing is heard.
    fn next_change(&mut self, clock: Minute) -> Option<Minute> {
        let now_ms = clock.last_ms();
        let wakes = [
            self.groups.next_wake_ms(&self.rules, now_ms),
            self.tickets.next_wake_ms(),
        ];
        let wakes = wakes.into_iter().flatten().map(Minute::of);
        let window = self.groups.next_change(&self.rules, clock);
        wakes.chain(window).map(|at| at.max(clock.plus(1))).min()
    }

    fn evaluate(&mut self, now_ms: i64, out: &mut Vec<AlertTransition>) {
        let moment = Moment {
            now_ms,
            sources_out: self.sources.out(),
        };
        self.groups.evaluate(&self.rules, moment, out);
        self.tickets.tick(&self.rules, moment, out);
    }

    fn sweep(&mut self, now_ms: i64, out: &mut Vec<AlertTransition>) {
        self.groups.sweep(&self.rules, now_ms);
        let sources_out = self.sources.out();
        self.tickets.sweep(&self.rules, now_ms, sources_out, out);
    }

    /// The rules in force.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The evaluator's clock; `None` before the first batch.
    pub fn clock_ms(&self) -> Option<i64> {
        self.sources.clock_ms
    }

    /// The sources that are out, ascending: they hold up no clock, and while there are any nothing resolves.
    pub fn sources_out(&self) -> &[u32] {
        self.sources.out()
    }

    /// What was counted since this evaluator was made.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
