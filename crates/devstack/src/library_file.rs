//! The ClickHouse library's file: which npm package has it for this machine, and how it gets into the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::error::{Error, Result};

const VERSION: &str = "26.7.3-stable.1";

/// A package that holds the library for one kind of machine.
struct Package {
    os: &'static str,
    arch: &'static str,
    name: &'static str,
    /// What the archive must hash to. Where it is unknown, npm still checks it against the registry's own word.
    integrity: Option<&'static str>,
}

const PACKAGES: [Package; 4] = [
    Package {
        os: "linux",
        arch: "x86_64",
        name: "lib-linux-x64-gnu",
        integrity: Some(
            "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
        ),
    },
    Package {
        os: "linux",
        arch: "aarch64",
        name: "lib-linux-arm64-gnu",
        integrity: None,
    },
    Package {
        os: "macos",
        arch: "x86_64",
        name: "lib-darwin-x64",
        integrity: None,
    },
    Package {
        os: "macos",
        arch: "aarch64",
        name: "lib-darwin-arm64",
        integrity: None,
    },
];

fn package(os: &'static str, arch: &'static str) -> Result<&'static Package> {
    PACKAGES
        .iter()
        .find(|package| package.os == os && package.arch == arch)
        .ok_or(Error::UnsupportedPlatform { os, arch })
}

/// The library's file; fetched with npm the first time (about 180 MB), with a word of it on standard error.
///
/// # Errors
/// npm is missing or fails, this machine is not supported, or the cache folder cannot be written.
pub fn ensure_library() -> Result<PathBuf> {
    let package = package(std::env::consts::OS, std::env::consts::ARCH)?;
    let folder = cache::entry(
        &cache::folder()?,
        &format!("chdb-{VERSION}-{}", package.name),
        |scratch| {
            eprintln!(
                "Fetching embedded ClickHouse (npm package @chdb/{} {VERSION}, about 180 MB) ...",
                package.name
            );
            fetch(package, scratch)?;
            eprintln!("Embedded ClickHouse is in the cache.");
            Ok(())
        },
    )?;
    Ok(folder.join("libchdb.so"))
}

/// `npm ci` on a lock file: npm fetches, checks the pinned hash and unpacks.
fn fetch(package: &Package, scratch: &Path) -> Result<()> {
    let work = scratch.join("npm");
    std::fs::create_dir(&work).map_err(Error::file(&work, "the folder cannot be made"))?;
    let write = |name: &str, content: serde_json::Value| {
        let path = work.join(name);
        std::fs::write(&path, content.to_string())
            .map_err(Error::file(&path, "the file cannot be written"))
    };
    let full_name = format!("@chdb/{}", package.name);
    let wanted = serde_json::json!({ "name": "slawatch-cache", "version": "0.0.0", "dependencies": { &full_name: VERSION } });
    let mut pinned = serde_json::json!({
        "version": VERSION,
        "resolved": format!("https://registry.npmjs.org/{full_name}/-/{}-{VERSION}.tgz", package.name),
    });
    if let Some(integrity) = package.integrity {
        pinned["integrity"] = integrity.into();
    }
    write("package.json", wanted.clone())?;
    write(
        "package-lock.json",
        serde_json::json!({
            "name": "slawatch-cache", "version": "0.0.0", "lockfileVersion": 3, "requires": true,
            "packages": { "": wanted, format!("node_modules/{full_name}"): pinned },
        }),
    )?;
    cache::run(
        Command::new("npm").current_dir(&work).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]),
        "npm",
        "fetch embedded ClickHouse",
        "install Node.js (Debian: `apt install npm`; macOS: `brew install node`; or https://nodejs.org)",
    )?;
    let from = work
        .join("node_modules")
        .join(&full_name)
        .join("libchdb.so");
    let to = scratch.join("libchdb.so");
    std::fs::rename(&from, &to).map_err(Error::file(&from, "the package has no such file"))?;
    std::fs::remove_dir_all(&work).map_err(Error::file(&work, "the folder cannot be removed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_their_package() {
        assert_eq!(
            package("macos", "aarch64").expect("known").name,
            "lib-darwin-arm64"
        );
        let error = package("windows", "x86_64").err().expect("unknown");
        assert_eq!(
            error.to_string(),
            "there is no embedded ClickHouse for windows on x86_64: use a ClickHouse server and give its URL instead"
        );
    }
}
