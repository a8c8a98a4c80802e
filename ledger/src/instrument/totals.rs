//! How much of an instrument came and went, by origin: what the reports of the law are made of.

use serde::{Deserialize, Serialize};

use crate::{amount::Amount, lot::OriginKind, wallet::Holding};

/// How value came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Came {
    /// Issued.
    Issued,
    /// Taken over from another system.
    Imported,
    /// Restored for a refund of what the merchant had redeemed already; owed by the merchant.
    Restored,
}

/// How value went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Went {
    /// Paid out to a merchant.
    Redeemed,
    /// Expired before anybody spent it.
    Expired,
    /// A merchant's claim, which was not redeemed in time.
    Lapsed,
    /// Taken back by a correction.
    Corrected,
}

/// What came and went of one origin. What was replaced by equal value with another expiry did neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flows {
    /// Issued.
    pub issued: Amount,
    /// Restored for refunds.
    pub restored: Amount,
    /// Redeemed.
    pub redeemed: Amount,
    /// Expired.
    pub expired: Amount,
    /// Taken back by corrections.
    pub corrected: Amount,
    /// Taken over from another system: counted apart, so that no report takes it for sales of its period.
    pub imported: Amount,
    /// Claims that merchants did not redeem in time: spent, and not paid out.
    pub lapsed: Amount,
}

/// What came and went of an instrument. Counts up only, so a report of a period is the difference of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Of free value.
    pub free: Flows,
    /// Of grants.
    pub grant: Flows,
    /// Of paid value.
    pub paid: Flows,
}

impl Went {
    /// How value goes whose time is over: a claim was spent already.
    pub(crate) fn in_time(holding: Holding) -> Self {
        match holding {
            Holding::Claim => Self::Lapsed,
            Holding::Spendable | Holding::Held => Self::Expired,
        }
    }
}

impl Flows {
    fn came(&self) -> [Amount; 3] {
        [self.issued, self.restored, self.imported]
    }

    fn went(&self) -> [Amount; 4] {
        [self.redeemed, self.expired, self.corrected, self.lapsed]
    }

    /// What is there of this origin: what came and has not gone.
    #[must_use]
    pub fn outstanding(&self) -> i128 {
        let sum = |amounts: &[Amount]| amounts.iter().map(|part| i128::from(part.0)).sum::<i128>();
        sum(&self.came()) - sum(&self.went())
    }
}

fn sum(amounts: impl IntoIterator<Item = Amount>) -> Option<Amount> {
    amounts.into_iter().try_fold(Amount::ZERO, Amount::checked_add)
}

impl Totals {
    /// All three origins.
    #[must_use]
    pub fn flows(&self) -> [&Flows; 3] {
        [&self.free, &self.grant, &self.paid]
    }

    fn of_mut(&mut self, origin: OriginKind) -> &mut Flows {
        match origin {
            OriginKind::Free => &mut self.free,
            OriginKind::Grant => &mut self.grant,
            OriginKind::Paid => &mut self.paid,
        }
    }

    /// All that came: issued, restored and taken over.
    ///
    /// # Panics
    /// Never: what would leave the range is not counted.
    #[must_use]
    pub fn came(&self) -> Amount {
        let all = self.flows().into_iter().flat_map(Flows::came);
        sum(all).expect("what came stays within the range of an amount")
    }

    /// All that went: redeemed, expired, corrected, lapsed.
    ///
    /// # Panics
    /// Never: no more goes than came.
    #[must_use]
    pub fn went(&self) -> Amount {
        let all = self.flows().into_iter().flat_map(Flows::went);
        sum(all).expect("INV-1: no more goes than came")
    }

    /// What is there: in wallets, in whatever state, and not expired by a leaf yet.
    ///
    /// # Panics
    /// If more went than came (INV-1).
    #[must_use]
    pub fn outstanding(&self) -> Amount {
        self.came().checked_sub(self.went()).expect("INV-1: no more goes than came")
    }

    /// Issued and taken over in all, corrected issues apart: what a cap on issue counts.
    #[must_use]
    pub fn issued(&self) -> u128 {
        let of = |f: &Flows| {
            let came = u128::from(f.issued.0) + u128::from(f.imported.0);
            came.saturating_sub(u128::from(f.corrected.0))
        };
        self.flows().into_iter().map(of).sum()
    }

    /// Counts value that came; `None` if a sum leaves the range.
    #[must_use]
    pub fn add(&mut self, origin: OriginKind, came: Came, amount: Amount) -> Option<()> {
        let flows = self.of_mut(origin);
        let sum = match came {
            Came::Issued => &mut flows.issued,
            Came::Imported => &mut flows.imported,
            Came::Restored => &mut flows.restored,
        };
        *sum = sum.checked_add(amount)?;
        self::sum(self.flows().into_iter().flat_map(Flows::came)).map(drop)
    }

    /// Counts value that went; `None` if a sum leaves the range.
    #[must_use]
    pub fn take(&mut self, origin: OriginKind, went: Went, amount: Amount) -> Option<()> {
        let flows = self.of_mut(origin);
        let sum = match went {
            Went::Redeemed => &mut flows.redeemed,
            Went::Expired => &mut flows.expired,
            Went::Lapsed => &mut flows.lapsed,
            Went::Corrected => &mut flows.corrected,
        };
        *sum = sum.checked_add(amount)?;
        Some(())
    }
}
