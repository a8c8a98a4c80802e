//! What the state keeps under each key.

use serde::{Deserialize, Serialize};

use super::{Derived, Shared, UsedCoupons};
use crate::{
    amount::Amount,
    code::Code,
    codec::{self, CodecError},
    document::Document,
    group::Group,
    hash::Hash,
    id::{DocumentHash, InstrumentId, PartyId, Reference, Salt, TxId},
    instrument::{Instrument, Totals},
    keys::PublicKey,
    lot::Lot,
    mandate::Mandate,
    offer::{Entitlement, Offer, draw::Draw},
    operation::{HoldAnswer, Leg, Member, Movement, RedemptionAnswer},
    outcome::Form,
    party::{KeyRecord, Party},
    policy::WitnessPolicy,
    rule::{Rule, RuleBook, cap::RuleUse},
    run::{Run, RunLines},
    settlement::Settlement,
    time::{Day, Time},
    transaction::{Purpose, Role, Side},
    wallet::Wallet,
};

/// The state as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// The rules in force.
    pub rules_version: u16,
    /// The organisations' parties, ascending.
    pub organisations: Vec<PartyId>,
    /// Wallets opened so far: the next one's serial number.
    pub wallets: u64,
    /// The number of the witness policy in force.
    pub witness_policy: u32,
    /// The constants that the genesis document fixed.
    pub parameters: crate::genesis::Parameters,
}

/// A witness policy, kept for ever: proofs made under it outlive it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NumberedPolicy {
    /// The policy.
    pub policy: WitnessPolicy,
    /// The transaction that set it; none for the genesis document's.
    pub set_by: Option<TxId>,
}

/// An epoch that a recovery began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// The recovery.
    pub begun_by: TxId,
    /// The number of its first witness policy.
    pub policy: u32,
    /// Its validators, ascending by id.
    pub validators: Vec<crate::genesis::Node>,
}

/// A medium.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Medium {
    /// Whose.
    pub party: PartyId,
    /// The registrar that enrolled it.
    pub registrar: PartyId,
    /// Mandates bound to it.
    pub mandates: Vec<TxId>,
    /// When it was revoked.
    pub revoked: Option<Time>,
}

/// What was issued and burnt of one lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Supply {
    /// Issued.
    pub issued: Amount,
    /// Burnt.
    pub burnt: Amount,
}

/// What one party has used of a limit that counts by period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LimitUse {
    /// The period that is counted: a JST day or month by its number.
    pub period: u32,
    /// Used in it.
    pub used: Amount,
}

/// An allowance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Allowance {
    /// What may be issued.
    pub instrument: InstrumentId,
    /// The issuer.
    pub issuer: PartyId,
    /// The key that may.
    pub key: PublicKey,
    /// In all.
    pub total: Amount,
    /// Into one wallet.
    pub per_wallet: Amount,
    /// On one JST day.
    pub per_day: Amount,
    /// Exclusive end.
    pub end: Time,
    /// The officers' keys that granted it.
    pub granted_by: Vec<PublicKey>,
    /// When it was revoked.
    pub revoked: Option<Time>,
    /// Used in all.
    pub used: Amount,
    /// The JST day that `used_today` counts.
    pub day: Day,
    /// Used on that day.
    pub used_today: Amount,
}

/// A payment request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Who wants to be paid.
    pub payee: PartyId,
    /// Who alone may answer.
    pub payer: Option<PartyId>,
    /// Whose dues these are, if it is a line of a list.
    pub member: Option<Member>,
    /// The list.
    pub list: Option<TxId>,
    /// Exactly what answers it, unless there is a tender.
    pub legs: Vec<Leg>,
    /// Instruments in which its one leg's amount may be paid together.
    pub tender: Vec<InstrumentId>,
    /// Until when.
    pub due: Time,
    /// What it is for.
    pub purpose: Purpose,
    /// The keys that signed it.
    pub signed_by: Vec<PublicKey>,
    /// Where it stands.
    pub status: RequestStatus,
}

/// Where a payment request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Waits for a payer.
    Open,
    /// Answered by this transfer.
    Answered(TxId),
    /// Withdrawn by the payee.
    Withdrawn,
    /// Past its due time.
    Expired,
    /// Paid in cash, as this transaction records.
    Cash(TxId),
}

/// One consent that a proposal has collected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProposalConsent {
    /// For which side.
    pub side: Side,
    /// In which role.
    pub role: Role,
    /// Acting for whom.
    pub party: PartyId,
    /// The person or party whose key signed.
    pub signer: PartyId,
    /// The key that signed.
    pub key: PublicKey,
    /// The transaction that carried it.
    pub carried_by: TxId,
}

/// A proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// What shall move.
    pub movement: Movement,
    /// Who proposed.
    pub proposer: PartyId,
    /// The recorded drafter, where the giving wallet is a group's: never approves it.
    pub drafter: Option<PartyId>,
    /// What it is for.
    pub purpose: Purpose,
    /// The payment request that it answers.
    pub answers: Option<TxId>,
    /// When it was proposed.
    pub opened: Time,
    /// Until when consents count.
    pub deadline: Time,
    /// Consents so far, in order of arrival.
    pub consents: Vec<ProposalConsent>,
    /// Where it stands.
    pub status: ProposalStatus,
}

/// Where a proposal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Collects consents.
    Open,
    /// Completed by this consent.
    Completed(TxId),
    /// Declined by this decision.
    Declined(TxId),
    /// Withdrawn by this decision.
    Withdrawn(TxId),
    /// Past its deadline.
    Expired,
}

/// A redemption.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Redemption {
    /// Who wants to be paid out.
    pub merchant: PartyId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What is held, by lot.
    pub lots: Vec<(Lot, Amount)>,
    /// What its payout costs, by leg, as rules said when it was asked for.
    pub fees: Vec<(PartyId, Amount)>,
    /// What its merchant owed and pays by it; owed again if it is not paid out.
    pub netted: Amount,
    /// When the hold times out.
    pub deadline: Time,
    /// Where it stands.
    pub status: RedemptionStatus,
}

/// Where a redemption stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionStatus {
    /// Waits for the issuer.
    Open,
    /// Answered.
    Answered(RedemptionAnswer),
    /// Timed out: the claim returned.
    TimedOut,
}

/// Value that waits for what is exchanged for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Whose it is.
    pub from: PartyId,
    /// Who delivers.
    pub to: PartyId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What is held, by lot.
    pub lots: Vec<(Lot, Amount)>,
    /// When it returns unanswered.
    pub deadline: Time,
    /// Hash of the order.
    pub order: DocumentHash,
    /// Where it stands.
    pub status: HoldStatus,
}

/// Where a hold stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// Waits for whoever delivers.
    Open,
    /// Answered.
    Answered(HoldAnswer),
    /// Timed out: the value returned.
    TimedOut,
}

/// The verdict on an id, kept for ever: what makes a second judgement impossible (INV-3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The verdict.
    pub code: Code,
    /// The block.
    pub height: u64,
    /// The block's time.
    pub time: Time,
    /// The leaf.
    pub leaf: u64,
    /// What an applied transfer or top-up moved, for refunds and corrections.
    pub settled: Option<Settled>,
}

/// What an applied transfer or top-up moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settled {
    /// The wallet that gave; the issuer for a top-up.
    pub from: PartyId,
    /// The wallet that received.
    pub to: PartyId,
    /// Whether it was a top-up.
    pub issued: bool,
    /// How the giving side consented.
    pub debit: Form,
    /// What moved, by lot.
    pub lots: Vec<SettledLot>,
    /// What rules posted for it.
    pub derived: Vec<Derived>,
}

/// One lot of what moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettledLot {
    /// The lot.
    pub lot: Lot,
    /// How much moved.
    pub amount: Amount,
    /// How much of it was refunded or corrected since.
    pub undone: Amount,
    /// Whether the receiver got it as a claim.
    pub claim: bool,
    /// Since when the giver had it: what is given back is as old as it was.
    pub since: Time,
    /// The expiry that the receiver got instead, where its acceptance renewed it.
    pub renewed: Option<Renewed>,
}

/// Equal value with another expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Renewed {
    /// Its use expiry.
    pub use_expiry: Option<Time>,
}

impl SettledLot {
    /// The lot that the receiver got.
    #[must_use]
    pub fn received(&self) -> Lot {
        match self.renewed {
            Some(Renewed { use_expiry }) => Lot { use_expiry, ..self.lot },
            None => self.lot,
        }
    }
}

/// A row. All but the smallest are behind a handle, so that moving and copying rows costs the same for all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "one variant per table, documented at RowKey")]
pub enum Row {
    Meta(Shared<Meta>),
    Party(Shared<Party>),
    Key(KeyRecord),
    Person(PartyId),
    Wallet(Shared<Wallet>),
    Group(Shared<Group>),
    Medium(Shared<Medium>),
    Instrument(Shared<Instrument>),
    Supply(Supply),
    Allowance(Shared<Allowance>),
    AllowanceUse(Amount),
    Mandate(Shared<Mandate>),
    MandateUse(Amount),
    Request(Shared<Request>),
    Proposal(Shared<Proposal>),
    Redemption(Shared<Redemption>),
    Receivable(Amount),
    Funding(TxId),
    Reference(TxId),
    Judged(Shared<Judged>),
    Due,
    Policy(Shared<NumberedPolicy>),
    Epoch(Shared<Epoch>),
    Totals(Shared<Totals>),
    LimitUse(LimitUse),
    Rule(Shared<Rule>),
    RuleBook(Shared<RuleBook>),
    RuleUse(Shared<RuleUse>),
    Document(Shared<Document>),
    Documented(Reference),
    Offer(Shared<Offer>),
    OfferUse(Shared<RuleUse>),
    Entitlement(Shared<Entitlement>),
    Hold(Shared<Held>),
    Draw(Shared<Draw>),
    Run(Shared<Run>),
    RunLines(Shared<RunLines>),
    RunWaiting(Amount),
    Coupons(Shared<UsedCoupons>),
    Settlement(Shared<Settlement>),
    Child,
}

impl Row {
    /// Canonical bytes, as storage keeps and the state digest covers them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a row back.
    ///
    /// # Errors
    /// A [`CodecError`] means that the store is damaged or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes, crate::limits::GENESIS_BYTES_MAX)
    }
}

/// The salt of a wallet, from the salt of the body that opened it, so that a wallet's leaf in the
/// state tree hides its content.
#[must_use]
pub fn wallet_salt(opening: &Salt, party: &PartyId) -> Hash {
    crate::hash::tagged("musubi/v1/wallet-salt", &[&opening.0, &party.0])
}

/// The id under which a medium's due or mandate rows are derived: `index` tells several apart.
#[must_use]
pub fn derived_id(cause: &TxId, index: u8) -> TxId {
    TxId(crate::hash::tagged("musubi/v1/derived", &[&cause.0, &[index]]))
}

/// The 32-byte form of a shorter id in a due key.
#[must_use]
pub fn padded(id: &[u8; 16]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(id);
    bytes
}

impl Medium {
    /// Whether it is still good.
    #[must_use]
    pub fn active(&self) -> bool {
        self.revoked.is_none()
    }
}
