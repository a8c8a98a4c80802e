//! What other members have shown of themselves, the newest of each, and whose directory this is.
//!
//! A pledge of a member's new life is synced before that life is believed ([`Store::sync`]). Later ones of the
//! same life ride on whatever is synced next: a crash loses the newest few, and keeps an older one of the same
//! life, which still tells another directory, another process or an older boot.

use std::ops::ControlFlow;

use musubi_consensus::pledge::{Durable, SignedPledge};
use musubi_ledger::batch::NodeId;

use crate::{
    Store,
    backend::{Backend, Family, Scan, WriteSet, after_prefix},
    error::{OpenError, StoreError},
    layout::{self, PLEDGE, Word},
    read::latest_checkpoint,
    store::{Cosigned, lock},
};

impl Store {
    /// Keeps a member's pledge in place of the one kept; durable with the next [`Store::sync`].
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn stage_pledge(&self, pledge: &SignedPledge) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut set = WriteSet::new();
        layout::put_pledge(&mut set, pledge);
        self.write(set)
    }

    /// The newest pledge kept of each member, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pledges(&self) -> Result<Vec<SignedPledge>, StoreError> {
        pledges(self.backend())
    }

    /// What this directory has promised and survives a power cut: its log and vote, and the size of the
    /// largest checkpoint that it cosigned. Waits for a sync under way.
    #[must_use]
    pub fn promised(&self) -> (Durable, u64) {
        (self.acknowledged().into(), lock(&self.cosigned).durable)
    }

    /// Makes sure that this directory is `node`'s: the first node that asks owns it, durably, from then on.
    ///
    /// # Errors
    /// [`OpenError::OtherNode`], or what the disk says.
    pub fn claim(&self, node: NodeId) -> Result<(), OpenError> {
        match layout::get::<u64>(self.backend(), Family::Meta, &Word::Node.key())? {
            Some(found) if found == node.0 => Ok(()),
            Some(found) => Err(OpenError::OtherNode { found, expected: node.0 }),
            None => {
                let mut set = WriteSet::new();
                layout::put(&mut set, Family::Meta, Word::Node.key(), &node.0);
                // A crash right here leaves it to be claimed again: nobody has promised anything in it.
                self.write(set)?;
                Ok(self.sync()?)
            }
        }
    }
}

/// What a start finds of [`Store::stage_checkpoint`]; all of it is synced before the directory is used.
pub(crate) fn cosigned(backend: &dyn Backend) -> Result<Cosigned, StoreError> {
    let size = latest_checkpoint(backend)?.map_or(0, |(size, _)| size);
    Ok(Cosigned { staged: size, durable: size })
}

fn pledges(backend: &dyn Backend) -> Result<Vec<SignedPledge>, StoreError> {
    let until = after_prefix(PLEDGE);
    let scan = Scan { family: Family::Meta, from: PLEDGE, until: until.as_deref(), reverse: false };
    let mut found = Vec::new();
    backend.scan(scan, &mut |key, value| {
        found.push(layout::parse::<SignedPledge>(Family::Meta, key, value));
        ControlFlow::Continue(())
    })?;
    found.into_iter().collect()
}
