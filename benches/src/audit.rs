//! An audit against the bare checks of the same log's signatures, both on all cores, in one run.
//!
//! What the audit does beyond them: decoding, hashing entries, items and leaves, executing every rule,
//! digests of the state, and comparing. The goal is a total of at most 1.3 times the bare checks. There are two
//! of them, and both are told: each signature by itself, as anyone would check a log, and in the audit's own batches,
//! which cost about half. Rates vary with the machine, the ratios hardly do; runs alternate, and the medians count.

mod bare;

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use musubi_sdk::audit::{self, Options, Source};
use musubi_testnet::year::{self, YearArgs};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use serde_json::Number;

use self::bare::{Way, bare};
use crate::end_to_end::{decimal, per};

/// Measures an audit against the bare checks of the log's signatures.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// The record to audit [default: one that is generated for the run]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Payments of a generated record.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(365..=5_000_000))]
    pub payments: u64,
    /// Seconds between the batches of a generated record.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub gather: u32,
    /// How often both are run.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Write all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// The figures.
#[derive(Debug, Serialize)]
struct Figures {
    blocks: u64,
    leaves: u64,
    /// Signatures of items; each block has its leader's on top.
    signatures: u64,
    threads: usize,
    /// The whole audit.
    audit: Took,
    /// Each signature by itself.
    alone: Took,
    /// Signatures of items in batches of the audit's size, those of leaders alone.
    batched: Took,
    /// The audit by the checks of each signature alone: of time, of CPU.
    ratio_to_alone: Number,
    cpu_ratio_to_alone: Number,
    /// The audit by the checks in batches: of time, of CPU.
    ratio_to_batched: Number,
    cpu_ratio_to_batched: Number,
}

/// Seconds that passed, and seconds of CPU: what stands where others use the machine too.
#[derive(Debug, Serialize)]
struct Took {
    seconds: Number,
    cpu_seconds: Number,
}

impl From<Cost> for Took {
    fn from(cost: Cost) -> Self {
        Self { seconds: decimal(cost.wall / 10_000), cpu_seconds: decimal(cost.cpu / 10_000) }
    }
}

/// Time that passed, and CPU that this process used, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    wall: u64,
    cpu: u64,
}

impl Cost {
    fn now(begun: Instant) -> anyhow::Result<Self> {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = u64::try_from(used.tv_sec)? * 1_000_000 + u64::try_from(used.tv_nsec)? / 1_000;
        Ok(Self { wall: micros(begun.elapsed()), cpu })
    }

    fn since(self, before: Self) -> Self {
        Self { wall: self.wall - before.wall, cpu: self.cpu - before.cpu }
    }

    fn plus(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }

    fn between(self, other: Self) -> Self {
        let (wall, cpu) =
            (u64::midpoint(self.wall, other.wall), u64::midpoint(self.cpu, other.cpu));
        Self { wall, cpu }
    }
}

/// Runs the benchmark, prints its figures and writes them.
///
/// # Errors
/// If the record cannot be generated or read, or does not hold.
pub async fn run(args: &AuditArgs) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("musubi-bench-").tempdir()?;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => generate(args, &folder.path().join("record"))?,
    };
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let (mut audits, mut batches, mut singles) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..args.rounds {
        // Before and behind the audit: the machine's speed drifts.
        let (before, signatures) = bare(&dir, threads, Way::Batched)?;
        let begun = Instant::now();
        let start = Cost::now(begun)?;
        let options = Options { threads, ..Options::default() };
        let report = audit::run(Source::directory(&dir)?, options, |_| {}).await?;
        audits.push(Cost::now(begun)?.since(start));
        ensure!(report.signatures == signatures, "both check the same signatures");
        batches.push(before.between(bare(&dir, threads, Way::Batched)?.0));
        singles.push(bare(&dir, threads, Way::Alone)?.0);
        last = Some(report);
    }
    let report = last.context("at least one round")?;
    let [audit, batched, alone] = [audits, batches, singles].map(middle);
    let ratio = |of: fn(&Cost) -> u64, to: &Cost| decimal(per(of(&audit) * 100, of(to)));
    let figures = Figures {
        blocks: report.blocks,
        leaves: report.size,
        signatures: report.signatures,
        threads: threads.get(),
        audit: audit.into(),
        alone: alone.into(),
        batched: batched.into(),
        ratio_to_alone: ratio(|c| c.wall, &alone),
        cpu_ratio_to_alone: ratio(|c| c.cpu, &alone),
        ratio_to_batched: ratio(|c| c.wall, &batched),
        cpu_ratio_to_batched: ratio(|c| c.cpu, &batched),
    };
    let text = serde_json::to_string_pretty(&figures)?;
    println!("{text}");
    if let Some(path) = &args.json {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn generate(args: &AuditArgs, out: &Path) -> anyhow::Result<PathBuf> {
    eprintln!("generating a record of {} payments", args.payments);
    let days = u32::try_from(args.payments / 1_370).unwrap_or(365).clamp(1, 365);
    let out = out.to_owned();
    year::write(
        &YearArgs {
            out: out.clone(),
            payments: args.payments,
            users: 20_000,
            shops: 1_300,
            days,
            gather: args.gather,
            seed: 1,
            json: true,
        },
        |_, _| {},
    )?;
    Ok(out)
}

fn middle(mut values: Vec<Cost>) -> Cost {
    values.sort_unstable();
    values[values.len() / 2]
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
