//! A webhook receiver on this machine: what a vendor manager's channel would get.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::runtime::Runtime;

type Messages = Arc<Mutex<Vec<Value>>>;

pub(super) struct LocalReceiver {
    address: SocketAddr,
    messages: Messages,
    _runtime: Runtime,
}

impl LocalReceiver {
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the demo's receiver")?;
        let messages = Messages::default();
        let app = Router::new()
            .route("/alerts", post(take))
            .with_state(Arc::clone(&messages));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .context("cannot listen for the demo's alerts")?;
        let address = listener.local_addr()?;
        runtime.spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            address,
            messages,
            _runtime: runtime,
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/alerts", self.address)
    }

    /// Everything received, in order.
    pub(super) fn messages(&self) -> Vec<Value> {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn take(State(messages): State<Messages>, body: String) -> StatusCode {
    match serde_json::from_str(&body) {
        Ok(message) => {
            messages
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(message);
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
