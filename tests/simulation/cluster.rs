//! One run: a cluster of all roles, the sources that feed it, and what befalls it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use slawatch_loader::Table;
use slawatch_loader::model::{Fault as SinkFault, MemoryTables};
use slawatch_stream::faults::{Dice, Trouble};
use slawatch_stream::{
    Clock, Log, ManualClock, MemoryLog, MemoryStore, Outgoing, SnapshotStore, StartAt,
    TimestampKind, TopicPartition, TopicSpec,
};
use slawatch_tracker::Options;
use slawatch_wire::v1::{AlertState, AlertTransition};

use crate::contract;
use crate::input::{self, CALM_MS, DISTURBED_MS, QUIET_MS, SOURCES, Sent};
use crate::observer::Observer;
use crate::process::{PARTITIONS, Process, Role, Site};
use crate::trace::{Event, Trace};
use crate::world::World;

/// How many processes of a role there are while all is well.
const WANTED: usize = 2;
const CALM_ROUND_MS: u32 = 1_000;
const QUIET_ROUND_MS: u32 = 5_000;

/// What the seed decides before a run begins; the same for the disturbed and the quiet one.
#[derive(Debug)]
pub struct Plan {
    sent: Vec<Sent>,
    /// When the rules are changed, if they are.
    rules_change_ms: Option<i64>,
    stamped: TimestampKind,
    options: Options,
    /// Retention may eat what was not read yet, and that is accepted.
    gaps: bool,
}

impl Plan {
    pub fn draw(dice: &mut Dice) -> Self {
        let changes = dice.one_in(3);
        Self {
            sent: input::draw(dice),
            rules_change_ms: changes.then(|| 10_000 + dice.roll(120_000) as i64),
            stamped: if dice.one_in(2) {
                TimestampKind::Create
            } else {
                TimestampKind::LogAppend
            },
            options: Options {
                allowed_delay_ms: 2_000,
                forget_after_ms: dice.one_in(4).then(|| 60_000 + dice.roll(60_000) as i64),
                pane_horizon_ms: Some([120_000, 26 * 3_600_000][dice.roll(2) as usize]),
                ..Options::default()
            },
            gaps: dice.one_in(12),
        }
    }
}

/// What was met, over a whole run: proof that it was rough enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub crashes: u64,
    pub zombies: u64,
    pub fenced: u64,
    pub rebalances: u64,
    pub damaged: u64,
    pub transitions: u64,
    pub retracted: u64,
    pub gaps: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.zombies += other.zombies;
        self.fenced += other.fenced;
        self.rebalances += other.rebalances;
        self.damaged += other.damaged;
        self.transitions += other.transitions;
        self.retracted += other.retracted;
        self.gaps += other.gaps;
    }
}

pub struct Cluster<'a> {
    plan: &'a Plan,
    dice: Dice,
    trace: Arc<Mutex<Trace>>,
    pub site: Site,
    processes: Vec<Process>,
    pub observer: Observer,
    pub receivers: World,
    to_send: VecDeque<&'a Sent>,
    started_ms: u64,
    /// Of each role.
    wanted: usize,
    /// How far the wall clock was stepped so far.
    stepped_ms: i64,
    rules_changed: bool,
    pub tally: Tally,
}

fn site(plan: &Plan, dice: &mut Dice) -> Site {
    let clock = Arc::new(ManualClock::new(contract::STARTED_MS));
    let log = MemoryLog::stepped(Arc::clone(&clock) as Arc<dyn Clock>);
    let topics = [
        ("ticket-events", SOURCES, plan.stamped),
        ("slawatch.signals", PARTITIONS, TimestampKind::Create),
        ("slawatch.alerts", PARTITIONS, TimestampKind::Create),
        ("slawatch.notifications", PARTITIONS, TimestampKind::Create),
        ("slawatch.dead-letters", PARTITIONS, TimestampKind::Create),
    ];
    for (name, partitions, timestamps) in topics {
        let spec = TopicSpec {
            timestamps,
            ..TopicSpec::new(name, partitions)
        };
        log.create_topic(&spec).unwrap();
    }
    Site {
        log,
        clock,
        store: Arc::new(MemoryStore::default()),
        store_full: Arc::new(AtomicBool::new(false)),
        trouble: Trouble::default(),
        tables: MemoryTables::new(),
        sets: contract::policies(dice),
        rules: contract::rules(false),
        options: plan.options.clone(),
        receivers: toml::from_str(contract::RECEIVERS).unwrap(),
        accept_gap: plan.gaps,
    }
}

impl<'a> Cluster<'a> {
    /// `dice` decide the policies first, so that two runs with equal ones have the same.
    pub fn new(plan: &'a Plan, mut dice: Dice, trace: Arc<Mutex<Trace>>) -> Self {
        let site = site(plan, &mut dice);
        let all: Vec<_> = (0..PARTITIONS)
            .map(|partition| TopicPartition::new("slawatch.notifications", partition))
            .collect();
        let notifications = site.log.reader(&all, StartAt::Beginning).unwrap();
        let mut receivers = World::new(Arc::clone(&site.clock), notifications, &site.receivers);
        // The first poll tells of the assignment, and of no record yet.
        receivers.read_intents();
        let observer = Observer::new(&site);
        Self {
            started_ms: site.clock.steady_ms(),
            plan,
            dice,
            trace,
            site,
            processes: Vec::new(),
            observer,
            receivers,
            to_send: plan.sent.iter().collect(),
            wanted: WANTED,
            stepped_ms: 0,
            rules_changed: false,
            tally: Tally::default(),
        }
    }

    fn note(&self, event: Event) {
        self.trace.lock().unwrap().note(event);
    }

    pub fn elapsed_ms(&self) -> i64 {
        (self.site.clock.steady_ms() - self.started_ms) as i64
    }

    /// The wanted processes run, whatever became of those before.
    fn staff(&mut self) {
        for role in Role::ALL {
            let running = self.processes.iter().filter(|process| process.role == role);
            for _ in running.count()..self.wanted {
                self.hire(role);
            }
        }
    }

    fn hire(&mut self, role: Role) {
        self.note(Event::Started(role));
        let process = Process::start(role, &self.site, &mut self.dice);
        self.processes.push(process);
    }

    /// Time passes; what sources have to say by then is on the log.
    fn pass(&mut self, by_ms: u32) {
        self.site.clock.advance(by_ms);
        self.note(Event::Passed(by_ms));
        let now_ms = self.elapsed_ms();
        while let Some(sent) = self.to_send.pop_front_if(|sent| sent.at_ms <= now_ms) {
            let record = Outgoing::new("ticket-events".into(), sent.partition, sent.value.clone())
                .at(self.site.clock.wall_ms() - sent.lag_ms);
            self.site.log.append(record).unwrap();
        }
        if self
            .plan
            .rules_change_ms
            .is_some_and(|at_ms| at_ms <= now_ms)
            && !self.rules_changed
        {
            self.rules_changed = true;
            self.change_rules();
        }
    }

    /// An operator starts every evaluator again with other rules, one after the other.
    fn change_rules(&mut self) {
        self.note(Event::RulesChanged);
        self.site.rules = contract::rules(true);
        let evaluators = self.processes.iter();
        let evaluators = evaluators.filter(|process| process.role == Role::Evaluator);
        for _ in 0..evaluators.count() {
            let is_one = |process: &Process| process.role == Role::Evaluator;
            if let Some(place) = self.processes.iter().position(is_one) {
                self.processes.remove(place).close();
                self.hire(Role::Evaluator);
            }
        }
        self.look();
    }

    fn step(&mut self, index: usize) {
        let process = &mut self.processes[index];
        if process.asleep > 0 {
            process.asleep -= 1;
            if process.asleep == 0 && process.dead {
                process.expel();
                self.processes.remove(index);
                return;
            }
            // Receivers' tasks do not know that their worker is not heard of any more.
            if !process.dead && self.dice.one_in(2) {
                process.deliver(&mut self.receivers, &mut self.dice);
            }
            return;
        }
        let role = process.role;
        let lives = process.step();
        if lives {
            process.deliver(&mut self.receivers, &mut self.dice);
        } else {
            self.tally.crashes += 1;
            self.processes.remove(index);
        }
        self.note(Event::Stepped(role, lives));
    }

    fn look(&mut self) {
        let trace = Arc::clone(&self.trace);
        let mut trace = trace.lock().unwrap();
        self.observer
            .look(&self.site, &mut |topic, seen| trace.record(topic, seen));
    }

    /// The rough part.
    fn disturbed(&mut self) {
        self.site.trouble.set(4);
        while self.elapsed_ms() < DISTURBED_MS {
            let left_ms = u32::try_from(DISTURBED_MS - self.elapsed_ms()).unwrap_or(0);
            let by_ms = self.dice.roll(60) as u32;
            self.pass(by_ms.min(left_ms));
            if self.dice.one_in(50) {
                self.befall();
            }
            if self.dice.one_in(40) {
                self.staff();
            }
            if !self.processes.is_empty() {
                let index = self.dice.roll(self.processes.len() as u64) as usize;
                self.step(index);
                self.look();
            }
        }
    }

    /// Something happens to somebody.
    fn befall(&mut self) {
        let kind = self.dice.roll(20);
        self.note(Event::Befell(kind));
        match kind {
            0..9 => self.befall_process(kind),
            9 => {
                // Everybody of a role is out of the group at once.
                let role = Role::ALL[self.dice.roll(4) as usize];
                self.tally.rebalances += 1;
                let all = self.processes.iter().filter(|process| process.role == role);
                all.for_each(Process::expel);
            }
            10 => {
                let role = Role::ALL[self.dice.roll(4) as usize];
                self.hire(role);
            }
            11 => self.damage(),
            12 => {
                let full = !self.site.store_full.load(Ordering::Relaxed);
                self.site.store_full.store(full, Ordering::Relaxed);
            }
            13 => self.site.log.lose_answers(1 + self.dice.roll(4) as u32),
            14 => {
                let by_ms = self.dice.roll(30_000) as i64 - 15_000;
                self.step_wall(by_ms);
            }
            15 | 16 => self.disturb_sink(),
            17 => {
                let receiver = self.dice.roll(2) as usize;
                self.receivers.down[receiver] = !self.receivers.down[receiver];
            }
            18 => {
                let source = self.dice.roll(SOURCES.into()) as u32;
                let at = TopicPartition::new("ticket-events", source);
                self.site.log.skip_offsets(&at, 2).unwrap();
            }
            _ => self.eat(),
        }
    }

    fn befall_process(&mut self, kind: u64) {
        if self.processes.is_empty() {
            return;
        }
        let index = self.dice.roll(self.processes.len() as u64) as usize;
        let longest = if self.dice.one_in(3) { 400 } else { 60 };
        let asleep = 5 + self.dice.roll(longest) as u32;
        let process = &mut self.processes[index];
        match kind {
            // A zombie: silent past its session, and back later with everything that it still holds.
            0..3 => {
                process.asleep = asleep;
                process.expel();
                self.tally.zombies += 1;
            }
            3 => process.expel(),
            4 => process.asleep = asleep,
            5 => process.faults.crash(),
            // The machine is gone, and the group has yet to notice.
            6 => {
                process.faults.crash();
                process.dead = true;
                process.asleep = asleep.min(80);
                self.tally.crashes += 1;
            }
            _ => {
                if process.asleep == 0 {
                    self.processes.remove(index).close();
                    self.look();
                }
            }
        }
    }

    fn step_wall(&mut self, by_ms: i64) {
        self.stepped_ms += by_ms;
        self.site.clock.step_wall(by_ms);
    }

    /// A bit of the newest snapshot of some partition flips.
    fn damage(&mut self) {
        let role = [Role::Tracker, Role::Evaluator, Role::Dispatcher][self.dice.roll(3) as usize];
        let name = ["tracker", "evaluator", "dispatcher"][role as usize];
        let partition = self.dice.roll(2);
        let folder = format!("generation-1/{name}/{}/{partition:05}", role.topic());
        let bit = self.dice.roll(1 << 20) as usize;
        let kept = self.site.store.list(&folder).unwrap();
        // The first says under which rules all began: with all of them damaged, that is known no more.
        let newest = kept.last().filter(|_| kept.len() > 1);
        if let Some(newest) = newest {
            self.tally.damaged += 1;
            self.site.store.damage(newest, |bytes| {
                let at = bit % bytes.len();
                bytes[at] ^= 1;
            });
        }
    }

    fn disturb_sink(&mut self) {
        for _ in 0..1 + self.dice.roll(4) {
            let table = Table::ALL[self.dice.roll(Table::ALL.len() as u64) as usize];
            let fault = match self.dice.roll(4) {
                0 => SinkFault::Unavailable,
                1 => SinkFault::AnswerLost,
                2 => SinkFault::Partial,
                _ => SinkFault::Hang,
            };
            self.site.tables.fail_next(table, fault);
        }
        if self.dice.one_in(2) {
            self.site.tables.release();
        }
    }

    /// Retention removes what is there of a source, read or not.
    fn eat(&mut self) {
        let source = self.dice.roll(SOURCES.into()) as u32;
        if !self.plan.gaps {
            return;
        }
        if let Some(last) = self.observer.input[source as usize].keys().last() {
            let at = TopicPartition::new("ticket-events", source);
            self.site.log.truncate(&at, *last).unwrap();
            self.observer.gapped.insert(source);
            self.tally.gaps += 1;
        }
    }

    /// From here on nothing is wrong any more.
    fn calm_down(&mut self) {
        self.site.trouble.set(0);
        self.site.store_full.store(false, Ordering::Relaxed);
        self.site.log.lose_answers(0);
        self.receivers.down.fill(false);
        self.step_wall(-self.stepped_ms);
        for index in (0..self.processes.len()).rev() {
            let process = &mut self.processes[index];
            process.asleep = 0;
            if process.dead || process.faults.crashed() {
                self.processes.remove(index);
            }
        }
    }

    fn rounds(&mut self, until_ms: i64, round_ms: u32) {
        while self.elapsed_ms() < until_ms {
            let left_ms = u32::try_from(until_ms - self.elapsed_ms()).unwrap_or(0);
            self.pass(round_ms.min(left_ms));
            self.site.tables.release();
            self.staff();
            for index in (0..self.processes.len()).rev() {
                self.step(index);
            }
            self.look();
        }
    }

    /// Plays everything. Gives the alerts that fire when the sources end, and at the end of all.
    pub fn play(&mut self, is_disturbed: bool) -> Episodes {
        self.wanted = if is_disturbed { WANTED } else { 1 };
        self.staff();
        if is_disturbed {
            self.disturbed();
        } else {
            self.rounds(DISTURBED_MS, CALM_ROUND_MS);
        }
        self.calm_down();
        self.rounds(DISTURBED_MS + CALM_MS, CALM_ROUND_MS);
        // What was sent last is to be known, too.
        self.rounds(DISTURBED_MS + CALM_MS + 4_000, 200);
        let when_sources_end = self.firing();
        self.rounds(DISTURBED_MS + CALM_MS + QUIET_MS, QUIET_ROUND_MS);
        // Trackers would go on telling of their progress; what they said is worked through.
        let trackers = self.processes.iter_mut();
        let trackers = trackers.filter(|process| process.role == Role::Tracker);
        trackers.for_each(|process| process.asleep = u32::MAX);
        self.rounds(DISTURBED_MS + CALM_MS + QUIET_MS + 20_000, QUIET_ROUND_MS);
        self.tally.fenced = self.observer.fenced;
        let states = self.observer.states();
        self.tally.transitions = states.values().map(|alert| alert.revision).sum();
        let retracted = |alert: &&AlertTransition| alert.state() == AlertState::Retracted;
        self.tally.retracted = states.values().filter(retracted).count() as u64;
        Episodes {
            when_sources_end,
            at_the_end: self.firing(),
        }
    }

    fn firing(&self) -> BTreeMap<String, AlertTransition> {
        let mut states = self.observer.states();
        states.retain(|_, alert| is_open(alert.state()));
        states
    }

    /// Partitions that stand still, and why.
    pub fn stopped(&self) -> Vec<String> {
        self.processes.iter().flat_map(Process::stopped).collect()
    }

    /// Partitions that some role has not worked through.
    pub fn behind(&self) -> Vec<String> {
        let mut behind = Vec::new();
        for (topic, readers) in TOPICS {
            let mut probe = self.site.log.end_probe(topic).unwrap();
            let ends = probe.newest().unwrap().ends;
            for (partition, end) in (0..).zip(ends) {
                let at = TopicPartition::new(topic, partition);
                for role in readers {
                    let committed = self.site.log.committed(role.group(), &at);
                    let committed = committed.map_or(0, |committed| committed.offset);
                    if Some(committed) != end {
                        behind.push(format!("{role:?} at {committed} of {end:?} of {at}"));
                    }
                }
            }
        }
        behind
    }
}

const TOPICS: [(&str, &[Role]); 5] = [
    ("ticket-events", &[Role::Tracker, Role::Loader]),
    ("slawatch.signals", &[Role::Evaluator, Role::Loader]),
    ("slawatch.alerts", &[Role::Dispatcher, Role::Loader]),
    ("slawatch.notifications", &[Role::Loader]),
    ("slawatch.dead-letters", &[Role::Loader]),
];

pub fn is_open(state: AlertState) -> bool {
    match state {
        AlertState::Firing | AlertState::Acknowledged => true,
        AlertState::Pending
        | AlertState::Resolved
        | AlertState::Retracted
        | AlertState::Expired
        | AlertState::Unspecified => false,
    }
}

/// The alerts that fire, by key.
#[derive(Debug)]
pub struct Episodes {
    pub when_sources_end: BTreeMap<String, AlertTransition>,
    pub at_the_end: BTreeMap<String, AlertTransition>,
}
