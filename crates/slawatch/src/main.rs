//! The program. Everything it does is in the library, so that tests reach it.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use slawatch::commands::CommandLine;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match CommandLine::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("slawatch: {error:#}");
            ExitCode::FAILURE
        }
    }
}
