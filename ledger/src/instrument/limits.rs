//! How much of an instrument may be held, moved and spent. Limits intersect: all that fit apply, and the least counts.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    party::{Party, PartyKind},
    predicate::Predicate,
    time::{Day, Time},
};

/// What a limit bounds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum LimitOf {
    /// What one wallet can spend of it. Claims do not count.
    Wallet = 0,
    /// One transfer between holders, by who gives.
    Transfer = 1,
    /// Transfers between holders in one JST calendar month, by who gives (Payment Services Act art. 11-2).
    TransfersPerMonth = 2,
    /// One payment to a merchant, by who pays.
    Purchase = 3,
    /// Payments to merchants on one JST day, by who pays.
    PurchasesPerDay = 4,
}

impl LimitOf {
    /// Every kind, by number.
    pub const ALL: [Self; 5] = [
        Self::Wallet,
        Self::Transfer,
        Self::TransfersPerMonth,
        Self::Purchase,
        Self::PurchasesPerDay,
    ];

    /// The number of the period that it counts by; 0 where it counts none.
    #[must_use]
    pub fn period(self, day: Day) -> u32 {
        match self {
            Self::Wallet | Self::Transfer | Self::Purchase => 0,
            Self::TransfersPerMonth => day.month(),
            Self::PurchasesPerDay => day.0,
        }
    }
}

/// A limit, and to whom it applies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What it bounds.
    pub of: LimitOf,
    /// Of parties of these kinds, ascending; of all if empty.
    pub kinds: Vec<PartyKind>,
    /// Of parties of which this holds: limits by identity level.
    pub who: Option<Predicate>,
    /// The most.
    pub most: Amount,
}

impl Limit {
    /// That bounds everybody.
    #[must_use]
    pub fn for_all(of: LimitOf, most: Amount) -> Self {
        Self { of, kinds: Vec::new(), who: None, most }
    }

    /// Whether kinds ascend and the predicate is well formed.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        self.kinds.windows(2).all(|pair| pair[0] < pair[1])
            && self.who.as_ref().is_none_or(Predicate::well_formed)
    }

    /// Whether it is about this party at `now`.
    #[must_use]
    pub fn is_about(&self, party: &Party, now: Time) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&party.kind))
            && self.who.as_ref().is_none_or(|who| who.holds(party, now))
    }
}
