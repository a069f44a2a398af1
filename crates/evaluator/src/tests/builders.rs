//! What the stories are told with.

use std::sync::Arc;

use slawatch_wire::v1::{
    AlertState, AlertTransition, CycleState, GaugeRow, Measures, Metric, OutcomeRow, PaneRow,
    RulesTaken, Signal, SignalBatch, VerdictCount, Warning, signal,
};

use crate::{Evaluator, Home, RuleSet};

/// The only partition.
pub(super) const ALONE: Home = Home {
    partition: 0,
    partitions: 1,
};

/// 2026-01-05T10:00:00Z, where every story begins.
pub(super) const TEN: i64 = 1_767_607_200_000;

/// An instant of the stories' day: "10:05", "10:05:30" or "10:05:30.250".
pub(super) fn at(time: &str) -> i64 {
    let (clock, ms) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = clock
        .split(':')
        .map(|part| part.parse::<i64>().expect("a number"));
    let mut next = || parts.next().unwrap_or(0);
    let (hours, minutes, seconds) = (next(), next(), next());
    let ms: i64 = ms.parse().expect("milliseconds");
    TEN + (((hours - 10) * 60 + minutes) * 60 + seconds) * 1000 + ms
}

/// "10:05:30" again, with milliseconds where there are any.
pub(super) fn time(instant_ms: i64) -> String {
    let ms = instant_ms - at("00:00");
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let rest = match ms % 1000 {
        0 => String::new(),
        rest => format!(".{rest:03}"),
    };
    match (seconds, rest.as_str()) {
        (0, "") => format!("{hours:02}:{minutes:02}"),
        (seconds, rest) => format!("{hours:02}:{minutes:02}:{seconds:02}{rest}"),
    }
}

pub(super) fn rules(text: &str) -> Arc<RuleSet> {
    match RuleSet::parse("rules.toml", text) {
        Ok(rules) => Arc::new(rules),
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// Service level below 80 %, left at 85 %, of vendor and queue; further keys may follow.
pub(super) fn service_level(further: &str) -> String {
    format!(
        r#"[[rule]]
name = "sl"
type = "threshold"
measure = "service_level"
window = "5m"
enter = "80%"
exit = "85%"
min_samples = 10
severity = "critical"
by = ["vendor", "queue"]
{further}
"#
    )
}

/// One source's flush.
#[derive(Clone, Debug)]
pub(super) struct Flush(pub(super) SignalBatch);

impl Flush {
    /// Of the only source, with its clock there.
    pub(super) fn at(time: &str) -> Self {
        Self(SignalBatch {
            clock_ms: at(time),
            sources: 1,
            epoch: 1,
            ..SignalBatch::default()
        })
    }

    pub(super) fn source(mut self, source: u32, sources: u32) -> Self {
        self.0.source = source;
        self.0.sources = sources;
        self
    }

    /// The first of several records of one flush.
    pub(super) fn more(mut self) -> Self {
        self.0.more = true;
        self
    }

    pub(super) fn epoch(mut self, epoch: u64) -> Self {
        self.0.epoch = epoch;
        self
    }

    pub(super) fn row(
        mut self,
        vendor: &str,
        queue: &str,
        minute: &str,
        measures: Measures,
    ) -> Self {
        self.0.panes.push(PaneRow {
            pane_ms: at(minute),
            vendor: vendor.to_owned(),
            queue: queue.to_owned(),
            part: 0,
            measures: Some(measures),
        });
        self
    }

    /// acme / refunds in that minute: so many contacts answered, so many of them in target.
    pub(super) fn contacts(self, minute: &str, answered: i64, in_target: i64) -> Self {
        self.contacts_of("refunds", minute, answered, in_target)
    }

    pub(super) fn contacts_of(
        self,
        queue: &str,
        minute: &str,
        answered: i64,
        in_target: i64,
    ) -> Self {
        self.row("acme", queue, minute, contacts(answered, in_target))
    }

    /// A correction to acme / refunds.
    pub(super) fn correction(mut self, part: u64, minute: &str, measures: Measures) -> Self {
        self = self.row("acme", "refunds", minute, measures);
        if let Some(row) = self.0.panes.last_mut() {
            row.part = part;
        }
        self
    }

    pub(super) fn open(mut self, queue: &str, open_tickets: i64, oldest: &str) -> Self {
        self.0.gauges.push(GaugeRow {
            vendor: "acme".to_owned(),
            queue: queue.to_owned(),
            open_tickets,
            oldest_created_at_ms: Some(at(oldest)),
            running: Vec::new(),
            ..GaugeRow::default()
        });
        self
    }

    pub(super) fn outcome(mut self, outcome: OutcomeRow) -> Self {
        self.0.outcomes.push(outcome);
        self
    }

    pub(super) fn warning(mut self, level: &str, reached: &str) -> Self {
        self.0.warnings.push(Warning {
            ticket_id: "T1".to_owned(),
            metric: Metric::FirstReply as i32,
            cycle: 1,
            level: level.to_owned(),
            vendor: "acme".to_owned(),
            queue: "refunds".to_owned(),
            priority: "urgent".to_owned(),
            policy: "rest".to_owned(),
            target_ms: 900_000,
            reached_at_ms: at(reached),
            due_at_ms: None,
            ..Warning::default()
        });
        self
    }
}

pub(super) fn contacts(answered: i64, in_target: i64) -> Measures {
    Measures {
        offered: answered,
        answered,
        answered_in_target: in_target,
        ..Measures::default()
    }
}

pub(super) fn first_replies(met: i64, breached: i64) -> Measures {
    Measures {
        verdicts: vec![VerdictCount {
            metric: Metric::FirstReply as i32,
            met,
            breached,
        }],
        ..Measures::default()
    }
}

/// T1's first reply, acme / refunds, urgent, target 15 min.
pub(super) fn outcome(state: CycleState) -> OutcomeRow {
    OutcomeRow {
        ticket_id: "T1".to_owned(),
        metric: Metric::FirstReply as i32,
        cycle: 1,
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        priority: "urgent".to_owned(),
        target_ms: Some(900_000),
        state: state as i32,
        ..OutcomeRow::default()
    }
}

pub(super) fn breached(due: &str) -> OutcomeRow {
    OutcomeRow {
        due_at_ms: Some(at(due)),
        decided_at_ms: Some(at(due)),
        breached_at_ms: Some(at(due)),
        ..outcome(CycleState::Breached)
    }
}

/// An evaluator that is told a story, numbering each source's batches.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) evaluator: Evaluator,
    pub(super) told: Vec<AlertTransition>,
    number: u64,
}

impl Story {
    pub(super) fn under(text: &str) -> Self {
        Self {
            evaluator: Evaluator::new(rules(text), ALONE),
            told: Vec::new(),
            number: 0,
        }
    }

    pub(super) fn hear(&mut self, flush: Flush) -> &mut Self {
        self.number += 1;
        let mut batch = flush.0;
        if batch.batch == 0 {
            batch.batch = self.number;
        }
        self.evaluator.apply(&signal(batch), &mut self.told);
        self
    }

    /// What was told since the last time: "10:05:30 firing acme/refunds".
    pub(super) fn tellings(&mut self) -> Vec<String> {
        self.told.drain(..).map(|told| telling(&told)).collect()
    }

    pub(super) fn last(&self) -> &AlertTransition {
        self.told.last().expect("something was told")
    }

    /// The same story under other rules: through a snapshot, and from the next place in the log on.
    pub(super) fn restart_under(&mut self, text: &str) {
        self.restart();
        self.take_rules(text, 1);
    }

    pub(super) fn restart(&mut self) {
        let bytes = self.snapshot();
        self.restore(&bytes);
    }

    pub(super) fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.evaluator.snapshot(&mut bytes);
        bytes
    }

    /// Whatever rules are configured, a state is taken up under its own.
    pub(super) fn restore(&mut self, bytes: &[u8]) {
        let none = Arc::new(RuleSet::default());
        self.evaluator = Evaluator::restore(&none, ALONE, bytes).expect("a sound snapshot");
    }

    /// An owner of that epoch puts other rules in force.
    pub(super) fn take_rules(&mut self, text: &str, epoch: u64) -> &mut Self {
        let taken = RulesTaken {
            epoch,
            file: "rules.toml".to_owned(),
            text: text.to_owned(),
        };
        let signal = Signal {
            kind: Some(signal::Kind::Rules(taken)),
        };
        self.evaluator.apply(&signal, &mut self.told);
        self
    }
}

pub(super) fn signal(batch: SignalBatch) -> Signal {
    Signal {
        kind: Some(signal::Kind::Batch(batch)),
    }
}

pub(super) fn telling(told: &AlertTransition) -> String {
    let state = match told.state() {
        AlertState::Unspecified => "unspecified",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
        AlertState::Retracted => "retracted",
        AlertState::Expired => "expired",
        AlertState::Acknowledged => "acknowledged",
    };
    let AlertTransition {
        at_ms,
        rule,
        vendor,
        queue,
        ticket_id,
        ..
    } = told;
    let subject = [rule, vendor, queue, ticket_id].map(String::as_str);
    let subject: Vec<&str> = subject
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    format!("{} {state} {}", time(*at_ms), subject.join("/"))
}

pub(super) fn evidence(told: &AlertTransition, name: &str) -> Option<f64> {
    let found = told.evidence.iter().find(|evidence| evidence.name == name);
    found.map(|evidence| evidence.value)
}
