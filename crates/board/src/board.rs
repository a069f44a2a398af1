//! Starting and stopping the board: a thread that reads, a thread that serves.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use slawatch_health::{HealthError, Heartbeat, HttpServer, Probes, RoleHealth, Thread};
use slawatch_stream::{Clock, Log, SystemClock};

use crate::access::{Access, AccessOptions, Limits};
use crate::act::ActionWriter;
use crate::error::BoardError;
use crate::feed::{Feed, Newest};
use crate::server::{self, App};
use crate::zone::Zone;

/// Where the board listens unless told otherwise: reachable from this machine only.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// What the board needs.
#[derive(Clone)]
pub struct BoardOptions {
    /// The address to serve on.
    pub listen: SocketAddr,
    /// The zone of "today" and of the clocks on the page.
    pub zone: Zone,
    /// The topic of signals.
    pub signals_topic: String,
    /// The topic of alerts.
    pub alerts_topic: String,
    /// What the process says about itself, its other roles included. The board adds itself.
    pub probes: Probes,
    /// The clocks that lag and staleness are measured by.
    pub clock: Arc<dyn Clock>,
    /// Who may see and act.
    pub access: AccessOptions,
}

impl BoardOptions {
    /// The default address, universal time, the usual topics, no other role, no metrics, the machine's clocks.
    pub fn new() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            zone: Zone::utc(),
            signals_topic: "slawatch.signals".to_owned(),
            alerts_topic: "slawatch.alerts".to_owned(),
            probes: Probes {
                roles: Vec::new(),
                metrics: Arc::new(String::new),
            },
            clock: Arc::new(SystemClock::new()),
            access: AccessOptions::default(),
        }
    }
}

impl Default for BoardOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BoardOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardOptions")
            .field("listen", &self.listen)
            .field("zone", &self.zone)
            .field("signals_topic", &self.signals_topic)
            .field("alerts_topic", &self.alerts_topic)
            .field("probes", &self.probes)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// A running board; dropping it stops it.
#[derive(Debug)]
pub struct Board {
    server: HttpServer,
    health: RoleHealth,
    /// The reading thread goes on as long as this exists.
    stop_reading: Option<mpsc::Sender<()>>,
    reading: Option<JoinHandle<()>>,
    writing: Option<JoinHandle<()>>,
}

/// The name of the thread that reads.
const FEED: &str = "board-feed";

impl Board {
    /// Binds the address and starts reading and serving. A log that cannot be read does not keep the board from
    /// starting: the page says so, `/readyz` too, and it is tried again.
    ///
    /// # Errors
    /// [`BoardError::Access`], [`BoardError::Listen`], [`BoardError::Thread`].
    pub fn start(options: BoardOptions, log: Arc<dyn Log>) -> Result<Self, BoardError> {
        if let Some(mistake) = options.access.mistakes(options.listen).into_iter().next() {
            return Err(BoardError::Access(mistake));
        }
        let thread = |what| move |source| BoardError::Thread { what, source };
        let newest = Arc::new(Newest::default());
        let clock = Arc::clone(&options.clock);
        let (writer, writing) =
            ActionWriter::start(Arc::clone(&log), &options.signals_topic, clock)
                .map_err(thread("board-actions"))?;
        let known = writer.known();
        let app = App {
            newest: Arc::clone(&newest),
            clock: Arc::clone(&options.clock),
            zone: options.zone.clone(),
            access: Access::new(&options.access, options.listen),
            limits: Limits::default(),
            writer,
        };
        let heartbeat = Heartbeat::new(Arc::clone(&options.clock));
        let health = health(&newest, &heartbeat);
        let mut probes = options.probes;
        probes.roles.push(health.clone());
        let server = HttpServer::start("board-http", options.listen, server::router(app, probes))
            .map_err(|error| match error {
            HealthError::Listen { listen, source } => BoardError::Listen { listen, source },
            HealthError::Thread { name, source } => BoardError::Thread { what: name, source },
        })?;
        let (stop_reading, stop) = mpsc::channel();
        let feed = Feed {
            log,
            signals_topic: options.signals_topic,
            alerts_topic: options.alerts_topic,
            zone: options.zone,
            clock: options.clock,
            newest,
            known,
            heartbeat,
            stop,
        };
        let reading = std::thread::Builder::new()
            .name(FEED.to_owned())
            .spawn(move || feed.run())
            .map_err(thread(FEED))?;
        let address = server.local_addr();
        tracing::info!(%address, "the board is at http://{address}/");
        Ok(Self {
            server,
            health,
            stop_reading: Some(stop_reading),
            reading: Some(reading),
            writing: Some(writing),
        })
    }

    /// Where it listens: the port too if it was to choose one.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// How it fares, for a server beside its own.
    pub fn health(&self) -> RoleHealth {
        self.health.clone()
    }

    /// Whether a thread of it has ended though nobody stopped it: it reads or serves no more.
    pub fn has_ended(&self) -> bool {
        let threads = [&self.reading, &self.writing];
        let is_gone =
            |thread: &Option<JoinHandle<()>>| thread.as_ref().is_none_or(JoinHandle::is_finished);
        self.server.has_ended() || threads.into_iter().any(is_gone)
    }

    /// Answers the requests that are under way, and stops.
    pub fn shutdown(self) {}
}

impl Drop for Board {
    fn drop(&mut self) {
        self.stop_reading = None;
        if let Some(thread) = self.reading.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread {FEED} panicked");
        }
    }
}

fn health(newest: &Arc<Newest>, heartbeat: &Heartbeat) -> RoleHealth {
    let newest = Arc::clone(newest);
    RoleHealth {
        role: "board".to_owned(),
        problems: Arc::new(move || {
            let snapshot = newest.get();
            match &snapshot.trouble {
                Some(trouble) => vec![trouble.clone()],
                None if !snapshot.caught_up => {
                    vec!["the last day is still being read".to_owned()]
                }
                None => Vec::new(),
            }
        }),
        threads: vec![Thread {
            name: FEED.to_owned(),
            heartbeat: heartbeat.clone(),
        }],
    }
}
