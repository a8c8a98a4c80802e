//! Every operation a transaction can carry. Enums only append: their order is the binary format.

use core::slice;

use serde::{Deserialize, Serialize};

mod document;
mod dues;
mod epoch;
mod grant;
mod group;
mod hold;
mod money;
mod offer;
mod party;
mod rule;
mod run;
mod settlement;

pub use document::*;
pub use dues::*;
pub use epoch::*;
pub use grant::*;
pub use group::*;
pub use hold::*;
pub use money::*;
pub use offer::*;
pub use party::*;
pub use rule::*;
pub use run::*;
pub use settlement::*;

use crate::{id::TxId, keys::PublicKey, policy::WitnessPolicy};

/// One operation. Who signs it, and for which side, is listed in `docs/CONSENT.md` and checked in
/// [`crate::judge`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Moves value between two wallets, complete with both sides' consents.
    Transfer(Movement),
    /// Issues value into a wallet against outside funds, inside an allowance (チャージ).
    TopUp(TopUp),
    /// Stores a transfer on the ledger that still collects consents.
    Propose(Propose),
    /// A decision about a proposal.
    Decide(Decide),
    /// The payee's signed, one-use consent to be paid.
    RequestPayment(RequestPayment),
    /// Withdraws an open payment request.
    CancelRequest {
        /// The request.
        request: TxId,
    },
    /// The payee of an applied transfer gives (part of) it back, in its own lots.
    Refund(Refund),
    /// An issuer undoes (part of) an applied transfer or top-up without its holder.
    Correct(Correct),
    /// A merchant asks its issuer to pay out a claim.
    RequestRedemption(RequestRedemption),
    /// The issuer confirms the payout and burns, or returns the claim (組戻し).
    AnswerRedemption(AnswerRedemption),
    /// Bounded, revocable consent in advance.
    GrantMandate(GrantMandate),
    /// Ends a mandate.
    RevokeMandate {
        /// The mandate.
        mandate: TxId,
    },
    /// An issuer's right to issue up to a cap.
    GrantAllowance(GrantAllowance),
    /// Ends an allowance.
    RevokeAllowance {
        /// The allowance.
        allowance: TxId,
    },
    /// Opens an instrument.
    DefineInstrument(DefineInstrument),
    /// Puts a party, its keys and its wallet on the ledger.
    RegisterParty(RegisterParty),
    /// Attests coarse attributes of a party.
    Attest(Attest),
    /// Replaces the officers of a registrar, issuer or organisation.
    SetOfficers(SetOfficers),
    /// One more key for a party.
    AddKey(AddKey),
    /// A new key in place of an old one; consents and mandates of the old one stay.
    RotateKey(RotateKey),
    /// Ends a key; as *compromised* it also cancels its unexecuted consents.
    RevokeKey(RevokeKey),
    /// Stops a party's wallet and keys at once.
    Freeze(Freeze),
    /// Ends a freeze.
    Unfreeze {
        /// The party.
        party: crate::id::PartyId,
    },
    /// A new key for a person who lost theirs, effective after a delay.
    Recover(Recover),
    /// Stops a recovery that waits.
    CancelRecovery {
        /// The person.
        party: crate::id::PartyId,
    },
    /// Gives a holder a medium with bounded, attested consent.
    EnrolMedium(EnrolMedium),
    /// Ends a medium and the mandates bound to it.
    RevokeMedium {
        /// The medium.
        medium: crate::id::MediumId,
    },
    /// Opens a group.
    CreateGroup(CreateGroup),
    /// Changes a group's roles, policy or representative.
    ChangeGroup(ChangeGroup),
    /// The registrar installs successors in a group that has too few officers.
    InstallSuccessors(InstallSuccessors),
    /// Begins a group's end: proposals and mandates die, only emptying moves remain.
    CloseGroup {
        /// The group.
        group: crate::id::PartyId,
    },
    /// Sets the next witness policy: whose cosignatures make a checkpoint final.
    ChangeWitnessPolicy(WitnessPolicy),
    /// Starts a new epoch after a quorum of disks was lost. Stands alone, in the epoch's first entry.
    BeginEpoch(BeginEpoch),
    /// Pays an amount in whichever of some instruments the payer's lots make up.
    Pay(Pay),
    /// Renews value whose expiry slides.
    Touch(Touch),
    /// A further step of an instrument's life, its supply, its published terms.
    ChangeInstrument(ChangeInstrument),
    /// Lets the ledger post something by itself whenever something happens.
    PutRule(PutRule),
    /// A rule gives nothing more.
    EndRule(EndRule),
    /// A receipt, a qualified invoice, a credit note.
    IssueDocument(IssueDocument),
    /// Puts something up to be taken.
    PutOffer(PutOffer),
    /// Nothing more is taken of an offer.
    EndOffer(EndOffer),
    /// Gives rights to take of an offer.
    Entitle(Entitle),
    /// Takes back an entitlement that was not used up.
    WithdrawEntitlement {
        /// The entitlement.
        entitlement: TxId,
    },
    /// Takes of an offer.
    Take(Take),
    /// Asks a list of members to pay.
    RequestMany(RequestMany),
    /// What was asked for was paid in cash.
    RecordCash(RecordCash),
    /// Value waits for what is exchanged for it.
    Hold(Hold),
    /// Whoever delivers answers a hold.
    AnswerHold(AnswerHold),
    /// A group joins a parent body, or leaves it.
    SetParent(SetParent),
    /// A party pays what it owes an issuer.
    Repay(Repay),
    /// Applies to a lottery.
    Apply(Apply),
    /// Shows a lottery's seed.
    RevealDraw(RevealDraw),
    /// Counts who has won in a lottery.
    CountDraw(CountDraw),
    /// The manifest of a bulk grant.
    OpenRun(OpenRun),
    /// Some of a run's lines, with their proof.
    RunChunk(RunChunk),
    /// A run applies no more lines.
    EndRun(EndRun),
    /// Pays a price less what coupons take off it.
    PayWithCoupons(PayWithCoupons),
    /// The issuer freezes merchants' claims at a cut-off, to pay them out.
    Settle(Settle),
    /// The issuer says of lines of a settlement what the bank did.
    AnswerSettlement(AnswerSettlement),
}

impl Operation {
    /// The keys that it registers if it is applied.
    #[must_use]
    pub fn new_keys(&self) -> &[PublicKey] {
        match self {
            Self::RegisterParty(op) => &op.keys,
            Self::AddKey(op) => slice::from_ref(&op.key),
            Self::RotateKey(op) => slice::from_ref(&op.new),
            Self::Recover(op) => slice::from_ref(&op.key),
            _ => &[],
        }
    }
}
