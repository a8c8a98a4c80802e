//! What nodes and clients say to each other over HTTP, in JSON. Routes are in `docs/API.md`.
//!
//! Shared so that a node and an SDK of the same version cannot disagree. Amounts are strings, times are
//! milliseconds of block time, ids are in their machine form.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    code::Code,
    document::Document,
    group::{Group, GroupLife},
    id::{ChainId, InstrumentId, PartyId, Reference, RuleId, TxId},
    instrument::{Instrument, Totals},
    judge::Missing,
    keys::PublicKey,
    lot::{Lot, OriginKind},
    offer::{Offer, draw::Draw},
    outcome::Outcome,
    party::{KeyRecord, Party, PartyStatus},
    rule::Rule,
    run::Run,
    settlement::Settlement,
    state::{Proposal, Redemption, Request},
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

/// A line of a list of dues.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequestLine {
    /// The id of its payment request.
    pub request: TxId,
    /// What the state keeps of it.
    #[serde(rename = "line")]
    pub row: Request,
}

/// A list of dues: `GET /v1/requests/{id}/lines`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DuesView {
    /// The transaction that asked.
    pub id: TxId,
    /// Its lines, in its order.
    pub lines: Vec<RequestLine>,
    /// Height as of which.
    pub height: u64,
}

/// A document: `GET /v1/parties/{party}/documents/{number}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentView {
    /// Who issued it.
    pub issuer: PartyId,
    /// Its number.
    pub number: Reference,
    /// What the state keeps of it.
    pub document: Document,
    /// Height as of which.
    pub height: u64,
}

/// The documents about a payment: `GET /v1/transactions/{id}/documents`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentsView {
    /// The payment, or the request that was paid in cash.
    pub id: TxId,
    /// By issuer, whoever was paid first: the one that counts, its credit notes from the newest on, and what it replaced from
    /// the newest on.
    pub documents: Vec<IssuedDocument>,
    /// Whether some were left out: each document names the next one of its kind.
    pub more: bool,
    /// Height as of which.
    pub height: u64,
}

/// A document among others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssuedDocument {
    /// Who issued it.
    pub issuer: PartyId,
    /// Its number.
    pub number: Reference,
    /// What the state keeps of it.
    pub document: Document,
}

/// A group that lies directly under a body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChildView {
    /// The group.
    pub group: PartyId,
    /// Who answers for it.
    pub representative: PartyId,
    /// Where it is in its life.
    pub life: GroupLife,
    /// Whether it is active, frozen or closed.
    pub status: PartyStatus,
}

/// A body's groups, a page of them: `GET /v1/parties/{party}/children`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChildrenView {
    /// The body.
    pub body: PartyId,
    /// Its groups, by id.
    pub children: Vec<ChildView>,
    /// Where the next page begins: ask with `after`. None on the last.
    pub next: Option<PartyId>,
    /// Height as of which.
    pub height: u64,
}

/// Where a group lies under a body: `GET /v1/parties/{party}/children/{group}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlaceView {
    /// The body.
    pub body: PartyId,
    /// The group.
    pub group: PartyId,
    /// How many layers below: 1 where it belongs to the body itself.
    pub layers: u32,
    /// Height as of which.
    pub height: u64,
}

/// An offer: `GET /v1/offers/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferView {
    /// Its id.
    pub id: TxId,
    /// What the state keeps of it.
    pub offer: Offer,
    /// Height as of which.
    pub height: u64,
}

/// What a coupon would take off a price: `GET /v1/offers/{id}/quote`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CouponQuote {
    /// The offer.
    pub id: TxId,
    /// The price before it.
    pub gross: Amount,
    /// What it takes off.
    pub discount: Amount,
    /// What is left to pay.
    pub pays: Amount,
    /// Who adds the rest for the shop; none, where the shop bears it.
    pub sponsor: Option<PartyId>,
    /// Why it cannot be used there, if it cannot: what a payment would be told.
    pub code: Option<Code>,
    /// Height as of which.
    pub height: u64,
    /// Block time as of which.
    pub time: Time,
}

/// An application to a lottery.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Its id.
    pub id: TxId,
    /// Its tier.
    pub tier: u8,
    /// For how many units.
    pub units: u32,
}

/// Where a lottery stands: `GET /v1/offers/{id}/draw`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrawView {
    /// The offer.
    pub id: TxId,
    /// What the state keeps of it.
    pub draw: Draw,
    /// A page of applications, the newest first.
    pub applications: Vec<ApplicationView>,
    /// Pass as `before` to go on; none at the first application.
    pub next: Option<TxId>,
    /// Height as of which.
    pub height: u64,
}

/// A run: `GET /v1/runs/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunView {
    /// Its id.
    pub id: TxId,
    /// What the state keeps of it: manifest, counts and sums.
    pub run: Run,
    /// Lines that are not applied, ascending.
    pub open: Vec<OpenLines>,
    /// The line from which to ask on, where there are more.
    pub next: Option<u32>,
    /// Height as of which.
    pub height: u64,
}

/// A settlement: `GET /v1/settlements/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettlementView {
    /// Its id.
    pub id: TxId,
    /// What was signed, and what became of each line.
    pub settlement: Settlement,
    /// Where its lines stand, each at its place.
    pub lines: Vec<SettlementLineView>,
    /// Height as of which.
    pub height: u64,
}

/// A line of a settlement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettlementLineView {
    /// The id of the redemption that it is.
    pub id: TxId,
    /// The redemption; none where the claim was not frozen.
    pub redemption: Option<Redemption>,
}

/// A page of offers: `GET /v1/offers`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferPage {
    /// By id, ascending.
    pub offers: Vec<OfferView>,
    /// Pass as `after` to go on; none at the end.
    pub next: Option<TxId>,
}

/// What runs keep for a party until it is on the ledger: `GET /v1/parties/{party}/waiting`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaitingPage {
    /// By run and line, ascending.
    pub lines: Vec<WaitingLine>,
    /// Whether there are more: pass the last one's `run` and `line` to go on.
    pub more: bool,
    /// Height as of which.
    pub height: u64,
}

/// A line of a run whose party was not on the ledger when it was brought.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaitingLine {
    /// The run.
    pub run: TxId,
    /// Its place in the manifest, from 0.
    pub line: u32,
    /// The entitlement's id, as the line's fact named it.
    pub entitlement: TxId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How much.
    pub amount: Amount,
    /// Free, grant or paid.
    pub origin: OriginKind,
    /// Who bears it, or handed it over.
    pub funder: PartyId,
    /// Campaign number; 0 for none.
    pub campaign: u32,
    /// Whether it is a balance of another system.
    pub import: bool,
    /// When the run ends, or was ended.
    pub until: Time,
    /// Whether the run still applies lines.
    pub open: bool,
}

/// Open lines of a run that stand beside each other and are alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenLines {
    /// The first of them.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Whether they were brought and could not be posted then.
    pub tried: bool,
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
