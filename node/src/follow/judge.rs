//! Executing a checked block, comparing what comes out with what the upstream says, recording it.

use std::sync::Arc;

use musubi_consensus::Position;
use musubi_ledger::{
    epoch::{FIRST_EPOCH, epoch_of},
    execute::{Block, Chain, Head},
    genesis::Node,
    leaf::{LEAF_BYTES, Leaf, SealBody},
    operation::Operation,
    state::RowKey,
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
        let begins = self.check_epoch(checked)?;
        let next = self.chain.next_time(&checked.batch);
        let kept = self.keeper.before(next, &self.chain, &self.store);
        kept.map_err(failed)?;
        let ahead = self.store.state().ahead(keys_of(&checked.items));
        let block = self.chain.execute(&ahead, &checked.batch, checked.hash, &checked.items);
        let compared = compare(checked, &block).and_then(|()| begun(checked, &block, begins));
        if let Err(refused) = compared {
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

    /// That a batch of a later epoch is its leader's. True if it must be the recovery that begins its epoch.
    fn check_epoch(&self, checked: &Checked) -> Result<bool, NotTaken> {
        let (batch, epoch) = (&checked.batch, epoch_of(checked.batch.term));
        if epoch == FIRST_EPOCH {
            return Ok(false);
        }
        let refused = |wrong| Refused { height: checked.offered.height, leaf: None, wrong };
        let row = self.store.epoch(epoch).map_err(failed)?;
        let begins = row.is_none();
        let validators = match row {
            Some(row) => row.validators.clone(),
            None => opening(checked, epoch).ok_or_else(|| refused(Wrong::Epoch(epoch)))?,
        };
        let leader = validators.iter().find(|v| v.id == batch.leader);
        let leader = leader.ok_or_else(|| refused(Wrong::Leader(batch.leader.0)))?;
        let place = (batch.term, batch.index);
        let signed = batch.check(&self.chain.id(), place, &leader.node);
        signed.map_err(|error| refused(error.into()))?;
        Ok(begins)
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

/// The validators that a recovery names; believed once it has taken effect.
fn opening(checked: &Checked, epoch: u32) -> Option<Vec<Node>> {
    let [item] = &checked.items[..] else { return None };
    match &item.transaction.as_ref()?.body.operation {
        Operation::BeginEpoch(op) if op.epoch == epoch => Some(op.validators.clone()),
        _ => None,
    }
}

/// That a recovery took effect where one must.
fn begun(checked: &Checked, block: &Block, begins: bool) -> Result<(), Refused> {
    let epoch = epoch_of(checked.batch.term);
    if !begins || block.changes.contains_key(&RowKey::Epoch(epoch)) {
        return Ok(());
    }
    let (height, leaf) = (checked.offered.height, Some(block.first_leaf));
    Err(Refused { height, leaf, wrong: Wrong::Epoch(epoch) })
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
