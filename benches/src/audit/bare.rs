//! The bare checks: every signature of a record, decoded before the clock starts, and nothing else.

use std::{
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use anyhow::{bail, ensure};
use musubi_ledger::{
    batch::Batch,
    genesis::Genesis,
    keys::verify_strict,
    transaction::{Preimage, Transaction},
    verify::{Check, verify_all},
};
use musubi_sdk::audit;

use super::Cost;

/// How the signatures of items are checked; those of leaders are always checked each by itself, strictly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Each by itself: what anyone does who has a log and a library.
    Alone,
    /// Together, in batches as large as the audit's.
    Batched,
}

/// What one thread checks: decoded before the clock starts.
#[derive(Default)]
struct Share {
    items: Vec<(Transaction, Vec<Preimage>)>,
    batches: Vec<Batch>,
}

/// What the bare checks cost, and how many signatures of items there are. The checks are cut as the audit cuts
/// them, read in parts of bounded memory; only checking is timed.
pub(super) fn bare(dir: &Path, threads: NonZero<usize>, way: Way) -> anyhow::Result<(Cost, u64)> {
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
        let (took, checked) = check(&genesis, shares, threads, way)?;
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
    way: Way,
) -> anyhow::Result<(Cost, u64)> {
    let hashes: Vec<Vec<[u8; 32]>> =
        shares.iter().map(|s| s.batches.iter().map(Batch::preimage).collect()).collect();
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let start = Cost::now(begun)?;
    let checked: Vec<anyhow::Result<u64>> = std::thread::scope(|scope| {
        let work = || {
            let mut checked = 0;
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(share) = shares.get(at) else { return Ok(checked) };
                checked += check_share(genesis, share, &hashes[at], way)?;
            }
        };
        let running: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|t| t.join().expect("checking does not panic")).collect()
    });
    let took = Cost::now(begun)?.since(start);
    Ok((took, checked.into_iter().sum::<anyhow::Result<u64>>()?))
}

fn check_share(
    genesis: &Genesis,
    share: &Share,
    hashes: &[[u8; 32]],
    way: Way,
) -> anyhow::Result<u64> {
    for (batch, hash) in share.batches.iter().zip(hashes) {
        let Some(leader) = genesis.nodes.iter().find(|node| node.id == batch.leader) else {
            bail!("a batch is by an unknown leader");
        };
        ensure!(verify_strict(&leader.node, hash, &batch.signature), "a batch's signature holds");
    }
    let checks: Vec<Check<'_>> =
        share.items.iter().flat_map(|(t, preimages)| t.checks(preimages)).collect();
    let together = match way {
        Way::Alone => 1,
        Way::Batched => checks.len().max(1),
    };
    for checks in checks.chunks(together) {
        ensure!(verify_all(checks).into_iter().all(|holds| holds), "all signatures hold");
    }
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
