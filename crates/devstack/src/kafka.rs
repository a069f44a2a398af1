//! A real Apache Kafka broker on local ports, a process of its own: start it, make topics, break it, start it again on the
//! same ports and data.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;

use crate::binary;
use crate::cache;
use crate::error::{Error, Result};
use crate::kafka_files::{INSTALL_JAVA, LOG4J_PROPERTIES, server_properties};
use crate::process::{Output, Process, temporary_or, test_folder};

pub use crate::kafka_files::ensure_jars;

/// 16 bytes in URL-safe base64; nothing outside this node ever compares it.
const CLUSTER_ID: &str = "c2xhd2F0Y2gtZGV2c3Rjaw";
const DEFAULT_HEAP_MB: u32 = 512;
/// One question to a broker that may not listen yet.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);
/// Java may need long on a busy machine, and a killed node waits for its old session.
const READY_PROBES: u32 = 240;
const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Two processes may choose the same free port.
const PORT_ATTEMPTS: u32 = 3;

/// What the broker's Java is tuned for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tuning {
    /// Half the processor time until it is ready: for tests and the demo.
    #[default]
    QuickStart,
    /// Java's own defaults, which compile more and run faster: for benchmarks.
    Throughput,
}

impl Tuning {
    const fn java_options(self) -> &'static [&'static str] {
        match self {
            Self::QuickStart => &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],
            Self::Throughput => &[],
        }
    }
}

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct BrokerOptions {
    /// The folder of topics and log; none: a temporary one, removed with the [`Broker`].
    pub data: Option<PathBuf>,
    /// The port for clients on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The broker's heap in MB; 0: 512.
    pub heap_mb: u32,
    /// What Java is tuned for.
    pub tuning: Tuning,
    /// The program `slawatch-devstack`; none: the one beside this program.
    pub binary: Option<PathBuf>,
    /// Listen on a second port too, whose clients are sent to [`Broker::detour`].
    pub has_detour: bool,
}

/// A way to the broker on which a test can stand in between: whoever asks at `listens` is told that the broker is at
/// `advertises`, where nobody listens unless the test does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detour {
    /// The port of the broker itself.
    pub listens: u16,
    /// The port that clients are sent to.
    pub advertises: u16,
}

/// A running broker; dropping it kills it.
#[derive(Debug)]
pub struct Broker {
    process: Process,
    binary: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    port: u16,
    detour: Option<Detour>,
    _temporary: Option<tempfile::TempDir>,
}

impl Broker {
    /// Starts a broker and waits until it answers. Blocks for a few seconds.
    ///
    /// # Errors
    /// Java, Maven or the program is missing, or the broker ends or does not answer.
    pub fn start(options: BrokerOptions) -> Result<Self> {
        let jars = ensure_jars()?;
        let binary = options.binary.map_or_else(binary::find, Ok)?;
        let (folder, temporary) = temporary_or(options.data)?;
        let heap_mb = match options.heap_mb {
            0 => DEFAULT_HEAP_MB,
            set => set,
        };
        let heap = format!("-Xmx{heap_mb}m");
        let mut java_options = vec![heap.as_str(), "-XX:+ExitOnOutOfMemoryError"];
        java_options.extend(options.tuning.java_options());
        let mut attempt = 1;
        loop {
            let port = match options.port {
                0 => free_port()?,
                set => set,
            };
            let detour = match options.has_detour {
                true => Some(Detour {
                    listens: free_port()?,
                    advertises: free_port()?,
                }),
                false => None,
            };
            let started = Self::attempt(&jars, &binary, &folder, &java_options, port, detour);
            match started {
                Ok((process, arguments)) => {
                    return Ok(Self {
                        process,
                        binary,
                        arguments,
                        log: log_path(&folder),
                        port,
                        detour,
                        _temporary: temporary,
                    });
                }
                Err(error)
                    if options.port == 0 && attempt < PORT_ATTEMPTS && is_port_taken(&error) =>
                {
                    attempt += 1
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn attempt(
        jars: &Path,
        binary: &Path,
        folder: &Path,
        java_options: &[&str],
        port: u16,
        detour: Option<Detour>,
    ) -> Result<(Process, Vec<String>)> {
        let topics = folder.join("topics");
        let configuration = folder.join("server.properties");
        let logging = folder.join("log4j2.properties");
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text).map_err(Error::file(path, "the file cannot be written"))
        };
        write(
            &configuration,
            &server_properties(&topics, port, free_port()?, detour),
        )?;
        write(&logging, LOG4J_PROPERTIES)?;
        let java = |options: &[&str], main: &[&str]| -> Vec<String> {
            let logging = format!("-Dlog4j2.configurationFile=file:{}", logging.display());
            let classpath = format!("{}/*", jars.display());
            let fixed = [logging.as_str(), "-cp", &classpath];
            options
                .iter()
                .chain(&fixed)
                .chain(main)
                .map(|part| (*part).to_owned())
                .collect()
        };
        let configuration = configuration.to_string_lossy();
        if !topics.join("meta.properties").exists() {
            let format = [
                "kafka.tools.StorageTool",
                "format",
                "-t",
                CLUSTER_ID,
                "-c",
                &configuration,
            ];
            cache::run(
                Command::new("java").args(java(Tuning::QuickStart.java_options(), &format)),
                "java",
                "prepare the folder of a Kafka broker",
                INSTALL_JAVA,
            )?;
        }
        let mut arguments = vec!["exec".to_owned(), "--".to_owned(), "java".to_owned()];
        arguments.extend(java(java_options, &["kafka.Kafka", &configuration]));
        let process = launch(binary, &arguments, &log_path(folder), port)?;
        Ok((process, arguments))
    }

    /// The one broker of this test program, started at its first use. Use topics of your own: [`Self::unique_topic`].
    ///
    /// # Panics
    /// If it cannot be started: nothing can be tested then.
    pub fn shared_for_tests() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| {
            let started = test_folder().and_then(|folder| {
                Self::start(BrokerOptions {
                    data: Some(folder.join("kafka")),
                    has_detour: true,
                    ..BrokerOptions::default()
                })
            });
            match started {
                Ok(broker) => broker,
                Err(error) => panic!("{error}"),
            }
        })
    }

    /// `127.0.0.1:PORT`, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The second way to it, if it was started with one.
    pub fn detour(&self) -> Option<Detour> {
        self.detour
    }

    /// The process's number.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends the broker at once, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops the broker from doing anything while its connections stay open (SIGSTOP).
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Wakes a paused broker.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Kills the broker if it runs, starts it on the same ports and data and waits until it answers.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = launch(&self.binary, &self.arguments, &self.log, self.port)?;
        Ok(())
    }

    /// Makes a topic. Blocks until it is there.
    ///
    /// # Errors
    /// The broker cannot be reached or refuses, an existing topic included.
    pub fn create_topic(&self, name: &str, partitions: u32, config: &[(&str, &str)]) -> Result<()> {
        create_topic(&self.bootstrap(), name, partitions, config)
    }

    /// Makes a topic that nobody else uses, named after `prefix`, and gives its name.
    ///
    /// # Errors
    /// As [`Self::create_topic`].
    pub fn unique_topic(
        &self,
        prefix: &str,
        partitions: u32,
        config: &[(&str, &str)],
    ) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!(
            "{prefix}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        self.create_topic(&name, partitions, config)?;
        Ok(name)
    }
}

/// Makes a topic with one replica on any cluster. Blocks until every partition has a leader.
///
/// # Errors
/// The cluster cannot be reached or refuses, an existing topic included.
pub fn create_topic(
    bootstrap: &str,
    name: &str,
    partitions: u32,
    config: &[(&str, &str)],
) -> Result<()> {
    let failed = |reason: String| Error::Kafka {
        bootstrap: bootstrap.to_owned(),
        reason: format!("topic {name} cannot be made: {reason}"),
    };
    let count = i32::try_from(partitions).map_err(|error| failed(error.to_string()))?;
    let mut topic = NewTopic::new(name, count, TopicReplication::Fixed(1));
    topic.config = config.to_vec();
    let admin: AdminClient<DefaultClientContext> = client(bootstrap)
        .create()
        .map_err(|error| failed(error.to_string()))?;
    let options = AdminOptions::new()
        .request_timeout(Some(ADMIN_TIMEOUT))
        .operation_timeout(Some(ADMIN_TIMEOUT));
    // On a thread of its own, so that callers may be asynchronous themselves.
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            runtime
                .map_err(|error| error.to_string())
                .and_then(|runtime| {
                    runtime
                        .block_on(admin.create_topics([&topic], &options))
                        .map_err(|error| error.to_string())
                })
        });
        asking
            .join()
            .unwrap_or_else(|_| Err("the thread that asked panicked".to_owned()))
    });
    match answer.map_err(failed)?.into_iter().next() {
        Some(Ok(_)) => Ok(()),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {
            Err(failed("it exists already".to_owned()))
        }
        Some(Err((_, code))) => Err(failed(code.to_string())),
        None => Err(failed("the broker did not answer for it".to_owned())),
    }
}

fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("reconnect.backoff.max.ms", "250");
    config
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("kafka.log")
}

fn is_port_taken(error: &Error) -> bool {
    error.to_string().contains("Address already in use")
}

fn launch(binary: &Path, arguments: &[String], log: &Path, port: u16) -> Result<Process> {
    let mut process = Process::start("the Kafka broker", binary, arguments, log, Output::InLog)?;
    let probe: BaseConsumer = client(&format!("127.0.0.1:{port}"))
        .create()
        .map_err(|error| Error::Kafka {
            bootstrap: format!("127.0.0.1:{port}"),
            reason: error.to_string(),
        })?;
    for _ in 0..READY_PROBES {
        if let Some(status) = process.ended() {
            return Err(process.not_ready(format!("it ended ({status})")));
        }
        // Each question waits for its answer or the timeout, which paces the loop.
        match probe.fetch_metadata(None, PROBE_TIMEOUT) {
            Ok(metadata) if !metadata.brokers().is_empty() => return Ok(process),
            Ok(_) | Err(_) => {}
        }
    }
    Err(process.not_ready("it did not answer in time".to_owned()))
}

/// A port below the range that outgoing connections take, so that it is still free when Java listens seconds later.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 17_000;
    const COUNT: u32 = 15_000;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(7919).wrapping_add(step) % COUNT;
        let port = u16::try_from(FIRST + offset).unwrap_or(0);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::Kafka {
        bootstrap: "127.0.0.1".to_owned(),
        reason: format!("no port from {FIRST} to {} is free", FIRST + COUNT),
    })
}
