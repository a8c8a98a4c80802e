//! What can be said of a block before it is executed: its batch, the leader's signature, every signature
//! inside. Needs no state, so it runs beside the execution of earlier blocks.

use musubi_ledger::{
    batch::Batch,
    epoch::{FIRST_EPOCH, epoch_of},
    execute::{CheckedItem, check_items},
    genesis::{Genesis, RULES_VERSION},
    hash::Hash,
    id::ChainId,
    keys::PublicKey,
    leaf::SealBody,
};

use super::{
    page::Offered,
    refused::{Refused, Wrong},
};

/// What checking needs to know of a chain.
#[derive(Clone, Debug)]
pub struct Checker {
    chain: ChainId,
    leaders: Vec<(u64, PublicKey)>,
}

/// A block whose signatures are checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// As it came.
    pub offered: Offered,
    /// Its batch.
    pub batch: Batch,
    /// SHA-256 of the entry.
    pub hash: Hash,
    /// Its items.
    pub items: Vec<CheckedItem>,
}

impl Checker {
    /// For the chain that `genesis` opens.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        let leaders = genesis.nodes.iter().map(|node| (node.id.0, node.node)).collect();
        Self { chain: genesis.chain(), leaders }
    }

    /// Checks one block.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, offered: &Offered) -> Result<Checked, Refused> {
        let refused = |wrong| Refused { height: offered.height, leaf: None, wrong };
        let (batch, hash) = self.open(offered).map_err(refused)?;
        let items = check_items(&self.chain, RULES_VERSION, &batch.items, &|_| false);
        // Its parts share the page's memory: this copies none of them.
        Ok(Checked { offered: offered.clone(), batch, hash, items })
    }

    fn open(&self, offered: &Offered) -> Result<(Batch, Hash), Wrong> {
        let batch = Batch::decode(&offered.entry)?;
        let leader = batch.leader.0;
        // Who leads in a later epoch is known when the recovery that began it is executed: `judge` looks.
        if epoch_of(batch.term) == FIRST_EPOCH {
            let key = self.leaders.iter().find(|(id, _)| *id == leader);
            let (_, key) = key.ok_or(Wrong::Leader(leader))?;
            // The envelope is not served: term and index are the leader's own, under its signature, and must
            // follow on those of the block before.
            batch.check(&self.chain, (batch.term, batch.index), key)?;
        }
        let seal = SealBody::decode(&offered.seal).map_err(Wrong::Seal)?;
        if seal.height != offered.height {
            return Err(Wrong::SealHeight(seal.height));
        }
        let hash = Batch::entry_hash(&offered.entry);
        if seal.entry != hash {
            return Err(Wrong::SealEntry);
        }
        Ok((batch, hash))
    }
}
