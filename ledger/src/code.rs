//! Codes: why something was refused, void or rejected. Stable names and numbers, in order of precedence.
//!
//! A transaction is checked in the order of this list and bears the first code that fits (with the
//! single exceptions that `docs/INVARIANTS.md` names). The same code means the same at the door, in a
//! verdict and in an HTTP problem document. The door refuses with codes 1 to 4, 6, 7, 20 and 21; there 6 and
//! 7 come last and the other way round, so that only who signs for a sender learns of its references.

use serde::{Deserialize, Serialize};

/// What a code can stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A verdict: the transaction took effect.
    Applied,
    /// No leaf, no effect; binds neither id nor reference.
    Void,
    /// A verdict: no effect; binds id and reference.
    Rejected,
}

macro_rules! codes {
    ($( $number:literal $variant:ident $name:literal $standing:ident $sentence:literal )+) => {
        /// A stable code.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Code {
            $( #[doc = $sentence] $variant = $number, )+
        }

        impl Code {
            /// Every code, in order of precedence.
            pub const ALL: &'static [Code] = &[$( Code::$variant, )+];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Code::$variant => $name, )+ }
            }

            /// What it means and what to do, in a sentence.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $( Code::$variant => $sentence, )+ }
            }

            /// What it stands for when an ordered item bears it.
            #[must_use]
            pub fn standing(self) -> Standing {
                match self { $( Code::$variant => Standing::$standing, )+ }
            }

            /// The code of a number.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $( $number => Some(Code::$variant), )+ _ => None }
            }
        }
    };
}

codes! {
    0   Applied "applied" Applied "It took effect."
    // What makes an item void.
    1   Malformed "malformed" Void "These are not the canonical bytes of a transaction; build it with the SDK or by FORMAT.md."
    2   WrongChain "wrong_chain" Void "It was made for another chain; check which ledger you are connected to."
    3   InactiveRules "inactive_rules" Void "It was written for rules that are not active here; update the client or wait for activation."
    4   BadSignature "bad_signature" Void "A signature does not verify; sign the body as it is submitted."
    5   AlreadyJudged "already_judged" Void "This transaction already has its verdict; ask for its status."
    6   ReferenceTaken "reference_taken" Void "The sender already used this reference for another transaction; use a new reference for a new intent."
    7   SenderNotSigner "sender_not_signer" Void "No valid signature acts for the sender; let a current key of the sender sign."
    8   OutOfPlace "out_of_place" Void "A recovery is no ordinary transaction: it stands alone in the first entry of the epoch that it begins; use musubi-node recover."
    // What is rejected whatever the operation.
    20  Expired "expired" Rejected "It was ordered after its expiry; make a new one."
    21  WindowTooLong "window_too_long" Rejected "Its expiry lies more than 24 hours ahead; choose a nearer one."
    22  NotWellFormed "not_well_formed" Rejected "A field is out of its documented bounds."
    23  AmountInvalid "amount_invalid" Rejected "An amount is zero or no multiple of the instrument's step."
    // Consents. What depends on who attached signatures is void unless the sender alone signed, and
    // what more signatures can cure is void always (INV-5).
    24  MissingConsent "missing_consent" Void "A consent that the operation must carry is missing; docs/CONSENT.md lists who signs."
    // Who.
    30  UnknownParty "unknown_party" Rejected "A party that it names is not on this ledger."
    31  PartyFrozen "party_frozen" Rejected "A party is frozen; its registrar can lift that."
    32  PartyClosed "party_closed" Rejected "A party is closed."
    33  KeyUnknown "key_unknown" Rejected "A signing key is not registered for the person or party it acts as."
    34  KeyNotActive "key_not_active" Rejected "A signing key was rotated, revoked or waits for a recovery, or its owner is frozen or closed."
    35  RoleMissing "role_missing" Rejected "A signer does not have the role in which it signed."
    36  SamePerson "same_person" Rejected "Two roles that need different persons were filled by one."
    37  ApproversMissing "approvers_missing" Void "Fewer distinct persons signed than this needs; let more of them sign the same body."
    38  PayeeApproves "payee_approves" Rejected "The payee may not approve a payout to themselves."
    39  RolesSuspended "roles_suspended" Rejected "A signer's group roles are suspended while their lost key is recovered."
    40  OrganisationsMissing "organisations_missing" Void "Fewer organisations signed than this needs; let another one sign the same body."
    41  WrongKind "wrong_kind" Rejected "A party is of a kind that cannot do this."
    42  PartyExists "party_exists" Rejected "This party id is taken."
    43  PersonExists "person_exists" Rejected "This person is already on the ledger under another id."
    44  KeyExists "key_exists" Rejected "This key was registered before; keys are never shared or reused."
    45  WeakKey "weak_key" Rejected "This key is weak or not canonical; generate another one."
    46  TooManyKeys "too_many_keys" Rejected "The party has as many keys as it may have; end one of them first."
    47  NotFrozen "not_frozen" Rejected "The party is not frozen."
    48  RecoveryPending "recovery_pending" Rejected "A recovery of this party is already under way."
    49  NoRecovery "no_recovery" Rejected "No recovery of this party is under way."
    50  LastKey "last_key" Rejected "A party's last key cannot be ended; rotate it, or freeze the party and recover."
    51  WrongRegistrar "wrong_registrar" Rejected "Another registrar keeps this party; its own officers act for it."
    52  NotPayee "not_payee" Rejected "The issuer of the document was not paid by the payment that it cites; only a payee issues documents about it."
    53  ParentInvalid "parent_invalid" Rejected "A parent is a group or an office, not the group itself, nothing below it, and at most eight layers up."
    54  OverOwed "over_owed" Rejected "More than the party owes the issuer of this instrument."
    // What.
    60  UnknownInstrument "unknown_instrument" Rejected "No such instrument."
    61  InstrumentExists "instrument_exists" Rejected "This instrument code is taken."
    62  TransferNotAllowed "transfer_not_allowed" Rejected "The instrument may not move between these two parties."
    63  HolderNotEligible "holder_not_eligible" Rejected "The receiving party does not meet the instrument's condition for holders."
    64  AcceptorNotEligible "acceptor_not_eligible" Rejected "This merchant does not accept the instrument."
    65  SameParty "same_party" Rejected "Payer and payee are the same party."
    66  OverTransferMax "over_transfer_max" Rejected "More than one transfer of this instrument may move."
    67  GroupCannotPay "group_cannot_pay" Rejected "The group is forming or has too few officers: it only receives."
    68  GroupClosing "group_closing" Rejected "The group is closing and receives nothing."
    69  IssueEnded "issue_ended" Rejected "The instrument's use has ended: nothing more is issued."
    70  GroupCanAct "group_can_act" Rejected "The group has officers who can act; they change its roles themselves."
    71  InstrumentNotOpen "instrument_not_open" Rejected "The instrument does not do this now: it has not begun, or its life has gone past it."
    72  OverLimit "over_limit" Rejected "More than the instrument lets this party move or spend at once, on one day or in one month."
    73  OverSupplyMax "over_supply_max" Rejected "More than may be issued of the instrument in all."
    74  TenderMismatch "tender_mismatch" Rejected "The instruments cannot make up one payment: their units differ, or their steps do not fit the amount."
    75  UnknownRule "unknown_rule" Rejected "No such rule."
    76  RuleExists "rule_exists" Rejected "This rule number was used before, or the instrument has as many rules of this kind as it may have; take another number, or end one of them."
    77  UnknownOffer "unknown_offer" Rejected "No such offer."
    78  TaxWrong "tax_wrong" Rejected "The tax of a rate is not that of its total, rounded once as the document declares; reckon it by rate, not by article."
    // Grants cited.
    80  UnknownMandate "unknown_mandate" Rejected "No such mandate."
    81  MandateNotActive "mandate_not_active" Rejected "The mandate is revoked, not begun, over, or was granted by a key that is compromised."
    82  MandateMismatch "mandate_mismatch" Rejected "The mandate does not cover this: its party, side, instrument, purpose, counterparty, medium or staff differ."
    83  OverMandate "over_mandate" Rejected "More than the mandate allows at one use, on one day, with this counterparty or in all."
    84  UnknownMedium "unknown_medium" Rejected "No such medium."
    85  MediumNotActive "medium_not_active" Rejected "The medium is revoked."
    86  MediumExists "medium_exists" Rejected "This medium id is taken."
    87  UnknownRequest "unknown_request" Rejected "No such payment request."
    88  RequestNotOpen "request_not_open" Rejected "The payment request was answered, withdrawn, or is past its due time."
    89  RequestMismatch "request_mismatch" Rejected "Payee, payer or amounts differ from the payment request."
    90  UnknownProposal "unknown_proposal" Rejected "No such proposal."
    91  ProposalNotOpen "proposal_not_open" Rejected "The proposal was completed, declined, withdrawn, or has expired."
    92  ConsentNotNeeded "consent_not_needed" Rejected "The proposal does not need this consent, or already has it from this person."
    93  DeadlineInvalid "deadline_invalid" Rejected "The deadline has passed or lies too far ahead."
    94  UnknownAllowance "unknown_allowance" Rejected "No such allowance."
    95  AllowanceNotActive "allowance_not_active" Rejected "The allowance is revoked or over."
    96  OverAllowance "over_allowance" Rejected "More than the allowance has left in all, today or for this wallet; officers of two organisations can grant another."
    97  FundingUsed "funding_used" Rejected "This outside payment or reference was already used."
    98  UnknownOriginal "unknown_original" Rejected "No applied transfer or top-up of this id."
    99  NotRefundable "not_refundable" Rejected "This kind of transaction cannot be refunded or corrected so."
    100 OverOriginal "over_original" Rejected "More than is left of the original."
    101 UnknownRedemption "unknown_redemption" Rejected "No such redemption or hold."
    102 RedemptionNotOpen "redemption_not_open" Rejected "The redemption or hold was answered, or its deadline has passed."
    103 WrongPolicyNumber "wrong_policy_number" Rejected "The witness policy's number is not the one after the policy in force; read that one and number the change after it."
    104 EpochNotNext "epoch_not_next" Rejected "The epoch is not the one after the epoch in force."
    105 ReusedValidator "reused_validator" Rejected "A validator has an id or a key of another one before it; one whose disk is lost needs a new id and new keys."
    106 CheckpointNotFinal "checkpoint_not_final" Rejected "The checkpoint that a recovery names is not final in the epoch before, or covers more than what survives."
    107 OfferNotOpen "offer_not_open" Rejected "The offer has not begun, is over or was ended, or was put by a key that is compromised."
    108 UnknownEntitlement "unknown_entitlement" Rejected "No such entitlement."
    109 EntitlementNotOpen "entitlement_not_open" Rejected "The entitlement has fewer units left, has lapsed, was withdrawn, or was given by a key that is compromised."
    110 OfferMismatch "offer_mismatch" Rejected "What is shown is not what the offer asks for, or is another's; a price, seed or last place does not hold; or an offer gives what its issuer does not issue."
    // Runs.
    111 UnknownRun "unknown_run" Rejected "No such run."
    112 RunNotOpen "run_not_open" Rejected "The run is over, was ended, or was signed by a key that is compromised."
    113 LinesNotProved "lines_not_proved" Rejected "These are not the lines of the run at this place: they, their proof or the place differ from what its manifest was signed for."
    114 OverRun "over_run" Rejected "More than the run's manifest says that its lines sum to."
    118 UnknownDocument "unknown_document" Rejected "The issuer has no document of this number and kind that still stands; cite the one that replaced it."
    119 DocumentExists "document_exists" Rejected "The issuer used this number before, or the payment has a document already; name that one as replaced."
    // The money itself.
    120 InsufficientFunds "insufficient_funds" Rejected "The wallet does not hold enough that can be spent now."
    121 InsufficientClaim "insufficient_claim" Rejected "The merchant's claim that can still be redeemed, less what it owes the issuer, is smaller."
    122 OverWalletMax "over_wallet_max" Rejected "The receiving wallet would hold more than the instrument allows."
    123 TooManyLots "too_many_lots" Rejected "The receiving wallet would hold too many different lots."
    124 AmountOverflow "amount_overflow" Rejected "A sum would leave the range of amounts."
    125 WalletNotEmpty "wallet_not_empty" Rejected "The wallet still holds something."
    126 ClaimHeld "claim_held" Rejected "The claim to give back waits for a redemption; refund it once that is answered or has timed out."
    127 RuleCapReached "rule_cap_reached" Rejected "A rule of the instrument rejects what goes beyond its cap, and this does."
    128 TakerNotEligible "taker_not_eligible" Rejected "The offer is not for this party, as it is attested now."
    129 OverOffer "over_offer" Rejected "More units than the offer lets this party or its household take."
    130 OutOfStock "out_of_stock" Rejected "Fewer units of the offer are left."
    131 AlreadyEntitled "already_entitled" Rejected "This event or code already has its entitlement to this offer."
    140 BalanceLapsed "balance_lapsed" Rejected "The old balance had expired before it was taken over."
    148 CouponNotAccepted "coupon_not_accepted" Rejected "The shop does not take this coupon, or has not agreed to it: it must sign the payment itself, or request the price before coupons where another party bears them."
    149 CouponMismatch "coupon_mismatch" Rejected "What is paid is not the price less what the coupons take off; or a coupon is of another unit, or goes with no other; ask what it takes off."
    150 UnderLeast "under_least" Rejected "The price is below the least one for this coupon."
    151 ReportTooEarly "report_too_early" Rejected "The report's last day is not over yet, or its record does not end before this block; sign it when the day is over, with the block that the report names."
}

impl Code {
    /// Whether it speaks about the signatures that were attached, rather than about the body.
    ///
    /// Signatures are not part of a transaction's id, so whoever passes a half-signed transaction on
    /// could attach useless ones of their own. Such a code is a verdict only if every signature is the
    /// sender's own and it is not [`Self::curable`]; otherwise the item is void and the same body can
    /// still be completed.
    #[must_use]
    pub fn about_signatures(self) -> bool {
        matches!(
            self,
            Self::MissingConsent
                | Self::KeyUnknown
                | Self::KeyNotActive
                | Self::RoleMissing
                | Self::SamePerson
                | Self::ApproversMissing
                | Self::PayeeApproves
                | Self::RolesSuspended
                | Self::OrganisationsMissing
                | Self::ConsentNotNeeded
        )
    }

    /// Whether further signatures under the same body can take it away: never a verdict, or whoever holds
    /// a half-signed transaction could burn it by submitting it too early (INV-5).
    #[must_use]
    pub fn curable(self) -> bool {
        matches!(self, Self::MissingConsent | Self::ApproversMissing | Self::OrganisationsMissing)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.name())
        } else {
            (*self as u16).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = if deserializer.is_human_readable() {
            let name = String::deserialize(deserializer)?;
            Self::ALL.iter().copied().find(|code| code.name() == name)
        } else {
            Self::from_number(u16::deserialize(deserializer)?)
        };
        found.ok_or_else(|| serde::de::Error::custom("unknown code"))
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_with_precedence_and_names_are_unique() {
        assert!(Code::ALL.windows(2).all(|pair| (pair[0] as u16) < pair[1] as u16));
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        let curable = |code: &&Code| code.curable();
        for code in Code::ALL.iter().filter(curable) {
            assert!(code.about_signatures() && code.standing() == Standing::Void);
        }
        for &code in Code::ALL {
            assert_eq!(Code::from_number(code as u16), Some(code));
        }
    }
}
