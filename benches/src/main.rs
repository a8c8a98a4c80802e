//! `musubi-bench`: the end-to-end benchmark; `musubi-bench audit`: an audit against its signature checks.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use musubi_benches::{audit, end_to_end};

/// The allocator of `musubi`, whose audit is measured here.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures committed transfers end to end: three validators, both sides sign each transfer.
#[derive(Debug, Parser)]
#[command(name = "musubi-bench", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    options: end_to_end::Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::AuditArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ran = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async {
            match &cli.command {
                None => end_to_end::run(&cli.options).await,
                Some(Command::Audit(args)) => audit::run(args).await,
            }
        })
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("musubi-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
