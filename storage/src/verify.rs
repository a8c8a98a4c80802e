//! The deep check, for an operator's command: reads every byte that is kept and compares it with
//! what it follows from. For a directory that nobody writes to meanwhile.
//!
//! | kept | compared with |
//! |---|---|
//! | Raft entries | their running hash, up to the mark |
//! | leaves | tile hashes, and each block's root |
//! | blocks | their last leaf, their Raft entry, counts of their items |
//! | entries | their leaves: outcome hash, verdict, place; items of the batch |
//! | parties | the entries |
//! | state | the last seal's state digest |
//! | genesis, checkpoints, archive | chain id; their frames |
//!
//! In a directory that began with a snapshot, the leaves before it are compared with tiles and root; of its own
//! block there is seal, entry and place; everything later is checked as always.

use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Range},
};

use musubi_ledger::{
    digest::{SetDigest, WalletTree, state_digest},
    execute::{Entry, ItemResult},
    hash::{Hash, sha256},
    leaf::{LEAF_BYTES, Leaf, LeafKind},
    state::Table,
    tlog::{Frontier, Node, tile},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    KeptWallet, Store,
    backend::{Family, Scan},
    block::party_rows,
    checks::wallet_leaves,
    error::{OpenError, StoreError},
    layout::{self, Base, BlockRecord, leading, part, trailing},
    raft_log,
    store::lock,
    tiles,
};

/// What the deep check went through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Raft entries.
    pub entries: u64,
    /// Blocks, the genesis block among them.
    pub blocks: u64,
    /// Leaves.
    pub leaves: u64,
    /// Rows of the state.
    pub rows: u64,
}

impl Store {
    /// Checks everything that is kept; `progress` is called with (blocks checked, blocks in all).
    ///
    /// # Errors
    /// [`OpenError::Damaged`] with the first thing that is not what was written, or a failed read.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Verified, OpenError> {
        let head = lock(&self.tip).head;
        let mut chain = ChainCheck { log: Frontier::new(), counts: Counted::default() };
        let (mut last, mut first) = (None, 0);
        if let Some(base) = self.base() {
            last = Some(chain.base(self, &base)?);
            first = base.head.height + 1;
        }
        for height in first..=head.height {
            last = Some(chain.block(self, height)?);
            progress(height + 1, head.height + 1);
        }
        chain.counts.compare(self)?;
        let seal = last.expect("there is a first block").seal;
        let rows = self.verify_state(&seal.state)?;
        let entries = self.verify_log()?;
        self.genesis()?;
        self.verify_framed::<String>(Family::Checkpoints)?;
        self.verify_framed::<KeptWallet>(Family::Archive)?;
        self.verify_memos()?;
        Ok(Verified { entries, blocks: chain.counts.blocks, leaves: head.size, rows })
    }

    fn verify_log(&self) -> Result<u64, OpenError> {
        let mark = lock(&self.log).mark;
        let mut hash = [0; 32];
        let first = raft_log::first(self.backend())?;
        for index in first..=mark.index {
            for entry in self.log_entries(index, index + 1, u64::MAX)? {
                hash = raft_log::chained(&hash, &entry);
            }
        }
        if hash != mark.hash || self.count(Family::Log)? != 2 * (mark.index + 1 - first) {
            return Err(OpenError::damaged("the Raft log is not the one that was marked"));
        }
        Ok(mark.index + 1 - first)
    }

    fn verify_state(&self, expected: &Hash) -> Result<u64, OpenError> {
        let (mut others, mut rows) = (SetDigest::new(), 0);
        self.all(Family::State, &mut |key, value| {
            rows += 1;
            if key.first() != Some(&(Table::Wallet as u8)) {
                others.add(key, value);
            }
        })?;
        let mut wallets = WalletTree::from_leaves(wallet_leaves(self.backend())?);
        let found = state_digest(wallets.count(), &wallets.root(), &others.digest());
        if found != *expected {
            return Err(OpenError::damaged("the state is not the one that the last seal names"));
        }
        Ok(rows)
    }

    /// Records in no digest: each is what was written.
    fn verify_framed<T: Serialize + DeserializeOwned>(
        &self,
        family: Family,
    ) -> Result<(), OpenError> {
        let mut fault = None;
        self.all(family, &mut |key, value| {
            let read = layout::parse::<T>(family, key, value);
            fault = fault.take().or(read.err());
        })?;
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn verify_memos(&self) -> Result<(), OpenError> {
        // A visitor must not call the backend: rows are small, and read in the order in which they lie.
        let mut rows = Vec::new();
        self.all(Family::Memos, &mut |key, _| rows.push(key.to_vec()))?;
        for row in rows {
            let value = self.backend().get(Family::Memos, &row).map_err(StoreError::from)?;
            value.map_or(Ok(()), |value| self.check_memo_row(&row, &value))?;
        }
        Ok(())
    }

    fn all(&self, family: Family, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        let scan = Scan { family, from: &[], until: None, reverse: false };
        self.backend().scan(scan, &mut |key, value| {
            visit(key, value);
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    fn count(&self, family: Family) -> Result<u64, StoreError> {
        let mut rows = 0;
        self.all(family, &mut |_, _| rows += 1)?;
        Ok(rows)
    }
}

/// How much the blocks say there is, to find what nobody put there.
#[derive(Default)]
struct Counted {
    blocks: u64,
    leaf_bytes: u64,
    entries: u64,
    parties: u64,
    /// Hashes by tile level.
    tiles: BTreeMap<u8, u64>,
}

impl Counted {
    fn compare(&self, store: &Store) -> Result<(), OpenError> {
        let mut leaf_bytes = 0;
        store.all(Family::Leaves, &mut |_, value| leaf_bytes += value.len() as u64)?;
        let (mut entries, mut fault) = (0, None);
        store.all(Family::Entries, &mut |key, value| match layout::parse::<Vec<Entry>>(
            Family::Entries,
            key,
            value,
        ) {
            Ok(run) if run.first().map(|e| e.index) == leading(key) => entries += run.len() as u64,
            Ok(_) => fault = Some(StoreError::damaged("a run of entries (misplaced)")),
            Err(error) => fault = Some(error),
        })?;
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        let mut hashes = BTreeMap::new();
        store.all(Family::Tiles, &mut |key, value| {
            *hashes.entry(key.first().copied().unwrap_or(u8::MAX)).or_default() +=
                value.len() as u64 / size_of::<Hash>() as u64;
        })?;
        for (what, same) in [
            ("leaves", leaf_bytes == self.leaf_bytes),
            ("entries", entries == self.entries),
            ("tile hashes", hashes == self.tiles),
            // A snapshot's block comes without the results of its items.
            (
                "blocks",
                store.count(Family::Blocks)? + u64::from(store.base().is_some()) == 2 * self.blocks,
            ),
            ("leaves of parties", store.count(Family::Parties)? == self.parties),
        ] {
            if !same {
                return Err(OpenError::damaged(format!(
                    "there are other {what} than the blocks have"
                )));
            }
        }
        Ok(())
    }
}

/// Goes through the blocks in order, rebuilding the log of proof.
struct ChainCheck {
    log: Frontier,
    counts: Counted,
}

impl ChainCheck {
    fn block(&mut self, store: &Store, height: u64) -> Result<BlockRecord, OpenError> {
        let wrong = |what: &str| OpenError::damaged(format!("block {height}: {what}"));
        let block = store.block(height)?.ok_or_else(|| wrong("missing"))?;
        let fits = block.head.height == height
            && block.seal.height == height
            && block.seal.time == block.head.time
            && block.first_leaf == self.log.size();
        if !fits {
            return Err(wrong("it does not follow on the block before"));
        }
        let leaves = self.leaves(store, block.first_leaf..block.head.size)?;
        if self.log.root() != block.root || self.log.size() != block.head.size {
            return Err(wrong("its leaves do not lead to its root"));
        }
        let (seal, others) = leaves.split_last().ok_or_else(|| wrong("no leaf"))?;
        if *seal != block.seal.leaf() {
            return Err(wrong("its last leaf is not its seal"));
        }
        let entries = store.entries(block.first_leaf..block.head.size)?;
        check_entries(&block, others, &entries).map_err(|what| wrong(&what))?;
        let items: Vec<ItemResult> =
            layout::get(store.backend(), Family::Blocks, &part(height, 1))?
                .ok_or_else(|| wrong("its results are missing"))?;
        check_items(&block, &items, &entries).map_err(|what| wrong(&what))?;
        self.check_parties(store, &entries)?;
        check_source(store, &block)?;
        self.counts.blocks += 1;
        self.counts.entries += entries.len() as u64;
        Ok(block)
    }

    /// The leaves up to a snapshot's seal, and its block.
    fn base(&mut self, store: &Store, base: &Base) -> Result<BlockRecord, OpenError> {
        let height = base.head.height;
        let wrong =
            |what: &str| OpenError::damaged(format!("the snapshot's block {height}: {what}"));
        let block = store.block(height)?.ok_or_else(|| wrong("missing"))?;
        if (block.head, block.entry) != (base.head, base.entry) || block.seal.height != height {
            return Err(wrong("it is not the one that the log begins with"));
        }
        let mut first = None;
        let width = u64::from(tile::FULL_WIDTH);
        while self.log.size() < base.head.size {
            let from = self.log.size();
            let leaves = self.leaves(store, from..base.head.size.min(from + width))?;
            let own = leaves.iter().position(|leaf| leaf.height == height);
            first = first.or(own.map(|at| from + at as u64));
            if leaves.is_empty() {
                return Err(wrong("a leaf before it is missing"));
            }
        }
        if self.log.root() != block.root || first != Some(block.first_leaf) {
            return Err(wrong("the leaves before it do not lead to its root"));
        }
        if store.leaf(base.head.size - 1)? != Some(block.seal.leaf()) {
            return Err(wrong("its last leaf is not its seal"));
        }
        check_source(store, &block)?;
        self.counts.blocks += 1;
        Ok(block)
    }

    /// Reads leaves, appends them, and compares the tile hashes that they complete.
    fn leaves(&mut self, store: &Store, range: Range<u64>) -> Result<Vec<Leaf>, OpenError> {
        let bytes = store.leaf_bytes(range)?;
        self.counts.leaf_bytes += bytes.len() as u64;
        let (mut leaves, mut nodes) = (Vec::new(), Vec::new());
        for leaf in bytes.chunks_exact(LEAF_BYTES) {
            self.log.append_entry(leaf, &mut nodes);
            leaves.push(Leaf::decode(leaf).map_err(StoreError::from)?);
        }
        for Node { level, index, hash } in nodes {
            if !level.is_multiple_of(tile::TILE_HEIGHT) {
                continue;
            }
            let level = level / tile::TILE_HEIGHT;
            if tiles::hashes(store.backend(), level, index, 1)? != hash {
                return Err(OpenError::damaged(format!("tile hash {index} of level {level}")));
            }
            *self.counts.tiles.entry(level).or_default() += 1;
        }
        Ok(leaves)
    }

    fn check_parties(&mut self, store: &Store, entries: &[Entry]) -> Result<(), OpenError> {
        for (key, leaves) in party_rows(entries) {
            if store.backend().get(Family::Parties, &key)?.as_ref() != Some(&leaves) {
                let leaf = trailing(&key).unwrap_or_default();
                return Err(OpenError::damaged(format!("the index of parties at leaf {leaf}")));
            }
            self.counts.parties += 1;
        }
        Ok(())
    }
}

/// That each leaf but the seal has its entry, and the entry is what the leaf says.
fn check_entries(block: &BlockRecord, leaves: &[Leaf], entries: &[Entry]) -> Result<(), String> {
    if leaves.len() != entries.len() {
        return Err("other entries than leaves".into());
    }
    for ((index, leaf), entry) in (block.first_leaf..).zip(leaves).zip(entries) {
        // The genesis leaf commits to nothing but the document.
        let outcome =
            leaf.kind == LeafKind::Genesis || entry.outcome.hash(&entry.salt) == leaf.outcome;
        let fits = entry.index == index
            && entry.leaf == *leaf
            && leaf.height == block.head.height
            && outcome
            && entry.item.is_some() == (leaf.kind == LeafKind::Transaction);
        if !fits {
            return Err(format!("entry {index} is not what its leaf says"));
        }
    }
    Ok(())
}

/// That the results of the items are those of the entries, and as many as the seal counts.
fn check_items(block: &BlockRecord, items: &[ItemResult], entries: &[Entry]) -> Result<(), String> {
    let void = items.iter().filter(|item| item.leaf.is_none()).count();
    if (items.len() as u64, void as u64) != (block.seal.items.into(), block.seal.void.into()) {
        return Err("its seal counts other items".into());
    }
    let with_leaf = items.len() - void;
    let transactions = entries.iter().filter_map(|entry| Some((entry, entry.item?)));
    let mut matched = 0;
    for (entry, position) in transactions {
        let result =
            ItemResult { id: entry.leaf.id, code: entry.leaf.code, leaf: Some(entry.index) };
        if items.get(position as usize) != Some(&result) {
            return Err(format!("item {position} is not what entry {} says", entry.index));
        }
        matched += 1;
    }
    if matched == with_leaf { Ok(()) } else { Err("an item's leaf has no entry".into()) }
}

/// That the seal names the Raft entry, or for block 0 the genesis document.
fn check_source(store: &Store, block: &BlockRecord) -> Result<(), OpenError> {
    let height = block.head.height;
    let hash = match store.raft_entry(height)? {
        Some(entry) if entry.term == block.entry.term => sha256(&entry.data),
        Some(_) => {
            return Err(OpenError::damaged(format!("block {height} is of another term")));
        }
        None => sha256(&store.genesis()?.encode()),
    };
    if hash != block.seal.entry || (height == 0) != (block.entry.index == 0) {
        return Err(OpenError::damaged(format!("the seal of block {height} names another entry")));
    }
    Ok(())
}
