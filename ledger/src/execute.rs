//! Executing blocks: a batch in, verdicts, leaves, seal and state changes out. The same on every node.
//!
//! Signatures are checked before ([`check_items`], in parallel and cached if the caller likes); what is
//! left is one sequential pure pass.

mod check;
mod memory;
mod pass;

use serde::{Deserialize, Serialize};

use crate::{
    batch::Batch,
    code::Code,
    digest::{StatePath, state_digest, sum::SetDigest, tree::WalletTree},
    epoch::first_term,
    genesis::{Genesis, RULES_VERSION},
    hash::Hash,
    id::{ChainId, PartyId, Salt, TxId},
    judge::{self, Clock},
    leaf::{Leaf, LeafKind, SealBody, SystemCause},
    operation::Operation,
    outcome::Outcome,
    state::{Changes, Overlay, ReadState, Row, RowKey},
    time::Time,
    tlog::{frontier::Frontier, merkle::Node},
};

pub use self::{
    check::{CheckedItem, check_items},
    memory::MemoryState,
};
use self::{
    memory::Nothing,
    pass::{Pass, touch_wallets},
};

/// Where the chain stands after a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Height of the last block; genesis is 0.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// Leaves in the log: the size of the checkpoint at its seal.
    pub size: u64,
}

/// A chain ready to execute its next block.
#[derive(Clone, Debug)]
pub struct Chain {
    id: ChainId,
    head: Head,
    log: Frontier,
    wallets: WalletTree,
    rows: SetDigest,
}

/// What one item of a batch came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemResult {
    /// The item's id.
    pub id: TxId,
    /// Its verdict, or why it is void.
    pub code: Code,
    /// Its leaf; none if void.
    pub leaf: Option<u64>,
}

impl ItemResult {
    /// Whether its id is judged, now or before. Not so a void item's: another copy may still be.
    #[must_use]
    pub fn judged(&self) -> bool {
        self.leaf.is_some() || self.code == Code::AlreadyJudged
    }
}

/// A leaf's outcome, kept for whoever may see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The leaf's index in the log.
    pub index: u64,
    /// The leaf.
    pub leaf: Leaf,
    /// What it did.
    pub outcome: Outcome,
    /// What salts the outcome's hash.
    pub salt: Salt,
    /// Parties to whom it belongs in feeds and statements, ascending.
    pub parties: Vec<PartyId>,
    /// Position of the item in its batch; none for system leaves.
    pub item: Option<u32>,
    /// What became due, for system leaves.
    pub due: Option<SystemCause>,
}

/// An executed block: all that storage records, in one write.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where the chain stands now.
    pub head: Head,
    /// Size of the log before it.
    pub first_leaf: u64,
    /// The leaves before the seal with their outcomes: system leaves first, then transactions.
    pub entries: Vec<Entry>,
    /// The seal's body; its leaf is the block's last.
    pub seal: SealBody,
    /// One result per item of the batch, in its order.
    pub items: Vec<ItemResult>,
    /// Changed rows.
    pub changes: Changes,
    /// Hashes of subtrees that the new leaves completed, for tiles.
    pub nodes: Vec<Node>,
    /// Root of the log after the seal.
    pub root: Hash,
    /// The set digest after the block.
    pub rows: SetDigest,
    /// The earliest deadline that is already due but did not fit into this block.
    pub overdue: bool,
}

impl Chain {
    /// Opens a chain: block 0 holds the genesis leaf and a seal.
    ///
    /// # Panics
    /// If the document was not checked, or its rules are not this software's.
    #[must_use]
    pub fn open(genesis: &Genesis) -> (Self, Block) {
        assert_eq!(genesis.rules_version, RULES_VERSION, "the document was checked");
        let id = genesis.chain();
        let mut chain = Self {
            id,
            head: Head { height: 0, time: genesis.time, size: 0 },
            log: Frontier::new(),
            wallets: WalletTree::new(),
            rows: SetDigest::new(),
        };
        let mut state = Overlay::new(&Nothing);
        judge::open_state(&mut state, genesis);
        state.keep();
        let leaf = Leaf {
            kind: LeafKind::Genesis,
            height: 0,
            time: genesis.time,
            id: TxId(id.0),
            code: Code::Applied,
            signatures: [0; 32],
            outcome: [0; 32],
        };
        let entry = Entry {
            index: 0,
            leaf,
            outcome: Outcome::default(),
            salt: genesis.salt,
            parties: Vec::new(),
            item: None,
            due: None,
        };
        let (items, overdue, recovery) = (Vec::new(), false, false);
        let pass = Pass { entries: vec![entry], items, overdue, recovery };
        let block = chain.close(&Nothing, state, pass, id.0, genesis.time, RULES_VERSION);
        (chain, block)
    }

    /// Takes up a chain where storage left it. The caller compares the state digest that follows
    /// ([`Chain::state_digest`]) with the last seal's before it goes on.
    #[must_use]
    pub fn resume(
        id: ChainId,
        head: Head,
        log: Frontier,
        wallets: WalletTree,
        rows: SetDigest,
    ) -> Self {
        assert_eq!(log.size(), head.size, "the log's frontier belongs to the head");
        Self { id, head, log, wallets, rows }
    }

    /// The chain's id.
    #[must_use]
    pub fn id(&self) -> ChainId {
        self.id
    }

    /// Where the chain stands.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The log's right edge.
    #[must_use]
    pub fn log(&self) -> &Frontier {
        &self.log
    }

    /// Root of the log.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.log.root()
    }

    /// How the wallet with this serial number is proved under the last seal's state digest; none if there is
    /// no such wallet.
    #[must_use]
    pub fn prove_wallet(&self, serial: u64) -> Option<StatePath> {
        let path = self.wallets.path(serial)?;
        Some(StatePath { wallets: self.wallets.count(), path, rows: self.rows.digest() })
    }

    /// The time of the block that `batch` would make.
    #[must_use]
    pub fn next_time(&self, batch: &Batch) -> Time {
        Time(batch.time.0.max(self.head.time.0.saturating_add(1)))
    }

    /// Digest of all replicated state.
    pub fn state_digest(&mut self) -> Hash {
        state_digest(self.wallets.count(), &self.wallets.root(), &self.rows.digest())
    }

    /// Executes the batch of one Raft entry. `entry` is the SHA-256 of the entry's data, `checked` one
    /// [`CheckedItem`] per item. Total: whatever the items are, a block comes out.
    ///
    /// # Panics
    /// If `checked` does not belong to `batch`, if the batch is for another chain (the guard refuses
    /// such entries before they are persisted), or if a rule broke an invariant.
    pub fn execute(
        &mut self,
        base: &dyn ReadState,
        batch: &Batch,
        entry: Hash,
        checked: &[CheckedItem],
    ) -> Block {
        assert_eq!(batch.chain, self.id, "entries are checked before they are persisted");
        assert_eq!(batch.items.len(), checked.len(), "one checked item per item");
        let time = self.next_time(batch);
        let height = self.head.height + 1;
        let mut state = Overlay::new(base);
        let rules_version = state.meta().rules_version;
        let recovery = self.recovers(batch, checked);
        let (entries, items) =
            (Vec::with_capacity(checked.len()), Vec::with_capacity(checked.len()));
        let mut pass = Pass { entries, items, overdue: false, recovery };
        let clock = Clock { height, time, first_leaf: self.head.size };
        // A recovery's leaf is the first of its epoch: what is due comes with the next block.
        if !recovery {
            pass.system_leaves(&mut state, clock);
        }
        for (position, item) in checked.iter().enumerate() {
            pass.item(&mut state, clock, position, item);
        }
        self.close(base, state, pass, entry, time, rules_version)
    }

    /// Whether this batch is a recovery in its place: alone, in the first entry of the epoch that it begins, signed by
    /// the opener, on the log that it says.
    fn recovers(&self, batch: &Batch, checked: &[CheckedItem]) -> bool {
        let [CheckedItem { transaction: Some(transaction), fault: None, .. }] = checked else {
            return false;
        };
        let Operation::BeginEpoch(op) = &transaction.body.operation else { return false };
        batch.term == first_term(op.epoch)
            && op.last_index.checked_add(1) == Some(batch.index)
            && batch.leader == op.opener
            && (op.size, op.root) == (self.head.size, self.log.root())
    }

    fn close(
        &mut self,
        base: &dyn ReadState,
        mut state: Overlay<'_>,
        pass: Pass,
        entry: Hash,
        time: Time,
        rules_version: u16,
    ) -> Block {
        let first_leaf = self.head.size;
        let height = pass.entries.first().map_or(self.head.height + 1, |e| e.leaf.height);
        touch_wallets(&mut state, &pass.entries);
        let mut changes = state.finish();
        self.digest_changes(base, height, &mut changes);
        let void = pass.items.iter().filter(|item| item.leaf.is_none()).count();
        let count = |n: usize| u32::try_from(n).expect("batches are far smaller");
        let seal = SealBody {
            height,
            time,
            entry,
            items: count(pass.items.len()),
            void: count(void),
            rules_version,
            state: self.state_digest(),
        };
        let mut nodes = Vec::new();
        for entry in &pass.entries {
            self.log.append_entry(&entry.leaf.bytes(), &mut nodes);
        }
        self.log.append_entry(&seal.leaf().bytes(), &mut nodes);
        self.head = Head { height, time, size: self.log.size() };
        Block {
            head: self.head,
            first_leaf,
            entries: pass.entries,
            seal,
            items: pass.items,
            changes,
            nodes,
            root: self.log.root(),
            rows: self.rows.clone(),
            overdue: pass.overdue,
        }
    }

    /// Brings the digests up to date, and forgets rows that were written as they stood: a deadline that
    /// many payments set, a limit that is counted anew.
    fn digest_changes(&mut self, base: &dyn ReadState, height: u64, changes: &mut Changes) {
        let mut leaves: Vec<(u64, Hash)> = Vec::new();
        changes.retain(|key, row| {
            if let RowKey::Wallet(party) = key {
                let Some(Row::Wallet(wallet)) = row else {
                    panic!("a wallet, once opened, stays: {party}");
                };
                leaves.push((wallet.serial, wallet.state_leaf(party)));
                return true;
            }
            let old = if first_written(key, row.as_ref(), height) { None } else { base.row(key) };
            if old == *row {
                return false;
            }
            let bytes = key.to_bytes();
            if let Some(old) = old {
                self.rows.remove(&bytes, &old.encode());
            }
            if let Some(new) = row {
                self.rows.add(&bytes, &new.encode());
            }
            true
        });
        // New wallets must arrive in the order of their serial numbers, not of their keys.
        leaves.sort_unstable();
        for (serial, leaf) in leaves {
            self.wallets.set(serial, leaf);
        }
    }
}

/// Whether this row cannot have been there before the block at `height`: verdicts are written once, by the
/// block they name, and their references with them. Spares looking for what is not there.
fn first_written(key: &RowKey, row: Option<&Row>, height: u64) -> bool {
    match (key, row) {
        (RowKey::Reference(..), _) => true,
        (RowKey::Judged(_), Some(Row::Judged(judged))) => judged.height == height,
        _ => false,
    }
}
