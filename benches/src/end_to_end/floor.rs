//! The floor: what one signature check costs this machine, in batches of 512 distinct keys.

use std::num::NonZero;

use anyhow::{Context, ensure};
use musubi_ledger::verify::{Check, verify_all};
use rustix::time::{ClockId, clock_gettime};

use crate::town::key;

/// Keys, and signatures, of one batch.
const BATCH: usize = 512;
/// Batches a thread checks; the middle one counts.
const ROUNDS: usize = 21;
/// As long as what a transaction's signature covers.
const MESSAGE: [u8; 131] = [7; 131];

/// Nanoseconds of CPU for one signature, checked on `threads` threads at once: as busy as the machine is
/// while the nodes run, since cores that share a chip slow each other down.
///
/// # Errors
/// If a signature does not hold.
pub(super) fn measure(threads: NonZero<usize>) -> anyhow::Result<u64> {
    let medians: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.get()).map(|_| scope.spawn(median)).collect();
        running.into_iter().map(|t| t.join().expect("checking does not panic")).collect()
    });
    let count = medians.len() as u64;
    let sum: u64 = medians.into_iter().sum::<anyhow::Result<u64>>()?;
    Ok(sum / count)
}

fn median() -> anyhow::Result<u64> {
    let signed: Vec<_> = (0..BATCH)
        .map(|n| {
            let key = key(9, n);
            (key.public(), key.sign(&MESSAGE))
        })
        .collect();
    let check =
        |(key, signature): &_| Check { key: *key, message: &MESSAGE, signature: *signature };
    let checks: Vec<Check<'_>> = signed.iter().map(check).collect();
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = cpu_ns()?;
        ensure!(verify_all(&checks).into_iter().all(|holds| holds), "a good signature holds");
        rounds.push((cpu_ns()? - begun) / BATCH as u64);
    }
    rounds.sort_unstable();
    Ok(rounds[ROUNDS / 2])
}

/// CPU that this thread has used, in nanoseconds.
fn cpu_ns() -> anyhow::Result<u64> {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    let whole = u64::try_from(used.tv_sec)? * 1_000_000_000;
    Ok(whole + u64::try_from(used.tv_nsec).context("nanoseconds are positive")?)
}
