//! Stands between a client and the broker, and lets what passes go missing or wait.
//!
//! Clients are told apart by their `client.id`, which every request names. The broker sends those who come this way back
//! to this way for every further connection (`slawatch_devstack::kafka::Detour`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, OnceLock};

use slawatch_devstack::kafka::Detour;

/// The number of produce requests in Kafka's protocol.
const PRODUCE: i16 = 0;

#[derive(Debug, Default)]
struct Rule {
    is_stalled: bool,
    answers_to_lose: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Passage {
    rules: Mutex<BTreeMap<String, Rule>>,
    changed: Condvar,
}

impl Passage {
    pub(crate) fn open(way: Detour) -> Arc<Self> {
        let passage = Arc::new(Self::default());
        let listener = TcpListener::bind(("127.0.0.1", way.advertises)).expect("the port is free");
        let opened = Arc::clone(&passage);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(broker) = TcpStream::connect(("127.0.0.1", way.listens)) {
                    opened.connect(client, broker);
                }
            }
        });
        passage
    }

    /// Nothing of this client passes from now on, in either direction.
    pub(crate) fn stall(&self, client: &str) {
        self.rule(client, |rule| rule.is_stalled = true);
    }

    pub(crate) fn flow(&self, client: &str) {
        self.rule(client, |rule| rule.is_stalled = false);
    }

    /// Of the next `count` produce requests of this client the answers are lost, and the connections with them.
    pub(crate) fn lose_answers(&self, client: &str, count: u32) {
        self.rule(client, |rule| rule.answers_to_lose = count);
    }

    pub(crate) fn answers_left_to_lose(&self, client: &str) -> u32 {
        let rules = self.rules.lock().unwrap();
        rules.get(client).map_or(0, |rule| rule.answers_to_lose)
    }

    fn rule(&self, client: &str, change: impl FnOnce(&mut Rule)) {
        let mut rules = self.rules.lock().unwrap();
        change(rules.entry(client.to_owned()).or_default());
        self.changed.notify_all();
    }

    /// Waits until this client's messages may pass.
    fn pass(&self, client: &str) {
        let rules = self.rules.lock().unwrap();
        let stalled = |rules: &mut BTreeMap<String, Rule>| {
            rules.get(client).is_some_and(|rule| rule.is_stalled)
        };
        drop(self.changed.wait_while(rules, stalled).unwrap());
    }

    fn loses_answer(&self, client: &str) -> bool {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.entry(client.to_owned()).or_default();
        let loses = rule.answers_to_lose > 0;
        rule.answers_to_lose = rule.answers_to_lose.saturating_sub(1);
        loses
    }

    fn connect(self: &Arc<Self>, client: TcpStream, broker: TcpStream) {
        let link = Arc::new(Link {
            passage: Arc::clone(self),
            client,
            broker,
            name: OnceLock::new(),
            to_lose: Mutex::default(),
        });
        let answers = Arc::clone(&link);
        std::thread::spawn(move || {
            link.requests();
            link.cut();
        });
        std::thread::spawn(move || {
            answers.answers();
            answers.cut();
        });
    }
}

/// One connection.
struct Link {
    passage: Arc<Passage>,
    client: TcpStream,
    broker: TcpStream,
    /// The client's `client.id`, known from its first request on.
    name: OnceLock<String>,
    /// Correlation numbers of requests whose answers are lost.
    to_lose: Mutex<BTreeSet<[u8; 4]>>,
}

impl Link {
    fn requests(&self) -> Option<()> {
        loop {
            let frame = read_frame(&self.client)?;
            let request = Request::parse(&frame)?;
            let name = self.name.get_or_init(|| request.client_id.to_owned());
            self.passage.pass(name);
            if request.kind == PRODUCE && self.passage.loses_answer(name) {
                self.to_lose.lock().unwrap().insert(request.correlation);
            }
            (&self.broker).write_all(&frame).ok()?;
        }
    }

    fn answers(&self) -> Option<()> {
        loop {
            let frame = read_frame(&self.broker)?;
            let correlation = frame.get(4..8)?.try_into().ok()?;
            self.passage
                .pass(self.name.get().map_or("", String::as_str));
            if self
                .to_lose
                .lock()
                .unwrap()
                .contains::<[u8; 4]>(&correlation)
            {
                return None;
            }
            (&self.client).write_all(&frame).ok()?;
        }
    }

    fn cut(&self) {
        // Whoever has gone already cannot be cut off.
        self.client.shutdown(Shutdown::Both).ok();
        self.broker.shutdown(Shutdown::Both).ok();
    }
}

/// The beginning that all requests share, whatever their kind.
struct Request<'a> {
    kind: i16,
    correlation: [u8; 4],
    client_id: &'a str,
}

impl<'a> Request<'a> {
    fn parse(frame: &'a [u8]) -> Option<Self> {
        let kind = i16::from_be_bytes(frame.get(4..6)?.try_into().ok()?);
        let correlation = frame.get(8..12)?.try_into().ok()?;
        let length = i16::from_be_bytes(frame.get(12..14)?.try_into().ok()?);
        let name = frame.get(14..14 + usize::try_from(length).unwrap_or(0))?;
        Some(Self {
            kind,
            correlation,
            client_id: std::str::from_utf8(name).ok()?,
        })
    }
}

/// A message with its length in front, as both sides send them; `None` at the end.
fn read_frame(mut from: &TcpStream) -> Option<Vec<u8>> {
    let mut frame = vec![0; 4];
    from.read_exact(&mut frame).ok()?;
    let length = u32::from_be_bytes(frame.as_slice().try_into().ok()?);
    frame.resize(4 + length as usize, 0);
    from.read_exact(&mut frame[4..]).ok()?;
    Some(frame)
}
