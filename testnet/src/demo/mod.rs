//! `musubi-testnet demo`: a city's day on a ledger that three organisations hold.
//!
//! This file is the order of events; [`crate::load`] submits and remembers; `outage` kills the leader;
//! `finality` watches what becomes final; `story` tells ten lines; `look` looks from outside, at where the nodes
//! stand (`standing`), at logs and wallets (`verify`), at the money (`supply`), at `replicas`, at `proofs` (with a
//! `second` verifier) and `statements`, sums up what the client was `told`, and holds the `drill` last of all;
//! `report`, `bad` and `checks` turn that into `figures`, each with its check.

mod bad;
mod checks;
mod drill;
mod figures;
mod finality;
mod look;
mod outage;
mod proofs;
mod replicas;
mod report;
mod second;
mod standing;
mod statements;
mod story;
mod supply;
mod told;
mod verify;
mod words;

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
use tokio::{
    sync::{Mutex, watch as signal},
    task::JoinSet,
};

use crate::{
    city::{City, plan::Plan, setup},
    day,
    item::{Item, Scribe, sign_all},
    load::{Courier, Delivered, Journal, Pace, drive, drive_gated},
    network::{Network, PARAMETERS, Settings, now},
    random::Dice,
    up::{Stop, watch},
};
use finality::Watch;
use outage::Outage;
use told::Told;

/// Validators of the demo: the city's, the operator's, the partner's.
const VALIDATORS: usize = 3;
/// Small submissions, so that the leader's end meets many of them.
const PACE: Pace = Pace { bulk: 160, in_flight: 9 };

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
    /// Replicas that are started when the day is over: the first follows the validators, each further one the
    /// replica before it.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=4))]
    pub replicas: u8,
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
            println!("{}", figures::story_text(&figures.story));
            println!("{}", figures::tables(&figures));
            if let Some(path) = &args.json {
                std::fs::write(path, serde_json::to_string_pretty(&figures)?)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            figures.hold()
        }
        Err(error) => {
            // What happened to the nodes stays readable.
            let kept = folder.keep();
            network.lock().await.stop().await.ok();
            bail!("{error:#}\nthe nodes' logs are in {}", kept.display());
        }
    };
    let mut network = network.lock().await;
    let stopped = if args.keep {
        println!("{}", serde_json::to_string(&network.summary())?);
        eprintln!("the network runs on until Ctrl-C");
        watch(&mut network, &mut stop).await
    } else {
        network.stop().await
    };
    if !holds {
        eprintln!("not every figure holds: see ✗");
    }
    if !holds || stopped.is_err() {
        eprintln!("the nodes' logs are in {}", folder.keep().display());
    }
    stopped?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A bar on stderr.
fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<14} {bar:40} {pos:>7}/{len:<7} {elapsed}");
    let bar = ProgressBar::new(length).with_message(what);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What was run.
struct Run {
    begun: Instant,
    city: City,
    day: DaySummary,
    set_up: Vec<Delivered>,
    delivered: Vec<Delivered>,
    outage: Outage,
    story: story::Played,
}

/// The generator's side of the day.
struct DaySummary {
    books: crate::books::Books,
    good: u64,
    bad: u64,
    seconds: Duration,
}

impl Run {
    /// Everything that the client was told.
    fn told(&self) -> Told {
        let mut told = Told::default();
        told.load(&self.set_up);
        told.load(&self.delivered);
        told.story(&self.story.sent);
        told
    }
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
    let courier = Arc::new(Courier::new(urls, Some(journal))?);
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);

    let mut scribe = Scribe::new(chain, now(), Dice::new(args.seed ^ 0x5e70), "setup");
    let setup = setup::compose(&mut city, &mut scribe);
    let scribe = Scribe::new(chain, now(), Dice::new(args.seed ^ 0xda70), "day");
    let day = day::compose(&city, setup.allowances, setup.books, scribe, args.payments);
    let waves = sign_all(setup.waves, threads);
    let progress = bar(waves.iter().map(|w| w.len() as u64).sum(), "setting up");
    // Signing the day takes a core while the nodes take the city in.
    let signing = tokio::task::spawn_blocking(move || sign_all(day.waves, threads));
    let set_up = drive(&courier, PACE, waves, 0, &progress, |_| {}).await?;
    progress.finish();

    let waves = signing.await?;
    let watch = Watch::start(&*network.lock().await)?;
    let day_begun = Instant::now();
    let (delivered, outage) = live(network, &courier, waves).await?;
    let seconds = day_begun.elapsed();

    let mut network = network.lock().await;
    // They take up all of the day at once, and the story as it is told.
    for _ in 0..args.replicas {
        network.start_replica()?;
    }
    // The story plays on the node that was killed: it is as good as the others again.
    let at = usize::try_from(outage.leader.node - 1).context("nodes are few")?;
    let journal = courier.journal().context("the demo keeps a journal")?;
    let story = story::play(network.client_of(at)?, &city, setup.allowances, journal).await;
    let day = DaySummary { books: day.books, good: day.good, bad: day.bad, seconds };
    let run = Run { begun, city, day, set_up, delivered, outage, story };
    let seen = look::look(&mut network, &courier, &run, watch, args).await?;
    Ok(report::report(args, &run, &seen))
}

/// Lives the day, with the leader's end half way.
async fn live(
    network: &Arc<Mutex<Network>>,
    courier: &Arc<Courier>,
    waves: Vec<Vec<Item>>,
) -> anyhow::Result<(Vec<Delivered>, Outage)> {
    let progress = bar(waves.iter().map(|w| w.len() as u64).sum(), "the day");
    let half = outage::middle(&waves);
    // Dropped with this function, should it end early: then nobody starts nodes behind its back.
    let mut chaos = JoinSet::new();
    let (strike, mut struck) = signal::channel(false);
    let mut strike = Some(strike);
    let gate = async |wave: usize| {
        if wave == half {
            outage::await_leader(network).await?;
            if let Some(strike) = strike.take() {
                let (network, courier) = (Arc::clone(network), Arc::clone(courier));
                chaos.spawn(async move { outage::strike(&network, &courier, strike).await });
            }
        } else if wave > half {
            outage::hold(&mut struck).await;
        }
        Ok(())
    };
    let delivered = drive_gated(courier, PACE, waves, 1, &progress, gate).await?;
    let outage = chaos.join_next().await.context("the day has a middle")???;
    progress.finish();
    Ok((delivered, outage))
}

fn describe(delivered: &Delivered) -> String {
    let Delivered { item, answer } = delivered;
    let wanted = item.expected.code();
    let (got, place) = (&answer.code, format!("{:?}", answer.place).to_lowercase());
    format!("{} {} got `{got}` ({place}), it must get `{wanted}`", item.kind, item.id)
}
