//! What rules posted about a transaction, kept with its verdict so that what undoes the one undoes the other.

use serde::{Deserialize, Serialize};

use super::SettledLot;
use crate::{
    amount::Amount,
    id::{PartyId, RuleId},
    rule::cap::Subject,
    time::Time,
};

/// What one rule posted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Derived {
    /// The rule.
    pub rule: RuleId,
    /// When: a proposal's payout comes later than its verdict.
    pub at: Time,
    /// What it reckoned from.
    pub base: Amount,
    /// What is left of that after refunds and corrections.
    pub left: Amount,
    /// What it gave.
    pub given: Amount,
    /// How much of that was taken back.
    pub undone: Amount,
    /// By how much it changed what the payer carries on.
    pub carried: i64,
    /// The payer's household, where its caps count by that.
    pub household: Option<Subject>,
    /// What went where; a gift goes to one party.
    pub parts: Vec<DerivedPart>,
}

/// Part of what a rule posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DerivedPart {
    /// To whom.
    pub to: PartyId,
    /// Which lot; as a claim or not; since when its giver had it.
    pub lot: SettledLot,
}

impl DerivedPart {
    /// How much of it has not been taken back.
    ///
    /// # Panics
    /// If more was undone than was posted (INV-15).
    #[must_use]
    pub fn open(&self) -> Amount {
        let open = self.lot.amount.checked_sub(self.lot.undone);
        open.expect("INV-15: no more is undone than was given")
    }
}
