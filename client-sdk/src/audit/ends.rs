//! Where blocks end: what checkpoints are compared with.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{execute::Head, hash::Hash, time::Time};

/// Where a block ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Leaves in the log.
    pub(super) size: u64,
    pub(super) height: u64,
    pub(super) time: Time,
    /// Merkle root at that size.
    pub(super) root: Hash,
}

/// Ends of blocks: those at which somebody signed, and the last. Without knowing which, all of them.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    wanted: Option<BTreeSet<u64>>,
    kept: BTreeMap<u64, End>,
    last: End,
}

impl Ends {
    /// Begins with the end of block 0.
    pub(super) fn new(head: Head, root: Hash) -> Self {
        let last = end(head, root);
        Self { wanted: None, kept: BTreeMap::from([(last.size, last)]), last }
    }

    /// From now on only these sizes are kept: memory that does not grow with the log.
    pub(super) fn keep_only(&mut self, sizes: BTreeSet<u64>) {
        self.kept.retain(|size, _| sizes.contains(size));
        self.wanted = Some(sizes);
    }

    /// Adds the next block's.
    pub(super) fn push(&mut self, head: Head, root: Hash) {
        self.last = end(head, root);
        self.keep(self.last);
    }

    /// Adds an earlier block's, as a resume point has it.
    pub(super) fn keep(&mut self, end: End) {
        if self.wanted.as_ref().is_none_or(|sizes| sizes.contains(&end.size)) {
            self.kept.insert(end.size, end);
        }
    }

    /// The last.
    pub(super) fn last(&self) -> &End {
        &self.last
    }

    /// The one at a size, if a block ends there.
    pub(super) fn at_size(&self, size: u64) -> Option<&End> {
        self.kept.get(&size).or(Some(&self.last).filter(|last| last.size == size))
    }

    /// The one of a height, if it was kept.
    pub(super) fn at_height(&self, height: u64) -> Option<&End> {
        let found = self.kept.values().find(|end| end.height == height);
        found.or(Some(&self.last).filter(|last| last.height == height))
    }
}

fn end(head: Head, root: Hash) -> End {
    let Head { size, height, time, .. } = head;
    End { size, height, time, root }
}
