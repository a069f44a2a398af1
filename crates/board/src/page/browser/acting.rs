//! People at work in a real browser: they log in, acknowledge, silence, and see what came of it.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Duration;

use slawatch_evaluator::{Evaluator, Home, RuleSet};
use slawatch_stream::{
    Clock, ConsumerEvent, Log, MemoryLog, Outgoing, PollHandler, Record, StartAt, SystemClock,
    TopicPartition, TopicSpec,
};
use slawatch_wire::Message;
use slawatch_wire::v1::{
    self, Action, ActionKind, AlertBatch, AlertTransition, Contribution, Signal, WorstTicket,
};

use super::devtools::Browser;
use crate::access::{AccessOptions, Role, TokenGrant};
use crate::board::{Board, BoardOptions};
use crate::story::{NOON_MS, afternoon, alert_batch, batch, firing, signal};

const ANA: &str = "ana-0123456789abcdef";

/// The afternoon, going on.
#[derive(Debug)]
struct Afternoon {
    machine: SystemClock,
    begun_ms: u64,
}

impl Clock for Afternoon {
    fn wall_ms(&self) -> i64 {
        let gone_ms = self.machine.steady_ms() - self.begun_ms;
        NOON_MS + 12_400 + i64::try_from(gone_ms).unwrap()
    }

    fn steady_ms(&self) -> u64 {
        self.machine.steady_ms()
    }
}

struct World {
    board: Board,
    log: MemoryLog,
    /// The tracker's progress goes on as long as this exists.
    _progress: Sender<()>,
    _evaluator: Option<Sender<()>>,
}

/// As a tracker does.
fn progress(log: &MemoryLog, clock: Arc<dyn Clock>) -> Sender<()> {
    let (sender, stop) = channel();
    let log = log.clone();
    std::thread::spawn(move || {
        let mut number = 20_000;
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(Duration::from_millis(300)) {
            number += 1;
            let flush = signal(batch(0, number, clock.wall_ms() - 300));
            let record = Outgoing::new("slawatch.signals".into(), 0, flush.encode_to_vec());
            log.append(record).unwrap();
        }
    });
    sender
}

#[derive(Default)]
struct Signals(Vec<Signal>);

impl Signals {
    fn actions(&self) -> Vec<Action> {
        let kinds = self.0.iter().filter_map(|signal| signal.kind.as_ref());
        let action = |kind: &v1::signal::Kind| match kind {
            v1::signal::Kind::Action(action) => Some(action.clone()),
            v1::signal::Kind::Batch(_) | v1::signal::Kind::Rules(_) => None,
        };
        kinds.filter_map(action).collect()
    }
}

impl PollHandler for Signals {
    fn record(&mut self, record: &Record<'_>) {
        self.0.push(Signal::decode(record.value.unwrap()).unwrap());
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

/// The evaluator's part, by the evaluator itself: signals in, alerts out.
fn evaluate(log: &MemoryLog) -> Sender<()> {
    const RULES: &str = r#"[[rule]]
name = "service-level"
type = "threshold"
measure = "service_level"
window = "15m"
enter = "70%"
exit = "80%"
min_samples = 30
for = "2m"
severity = "critical"
by = ["vendor", "queue"]
runbook_url = "https://wiki.example.com/service-level"
"#;
    let (sender, stop) = channel();
    let log = log.clone();
    let rules = RuleSet::parse("rules.toml", RULES).unwrap();
    let alone = Home {
        partition: 0,
        partitions: 1,
    };
    let mut evaluator = Evaluator::new(Arc::new(rules), alone);
    std::thread::spawn(move || {
        let partition = TopicPartition::new("slawatch.signals", 0);
        let mut reader = log.reader(&[partition], StartAt::Beginning).unwrap();
        let mut number = 0;
        while let Err(TryRecvError::Empty) = stop.try_recv() {
            let mut signals = Signals::default();
            let wait = Duration::from_millis(50);
            reader.poll(wait, 10_000, &mut signals).unwrap();
            let mut told = alert_batch(0, Vec::new());
            for signal in &signals.0 {
                evaluator.apply(signal, &mut told.alerts);
            }
            told.actions = signals.actions();
            if told.alerts.is_empty() && told.actions.is_empty() {
                continue;
            }
            number += 1;
            told.batch = number;
            told.clock_ms = evaluator.clock_ms().unwrap();
            let record = Outgoing::new("slawatch.alerts".into(), 0, told.encode_to_vec());
            log.append(record).unwrap();
        }
    });
    sender
}

impl World {
    fn new() -> (Self, Vec<AlertBatch>) {
        let machine = SystemClock::new();
        let begun_ms = machine.steady_ms();
        let clock: Arc<dyn Clock> = Arc::new(Afternoon { machine, begun_ms });
        let log = MemoryLog::new(Arc::clone(&clock));
        for topic in ["slawatch.signals", "slawatch.alerts"] {
            log.create_topic(&TopicSpec::new(topic, 1)).unwrap();
        }
        let options = BoardOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            clock: Arc::clone(&clock),
            access: AccessOptions {
                tokens: vec![TokenGrant {
                    name: "Ana Cruz".to_owned(),
                    role: Role::Act,
                    token: ANA.to_owned(),
                }],
                ..AccessOptions::default()
            }
            .with_link_key("links-0123456789abcdef"),
            ..BoardOptions::new()
        };
        let board = Board::start(options, Arc::new(log.clone())).unwrap();
        let world = Self {
            board,
            _progress: progress(&log, clock),
            _evaluator: None,
            log,
        };
        let (signals, alerts) = afternoon();
        for signal in &signals {
            world.append("slawatch.signals", signal.encode_to_vec());
        }
        (world, alerts)
    }

    /// Alerts as they might stand on an afternoon, with everything in them.
    fn told() -> Self {
        let (world, alerts) = Self::new();
        for batch in &alerts {
            world.append("slawatch.alerts", batch.encode_to_vec());
        }
        let drowning = alert_batch(3, vec![drowning()]);
        world.append("slawatch.alerts", drowning.encode_to_vec());
        world
    }

    /// Alerts as the evaluator concludes them from the signals.
    fn evaluated() -> Self {
        let (mut world, _) = Self::new();
        world._evaluator = Some(evaluate(&world.log));
        world
    }

    fn append(&self, topic: &str, value: Vec<u8>) {
        self.log
            .append(Outgoing::new(topic.into(), 0, value))
            .unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.board.local_addr())
    }

    fn actions(&self) -> Vec<Action> {
        let partition = TopicPartition::new("slawatch.signals", 0);
        let mut reader = self.log.reader(&[partition], StartAt::Beginning).unwrap();
        let mut signals = Signals::default();
        for _ in 0..3 {
            reader.poll(Duration::ZERO, 10_000, &mut signals).unwrap();
        }
        signals.actions()
    }
}

/// The afternoon's gravest alert with all that may stand in one.
fn drowning() -> AlertTransition {
    let ticket = |number: i64| WorstTicket {
        ticket_id: format!("T-10{number}"),
        metric: "first_reply".to_owned(),
        due_ms: Some(NOON_MS - number * 600_000),
        elapsed_ms: Some(5_400_000 + number * 600_000),
        target_ms: Some(3_600_000),
    };
    let part = |value: &str, tickets| Contribution {
        attribute: "category".to_owned(),
        value: value.to_owned(),
        tickets,
    };
    AlertTransition {
        worst_tickets: (1..5).map(ticket).collect(),
        contributions: vec![part("refund <not> received", 31), part("chargeback", 6)],
        runbook_url: "https://wiki.example.com/refunds".to_owned(),
        kind: "threshold".to_owned(),
        revision: 3,
        ..firing("a", "critical", ("nova", "refunds"), NOON_MS - 31 * 60_000)
    }
}

fn log_in(browser: &mut Browser, world: &World) {
    browser.open(&world.url("/"));
    browser.until("document.body.innerText.includes('● live')");
    browser.click("#tools .who a");
    browser.until("!!document.querySelector('#login-token')");
    browser.write("#login-token", "wrong-0123456789abcdef");
    browser.click("main button");
    browser.until("document.body.innerText.includes('nobody has this token')");
    browser.write("#login-token", ANA);
    browser.click("main button");
    browser.until("document.querySelector('.who')?.innerText.includes('Ana Cruz')");
}

#[test]
fn an_alert_is_acknowledged_and_silenced_by_its_buttons() {
    const ACKNOWLEDGE: &str = "#alerts button[id^=acknowledge-]";
    let world = World::evaluated();
    let mut browser = Browser::start();
    browser.screen(1920, 1080, "dark");
    log_in(&mut browser, &world);
    browser.until(&format!("!!document.querySelector({ACKNOWLEDGE:?})"));

    // By the keyboard: the focus outlives what the script replaces.
    browser.value(&format!("document.querySelector({ACKNOWLEDGE:?}).focus()"));
    let updates = browser.value("Number(document.body.dataset.updates)");
    browser.until(&format!(
        "Number(document.body.dataset.updates) > {updates} + 1"
    ));
    let focused = browser.value("document.activeElement.id");
    assert!(
        focused.as_str().unwrap().starts_with("acknowledge-"),
        "{focused}"
    );
    browser.click(ACKNOWLEDGE);
    browser.until("document.body.innerText.includes('✔ Acknowledged. It is written down')");
    let actions = world.actions();
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert_eq!(
        (actions[0].author.as_str(), actions[0].vendor.as_str()),
        ("Ana Cruz", "nova")
    );

    // The evaluator has read it, and the board what the evaluator says.
    browser.open(&world.url("/"));
    browser.until("document.body.innerText.includes('Ana Cruz sees to it since 14:30')");
    browser.until(&format!("document.querySelector({ACKNOWLEDGE:?}) === null"));

    browser.click("#alerts a[id^=silence-]");
    browser.until("!!document.querySelector('#silence-reason')");
    browser.write("#silence-reason", "they move house until 4 p.m.");
    browser.click("#silence button");
    browser.until("document.body.innerText.includes('✔ Silenced.')");
    browser
        .until("document.body.innerText.includes('they move house') || (location.reload(), false)");
    browser.keep_picture("silences-dark.png");
    browser.screen(390, 844, "light");
    browser.keep_picture("silences-phone-light.png");
    browser.click(".silences button");
    browser.until("document.body.innerText.includes('✔ Ended.')");
    let kinds: Vec<_> = world.actions().iter().map(Action::kind).collect();
    assert_eq!(
        kinds,
        [
            ActionKind::Acknowledge,
            ActionKind::Silence,
            ActionKind::ExpireSilence
        ]
    );
}

#[test]
fn no_page_is_wider_than_its_screen() {
    let world = World::told();
    let mut browser = Browser::start();
    browser.screen(1920, 1080, "dark");
    log_in(&mut browser, &world);
    for (path, name) in [
        ("/", "board"),
        ("/alerts?vendor=nova", "alerts"),
        ("/alert?key=a", "alert"),
        ("/silences", "silences-none"),
        ("/login", "login"),
    ] {
        for (kind, width, height, scheme) in [
            ("dark", 1920, 1080, "dark"),
            ("light", 1280, 900, "light"),
            ("phone-dark", 390, 844, "dark"),
            ("phone-light", 390, 844, "light"),
        ] {
            browser.screen(width, height, scheme);
            browser.open(&world.url(path));
            browser.until("document.body.innerText.includes('Ana Cruz')");
            browser.keep_picture(&format!("{name}-{kind}.png"));
            let fits = browser.value("document.documentElement.scrollWidth <= innerWidth");
            assert_eq!(fits, true, "{path} is wider than its screen of {width}");
        }
    }
}

#[test]
fn a_link_in_a_message_works_on_a_phone() {
    let world = World::told();
    let mut browser = Browser::start();
    browser.screen(390, 844, "light");
    let incident = drowning().incident;
    let claim = slawatch_wire::link::Acknowledgement {
        key: "a",
        incident: &incident,
        expires_s: NOON_MS / 1_000 + 3_600,
    };
    browser.open(&world.url("/"));
    browser.until("document.body.innerText.includes('● live')");
    browser.open(&claim.link(&world.url(""), b"links-0123456789abcdef"));
    browser.until("!!document.querySelector('#author')");
    browser.keep_picture("link-phone-light.png");
    assert_eq!(world.actions(), []);
    browser.write("#author", "Bob");
    browser.click("main button");
    browser.until("document.body.innerText.includes('✔ Acknowledged by Bob (by link).')");
    assert_eq!(world.actions()[0].incident, incident);
    browser.keep_picture("link-done-phone-light.png");
}
