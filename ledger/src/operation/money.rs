//! Operations that move value.

use serde::{Deserialize, Serialize};

use super::Showing;
use crate::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, MediumId, PartyId, TxId},
    lot::OriginKind,
    time::Time,
};

/// An amount of one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// What.
    pub instrument: InstrumentId,
    /// How much; not zero.
    pub amount: Amount,
}

/// How one side's consent is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Citation {
    /// By signatures on this transaction (or proposal).
    Live,
    /// By a mandate that the side granted before.
    Mandate(TxId),
    /// Credit side only: by the payment request that the body answers.
    Request,
    /// Debit side only: by a medium shown at the payee's terminal, whose key signs.
    Medium {
        /// What was shown.
        medium: MediumId,
        /// The medium's mandate.
        mandate: TxId,
    },
}

/// Value that goes from one wallet to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// Who gives.
    pub from: PartyId,
    /// Who receives.
    pub to: PartyId,
    /// One to four legs, ascending by instrument.
    pub legs: Vec<Leg>,
    /// How the giving side consents.
    pub debit: Citation,
    /// How the receiving side consents.
    pub credit: Citation,
}

/// A payment of an amount that several instruments make up: what expires first is spent first, whichever it is of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// Who gives.
    pub from: PartyId,
    /// Who receives.
    pub to: PartyId,
    /// One to eight instruments of equal face and decimals, ascending: what the payer lets be spent. Those that may not go
    /// this way now are left out.
    pub instruments: Vec<InstrumentId>,
    /// How much, in their common unit; not zero.
    pub amount: Amount,
    /// How the giving side consents.
    pub debit: Citation,
    /// How the receiving side consents.
    pub credit: Citation,
}

/// A coupon that a payer uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseCoupon {
    /// The offer that it is of.
    pub offer: TxId,
    /// What the payer shows for it.
    pub showing: Showing,
}

/// A payment at a shop that coupons make smaller, or that they give something back for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayWithCoupons {
    /// What is paid: the gross price less what the coupons take off.
    pub pay: Pay,
    /// The price before coupons, in the same unit.
    pub gross: Amount,
    /// One to four, ascending by offer.
    pub coupons: Vec<UseCoupon>,
}

/// A holder shows that it is still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touch {
    /// Whose wallet.
    pub party: PartyId,
    /// Of which instrument.
    pub instrument: InstrumentId,
}

/// Issue into a wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// The allowance under which the issuer's key acts; names instrument and issuer.
    pub allowance: TxId,
    /// Whose wallet.
    pub to: PartyId,
    /// How much.
    pub amount: Amount,
    /// Paid, free or grant.
    pub origin: OriginKind,
    /// Who gave the outside funds: the holder, or somebody who signs as funder.
    pub funder: PartyId,
    /// Campaign number under which reports group it; 0 for none.
    pub campaign: u32,
    /// Hash of the outside payment's reference; each is used once, for ever, per issuer.
    pub funding: DocumentHash,
    /// How the holder consents: live, or a credit mandate.
    pub credit: Citation,
}

/// A transfer that collects consents on the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// What shall move.
    pub movement: Movement,
    /// Until when consents count, at most 90 days ahead.
    pub deadline: Time,
}

/// A decision about a proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The proposal.
    pub proposal: TxId,
    /// What is decided.
    pub decision: Decision,
}

/// What a party decides about a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Consents, in the side and role of the signatures.
    Consent,
    /// The other side, or an approver, says no: the proposal ends.
    Decline,
    /// The proposer takes it back.
    Withdraw,
}

/// A one-use consent to be paid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestPayment {
    /// Who wants to be paid.
    pub payee: PartyId,
    /// Who alone may answer; anyone if absent.
    pub payer: Option<PartyId>,
    /// Exactly what answers it, unless there is a tender.
    pub legs: Vec<Leg>,
    /// Empty; or instruments of equal face and decimals, ascending, in which the one leg's amount may be paid together.
    pub tender: Vec<InstrumentId>,
    /// Until when it can be answered.
    pub due: Time,
}

/// The payee gives back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The applied transfer.
    pub original: TxId,
    /// How much per instrument, ascending.
    pub legs: Vec<Leg>,
}

/// Why an issuer corrects without the holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionReason {
    /// The outside payment was charged back.
    Chargeback,
    /// Issued by mistake.
    ErroneousIssue,
    /// A court ordered it.
    CourtOrder,
}

/// An issuer's correction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correct {
    /// The applied top-up or purchase.
    pub original: TxId,
    /// How much per instrument, ascending; never beyond the original.
    pub legs: Vec<Leg>,
    /// Why.
    pub reason: CorrectionReason,
    /// Hash of the file that justifies it.
    pub evidence: DocumentHash,
}

/// A merchant asks for payout.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRedemption {
    /// The merchant.
    pub merchant: PartyId,
    /// How much of which instrument's claim.
    pub leg: Leg,
    /// Unanswered, the claim returns then; 7 to 90 days ahead.
    pub deadline: Time,
}

/// The issuer's answer to a redemption.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRedemption {
    /// The redemption.
    pub redemption: TxId,
    /// Paid out, or returned.
    pub answer: RedemptionAnswer,
}

/// How a redemption ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionAnswer {
    /// The bank paid: the claim is burnt.
    Paid {
        /// Hash of the bank's reference.
        payout: DocumentHash,
    },
    /// The bank returned it: the claim is the merchant's again.
    Returned {
        /// Hash of the bank's notice.
        notice: DocumentHash,
    },
}
