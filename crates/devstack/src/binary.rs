//! Where the program `slawatch-devstack` is. It stands beside the program that asks; tests of other crates, for which cargo
//! does not build it, have it built on the way.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::error::{Error, Result};

const NAME: &str = "slawatch-devstack";

/// `SLAWATCH_DEVSTACK_BIN`, else the one beside this program, built first if a test asks and it is missing or old.
pub(crate) fn find() -> Result<PathBuf> {
    if let Some(set) = std::env::var_os("SLAWATCH_DEVSTACK_BIN").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(set));
    }
    let own = std::env::current_exe().map_err(Error::file(
        Path::new("/proc/self/exe"),
        "this program's path is unknown",
    ))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    // Cargo keeps tests one folder further down than programs.
    let in_tests = folder.file_name().is_some_and(|name| name == "deps");
    let folder = if in_tests {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    let binary = folder.join(NAME);
    let built = modified(&binary);
    let fresh = built
        .is_some_and(|built| !in_tests || newest_source().is_none_or(|newest| newest <= built));
    if fresh {
        return Ok(binary);
    }
    build(folder)
        .and_then(|()| {
            if binary.exists() {
                Ok(binary)
            } else {
                Err("cargo put it elsewhere".to_owned())
            }
        })
        .map_err(|reason| Error::MissingBinary {
            beside: own.clone(),
            reason,
        })
}

fn build(folder: &Path) -> Result<(), String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    if !manifest.exists() {
        return Err(format!("its sources are not at {}", manifest.display()));
    }
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--quiet",
            "--bin",
            NAME,
            "--profile",
            profile,
            "--manifest-path",
        ])
        .arg(&manifest);
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    let output = command
        .output()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

fn newest_source() -> Option<SystemTime> {
    fn newest_in(folder: &Path) -> Option<SystemTime> {
        let entries = std::fs::read_dir(folder).ok()?;
        entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                if path.is_dir() {
                    newest_in(&path)
                } else {
                    modified(&path)
                }
            })
            .max()
    }
    newest_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}
