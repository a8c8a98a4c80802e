//! `musubi-node run` and `musubi-node verify`.

use anyhow::{Context, bail};
use musubi_storage::{Directory, OpenSettings, Store, rocks::RocksOptions};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{config::Loaded, node};

/// Runs a validator until SIGINT or SIGTERM, or until it must stop by itself.
///
/// # Errors
/// Why it could not start, or had to stop.
pub async fn run(loaded: Loaded) -> anyhow::Result<()> {
    start_log(&loaded)?;
    let http = loaded.config.http.clone();
    let mut running = node::start(loaded).await?;
    let api = crate::api::serve(running.node(), &http).await?;
    tracing::info!(
        node = running.node().loaded.config.node,
        http = %api.address(),
        network = %running.node().network.listen_address(),
        "running"
    );
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = running.ended() => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
        _ = terminate.recv() => None,
    };
    tracing::info!("stopping");
    api.stop().await;
    running.stop().await;
    match ended {
        Some(Err(fault)) => {
            tracing::error!(code = fault.code(), %fault, "this node had to stop");
            bail!("stopped by itself ({}): {fault}", fault.code())
        }
        Some(Ok(())) | None => {
            tracing::info!("stopped cleanly");
            Ok(())
        }
    }
}

fn start_log(loaded: &Loaded) -> anyhow::Result<()> {
    let log = &loaded.config.log;
    let filter = EnvFilter::try_new(&log.filter)
        .with_context(|| format!("log.filter = {:?} is no filter", log.filter))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
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
    let directory = Directory::on_disk(&loaded.config.data, &RocksOptions::default())?;
    let settings = OpenSettings { chain: Some(loaded.genesis.chain()), ..OpenSettings::default() };
    let opened = Store::open(directory, &settings)?;
    let verified = opened.store.verify(&mut |_, _| {})?;
    println!(
        "whole: {} Raft entries, {} blocks, {} leaves and {} rows agree with their seals",
        verified.entries, verified.blocks, verified.leaves, verified.rows
    );
    Ok(())
}
