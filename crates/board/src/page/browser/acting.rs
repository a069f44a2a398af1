//! People at work in a real browser: they log in, acknowledge, silence, and see what came of it.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use slawatch_stream::{
    Clock, ConsumerEvent, Log, MemoryLog, Outgoing, PollHandler, Record, StartAt, SystemClock,
    TopicPartition, TopicSpec,
};
use slawatch_wire::Message;
use slawatch_wire::v1::{
    self, Action, AlertState, AlertTransition, Contribution, Signal, WorstTicket,
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
struct Actions(Vec<Action>);

impl PollHandler for Actions {
    fn record(&mut self, record: &Record<'_>) {
        let signal = Signal::decode(record.value.unwrap()).unwrap();
        if let Some(v1::signal::Kind::Action(action)) = signal.kind {
            self.0.push(action);
        }
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

impl World {
    fn new() -> Self {
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
            log,
        };
        let (signals, alerts) = afternoon();
        for signal in &signals {
            world.append("slawatch.signals", signal.encode_to_vec());
        }
        for batch in &alerts {
            world.append("slawatch.alerts", batch.encode_to_vec());
        }
        world.append(
            "slawatch.alerts",
            alert_batch(3, vec![drowning()]).encode_to_vec(),
        );
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
        let mut actions = Actions::default();
        for _ in 0..3 {
            reader.poll(Duration::ZERO, 10_000, &mut actions).unwrap();
        }
        actions.0
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

#[test]
fn an_alert_is_acknowledged_and_silenced_by_its_buttons() {
    let world = World::new();
    let mut browser = Browser::start();
    browser.screen(1920, 1080, "dark");
    browser.open(&world.url("/"));
    browser.until("document.body.innerText.includes('● live')");
    browser.keep_picture("board-anybody-dark.png");
    browser.click("#tools .who a");
    browser.until("!!document.querySelector('#login-token')");
    browser.keep_picture("login-dark.png");
    browser.write("#login-token", "wrong-0123456789abcdef");
    browser.click("main button");
    browser.until("document.body.innerText.includes('nobody has this token')");
    browser.write("#login-token", ANA);
    browser.click("main button");
    browser.until("document.querySelector('.who')?.innerText.includes('Ana Cruz')");
    browser.until("!!document.querySelector('#acknowledge-a')");
    browser.keep_picture("board-ana-dark.png");

    // By the keyboard: the focus outlives what the script replaces.
    browser.value("document.querySelector('#acknowledge-a').focus()");
    let updates = browser.value("Number(document.body.dataset.updates)");
    browser.until(&format!(
        "Number(document.body.dataset.updates) > {updates} + 1"
    ));
    assert_eq!(browser.value("document.activeElement.id"), "acknowledge-a");
    browser.click("#acknowledge-a");
    browser.until("document.body.innerText.includes('✔ Acknowledged. It is written down')");
    let actions = world.actions();
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert_eq!(
        (actions[0].author.as_str(), actions[0].alert_key.as_str()),
        ("Ana Cruz", "a")
    );

    let seen = AlertTransition {
        state: AlertState::Acknowledged.into(),
        author: actions[0].author.clone(),
        reason: actions[0].reason.clone(),
        at_ms: NOON_MS + 12_000,
        revision: 4,
        ..drowning()
    };
    world.append(
        "slawatch.alerts",
        alert_batch(4, vec![seen]).encode_to_vec(),
    );
    browser.open(&world.url("/"));
    browser.until("document.body.innerText.includes('Ana Cruz sees to it since 14:30')");
    assert_eq!(
        browser.value("document.querySelector('#acknowledge-a') === null"),
        true
    );
    browser.keep_picture("board-acknowledged-dark.png");

    browser.click("#silence-a");
    browser.until("!!document.querySelector('#silence-reason')");
    for (name, width, height, scheme) in [
        ("alert-light.png", 1280, 1000, "light"),
        ("alert-dark.png", 1280, 1000, "dark"),
        ("alert-phone-light.png", 390, 844, "light"),
    ] {
        browser.screen(width, height, scheme);
        browser.keep_picture(name);
    }
    browser.write("#silence-reason", "they move house until 4 p.m.");
    browser.click("#silence button");
    browser.until("document.body.innerText.includes('✔ Silenced.')");
    browser
        .until("document.body.innerText.includes('they move house') || (location.reload(), false)");
    browser.open(&world.url("/silences"));
    browser.until("document.body.innerText.includes('they move house')");
    browser.keep_picture("silences-phone-light.png");
    browser.screen(1280, 800, "dark");
    browser.keep_picture("silences-dark.png");
    browser.click(".silences button");
    browser.until("document.body.innerText.includes('✔ Ended.')");
    assert_eq!(world.actions().len(), 3);

    for (path, name) in [("/", "board"), ("/alerts?vendor=nova", "alerts")] {
        for (kind, width, height, scheme) in [
            ("light", 1920, 1080, "light"),
            ("phone-dark", 390, 844, "dark"),
            ("phone-light", 390, 844, "light"),
        ] {
            browser.screen(width, height, scheme);
            browser.open(&world.url(path));
            browser.until("document.body.innerText.includes('nova')");
            browser.keep_picture(&format!("{name}-{kind}.png"));
            let overflow = browser.value("document.documentElement.scrollWidth <= innerWidth");
            assert_eq!(overflow, true, "{path} is wider than its screen of {width}");
        }
    }
}

#[test]
fn a_link_in_a_message_works_on_a_phone() {
    let world = World::new();
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
