//! `slawatch test-alert` as an operator uses it.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use crate::run::{folder, slawatch};

/// A receiver that gives each request the next of these answers, and hands back what it was sent.
fn receiver(answers: &'static [&'static str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hunter2", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for answer in answers {
            let (socket, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(socket.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                lines.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            bodies.push(String::from_utf8(body).unwrap());
            let mut socket = socket;
            let head =
                format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            socket.write_all(head.as_bytes()).unwrap();
        }
        bodies
    });
    (url, thread)
}

fn config(url: &str) -> String {
    format!(
        "policies = [\"p.toml\"]\n[[dispatcher.receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{url}\"\n\
         allow_private = true\ntimeout = \"5s\"\n"
    )
}

#[test]
fn a_trial_that_arrives_is_told_with_the_answers() {
    let (url, thread) = receiver(&["202 Accepted", "200 OK"]);
    let folder = folder(&[("slawatch.toml", &config(&url))]);
    let run = slawatch(folder.path(), &["test-alert", "hook"]);
    assert_eq!(
        (run.succeeded, run.out.as_str(), run.error.as_str()),
        (
            true,
            "hook: firing: taken (202 Accepted)\nhook: resolved: taken (200 OK)\nThe test has been taken; look whether it can \
             be seen there.\n",
            ""
        )
    );
    let bodies = thread.join().unwrap();
    assert!(
        bodies
            .iter()
            .all(|body| body.contains("TEST of receiver \\\"hook\\\" by slawatch")),
        "{bodies:?}"
    );
}

#[test]
fn a_trial_that_does_not_arrive_says_what_to_do() {
    for (answer, out, advice) in [
        (
            "422 Unprocessable Entity",
            "hook: firing: refused (422 Unprocessable Entity)\n",
            "slawatch: receiver \"hook\" refused the test, and would refuse alerts too: what it answered says why; \
             docs/receivers.md has what to set up for each type\n",
        ),
        (
            "403 Forbidden",
            "hook: firing: failed (403 Forbidden)\n",
            "slawatch: the test did not reach receiver \"hook\": an alert would be tried again until it does; check the \
             address, the way there and the login\n",
        ),
    ] {
        let answers: &'static [&'static str] = Box::leak(Box::new([answer]));
        let (url, thread) = receiver(answers);
        let folder = folder(&[("slawatch.toml", &config(&url))]);
        let run = slawatch(
            folder.path(),
            &["test-alert", "hook", "--config", "slawatch.toml"],
        );
        assert_eq!(
            (run.succeeded, run.out.as_str(), run.error.as_str()),
            (false, out, advice)
        );
        thread.join().unwrap();
    }
}

#[test]
fn nobody_by_that_name_and_an_address_inside() {
    let text = config("http://127.0.0.1:1/hunter2");
    let folder = folder(&[
        ("slawatch.toml", &text),
        ("inside.toml", &text.replace("allow_private = true\n", "")),
    ]);
    let run = slawatch(folder.path(), &["test-alert", "hok"]);
    assert_eq!(
        run.error,
        "slawatch: there is no receiver \"hok\"; the configuration has \"hook\"\n"
    );
    let run = slawatch(
        folder.path(),
        &["test-alert", "hook", "--config", "inside.toml"],
    );
    assert!(
        run.error.contains(
            "inside.toml:5: dispatcher.receiver[1].url: receiver \"hook\": url may not be used: 127.0.0.1 is 127.0.0.1, a \
             private address; if it is meant to be, set allow_private = true"
        ),
        "{}",
        run.error
    );
    let run = slawatch(folder.path(), &["test-alert", "hook"]);
    assert!(
        run.out.starts_with("hook: firing: failed (no connection: "),
        "{}",
        run.out
    );
    assert!(
        !run.out.contains("hunter2") && !run.error.contains("hunter2"),
        "{run:?}"
    );
}
