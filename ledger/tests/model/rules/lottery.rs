//! Lotteries: whoever asks, all applications are sorted again.

use musubi_ledger::offer::{
    Access, Holder,
    draw::{Won, winners},
};

use super::{
    offer::{Offered, Right, Taken},
    *,
};

impl Model {
    pub(super) fn applications(&self, offer: &Offered) -> Vec<(TxId, u8, u32)> {
        let of = |id: &TxId| (*id, self.rights[id].tier.unwrap(), self.rights[id].units);
        offer.applied.iter().map(of).collect()
    }

    /// How many units an application has won: by sorting all of them again.
    pub(super) fn won(&self, id: TxId, application: TxId) -> Result<u32, Code> {
        let offer = &self.offers[&id];
        let seed = offer.seed.filter(|_| offer.decided).ok_or(Code::OfferNotOpen)?;
        let (_, places) = winners(&seed, &self.applications(offer), offer.terms.stock.unwrap());
        Ok(places.iter().find(|(place, _)| place.application == application).unwrap().1)
    }

    pub(super) fn apply_for(&mut self, op: &Apply, id: TxId, by: &Signatures) -> Result<(), Code> {
        demand(op.units > 0, Code::NotWellFormed)?;
        let kind = self.active(op.to)?;
        let offer = self.offers.get(&op.offer).ok_or(Code::UnknownOffer)?.clone();
        let Access::Lottery(lottery) = &offer.terms.access else {
            return Err(Code::OfferMismatch);
        };
        self.holder(by, Side::Authority, op.to)?;
        demand(HOLDERS.contains(&kind), Code::WrongKind)?;
        self.still_receives(op.to)?;
        let end = offer.ended.unwrap_or(u64::MAX).min(lottery.closes.0);
        let open = offer.terms.from.0 <= self.now && self.now < end;
        demand(open && !self.bad_key(&offer.keys), Code::OfferNotOpen)?;
        let (units, until) = (op.units, offer.terms.until.0);
        self.allowed_units((op.offer, &offer), op.to, u64::from(units))?;
        let eligible = |tier| self.eligible(op.to, &Some(tier), Code::NotWellFormed).is_ok();
        let tier = lottery.tiers.iter().position(|tier| eligible(tier.clone()));
        let tier = u8::try_from(tier.unwrap_or(lottery.tiers.len())).unwrap();
        let (holder, keys, withdrawn) = (Holder::Party(op.to), Vec::new(), false);
        let tier = Some(tier);
        let right = Right { offer: op.offer, holder, units, until, keys, withdrawn, tier };
        self.rights.insert(id, right);
        self.offers.get_mut(&op.offer).unwrap().applied.push(id);
        self.taken.push(Taken {
            offer: op.offer,
            who: op.to,
            household: self.household(op.to),
            at: self.now,
            units: u64::from(units),
            right: None,
            applied: true,
        });
        Ok(())
    }

    pub(super) fn reveal_draw(&mut self, op: &RevealDraw, by: &Signatures) -> Result<(), Code> {
        let offer = self.offers.get(&op.offer).ok_or(Code::UnknownOffer)?.clone();
        let Access::Lottery(lottery) = &offer.terms.access else {
            return Err(Code::OfferMismatch);
        };
        self.active(offer.terms.issuer)?;
        by.officers(offer.terms.issuer, 1)?;
        let then = lottery.closes.0..lottery.reveal_until.0;
        demand(then.contains(&self.now), Code::DeadlineInvalid)?;
        let open = offer.ended.is_none_or(|end| self.now < end);
        demand(open && !self.bad_key(&offer.keys), Code::OfferNotOpen)?;
        let fits = musubi_ledger::hash::sha256(&op.seed.0) == lottery.commitment.0;
        demand(offer.seed.is_none() && fits, Code::OfferMismatch)?;
        let wanted: u64 = self.applications(&offer).iter().map(|a| u64::from(a.2)).sum();
        let known = self.offers.get_mut(&op.offer).unwrap();
        known.seed = Some(op.seed);
        known.decided = wanted <= u64::from(known.terms.stock.unwrap());
        Ok(())
    }

    pub(super) fn count_draw(&mut self, op: &CountDraw, by: &Signatures) -> Result<(), Code> {
        let offer = self.offers.get(&op.offer).ok_or(Code::UnknownOffer)?.clone();
        let lottery = matches!(offer.terms.access, Access::Lottery(_));
        demand(lottery, Code::OfferMismatch)?;
        self.active(offer.terms.issuer)?;
        by.officers(offer.terms.issuer, 1)?;
        let seed = offer.seed.filter(|_| !offer.decided).ok_or(Code::OfferMismatch)?;
        let right = self.rights.get(&op.last).ok_or(Code::UnknownEntitlement)?;
        demand(right.offer == op.offer && right.tier.is_some(), Code::OfferMismatch)?;
        let stock = offer.terms.stock.unwrap();
        let (won, _) = winners(&seed, &self.applications(&offer), stock);
        let Won::UpTo(last) = won else { unreachable!("then it was decided at once") };
        demand(last.place.application == op.last, Code::OfferMismatch)?;
        self.offers.get_mut(&op.offer).unwrap().decided = true;
        Ok(())
    }
}
