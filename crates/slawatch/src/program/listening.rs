//! Where the process answers for itself.

use std::net::SocketAddr;

use anyhow::Context;
use slawatch_health::{HealthError, HttpServer, Probes};

use crate::config::{Config, DEFAULT_HEALTH_LISTEN};

const NAME: &str = "health-http";

/// Starts the server of `/metrics`, `/livez` and `/readyz`; none where the board's has the same address.
pub(super) fn serve(
    config: &Config,
    has_board: bool,
    probes: Probes,
) -> anyhow::Result<Option<HttpServer>> {
    let server = match &config.health.listen {
        Some(listen) if has_board && *listen == config.board.listen => return Ok(None),
        Some(listen) => HttpServer::start(NAME, address("health.listen", listen)?, probes.alone())?,
        None => serve_somewhere(DEFAULT_HEALTH_LISTEN, probes)?,
    };
    let address = server.local_addr();
    tracing::info!(%address, "metrics and health are at http://{address}/metrics, /livez and /readyz");
    Ok(Some(server))
}

/// On the usual port; where another process of the machine has it, on a free one: nobody asked for that very port, and a
/// process that watches contracts does not stay down for it.
fn serve_somewhere(usual: SocketAddr, probes: Probes) -> Result<HttpServer, HealthError> {
    match HttpServer::start(NAME, usual, probes.clone().alone()) {
        Err(HealthError::Listen { source, .. })
            if source.kind() == std::io::ErrorKind::AddrInUse =>
        {
            let server = HttpServer::start(NAME, (usual.ip(), 0).into(), probes.alone())?;
            tracing::warn!(
                "{usual} is taken by another process, perhaps another slawatch, and health.listen is not set: metrics and \
                 health are at {} this time; give each process its own by health.listen or SLAWATCH_HEALTH__LISTEN",
                server.local_addr()
            );
            Ok(server)
        }
        started => started,
    }
}

/// An address as configured.
pub(super) fn address(setting: &str, text: &str) -> anyhow::Result<SocketAddr> {
    text.parse().with_context(|| {
        format!("{setting} {text:?} is no address and port; write it like \"127.0.0.1:8080\"")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn probes() -> Probes {
        Probes {
            roles: Vec::new(),
            metrics: Arc::new(String::new),
        }
    }

    fn config(health: &str) -> Config {
        let text =
            format!("policies = [\"p\"]\n[board]\nlisten = \"127.0.0.1:7\"\n[health]\n{health}");
        Config::parse_alone(Path::new("slawatch.toml"), &text).unwrap()
    }

    #[test]
    fn two_processes_with_one_configuration_both_answer() {
        let first = HttpServer::start(NAME, ([127, 0, 0, 1], 0).into(), probes().alone()).unwrap();
        let second = serve_somewhere(first.local_addr(), probes()).unwrap();
        assert_ne!(first.local_addr(), second.local_addr());
    }

    #[test]
    fn a_port_that_was_asked_for_and_is_taken_ends_the_start() {
        let first = HttpServer::start(NAME, ([127, 0, 0, 1], 0).into(), probes().alone()).unwrap();
        let taken = first.local_addr();
        let refused = serve(&config(&format!("listen = \"{taken}\"")), true, probes());
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(&taken.to_string()), "{text}");
        assert!(text.contains("SLAWATCH_HEALTH__LISTEN"), "{text}");
    }

    #[test]
    fn the_board_answers_where_both_have_one_address() {
        let board = HttpServer::start(NAME, ([127, 0, 0, 1], 0).into(), probes().alone()).unwrap();
        let listen = format!("listen = \"{}\"", board.local_addr());
        let mut config = config(&listen);
        config.board.listen = board.local_addr().to_string();
        assert!(serve(&config, true, probes()).unwrap().is_none());
        // Without a board somebody else must, and that port is taken.
        assert!(serve(&config, false, probes()).is_err());
    }
}
