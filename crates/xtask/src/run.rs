//! Running cargo and the programs it built.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    command
}

/// Builds; cargo's own words tell what goes wrong.
pub(crate) fn build(arguments: &[&str]) -> anyhow::Result<()> {
    let status = cargo()
        .arg("build")
        .args(arguments)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the build failed, see above");
    Ok(())
}

/// A program that [`build`] made.
pub(crate) fn binary(profile: &str, name: &str) -> anyhow::Result<Command> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), PathBuf::from);
    let path = target
        .join(profile)
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    ensure!(path.exists(), "{} was not built", path.display());
    Ok(Command::new(path))
}

/// Runs a program to its end and takes over its exit code. It is in our process group, so Ctrl-C reaches it too; it
/// cleans up, and we wait for it.
pub(crate) fn finish(command: &mut Command) -> anyhow::Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let code = status.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
