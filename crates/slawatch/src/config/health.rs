//! `[health]`: where the process answers for itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// Where a process answers that is not told otherwise: from this machine only.
pub const DEFAULT_HEALTH_LISTEN: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// `/metrics`, `/livez` and `/readyz`, which every process serves, whatever its roles.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// Address and port; the board's own address is allowed. None: [`DEFAULT_HEALTH_LISTEN`], or a free port of it.
    pub listen: Option<String>,
}
