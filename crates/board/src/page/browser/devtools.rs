//! A headless Chromium that is told what to do: the DevTools protocol over two pipes.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);

/// Ends with the test.
pub(super) struct Browser {
    child: Child,
    commands: File,
    answers: Receiver<Value>,
    session: Value,
    number: u64,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Browser {
    /// With one empty page.
    pub(super) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let [commands, answers] = ["commands", "answers"].map(|name| profile.path().join(name));
        let made = Command::new("mkfifo").args([&commands, &answers]).status();
        assert!(made.unwrap().success(), "mkfifo");
        // The browser ends with this process, however that ends.
        let script = "commands=$1 answers=$2; shift 2; exec setpriv --pdeathsig KILL \"$@\" 3<\"$commands\" 4>\"$answers\"";
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .args([&commands, &answers])
            .arg(super::chromium())
            .args(super::QUIET)
            .arg("--remote-debugging-pipe")
            .arg(format!(
                "--user-data-dir={}",
                profile.path().join("profile").display()
            ))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = File::options().write(true).open(commands).unwrap();
        let answers = File::open(answers).unwrap();
        let (send, receive) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0) {
                let Some(message) = message
                    .ok()
                    .and_then(|text| serde_json::from_slice(&text).ok())
                else {
                    return;
                };
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            commands,
            answers: receive,
            session: Value::Null,
            number: 0,
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.ask("Target.attachToTarget", attach)["sessionId"].clone();
        browser
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.commands
            .write_all(format!("{message}\0").as_bytes())
            .unwrap();
        loop {
            let answer = self
                .answers
                .recv_timeout(PATIENCE)
                .expect("Chromium answers");
            if answer["id"] == self.number {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// A screen of this size, light or dark.
    pub(super) fn screen(&mut self, width: u32, height: u32, scheme: &str) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.ask("Emulation.setEmulatedMedia", features);
    }

    pub(super) fn open(&mut self, url: &str) {
        self.ask("Page.navigate", json!({ "url": url }));
        self.until("document.readyState == 'complete' && location.href != 'about:blank'");
    }

    /// The value of an expression in the page.
    pub(super) fn value(&mut self, expression: &str) -> Value {
        let question =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask("Runtime.evaluate", question);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression holds in the page, over navigations.
    pub(super) fn until(&mut self, expression: &str) {
        for _ in 0..900 {
            let question = json!({ "expression": expression, "returnByValue": true });
            let answer = self.ask("Runtime.evaluate", question);
            if answer["result"]["value"] == true {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let shown = self.value("document.documentElement.innerText");
        panic!("it did not become so: {expression}\n{shown}");
    }

    /// Presses what a selector finds, with a real mouse.
    pub(super) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{block: 'center'}}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", event);
        }
    }

    /// Writes into what a selector finds.
    pub(super) fn write(&mut self, selector: &str, text: &str) {
        self.value(&format!("document.querySelector({selector:?}).focus()"));
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// Keeps a picture of the whole page if a folder for it is named.
    pub(super) fn keep_picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("SLAWATCH_PICTURES") else {
            return;
        };
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.ask("Page.captureScreenshot", options);
        let engine = base64::engine::general_purpose::STANDARD;
        let bytes = engine.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}
