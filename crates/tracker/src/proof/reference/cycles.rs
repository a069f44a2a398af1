//! Where cycles start, stop, resume and end: the table of SEMANTICS 3 and its reopening rules.

use slawatch_event::EventType;
use slawatch_policy::{Metric, OnReopen, ReplyBySolving};

use super::Reference;

/// Just before an event, or with its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Before(usize),
    After(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fulfilled,
    Cancelled,
    Abandoned,
    FlowedOut,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) event: usize,
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) struct Cycle {
    pub(super) metric: Metric,
    pub(super) number: u32,
    pub(super) start: usize,
    pub(super) set: Option<usize>,
    pub(super) stop: Option<Stop>,
    /// Minutes `[from, to)` while over, between a stop that was forgotten and the reopen.
    pub(super) gaps: Vec<(i64, i64)>,
    final_stop: bool,
}

const OVER: [Metric; 3] = [Metric::RequesterWait, Metric::AgentWork, Metric::Resolution];
const REPLIES: [Metric; 3] = [
    Metric::FirstReply,
    Metric::NextReply,
    Metric::PeriodicUpdate,
];

impl Reference<'_> {
    pub(super) fn find_cycles(&mut self) {
        for event in 0..self.events.len() {
            let (before, after) = (self.states[event], self.states[event + 1]);
            if before.ended {
                continue;
            }
            let event_type = self.events[event].event_type;
            let becomes_over = before.open() && after.over();
            let reopens = before.over() && !after.over();
            self.stop_before_attributes(event, becomes_over);
            if !before.created && after.created {
                self.start(Metric::FirstReply, event);
                for metric in OVER {
                    self.start(metric, event);
                }
                if after.over() {
                    self.stop_by_over(event, Place::After(event));
                }
            }
            if reopens {
                self.reopen(event);
            }
            let awaited = event_type == EventType::CustomerReplied && after.open();
            let reopens_unanswered =
                reopens && event_type != EventType::AgentReplied && self.wrote_while_over(event);
            let runs = |metric| self.running(metric).is_some();
            if (awaited || reopens_unanswered)
                && !runs(Metric::FirstReply)
                && !runs(Metric::NextReply)
            {
                self.start(Metric::NextReply, event);
            }
            if event_type == EventType::AgentReplied && after.open() {
                self.start(Metric::PeriodicUpdate, event);
            }
            if event_type == EventType::ContactOffered {
                self.start(Metric::Answer, event);
            }
            if after.ended {
                self.end_all(event);
            }
        }
    }

    fn stop_before_attributes(&mut self, event: usize, becomes_over: bool) {
        let place = Place::Before(event);
        let event_type = self.events[event].event_type;
        if event_type == EventType::AgentReplied {
            for metric in REPLIES {
                self.stop(self.running(metric), event, place, Kind::Fulfilled);
            }
        }
        if becomes_over {
            self.stop_by_over(event, place);
        }
        let kind = match event_type {
            EventType::ContactOffered => Kind::FlowedOut,
            EventType::ContactAnswered => Kind::Fulfilled,
            EventType::ContactAbandoned => Kind::Abandoned,
            _ => return,
        };
        let waiting = self.cycles.iter().position(|cycle| {
            cycle.metric == Metric::Answer
                && cycle.stop.is_none()
                && self.events[cycle.start].contact == self.events[event].contact
        });
        self.stop(waiting, event, place, kind);
    }

    fn stop_by_over(&mut self, event: usize, place: Place) {
        for metric in [Metric::FirstReply, Metric::NextReply] {
            if let Some(cycle) = self.running(metric) {
                let policy = self.policy(self.cycles[cycle].set, self.at(place));
                let cancels = policy
                    .is_some_and(|policy| policy.reply_by_solving == ReplyBySolving::Cancelled);
                let kind = if cancels {
                    Kind::Cancelled
                } else {
                    Kind::Fulfilled
                };
                self.stop(Some(cycle), event, place, kind);
            }
        }
        self.stop(
            self.running(Metric::PeriodicUpdate),
            event,
            place,
            Kind::Cancelled,
        );
        for metric in OVER {
            self.stop(self.running(metric), event, place, Kind::Fulfilled);
        }
    }

    fn reopen(&mut self, event: usize) {
        for metric in OVER {
            let newest = (0..self.cycles.len()).rfind(|cycle| self.cycles[*cycle].metric == metric);
            let newest = newest.expect("a ticket that was over was created");
            let policy = self.policy(self.cycles[newest].set, &self.states[event + 1]);
            let on_reopen = policy.map_or(OnReopen::Resume, |policy| policy.on_reopen);
            let cycle = &mut self.cycles[newest];
            match on_reopen {
                OnReopen::Resume if cycle.final_stop => {}
                OnReopen::Resume => {
                    let stop = cycle.stop.take().expect("over stops it");
                    let from = self.events[stop.event].at;
                    cycle.gaps.push((from, self.events[event].at));
                }
                OnReopen::Restart => {
                    cycle.final_stop = true;
                    self.start(metric, event);
                }
                OnReopen::Ignore => cycle.final_stop = true,
            }
        }
    }

    /// A customer replied after the event that made the ticket over, and no agent since that.
    fn wrote_while_over(&self, reopening: usize) -> bool {
        let made_over = (0..reopening)
            .rfind(|event| !self.states[*event].over() && self.states[event + 1].over())
            .expect("what reopens was over");
        let since = &self.events[made_over + 1..reopening];
        let replies = since.iter().rev().map(|event| event.event_type);
        let mut replies = replies.filter(|event_type| {
            matches!(
                event_type,
                EventType::CustomerReplied | EventType::AgentReplied
            )
        });
        replies.next() == Some(EventType::CustomerReplied)
    }

    /// What the ending event itself started ends with its attributes, everything else with those before it.
    fn end_all(&mut self, event: usize) {
        for cycle in 0..self.cycles.len() {
            if self.cycles[cycle].stop.is_none() {
                let place = if self.cycles[cycle].start == event {
                    Place::After(event)
                } else {
                    Place::Before(event)
                };
                self.stop(Some(cycle), event, place, Kind::Cancelled);
            }
        }
    }

    fn running(&self, metric: Metric) -> Option<usize> {
        let of_metric = |cycle: &Cycle| cycle.metric == metric && cycle.stop.is_none();
        self.cycles.iter().position(of_metric)
    }

    fn start(&mut self, metric: Metric, event: usize) {
        let number = self
            .cycles
            .iter()
            .filter(|cycle| cycle.metric == metric)
            .count() as u32
            + 1;
        let set = self
            .sets
            .iter()
            .rposition(|set| set.from <= self.events[event].at);
        self.cycles.push(Cycle {
            metric,
            number,
            start: event,
            set,
            stop: None,
            gaps: Vec::new(),
            final_stop: false,
        });
    }

    fn stop(&mut self, cycle: Option<usize>, event: usize, place: Place, kind: Kind) {
        if let Some(cycle) = cycle {
            self.cycles[cycle].stop = Some(Stop { event, place, kind });
        }
    }
}
