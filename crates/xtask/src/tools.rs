//! Programs that are not Rust's: is it there, and if not, how does one get it?

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::bail;

/// A program and where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    program: &'static str,
    what_for: &'static str,
    debian: &'static str,
    otherwise: &'static str,
    /// The command that says which version is there, and the least that will do.
    version: Option<(&'static [&'static str], u32)>,
    /// Small enough, and of no other use, that it is installed without asking where that is possible.
    by_itself: bool,
}

pub(crate) const NPM: Tool = Tool {
    program: "npm",
    what_for: "fetches the embedded ClickHouse",
    debian: "npm",
    otherwise: "Node.js 20 or later, from nodejs.org",
    version: Some((&["node", "--version"], 20)),
    by_itself: false,
};
pub(crate) const JAVA: Tool = Tool {
    program: "java",
    what_for: "runs the Kafka broker",
    debian: "openjdk-17-jre-headless",
    otherwise: "a JDK 17 or later, for instance Temurin from adoptium.net",
    version: Some((&["java", "-version"], 17)),
    by_itself: false,
};
pub(crate) const MAVEN: Tool = Tool {
    program: "mvn",
    what_for: "fetches the Kafka broker",
    debian: "maven",
    otherwise: "Maven 3.8 or later, from maven.apache.org",
    version: None,
    by_itself: false,
};
pub(crate) const C_COMPILER: Tool = Tool {
    program: "cc",
    what_for: "builds the Kafka client",
    debian: "build-essential",
    otherwise: "a C compiler",
    version: None,
    by_itself: true,
};
pub(crate) const MAKE: Tool = Tool {
    program: "make",
    what_for: "builds the Kafka client",
    debian: "make",
    otherwise: "GNU make",
    version: None,
    by_itself: true,
};
pub(crate) const PERL: Tool = Tool {
    program: "perl",
    what_for: "builds OpenSSL for the Kafka client",
    debian: "perl",
    otherwise: "Perl 5",
    version: None,
    by_itself: true,
};
pub(crate) const ALERTMANAGER: Tool = Tool {
    program: "prometheus-alertmanager",
    what_for: "receives alerts in tests",
    debian: "prometheus-alertmanager",
    otherwise: "Alertmanager, from prometheus.io, as prometheus-alertmanager on the PATH",
    version: None,
    by_itself: true,
};
pub(crate) const AIOSMTPD: Tool = Tool {
    program: "aiosmtpd",
    what_for: "receives e-mails in tests",
    debian: "python3-aiosmtpd",
    otherwise: "aiosmtpd, from pypi.org",
    version: None,
    by_itself: true,
};
pub(crate) const CHROMIUM: Tool = Tool {
    program: "chromium",
    what_for: "opens the wallboard in tests",
    debian: "chromium",
    otherwise: "Chromium, as chromium on the PATH",
    version: None,
    by_itself: true,
};
pub(crate) const PROMTOOL: Tool = Tool {
    program: "promtool",
    what_for: "checks the Prometheus rules in tests",
    debian: "prometheus",
    otherwise: "Prometheus, from prometheus.io, with promtool on the PATH",
    version: None,
    by_itself: true,
};

/// Makes sure that tools are there.
///
/// # Errors
/// Names every one that is missing, and how to get it.
pub(crate) fn require(tools: &[Tool]) -> anyhow::Result<()> {
    let missing = |tool: &&Tool| !is_on_path(tool.program);
    let packages: Vec<&str> = tools
        .iter()
        .filter(missing)
        .filter(|tool| tool.by_itself)
        .map(|tool| tool.debian)
        .collect();
    if !packages.is_empty() && can_install() {
        install(&packages);
    }
    let (missing, there): (Vec<&Tool>, Vec<&Tool>) = tools.iter().partition(missing);
    let missing = missing.into_iter().map(Tool::advice);
    let old = there.into_iter().filter_map(Tool::is_old);
    let missing: Vec<String> = missing.chain(old).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "missing or too old on this machine:\n{}",
        missing.join("\n")
    )
}

impl Tool {
    /// What to say of a version that will not do. One that cannot be told is taken as it is.
    fn is_old(&self) -> Option<String> {
        let (command, least) = self.version?;
        let (program, arguments) = command.split_first()?;
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let found = major(&String::from_utf8_lossy(&text))?;
        (found < least).then(|| {
            let advice = self.advice();
            format!("{advice}; {program} here is version {found}, and {least} is needed")
        })
    }

    fn advice(&self) -> String {
        format!(
            "  {} ({}): apt-get install {}, or {}",
            self.program, self.what_for, self.debian, self.otherwise
        )
    }
}

/// The first number of `v20.1.0` or `openjdk version "17.0.2"`, which options picked up may stand before.
fn major(text: &str) -> Option<u32> {
    let text = text.split_once("version \"").map_or(text, |(_, rest)| rest);
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits
        .into_iter()
        .find(|word| !word.is_empty())?
        .parse()
        .ok()
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Root on a Debian or one of its children.
fn can_install() -> bool {
    is_on_path("apt-get") && Path::new("/root").is_dir() && std::fs::read_dir("/root").is_ok()
}

fn install(packages: &[&str]) {
    eprintln!("installing {} with apt-get", packages.join(", "));
    for arguments in [
        vec!["update", "-qq"],
        [
            vec!["install", "-y", "-qq", "--no-install-recommends"],
            packages.to_vec(),
        ]
        .concat(),
    ] {
        // Run level 1: what is installed for its program starts no service. A failure shows in what is still missing.
        let status = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            eprintln!("apt-get did not succeed");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_too_old_is_named() {
        for (text, expected) in [
            ("v20.20.2\n", Some(20)),
            (
                "Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"17.0.15\" 2025-04-15",
                Some(17),
            ),
            ("java version \"1.8.0_391\"", Some(1)),
            ("no version", None),
        ] {
            assert_eq!(major(text), expected, "{text}");
        }
        let tool = Tool {
            version: Some((&["echo", "v3.2"], 4)),
            program: "echo",
            ..NPM
        };
        let error = require(&[tool]).unwrap_err().to_string();
        assert!(
            error.ends_with("; echo here is version 3, and 4 is needed"),
            "{error}"
        );
        let tool = Tool {
            version: Some((&["echo", "v4"], 4)),
            ..tool
        };
        require(&[tool]).unwrap();
    }

    #[test]
    fn a_missing_tool_is_named_with_the_way_to_get_it() {
        let tool = Tool {
            program: "no-such-program",
            what_for: "does nothing",
            debian: "no-such-package",
            otherwise: "from nowhere",
            version: None,
            by_itself: false,
        };
        let error = require(&[tool]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "missing or too old on this machine:\n  no-such-program (does nothing): apt-get install no-such-package, or from nowhere"
        );
    }
}
