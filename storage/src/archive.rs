//! Wallets as they stood at the end of past days, so that opening and closing states of statements can be
//! proved later.
//!
//! The tree of wallets is in memory and knows the present alone. When the first block of a new JST day is
//! about to be executed, every wallet that moved since the last such boundary is kept with its path, as it
//! stands under the newest seal. A wallet that did not move needs nothing new: its older state, and the
//! absence of later leaves, say the same.
//!
//! Derived data: not replicated, in no digest. A crash loses nothing of it: it is written before the block that
//! crosses the boundary, and a log whose recovery is a prefix cannot keep that block without it. If the crash
//! comes before that block, its execution at the next start finds the wallets that moved in the entries
//! ([`Store::moved_today`]), and writes the same records again.

use std::{collections::BTreeSet, ops::ControlFlow};

use musubi_ledger::{
    digest::StatePath,
    id::PartyId,
    state::{Row, RowKey, Table},
    time::{Day, Time},
    wallet::Wallet,
};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    backend::{Family, Scan, WriteSet},
    error::StoreError,
    layout,
};

/// Wallets in one write: about half a megabyte.
const PER_WRITE: usize = 512;
/// Entries read at once when a start looks for the wallets that moved.
const ENTRIES_AT_ONCE: u64 = 1_024;

/// A wallet under a seal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeptWallet {
    /// The seal's block.
    pub height: u64,
    /// From the wallet's leaf to the seal's state digest.
    pub state: StatePath,
    /// The wallet.
    pub wallet: Wallet,
}

impl Store {
    /// Keeps wallets as they stand at the end of `day`. Writing the same again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn archive(
        &self,
        day: Day,
        mut wallets: impl Iterator<Item = (PartyId, KeptWallet)>,
    ) -> Result<usize, StoreError> {
        let mut count = 0;
        loop {
            let mut set = WriteSet::new();
            for (party, kept) in wallets.by_ref().take(PER_WRITE) {
                layout::put(&mut set, Family::Archive, key(&party, day.0), &kept);
                count += 1;
            }
            if set.is_empty() {
                return Ok(count);
            }
            self.write_checked(set)?;
        }
    }

    /// The newest kept state of a wallet from the end of a day before `day`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept_before(&self, party: &PartyId, day: Day) -> Result<Option<KeptWallet>, StoreError> {
        self.first_kept(&key(party, 0), &key(party, day.0), true)
    }

    /// The oldest kept state of a wallet from the end of `day` or a later one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept_since(&self, party: &PartyId, day: Day) -> Result<Option<KeptWallet>, StoreError> {
        let mut until = key(party, u32::MAX);
        until.push(0);
        self.first_kept(&key(party, day.0), &until, false)
    }

    fn first_kept(
        &self,
        from: &[u8],
        until: &[u8],
        reverse: bool,
    ) -> Result<Option<KeptWallet>, StoreError> {
        let scan = Scan { family: Family::Archive, from, until: Some(until), reverse };
        let mut found = None;
        self.backend().scan(scan, &mut |key, value| {
            found = Some(layout::parse(Family::Archive, key, value));
            ControlFlow::Break(())
        })?;
        found.transpose()
    }

    /// The wallets that moved since the last boundary: on the day of the newest block. On the day of a snapshot
    /// that is every wallet which any leaf has touched: what came before it has left no other record here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn moved_today(&self) -> Result<BTreeSet<PartyId>, StoreError> {
        let (head, _) = self.head();
        let today = head.time.day();
        if self.base().is_some_and(|base| base.head.time.day() == today) {
            return self.touched();
        }
        let first = self.first_height(&|time| time.day() >= today)?;
        let first = first.and_then(|height| self.block(height).transpose()).transpose()?;
        let mut moved = BTreeSet::new();
        let mut from = first.map_or(head.size, |block| block.first_leaf);
        while from < head.size {
            let until = from.saturating_add(ENTRIES_AT_ONCE).min(head.size);
            for entry in self.entries(from..until)? {
                moved.extend(entry.outcome.wallets());
            }
            from = until;
        }
        Ok(moved)
    }

    /// Every wallet that any leaf has touched.
    fn touched(&self) -> Result<BTreeSet<PartyId>, StoreError> {
        let (mut touched, mut after) = (BTreeSet::new(), None::<Vec<u8>>);
        loop {
            let page = self.rows(Table::Wallet, &[], after.as_deref(), PER_WRITE)?;
            for (key, row) in page.rows {
                if let (Some(RowKey::Wallet(party)), Row::Wallet(wallet)) =
                    (RowKey::from_bytes(&key), row)
                    && wallet.leaves > 0
                {
                    touched.insert(party);
                }
                after = Some(key);
            }
            if !page.more {
                return Ok(touched);
            }
        }
    }

    /// The first recorded block whose time is as asked, in a log where all later ones are too. Blocks that are
    /// not kept here count as earlier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn first_height(&self, late: &dyn Fn(Time) -> bool) -> Result<Option<u64>, StoreError> {
        let (head, _) = self.head();
        let (mut low, mut high) = (0, head.height + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.block(middle)? {
                Some(block) if late(block.seal.time) => high = middle,
                _ => low = middle + 1,
            }
        }
        Ok((low <= head.height).then_some(low))
    }
}

fn key(party: &PartyId, day: u32) -> Vec<u8> {
    let mut key = party.0.to_vec();
    key.extend_from_slice(&day.to_be_bytes());
    key
}
