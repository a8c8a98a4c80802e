//! Facts: what explains an outcome's postings, such as which rule gave a reward or which line of a run failed. No sum rests on a
//! fact; all value is in the postings.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    code::Code,
    hash::Hash,
    id::{PartyId, RuleId, TxId},
};

/// One fact of an outcome.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A rule acted.
    Rule {
        /// The rule.
        id: RuleId,
        /// The amount that it was applied to.
        base: Amount,
        /// What it gave or passed on.
        given: Amount,
        /// Whether a cap, a limit or the instrument's life made that less than its formula says.
        capped: bool,
    },
    /// A reversal took back what a rule had given.
    Unwound {
        /// The rule.
        id: RuleId,
        /// Taken back.
        taken: Amount,
        /// What was no longer there: owed, or borne by the issuer, as the instrument's terms say.
        short: Amount,
    },
    /// An offer was taken.
    Taken {
        /// The offer.
        offer: TxId,
        /// How many units of it.
        units: u32,
        /// The entitlement that was used.
        entitlement: Option<TxId>,
    },
    /// A coupon lowered what was to be paid, or gave something back.
    Coupon {
        /// The offer that it came from.
        offer: TxId,
        /// By how much.
        discount: Amount,
        /// Who paid for it; none: the payee.
        sponsor: Option<PartyId>,
    },
    /// A lottery's application got its place.
    Ranked {
        /// The application.
        application: TxId,
        /// Its tier: the smaller goes first.
        tier: u8,
        /// What it is ordered by within its tier.
        #[serde(with = "crate::bytes::digest")]
        rank: Hash,
        /// Units won.
        units: u32,
    },
    /// What became of a run's line.
    Line {
        /// Its place in the manifest, from 0.
        index: u32,
        /// How it ended; anything but `applied` may be tried again.
        code: Code,
        /// The entitlement that waits for a party that is not on the ledger yet.
        entitlement: Option<TxId>,
    },
    /// What a settlement withheld from a merchant's line.
    Fee {
        /// The line's place in the manifest, from 0.
        index: u32,
        /// The claim that was settled.
        gross: Amount,
        /// What is paid out.
        net: Amount,
        /// What the merchant owed and paid by it.
        netted: Amount,
        /// Who gets how much of the fee.
        legs: Vec<(PartyId, Amount)>,
    },
    /// A refund took back what a sponsor had added for a coupon, or gave the coupon back.
    CouponBack {
        /// The offer that it came from.
        offer: TxId,
        /// Taken back of the sponsor's part.
        taken: Amount,
        /// What the shop no longer had of that: it owes it.
        short: Amount,
        /// Whether the payer may use it again, if it is still good.
        returned: bool,
    },
}
