//! What the API asks of the node around it: [`Ledger`] to read, [`Door`] to submit.
//!
//! Both are synchronous. Methods marked *memory* are called on the runtime's own threads and must
//! neither block nor read the disk; all others are called on threads that may wait.

use std::sync::Arc;

use musubi_consensus::RefuseReason;
use musubi_ledger::{
    amount::Amount,
    api::{EvidenceView, Info},
    execute::{Entry, Head, ItemResult},
    hash::Hash,
    id::{InstrumentId, PartyId, TxId},
    leaf::SealBody,
    policy::PolicyBundle,
    proof::{statement::Statement, wallet::WalletProof},
    snapshot::Manifest,
    state::ReadState,
    time::Time,
    tlog::tile::{Bundle, Tile},
    transaction::Transaction,
};
use musubi_storage::KeptWallet;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

use crate::{clock::Clock, memos::Memos};

/// The store could not be read. Becomes a problem document of status 500 without the cause, which is
/// logged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the store could not be read: {0}")]
pub struct ReadFault(pub String);

/// What a read returns.
pub type Read<T> = Result<T, ReadFault>;

/// Why the node should get no traffic now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NotReady {
    /// Stable: `no_leader`, `behind`, `halted`, `disk_low`; of a replica also `no_upstream`.
    pub code: &'static str,
    /// What is wrong and what to look at, for an operator.
    pub detail: String,
}

/// A page of a party's leaves, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// Leaf indexes, descending.
    pub leaves: Vec<u64>,
    /// Whether older ones follow.
    pub more: bool,
}

/// A page of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPage {
    /// Leaf indexes, ascending; no seals.
    pub leaves: Vec<u64>,
    /// Every leaf below this one was looked at: where the next page begins. Never beyond the log's
    /// size, never below the `from` that was asked for.
    pub next: u64,
}

/// Why a statement cannot be made now, or not here, or not of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprovable {
    /// No final checkpoint covers its states yet.
    NotFinal,
    /// More lines than one statement may have.
    TooLong,
    /// The log has not come so far, or nothing had touched the wallet by then.
    NotYet,
    /// This node does not have the states of those days: it began from a snapshot since.
    NotKept,
}

/// A leaf's entry, and the signed bytes that it judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub entry: Entry,
    /// The transaction's canonical bytes; none for genesis and system leaves.
    pub transaction: Option<Vec<u8>>,
}

/// A run, a place in its manifest from 0, and the amount of that line.
pub type RunLine = (TxId, u32, Amount);

/// The executed chain as the API reads it.
///
/// Rows belong to the newest executed block. [`Ledger::heads`] is raised only after that block's rows
/// are visible: what is read after a head was seen is at least as new as that head.
pub trait Ledger: Send + Sync + 'static {
    /// Where the node stands. *Memory.*
    fn info(&self) -> Info;

    /// The newest executed block, and news of the next. *Memory.*
    fn heads(&self) -> watch::Receiver<Head>;

    /// How many leaves the newest final checkpoint covers, and news of the next. *Memory.*
    fn finals(&self) -> watch::Receiver<u64>;

    /// The rules in force. *Memory.*
    fn rules_version(&self) -> u16;

    /// The node's clock. *Memory.*
    fn clock(&self) -> &Clock;

    /// The room of memos. *Memory*, what is in it is not.
    fn memos(&self) -> &Arc<Memos>;

    /// Why the node is not ready; empty if it is. *Memory.*
    fn not_ready(&self) -> Vec<NotReady>;

    /// Whether a transaction was admitted here and has no result yet. *Memory.*
    fn pending(&self, id: &TxId) -> bool;

    /// The rows of the newest executed block.
    fn state(&self) -> &dyn ReadState;

    /// Entries of these leaves with their transactions, in that order; leaves without an entry (seals,
    /// beyond the log) are left out. Implementations decode each block's batch once, not once per leaf.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn entries(&self, leaves: &[u64]) -> Read<Vec<Recorded>>;

    /// Leaves of `party` strictly older than `before`, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn history(&self, party: &PartyId, before: Option<u64>, limit: usize) -> Read<HistoryPage>;

    /// Leaves with an entry from index `from` on, of `party` alone if given, at most `limit`. May return
    /// fewer although more follow, as long as `next` moves on.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn feed(&self, from: u64, party: Option<&PartyId>, limit: usize) -> Read<FeedPage>;

    /// Open proposals in which `party` gives, receives or may consent.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn open_proposals(&self, party: &PartyId) -> Read<Vec<TxId>>;

    /// Every instrument's code, ascending.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn instruments(&self) -> Read<Vec<InstrumentId>>;

    /// Offers by id, behind `after`, at most `limit`; and whether there are more.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn offers(&self, after: Option<TxId>, limit: usize) -> Read<(Vec<TxId>, bool)>;

    /// Groups directly under `body` by id, behind `after`, at most `limit`; and whether there are more.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn children(
        &self,
        body: &PartyId,
        after: Option<&PartyId>,
        limit: usize,
    ) -> Read<(Vec<PartyId>, bool)>;

    /// Lines of runs that wait for a party, by run and line, behind `after`, at most `limit`, with their amounts; and whether
    /// there are more.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn run_waiting(
        &self,
        party: PartyId,
        after: Option<(TxId, u32)>,
        limit: usize,
    ) -> Read<(Vec<RunLine>, bool)>;

    /// The data of the Raft entry that block `height` executed: a batch's bytes. `None` for block 0 and
    /// beyond the head.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn raft_entry(&self, height: u64) -> Read<Option<Vec<u8>>>;

    /// Block `height` as replicas pull it ([`crate::follow::page::encode_block`]); `None` for block 0 and beyond
    /// the head.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn block(&self, height: u64) -> Read<Option<Vec<u8>>>;

    /// Seal bodies from block `from` on, at most `count`, as far as the chain goes.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn seals(&self, from: u64, count: usize) -> Read<Vec<SealBody>>;

    /// The inclusion path of a leaf in the log's first `size` leaves, from the leaf's side.
    ///
    /// # Errors
    /// [`ReadFault`], also if the log is not that long.
    fn inclusion(&self, leaf: u64, size: u64) -> Read<Vec<Hash>>;

    /// A tile's content; `None` unless the log fills it to its width.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn tile(&self, tile: &Tile) -> Read<Option<Vec<u8>>>;

    /// A leaf bundle's content; `None` unless the log fills it to its width.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn bundle(&self, bundle: &Bundle) -> Read<Option<Vec<u8>>>;

    /// The newest final checkpoint, if there is one.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn checkpoint(&self) -> Read<Option<String>>;

    /// The genesis document and all confirmed changes of the witness policy, with their proofs.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn policies(&self) -> Read<PolicyBundle>;

    /// The first leaves of the epochs after the first.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn epochs(&self) -> Read<Vec<u64>> {
        Ok(Vec::new())
    }

    /// Leaves in the log at a block's seal.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn size_at(&self, height: u64) -> Read<Option<u64>>;

    /// Asks for a wallet's present state, provable under the newest seal; none if too many ask. The answer is
    /// none for a party without a wallet. *Memory.*
    fn ask_wallet(&self, party: PartyId) -> Option<oneshot::Receiver<Option<KeptWallet>>>;

    /// The proof of a wallet's state; none while no final checkpoint covers its seal.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn wallet_proof(&self, party: &PartyId, kept: KeptWallet) -> Read<Option<WalletProof>>;

    /// The statement of a wallet between two midnights in Japan; `present` is its state now.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn statement(
        &self,
        party: &PartyId,
        period: (Time, Time),
        present: KeptWallet,
    ) -> Read<Result<Statement, Unprovable>>;

    /// The newest signed checkpoint of every validator that was heard of, by node id.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn checkpoints(&self) -> Read<Vec<(u64, String)>>;

    /// Where this node's knowledge begins, if it began with a snapshot: the chain at that snapshot's seal. *Memory.*
    fn base(&self) -> Option<Head> {
        None
    }

    /// A snapshot's manifest; none if none is final yet.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn snapshot(&self) -> Read<Option<Manifest>> {
        Ok(None)
    }

    /// A page of rows of the snapshot at `height`, behind the storage key `after`; none if it is not held.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn snapshot_rows(&self, _height: u64, _after: Option<&[u8]>) -> Read<Option<Vec<u8>>> {
        Ok(None)
    }

    /// The evidence files that this node keeps, by name.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn evidence(&self) -> Read<Vec<EvidenceView>>;

    /// An evidence file; `None` if none of that name is kept.
    ///
    /// # Errors
    /// [`ReadFault`].
    fn evidence_file(&self, name: &str) -> Read<Option<Vec<u8>>>;
}

/// A transaction that passed the door: decoded, canonical, for this chain, every signature verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedSubmission {
    /// Its id, computed from `bytes`.
    pub id: TxId,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub transaction: Transaction,
}

/// Why a checked submission was not taken. No verdict: the same bytes may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A queue is full, here or at the leader.
    Busy,
    /// There is room, but not for more of this sender's.
    OverShare,
    /// No leader has been known for some seconds, or the one known no longer leads.
    NoLeader,
    /// The node stops or has halted.
    Stopping,
    /// A replica: validators alone take submissions.
    ReadOnly,
}

impl From<RefuseReason> for Refusal {
    fn from(reason: RefuseReason) -> Self {
        match reason {
            // The door refused over-long transactions long before.
            RefuseReason::Busy | RefuseReason::TooLarge => Self::Busy,
            RefuseReason::NoLeader | RefuseReason::NotLeader => Self::NoLeader,
        }
    }
}

/// What became of an admitted submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was ordered and executed.
    Ordered {
        /// The block.
        head: Head,
        /// Its verdict, or why it is void.
        result: ItemResult,
    },
    /// It was turned away after all, usually by the leader's pool.
    Refused(Refusal),
}

/// What [`Door::submit`] says to one submission.
#[derive(Debug)]
pub enum Admission {
    /// Taken; with a receiver if it was to be followed. A dropped sender means that nothing is known.
    Admitted(Option<oneshot::Receiver<Fate>>),
    /// Not taken.
    Refused(Refusal),
}

/// The way to the leader's pool.
pub trait Door: Send + Sync + 'static {
    /// Why nothing at all is taken here, whatever it is: asked before anything is checked. *Memory.*
    fn closed(&self) -> Option<Refusal> {
        None
    }

    /// Hands verified transactions over, all in one step; one answer each, in order. With `follow`, each
    /// admitted one comes with a receiver that is registered *before* the handing over, so that no
    /// result can be missed. *Memory*: a bounded queue that is full refuses.
    fn submit(&self, items: Vec<CheckedSubmission>, follow: bool) -> Vec<Admission>;
}
