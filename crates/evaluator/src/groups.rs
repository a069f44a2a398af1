//! Every vendor and queue that was heard of, with its windows, gauges and the episodes of the rules about it.
//!
//! A group whose figures have not changed since it was last looked at, and which nothing is pending or firing for, would
//! say the same again and is passed over.

use std::collections::BTreeMap;

use slawatch_policy::Metric;
use slawatch_wire::v1::{Action, AlertTransition, GaugeRow, OutcomeRow, PaneRow};

use crate::breaches::{self, Breach, Breaches};
use crate::case::Case;
use crate::counters::{Totals, metric_of_wire};
use crate::episode::Episode;
use crate::evaluator::Home;
use crate::gauges::Gauges;
use crate::history::{History, Past};
use crate::kinds::quiet;
use crate::minute::Minute;
use crate::rule::{Group, GroupRule, RuleSet};
use crate::view::{Figures, Seen};
use crate::watch::Watch;
use crate::windows::Windows;

/// One vendor and queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) figures: Figures,
    pub(crate) episodes: Vec<Episode>,
    touched: bool,
}

/// One vendor.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) episodes: Vec<Episode>,
    touched: bool,
}

/// The moment of an evaluation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) now_ms: i64,
    pub(crate) sources_out: &'a [u32],
}

/// A source, and its clock with the batch at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller {
    pub(crate) source: u32,
    pub(crate) clock_ms: i64,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) vendors: BTreeMap<String, Vendor>,
    /// The pane of the evaluator's clock.
    pub(crate) clock: Option<Minute>,
    /// From this pane on every row was kept. A window that reaches further back waits.
    pub(crate) complete_from: Minute,
    /// Where the breach of each clock is remembered, by ticket; made from the queues.
    breached: BTreeMap<String, Vec<Place>>,
    pub(crate) past: Past,
}

/// Where the breach of a clock is remembered.
#[derive(Debug)]
struct Place {
    /// Metric and cycle.
    clock: (Metric, u32),
    vendor: String,
    queue: String,
}

/// What changes by the mere passing of time, as how much of a period is left, is looked at every so many panes. Periods
/// begin at such a pane in every zone.
const TICK_PANES: i64 = 15;

impl Groups {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        Self {
            vendors: BTreeMap::new(),
            clock: None,
            complete_from: Minute::BEFORE_ALL,
            breached: BTreeMap::new(),
            past: Past::new(&rules.plan),
        }
    }

    /// Takes in the row of a pane; false if it is older than what is kept.
    pub(crate) fn pane_row(&mut self, rules: &RuleSet, teller: Teller, row: &PaneRow) -> bool {
        let clock = self.clock;
        let pane = Minute::of(row.pane_ms);
        let is_old = clock.is_some_and(|clock| pane <= clock.minus(rules.lengths.kept()));
        // What an absolute row changes can be told only of a pane that is kept; a correction says it itself.
        if is_old && (row.part == 0 || rules.plan.is_empty()) {
            return false;
        }
        let totals = row
            .measures
            .as_ref()
            .map_or(Totals::ZERO, Totals::from_wire);
        let vendor = vendor_of(&mut self.vendors, rules, &row.vendor);
        let queue = queue_of(&mut vendor.queues, rules, &row.vendor, &row.queue);
        let Figures {
            windows, history, ..
        } = &mut queue.figures;
        let change = if row.part == 0 {
            windows.set(&rules.lengths, clock, pane, teller.source, &totals)
        } else {
            if !is_old {
                windows.correct(&rules.lengths, clock, pane, &totals);
            }
            totals
        };
        if !change.is_zero() {
            history.add(&rules.plan, &self.past.almanac, pane, &change);
        }
        if change.has_events() {
            queue.figures.hear(teller.clock_ms);
        }
        if !change.is_zero() {
            vendor.changed(rules, &row.queue, pane, &change);
        }
        true
    }

    /// Takes in what is open now.
    pub(crate) fn gauge_row(&mut self, rules: &RuleSet, teller: Teller, row: &GaugeRow) {
        let vendor = vendor_of(&mut self.vendors, rules, &row.vendor);
        let queue = queue_of(&mut vendor.queues, rules, &row.vendor, &row.queue);
        if queue.figures.gauges.set(teller.source, row) {
            queue.figures.hear(teller.clock_ms);
            queue.touched = true;
            vendor.touched = true;
        }
    }

    /// Takes in how a clock stands: a breach is remembered where it belongs to, if that is here.
    pub(crate) fn outcome_row(&mut self, rules: &RuleSet, home: Home, row: &OutcomeRow) {
        let Some(metric) = metric_of_wire(row.metric) else {
            return;
        };
        let clock = (metric, row.cycle);
        let known = self.breached.get_mut(&row.ticket_id);
        let known = known.and_then(|places| {
            let place = places.iter().position(|place| place.clock == clock)?;
            // The row's deletion elsewhere says nothing about this vendor.
            let goes = !row.deleted || places[place].vendor == row.vendor;
            goes.then(|| places.swap_remove(place))
        });
        if let Some(place) = known {
            if self.breached[&row.ticket_id].is_empty() {
                self.breached.remove(&row.ticket_id);
            }
            let vendor = self.vendors.get_mut(&place.vendor);
            let queue = vendor.and_then(|vendor| vendor.queues.get_mut(&place.queue));
            if let Some(queue) = queue {
                let breaches = &mut queue.figures.breaches;
                breaches.remove(&row.ticket_id, metric, row.cycle);
            }
        }
        let Some(breach) = Breach::of_row(row).filter(|_| home.has(&row.vendor)) else {
            return;
        };
        let vendor = vendor_of(&mut self.vendors, rules, &row.vendor);
        let queue = queue_of(&mut vendor.queues, rules, &row.vendor, &row.queue);
        queue.figures.breaches.put(breach);
        let places = self.breached.entry(row.ticket_id.clone()).or_default();
        places.push(Place {
            clock,
            vendor: row.vendor.clone(),
            queue: row.queue.clone(),
        });
    }

    /// Finds out where the breaches are that are remembered.
    pub(crate) fn place_breaches(&mut self) {
        self.breached.clear();
        for (vendor, known) in &self.vendors {
            for (queue, known) in &known.queues {
                for breach in known.figures.breaches.iter() {
                    let places = self.breached.entry(breach.ticket.clone()).or_default();
                    places.push(Place {
                        clock: (breach.metric, breach.cycle),
                        vendor: vendor.clone(),
                        queue: queue.clone(),
                    });
                }
            }
        }
    }

    /// The first clock.
    pub(crate) fn start(&mut self, rules: &RuleSet, clock: Minute) {
        self.clock = Some(clock);
        let Past { almanac, known, .. } = &mut self.past;
        almanac.turn(&rules.plan, clock);
        known.start(clock);
        let almanac = &self.past.almanac;
        each(&mut self.vendors, |vendor, queue| {
            queue.figures.windows.recount(&rules.lengths, clock);
            queue.figures.history.forget(&rules.plan, almanac);
            queue.touched = true;
            *vendor = true;
        });
    }

    /// Moves every window one pane on; true if any sum changed.
    pub(crate) fn roll(&mut self, rules: &RuleSet, clock: Minute) -> bool {
        self.clock = Some(clock);
        self.past.almanac.turn(&rules.plan, clock);
        let almanac = &self.past.almanac;
        let is_tick = !rules.plan.is_empty() && clock.0.rem_euclid(TICK_PANES) == 0;
        let mut changed = false;
        each(&mut self.vendors, |vendor, queue| {
            let rolled = queue.figures.windows.roll(&rules.lengths, clock);
            changed |= rolled;
            if is_tick {
                queue.figures.history.forget(&rules.plan, almanac);
            }
            if rolled || is_tick {
                queue.touched = true;
                *vendor = true;
            }
        });
        changed
    }

    /// The first minute after `clock` at which a window would change by itself, or time alone can change what a rule says.
    pub(crate) fn next_change(&self, rules: &RuleSet, clock: Minute) -> Option<Minute> {
        let queues = self
            .vendors
            .values()
            .flat_map(|vendor| vendor.queues.values());
        let windows =
            queues.filter_map(|queue| queue.figures.windows.next_change(&rules.lengths, clock));
        let tick = clock.plus(TICK_PANES - clock.0.rem_euclid(TICK_PANES));
        let tick = (!rules.plan.is_empty() && !self.vendors.is_empty()).then_some(tick);
        windows.chain(tick).min()
    }

    /// Forgets the groups of which nothing is left, nothing was ever told and nothing is waited for.
    pub(crate) fn sweep(&mut self, rules: &RuleSet, now_ms: i64) {
        let untold = |episodes: &[Episode]| episodes.iter().all(|episode| episode.revision == 0);
        let awaits = rules.groups.iter().any(|rule| match rule.watch {
            Watch::Quiet(_) => true,
            Watch::Threshold(_)
            | Watch::Oldest(_)
            | Watch::Burn(_)
            | Watch::Projection(_)
            | Watch::Change(_) => false,
        });
        let since_ms = now_ms.saturating_sub(quiet::FORGOTTEN_MS);
        let is_awaited = |heard_ms: Option<i64>| awaits && heard_ms.is_some_and(|at| at > since_ms);
        let breached_since_ms = now_ms.saturating_sub(breaches::REMEMBERED_MS);
        for vendor in self.vendors.values_mut() {
            vendor.queues.retain(|_, queue| {
                queue.figures.breaches.forget_before(breached_since_ms);
                let figures = &queue.figures;
                !figures.breaches.is_empty()
                    || !figures.windows.panes().is_empty()
                    || figures.gauges.open_tickets() != 0
                    || !figures.history.is_empty()
                    || is_awaited(figures.heard_ms)
                    || !untold(&queue.episodes)
            });
        }
        self.vendors
            .retain(|_, vendor| !vendor.queues.is_empty() || !untold(&vendor.episodes));
        self.place_breaches();
    }

    /// Looks at every group that may have something to say.
    pub(crate) fn evaluate(
        &mut self,
        rules: &RuleSet,
        moment: Moment<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        let (clock, complete_from) = (self.clock, self.complete_from);
        let is_ready = |rule: &GroupRule| {
            let window = rule.watch.windows().into_iter().max().unwrap_or(1);
            clock.is_some_and(|clock| clock.minus(window).plus(1) >= complete_from)
        };
        let past = &self.past;
        for (name, vendor) in &mut self.vendors {
            for (queue_name, queue) in &mut vendor.queues {
                let touched = std::mem::take(&mut queue.touched);
                for episode in &mut queue.episodes {
                    let rule = &rules.groups[episode.rule];
                    if !is_ready(rule) {
                        queue.touched = true;
                    } else if touched || !episode.is_quiet() || rule.follows_the_clock() {
                        let seen = Seen::Queue(queue_name, &queue.figures);
                        out.extend(Case::new(rule, episode, (name, seen), moment, past).look());
                    }
                }
            }
            let touched = std::mem::take(&mut vendor.touched);
            for episode in &mut vendor.episodes {
                let rule = &rules.groups[episode.rule];
                if !is_ready(rule) {
                    vendor.touched = true;
                } else if touched || !episode.is_quiet() || rule.follows_the_clock() {
                    let seen = Seen::Vendor(&vendor.queues, &rule.about.scope);
                    out.extend(Case::new(rule, episode, (name, seen), moment, past).look());
                }
            }
        }
    }

    /// Somebody sees to an alert; false if no such alert fires.
    pub(crate) fn acknowledge(
        &mut self,
        rules: &RuleSet,
        action: &Action,
        moment: Moment<'_>,
        out: &mut Vec<AlertTransition>,
    ) -> bool {
        let mut told = None;
        self.each_case(rules, moment, |case| {
            if told.is_none() {
                told = case.acknowledge(action);
            }
        });
        let known = told.is_some();
        out.extend(told.flatten());
        known
    }

    /// The first instant after `now_ms` at which the clock alone may change something.
    pub(crate) fn next_wake_ms(&mut self, rules: &RuleSet, now_ms: i64) -> Option<i64> {
        let moment = Moment {
            now_ms,
            sources_out: &[],
        };
        let mut next: Option<i64> = None;
        self.each_case(rules, moment, |case| {
            if case.rule.follows_the_clock() {
                next = [next, case.wakes_ms()].into_iter().flatten().min();
            }
        });
        next
    }

    fn each_case(&mut self, rules: &RuleSet, moment: Moment<'_>, mut work: impl FnMut(Case<'_>)) {
        let past = &self.past;
        for (name, vendor) in &mut self.vendors {
            for (queue_name, queue) in &mut vendor.queues {
                for episode in &mut queue.episodes {
                    let rule = &rules.groups[episode.rule];
                    let seen = Seen::Queue(queue_name, &queue.figures);
                    work(Case::new(rule, episode, (name, seen), moment, past));
                }
            }
            for episode in &mut vendor.episodes {
                let rule = &rules.groups[episode.rule];
                let seen = Seen::Vendor(&vendor.queues, &rule.about.scope);
                work(Case::new(rule, episode, (name, seen), moment, past));
            }
        }
    }
}

impl Vendor {
    /// A pane of one of its queues has changed by that much.
    fn changed(&mut self, rules: &RuleSet, queue: &str, pane: Minute, change: &Totals) {
        self.touched = true;
        for episode in &mut self.episodes {
            let rule = &rules.groups[episode.rule];
            if !episode.is_quiet() && rule.about.scope.has_queue(queue) {
                episode.note_change(rule, pane, change);
            }
        }
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.touched = true;
            for episode in &mut queue.episodes {
                episode.note_change(&rules.groups[episode.rule], pane, change);
            }
        }
    }
}

fn each(vendors: &mut BTreeMap<String, Vendor>, mut work: impl FnMut(&mut bool, &mut Queue)) {
    for vendor in vendors.values_mut() {
        for queue in vendor.queues.values_mut() {
            work(&mut vendor.touched, queue);
        }
    }
}

/// The vendor of that name, made if it is new.
pub(crate) fn vendor_of<'a>(
    vendors: &'a mut BTreeMap<String, Vendor>,
    rules: &RuleSet,
    vendor: &str,
) -> &'a mut Vendor {
    if !vendors.contains_key(vendor) {
        let episodes = episodes(rules, Group::Vendor, |rule| {
            rule.about.scope.has_vendor(vendor)
        });
        let new = Vendor {
            queues: BTreeMap::new(),
            episodes,
            touched: true,
        };
        vendors.insert(vendor.to_owned(), new);
    }
    // Inserted above if it was not there.
    vendors.get_mut(vendor).expect("the vendor exists")
}

/// The queue of that name, made if it is new.
pub(crate) fn queue_of<'a>(
    queues: &'a mut BTreeMap<String, Queue>,
    rules: &RuleSet,
    vendor: &str,
    queue: &str,
) -> &'a mut Queue {
    if !queues.contains_key(queue) {
        let new = Queue {
            figures: Figures {
                windows: Windows::new(&rules.lengths),
                history: History::new(&rules.plan),
                gauges: Gauges::default(),
                heard_ms: None,
                breaches: Breaches::default(),
            },
            episodes: episodes(rules, Group::VendorQueue, |rule| {
                rule.about.scope.has(vendor, queue)
            }),
            touched: true,
        };
        queues.insert(queue.to_owned(), new);
    }
    // Inserted above if it was not there.
    queues.get_mut(queue).expect("the queue exists")
}

fn episodes(rules: &RuleSet, group: Group, is_about: impl Fn(&GroupRule) -> bool) -> Vec<Episode> {
    let places = rules.groups.iter().enumerate();
    places
        .filter(|(_, rule)| rule.group == group && is_about(rule))
        .map(|(place, _)| Episode::new(place))
        .collect()
}
