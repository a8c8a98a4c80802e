//! The book of blocks and verdicts: one block per height, one verdict per id, time that only rises, and
//! stores that stand where they were left.

use std::collections::BTreeMap;

use musubi_consensus::Position;
use musubi_ledger::{
    batch::Batch,
    code::Code,
    execute::{Block, Head, ItemResult},
    hash::Hash,
    id::TxId,
    time::Time,
};
use musubi_storage::Store;

use super::{Holds, Verdict, broken};

/// The book.
pub(crate) struct ChainBook {
    blocks: Vec<Seen>,
    verdicts: BTreeMap<TxId, Verdict>,
    /// Per node, the last entry recorded, and the last one whose record is durable.
    recorded: Vec<Recorded>,
    void: u64,
}

/// A block as the first node executed it.
struct Seen {
    /// The Raft entry.
    index: u64,
    head: Head,
    root: Hash,
    state: Hash,
    items: Vec<ItemResult>,
}

#[derive(Clone, Copy, Default)]
struct Recorded {
    last: u64,
    durable: u64,
}

impl ChainBook {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            blocks: Vec::new(),
            verdicts: BTreeMap::new(),
            recorded: vec![Recorded::default(); nodes],
            void: 0,
        }
    }

    pub(crate) fn is_new(&self, height: u64) -> bool {
        height >= self.blocks.len() as u64
    }

    /// The root of the seal at a size, if `node` has recorded its block.
    pub(crate) fn seal(&self, node: usize, size: u64) -> Option<Hash> {
        let at = self.blocks.binary_search_by_key(&size, |block| block.head.size).ok()?;
        let seen = &self.blocks[at];
        (seen.index <= self.recorded[node].last).then_some(seen.root)
    }

    pub(crate) fn verdict(&self, id: &TxId) -> Option<Verdict> {
        self.verdicts.get(id).copied()
    }

    pub(crate) fn counts(&self) -> (u64, [u64; 3]) {
        let applied = self.verdicts.values().filter(|v| v.code == Code::Applied).count() as u64;
        let rejected = self.verdicts.len() as u64 - applied;
        (self.blocks.len() as u64, [applied, rejected, self.void])
    }

    /// I17: the block follows on the one before, and its time is the batch's, clamped, and no clock's.
    pub(crate) fn check(
        &self,
        node: usize,
        entry: Position,
        batch: &Batch,
        block: &Block,
    ) -> Holds {
        let height = block.head.height;
        let before = height.checked_sub(1).and_then(|height| self.blocks.get(height as usize));
        let Some(before) = before else {
            let seen = format!("node {} executes block {height} first", node + 1);
            return broken("I4 one block per height", seen);
        };
        let expected = batch.time.max(Time(before.head.time.0 + 1));
        if block.head.time != expected || batch.index != entry.index {
            let seen = format!(
                "node {}: block {height} has time {:?}, {expected:?} follows from its entry",
                node + 1,
                block.head.time
            );
            return broken("I17 block time is the batch's and rises", seen);
        }
        Ok(())
    }

    /// I4: every node makes the same block.
    pub(crate) fn compare(&self, node: usize, block: &Block) -> Holds {
        let seen = &self.blocks[block.head.height as usize];
        let known = (seen.head, seen.root, seen.state);
        if known == (block.head, block.root, block.seal.state) && seen.items == block.items {
            return Ok(());
        }
        let differs = seen.items.iter().zip(&block.items).find(|(a, b)| a != b);
        let seen = format!(
            "node {} makes another block {}; first verdict that differs: {differs:?}",
            node + 1,
            block.head.height
        );
        broken("I4 one block per height", seen)
    }

    /// Takes a new block. I7: no id gets a second verdict.
    pub(crate) fn take(&mut self, index: u64, block: &Block) -> Holds {
        for item in &block.items {
            let Some(leaf) = item.leaf else {
                self.void += 1;
                continue;
            };
            let verdict = Verdict { code: item.code, height: block.head.height, leaf };
            if let Some(first) = self.verdicts.insert(item.id, verdict) {
                let seen = format!("{} is judged {first:?} and {verdict:?}", item.id);
                return broken("I7 one verdict per id, for ever", seen);
            }
        }
        self.blocks.push(Seen {
            index,
            head: block.head,
            root: block.root,
            state: block.seal.state,
            items: block.items.clone(),
        });
        Ok(())
    }

    /// I15: the store stands at the entry just recorded, with the block that belongs to it.
    pub(crate) fn recorded(&mut self, node: usize, entry: Position, store: &Store) -> Holds {
        self.recorded[node].last = entry.index;
        self.stands(node, entry.index, store)
    }

    pub(crate) fn synced(&mut self, node: usize) {
        self.recorded[node].durable = self.recorded[node].last;
    }

    /// The next start finds what it finds.
    pub(crate) fn forgot(&mut self, node: usize) {
        self.recorded[node] = Recorded::default();
    }

    /// I15: a start finds all that was durable, nothing that was not written, and the state that
    /// belongs to it.
    pub(crate) fn started(&mut self, node: usize, store: &Store) -> Holds {
        let applied = store.applied().index;
        let Recorded { last, durable } = self.recorded[node];
        if last > 0 && !(durable..=last).contains(&applied) {
            let seen = format!(
                "node {} starts at entry {applied}; durable was {durable}, written {last}",
                node + 1
            );
            return broken("I15 the applied index survives", seen);
        }
        self.recorded[node] = Recorded { last: applied, durable: applied };
        self.stands(node, applied, store)
    }

    fn stands(&self, node: usize, applied: u64, store: &Store) -> Holds {
        let expected = self.blocks.iter().rev().find(|block| block.index <= applied);
        let found = store.head();
        if store.applied().index == applied
            && expected.is_some_and(|block| (block.head, block.root) == found)
        {
            return Ok(());
        }
        let seen = format!(
            "node {} has applied entry {applied} and stands at height {}, not {:?}",
            node + 1,
            found.0.height,
            expected.map(|block| block.head.height)
        );
        broken("I15 applied index and state belong together", seen)
    }
}
