//! Memos' blobs beside the log: by hash, in a family of their own, in no digest (decision 16).
//!
//! A blob comes with the transaction that cites it, before that is ordered: it *waits*. When the transaction is
//! applied it is *kept*, otherwise dropped; a transaction that is applied without its blob makes the blob *wanted*.
//! *Erased* is for ever: what remains is the word that it was, so that no other node brings it back.
//!
//! Everything is written before what rests on it (the blob before its transaction's Raft entry, [`Store::settle_memos`]
//! before its block), and what survives a crash is a prefix: no block cites a memo that this directory has forgotten.

use std::ops::ControlFlow;

use musubi_ledger::{
    hash::sha256,
    id::{DocumentHash, TxId},
    time::Time,
};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    backend::{Family, Scan, WriteSet, after_prefix},
    error::StoreError,
    layout,
    store::lock,
};

/// Where a memo stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MemoStanding {
    /// The blob is here; the transaction that came with it has no verdict yet.
    Waiting {
        /// The transaction.
        id: TxId,
        /// When that transaction will be void at the latest.
        expires: Time,
    },
    /// The blob is here, cited by an applied transaction.
    Kept,
    /// Cited by an applied transaction; the blob has not come.
    Wanted,
    /// Taken away by an operator.
    Erased,
}

/// What a transaction that cites a memo came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettledMemo {
    /// The memo.
    pub memo: DocumentHash,
    /// The transaction.
    pub id: TxId,
    /// Whether it was applied.
    pub applied: bool,
}

#[derive(Serialize, Deserialize)]
struct Blob(#[serde(with = "musubi_ledger::bytes")] Vec<u8>);

/// Memos that are not settled: what a start takes up again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMemos {
    /// Those that wait for a verdict.
    Waiting,
    /// Those that are wanted, and looked for.
    Wanted,
}

const STANDING: u8 = 1;
const BLOB: u8 = 2;
/// In front of the memos of [`OpenMemos`].
const WAITING: u8 = 3;
const WANTED: u8 = 4;

fn key(part: u8, memo: &DocumentHash) -> Vec<u8> {
    [&[part], memo.0.as_slice()].concat()
}

/// Puts `standing`, and with it the memo's place among the open ones; the blob itself stays as it is.
fn put(set: &mut WriteSet, memo: &DocumentHash, standing: MemoStanding) {
    layout::put(set, Family::Memos, key(STANDING, memo), &standing);
    let open = match standing {
        MemoStanding::Waiting { .. } => Some(WAITING),
        MemoStanding::Wanted => Some(WANTED),
        MemoStanding::Kept | MemoStanding::Erased => None,
    };
    for list in [WAITING, WANTED] {
        match open == Some(list) {
            true => layout::put(set, Family::Memos, key(list, memo), &standing),
            false => set.remove(Family::Memos, key(list, memo)),
        }
    }
}

fn put_blob(set: &mut WriteSet, memo: &DocumentHash, blob: &[u8]) {
    layout::put(set, Family::Memos, key(BLOB, memo), &Blob(blob.to_vec()));
}

fn forget(set: &mut WriteSet, memo: &DocumentHash) {
    for part in [STANDING, BLOB, WAITING, WANTED] {
        set.remove(Family::Memos, key(part, memo));
    }
}

impl Store {
    /// Where a memo stands; none if nothing cites it and nobody brought it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn memo_standing(&self, memo: &DocumentHash) -> Result<Option<MemoStanding>, StoreError> {
        layout::get(self.backend(), Family::Memos, &key(STANDING, memo))
    }

    /// A memo's blob, as long as it waits or is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn memo_blob(&self, memo: &DocumentHash) -> Result<Option<Vec<u8>>, StoreError> {
        let blob: Option<Blob> = layout::get(self.backend(), Family::Memos, &key(BLOB, memo))?;
        Ok(blob.map(|blob| blob.0))
    }

    /// Takes the blob that came with transaction `id`, and gives where it then stands. To be called before that
    /// transaction goes on, or, with `applied`, when it has that verdict already.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    ///
    /// # Panics
    /// If the blob has another hash.
    pub fn offer_memo(
        &self,
        memo: &DocumentHash,
        blob: &[u8],
        (id, expires): (TxId, Time),
        applied: bool,
    ) -> Result<MemoStanding, StoreError> {
        assert_eq!(sha256(blob), memo.0, "a blob is kept under its own hash");
        let _one = lock(&self.memos);
        let standing = match self.memo_standing(memo)? {
            Some(found @ (MemoStanding::Kept | MemoStanding::Erased)) => return Ok(found),
            Some(MemoStanding::Wanted) => MemoStanding::Kept,
            _ if applied => MemoStanding::Kept,
            Some(found @ MemoStanding::Waiting { .. }) => return Ok(found),
            None => MemoStanding::Waiting { id, expires },
        };
        let mut set = WriteSet::new();
        put(&mut set, memo, standing);
        put_blob(&mut set, memo, blob);
        self.write_checked(set)?;
        Ok(standing)
    }

    /// Takes a wanted blob that came from another node; whether it was wanted.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn found_memo(&self, blob: &[u8]) -> Result<Option<DocumentHash>, StoreError> {
        let memo = DocumentHash(sha256(blob));
        let _one = lock(&self.memos);
        if self.memo_standing(&memo)? != Some(MemoStanding::Wanted) {
            return Ok(None);
        }
        let mut set = WriteSet::new();
        put(&mut set, &memo, MemoStanding::Kept);
        put_blob(&mut set, &memo, blob);
        self.write_checked(set)?;
        Ok(Some(memo))
    }

    /// Settles the memos of a block that is about to be recorded, and gives those that are wanted now. A crash
    /// right behind this executes the block again, which settles the same.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn settle_memos(&self, settled: &[SettledMemo]) -> Result<Vec<DocumentHash>, StoreError> {
        let _one = lock(&self.memos);
        let (mut set, mut wanted) = (WriteSet::new(), Vec::new());
        for SettledMemo { memo, id, applied } in settled {
            match (self.memo_standing(memo)?, applied) {
                (Some(MemoStanding::Waiting { .. }), true) => {
                    put(&mut set, memo, MemoStanding::Kept);
                }
                (None, true) => {
                    put(&mut set, memo, MemoStanding::Wanted);
                    wanted.push(*memo);
                }
                // Only its own transaction takes a blob along: anybody can cite another's memo in vain.
                (Some(MemoStanding::Waiting { id: own, .. }), false) if own == *id => {
                    forget(&mut set, memo);
                }
                _ => {}
            }
        }
        if !set.is_empty() {
            self.write_checked(set)?;
        }
        Ok(wanted)
    }

    /// Drops the blob that waits for transaction `id`, which will have no verdict: it was refused, or has expired.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn drop_memo(&self, memo: &DocumentHash, id: &TxId) -> Result<bool, StoreError> {
        let _one = lock(&self.memos);
        let waits = matches!(
            self.memo_standing(memo)?,
            Some(MemoStanding::Waiting { id: own, .. }) if own == *id
        );
        if waits {
            let mut set = WriteSet::new();
            forget(&mut set, memo);
            self.write_checked(set)?;
        }
        Ok(waits)
    }

    /// Erases a memo, known or not, for good: durable, and off the medium as far as a database can, when this
    /// returns. Gives whether its blob was here.
    ///
    /// # Errors
    /// [`StoreError`]; it is then to be erased again.
    pub fn erase_memo(&self, memo: &DocumentHash) -> Result<bool, StoreError> {
        let one = lock(&self.memos);
        let was_here = self.memo_blob(memo)?.is_some();
        let mut set = WriteSet::new();
        put(&mut set, memo, MemoStanding::Erased);
        set.remove(Family::Memos, key(BLOB, memo));
        self.write_checked(set)?;
        drop(one);
        self.sync()?;
        // A crash right here leaves the blob unreadable, and its bytes in files until they are rewritten; who
        // erases again has them rewritten.
        self.backend().scrub(Family::Memos, &key(BLOB, memo)).map_err(StoreError::from)?;
        Ok(was_here)
    }

    /// Stops looking for a wanted memo after a restart too; it stays wanted, and is taken when it comes.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn rest_memo(&self, memo: &DocumentHash) -> Result<(), StoreError> {
        let _one = lock(&self.memos);
        let mut set = WriteSet::new();
        if self.memo_standing(memo)? == Some(MemoStanding::Wanted) {
            set.remove(Family::Memos, key(WANTED, memo));
        }
        self.write_checked(set)
    }

    /// Up to `limit` open memos, behind `after` in the order of their hashes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_memos(
        &self,
        which: OpenMemos,
        after: Option<&DocumentHash>,
        limit: usize,
    ) -> Result<Vec<(DocumentHash, MemoStanding)>, StoreError> {
        let list = match which {
            OpenMemos::Waiting => WAITING,
            OpenMemos::Wanted => WANTED,
        };
        let mut from = after.map_or(vec![list], |after| key(list, after));
        from.extend(after.map(|_| 0));
        let until = after_prefix(&[list]);
        let scan =
            Scan { family: Family::Memos, from: &from, until: until.as_deref(), reverse: false };
        let (mut found, mut fault) = (Vec::new(), None);
        self.backend().scan(scan, &mut |key, value| {
            match (key[1..].try_into(), layout::parse(Family::Memos, key, value)) {
                (Ok(hash), Ok(standing)) => found.push((DocumentHash(hash), standing)),
                (Err(_), _) => fault = Some(StoreError::damaged("a key of memos")),
                (_, Err(error)) => fault = Some(error),
            }
            match fault.is_none() && found.len() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        fault.map_or(Ok(found), Err)
    }

    /// That a row of the family is what was written: for [`Store::verify`].
    pub(crate) fn check_memo_row(&self, row: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let damaged = || StoreError::damaged("a memo");
        match row.split_first() {
            Some((&BLOB, hash)) => {
                let blob: Blob = layout::parse(Family::Memos, row, value)?;
                if sha256(&blob.0) == hash { Ok(()) } else { Err(damaged()) }
            }
            Some((&(STANDING | WAITING | WANTED), hash)) => {
                let hash = DocumentHash(hash.try_into().map_err(|_| damaged())?);
                let standing: MemoStanding = layout::parse(Family::Memos, row, value)?;
                let here = self.memo_blob(&hash)?.is_some();
                let due = matches!(standing, MemoStanding::Waiting { .. } | MemoStanding::Kept);
                if here == due { Ok(()) } else { Err(damaged()) }
            }
            _ => Err(damaged()),
        }
    }
}
