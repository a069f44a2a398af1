//! A receiver on loopback that answers as its script says and keeps what it was sent.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::vendor::{Memory, Vendor};

#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16, &'static str),
    RetryAfter(u16, &'static str),
    Redirect,
    /// As the vendor's server answers a right request.
    Right,
    /// Takes the request and never answers.
    Hang,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Inner {
    vendor: Option<Vendor>,
    memory: Memory,
    wrong: Vec<String>,
    script: VecDeque<Reply>,
    seen: Vec<Seen>,
    resets: usize,
}

impl Inner {
    /// What is wrong with a request is kept, and told as every one of the vendors would: 400.
    fn reply(&mut self, seen: &Seen) -> (Reply, Option<(u16, String)>) {
        let reply = self.script.pop_front();
        let Some(vendor) = self.vendor else {
            return (reply.unwrap_or(Reply::Status(200, "ok")), None);
        };
        if let Err(wrong) = vendor.examine(seen) {
            let answer = (400, wrong.clone());
            self.wrong.push(wrong);
            return (Reply::Right, Some(answer));
        }
        match reply.unwrap_or(Reply::Right) {
            Reply::Right => (Reply::Right, Some(vendor.answer(&mut self.memory, seen))),
            other => (other, None),
        }
    }
}

/// Answers 200 once its script is at its end.
#[derive(Clone)]
pub struct Target {
    inner: Arc<Mutex<Inner>>,
    address: SocketAddr,
}

impl Target {
    pub fn start(runtime: &Handle, script: &[Reply]) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        Self::on(runtime, listener, script)
    }

    /// A server that examines each request as the vendor's own does.
    pub fn of(runtime: &Handle, vendor: Vendor, script: &[Reply]) -> Self {
        let target = Self::start(runtime, script);
        target.inner.lock().unwrap().vendor = Some(vendor);
        target
    }

    /// What was wrong with requests.
    pub fn wrong(&self) -> Vec<String> {
        self.inner.lock().unwrap().wrong.clone()
    }

    /// What the vendor's server remembers.
    pub fn remembers<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.inner.lock().unwrap().memory)
    }

    /// What it answers next.
    pub fn answer_with(&self, script: &[Reply]) {
        self.inner.lock().unwrap().script = script.iter().cloned().collect();
    }

    /// On a port that was found free before, when nobody listened there.
    pub fn start_at(runtime: &Handle, address: SocketAddr, script: &[Reply]) -> Self {
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        Self::on(runtime, listener, script)
    }

    fn on(runtime: &Handle, listener: TcpListener, script: &[Reply]) -> Self {
        let address = listener.local_addr().unwrap();
        let inner = Inner {
            script: script.iter().cloned().collect(),
            ..Inner::default()
        };
        let target = Self {
            inner: Arc::new(Mutex::new(inner)),
            address,
        };
        let router = Router::new().fallback(answer).with_state(target.clone());
        let listener = Resetting {
            listener,
            target: target.clone(),
        };
        runtime.spawn(async move { axum::serve(listener, router).await });
        target
    }

    /// The next connections are reset as soon as the first bytes have come.
    pub fn reset_connections(&self, count: usize) {
        self.inner.lock().unwrap().resets = count;
    }

    pub fn resets_left(&self) -> usize {
        self.inner.lock().unwrap().resets
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }
}

async fn answer(
    State(target): State<Target>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<String> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()))
        .collect();
    let seen = Seen {
        method: method.to_string(),
        path: uri.to_string(),
        headers,
        body: body.to_vec(),
    };
    let (reply, answer) = {
        let mut inner = target.inner.lock().unwrap();
        inner.seen.push(seen.clone());
        inner.reply(&seen)
    };
    let response = Response::builder();
    let made = match reply {
        Reply::Status(status, text) => response.status(status).body(text.to_owned()),
        Reply::RetryAfter(status, seconds) => response
            .status(status)
            .header("retry-after", seconds)
            .body(String::new()),
        Reply::Redirect => response
            .status(StatusCode::FOUND)
            .header("location", "http://127.0.0.1:1/elsewhere")
            .body(String::new()),
        Reply::Right => {
            let (status, text) = answer.unwrap_or((200, "ok".to_owned()));
            response.status(status).body(text)
        }
        Reply::Hang => pending().await,
    };
    made.unwrap()
}

struct Resetting {
    listener: TcpListener,
    target: Target,
}

impl Listener for Resetting {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            let reset = {
                let mut inner = self.target.inner.lock().unwrap();
                let reset = inner.resets > 0;
                inner.resets = inner.resets.saturating_sub(1);
                reset
            };
            if !reset {
                return (stream, address);
            }
            stream.readable().await.unwrap();
            stream.set_zero_linger().unwrap();
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
