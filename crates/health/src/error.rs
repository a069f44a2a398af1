//! Why a process cannot say how it is.

use std::net::SocketAddr;

/// An HTTP server that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The address cannot be listened on.
    #[error(
        "the health server cannot listen on {listen}: {source}; {}",
        help(source)
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No thread can be made.
    #[error(
        "cannot start the thread {name}: {source}; raise the limit of threads of this user or container"
    )]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
}

fn help(source: &std::io::Error) -> &'static str {
    if source.kind() == std::io::ErrorKind::AddrInUse {
        "another process has the port, perhaps another slawatch: give each process on a machine its own by health.listen \
         or SLAWATCH_HEALTH__LISTEN (port 0 takes a free one)"
    } else {
        "write an address of this machine to health.listen, such as \"127.0.0.1:9464\""
    }
}
