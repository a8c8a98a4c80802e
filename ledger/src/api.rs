//! What nodes and clients say to each other over HTTP, in JSON. Routes are in `docs/API.md`.
//!
//! Shared so that a node and an SDK of the same version cannot disagree. Amounts are strings, times are
//! milliseconds of block time, ids are in their machine form.

mod documents;
mod groups;
mod offers;
mod runs;

use serde::{Deserialize, Serialize};

pub use self::{
    documents::{DocumentView, DocumentsView, DuesView, IssuedDocument, RequestLine},
    groups::{ChildView, ChildrenView, PlaceView},
    offers::{ApplicationView, CouponQuote, DrawView, OfferPage, OfferView},
    runs::{OpenLines, RunView, SettlementLineView, SettlementView, WaitingLine, WaitingPage},
};
use crate::{
    amount::Amount,
    code::Code,
    group::Group,
    id::{ChainId, InstrumentId, PartyId, RuleId, TxId},
    instrument::{Instrument, Totals},
    judge::Missing,
    keys::PublicKey,
    lot::Lot,
    outcome::Outcome,
    party::{KeyRecord, Party},
    rule::Rule,
    state::Proposal,
    time::Time,
    transaction::Transaction,
};

/// Who a node is and where it stands: `GET /v1/info`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Info {
    /// The chain.
    pub chain: ChainId,
    /// Origin of the log's checkpoints.
    pub origin: String,
    /// Printed prefix of addresses.
    pub scheme: String,
    /// The node's Raft id.
    pub node: u64,
    /// The leader it follows, if any.
    pub leader: Option<u64>,
    /// Raft term.
    pub term: u64,
    /// Height of the last executed block.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// Leaves in the log.
    pub size: u64,
    /// Leaves that the newest final checkpoint covers.
    pub final_size: u64,
    /// The rules in force.
    pub rules_version: u16,
    /// Software version.
    pub version: String,
    /// Of a replica, whom it follows and how far behind it is; none for a validator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaInfo>,
}

/// Where a replica stands: part of [`Info`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplicaInfo {
    /// The upstream that it follows; none has answered yet, if there is none.
    pub upstream: Option<String>,
    /// The height that the upstream last said it has.
    pub upstream_height: u64,
    /// Blocks that the upstream has and this replica does not.
    pub behind_blocks: u64,
    /// Milliseconds of block time between the two.
    pub behind_ms: u64,
    /// Upstreams that served what does not add up, each with what was wrong.
    pub refused: Vec<(String, String)>,
    /// The block with whose snapshot it began; 0 from genesis.
    pub base_height: u64,
    /// Leaves up to that block: of what they did it knows nothing. 0 from genesis.
    pub base_size: u64,
}

/// Where a transaction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// This node knows nothing of it. Conclusive once block time has passed the body's expiry.
    Unknown,
    /// Admitted here, not judged yet.
    Pending,
    /// Judged: `code` is its one verdict, for ever.
    Judged,
    /// Ordered but void: no verdict; the same body may still apply with the right signatures.
    Void,
}

/// How a transaction ends: exactly one of the last three.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not yet: it may still be judged.
    Pending,
    /// It took effect.
    Applied,
    /// It was judged and took no effect; `code` says why.
    Rejected,
    /// Block time has passed its expiry and it was not judged: it never will be.
    Expired,
}

/// How firmly a verdict stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// On the disks of a Raft quorum and executed: survives crashes.
    Committed,
    /// Covered by a checkpoint that the witness policy's quorum cosigned: provable to anyone.
    Final,
}

/// A transaction's status: `GET /v1/transactions/{id}`, and the answer to a submission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its id.
    pub id: TxId,
    /// Where it stands.
    pub stage: Stage,
    /// How it ends.
    pub verdict: Verdict,
    /// How firmly the verdict stands; none while there is none.
    pub durability: Option<Durability>,
    /// The verdict, or why it is void.
    pub code: Option<Code>,
    /// What the code means, in a sentence.
    pub detail: Option<String>,
    /// The block that judged it.
    pub height: Option<u64>,
    /// That block's time.
    pub time: Option<Time>,
    /// Its leaf in the log.
    pub leaf: Option<u64>,
    /// Height of the answering node.
    pub node_height: u64,
    /// Block time of the answering node.
    pub node_time: Time,
}

/// A transaction with what it did: `GET /v1/transactions/{id}/full`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FullTransaction {
    /// Its status.
    pub status: Status,
    /// What was signed.
    pub transaction: Transaction,
    /// What it did.
    pub outcome: Outcome,
}

/// What a wallet holds of one lot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LotView {
    /// The lot.
    pub lot: Lot,
    /// Since when there has been any of it.
    pub since: Time,
    /// Can be spent, if the lot is usable.
    pub spendable: Amount,
    /// Waits.
    pub held: Amount,
    /// Can be redeemed.
    pub claim: Amount,
    /// Whether it has not expired.
    pub usable: bool,
}

/// What a wallet holds of one instrument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BalanceView {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Decimal places of its unit.
    pub decimals: u8,
    /// What can be spent now: the figure to show.
    pub spendable: Amount,
    /// What waits for a release or time-out.
    pub held: Amount,
    /// What can only be redeemed.
    pub claim: Amount,
    /// What the party owes the issuer.
    pub receivable: Amount,
    /// Lot by lot, in spending order.
    pub lots: Vec<LotView>,
}

/// A wallet: `GET /v1/wallets/{party}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalletView {
    /// Whose.
    pub party: PartyId,
    /// How many leaves touched it.
    pub leaves: u64,
    /// By instrument, ascending.
    pub balances: Vec<BalanceView>,
    /// Height as of which.
    pub height: u64,
    /// Block time as of which.
    pub time: Time,
}

/// What one party could pay another now: `GET /v1/wallets/{party}/spendable`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SpendableView {
    /// Who pays.
    pub party: PartyId,
    /// Who is paid.
    pub payee: PartyId,
    /// By instrument, ascending: those in the wallet.
    pub instruments: Vec<SpendableOf>,
    /// Height as of which.
    pub height: u64,
    /// Block time as of which.
    pub time: Time,
}

/// What could be paid of one instrument, in one payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SpendableOf {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Decimal places of its unit.
    pub decimals: u8,
    /// How much, within all limits.
    pub spendable: Amount,
    /// Why none of it can be paid to this payee.
    pub code: Option<Code>,
}

/// A key of a party.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyView {
    /// The key.
    pub key: PublicKey,
    /// What it is.
    pub record: KeyRecord,
}

/// A party: `GET /v1/parties/{party}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartyView {
    /// Its id.
    pub id: PartyId,
    /// What the state keeps of it.
    pub party: Party,
    /// Its keys.
    pub keys: Vec<KeyView>,
    /// Its roles, policy and life, if it is a group.
    pub group: Option<Group>,
    /// Height as of which.
    pub height: u64,
}

/// A proposal: `GET /v1/proposals/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProposalView {
    /// Its id, and the payout's.
    pub id: TxId,
    /// What the state keeps of it.
    pub proposal: Proposal,
    /// Who is still missing; empty if it is not open.
    pub missing: Vec<Missing>,
    /// Height as of which.
    pub height: u64,
}

/// An instrument with its supply: `GET /v1/instruments/{code}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstrumentView {
    /// Its code.
    pub id: InstrumentId,
    /// Its terms and life.
    pub instrument: Instrument,
    /// What came and went of it.
    pub totals: Totals,
    /// In wallets: what came and has not gone. Counts expired value until its leaf.
    pub outstanding: Amount,
    /// Height as of which.
    pub height: u64,
}

/// A rule: `GET /v1/instruments/{code}/rules/{number}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RuleView {
    /// Its instrument and number.
    pub id: RuleId,
    /// What the state keeps of it.
    pub rule: Rule,
    /// Height as of which.
    pub height: u64,
}

/// One line of a party's history or of the feed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntryView {
    /// Leaf index.
    pub leaf: u64,
    /// Block.
    pub height: u64,
    /// Block time.
    pub time: Time,
    /// Transaction or system action id.
    pub id: TxId,
    /// What kind of leaf.
    pub kind: crate::leaf::LeafKind,
    /// The verdict.
    pub code: Code,
    /// What it did.
    pub outcome: Outcome,
    /// The transaction; none for system actions.
    pub transaction: Option<Transaction>,
}

/// A page of history: `GET /v1/parties/{party}/history`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<EntryView>,
    /// Pass as `before` to go on; none at the end.
    pub next: Option<u64>,
}

/// Checkpoints that this node holds, its own and its peers': `GET /v1/checkpoints`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Checkpoints {
    /// Signed notes, one per validator that was heard of, by node id.
    pub notes: Vec<(u64, String)>,
}

/// An evidence file that this node keeps: `GET /v1/evidence`. The file itself, at `/v1/evidence/{name}`, is
/// what counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EvidenceView {
    /// The file's name.
    pub name: String,
    /// What was done.
    pub kind: crate::evidence::Kind,
    /// By which validator; none for an independent witness.
    pub node: Option<u64>,
    /// Which organisation runs it.
    pub organisation: Option<PartyId>,
    /// With which key.
    pub key: crate::keys::PublicKey,
    /// The file's length.
    pub bytes: u64,
    /// Who, what and where in a sentence.
    pub sentence: String,
}

/// A refusal or error (RFC 9457, `application/problem+json`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:musubi:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short name.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code: a verdict's, or one of the door's own.
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
    /// The transaction that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<TxId>,
}
