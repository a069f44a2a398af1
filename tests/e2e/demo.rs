//! The demo as a stranger runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const SLAWATCH: &str = env!("CARGO_BIN_EXE_slawatch");

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(SLAWATCH);
    command
        .args(["demo", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .env("DEVSTACK_PARENT", std::process::id().to_string())
        .stdin(Stdio::null());
    command
}

#[test]
fn a_day_played_once_is_right_and_says_so() {
    let output = demo(&["--once", "--days", "1", "--tickets-per-day", "6000"])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("all of it right"), "{out}");
}

/// The processes that have this one as their parent.
fn children(of: &Child) -> Vec<u32> {
    let output = Command::new("pgrep")
        .args(["-P", &of.id().to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|id| id.parse().unwrap()).collect()
}

#[test]
fn interrupted_it_leaves_nothing_behind_and_does_not_call_itself_right() {
    let mut demo = demo(&["--once"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    let mut told: Vec<String> = Vec::new();
    while !told.iter().any(|line| line.starts_with("ClickHouse  ")) {
        let line = lines.next();
        told.push(line.unwrap_or_else(|| panic!("{told:?}")).unwrap());
    }
    let started = children(&demo);
    assert!(!started.is_empty(), "ClickHouse is a process of its own");
    let interrupted = Command::new("kill")
        .args(["-INT", &demo.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    told.extend(lines.map(Result::unwrap));
    let status = demo.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{told:?}");
    assert!(
        told.iter()
            .any(|line| line == "stopped before the end: nothing was checked"),
        "{told:?}"
    );
    for id in started {
        let is_there = std::path::Path::new(&format!("/proc/{id}")).exists();
        assert!(!is_there, "process {id} still runs");
    }
}
