//! Random coupons, and payments that use some.

use musubi_ledger::{
    offer::{Access, Coupon, Gives, Holder, Sponsor},
    operation::{PayWithCoupons, UseCoupon},
    predicate::Predicate,
    rule::formula::{Formula, Rate, Rounding, Steps},
    state::{ReadState, Row, RowKey},
};

use super::*;

/// A coupon, by whom it is borne, and who signs that.
pub(super) fn coupon(step: &Step, of: &str, signers: &mut Vec<By>) -> Gives {
    let rate = Rate {
        num: 10 + u32::from(step[3] % 7),
        den: 100,
        rounding: Rounding::HalfUp,
        carry: false,
    };
    let off = match step[3] % 5 {
        0 => None,
        1 => Some(Formula::Fixed(Amount(50))),
        2 => Some(Formula::Steps(Steps { every: Amount(100), give: Amount(7) })),
        _ => Some(Formula::Rate(rate)),
    };
    let sponsor = match step[4] % 8 {
        _ if off.is_none() && !step[3].is_multiple_of(25) => Sponsor::Payee,
        0 => Sponsor::Party(id("shop")),
        1 => Sponsor::Party(id("club")),
        2 | 3 => Sponsor::Party(id("issuer")),
        4 => {
            signers.push(debit("shop"));
            Sponsor::Party(id("shop"))
        }
        _ => Sponsor::Payee,
    };
    let at: &[&str] =
        pick(&[&[][..], &["shop"], &["mart", "shop"], &["alice"]], step[6] / 64).unwrap();
    let mut at: Vec<_> = at.iter().map(|name| id(name)).collect();
    at.sort_unstable();
    Gives::Coupon(Coupon {
        instrument: instrument(of),
        most: (off.is_some() && !step[2].is_multiple_of(3)).then_some(Amount(40)),
        off,
        least: Amount(u64::from(step[2] % 4) * 30),
        at,
        shops: step[1].is_multiple_of(7).then(|| Predicate::is("area", &["town"])),
        alone: step[5].is_multiple_of(4),
        sponsor,
        campaign: u32::from(step[4] % 3),
    })
}

impl Generator {
    /// Pays with one or two coupons, mostly the amount that they leave.
    pub(super) fn coupons(
        &self,
        world: &World,
        step: &Step,
        from: &'static str,
        gross: u64,
    ) -> Made {
        let to = pick(&["shop", "mart", "shop", "shop", "alice"], step[2]).unwrap();
        let (op, mut signers, answers) = self.pay(step, from, to, gross);
        let Operation::Pay(pay) = op else { panic!("a payment") };
        let gross = if answers.is_some() { pay.amount } else { Amount(gross) };
        let (left, mut coupons) = self.known_coupons(world, step, (from, gross), &mut signers);
        if step[6].is_multiple_of(23) {
            coupons.reverse();
        }
        let left = left.0 + u64::from(step[7].is_multiple_of(19));
        let pay = Pay { amount: Amount(left), ..pay };
        (Operation::PayWithCoupons(PayWithCoupons { pay, gross, coupons }), signers, answers)
    }

    fn known_coupons(
        &self,
        world: &World,
        step: &Step,
        (from, gross): (&'static str, Amount),
        signers: &mut Vec<By>,
    ) -> (Amount, Vec<UseCoupon>) {
        let is = |offer: &&TxId| {
            let row = world.state.row(&RowKey::Offer(**offer));
            matches!(row, Some(Row::Offer(offer)) if matches!(offer.terms.gives, Gives::Coupon(_)))
        };
        let mut known: Vec<TxId> = self.offers.iter().filter(is).copied().collect();
        known.extend(self.offers.iter().take(usize::from(step[1].is_multiple_of(9))));
        let mut chosen: Vec<TxId> = [pick(&known, step[3]), pick(&known, step[4])]
            .into_iter()
            .flatten()
            .take(1 + usize::from(step[1] % 2))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        let mut left = gross;
        let mut coupons = Vec::new();
        for offer in chosen {
            if let Some(Row::Offer(row)) = world.state.row(&RowKey::Offer(offer))
                && let Gives::Coupon(coupon) = &row.terms.gives
            {
                let off = coupon.takes_off(gross, Amount(1)).unwrap();
                left = left.checked_sub(off).unwrap_or(left);
            }
            coupons.push(UseCoupon {
                offer,
                showing: self.showing(world, offer, (from, step), signers),
            });
        }
        (left, coupons)
    }

    /// Mostly what the offer asks for.
    fn showing(
        &self,
        world: &World,
        offer: TxId,
        (from, step): (&'static str, &Step),
        signers: &mut Vec<By>,
    ) -> Showing {
        let rights = world.state.rows().filter_map(|(key, row)| match (key, row) {
            (RowKey::Entitlement(id), Row::Entitlement(right)) if right.offer == offer => {
                Some((*id, right.holder))
            }
            _ => None,
        });
        let mine = rights.into_iter().find(|(_, holder)| *holder == Holder::Party(id(from)));
        let code = pick(&super::offer::CODES, step[5]).unwrap();
        match (world.offered(offer).terms.access, mine) {
            (Access::Open, _) if !step[7].is_multiple_of(31) => Showing::Nothing,
            (Access::Entitled(_) | Access::Lottery(_), Some((right, _))) => {
                Showing::Entitlement(right)
            }
            _ => {
                if !step[7].is_multiple_of(17) {
                    signers.push(shows(from, code));
                }
                Showing::Code(code_key(code).public())
            }
        }
    }
}
