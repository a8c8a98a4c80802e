//! Offers in the words of a test.

use musubi_ledger::{
    amount::Amount,
    execute::MemoryState,
    hash::Hash,
    id::{Seed, TxId},
    keys::SecretKey,
    lot::OriginKind,
    offer::{
        Access, Entitlement, Exchange, Gift, GivenBy, Gives, Offer, OfferTerms, Outside, Part,
        Price, Set, code_seed,
        draw::{Draw, Lottery, commitment},
        entitlement_id,
    },
    operation::{
        Apply, Cause, Citation, CountDraw, EndOffer, Entitle, Happening, Operation, Payment,
        PutOffer, RevealDraw, Showing, Take,
    },
    rule::cap::{Cap, Period, Scope},
    state::{ReadState, Row, RowKey, Shared},
    time::Time,
    transaction::{Role, Side},
};

use super::{
    names::{By, by, credit, document, id, instrument, officer},
    rules::{cap, issuers},
    world::World,
};

/// The key of a code of the issuer's, by which a test signs as `code/CODE`.
pub fn code_key(code: &str) -> SecretKey {
    super::names::key(&format!("code/{code}"))
}

/// What the code's key would be outside of tests.
pub fn typed_code(code: &str) -> SecretKey {
    SecretKey::from_seed(&code_seed(&id("issuer"), code))
}

/// Somebody shows a code.
pub fn shows(taker: &str, code: &str) -> By {
    by(Side::Authority, Role::Code, taker, &format!("code/{code}"))
}

/// So much of a grant.
pub fn part(of: &str, amount: u64) -> Part {
    let (instrument, amount) = (instrument(of), Amount(amount));
    Part { instrument, amount, origin: OriginKind::Grant, campaign: 0 }
}

/// A gift of the issuer's.
pub fn gift(parts: &[Part]) -> Gift {
    Gift { parts: parts.to_vec(), funder: id("issuer") }
}

/// An offer of so much MEBUKU, for a thousand days, to whoever comes.
pub fn offers(amount: u64) -> OfferTerms {
    OfferTerms {
        issuer: id("issuer"),
        gives: Gives::Gift(gift(&[part("MEBUKU", amount)])),
        who: None,
        access: Access::Open,
        stock: None,
        caps: Vec::new(),
        from: Time(0),
        until: Time(4_000_000_000_000),
        document: document("notice"),
    }
}

/// So much paid value, and so much on top for nothing.
pub fn paid(of: &str, amount: u64) -> Part {
    Part { origin: OriginKind::Paid, ..part(of, amount) }
}

/// So much for nothing.
pub fn premium(of: &str, amount: u64) -> Part {
    Part { origin: OriginKind::Free, ..part(of, amount) }
}

/// A set for so many yen, which the issuer's key says have come.
pub fn sold(yen: u64, parts: &[Part]) -> Gives {
    let price = Price::Outside(Outside {
        yen: Amount(yen),
        key: super::names::key("issuer/auto").public(),
    });
    Gives::Set(Set { price, parts: parts.to_vec(), funder: id("issuer") })
}

/// A set for so much of an instrument.
pub fn exchanged(of: &str, amount: u64, parts: &[Part]) -> Gives {
    let price = Price::Exchange(Exchange { instrument: instrument(of), amount: Amount(amount) });
    Gives::Set(Set { price, parts: parts.to_vec(), funder: id("issuer") })
}

/// Buys so many sets for outside funds.
pub fn buys(offer: TxId, to: &str, units: u32, funding: &str) -> Operation {
    let payment = Payment::Outside(document(funding));
    Operation::Take(Take { units, payment, ..takes_of(offer, to, Showing::Nothing) })
}

/// Two officers of the issuer, and one of another organisation.
pub fn across() -> Vec<By> {
    [&issuers()[..], &[officer("city", "c1")]].concat()
}

/// Officers of the registrar give entitlements.
pub fn entitled(officers: u8) -> Access {
    Access::Entitled(GivenBy { party: id("registrar"), officers })
}

/// A cap in units.
pub fn units(scope: Scope, per: Period, most: u64) -> Cap {
    cap(scope, per, most)
}

/// Puts an offer.
pub fn put_offer(terms: OfferTerms) -> Operation {
    Operation::PutOffer(PutOffer { terms })
}

/// Ends an offer.
pub fn end_offer(offer: TxId, at: Time) -> Operation {
    Operation::EndOffer(EndOffer { offer, at })
}

/// Something happened to a party.
pub fn event(party: &str, reference: &str) -> Cause {
    Cause::Event(Happening { party: id(party), reference: document(reference) })
}

/// Somebody will show a code.
pub fn by_code(code: &str) -> Cause {
    Cause::Code(code_key(code).public())
}

/// Gives entitlements to one unit each.
pub fn entitle(offer: TxId, causes: &[Cause], until: Time) -> Operation {
    Operation::Entitle(Entitle { offer, causes: causes.to_vec(), units: 1, until })
}

/// The entitlement that an event gives cause for.
pub fn right_of(offer: TxId, reference: &str) -> TxId {
    entitlement_id(&offer, &document(reference).0)
}

/// The entitlement behind a code.
pub fn right_behind(offer: TxId, code: &str) -> TxId {
    let key: Hash = code_key(code).public().0;
    entitlement_id(&offer, &key)
}

/// Takes one unit.
pub fn takes_of(offer: TxId, to: &str, showing: Showing) -> Take {
    let payment = Payment::Nothing;
    Take { offer, to: id(to), units: 1, showing, payment, credit: Citation::Live }
}

/// The seed called `name`.
pub fn seed(name: &str) -> Seed {
    Seed(musubi_ledger::hash::sha256(format!("seed {name}").as_bytes()))
}

/// A lottery by the seed `town`: closes in ten days, is revealed within a week.
pub fn lottery(now: Time) -> Lottery {
    Lottery {
        commitment: commitment(&seed("town")),
        closes: now.plus(10 * super::DAY),
        reveal_until: now.plus(17 * super::DAY),
        tiers: Vec::new(),
    }
}

/// Applies to a lottery.
pub fn applies_for(offer: TxId, to: &str, units: u32) -> Operation {
    Operation::Apply(Apply { offer, to: id(to), units })
}

/// Shows a seed.
pub fn reveal(offer: TxId, name: &str) -> Operation {
    Operation::RevealDraw(RevealDraw { offer, seed: seed(name) })
}

/// Counts up to a last place.
pub fn count_draw(offer: TxId, last: TxId) -> Operation {
    Operation::CountDraw(CountDraw { offer, last })
}

impl World {
    /// Where a lottery stands.
    pub fn draw(&self, offer: TxId) -> Draw {
        match self.state.row(&RowKey::Draw(offer)) {
            Some(Row::Draw(draw)) => Shared::into_value(draw),
            _ => Draw::default(),
        }
    }

    /// Puts an offer that must be applied.
    #[track_caller]
    pub fn offer(&mut self, terms: OfferTerms) -> TxId {
        self.apply("i1", put_offer(terms), &issuers())
    }

    /// One officer of the registrar gives an entitlement, for a year.
    #[track_caller]
    pub fn entitles(&mut self, offer: TxId, cause: Cause) {
        let until = self.now.plus(365 * super::DAY);
        let op = entitle(offer, &[cause], until);
        self.apply("r1", op, &[officer("registrar", "r1")]);
    }

    /// Takes one unit, which must be applied.
    #[track_caller]
    pub fn takes(&mut self, offer: TxId, to: &str, showing: Showing) -> TxId {
        let op = Operation::Take(takes_of(offer, to, showing));
        self.apply(to, op, &[credit(to)])
    }

    /// An offer as it stands.
    pub fn offered(&self, offer: TxId) -> Offer {
        match self.state.row(&RowKey::Offer(offer)) {
            Some(Row::Offer(offer)) => Shared::into_value(offer),
            other => panic!("an offer is kept for ever, found {other:?}"),
        }
    }

    /// An entitlement as it stands.
    pub fn entitlement(&self, id: TxId) -> Option<Entitlement> {
        match self.state.row(&RowKey::Entitlement(id)) {
            Some(Row::Entitlement(entitlement)) => Some(Shared::into_value(entitlement)),
            _ => None,
        }
    }
}

/// No more of an offer is taken than there is, by nobody more than caps let them, by no right more than was given (INV-16).
pub fn check_offer(state: &MemoryState, key: &RowKey, row: &Row) {
    match (key, row) {
        (_, Row::Draw(_)) => {}
        (_, Row::Offer(offer)) => {
            let stock = offer.terms.stock.map_or(u64::MAX, u64::from);
            assert!(offer.taken <= stock, "INV-16: stock");
        }
        (RowKey::OfferUse(id, scope, _), Row::OfferUse(uses)) => {
            let Some(Row::Offer(offer)) = state.row(&RowKey::Offer(*id)) else {
                panic!("an offer is kept for ever");
            };
            for cap in offer.terms.caps.iter().filter(|cap| cap.scope == *scope) {
                let counts = uses.counts.iter().filter(|count| count.per == cap.per);
                assert!(counts.into_iter().all(|count| count.given <= cap.most), "INV-16: {cap:?}");
            }
        }
        (_, Row::Entitlement(right)) => assert!(right.used <= right.units, "INV-16: units"),
        _ => panic!("no row of offers: {key:?}"),
    }
}
