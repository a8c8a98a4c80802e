//! `musubi-testnet demo`: a city's day on a ledger that three organisations hold.
//!
//! This file is the order of events; `courier`, `drive` and `journal` submit and remember; `outage`
//! kills the leader; `story` tells ten lines; `verify` looks from outside; `report` and `figures` count,
//! check and show.

mod checks;
mod courier;
mod drive;
mod figures;
mod journal;
mod outage;
mod report;
mod story;
mod verify;

use std::{
    num::NonZero,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use musubi_sdk::audit;
use tokio::{sync::Mutex, task::JoinSet};

use crate::{
    city::{City, plan::Plan, setup},
    day,
    item::{Scribe, sign_all},
    network::{Network, PARAMETERS, Settings, now},
    random::Dice,
    up::{Stop, watch},
};
use courier::Courier;
use drive::{Delivered, drive};
use journal::Journal;
use outage::Outage;

/// Validators of the demo: the city's, the operator's, the partner's.
const VALIDATORS: usize = 3;

/// Runs a generated day on three validators of three organisations, kills the leader half way, and
/// audits all of it.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Payments of the day.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=400_000))]
    pub payments: u64,
    /// The seed of the city and its day.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Leave the network running afterwards, until Ctrl-C.
    #[arg(long)]
    pub keep: bool,
}

/// Runs the command. Success only if every line and every figure holds.
///
/// # Errors
/// If something cannot be done at all.
pub async fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let folder = tempfile::Builder::new().prefix("musubi-demo-").tempdir()?;
    let network = Network::start(&Settings {
        dir: folder.path().into(),
        validators: VALIDATORS,
        seed: args.seed,
        parameters: PARAMETERS,
    })?;
    let network = Arc::new(Mutex::new(network));
    let played = tokio::select! {
        played = play(args, &network) => played,
        () = stop.wait() => {
            network.lock().await.stop().await?;
            bail!("stopped before the end");
        }
    };
    let holds = match played {
        Ok(figures) => {
            let holds = figures.checks.iter().all(|c| c.ok) && figures.story.iter().all(|l| l.ok);
            println!("{}", figures::story_text(&figures.story));
            println!("{}", figures::tables(&figures));
            if let Some(path) = &args.json {
                std::fs::write(path, serde_json::to_string_pretty(&figures)?)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            holds
        }
        Err(error) => {
            // What happened to the nodes stays readable.
            let kept = folder.keep();
            network.lock().await.stop().await.ok();
            bail!("{error:#}\nthe nodes' logs are in {}", kept.display());
        }
    };
    let mut network = network.lock().await;
    if args.keep {
        println!("{}", serde_json::to_string(&network.summary())?);
        eprintln!("the network runs on until Ctrl-C");
        watch(&mut network, &mut stop).await?;
    } else {
        network.stop().await?;
    }
    if !holds {
        eprintln!(
            "not every figure holds: see ✗; the nodes' logs are in {}",
            folder.keep().display()
        );
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A bar on stderr.
fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<14} {bar:40} {pos:>7}/{len:<7} {elapsed}");
    let bar = ProgressBar::new(length).with_message(what);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What the day brought.
struct Run {
    begun: Instant,
    city: City,
    day: DaySummary,
    delivered: Vec<Delivered>,
    outage: Outage,
    story: Vec<story::Line>,
    setup_unexpected: Vec<String>,
}

/// The generator's side of the day.
struct DaySummary {
    books: crate::books::Books,
    good: u64,
    bad: u64,
    seconds: Duration,
}

async fn play(args: &DemoArgs, network: &Arc<Mutex<Network>>) -> anyhow::Result<figures::Figures> {
    let begun = Instant::now();
    let mut city = City::new(args.seed, Plan::for_payments(args.payments), VALIDATORS);
    let (chain, urls, journal) = {
        let mut network = network.lock().await;
        network.ready().await?;
        let journal = Journal::create(&network.dir().join("acknowledged"))?;
        (network.genesis().chain(), network.urls(), journal)
    };
    let courier = Arc::new(Courier::new(urls, journal)?);
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);

    let mut scribe = Scribe::new(chain, now(), Dice::new(args.seed ^ 0x5e70), "setup");
    let setup = setup::compose(&mut city, &mut scribe);
    let scribe = Scribe::new(chain, now(), Dice::new(args.seed ^ 0xda70), "day");
    let day = day::compose(&city, setup.allowances, setup.books, scribe, args.payments);
    let waves = sign_all(setup.waves, threads);
    let progress = bar(waves.iter().map(|w| w.len() as u64).sum(), "setting up");
    // Signing the day takes a core while the nodes take the city in.
    let signing = tokio::task::spawn_blocking(move || sign_all(day.waves, threads));
    let set_up = drive(&courier, VALIDATORS, waves, 0, &progress, |_| {}).await?;
    progress.finish();
    let wrong = set_up.iter().filter(|d| !figures::as_expected(d));
    let setup_unexpected = wrong.map(describe).collect();

    let waves = signing.await?;
    let progress = bar(waves.iter().map(|w| w.len() as u64).sum(), "the day");
    let half = waves.len() / 2;
    // Dropped with this function, should it end early: then nobody starts nodes behind its back.
    let mut chaos = JoinSet::new();
    let day_begun = Instant::now();
    let delivered = drive(&courier, VALIDATORS, waves, 1, &progress, |wave| {
        if wave == half {
            let (network, courier) = (Arc::clone(network), Arc::clone(&courier));
            let strike = async move { outage::strike(&network, &courier).await };
            chaos.spawn(strike);
        }
    })
    .await?;
    let seconds = day_begun.elapsed();
    progress.finish();
    let outage = chaos.join_next().await.context("the day has a middle")???;

    let network = network.lock().await;
    // The story plays on the node that was killed: it is as good as the others again.
    let at = usize::try_from(outage.node - 1).context("nodes are few")?;
    let story = story::play(network.client_of(at)?, &city, setup.allowances).await;
    let day = DaySummary { books: day.books, good: day.good, bad: day.bad, seconds };
    let run = Run { begun, city, day, delivered, outage, story, setup_unexpected };
    report::report(args, &network, &courier, run).await
}

fn describe(delivered: &Delivered) -> String {
    let Delivered { item, answer } = delivered;
    let wanted = item.expected.code();
    format!("{} {} got `{}` instead of `{wanted}`", item.kind, item.id, answer.code)
}

/// The library's audit of one node, all signatures and rules.
async fn audit(client: musubi_sdk::Client) -> anyhow::Result<(audit::Report, Duration)> {
    let begun = Instant::now();
    let progress = bar(0, "auditing");
    let source = audit::Source::node(client);
    let report = audit::run(source, audit::Options::default(), |at| {
        progress.set_length(at.target);
        progress.set_position(at.height);
    });
    let report = report.await.context("the audit found something")?;
    progress.finish();
    Ok((report, begun.elapsed()))
}
