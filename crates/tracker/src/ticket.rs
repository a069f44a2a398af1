//! One live ticket: its history, the fold of it, and what the tracker has told others about it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_policy::Metric;
use slawatch_wire::v1;

use crate::attributes::Timeline;
use crate::event::Event;
use crate::fold::{Fold, Published};
use crate::gauges::Share;
use crate::outcome::{self, Said};
use crate::panes::Panes;
use crate::rules::Rules;
use crate::symbol::Symbol;
use crate::tally::{Contribution, Discard, changes};

#[derive(Debug)]
pub(crate) struct Ticket {
    /// Shared with those who look for it.
    pub(crate) id: Arc<str>,
    /// Sorted by [`Event::order`].
    pub(crate) history: Vec<Event>,
    /// Of the history but those in `unfolded`.
    pub(crate) fold: Fold,
    /// Keys of events that came late, or behind such, and wait for the next refold.
    unfolded: Vec<u64>,
    /// When the clock next concludes something, if nothing else happens.
    pub(crate) wake_ms: Option<i64>,
    pub(crate) share: Share,
    /// Its last event, if it is over or ended.
    pub(crate) finished_at_ms: Option<i64>,
    /// Among those to be published.
    pub(crate) is_changed: bool,
    /// Rows published of cycles that a late event has undone since.
    withdrawn: Vec<(Metric, u32, Symbol)>,
}

/// How an event relates to what is known.
pub(crate) enum Place {
    /// Sorts behind everything known.
    Last,
    /// Sorts before something known, at this position.
    Late(usize),
    /// Its id is known; whether it says the same.
    Known { same: bool },
}

/// A row to publish, and the vendor whose partition has the older version of it, if that is another.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The row; its own vendor says which partition it belongs to.
    pub row: v1::OutcomeRow,
    /// The vendor under which it was published before, if that was another one: its readers must be told too.
    pub former_vendor: Option<String>,
}

impl Ticket {
    pub(crate) fn new(id: Arc<str>, rules: &Rules) -> Self {
        Self {
            id,
            history: Vec::new(),
            unfolded: Vec::new(),
            fold: Fold::new(rules),
            wake_ms: None,
            share: Share::default(),
            finished_at_ms: None,
            is_changed: false,
            withdrawn: Vec::new(),
        }
    }

    pub(crate) fn place(&self, event: &Event) -> Place {
        if let Some(known) = self.history.iter().find(|known| known.key == event.key) {
            return Place::Known {
                same: known.content == event.content,
            };
        }
        let position = self
            .history
            .partition_point(|known| known.order() < event.order());
        if position == self.history.len() {
            Place::Last
        } else {
            Place::Late(position)
        }
    }

    /// The instant of its first event.
    pub(crate) fn first_at_ms(&self) -> i64 {
        self.history.first().map_or(i64::MAX, |event| event.at_ms)
    }

    /// The instant of its last event.
    pub(crate) fn last_at_ms(&self) -> i64 {
        self.history.last().map_or(i64::MIN, |event| event.at_ms)
    }

    pub(crate) fn append(&mut self, event: Event, rules: &mut Rules, panes: &mut Panes) {
        self.fold.step(&event, rules, panes);
        self.history.push(event);
    }

    /// Takes a late event, or any while one waits to be folded in.
    pub(crate) fn insert(&mut self, position: usize, event: Event) {
        self.unfolded.push(event.key);
        self.history.insert(position, event);
    }

    /// Whether the fold has not taken all that is known.
    pub(crate) fn is_unfolded(&self) -> bool {
        !self.unfolded.is_empty()
    }

    /// Folds the ticket again, and puts the difference into the panes.
    pub(crate) fn refold(&mut self, now_ms: i64, rules: &mut Rules, panes: &mut Panes) {
        let mut late = std::mem::take(&mut self.unfolded);
        late.sort_unstable();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        match refolded(&self.history, &late, rules, &mut before, &mut after) {
            // The late ones changed nothing that lasts.
            None => self.fold.reconsider_rows(),
            Some(mut new) => {
                self.fold.unsettle(&mut before);
                new.settle(now_ms, rules, &mut after);
                let before = std::mem::replace(&mut self.fold, new);
                self.carry_over(&before);
            }
        }
        for ((minute, owner, measure), amount) in changes(&before, &after) {
            panes.add_at(minute, owner, measure, amount);
        }
    }

    /// What was said about a cycle stays said; a cycle that is no more is withdrawn.
    fn carry_over(&mut self, before: &Fold) {
        let mut by_metric: [Vec<usize>; Metric::ALL.len()] = Default::default();
        for (index, cycle) in self.fold.cycles.iter().enumerate() {
            by_metric[cycle.metric.index()].push(index);
        }
        // A metric's cycles are numbered from 1 in their order.
        let find = |metric: Metric, number: u32| {
            let cycles = &by_metric[metric.index()];
            cycles.get(number as usize - 1).copied()
        };
        for cycle in &before.cycles {
            match (find(cycle.metric, cycle.number), cycle.published) {
                (Some(index), published) => {
                    let new = &mut self.fold.cycles[index];
                    new.published = published;
                    new.announced.clone_from(&cycle.announced);
                }
                (None, Some(published)) => {
                    self.withdrawn
                        .push((cycle.metric, cycle.number, published.vendor));
                }
                (None, None) => {}
            }
        }
        let cycles = &mut self.fold.cycles;
        self.withdrawn
            .retain(|(metric, number, vendor)| match find(*metric, *number) {
                Some(index) => {
                    // Published once, withdrawn, and here again before the withdrawal went out.
                    cycles[index].published.get_or_insert(Published {
                        row_hash: 0,
                        attributes_hash: 0,
                        vendor: *vendor,
                    });
                    false
                }
                None => true,
            });
    }

    /// Settles verdicts at `now_ms`, announces what was reached, and finds out when to come back.
    pub(crate) fn settle(
        &mut self,
        now_ms: i64,
        rules: &mut Rules,
        panes: &mut Panes,
        warnings: &mut Vec<v1::Warning>,
    ) -> Share {
        self.fold.settle(now_ms, rules, panes);
        let mut share = Share {
            owner: self.fold.owner(),
            created_at_ms: self.fold.created_at_ms.filter(|_| self.fold.is_open()),
            ..Share::default()
        };
        self.wake_ms = self.next_known_event(now_ms);
        for position in 0..self.fold.unsettled().len() {
            let index = self.fold.unsettled()[position];
            self.look_ahead(index, now_ms, rules, &mut share, warnings);
        }
        share
    }

    fn look_ahead(
        &mut self,
        index: usize,
        now_ms: i64,
        rules: &mut Rules,
        share: &mut Share,
        warnings: &mut Vec<v1::Warning>,
    ) {
        let cycle = &mut self.fold.cycles[index];
        let due_at_ms = cycle.due_at_ms();
        if !cycle.is_running() || due_at_ms.is_some_and(|due_ms| now_ms > due_ms) {
            return;
        }
        let standing = *cycle.standing();
        let mut wake_ms = due_at_ms;
        if let Some(target_ms) = standing.target_ms {
            if !standing.paused {
                share.running[cycle.metric.index()] += 1;
            }
            for level in rules.warn_levels(cycle.set, standing.policy) {
                if cycle.announced.iter().any(|known| **known == *level.text()) {
                    continue;
                }
                let level_ms = level.reached_at_elapsed_ms(target_ms);
                match cycle.reach(level_ms, rules) {
                    Some(reached_ms) if now_ms > reached_ms => {
                        cycle.announced.push(level.text().into());
                        warnings.push(v1::Warning {
                            ticket_id: self.id.to_string(),
                            metric: outcome::wire_metric(cycle.metric).into(),
                            cycle: cycle.number,
                            level: level.text().to_owned(),
                            vendor: rules.symbols.text(standing.owner.vendor).to_owned(),
                            queue: rules.symbols.text(standing.owner.queue).to_owned(),
                            priority: rules.symbols.text(standing.priority).to_owned(),
                            policy: rules
                                .policy_name(cycle.set, standing.policy)
                                .unwrap_or_default()
                                .to_owned(),
                            target_ms,
                            reached_at_ms: reached_ms,
                            due_at_ms,
                            attributes: Timeline::of(&self.history).at(reached_ms).named(rules),
                        });
                    }
                    Some(reached_ms) => wake_ms = earliest(wake_ms, Some(reached_ms)),
                    None => {}
                }
            }
        }
        self.wake_ms = earliest(self.wake_ms, wake_ms);
    }

    /// An event that lies after `now_ms` changes what holds once the clock reaches it. A wake-up comes when the clock is
    /// past its instant, hence one less.
    fn next_known_event(&self, now_ms: i64) -> Option<i64> {
        if self.fold.last_at_ms <= now_ms {
            return None;
        }
        let first_after = self.history.partition_point(|event| event.at_ms <= now_ms);
        self.history.get(first_after).map(|event| event.at_ms - 1)
    }

    /// Appends the rows that differ from what was last published. `scratch` is any buffer.
    pub(crate) fn publish(
        &mut self,
        now_ms: i64,
        rules: &mut Rules,
        scratch: &mut Vec<u8>,
        out: &mut Vec<Outcome>,
    ) {
        let timeline = OnceCell::new();
        let attributes_at = |at_ms| {
            timeline
                .get_or_init(|| Timeline::of(&self.history))
                .at(at_ms)
        };
        for index in 0..self.fold.cycles.len() {
            if !std::mem::take(&mut self.fold.cycles[index].row_changed) {
                continue;
            }
            let said = outcome::said(&self.history, &self.fold, index, now_ms, rules);
            let cycle = &self.fold.cycles[index];
            let before = cycle.published;
            let breached_at_ms = said.as_ref().and_then(Said::breached_at_ms);
            let attributes = breached_at_ms.map(attributes_at);
            let after = said.as_ref().map(|said| Published {
                row_hash: said.fingerprint(cycle, scratch),
                attributes_hash: attributes.as_ref().map_or(0, |held| held.hash(scratch)),
                vendor: said.vendor(),
            });
            match (said, before) {
                (Some(said), before) => {
                    if before
                        .zip(after)
                        .is_none_or(|(before, after)| before.differs(&after))
                    {
                        let former = before.filter(|before| before.vendor != said.vendor());
                        let mut row = said.row(&self.id, cycle, rules);
                        row.attributes =
                            attributes.map_or_else(BTreeMap::new, |held| held.named(rules));
                        out.push(Outcome {
                            row,
                            former_vendor: former
                                .map(|former| rules.symbols.text(former.vendor).to_owned()),
                        });
                    }
                }
                (None, Some(before)) => {
                    out.push(self.deletion(cycle.metric, cycle.number, before.vendor, rules));
                }
                (None, None) => {}
            }
            self.fold.cycles[index].published = after;
        }
        for (metric, number, vendor) in std::mem::take(&mut self.withdrawn) {
            out.push(self.deletion(metric, number, vendor, rules));
        }
    }

    fn deletion(&self, metric: Metric, number: u32, vendor: Symbol, rules: &Rules) -> Outcome {
        Outcome {
            row: v1::OutcomeRow {
                ticket_id: self.id.to_string(),
                metric: outcome::wire_metric(metric).into(),
                cycle: number,
                vendor: rules.symbols.text(vendor).to_owned(),
                deleted: true,
                ..Default::default()
            },
            former_vendor: None,
        }
    }
}

/// Folds a history with and without its `late` events, by key, side by side, and lists what either contributes behind the
/// first of them. `None` is that both come to the same, and then contribute the same: looked for ever more rarely.
fn refolded(
    history: &[Event],
    late: &[u64],
    rules: &mut Rules,
    before: &mut Vec<Contribution>,
    after: &mut Vec<Contribution>,
) -> Option<Fold> {
    let is_late = |event: &Event| late.binary_search(&event.key).is_ok();
    let common = history.iter().take_while(|event| !is_late(event)).count();
    let mut old = Fold::new(rules);
    for event in &history[..common] {
        old.step(event, rules, &mut Discard);
    }
    let mut new = old.clone();
    let (mut missing, mut since, mut look_at) = (late.len(), 0, 1);
    for event in &history[common..] {
        new.step(event, rules, after);
        if is_late(event) {
            missing -= 1;
            continue;
        }
        old.step(event, rules, before);
        if missing == 0 {
            since += 1;
            if since == look_at {
                if old.agrees(&new) {
                    return None;
                }
                look_at *= 2;
            }
        }
    }
    Some(new)
}

fn earliest(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}
