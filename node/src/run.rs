//! `musubi-node run` and `musubi-node verify`.

use anyhow::{Context, bail};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Loaded, Role},
    directory::{self, ReplicaDirectory},
    node,
};

/// Runs a validator or a replica until SIGINT or SIGTERM, until standard input ends if `stop_with_stdin`, or until it
/// must stop by itself.
///
/// # Errors
/// Why it could not start, or had to stop, and what to do.
pub async fn run(loaded: Loaded, stop_with_stdin: bool) -> anyhow::Result<()> {
    start_log(&loaded)?;
    let mut input = if stop_with_stdin { Some(watch_input()?) } else { None };
    let http = loaded.config.http.clone();
    // A replica may take a snapshot first, which can last: nothing is lost if that is cut short.
    let mut running = tokio::select! {
        started = node::start(loaded) => started?,
        () = end_of(input.as_mut()) => return Ok(()),
    };
    let api = crate::api::serve(running.node(), &http).await?;
    let network = running.node().network.as_ref().map(|network| network.listen_address());
    tracing::info!(
        role = ?running.node().loaded.config.role,
        node = running.node().loaded.config.node,
        http = %api.address(),
        network = network.map(tracing::field::display),
        "running"
    );
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = running.ended() => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
        _ = terminate.recv() => None,
        () = end_of(input.as_mut()) => {
            tracing::info!("standard input ended");
            None
        }
    };
    tracing::info!("stopping");
    api.stop().await;
    running.stop().await;
    match ended {
        Some(Err(fault)) => {
            tracing::error!(code = fault.code(), %fault, "this node had to stop");
            bail!("stopped by itself ({}): {fault}. {}", fault.code(), fault.advice())
        }
        Some(Ok(())) | None => {
            tracing::info!("stopped cleanly");
            Ok(())
        }
    }
}

/// Tells when standard input has ended.
///
/// By a thread that nobody joins: a blocked read cannot be called off, and as a task of the runtime it
/// would hold up the process's end.
fn watch_input() -> std::io::Result<oneshot::Receiver<()>> {
    let (ended, told) = oneshot::channel();
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        // Input that cannot be read any more has ended, too.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    })?;
    Ok(told)
}

/// Waits for the end of an input that is watched; for ever, if none is.
async fn end_of(input: Option<&mut oneshot::Receiver<()>>) {
    match input {
        Some(input) => drop(input.await),
        None => std::future::pending().await,
    }
}

fn start_log(loaded: &Loaded) -> anyhow::Result<()> {
    let log = &loaded.config.log;
    let filter = EnvFilter::try_new(&log.filter)
        .with_context(|| format!("log.filter = {:?} is no filter", log.filter))?;
    // Without the last, a line that cannot be written (the log's disk is full) would end its thread in
    // a panic: the logger complains on standard error, which is where it could not write.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    if log.json {
        builder.json().init()
    } else {
        builder.with_ansi(false).init()
    }
    Ok(())
}

/// Re-checks all of a stopped node's directory and prints what was checked.
///
/// # Errors
/// What is wrong with it.
pub fn verify(loaded: &Loaded) -> anyhow::Result<()> {
    let opened = match loaded.config.role {
        Role::Validator => directory::open(loaded)?,
        Role::Replica => match directory::open_replica(loaded)? {
            ReplicaDirectory::Ledger(opened) => *opened,
            ReplicaDirectory::Blank(_) => {
                bail!("there is no ledger in {} yet", loaded.config.data.display())
            }
        },
    };
    let verified = opened.store.verify(&mut |_, _| {})?;
    println!(
        "whole: {} Raft entries, {} blocks, {} leaves and {} rows agree with their seals",
        verified.entries, verified.blocks, verified.leaves, verified.rows
    );
    Ok(())
}
