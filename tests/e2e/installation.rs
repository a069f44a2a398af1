//! An installation as an operator has it: a broker, ClickHouse, a configuration file, the program's processes, and
//! receivers that write down what they are told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use slawatch_devstack::alertmanager::{Alertmanager, AlertmanagerOptions};
use slawatch_devstack::clickhouse::{ClickHouse, StartOptions};
use slawatch_devstack::kafka::{Broker, BrokerOptions};

const SLAWATCH: &str = env!("CARGO_BIN_EXE_slawatch");

/// What an operator decides.
pub(crate) struct Contract<'a> {
    /// The text of the policy set.
    pub(crate) policies: &'a str,
    /// The text of the rules.
    pub(crate) rules: &'a str,
    /// `stale_after` of the dispatcher.
    pub(crate) stale_after: &'a str,
}

/// Everything beside the program itself.
pub(crate) struct Installation {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) broker: Broker,
    pub(crate) clickhouse: ClickHouse,
    pub(crate) alertmanager: Alertmanager,
    pub(crate) received: Arc<Mutex<Vec<Value>>>,
    _server: tokio::runtime::Runtime,
}

impl Installation {
    /// Starts broker, ClickHouse, Alertmanager and a webhook receiver, and writes the configuration.
    pub(crate) fn start(contract: &Contract<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(BrokerOptions::default()).unwrap();
        let clickhouse = ClickHouse::start(StartOptions::default()).unwrap();
        let alertmanager = Alertmanager::start(AlertmanagerOptions::default()).unwrap();
        let server = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let webhook = serve(&server, Arc::clone(&received));
        let board = free_address();
        let config = format!(
            r#"
policies = ["policies.toml"]
rules = ["rules.toml"]
[kafka]
brokers = "{0}"
[clickhouse]
url = "{1}"
# The traffic is of the past.
ttl_days = {{ dead_letters = 0, ticket_events = 0, outcomes = 0, gauges = 0, alerts = 0, notifications = 0 }}
[snapshots]
path = "{2}/snapshots"
every = "2s"
[board]
listen = "{board}"
[health]
# A free one of each process.
listen = "127.0.0.1:0"
[dispatcher]
stale_after = "{4}"
[[dispatcher.receiver]]
name = "hook"
type = "webhook"
url = "{webhook}"
allow_private = true
retry_max = "2s"
[[dispatcher.receiver]]
name = "alertmanager"
type = "alertmanager"
url = "{3}"
repost_interval = "5s"
"#,
            broker.bootstrap(),
            clickhouse.url(),
            folder.path().display(),
            alertmanager.url(),
            contract.stale_after,
        );
        std::fs::write(folder.path().join("slawatch.toml"), config).unwrap();
        std::fs::write(folder.path().join("rules.toml"), contract.rules).unwrap();
        std::fs::write(folder.path().join("policies.toml"), contract.policies).unwrap();
        Self {
            folder,
            broker,
            clickhouse,
            alertmanager,
            received,
            _server: server,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of the program to its end.
    pub(crate) fn command(&self, arguments: &[&str]) {
        let output = Command::new(SLAWATCH)
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "slawatch {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// What a command of the program says, whatever its exit code.
    pub(crate) fn answer(&self, arguments: &[&str]) -> String {
        let output = Command::new(SLAWATCH)
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    /// Starts `slawatch run` with these roles. Its log goes to a file, shown when the test fails.
    pub(crate) fn run(&self, roles: &str) -> Process {
        let log = self.path(&format!("{}.log", roles.replace(',', "-")));
        let out = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut command = Command::new(SLAWATCH);
        command
            .args(["run", "--config", "slawatch.toml", "--roles", roles])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out);
        command.env("DEVSTACK_PARENT", std::process::id().to_string());
        Process {
            child: command.spawn().unwrap(),
            log,
        }
    }

    /// What the webhook was told, in the order in which it came.
    pub(crate) fn told(&self) -> Vec<Told> {
        let received = self.received.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        received
            .iter()
            .map(|message| Told {
                rule: text(&message["rule"]),
                ticket_id: text(&message["ticket_id"]),
                key: text(&message["key"]),
                incident: text(&message["incident"]),
                state: text(&message["state"]),
            })
            .collect()
    }

    /// The tickets of the alerts that hold in Alertmanager, sorted.
    pub(crate) fn held_by_alertmanager(&self) -> Result<Vec<String>, String> {
        let text = self
            .alertmanager
            .get("/api/v2/alerts?active=true")
            .map_err(|error| error.to_string())?;
        let alerts: Vec<Value> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let mut tickets: Vec<_> = alerts
            .iter()
            .filter_map(|alert| alert["labels"]["ticket_id"].as_str())
            .map(str::to_owned)
            .collect();
        tickets.sort_unstable();
        Ok(tickets)
    }
}

/// One request that the webhook received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) rule: String,
    pub(crate) ticket_id: String,
    pub(crate) key: String,
    pub(crate) incident: String,
    pub(crate) state: String,
}

/// A process of the program; killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// SIGKILL, as a crash or a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and wait for the end.
    pub(crate) fn stop(mut self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{ended}: {}", self.log_text());
    }

    /// What the process answers Prometheus, at the address that its log names.
    pub(crate) fn metrics(&self) -> Result<String, String> {
        let log = self.log_text();
        let address = log
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://")?.strip_suffix("/metrics,"))
            .ok_or("the log names no address yet")?;
        get(address, "/metrics").map_err(|error| error.to_string())
    }

    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let text = self.log_text();
            let from = text.len().saturating_sub(6000);
            let tail = text.get(from..).unwrap_or(&text);
            writeln!(std::io::stderr(), "--- {}\n{tail}", self.log.display()).ok();
        }
    }
}

/// Asks until the answer is there; what is still wrong is in the panic.
pub(crate) fn wait_until<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Result<T, String>,
) -> T {
    #[expect(
        clippy::disallowed_methods,
        reason = "bounds a wait for other processes"
    )]
    let started = Instant::now();
    loop {
        let wrong = match ask() {
            Ok(answer) => return answer,
            Err(wrong) => wrong,
        };
        assert!(started.elapsed() < patience, "{what}: {wrong}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn serve(runtime: &tokio::runtime::Runtime, received: Arc<Mutex<Vec<Value>>>) -> String {
    let take = move |axum::Json(message): axum::Json<Value>| {
        let received = Arc::clone(&received);
        async move { received.lock().unwrap().push(message) }
    };
    let app = axum::Router::new().route("/hook", axum::routing::post(take));
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/hook")
}
