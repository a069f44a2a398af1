//! Starting and stopping the board: a thread that reads, a thread that serves.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use slawatch_stream::{Clock, Log, SystemClock};
use tokio::sync::oneshot;

use crate::error::BoardError;
use crate::feed::{Feed, Newest};
use crate::server::{self, App};
use crate::zone::Zone;

/// Where the board listens unless told otherwise: reachable from this machine only.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Whether a role is ready, and why not.
#[derive(Clone)]
pub struct Health {
    /// The role's name, as in `--roles`.
    pub role: String,
    /// The question; must answer at once.
    pub check: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

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
    /// The roles of this process, for `/readyz`. The board adds itself.
    pub health: Vec<Health>,
    /// The text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The clocks that lag and staleness are measured by.
    pub clock: Arc<dyn Clock>,
}

impl BoardOptions {
    /// The default address, universal time, the usual topics, no other role, no metrics, the machine's clocks.
    pub fn new() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            zone: Zone::utc(),
            signals_topic: "slawatch.signals".to_owned(),
            alerts_topic: "slawatch.alerts".to_owned(),
            health: Vec::new(),
            metrics: Arc::new(String::new),
            clock: Arc::new(SystemClock::new()),
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
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

/// A running board; dropping it stops it.
#[derive(Debug)]
pub struct Board {
    local_addr: SocketAddr,
    stop_serving: Option<oneshot::Sender<()>>,
    /// The reading thread goes on as long as this exists.
    stop_reading: Option<mpsc::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Board {
    /// Binds the address and starts reading and serving. A log that cannot be read does not keep the board from
    /// starting: the page says so, `/readyz` too, and it is tried again.
    ///
    /// # Errors
    /// [`BoardError::Listen`], [`BoardError::Thread`].
    pub fn start(options: BoardOptions, log: Arc<dyn Log>) -> Result<Self, BoardError> {
        let listen = options.listen;
        let refused = |source| BoardError::Listen { listen, source };
        let listener = TcpListener::bind(listen).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;

        let newest = Arc::new(Newest::default());
        let app = App {
            newest: Arc::clone(&newest),
            clock: Arc::clone(&options.clock),
            zone: options.zone.clone(),
            health: options.health,
            metrics: options.metrics,
        };
        let (stop_reading, stop) = mpsc::channel();
        let feed = Feed {
            log,
            signals_topic: options.signals_topic,
            alerts_topic: options.alerts_topic,
            zone: options.zone,
            clock: options.clock,
            newest,
            stop,
        };
        let (stop_serving, stopped) = oneshot::channel();
        // From here on dropping the board ends what was started.
        let mut board = Self {
            local_addr,
            stop_serving: Some(stop_serving),
            stop_reading: Some(stop_reading),
            threads: Vec::new(),
        };
        board.spawn("board-http", move || server::serve(listener, app, stopped))?;
        board.spawn("board-feed", move || feed.run())?;
        tracing::info!(address = %local_addr, "the board is at http://{local_addr}/");
        Ok(board)
    }

    fn spawn(
        &mut self,
        what: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), BoardError> {
        let thread = std::thread::Builder::new()
            .name(what.to_owned())
            .spawn(work);
        self.threads
            .push(thread.map_err(|source| BoardError::Thread { what, source })?);
        Ok(())
    }

    /// Where it listens: the port too if it was to choose one.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers the requests that are under way, and stops.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        if let Some(stop) = self.stop_serving.take() {
            // Fails only if the server is gone already.
            stop.send(()).ok();
        }
        self.stop_reading = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the board panicked");
            }
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.stop();
    }
}
