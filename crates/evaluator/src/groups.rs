//! Every vendor and queue that was heard of, with its windows, gauges and the episodes of the rules about it.
//!
//! A group whose figures have not changed since it was last looked at, and which nothing is pending or firing for, would
//! say the same again and is passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;

use slawatch_wire::v1::{AlertTransition, GaugeRow, PaneRow};

use crate::counters::Totals;
use crate::gauges::Gauges;
use crate::measure::{Reading, Trouble};
use crate::minute::Minute;
use crate::rule::{Group, RuleSet, ThresholdRule};
use crate::threshold::Episode;
use crate::threshold_alert::Told;
use crate::windows::Windows;

/// How many of a vendor's queues its alert names.
const WORST_QUEUES: usize = 3;

/// One vendor and queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) windows: Windows,
    pub(crate) gauges: Gauges,
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

/// All of them.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) vendors: BTreeMap<String, Vendor>,
    /// The pane of the evaluator's clock.
    pub(crate) clock: Option<Minute>,
    /// From this pane on every row was kept. A window that reaches further back waits.
    pub(crate) complete_from: Minute,
}

impl Groups {
    pub(crate) fn new() -> Self {
        Self {
            vendors: BTreeMap::new(),
            clock: None,
            complete_from: Minute::BEFORE_ALL,
        }
    }

    /// The vendor of that name, made if it is new.
    pub(crate) fn vendor(&mut self, rules: &RuleSet, vendor: &str) -> &mut Vendor {
        if !self.vendors.contains_key(vendor) {
            let episodes = episodes(rules, Group::Vendor, |rule| {
                rule.about.scope.has_vendor(vendor)
            });
            let new = Vendor {
                queues: BTreeMap::new(),
                episodes,
                touched: true,
            };
            self.vendors.insert(vendor.to_owned(), new);
        }
        // Inserted above if it was not there.
        self.vendors.get_mut(vendor).expect("the vendor exists")
    }

    /// Takes in the row of a pane; false if no window can hold it any more.
    pub(crate) fn pane_row(&mut self, rules: &RuleSet, source: u32, row: &PaneRow) -> bool {
        let clock = self.clock;
        let pane = Minute::of(row.pane_ms);
        if clock.is_some_and(|clock| pane <= clock.minus(rules.lengths.longest())) {
            return false;
        }
        let totals = row
            .measures
            .as_ref()
            .map_or(Totals::ZERO, Totals::from_wire);
        let vendor = self.vendor(rules, &row.vendor);
        let queue = queue_of(&mut vendor.queues, rules, &row.vendor, &row.queue);
        let change = if row.part == 0 {
            queue
                .windows
                .set(&rules.lengths, clock, pane, source, &totals)
        } else {
            queue.windows.correct(&rules.lengths, clock, pane, &totals);
            totals
        };
        if change.is_zero() {
            return true;
        }
        queue.touched = true;
        vendor.touched = true;
        for episode in &mut queue.episodes {
            episode.note_change(&rules.thresholds[episode.rule], pane, &change);
        }
        for episode in &mut vendor.episodes {
            let rule = &rules.thresholds[episode.rule];
            if !episode.is_quiet() && rule.about.scope.has_queue(&row.queue) {
                episode.note_change(rule, pane, &change);
            }
        }
        true
    }

    /// Takes in what is open now.
    pub(crate) fn gauge_row(&mut self, rules: &RuleSet, source: u32, row: &GaugeRow) {
        let vendor = self.vendor(rules, &row.vendor);
        let queue = queue_of(&mut vendor.queues, rules, &row.vendor, &row.queue);
        if queue.gauges.set(source, row) {
            queue.touched = true;
            vendor.touched = true;
        }
    }

    /// The first clock.
    pub(crate) fn start(&mut self, rules: &RuleSet, clock: Minute) {
        self.clock = Some(clock);
        self.each(|vendor, queue| {
            queue.windows.recount(&rules.lengths, clock);
            queue.touched = true;
            *vendor = true;
        });
    }

    /// Moves every window one pane on; true if any sum changed.
    pub(crate) fn roll(&mut self, rules: &RuleSet, clock: Minute) -> bool {
        self.clock = Some(clock);
        let mut changed = false;
        self.each(|vendor, queue| {
            if queue.windows.roll(&rules.lengths, clock) {
                queue.touched = true;
                *vendor = true;
                changed = true;
            }
        });
        changed
    }

    fn each(&mut self, mut work: impl FnMut(&mut bool, &mut Queue)) {
        for vendor in self.vendors.values_mut() {
            for queue in vendor.queues.values_mut() {
                work(&mut vendor.touched, queue);
            }
        }
    }

    /// The first minute after `clock` at which a window would change by itself.
    pub(crate) fn next_change(&self, rules: &RuleSet, clock: Minute) -> Option<Minute> {
        let queues = self
            .vendors
            .values()
            .flat_map(|vendor| vendor.queues.values());
        queues
            .filter_map(|queue| queue.windows.next_change(&rules.lengths, clock))
            .min()
    }

    /// Forgets the groups of which nothing is left and nothing was ever told.
    pub(crate) fn sweep(&mut self) {
        let untold = |episodes: &[Episode]| episodes.iter().all(|episode| episode.revision == 0);
        for vendor in self.vendors.values_mut() {
            vendor.queues.retain(|_, queue| {
                !queue.windows.panes().is_empty()
                    || queue.gauges.open_tickets() != 0
                    || !untold(&queue.episodes)
            });
        }
        self.vendors
            .retain(|_, vendor| !vendor.queues.is_empty() || !untold(&vendor.episodes));
    }

    /// Looks at every group that may have something to say.
    pub(crate) fn evaluate(
        &mut self,
        rules: &RuleSet,
        moment: Moment<'_>,
        out: &mut Vec<AlertTransition>,
    ) {
        let (clock, complete_from) = (self.clock, self.complete_from);
        let is_ready = |rule: &ThresholdRule| {
            clock.is_some_and(|clock| clock.minus(rule.window).plus(1) >= complete_from)
        };
        for (name, vendor) in &mut self.vendors {
            for (queue_name, queue) in &mut vendor.queues {
                let touched = std::mem::take(&mut queue.touched);
                for episode in &mut queue.episodes {
                    let rule = &rules.thresholds[episode.rule];
                    if !is_ready(rule) {
                        queue.touched = true;
                    } else if touched || !episode.is_quiet() {
                        let sums = queue.windows.sum(rule.window_place);
                        let seen = Seen::of_queue(rule, sums, &queue.gauges);
                        out.extend(seen.step(rule, episode, moment, name, Some(queue_name)));
                    }
                }
            }
            let touched = std::mem::take(&mut vendor.touched);
            for episode in &mut vendor.episodes {
                let rule = &rules.thresholds[episode.rule];
                if !is_ready(rule) {
                    vendor.touched = true;
                } else if touched || !episode.is_quiet() {
                    let seen = Seen::of_vendor(rule, &vendor.queues);
                    out.extend(seen.step(rule, episode, moment, name, None));
                }
            }
        }
    }
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
            windows: Windows::new(&rules.lengths),
            gauges: Gauges::default(),
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

fn episodes(
    rules: &RuleSet,
    group: Group,
    is_about: impl Fn(&ThresholdRule) -> bool,
) -> Vec<Episode> {
    let places = rules.thresholds.iter().enumerate();
    places
        .filter(|(_, rule)| rule.group == group && is_about(rule))
        .map(|(place, _)| Episode::new(place))
        .collect()
}

/// What a rule sees of a group.
struct Seen<'a> {
    reading: Reading,
    totals: Cow<'a, Totals>,
    oldest_created_at_ms: Option<i64>,
    queues: Option<&'a BTreeMap<String, Queue>>,
}

impl<'a> Seen<'a> {
    fn of_queue(rule: &ThresholdRule, totals: &'a Totals, gauges: &Gauges) -> Self {
        Self {
            reading: rule.measure.read(totals, gauges.open_tickets()),
            totals: Cow::Borrowed(totals),
            oldest_created_at_ms: gauges.oldest_created_at_ms(),
            queues: None,
        }
    }

    fn of_vendor(rule: &ThresholdRule, queues: &'a BTreeMap<String, Queue>) -> Self {
        let mut totals = Totals::ZERO;
        let mut open_tickets = 0;
        let mut oldest_created_at_ms = None;
        for queue in queues_of(rule, queues).map(|(_, queue)| queue) {
            totals.add(queue.windows.sum(rule.window_place));
            open_tickets += queue.gauges.open_tickets();
            let created = [oldest_created_at_ms, queue.gauges.oldest_created_at_ms()];
            oldest_created_at_ms = created.into_iter().flatten().min();
        }
        Self {
            reading: rule.measure.read(&totals, open_tickets),
            totals: Cow::Owned(totals),
            oldest_created_at_ms,
            queues: Some(queues),
        }
    }

    fn step(
        self,
        rule: &ThresholdRule,
        episode: &mut Episode,
        moment: Moment<'_>,
        vendor: &str,
        queue: Option<&str>,
    ) -> Option<AlertTransition> {
        let incomplete = !moment.sources_out.is_empty();
        let badge = episode.badge();
        let step = episode.step(rule, self.reading, moment.now_ms, incomplete)?;
        let told = Told {
            rule,
            vendor,
            queue,
            reading: self.reading,
            totals: &self.totals,
            oldest_created_at_ms: self
                .oldest_created_at_ms
                .filter(|_| rule.measure.counts_open_tickets()),
            now_ms: moment.now_ms,
            revision: episode.revision,
            sources_out: moment.sources_out,
            badge,
            worst: self
                .queues
                .map_or_else(Vec::new, |queues| worst(rule, queues)),
        };
        Some(told.transition(step))
    }
}

fn queues_of<'a>(
    rule: &'a ThresholdRule,
    queues: &'a BTreeMap<String, Queue>,
) -> impl Iterator<Item = (&'a String, &'a Queue)> {
    queues
        .iter()
        .filter(|(name, _)| rule.about.scope.has_queue(name))
}

fn worst<'a>(rule: &'a ThresholdRule, queues: &'a BTreeMap<String, Queue>) -> Vec<(&'a str, f64)> {
    let mut values: Vec<(&str, f64)> = queues_of(rule, queues)
        .filter_map(|(name, queue)| {
            let sums = queue.windows.sum(rule.window_place);
            let reading = rule.measure.read(sums, queue.gauges.open_tickets());
            reading.value().map(|value| (name.as_str(), value))
        })
        .collect();
    match rule.trouble_is() {
        Trouble::Below => values.sort_by(|(_, a), (_, b)| a.total_cmp(b)),
        Trouble::Above | Trouble::Both => values.sort_by(|(_, a), (_, b)| b.total_cmp(a)),
    }
    values.truncate(WORST_QUEUES);
    values
}
