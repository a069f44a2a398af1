//! What can keep the board from starting; every text says what to do.

use std::net::SocketAddr;

use crate::access::AccessMistake;

/// Why the board does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// The configured zone does not exist.
    #[error(
        "there is no time zone {name:?}: write an IANA name such as \"Asia/Manila\" or \"UTC\""
    )]
    UnknownTimeZone {
        /// As configured.
        name: String,
    },
    /// The address cannot be listened on.
    #[error("the board cannot listen on {listen}: {source}; free the port or configure another")]
    Listen {
        /// As configured.
        listen: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Who may see and act is not settled.
    #[error("the board does not start: {}", .0.message)]
    Access(AccessMistake),
    /// A thread cannot be started.
    #[error("the board cannot start its {what} thread: {source}; raise the limit on threads")]
    Thread {
        /// Which.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}
