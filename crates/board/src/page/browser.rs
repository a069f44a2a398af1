//! The page in a real browser, headless Chromium: what is shown after its script ran under the page's own policy.

mod acting;
mod devtools;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use slawatch_health::{HttpServer, Probes};
use slawatch_stream::{Clock, MemoryLog};

use super::tests::afternoon_snapshot;
use crate::access::{Access, AccessOptions, Limits};
use crate::act::ActionWriter;
use crate::feed::{Newest, Snapshot};
use crate::server::{App, router};
use crate::story::NOON_MS;
use crate::view::View;
use crate::zone::Zone;

const PATIENCE: Duration = Duration::from_secs(90);

/// Every request that shows data asks for the time once; so things can be made to happen between two requests.
struct Between<F: Fn(usize) + Send + Sync> {
    asked: AtomicUsize,
    after: F,
}

impl<F: Fn(usize) + Send + Sync> std::fmt::Debug for Between<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

impl<F: Fn(usize) + Send + Sync> Clock for Between<F> {
    fn wall_ms(&self) -> i64 {
        (self.after)(self.asked.fetch_add(1, Ordering::SeqCst) + 1);
        NOON_MS + 12_400
    }

    fn steady_ms(&self) -> u64 {
        1_000
    }
}

/// A server of its own, without a feed.
struct Served {
    address: std::net::SocketAddr,
    server: Stoppable,
}

/// Emptied, the server stops.
type Stoppable = Arc<Mutex<Option<HttpServer>>>;

impl Served {
    fn new<F>(newest: Arc<Newest>, after: impl FnOnce(Stoppable) -> F) -> Self
    where
        F: Fn(usize) + Send + Sync + 'static,
    {
        let server = Stoppable::default();
        let clock = Between {
            asked: AtomicUsize::new(0),
            after: after(Arc::clone(&server)),
        };
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let log = Arc::new(MemoryLog::new(Arc::clone(&clock)));
        let (writer, _) = ActionWriter::start(log, "slawatch.signals", Arc::clone(&clock)).unwrap();
        let listen = ([127, 0, 0, 1], 0).into();
        let app = App {
            newest,
            clock,
            zone: Zone::utc(),
            access: Access::new(&AccessOptions::default(), listen),
            limits: Limits::default(),
            writer,
        };
        let probes = Probes {
            roles: Vec::new(),
            metrics: Arc::new(String::new),
        };
        let started = HttpServer::start("browsed", listen, router(app, probes)).unwrap();
        let address = started.local_addr();
        *server.lock().unwrap() = Some(started);
        Self { address, server }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The clock of its own router keeps it alive otherwise.
        self.server.lock().unwrap().take();
    }
}

fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|file| file.exists()).expect(
        "Chromium is needed to test the page: install it (Debian: apt-get install chromium)",
    )
}

const QUIET: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

async fn browse(address: std::net::SocketAddr, arguments: &[String]) -> String {
    let profile = tempfile::tempdir().unwrap();
    // The browser ends with this process, however that ends.
    let browsing = tokio::process::Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(chromium())
        .args(QUIET)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("http://{address}/"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, browsing)
        .await
        .expect("Chromium hangs")
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

async fn dump(address: std::net::SocketAddr, virtual_ms: u32) -> String {
    browse(
        address,
        &[
            "--dump-dom".to_owned(),
            format!("--virtual-time-budget={virtual_ms}"),
        ],
    )
    .await
}

/// Keeps a picture of the page if a folder for it is named.
async fn keep_picture(address: std::net::SocketAddr, name: &str) {
    let Some(folder) = std::env::var_os("SLAWATCH_PICTURES") else {
        return;
    };
    let file = Path::new(&folder).join(name);
    let arguments = [
        format!("--screenshot={}", file.display()),
        "--window-size=1920,1080".to_owned(),
        "--virtual-time-budget=2500".to_owned(),
    ];
    browse(address, &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_brings_itself_up_to_date() {
    let quiet = View {
        as_of_ms: Some(NOON_MS - 60_000),
        ..View::default()
    };
    let quiet = Snapshot {
        view: quiet,
        moved_at_ms: Some(0),
        caught_up: true,
        trouble: None,
    };
    let newest = Arc::new(Newest::default());
    newest.put(quiet);
    // The page itself shows the quiet; whatever it fetches afterwards, the afternoon.
    let later = Arc::clone(&newest);
    let afternoon = afternoon_snapshot();
    let served = Served::new(newest, |_| move |_| later.put(afternoon.clone()));
    let shown = dump(served.address, 3_000).await;
    for said in [
        "<title>2 alerts · slawatch</title>",
        "<time>14:30:12</time>",
        "● live · 0.4s behind",
        "▲ CRITICAL",
        "nova / refunds: service level 41.2 % over 15m",
        "technical &lt;b&gt;2nd&lt;/b&gt;",
        "<td class=\"first strong bad\">17</td>",
        "<path class=\"line\" d=\"M3.0",
    ] {
        assert!(shown.contains(said), "{said:?} is missing in {shown}");
    }
    assert!(!shown.contains("No alert is firing"), "{shown}");
    assert!(
        shown.contains("id=\"lost\" role=\"alert\" hidden"),
        "{shown}"
    );
    keep_picture(served.address, "afternoon.png").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_that_it_has_lost_the_board() {
    let newest = Arc::new(Newest::default());
    newest.put(afternoon_snapshot());
    // The board ends after the page and its first update.
    let served = Served::new(newest, |stop| {
        move |asked| {
            if asked == 2 {
                // This is a request of that very server, which is waited for.
                let server = stop.lock().unwrap().take();
                std::thread::spawn(move || drop(server));
            }
        }
    });
    let shown = dump(served.address, 9_000).await;
    assert!(
        shown.contains("<div id=\"lost\" role=\"alert\">"),
        "{shown}"
    );
    assert!(shown.contains("<body data-updates=\""), "{shown}");
    assert!(shown.contains("class=\"lost\""), "{shown}");
    assert!(
        shown.contains("nova / refunds"),
        "what was there is still to be read: {shown}"
    );
}
