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
    /// Small enough, and of no other use, that it is installed without asking where that is possible.
    by_itself: bool,
}

pub(crate) const NPM: Tool = Tool {
    program: "npm",
    what_for: "fetches the embedded ClickHouse",
    debian: "npm",
    otherwise: "Node.js 20 or later, from nodejs.org",
    by_itself: false,
};
pub(crate) const JAVA: Tool = Tool {
    program: "java",
    what_for: "runs the Kafka broker",
    debian: "openjdk-17-jre-headless",
    otherwise: "a JDK 17 or later, for instance Temurin from adoptium.net",
    by_itself: false,
};
pub(crate) const MAVEN: Tool = Tool {
    program: "mvn",
    what_for: "fetches the Kafka broker",
    debian: "maven",
    otherwise: "Maven 3.8 or later, from maven.apache.org",
    by_itself: false,
};
pub(crate) const C_COMPILER: Tool = Tool {
    program: "cc",
    what_for: "builds the Kafka client",
    debian: "build-essential",
    otherwise: "a C compiler and make",
    by_itself: true,
};
pub(crate) const ALERTMANAGER: Tool = Tool {
    program: "prometheus-alertmanager",
    what_for: "receives alerts in tests",
    debian: "prometheus-alertmanager",
    otherwise: "Alertmanager, from prometheus.io, as prometheus-alertmanager on the PATH",
    by_itself: true,
};
pub(crate) const CHROMIUM: Tool = Tool {
    program: "chromium",
    what_for: "opens the wallboard in tests",
    debian: "chromium",
    otherwise: "Chromium, as chromium on the PATH",
    by_itself: true,
};
pub(crate) const PROMTOOL: Tool = Tool {
    program: "promtool",
    what_for: "checks the Prometheus rules in tests",
    debian: "prometheus",
    otherwise: "Prometheus, from prometheus.io, with promtool on the PATH",
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
    let missing: Vec<String> = tools.iter().filter(missing).map(Tool::advice).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("missing on this machine:\n{}", missing.join("\n"))
}

impl Tool {
    fn advice(&self) -> String {
        format!(
            "  {} ({}): apt-get install {}, or {}",
            self.program, self.what_for, self.debian, self.otherwise
        )
    }
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
    fn a_missing_tool_is_named_with_the_way_to_get_it() {
        let tool = Tool {
            program: "no-such-program",
            what_for: "does nothing",
            debian: "no-such-package",
            otherwise: "from nowhere",
            by_itself: false,
        };
        let error = require(&[tool]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "missing on this machine:\n  no-such-program (does nothing): apt-get install no-such-package, or from nowhere"
        );
    }
}
