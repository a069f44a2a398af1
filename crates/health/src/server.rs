//! A thread that serves a router.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::sync::oneshot;

use crate::error::HealthError;

/// How long requests under way may take once the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// A server at work; dropping it stops it.
#[derive(Debug)]
pub struct HttpServer {
    local_addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Listens on an address.
    ///
    /// # Errors
    /// [`HealthError::Listen`], [`HealthError::Thread`].
    pub fn start(
        name: &'static str,
        listen: SocketAddr,
        router: Router,
    ) -> Result<Self, HealthError> {
        let refused = |source| HealthError::Listen { listen, source };
        let listener = TcpListener::bind(listen).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(name, listener, router, stopped))
            .map_err(|source| HealthError::Thread { name, source })?;
        Ok(Self {
            local_addr,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens: the port too if it was to choose one.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Whether it serves nobody any more though nobody stopped it.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Answers the requests that are under way, and stops.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only if the server is gone already.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(address = %self.local_addr, "the thread of an HTTP server panicked");
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn serve(name: &str, listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served =
        runtime.and_then(|runtime| runtime.block_on(serve_until(listener, router, stopped)));
    if let Err(error) = served {
        tracing::error!(%error, name, "the HTTP server does not serve any more");
    }
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|socket| {
        // Without it answers are merely slower.
        socket.set_nodelay(true).ok();
    });
    let (stopping, mut stops) = tokio::sync::watch::channel(false);
    // Whoever asks is known by address, so that one can be told to ask less.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let graceful = axum::serve(listener, service).with_graceful_shutdown(async move {
        // A dropped sender means the same as a sent word.
        stopped.await.ok();
        stopping.send_replace(true);
    });
    let out_of_patience = async {
        stops.wait_for(|stops| *stops).await.ok();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = async { graceful.await } => served,
        () = out_of_patience => Ok(()),
    }
}
