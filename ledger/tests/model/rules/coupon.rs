//! Coupons in payments: what they take off, who adds it, what a refund gives back.

use musubi_ledger::{
    offer::{Coupon, Gives, OfferTerms, Sponsor},
    rule::formula::Formula,
};

use super::{rule::worth, *};

/// A coupon that a payment used.
#[derive(Clone)]
pub(super) struct Used {
    /// Its place in the list of all that was ever taken.
    taken: usize,
    added: Option<Added>,
}

/// What a sponsor added for the shop.
#[derive(Clone)]
struct Added {
    by: PartyId,
    lot: Lot,
    amount: u64,
    undone: u64,
    claim: bool,
}

/// The most that a coupon's sponsor may owe, if that is known; none for what is no coupon.
pub(super) fn costs(terms: &OfferTerms) -> Option<Option<u64>> {
    let Gives::Coupon(coupon) = &terms.gives else {
        return None;
    };
    let Sponsor::Party(sponsor) = coupon.sponsor else {
        return Some(Some(0));
    };
    if coupon.at == [sponsor] {
        return Some(Some(0));
    }
    let most = coupon.most.map(|most| most.0);
    let each = match coupon.off.as_ref() {
        Some(Formula::Fixed(amount)) => Some(amount.0.min(most.unwrap_or(u64::MAX))),
        Some(Formula::Table(lines)) => {
            let last = lines.iter().map(|line| line.give.0).max().unwrap();
            Some(last.min(most.unwrap_or(u64::MAX)))
        }
        _ => most,
    };
    let stock = terms.stock.map(u64::from);
    Some(each.and_then(|each| each.checked_mul(stock?)))
}

impl Model {
    pub(super) fn funder_of(&self, terms: &OfferTerms) -> PartyId {
        match &terms.gives {
            Gives::Gift(gift) => gift.funder,
            Gives::Set(set) => set.funder,
            Gives::Coupon(Coupon { sponsor: Sponsor::Party(by), .. }) => *by,
            Gives::Coupon(_) => terms.issuer,
        }
    }

    /// The shops that a coupon names are shops.
    pub(super) fn shops_of(&self, terms: &OfferTerms) -> Result<(), Code> {
        if let Gives::Coupon(coupon) = &terms.gives {
            for shop in &coupon.at {
                demand(self.active(*shop)? == PartyKind::Merchant, Code::WrongKind)?;
            }
        }
        Ok(())
    }

    pub(super) fn use_coupons(
        &mut self,
        m: &Asked,
        gross: u64,
        (from, to): (PartyKind, PartyKind),
    ) -> Result<Vec<Used>, Code> {
        demand(HOLDERS.contains(&from) && to == PartyKind::Merchant, Code::WrongKind)?;
        let agreed = matches!(m.credit, Citation::Live | Citation::Request);
        demand(agreed, Code::CouponNotAccepted)?;
        let mut left = gross;
        let mut bears = Vec::new();
        for using in &m.coupons {
            let offer = self.offers.get(&using.offer).ok_or(Code::UnknownOffer)?.clone();
            let Gives::Coupon(coupon) = &offer.terms.gives else {
                return Err(Code::OfferMismatch);
            };
            self.still_open(&offer)?;
            let named = coupon.at.is_empty() || coupon.at.contains(&m.to);
            demand(named, Code::CouponNotAccepted)?;
            self.eligible(m.to, &coupon.shops, Code::CouponNotAccepted)?;
            demand(gross >= coupon.least.0, Code::UnderLeast)?;
            let units = |of: &InstrumentId| (self.terms[of].face, self.terms[of].decimals);
            let unit = units(&coupon.instrument);
            demand(m.instruments.iter().all(|of| units(of) == unit), Code::CouponMismatch)?;
            demand(!coupon.alone || m.coupons.len() == 1, Code::CouponMismatch)?;
            let right = self.shown(using.offer, m.from, using.showing, 1, &offer)?;
            self.takes((using.offer, &offer), m.from, 1, right)?;
            let off = coupon.off.as_ref().map_or(0, |formula| worth(formula, gross, 0).0);
            let off = off.min(coupon.most.map_or(u64::MAX, |most| most.0));
            let off = off - off % self.terms[&coupon.instrument].step.0;
            left = left.checked_sub(off).ok_or(Code::CouponMismatch)?;
            let by = self.bears(coupon, m, off)?;
            bears.push((self.taken.len() - 1, by.map(|by| (by, coupon.clone(), off))));
        }
        demand(left == m.amount, Code::CouponMismatch)?;
        let mut used = Vec::new();
        for (taken, by) in bears {
            let added = match by {
                Some((by, coupon, off)) => Some(self.add_for(m.to, by, &coupon, off)?),
                None => None,
            };
            used.push(Used { taken, added });
        }
        Ok(used)
    }

    /// Who adds what is taken off, if the shop does not bear it.
    fn bears(&self, coupon: &Coupon, m: &Asked, off: u64) -> Result<Option<PartyId>, Code> {
        let live = m.credit == Citation::Live;
        match coupon.sponsor {
            _ if off == 0 => Ok(None),
            Sponsor::Payee => demand(live, Code::CouponNotAccepted).map(|()| None),
            Sponsor::Party(by) => Ok((by != m.to).then_some(by)),
        }
    }

    fn add_for(
        &mut self,
        shop: PartyId,
        by: PartyId,
        coupon: &Coupon,
        amount: u64,
    ) -> Result<Added, Code> {
        let of = coupon.instrument;
        let terms = self.terms[&of].clone();
        self.active(terms.issuer)?;
        self.eligible(shop, &terms.acceptors, Code::AcceptorNotEligible)?;
        self.issues(of, amount)?;
        let claim = terms.on_accept == OnAccept::Claim;
        let lot = (of, self.expiry(of), 1, by, coupon.campaign);
        match claim {
            true => self.claims(shop, lot, amount, self.now),
            false => self.book.add(shop, lot, SPENDABLE, amount, self.now),
        }
        *self.issued.entry(of).or_default() += amount;
        if !claim {
            self.wallet_max(shop, of)?;
        }
        if by != terms.issuer {
            *self.owed.entry((by, of)).or_default() += amount;
        }
        Ok(Added { by, lot, amount, undone: 0, claim })
    }

    /// What a refund does to a payment's coupons.
    pub(super) fn coupons_back(&mut self, original: &mut Original) -> Result<(), Code> {
        let paid: u64 = original.lots.iter().map(|lot| lot.amount).sum();
        let left: u64 = original.lots.iter().map(|lot| lot.amount - lot.undone).sum();
        for used in original.coupons.iter_mut().rev() {
            if let Some(added) = &mut used.added {
                self.call_back(original.to, added, (paid, left))?;
            }
            if left == 0 {
                self.taken[used.taken].units = 0;
            }
        }
        Ok(())
    }

    fn call_back(
        &mut self,
        shop: PartyId,
        added: &mut Added,
        (paid, left): (u64, u64),
    ) -> Result<(), Code> {
        let Added { by, lot, amount, claim, .. } = *added;
        let terms = self.terms[&lot.0].clone();
        let share = u128::from(amount) * u128::from(left) / u128::from(paid);
        let keep = u64::try_from(share).unwrap();
        let keep = keep - keep % terms.step.0;
        let undo = (amount - added.undone).saturating_sub(keep);
        added.undone += undo;
        let state = if claim { CLAIM } else { SPENDABLE };
        let gone = |lot: &Lot| !claim && self.now >= lot.1;
        let (mut there, expired) = (0, gone(&lot));
        let mut found = self.has(shop, lot, state, undo);
        found.retain(|(lot, _)| !gone(lot));
        for (other, part) in found {
            self.book.take(shop, other, state, part);
            there += part;
        }
        *self.issued.entry(lot.0).or_default() -= there;
        if there < undo && !expired {
            demand(claim, Code::InsufficientFunds)?;
            demand(self.book.of(shop, lot, HELD) == 0, Code::ClaimHeld)?;
            *self.owed.entry((shop, lot.0)).or_default() += undo - there;
        }
        if by != terms.issuer {
            let owed = self.owed.entry((by, lot.0)).or_default();
            *owed = owed.saturating_sub(undo);
        }
        Ok(())
    }
}
