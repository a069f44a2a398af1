//! What `deploy/` and `grafana/` promise, as far as it can be tried without a container engine and without Grafana: every query
//! of the dashboards on real ClickHouse, Prometheus' rules by promtool, and the program under exactly the configuration,
//! commands and environment of docker-compose.yml.

#![allow(clippy::unwrap_used)]

mod compose;
mod compose_file;
mod dashboards;
mod monitoring;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn read(path: &str) -> String {
    let path = repository(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
