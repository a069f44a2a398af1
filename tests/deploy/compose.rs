//! docker-compose.yml: that it holds together, and that the program runs under it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use slawatch_devstack::alertmanager::{Alertmanager, AlertmanagerOptions};
use slawatch_devstack::clickhouse::{ClickHouse, StartOptions};
use slawatch_devstack::kafka::{Broker, BrokerOptions};

use crate::compose_file::{Compose, Service};
use crate::{read, repository};

const IMAGE: &str = "slawatch:local";
const SLAWATCH: &str = env!("CARGO_BIN_EXE_slawatch");
/// Looks at a condition are a tenth of a second apart.
const LOOKS: u32 = 1_200;

#[test]
fn every_mounted_path_exists_and_every_volume_is_declared() {
    let compose = Compose::read();
    for (name, service) in &compose.services {
        for mount in &service.mounts {
            if mount.is_path() {
                let path = repository("deploy").join(&mount.from);
                assert!(
                    path.exists(),
                    "{name} mounts {}, which is not there",
                    path.display()
                );
                assert!(mount.read_only, "{name} may write to {}", mount.from);
            } else {
                assert!(
                    compose.volumes.contains(&mount.from),
                    "{name}: volume {} is not declared",
                    mount.from
                );
            }
        }
    }
}

#[test]
fn services_wait_for_services_that_exist_and_can_be_waited_for() {
    let compose = Compose::read();
    let dockerfile = read("deploy/Dockerfile");
    for (name, service) in &compose.services {
        for (other, condition) in &service.depends_on {
            let waited_for = compose
                .services
                .get(other)
                .unwrap_or_else(|| panic!("{name} waits for {other}"));
            if condition == "service_healthy" {
                let by_image = waited_for.image == IMAGE && dockerfile.contains("\nHEALTHCHECK ");
                let can_be_healthy =
                    waited_for.has_healthcheck || (by_image && !waited_for.healthcheck_disabled);
                assert!(
                    can_be_healthy,
                    "{name} waits for {other} to be healthy, which has no health check"
                );
            }
        }
    }
    let built = compose
        .services
        .values()
        .filter(|service| service.dockerfile.is_some());
    let built: Vec<_> = built.map(|service| service.image.as_str()).collect();
    assert_eq!(built, [IMAGE]);
}

#[test]
fn nothing_is_published_beyond_this_machine_and_the_program_can_change_nothing() {
    let compose = Compose::read();
    for (name, service) in &compose.services {
        for port in &service.ports {
            assert!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
        }
        if service.image == IMAGE {
            assert!(service.read_only, "{name} may write to its image");
            assert_eq!(service.user, "10001:10001", "{name}");
        }
    }
    assert!(read("deploy/Dockerfile").contains("\nUSER 10001:10001\n"));
}

#[test]
fn every_host_that_is_named_is_a_service() {
    let compose = Compose::read();
    let config: toml::Table = read("deploy/slawatch.toml").parse().unwrap();
    let brokers = config["kafka"]["brokers"].as_str().unwrap().to_owned();
    let url = |table: &toml::Value| table["url"].as_str().unwrap().to_owned();
    let mut named = vec![brokers, url(&config["clickhouse"])];
    named.extend(
        config["dispatcher"]["receiver"]
            .as_array()
            .unwrap()
            .iter()
            .map(url),
    );
    let grafana = &compose.services["grafana"].environment;
    named.push(grafana["PROMETHEUS_URL"].clone());
    named.push(format!("{}:8123", grafana["CLICKHOUSE_HOST"]));
    named.push(after(&compose.services["generator"].command[0], "--kafka "));
    for line in read("deploy/prometheus/prometheus.yml").lines() {
        if let Some(targets) = line.trim().strip_prefix("- targets: [\"") {
            named.push(targets.trim_end_matches("\"]").to_owned());
        }
    }
    assert_eq!(named.len(), 8);
    for address in named {
        let host = address
            .trim_start_matches("http://")
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        assert!(
            compose.services.contains_key(&host),
            "{address}: there is no service {host}"
        );
    }
}

#[test]
fn every_variable_is_explained_and_the_data_source_gets_all_of_its() {
    let compose = Compose::read();
    let example = read("deploy/.env.example");
    for variable in &compose.variables {
        assert!(
            example.contains(&format!("\n{variable}=")),
            "{variable} is not in .env.example"
        );
    }
    let provisioned = read("grafana/provisioning/datasources/slawatch.yaml");
    let environment = &compose.services["grafana"].environment;
    for word in provisioned.split('$').skip(1) {
        let end = word
            .find(|c: char| !c.is_ascii_uppercase() && c != '_')
            .unwrap_or(word.len());
        assert!(
            environment.contains_key(&word[..end]),
            "Grafana is not given {}",
            &word[..end]
        );
    }
    let uid = "slawatch-clickhouse";
    assert!(provisioned.contains(&format!("uid: {uid}\n")));
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("grafana/dashboards/operations-now.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert_eq!(panel["datasource"]["uid"], uid, "{}", panel["title"]);
    }
}

#[test]
fn the_image_is_built_from_what_it_is_given() {
    let dockerfile = read("deploy/Dockerfile");
    let given = read("deploy/Dockerfile.dockerignore");
    let given: Vec<&str> = given
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    for path in &given {
        assert!(repository(path).exists(), "{path} is not there");
    }
    for line in dockerfile
        .lines()
        .filter(|line| line.starts_with("COPY --chmod"))
    {
        let path = line.split(' ').nth(2).unwrap();
        assert!(given.contains(&path), "{path} is not given to the build");
    }
    // Whatever the program includes at compile time lies in these folders.
    for needed in [
        "crates",
        "proto",
        "examples",
        "Cargo.lock",
        "Cargo.toml",
        ".cargo",
    ] {
        assert!(given.contains(&needed), "{needed}");
    }
}

#[test]
fn the_program_runs_under_the_compose_file_and_writes_what_is_generated() {
    let mut world = World::start();
    let compose = Compose::read();
    let topics = &compose.services["topics"].command;
    let create = topics.join(" ");
    let partitions = after(&create, "--partitions ").parse().unwrap();
    let setting = after(&create, "--config ");
    let (key, value) = setting.split_once('=').unwrap();
    world
        .broker
        .create_topic(&after(&create, "--topic "), partitions, &[(key, value)])
        .unwrap();

    let run = &compose.services["slawatch"];
    let checked = world.output(
        run,
        &[
            "check".to_owned(),
            "--config".to_owned(),
            run.command[2].clone(),
        ],
    );
    assert!(checked.status.success(), "{checked:?}");
    let migrate = &compose.services["migrate"];
    let migrated = world.output(migrate, &migrate.command);
    assert!(migrated.status.success(), "{migrated:?}");

    // A topic whose clock anybody could move is refused, with the way to bound it.
    let forever = ("message.timestamp.after.max.ms", "9223372036854775807");
    world
        .broker
        .create_topic("unbounded", 1, &[forever])
        .unwrap();
    let mut elsewhere = Compose::read().services.remove("slawatch").unwrap();
    let topic = "SLAWATCH_TOPICS__TICKET_EVENTS".to_owned();
    elsewhere.environment.insert(topic, "unbounded".to_owned());
    let refused = world.output(&elsewhere, &elsewhere.command);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains(
            "--entity-name unbounded --add-config message.timestamp.after.max.ms=3600000"
        ),
        "{told}"
    );

    world.begin("slawatch", run);
    world.until("ready", |world| match ask_ready(world.health_port) {
        true => Ok(()),
        false => Err(get(world.health_port, "/readyz")),
    });
    let mut generator = Compose::read().services.remove("generator").unwrap();
    // A hundred times the traffic, or the test would wait for it.
    generator
        .environment
        .insert("TICKETS_PER_DAY".to_owned(), "4000000".to_owned());
    world.begin("generator", &generator);
    world.until("rows in ClickHouse", |world| {
        let sql = "SELECT (SELECT count() FROM slawatch.ticket_events) > 100 AND (SELECT count() FROM slawatch.measures) > 0";
        match world.clickhouse.execute(sql) {
            Ok(answer) if answer.trim() == "1" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    world.until("a live wallboard", |world| {
        let board = get(world.port, "/api/v1/board");
        let is_live = board.contains("\"freshness\":\"live\"") && board.contains("\"vendor\":");
        is_live.then_some(()).ok_or(board)
    });
    // Prometheus' target; the wallboard's address has the same.
    for port in [world.health_port, world.port] {
        let metrics = get(port, "/metrics");
        for series in [
            "slawatch_events_total{",
            "slawatch_thread_silent_seconds{role=\"loader\"",
        ] {
            assert!(metrics.contains(&format!("\n{series}")), "{metrics}");
        }
        assert!(get(port, "/livez").ends_with("\r\nalive\n"));
    }
}

/// Whether the image's own health check is content.
fn ask_ready(port: u16) -> bool {
    let asked = Command::new(repository("deploy/ask-ready"))
        .arg(port.to_string())
        .stderr(Stdio::null())
        .status();
    asked.unwrap().success()
}

fn get(port: u16, path: &str) -> String {
    let ask = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        write!(socket, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().unwrap_or_else(|error| error.to_string())
}

/// The word after `marker`.
fn after(text: &str, marker: &str) -> String {
    let (_, rest) = text
        .split_once(marker)
        .unwrap_or_else(|| panic!("no {marker:?} in {text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// The containers' world on this machine: their mounts in a folder, their hosts at local ports.
struct World {
    broker: Broker,
    clickhouse: ClickHouse,
    alertmanager: Alertmanager,
    folder: tempfile::TempDir,
    port: u16,
    health_port: u16,
    processes: Vec<(String, Child)>,
}

impl World {
    fn start() -> Self {
        // Held together, so that they are two.
        let free = [0, 1].map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let [port, health_port] = free.map(|free| free.local_addr().unwrap().port());
        let world = Self {
            broker: Broker::start(BrokerOptions::default()).unwrap(),
            clickhouse: ClickHouse::start(StartOptions::default()).unwrap(),
            alertmanager: Alertmanager::start(AlertmanagerOptions {
                configuration: Some(read("deploy/alertmanager/alertmanager.yml")),
                ..AlertmanagerOptions::default()
            })
            .unwrap(),
            folder: tempfile::tempdir().unwrap(),
            port,
            health_port,
            processes: Vec::new(),
        };
        for mount in &Compose::read().services["slawatch"].mounts {
            let to = world.inside(&mount.to);
            if mount.is_path() {
                world.copy(&repository("deploy").join(&mount.from), &to);
            } else {
                std::fs::create_dir_all(&to).unwrap();
            }
        }
        world
    }

    /// Where a container's path lies here.
    fn inside(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    fn copy(&self, from: &Path, to: &Path) {
        if from.is_dir() {
            std::fs::create_dir_all(to).unwrap();
            for entry in std::fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                self.copy(&entry.path(), &to.join(entry.file_name()));
            }
        } else {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            let text = std::fs::read_to_string(from).unwrap();
            std::fs::write(to, self.here(&text)).unwrap();
        }
    }

    /// A text of the containers' world with this machine's addresses and folders.
    fn here(&self, text: &str) -> String {
        let folder = self.folder.path().display();
        text.replace("kafka:9092", &self.broker.bootstrap())
            .replace("http://clickhouse:8123", &self.clickhouse.url())
            .replace("http://alertmanager:9093", &self.alertmanager.url())
            .replace("0.0.0.0:8080", &format!("127.0.0.1:{}", self.port))
            .replace("0.0.0.0:9464", &format!("127.0.0.1:{}", self.health_port))
            .replace("/var/lib/slawatch", &format!("{folder}/var/lib/slawatch"))
            .replace("/etc/slawatch", &format!("{folder}/etc/slawatch"))
    }

    /// The service's process with its environment and nothing else, `arguments` in place of its command.
    fn command(&self, service: &Service, arguments: &[String]) -> Command {
        let program = service.entrypoint.first().map_or(SLAWATCH, String::as_str);
        let binaries = Path::new(SLAWATCH).parent().unwrap();
        let mut command = Command::new(program);
        command
            .args(service.entrypoint.iter().skip(1))
            .args(arguments.iter().map(|argument| self.here(argument)))
            .env_clear()
            .envs(&service.environment)
            .env("PATH", format!("{}:/usr/bin:/bin", binaries.display()))
            // Ends with this test, however that ends.
            .env("DEVSTACK_PARENT", std::process::id().to_string())
            .current_dir(self.inside("/var/lib/slawatch"))
            .stdin(Stdio::null());
        command
    }

    fn output(&self, service: &Service, arguments: &[String]) -> Output {
        self.command(service, arguments).output().unwrap()
    }

    fn begin(&mut self, name: &str, service: &Service) {
        let log = std::fs::File::create(self.log(name)).unwrap();
        let mut command = self.command(service, &service.command);
        let child = command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.processes.push((name.to_owned(), child));
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> Result<(), String>) {
        let mut wrong = String::new();
        for _ in 0..LOOKS {
            match is_so(self) {
                Ok(()) => return,
                Err(why) => wrong = why,
            }
            let ended = self.processes.iter_mut().find_map(|(name, child)| {
                let status = child.try_wait().unwrap()?;
                Some(format!("{name} has ended: {status}"))
            });
            if let Some(ended) = ended {
                wrong = ended;
                break;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let logs = self.processes.iter().map(|(name, _)| {
            let text = std::fs::read_to_string(self.log(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!(
                "--- {name}\n{}",
                lines[lines.len().saturating_sub(25)..].join("\n")
            )
        });
        let logs: Vec<String> = logs.collect();
        panic!("not {what}: {wrong}\n{}", logs.join("\n"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for (_, child) in &mut self.processes {
            // It may have ended already.
            child.kill().ok();
            child.wait().ok();
        }
    }
}
