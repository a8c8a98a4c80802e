//! `musubi-witness`: an independent witness that speaks C2SP tlog-witness.
//!
//! It runs no ledger and reads no payments: it cosigns a log's checkpoints as long as each provably grows out
//! of the one before. What it decides is decided in `musubi_ledger::tlog::witness`; here are its files
//! (`files`, `state`), its keeper (`keeper`), which stores before it answers, and HTTP (`server`).

mod files;
mod keeper;
mod server;
mod state;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::{Parser, Subcommand};
use musubi_ledger::tlog::witness::Witness;
use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{files::Config, keeper::Keeper, state::StateFile};

#[derive(Parser)]
#[command(name = "musubi-witness", version, about = "Cosigns checkpoints of logs that only grow")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a witness's folder: key, empty state, configuration. Prints its verifier key.
    Init {
        /// The folder; what is in it is never overwritten.
        #[arg(long)]
        dir: PathBuf,
        /// The key's name: a URL without scheme that you control, such as `univ.example/w1`.
        #[arg(long)]
        name: String,
    },
    /// Prints the verifier key, for the witness policies of others.
    Key {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Answers until SIGINT or SIGTERM. The first line of output is JSON with the address and the key.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Also stop when standard input ends: for a parent process that must leave nothing behind.
        #[arg(long)]
        stop_with_stdin: bool,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init { dir, name } => files::init(&dir, &name).map(|key| println!("{key}")),
        Command::Key { config } => {
            Config::read(&config).and_then(|config| config.key()).map(|(key, _)| println!("{key}"))
        }
        Command::Run { config, stop_with_stdin } => run(&config, stop_with_stdin),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("musubi-witness: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &std::path::Path, stop_with_stdin: bool) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let (key, secret) = config.key()?;
    let mut witness = Witness::new(key.clone(), config.logs()?)?;
    let state = StateFile::open(&config.state(), &mut witness)?;
    let keeper = Arc::new(Keeper::new(witness, secret, state));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        println!("{}", json!({ "listen": address, "key": key.to_string() }));
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            () = server::serve(listener, Arc::clone(&keeper)) => unreachable!("it serves for ever"),
            () = keeper.failed() => anyhow::bail!("the state could not be stored; mend the disk, then start again"),
            _ = terminate.recv() => Ok(()),
            _ = tokio::signal::ctrl_c() => Ok(()),
            () = stdin_ends(), if stop_with_stdin => Ok(()),
        }
    })
}

/// Waits on a thread of its own, which ends with the process.
async fn stdin_ends() {
    let (ended, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = wait.await;
}
