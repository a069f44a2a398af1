//! An evaluator that says what is true, and is replaced now and then.

use std::collections::BTreeMap;

use slawatch_stream::{MemoryLog, Outgoing};
use slawatch_wire::Message;
use slawatch_wire::v1::{AlertBatch, AlertState, AlertTransition};

use slawatch_stream::faults::Dice;

use crate::{HOUR_MS, KEYS, PARTITIONS};

/// Says what is true, now and then twice, and now and then as one that was replaced.
#[derive(Default)]
pub struct Evaluator {
    pub newest: BTreeMap<String, AlertTransition>,
    pub by_incident: BTreeMap<(String, String), AlertTransition>,
    pub epochs: [u64; PARTITIONS as usize],
    pub lately: [Vec<AlertTransition>; PARTITIONS as usize],
    /// From when to when each incident fired.
    pub firing_ms: BTreeMap<(String, String), (i64, i64)>,
}

impl Evaluator {
    pub fn speak(&mut self, log: &MemoryLog, now_ms: i64, dice: &mut Dice) {
        let number = dice.roll(KEYS);
        let partition = (number % u64::from(PARTITIONS)) as usize;
        if dice.one_in(25) {
            self.epochs[partition] += 1;
            let again = self.lately[partition].clone();
            self.write(log, partition, self.epochs[partition], now_ms, again);
            let key = format!("k{number}");
            let lie = transition(&key, "zombie", AlertState::Firing, 1_000_000, now_ms);
            self.write(
                log,
                partition,
                self.epochs[partition] - 1,
                now_ms,
                vec![lie],
            );
        }
        let key = format!("k{number}");
        let before = self.newest.get(&key);
        let revision = before.map_or(1, |before| before.revision + 1);
        let firing = before.filter(|before| before.state() == AlertState::Firing);
        if firing.is_none() && dice.one_in(4) {
            // Pending and withdrawn: two revisions of which nobody need know.
            let mut pending = transition(&key, "", AlertState::Pending, revision, now_ms);
            pending.fired_at_ms = None;
            let mut withdrawn = pending.clone();
            withdrawn.set_state(AlertState::Resolved);
            withdrawn.revision += 1;
            self.newest.insert(key, withdrawn.clone());
            let epoch = self.epochs[partition];
            return self.write(log, partition, epoch, now_ms, vec![pending, withdrawn]);
        }
        let next = match firing {
            None => {
                let due_ms = if dice.one_in(8) {
                    now_ms - 2 * HOUR_MS
                } else {
                    now_ms
                };
                let incident = format!("{key}-{revision}");
                let mut fires = transition(&key, &incident, AlertState::Firing, revision, now_ms);
                fires.due_ms = due_ms;
                fires
            }
            Some(firing) => {
                let states = [
                    AlertState::Firing,
                    AlertState::Resolved,
                    AlertState::Retracted,
                    AlertState::Expired,
                ];
                let mut next = firing.clone();
                next.set_state(states[dice.roll(4) as usize]);
                (next.revision, next.at_ms) = (revision, now_ms);
                next
            }
        };
        let fired = self
            .firing_ms
            .entry((key.clone(), next.incident.clone()))
            .or_insert((now_ms, i64::MAX));
        if next.state() != AlertState::Firing {
            fired.1 = now_ms;
        }
        self.newest.insert(key.clone(), next.clone());
        self.by_incident
            .insert((key, next.incident.clone()), next.clone());
        self.lately[partition].push(next.clone());
        if self.lately[partition].len() > 5 {
            self.lately[partition].remove(0);
        }
        self.write(log, partition, self.epochs[partition], now_ms, vec![next]);
    }

    fn write(
        &self,
        log: &MemoryLog,
        partition: usize,
        epoch: u64,
        clock_ms: i64,
        alerts: Vec<AlertTransition>,
    ) {
        let partition = u32::try_from(partition).unwrap();
        let batch = AlertBatch {
            source: partition,
            epoch,
            batch: 1,
            clock_ms,
            alerts,
            ..AlertBatch::default()
        };
        let value = batch.encode_to_vec();
        log.append(Outgoing::new("slawatch.alerts".into(), partition, value))
            .unwrap();
    }
}

pub fn transition(
    key: &str,
    incident: &str,
    state: AlertState,
    revision: u64,
    now_ms: i64,
) -> AlertTransition {
    let is_ticket = key == "k1" || key == "k2";
    AlertTransition {
        ticket_id: if is_ticket { key.into() } else { String::new() },
        key: key.into(),
        incident: incident.into(),
        state: state.into(),
        revision,
        at_ms: now_ms,
        fired_at_ms: Some(now_ms),
        due_ms: now_ms,
        ..AlertTransition::default()
    }
}
