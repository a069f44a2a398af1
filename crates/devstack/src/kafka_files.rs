//! The files a Kafka broker is run from: its jars, fetched once with Maven, and the configuration of a single node.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::error::{Error, Result};
use crate::kafka::Detour;

const KAFKA_VERSION: &str = "4.1.0";
/// Without a binding the broker would log nowhere, and say nothing when it fails.
const LOG4J_VERSION: &str = "2.24.3";
const DEPENDENCY_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
const MIN_JAVA: u32 = 17;

pub(crate) const INSTALL_JAVA: &str = "install a JDK 17 or newer (Debian: `apt install openjdk-17-jdk-headless`; macOS: `brew install openjdk@17`; or https://adoptium.net)";
const INSTALL_MAVEN: &str = "install Maven (Debian: `apt install maven`; macOS: `brew install maven`; or https://maven.apache.org)";

/// The folder with the broker's jars; fetched with Maven the first time (about 45 MB), with a word of it on standard error.
///
/// # Errors
/// Java or Maven is missing, too old or fails, or the cache folder cannot be written.
pub fn ensure_jars() -> Result<PathBuf> {
    require_java()?;
    let folder = cache::entry(
        &cache::folder()?,
        &format!("kafka-{KAFKA_VERSION}"),
        |scratch| {
            eprintln!("Fetching Apache Kafka {KAFKA_VERSION} (with Maven, about 45 MB) ...");
            fetch(scratch)?;
            eprintln!("Apache Kafka is in the cache.");
            Ok(())
        },
    )?;
    Ok(folder.join("libs"))
}

fn require_java() -> Result<()> {
    let output = cache::run(
        Command::new("java").arg("-version"),
        "java",
        "run a Kafka broker",
        INSTALL_JAVA,
    )?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match java_major(&said) {
        Some(major) if major < MIN_JAVA => Err(Error::OldJava {
            found: major,
            needed: MIN_JAVA,
            install: INSTALL_JAVA,
        }),
        // A vendor's text that says no version: the broker's own log will tell.
        Some(_) | None => Ok(()),
    }
}

/// 17 in `openjdk version "17.0.15" 2025-04-15`, 8 in `java version "1.8.0_402"`.
fn java_major(said: &str) -> Option<u32> {
    let version = said.split('"').nth(1)?;
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        major => Some(major),
    }
}

/// Maven resolves the broker and what it needs, and refuses a file whose checksum differs from the repository's.
fn fetch(scratch: &Path) -> Result<()> {
    let pom = scratch.join("pom.xml");
    let text = format!(
        r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>slawatch</groupId>
  <artifactId>kafka-cache</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{LOG4J_VERSION}</version></dependency>
  </dependencies>
</project>
"#
    );
    std::fs::write(&pom, text).map_err(Error::file(&pom, "the file cannot be written"))?;
    cache::run(
        Command::new("mvn").current_dir(scratch).args([
            "--quiet",
            "--batch-mode",
            "--strict-checksums",
            &format!("{DEPENDENCY_PLUGIN}:copy-dependencies"),
            "-DoutputDirectory=libs",
            "-DincludeScope=runtime",
        ]),
        "mvn",
        "fetch the Kafka broker",
        INSTALL_MAVEN,
    )?;
    Ok(())
}

/// The configuration of a node that is broker and controller in one.
pub(crate) fn server_properties(
    logs: &Path,
    client_port: u16,
    controller_port: u16,
    detour: Option<Detour>,
) -> String {
    let one_replica = [
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
    ];
    let (mut listeners, mut advertised) = (
        format!("PLAINTEXT://127.0.0.1:{client_port},CONTROLLER://127.0.0.1:{controller_port}"),
        format!("PLAINTEXT://127.0.0.1:{client_port}"),
    );
    if let Some(Detour {
        listens,
        advertises,
    }) = detour
    {
        listeners.push_str(&format!(",DETOUR://127.0.0.1:{listens}"));
        advertised.push_str(&format!(",DETOUR://127.0.0.1:{advertises}"));
    }
    let mut lines = vec![
        "process.roles=broker,controller".to_owned(),
        "node.id=1".to_owned(),
        format!("controller.quorum.voters=1@127.0.0.1:{controller_port}"),
        format!("listeners={listeners}"),
        format!("advertised.listeners={advertised}"),
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR:PLAINTEXT"
            .to_owned(),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("log.dirs={}", logs.display()),
        "group.initial.rebalance.delay.ms=0".to_owned(),
        // Tests wait for members to be expelled.
        "group.min.session.timeout.ms=500".to_owned(),
        "offsets.topic.num.partitions=4".to_owned(),
        "transaction.state.log.num.partitions=4".to_owned(),
        // A topic that nobody made is a mistake to be seen.
        "auto.create.topics.enable=false".to_owned(),
        // Generated events may be of any year.
        "log.retention.ms=-1".to_owned(),
        "log.cleaner.dedupe.buffer.size=16777216".to_owned(),
        "num.network.threads=2".to_owned(),
        "num.io.threads=4".to_owned(),
        // A killed node comes back only once its old session has run out.
        "broker.session.timeout.ms=3000".to_owned(),
        "broker.heartbeat.interval.ms=500".to_owned(),
    ];
    lines.extend(one_replica.iter().map(|name| format!("{name}=1")));
    lines.join("\n") + "\n"
}

/// Warnings and worse, on standard error.
pub(crate) const LOG4J_PROPERTIES: &str = "\
status = error
appender.stderr.type = Console
appender.stderr.name = STDERR
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %m (%c)%n%throwable
rootLogger.level = WARN
rootLogger.appenderRef.stderr.ref = STDERR
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_says_its_version_in_two_ways() {
        let cases = [
            (
                "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK ...",
                Some(17),
            ),
            ("java version \"1.8.0_402\"", Some(8)),
            ("openjdk version \"21\" 2023-09-19", Some(21)),
            ("openjdk version \"25-ea\"", Some(25)),
            ("no idea", None),
        ];
        for (said, major) in cases {
            assert_eq!(java_major(said), major, "{said}");
        }
    }
}
