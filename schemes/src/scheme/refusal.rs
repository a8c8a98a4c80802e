//! The four kinds of refusal that every scheme's scenario shows, and which codes can be one.

use musubi_ledger::code::Code;

/// Why a scheme refuses: each kind must be met by a scenario, unless its file says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// Value has expired, or a period is over.
    Expiry,
    /// A cap of somebody who gives: budget, supply, so many each.
    Cap,
    /// Not at this shop, or not by this holder.
    WrongShop,
    /// More than may be held, moved or spent at once.
    OverLimit,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Expiry, Self::Cap, Self::WrongShop, Self::OverLimit];

    /// As files write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Expiry => "expiry",
            Self::Cap => "cap",
            Self::WrongShop => "wrong_shop",
            Self::OverLimit => "over_limit",
        }
    }

    /// The codes that can be such a refusal.
    #[must_use]
    pub fn codes(self) -> &'static [Code] {
        match self {
            Self::Expiry => &[
                Code::InsufficientFunds,
                Code::InsufficientClaim,
                Code::InstrumentNotOpen,
                Code::IssueEnded,
                Code::MandateNotActive,
                Code::OfferNotOpen,
                Code::EntitlementNotOpen,
            ],
            Self::Cap => &[
                Code::OverAllowance,
                Code::OverSupplyMax,
                Code::FundingUsed,
                Code::RuleCapReached,
                Code::OutOfStock,
                Code::OverOffer,
                Code::AlreadyEntitled,
            ],
            Self::WrongShop => &[
                Code::AcceptorNotEligible,
                Code::HolderNotEligible,
                Code::MandateMismatch,
                Code::TakerNotEligible,
                Code::CouponNotAccepted,
            ],
            Self::OverLimit => {
                &[Code::OverLimit, Code::OverWalletMax, Code::OverTransferMax, Code::OverMandate]
            }
        }
    }
}
