//! Offers: what was ever taken stands in a list, and whatever is bounded is counted anew.

use musubi_ledger::{
    hash::tagged,
    keys::check_party_key,
    offer::{Access, GivenBy, Gives, Holder, OfferTerms, Price},
    rule::{
        Trigger,
        cap::{Cap, Scope},
    },
};

use super::{coupon::costs, rule::period, *};

#[derive(Clone)]
pub(super) struct Offered {
    pub(super) terms: OfferTerms,
    pub(super) keys: Vec<PublicKey>,
    pub(super) ended: Option<u64>,
    /// Applications in order.
    pub(super) applied: Vec<TxId>,
    pub(super) seed: Option<musubi_ledger::id::Seed>,
    pub(super) decided: bool,
}

#[derive(Clone)]
pub(super) struct Right {
    pub(super) offer: TxId,
    pub(super) holder: Holder,
    pub(super) units: u32,
    pub(super) until: u64,
    pub(super) keys: Vec<PublicKey>,
    pub(super) withdrawn: bool,
    /// Its tier, if it is an application.
    pub(super) tier: Option<u8>,
}

/// What was once taken.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) offer: TxId,
    pub(super) who: PartyId,
    pub(super) household: String,
    pub(super) at: u64,
    pub(super) units: u64,
    pub(super) right: Option<TxId>,
    /// Whether it was applied for, rather than taken.
    pub(super) applied: bool,
}

fn right_id(offer: TxId, cause: &[u8; 32]) -> TxId {
    TxId(tagged("musubi/v1/entitlement", &[&offer.0, cause]))
}

impl Model {
    pub(super) fn put_offer(
        &mut self,
        op: &PutOffer,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        let terms = &op.terms;
        demand(terms.well_formed(), Code::NotWellFormed)?;
        demand(self.active(terms.issuer)? == PartyKind::Issuer, Code::WrongKind)?;
        let funder = self.funder_of(terms);
        let parts = terms.gives.parts();
        demand(self.active(funder)? != PartyKind::Person, Code::WrongKind)?;
        self.shops_of(terms)?;
        match &terms.access {
            Access::Open | Access::Lottery(_) => {}
            Access::Code(key) => demand(check_party_key(key).is_ok(), Code::WeakKey)?,
            Access::Entitled(given) => {
                let kind = self.active(given.party)?;
                let officials = [PartyKind::Issuer, PartyKind::Registrar, PartyKind::Operator];
                demand(officials.contains(&kind), Code::WrongKind)?;
            }
        }
        by.officers(terms.issuer, 2)?;
        let mut keys = self.behind(by, Side::Authority, terms.issuer);
        if funder != terms.issuer {
            let free = parts.iter().filter(|part| part.origin as u8 != 2);
            let unit: u64 = free.map(|part| part.amount.0).sum();
            let all = || Some(unit * u64::from(terms.stock?));
            let whole = costs(terms).unwrap_or_else(all).ok_or(Code::NotWellFormed)?;
            self.funds(by, funder, whole)?;
            keys.extend(self.behind(by, Side::Debit, funder));
        }
        if let Some(Price::Outside(_)) = terms.gives.price() {
            keys.extend(self.two_organisations(by, terms.issuer)?);
        }
        if let Gives::Coupon(coupon) = &terms.gives {
            let of = self.terms.get(&coupon.instrument).ok_or(Code::UnknownInstrument)?;
            demand(of.issuer == terms.issuer, Code::OfferMismatch)?;
        }
        for part in parts {
            let of = self.terms.get(&part.instrument).ok_or(Code::UnknownInstrument)?;
            demand(of.issuer == terms.issuer, Code::OfferMismatch)?;
            demand(part.amount.0 % of.step.0 == 0, Code::AmountInvalid)?;
        }
        self.priced(terms)?;
        demand(self.now < terms.until.0, Code::DeadlineInvalid)?;
        let (ended, applied, seed, decided) = (None, Vec::new(), None, false);
        let terms = terms.clone();
        self.offers.insert(id, Offered { terms, keys, ended, applied, seed, decided });
        Ok(())
    }

    pub(super) fn end_offer(&mut self, op: &EndOffer, by: &Signatures) -> Result<(), Code> {
        let offer = self.offers.get(&op.offer).ok_or(Code::UnknownOffer)?.clone();
        let issuer = offer.terms.issuer;
        let funder = self.funder_of(&offer.terms);
        let ends = || self.active(funder).is_ok() && self.funds(by, funder, 0).is_ok();
        if funder == issuer || !ends() {
            self.active(issuer)?;
            by.officers(issuer, 2)?;
        }
        let end = offer.ended.unwrap_or(u64::MAX).min(offer.terms.until.0);
        demand(self.now <= op.at.0 && op.at.0 < end, Code::DeadlineInvalid)?;
        self.offers.get_mut(&op.offer).unwrap().ended = Some(op.at.0);
        Ok(())
    }

    pub(super) fn bad_key(&self, keys: &[PublicKey]) -> bool {
        keys.iter().any(|key| self.register.compromised(key))
    }

    fn officers_of(&self, by: &Signatures, given: GivenBy) -> Result<Vec<PublicKey>, Code> {
        self.active(given.party)?;
        by.officers(given.party, usize::from(given.officers))?;
        Ok(self.behind(by, Side::Authority, given.party))
    }

    pub(super) fn entitle(&mut self, op: &Entitle, by: &Signatures) -> Result<(), Code> {
        demand((1..=128).contains(&op.causes.len()) && op.units > 0, Code::NotWellFormed)?;
        let offer = self.offers.get(&op.offer).ok_or(Code::UnknownOffer)?.clone();
        for cause in &op.causes {
            if let Cause::Event(event) = cause {
                self.active(event.party)?;
            }
        }
        let Access::Entitled(given) = offer.terms.access else {
            return Err(Code::OfferMismatch);
        };
        let keys = self.officers_of(by, given)?;
        let end = offer.ended.unwrap_or(u64::MAX).min(offer.terms.until.0);
        demand(self.now < end && !self.bad_key(&offer.keys), Code::OfferNotOpen)?;
        let until = op.until.0;
        demand(self.now < until && until <= offer.terms.until.0, Code::DeadlineInvalid)?;
        for cause in &op.causes {
            let (holder, cause) = match cause {
                Cause::Event(event) => (Holder::Party(event.party), event.reference.0),
                Cause::Code(key) => (Holder::Code(*key), key.0),
            };
            if let Holder::Code(key) = holder {
                demand(check_party_key(&key).is_ok(), Code::WeakKey)?;
            }
            let id = right_id(op.offer, &cause);
            let there = self.rights.get(&id).is_some_and(|right| !right.withdrawn);
            demand(!there, Code::AlreadyEntitled)?;
            let (units, keys) = (op.units, keys.clone());
            let (withdrawn, tier) = (false, None);
            let right = Right { offer: op.offer, holder, units, until, keys, withdrawn, tier };
            self.rights.insert(id, right);
        }
        Ok(())
    }

    fn used(&self, right: TxId) -> u64 {
        self.taken.iter().filter(|t| t.right == Some(right)).map(|t| t.units).sum()
    }

    pub(super) fn withdraw(&mut self, id: TxId, by: &Signatures) -> Result<(), Code> {
        let right = self.rights.get(&id).ok_or(Code::UnknownEntitlement)?.clone();
        let Access::Entitled(given) = self.offers[&right.offer].terms.access else {
            return Err(Code::OfferMismatch);
        };
        self.officers_of(by, given)?;
        let fresh = !right.withdrawn && self.used(id) == 0 && self.now < right.until;
        demand(fresh, Code::EntitlementNotOpen)?;
        self.rights.get_mut(&id).unwrap().withdrawn = true;
        Ok(())
    }

    pub(super) fn take_of(
        &mut self,
        op: &Take,
        id: TxId,
        by: &Signatures,
        purpose: Purpose,
    ) -> Result<(), Code> {
        let citable = matches!(op.credit, Citation::Live | Citation::Mandate(_));
        demand(op.units > 0 && citable, Code::NotWellFormed)?;
        let kind = self.active(op.to)?;
        let offer = self.offers.get(&op.offer).ok_or(Code::UnknownOffer)?.clone();
        let issuer = offer.terms.issuer;
        self.active(issuer)?;
        self.pays_live(op, &offer.terms, by)?;
        if op.credit == Citation::Live {
            self.holder(by, Side::Credit, op.to)?;
        }
        self.codes_sign(op.to, [op.showing], by)?;
        let lots = self.coming(op, kind, &offer)?;
        self.still_open(&offer)?;
        let right = self.shown(op.offer, op.to, op.showing, op.units, &offer)?;
        if let Citation::Mandate(cited) = op.credit {
            let mut of: Vec<InstrumentId> = lots.iter().map(|(lot, _)| lot.0).collect();
            of.dedup();
            let amount = lots.iter().map(|(_, amount)| amount).sum();
            let sides = (op.to, issuer);
            let paid = (of.as_slice(), amount);
            self.use_mandate((cited, None), Direction::Credit, sides, paid, purpose, by)?;
        }
        self.takes((op.offer, &offer), op.to, u64::from(op.units), right)?;
        self.pays(op, &offer.terms)?;
        let mut moved = Vec::new();
        for (lot, amount) in lots {
            self.book.add(op.to, lot, SPENDABLE, amount, self.now);
            *self.issued.entry(lot.0).or_default() += amount;
            if lot.3 != issuer {
                *self.owed.entry((lot.3, lot.0)).or_default() += amount;
            }
            self.wallet_max(op.to, lot.0)?;
            self.slide(op.to, lot.0);
            let since = self.now;
            moved.push(Moved { lot, amount, undone: 0, claim: false, since, got: lot });
        }
        let live = op.credit == Citation::Live;
        let (on, payer, payee) = (Trigger::Take, op.to, issuer);
        let (gross, offers) = (None, &[op.offer][..]);
        let what = Happened { on, payer, payee, purpose, gross, lots: &moved, live, offers };
        let gifts = self.fire(&what)?;
        if op.payment == Payment::Value {
            return Ok(());
        }
        let (from, to, issued, lots, offered) = (issuer, op.to, true, moved, true);
        let coupons = Vec::new();
        self.originals.insert(id, Original { from, to, issued, lots, gifts, offered, coupons });
        Ok(())
    }

    fn coming(&self, op: &Take, kind: PartyKind, offer: &Offered) -> Result<Vec<(Lot, u64)>, Code> {
        demand(HOLDERS.contains(&kind), Code::WrongKind)?;
        self.still_receives(op.to)?;
        let gives = &offer.terms.gives;
        demand(!matches!(gives, Gives::Coupon(_)), Code::OfferMismatch)?;
        let mut lots: Vec<(Lot, u64)> = Vec::new();
        for part in gives.parts() {
            let of = part.instrument;
            let paid = part.origin as u8 == 2;
            let funder = if paid { offer.terms.issuer } else { self.funder_of(&offer.terms) };
            let lot = (of, self.expiry(of), part.origin as u8, funder, part.campaign);
            lots.push((lot, part.amount.0 * u64::from(op.units)));
        }
        for (lot, _) in &lots {
            self.eligible(op.to, &self.terms[&lot.0].holders, Code::HolderNotEligible)?;
            let all = lots.iter().filter(|other| other.0.0 == lot.0).map(|other| other.1).sum();
            self.issues(lot.0, all)?;
        }
        Ok(lots)
    }

    /// The right by which something is taken.
    pub(super) fn shown(
        &self,
        of: TxId,
        who: PartyId,
        showing: Showing,
        units: u32,
        offer: &Offered,
    ) -> Result<Option<TxId>, Code> {
        let id = match (&offer.terms.access, showing) {
            (Access::Open, Showing::Nothing) => return Ok(None),
            (Access::Code(wanted), Showing::Code(key)) if *wanted == key => return Ok(None),
            (Access::Entitled(_) | Access::Lottery(_), Showing::Entitlement(id)) => id,
            (Access::Entitled(_), Showing::Code(key)) => right_id(of, &key.0),
            _ => return Err(Code::OfferMismatch),
        };
        let right = self.rights.get(&id).ok_or(Code::UnknownEntitlement)?;
        let theirs = match right.holder {
            Holder::Party(party) => party == who,
            Holder::Code(wanted) => showing == Showing::Code(wanted),
        };
        demand(theirs && right.offer == of, Code::OfferMismatch)?;
        let most = match right.tier {
            Some(_) => self.won(of, id)?,
            None => right.units,
        };
        let good = !right.withdrawn
            && self.now < right.until
            && self.used(id) + u64::from(units) <= u64::from(most)
            && !self.bad_key(&right.keys);
        demand(good, Code::EntitlementNotOpen)?;
        Ok(Some(id))
    }

    /// Whether an offer is for a party, and lets it have so many more.
    pub(super) fn allowed_units(
        &self,
        (id, offer): (TxId, &Offered),
        who: PartyId,
        wanted: u64,
    ) -> Result<(), Code> {
        self.eligible(who, &offer.terms.who, Code::TakerNotEligible)?;
        let household = self.household(who);
        let all = || self.taken.iter().filter(|taken| taken.offer == id);
        let within = |cap: &Cap| {
            let alike = all().filter(|taken| match cap.scope {
                Scope::Household => taken.household == household,
                _ => taken.who == who,
            });
            let then = alike.filter(|t| period(cap.per, t.at) == period(cap.per, self.now));
            then.map(|taken| taken.units).sum::<u64>() + wanted <= cap.most.0
        };
        demand(offer.terms.caps.iter().all(within), Code::OverOffer)
    }

    /// Whoever shows a code has its key sign.
    pub(super) fn codes_sign(
        &self,
        who: PartyId,
        shown: impl IntoIterator<Item = Showing>,
        by: &Signatures,
    ) -> Result<(), Code> {
        for showing in shown {
            let Showing::Code(key) = showing else { continue };
            let signs = |s: &Signed| {
                (s.side, s.role, s.party, s.key) == (Side::Authority, Role::Code, who, key)
            };
            demand(by.0.iter().any(signs), Code::MissingConsent)?;
        }
        Ok(())
    }

    pub(super) fn still_open(&self, offer: &Offered) -> Result<(), Code> {
        let open = offer.terms.from.0 <= self.now
            && self.now < offer.terms.until.0
            && offer.ended.is_none_or(|end| self.now < end);
        demand(open && !self.bad_key(&offer.keys), Code::OfferNotOpen)
    }

    /// Counts what is taken, if so much may be.
    pub(super) fn takes(
        &mut self,
        (id, offer): (TxId, &Offered),
        who: PartyId,
        units: u64,
        right: Option<TxId>,
    ) -> Result<(), Code> {
        if !matches!(offer.terms.access, Access::Lottery(_)) {
            self.allowed_units((id, offer), who, units)?;
        }
        let all = self.taken.iter().filter(|taken| taken.offer == id && !taken.applied);
        let stock = offer.terms.stock.map_or(u64::MAX, u64::from);
        demand(all.map(|taken| taken.units).sum::<u64>() + units <= stock, Code::OutOfStock)?;
        let (household, at, applied) = (self.household(who), self.now, false);
        self.taken.push(Taken { offer: id, who, household, at, units, right, applied });
        Ok(())
    }

    /// What the ledger keeps of offers.
    pub(super) fn compare_offers(&self, world: &World) {
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Offer(id), Row::Offer(offer)) => {
                    let known = &self.offers[id];
                    let of_it =
                        self.taken.iter().filter(|taken| taken.offer == *id && !taken.applied);
                    assert_eq!(offer.taken, of_it.map(|taken| taken.units).sum::<u64>());
                    assert_eq!(
                        (&known.terms, known.ended),
                        (&offer.terms, offer.ended.map(|t| t.0))
                    );
                }
                (RowKey::Entitlement(id), Row::Entitlement(right)) => {
                    let known = &self.rights[id];
                    let kept = (right.offer, right.holder, right.units, right.withdrawn.is_some());
                    assert_eq!((known.offer, known.holder, known.units, known.withdrawn), kept);
                    assert_eq!(u64::from(right.used), self.used(*id));
                }
                _ => {}
            }
        }
    }
}
