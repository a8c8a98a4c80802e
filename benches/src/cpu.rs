//! CPU time of blocks: what programs are compared by on a machine that others use too.

use musubi_ledger::{execute::check_items, genesis::RULES_VERSION};
use rustix::time::{ClockId, clock_gettime};

use crate::town::Town;

/// What blocks took: CPU nanoseconds of each.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    whole: Vec<i64>,
    judged: Vec<i64>,
}

/// The medians of blocks, in CPU nanoseconds for one of a block's items.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    /// With the checks of signatures and proofs.
    pub whole: i64,
    /// Judging, leaves and digests alone.
    pub judged: i64,
}

impl Blocks {
    /// Executes a block, all of whose items must be applied; the number of its postings.
    ///
    /// # Panics
    /// If an item is not applied.
    pub fn measure(&mut self, town: &mut Town, items: Vec<Vec<u8>>) -> usize {
        let batch = town.batch(items);
        let start = cpu_ns();
        let checked = check_items(&batch.chain, RULES_VERSION, &batch.items, &|_| false);
        let judged = cpu_ns();
        let executed = town.chain.execute(&town.state, &batch, [0; 32], &checked);
        let end = cpu_ns();
        assert!(executed.items.iter().all(|item| item.code.name() == "applied"));
        town.state.apply(&executed.changes);
        self.whole.push(end - start);
        self.judged.push(end - judged);
        executed.entries.iter().map(|entry| entry.outcome.postings.len()).sum()
    }

    /// The medians, by item.
    #[must_use]
    pub fn median(&self, items: usize) -> Median {
        let per = |values: &[i64]| median(values.to_vec()) / i64::try_from(items).unwrap_or(1);
        Median { whole: per(&self.whole), judged: per(&self.judged) }
    }
}

/// `a / b` with three decimal places.
#[must_use]
pub fn ratio(a: i64, b: i64) -> String {
    format!("{}.{:03}", a / b, a % b * 1_000 / b)
}

fn cpu_ns() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[values.len() / 2]
}
