//! Executing a checked block, comparing what comes out with what the upstream says, recording it.

use std::sync::Arc;

use musubi_consensus::Position;
use musubi_ledger::{
    execute::{Block, Chain, Head},
    leaf::{LEAF_BYTES, Leaf, SealBody},
};
use musubi_storage::{EMPTY_ENTRIES_MAX, Store, StoreError};
use thiserror::Error;

use super::{
    check::Checked,
    refused::{Refused, Wrong},
};
use crate::core::{
    Fault,
    executor::keys_of,
    keeper::{Keeper, Questions},
};
use crate::memos::Memos;

/// Why a block was not taken.
#[derive(Debug, Error)]
pub enum NotTaken {
    /// It does not add up.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This node failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The chain as this replica executes it, and where it records it.
pub struct Judge {
    chain: Chain,
    store: Arc<Store>,
    keeper: Keeper,
    memos: Arc<Memos>,
}

impl Judge {
    /// Takes up a chain where `store` left it.
    ///
    /// # Errors
    /// [`StoreError`] if what moved today cannot be found again.
    pub fn new(chain: Chain, store: Arc<Store>, memos: Arc<Memos>) -> Result<Self, StoreError> {
        let keeper = Keeper::resume(&store)?;
        Ok(Self { chain, store, keeper, memos })
    }

    /// Answers what readers ask about wallets.
    pub fn answer(&self, questions: &Questions) {
        questions.answer(&self.chain, &self.store);
    }

    /// Where it stands.
    #[must_use]
    pub fn head(&self) -> Head {
        self.chain.head()
    }

    /// Executes a block and records it, if every leaf and the seal are what the upstream says.
    ///
    /// A crash right behind this keeps all of the block or nothing; it is then pulled again.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing of the block is recorded then.
    ///
    /// # Panics
    /// If `checked` is of another height than the next.
    pub fn take(&mut self, checked: &Checked) -> Result<Block, NotTaken> {
        let height = self.chain.head().height + 1;
        assert_eq!(checked.offered.height, height, "blocks are asked for in order");
        let position = self.position(checked)?;
        let next = self.chain.next_time(&checked.batch);
        let kept = self.keeper.before(next, &self.chain, &self.store);
        kept.map_err(failed)?;
        let ahead = self.store.state().ahead(keys_of(&checked.items));
        let block = self.chain.execute(&ahead, &checked.batch, checked.hash, &checked.items);
        if let Err(refused) = compare(checked, &block) {
            // The chain has gone on with a block that is not to be, which may even have begun a day: back to
            // what is recorded. What was kept for the day before is written again at its true end.
            let chain = self.store.chain();
            self.chain = chain.map_err(|error| Fault::Storage(error.to_string()))?;
            self.keeper = Keeper::resume(&self.store).map_err(failed)?;
            return Err(refused.into());
        }
        self.memos.executed(&checked.items, &block).map_err(failed)?;
        let data = checked.offered.entry.to_vec();
        let recorded = self.store.record_followed(&block, position, data);
        recorded.map_err(failed)?;
        self.keeper.after(&block);
        Ok(block)
    }

    /// The entry's place, which must follow on the last one's.
    fn position(&self, checked: &Checked) -> Result<Position, Refused> {
        let last = self.store.applied();
        let (term, index) = (checked.batch.term, checked.batch.index);
        let follows = term >= last.term && index > last.index;
        if follows && index - last.index <= EMPTY_ENTRIES_MAX {
            return Ok(Position { index, term });
        }
        let wrong = Wrong::Order { term, index, last_term: last.term, last_index: last.index };
        Err(Refused { height: checked.offered.height, leaf: None, wrong })
    }
}

fn failed(error: StoreError) -> Fault {
    Fault::Storage(error.to_string())
}

/// Compares leaf by leaf, then the seal. Equal leaves on an equal log give an equal root.
fn compare(checked: &Checked, block: &Block) -> Result<(), Refused> {
    let height = block.head.height;
    let ours = block.entries.iter().map(|entry| entry.leaf).chain([block.seal.leaf()]);
    let theirs = &checked.offered.leaves;
    let mut count = 0;
    for (index, leaf) in (block.first_leaf..).zip(ours) {
        let at = count * LEAF_BYTES;
        count += 1;
        let refused = |wrong| Refused { height, leaf: Some(index), wrong };
        let Some(served) = theirs.get(at..at + LEAF_BYTES) else {
            let expected = (block.entries.len() + 1) * LEAF_BYTES;
            return Err(refused(Wrong::Leaves { found: theirs.len(), expected }));
        };
        if served != leaf.encode() {
            return Err(refused(Wrong::Leaf(differing_leaf(served, &leaf))));
        }
    }
    if theirs.len() != count * LEAF_BYTES {
        let wrong = Wrong::Leaves { found: theirs.len(), expected: count * LEAF_BYTES };
        return Err(Refused { height, leaf: Some(block.head.size), wrong });
    }
    if checked.offered.seal != block.seal.encode() {
        let wrong = Wrong::SealBody(differing_seal(&checked.offered.seal, &block.seal));
        return Err(Refused { height, leaf: Some(block.head.size - 1), wrong });
    }
    Ok(())
}

fn differing_leaf(served: &[u8], ours: &Leaf) -> String {
    match Leaf::decode(served) {
        Err(error) => format!("it cannot be read: {error}"),
        Ok(theirs) => first_difference(&[
            ("kind", format!("{:?}", theirs.kind), format!("{:?}", ours.kind)),
            ("height", theirs.height.to_string(), ours.height.to_string()),
            ("time", theirs.time.0.to_string(), ours.time.0.to_string()),
            ("id", theirs.id.to_string(), ours.id.to_string()),
            ("verdict", theirs.code.to_string(), ours.code.to_string()),
            ("hash of signatures", hex::encode(theirs.signatures), hex::encode(ours.signatures)),
            ("hash of the outcome", hex::encode(theirs.outcome), hex::encode(ours.outcome)),
        ]),
    }
}

fn differing_seal(served: &[u8], ours: &SealBody) -> String {
    match SealBody::decode(served) {
        Err(error) => format!("it cannot be read: {error}"),
        Ok(theirs) => first_difference(&[
            ("time", theirs.time.0.to_string(), ours.time.0.to_string()),
            ("items", theirs.items.to_string(), ours.items.to_string()),
            ("void items", theirs.void.to_string(), ours.void.to_string()),
            ("rules version", theirs.rules_version.to_string(), ours.rules_version.to_string()),
            ("state digest", hex::encode(theirs.state), hex::encode(ours.state)),
        ]),
    }
}

fn first_difference(fields: &[(&str, String, String)]) -> String {
    let differs = fields.iter().find(|(_, theirs, ours)| theirs != ours);
    differs.map_or_else(
        || "its bytes differ".into(),
        |(name, theirs, ours)| format!("{name}: it says {theirs}, execution gives {ours}"),
    )
}
