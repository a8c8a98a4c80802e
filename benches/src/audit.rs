//! An audit against the bare checks of the same log's signatures, both on all cores, in one run.
//!
//! What the audit does beyond them: decoding, hashing entries, items and leaves, executing every rule,
//! digests of the state, and comparing. The goal is a total of at most 1.3 times the bare checks. Rates vary
//! with the machine, the ratio hardly does; runs alternate, and the medians count.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use musubi_ledger::{
    batch::Batch,
    genesis::Genesis,
    keys::verify_strict,
    transaction::{Preimage, Transaction},
    verify::{Check, verify_all},
};
use musubi_sdk::audit::{self, Options, Source};
use musubi_testnet::year::{self, YearArgs};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use serde_json::Number;

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
    /// The whole audit, seconds.
    audit_seconds: Number,
    /// All signatures of items in batches of the audit's size, and all leaders' signatures, seconds.
    signature_seconds: Number,
    /// The first by the second.
    audit_ratio: Number,
    /// CPU of the whole audit, seconds: what stands where others use the machine too.
    audit_cpu_seconds: Number,
    /// CPU of the bare checks, seconds.
    signature_cpu_seconds: Number,
    /// The first by the second.
    audit_cpu_ratio: Number,
    /// Each round's ratio of times.
    rounds: Vec<Number>,
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
    let (mut audits, mut checks, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..args.rounds {
        // Before and behind the audit: the machine's speed drifts.
        let (before, signatures) = bare(&dir, threads)?;
        let begun = Instant::now();
        let start = Cost::now(begun)?;
        let options = Options { threads, ..Options::default() };
        let report = audit::run(Source::directory(&dir)?, options, |_| {}).await?;
        let audit = Cost::now(begun)?.since(start);
        ensure!(report.signatures == signatures, "both check the same signatures");
        let bare = before.between(bare(&dir, threads)?.0);
        audits.push(audit);
        checks.push(bare);
        ratios.push(per(audit.wall * 100, bare.wall));
        last = Some(report);
    }
    let report = last.context("at least one round")?;
    let (audit, bare) = (middle(audits), middle(checks));
    let figures = Figures {
        blocks: report.blocks,
        leaves: report.size,
        signatures: report.signatures,
        threads: threads.get(),
        audit_seconds: decimal(audit.wall / 10_000),
        signature_seconds: decimal(bare.wall / 10_000),
        audit_ratio: decimal(per(audit.wall * 100, bare.wall)),
        audit_cpu_seconds: decimal(audit.cpu / 10_000),
        signature_cpu_seconds: decimal(bare.cpu / 10_000),
        audit_cpu_ratio: decimal(per(audit.cpu * 100, bare.cpu)),
        rounds: ratios.into_iter().map(decimal).collect(),
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

/// What one thread checks: decoded before the clock starts.
#[derive(Default)]
struct Share {
    items: Vec<(Transaction, Vec<Preimage>)>,
    batches: Vec<Batch>,
}

/// What the bare checks cost, and how many signatures of items there are. The checks are cut as the audit cuts
/// them, read in parts of bounded memory; only checking is timed.
fn bare(dir: &Path, threads: NonZero<usize>) -> anyhow::Result<(Cost, u64)> {
    let genesis = Genesis::decode(&std::fs::read(dir.join(audit::FILES[0]))?)?;
    let mut entries = Entries::open(&dir.join(audit::FILES[1]))?;
    let (mut cost, mut signatures) = (Cost::default(), 0);
    loop {
        let mut shares: Vec<Share> = Vec::new();
        for _ in 0..16 * threads.get() {
            match share(&mut entries)? {
                Some(share) => shares.push(share),
                None => break,
            }
        }
        if shares.is_empty() {
            return Ok((cost, signatures));
        }
        let (took, checked) = check(&genesis, shares, threads)?;
        cost = cost.plus(took);
        signatures += checked;
    }
}

/// As much as the audit checks at a time.
fn share(entries: &mut Entries) -> anyhow::Result<Option<Share>> {
    let (mut share, mut bytes) = (Share::default(), 0);
    while bytes < audit::pipeline::CHUNK_BYTES
        && share.batches.len() < audit::pipeline::CHUNK_ENTRIES
    {
        let Some(entry) = entries.next()? else { break };
        bytes += entry.len();
        let batch = Batch::decode(&entry)?;
        for item in &batch.items {
            let transaction = Transaction::decode(item)?;
            let preimages = transaction.preimages(&transaction.body.id());
            share.items.push((transaction, preimages));
        }
        share.batches.push(batch);
    }
    Ok((!share.batches.is_empty()).then_some(share))
}

fn check(
    genesis: &Genesis,
    shares: Vec<Share>,
    threads: NonZero<usize>,
) -> anyhow::Result<(Cost, u64)> {
    let hashes: Vec<Vec<[u8; 32]>> =
        shares.iter().map(|s| s.batches.iter().map(Batch::preimage).collect()).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let begun = Instant::now();
    let start = Cost::now(begun)?;
    let checked: Vec<anyhow::Result<u64>> = std::thread::scope(|scope| {
        let work = || {
            let mut checked = 0;
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(share) = shares.get(at) else { return Ok(checked) };
                checked += check_share(genesis, share, &hashes[at])?;
            }
        };
        let running: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|t| t.join().expect("checking does not panic")).collect()
    });
    let took = Cost::now(begun)?.since(start);
    Ok((took, checked.into_iter().sum::<anyhow::Result<u64>>()?))
}

fn check_share(genesis: &Genesis, share: &Share, hashes: &[[u8; 32]]) -> anyhow::Result<u64> {
    for (batch, hash) in share.batches.iter().zip(hashes) {
        let Some(leader) = genesis.nodes.iter().find(|node| node.id == batch.leader) else {
            bail!("a batch is by an unknown leader");
        };
        ensure!(verify_strict(&leader.node, hash, &batch.signature), "a batch's signature holds");
    }
    let checks: Vec<Check<'_>> =
        share.items.iter().flat_map(|(t, preimages)| t.checks(preimages)).collect();
    ensure!(verify_all(&checks).into_iter().all(|holds| holds), "all signatures hold");
    Ok(checks.len() as u64)
}

/// The entries of a record.
struct Entries(std::io::BufReader<std::fs::File>);

impl Entries {
    fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self(std::io::BufReader::with_capacity(1 << 16, std::fs::File::open(path)?)))
    }

    fn next(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        use std::io::Read;
        let mut length = [0; 4];
        if self.0.read_exact(&mut length).is_err() {
            return Ok(None);
        }
        let mut entry = vec![0; usize::try_from(u32::from_be_bytes(length))?];
        self.0.read_exact(&mut entry)?;
        Ok(Some(entry))
    }
}

fn middle(mut values: Vec<Cost>) -> Cost {
    values.sort_unstable();
    values[values.len() / 2]
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
