//! `slawatch-devstack`: the processes that the library half of this crate starts. It can be used by hand as well.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod server;

use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Local parts of slawatch for development and tests.
#[derive(Debug, Parser)]
#[command(name = "slawatch-devstack", version)]
struct Arguments {
    /// Die with the process of this number, which must be the one that started this.
    #[arg(long, hide = true)]
    die_with_parent: Option<u32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Become another program, which then dies with the process that started this one.
    #[command(hide = true)]
    Exec {
        /// The program and its arguments.
        #[arg(required = true, trailing_var_arg = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Embedded ClickHouse, speaking its HTTP interface on 127.0.0.1. Prints its address once it is ready.
    Clickhouse {
        /// Folder of the tables.
        #[arg(long)]
        data: PathBuf,
        /// Port; 0 takes a free one.
        #[arg(long, default_value_t = 8123)]
        port: u16,
        /// The library; fetched into the cache unless given.
        #[arg(long)]
        library: Option<PathBuf>,
        /// What the engine may use, in bytes.
        #[arg(long, default_value_t = 2 << 30)]
        max_memory_bytes: u64,
        /// A file to write the address to once it is ready.
        #[arg(long)]
        ready_file: Option<PathBuf>,
    },
}

fn main() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    if let Err(message) = run(Arguments::parse()) {
        eprintln!("slawatch-devstack: {message}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), String> {
    if let Some(parent) = arguments.die_with_parent {
        slawatch_devstack::die_with_parent(parent)?;
    }
    match arguments.command {
        Command::Exec { command } => {
            let (program, rest) = command.split_first().ok_or("no program was named")?;
            let mut replacement = std::process::Command::new(program);
            // Only a failure comes back from here.
            let error = std::os::unix::process::CommandExt::exec(replacement.args(rest));
            Err(format!(
                "{} cannot be started: {error}",
                program.to_string_lossy()
            ))
        }
        Command::Clickhouse {
            data,
            port,
            library,
            max_memory_bytes,
            ready_file,
        } => {
            let library = match library {
                Some(library) => library,
                None => slawatch_devstack::clickhouse::ensure_library()
                    .map_err(|error| error.to_string())?,
            };
            let options = server::ServerOptions {
                data,
                port,
                library,
                max_memory_bytes,
            };
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .map_err(|error| format!("the runtime cannot be started: {error}"))?;
            match runtime.block_on(server::serve(options, |port| {
                announce(port, ready_file.as_deref())
            }))? {}
        }
    }
}

fn announce(port: u16, ready_file: Option<&std::path::Path>) {
    let address = format!("http://127.0.0.1:{port}");
    let mut output = std::io::stdout();
    // Nobody may be listening any more, which is no reason to stop serving.
    writeln!(output, "{address}")
        .and_then(|()| output.flush())
        .ok();
    if let Some(path) = ready_file
        && let Err(error) = std::fs::write(path, &address)
    {
        tracing::error!(%error, path = %path.display(), "the ready file cannot be written");
    }
}
