//! Coupons: what an offer takes off a price, where, and who bears it.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    code::Code,
    id::{InstrumentId, PartyId},
    limits,
    party::Party,
    predicate::Predicate,
    rule::formula::Formula,
    time::Time,
};

/// Who bears what a coupon takes off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sponsor {
    /// The shop where it is used: it gets less.
    Payee,
    /// This party. Where another shop takes the coupon, that shop gets as much of the coupon's instrument, and this party owes its
    /// issuer for it.
    Party(PartyId),
}

/// The right to pay less at a shop. One that takes nothing off gives cause to rules: points back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coupon {
    /// In whose unit sums are told, and in which a sponsor's part comes.
    pub instrument: InstrumentId,
    /// What it takes off a gross price; nothing if absent.
    pub off: Option<Formula>,
    /// The most that it takes off.
    pub most: Option<Amount>,
    /// The least gross price.
    pub least: Amount,
    /// Shops that take it, ascending; all for whom `shops` holds, if empty.
    pub at: Vec<PartyId>,
    /// Of the shop.
    pub shops: Option<Predicate>,
    /// Whether it goes with no other coupon.
    pub alone: bool,
    /// Who bears it.
    pub sponsor: Sponsor,
    /// Campaign number under which reports group a sponsor's part; 0 for none.
    pub campaign: u32,
}

impl Coupon {
    pub(super) fn well_formed(&self) -> bool {
        let formula = |off: &Formula| off.well_formed() && !off.carries();
        // What takes nothing off is borne by nobody.
        let plain = self.most.is_none() && self.sponsor == Sponsor::Payee;
        self.off.as_ref().map_or(plain, formula)
            && self.most.is_none_or(|most| !most.is_zero())
            && self.at.len() <= limits::COUPON_SHOPS_MAX
            && self.at.windows(2).all(|pair| pair[0] < pair[1])
            && self.shops.as_ref().is_none_or(Predicate::well_formed)
    }

    /// What it takes off a gross price, in whole steps of its instrument. `None` if that leaves the range of amounts.
    #[must_use]
    pub fn takes_off(&self, gross: Amount, step: Amount) -> Option<Amount> {
        let Some(off) = &self.off else { return Some(Amount::ZERO) };
        let worth = off.worth(gross, 0)?.given;
        let bounded = self.most.map_or(worth, |most| worth.min(most));
        Some(Amount(bounded.0 - bounded.0 % step.0))
    }

    /// Whether a shop takes it, for such a price.
    ///
    /// # Errors
    /// [`Code::CouponNotAccepted`], [`Code::UnderLeast`].
    pub fn good_for(
        &self,
        (shop, party): (PartyId, &Party),
        gross: Amount,
        now: Time,
    ) -> Result<(), Code> {
        let named = self.at.is_empty() || self.at.binary_search(&shop).is_ok();
        if !named || self.shops.as_ref().is_some_and(|test| !test.holds(party, now)) {
            return Err(Code::CouponNotAccepted);
        }
        if gross < self.least { Err(Code::UnderLeast) } else { Ok(()) }
    }

    /// The most that one use takes off, if that is known.
    #[must_use]
    pub fn bound(&self) -> Option<Amount> {
        let by_itself = match &self.off {
            None => Some(Amount::ZERO),
            Some(Formula::Fixed(amount)) => Some(*amount),
            Some(Formula::Table(lines)) => lines.last().map(|line| line.give),
            Some(Formula::Rate(_) | Formula::Steps(_)) => None,
        };
        [by_itself, self.most].into_iter().flatten().min()
    }

    /// Who adds at a shop what it takes off; nobody, where the shop bears it.
    #[must_use]
    pub fn adds(&self, shop: PartyId, discount: Amount) -> Option<PartyId> {
        self.sponsor().filter(|by| *by != shop && !discount.is_zero())
    }

    /// Who bears it, if it is one party wherever it is used.
    #[must_use]
    pub fn sponsor(&self) -> Option<PartyId> {
        match self.sponsor {
            Sponsor::Payee => None,
            Sponsor::Party(party) => Some(party),
        }
    }

    /// Whether only its sponsor takes it: nobody owes anything for it.
    #[must_use]
    pub fn own(&self) -> bool {
        self.sponsor().is_some_and(|sponsor| self.at == [sponsor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::formula::{Rate, Rounding};

    fn tenth(rounding: Rounding) -> Coupon {
        Coupon {
            instrument: "MONEY".parse().expect("a code"),
            off: Some(Formula::Rate(Rate { num: 1, den: 10, rounding, carry: false })),
            most: Some(Amount(300)),
            least: Amount::ZERO,
            at: Vec::new(),
            shops: None,
            alone: false,
            sponsor: Sponsor::Payee,
            campaign: 0,
        }
    }

    #[test]
    fn a_rate_is_rounded_as_declared_bounded_and_cut_to_whole_steps() {
        let off = |coupon: &Coupon, gross, step| coupon.takes_off(Amount(gross), Amount(step));
        let (down, up) = (tenth(Rounding::Floor), tenth(Rounding::Ceil));
        assert_eq!(
            [off(&down, 1_009, 1), off(&up, 1_009, 1)],
            [Amount(100), Amount(101)].map(Some)
        );
        assert_eq!(off(&up, 1_009, 50), Some(Amount(100)));
        assert_eq!(off(&down, 90_000, 1), Some(Amount(300)));
        assert_eq!(off(&Coupon { most: None, ..down }, u64::MAX, 1), Some(Amount(u64::MAX / 10)));
    }
}
