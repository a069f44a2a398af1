//! The program. Everything it does is in the library, so that tests reach it.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use slawatch::commands::CommandLine;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Tests set it to their own process number, so that nothing they start outlives them.
const PARENT: &str = "DEVSTACK_PARENT";

fn main() -> ExitCode {
    let parent = std::env::var(PARENT).ok().and_then(|pid| pid.parse().ok());
    if let Some(Err(error)) = parent.map(slawatch_devstack::die_with_parent) {
        eprintln!("slawatch: {error}");
        return ExitCode::FAILURE;
    }
    match CommandLine::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("slawatch: {error:#}");
            ExitCode::FAILURE
        }
    }
}
