//! An evaluator that says what is true, and is replaced now and then.

use std::collections::BTreeMap;

use slawatch_stream::{MemoryLog, Outgoing};
use slawatch_wire::Message;
use slawatch_wire::v1::{Action, ActionKind, AlertBatch, AlertState, AlertTransition};

use slawatch_stream::faults::Dice;

use crate::{HOUR_MS, KEYS, PARTITIONS};

/// Says what is true, now and then twice, and now and then as one that was replaced.
/// What the alerts of a run are about, and what people do about them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Cast {
    /// Six alerts that have nothing to do with each other; nobody does anything.
    #[default]
    Strangers,
    /// Of each of two vendors an alert of its own, of its queue and of a ticket there. People acknowledge and silence.
    Families,
}

#[derive(Clone, Debug)]
pub struct Silenced {
    pub vendor: String,
    pub said_ms: i64,
    pub until_ms: i64,
}

#[derive(Default)]
pub struct Evaluator {
    pub cast: Cast,
    pub silences: Vec<Silenced>,
    /// Every state that was said, in order.
    pub said: Vec<AlertTransition>,

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
            let lie = self.transition(&key, "zombie", AlertState::Firing, 1_000_000, now_ms);
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
        let firing = before.filter(|before| is_on(before.state()));
        if firing.is_none() && dice.one_in(4) {
            // Pending and withdrawn: two revisions of which nobody need know.
            let mut pending = self.transition(&key, "", AlertState::Pending, revision, now_ms);
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
                let mut fires =
                    self.transition(&key, &incident, AlertState::Firing, revision, now_ms);
                fires.due_ms = due_ms;
                fires
            }
            Some(firing) => {
                let mut next = firing.clone();
                next.set_state(self.goes_on(firing.state(), dice));
                (next.revision, next.at_ms) = (revision, now_ms);
                next
            }
        };
        let fired = self
            .firing_ms
            .entry((key.clone(), next.incident.clone()))
            .or_insert((now_ms, i64::MAX));
        if !is_on(next.state()) {
            fired.1 = now_ms;
        }
        self.said.push(next.clone());
        self.newest.insert(key.clone(), next.clone());
        self.by_incident
            .insert((key, next.incident.clone()), next.clone());
        self.lately[partition].push(next.clone());
        if self.lately[partition].len() > 5 {
            self.lately[partition].remove(0);
        }
        self.write(log, partition, self.epochs[partition], now_ms, vec![next]);
    }

    fn goes_on(&self, now: AlertState, dice: &mut Dice) -> AlertState {
        let mut states = vec![
            AlertState::Firing,
            AlertState::Resolved,
            AlertState::Retracted,
            AlertState::Expired,
        ];
        if self.cast == Cast::Families {
            states.extend([AlertState::Acknowledged; 3]);
            // What is acknowledged fires again only as it gets worse.
            states.extend([now; 3]);
        }
        states[dice.roll(states.len() as u64) as usize]
    }

    /// Somebody silences a vendor for a while, or ends that.
    pub fn silence(&mut self, log: &MemoryLog, now_ms: i64, dice: &mut Dice) {
        let partition = dice.roll(u64::from(PARTITIONS)) as usize;
        let vendor = VENDORS[partition].to_owned();
        let until_ms = now_ms + 1_000 * (10 + dice.roll(120)) as i64;
        let id = format!("S-{}", self.silences.len());
        let mut silence = Action {
            action_id: id.clone(),
            at_ms: now_ms,
            until_ms: Some(until_ms),
            vendor: vendor.clone(),
            author: "maria".into(),
            ..Action::default()
        };
        silence.set_kind(ActionKind::Silence);
        let mut silenced = Silenced {
            vendor,
            said_ms: now_ms,
            until_ms,
        };
        let mut actions = vec![silence.clone()];
        if dice.one_in(4) {
            let mut expire = Action {
                action_id: format!("{id}-ends"),
                silence_id: id,
                at_ms: now_ms,
                ..Action::default()
            };
            expire.set_kind(ActionKind::ExpireSilence);
            // The evaluator may say things again.
            actions.extend([expire, silence]);
            silenced.until_ms = now_ms;
        }
        self.silences.push(silenced);
        let batch = AlertBatch {
            source: u32::try_from(partition).unwrap(),
            epoch: self.epochs[partition],
            batch: 1,
            clock_ms: now_ms,
            actions,
            ..AlertBatch::default()
        };
        append(log, partition, &batch);
    }

    fn transition(
        &self,
        key: &str,
        incident: &str,
        state: AlertState,
        revision: u64,
        now_ms: i64,
    ) -> AlertTransition {
        let mut alert = transition(key, incident, state, revision, now_ms);
        let number: usize = key.trim_start_matches('k').parse().unwrap();
        if self.cast == Cast::Families {
            alert.vendor = VENDORS[number % 2].into();
            alert.severity = "error".into();
            alert.rule = ["whole", "queue", "ticket"][number / 2].into();
            alert.queue = if number / 2 > 0 {
                "q".into()
            } else {
                String::new()
            };
            alert.ticket_id = if number / 2 > 1 {
                key.into()
            } else {
                String::new()
            };
        }
        alert
    }

    fn write(
        &self,
        log: &MemoryLog,
        partition: usize,
        epoch: u64,
        clock_ms: i64,
        alerts: Vec<AlertTransition>,
    ) {
        let source = u32::try_from(partition).unwrap();
        let batch = AlertBatch {
            source,
            epoch,
            batch: 1,
            clock_ms,
            alerts,
            ..AlertBatch::default()
        };
        append(log, partition, &batch);
    }
}

fn append(log: &MemoryLog, partition: usize, batch: &AlertBatch) {
    let partition = u32::try_from(partition).unwrap();
    let value = batch.encode_to_vec();
    log.append(Outgoing::new("slawatch.alerts".into(), partition, value))
        .unwrap();
}

/// Of the partitions.
pub const VENDORS: [&str; PARTITIONS as usize] = ["acme", "other"];

pub fn is_on(state: AlertState) -> bool {
    matches!(state, AlertState::Firing | AlertState::Acknowledged)
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
