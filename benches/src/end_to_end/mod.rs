//! Transfers through three validators as processes on this machine: how many a second, how long each
//! takes, and what a transfer costs the nodes against the bare cost of its signature checks.
//!
//! All transfers are signed before the clock starts. The load generator shares the machine's cores with the
//! nodes, so the rate is one that the machine reaches with its clients on it; the cost counts the nodes
//! alone. Rates vary with the machine, the ratio hardly does: it is the figure to compare runs by.

mod figures;
mod floor;
mod machine;
mod population;

use std::{num::NonZero, path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use musubi_ledger::code::Code;
use musubi_testnet::{
    item::{Item, sign_all},
    load::{Courier, Delivered, Pace, drive, latency},
    network::{Network, PARAMETERS, Settings},
};

use figures::{Figures, Measured};
pub(crate) use figures::{decimal, per};
use machine::{Sampler, Usage};
use population::Population;

/// Validators, each of its own organisation.
const VALIDATORS: usize = 3;
/// As an app's backend would submit: bodies near the limit, a few at a time for each node.
const PACE: Pace = Pace { bulk: 800, in_flight: 6 };

/// Measures committed transfers end to end: three validators, both sides sign each transfer.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Transfers that are measured.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=4_000_000))]
    pub transfers: u32,
    /// Payers, each with a wallet, drawn evenly.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub payers: u32,
    /// Payees, drawn by Zipf's law: the n-th is paid 1/n as often as the first.
    #[arg(long, default_value_t = 1_900, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub payees: u32,
    /// Seed of keys and draws.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Runs the benchmark, prints its table and writes its figures.
///
/// # Errors
/// If the network cannot be run, or a transfer is not applied: a benchmark measures what works.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("musubi-bench-").tempdir()?;
    let mut network = Network::start(&Settings {
        dir: folder.path().into(),
        validators: VALIDATORS,
        seed: options.seed,
        parameters: PARAMETERS,
    })?;
    let measured = measure(options, &mut network).await;
    let stopped = network.stop().await;
    let figures = match measured.and_then(|figures| stopped.map(|()| figures)) {
        Ok(figures) => figures,
        Err(error) => {
            let kept = folder.keep();
            bail!("{error:#}\nthe nodes' logs are in {}", kept.display());
        }
    };
    println!("{}", figures.table());
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

async fn measure(options: &Options, network: &mut Network) -> anyhow::Result<Figures> {
    network.ready().await?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let mut population = Population::new(options, network.genesis().chain(), VALIDATORS);
    let courier = Arc::new(Courier::new(network.urls(), None)?);

    let setup = sign_all(population.set_up(), threads);
    deliver(&courier, setup, "setting up").await?;
    let waves = sign_all(vec![population.transfers(options.transfers)], threads);

    let floor_before = floor::measure(threads)?;
    let sampler = Sampler::start(pids(network)?);
    let (before, begun) = (Usage::of(network)?, Instant::now());
    let delivered = deliver(&courier, waves, "transfers").await?;
    let (seconds, after) = (begun.elapsed(), Usage::of(network)?);
    let memory = sampler.stop().await?;
    let floor_after = floor::measure(threads)?;

    Ok(Figures::new(&Measured {
        transfers: delivered.len() as u64,
        payers: options.payers,
        payees: options.payees,
        seconds,
        latency: latency(&delivered),
        used: after.since(&before),
        memory,
        // The machine's speed drifts: what stands against the run is the middle of both ends.
        signature_ns: u64::midpoint(floor_before, floor_after),
        nodes: VALIDATORS as u64,
    }))
}

fn pids(network: &Network) -> anyhow::Result<Vec<u32>> {
    let pids = network.validators().iter().map(|v| v.pid().context("a node does not run"));
    pids.collect()
}

/// Submits everything and holds each item to its expected code.
async fn deliver(
    courier: &Arc<Courier>,
    waves: Vec<Vec<Item>>,
    what: &'static str,
) -> anyhow::Result<Vec<Delivered>> {
    let style = ProgressStyle::with_template("{msg:<14} {bar:40} {pos:>7}/{len:<7} {elapsed}");
    let bar = ProgressBar::new(waves.iter().map(|wave| wave.len() as u64).sum());
    let bar =
        bar.with_message(what).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let delivered = drive(courier, PACE, waves, 0, &bar, |_| {}).await?;
    bar.finish();
    let applied = Code::Applied.name();
    if let Some(Delivered { item, answer }) = delivered.iter().find(|d| d.answer.code != applied) {
        bail!("{} {} got `{}`: a benchmark measures what works", item.kind, item.id, answer.code);
    }
    Ok(delivered)
}
