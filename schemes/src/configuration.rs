//! What of a scheme stands on a ledger before anybody takes part: its instruments, what may be taken, its rules, and what
//! their issuer may issue. A scenario's people and payments are no part of it.

use musubi_ledger::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, PartyId},
    instrument::Validity,
    keys::PublicKey,
    offer::{Access, Gift, GivenBy, Gives, OfferTerms, Price, Set, Sponsor, draw::Lottery},
    rule::{Post, Recipient, RuleTerms, split::Split},
    time::Time,
};

use crate::{
    cast::place_of,
    scheme::{Issued, Offered, Ruled, Scheme, Shown},
};

/// One thing to put on a ledger.
#[derive(Clone, Copy, Debug)]
pub enum Setting<'s> {
    /// An instrument, open at once.
    Instrument(&'s Issued),
    /// What may be taken, with its place among the scheme's offers.
    Offer(usize, &'s Offered),
    /// What the ledger posts by itself.
    Rule(&'s Ruled),
    /// The issuer's right to issue it.
    Allowance(Allowed),
}

/// What an issuer may issue of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
    /// Of what.
    pub instrument: InstrumentId,
    /// Place of its issuer in the cast.
    pub issuer: usize,
    /// Most in all.
    pub total: Amount,
    /// Most into one wallet.
    pub per_wallet: Amount,
    /// Most on one day in Japan.
    pub per_day: Amount,
    /// Until when, if the file says.
    pub until: Option<Time>,
}

impl Setting<'_> {
    /// Who signs, by their names in files: officers of the issuer; to an allowance, and to what is sold, one of another
    /// organisation, too.
    #[must_use]
    pub fn officers(&self) -> &'static [&'static str] {
        match self {
            Self::Offer(_, offer) if offer.sold() => {
                &["issuer-officer[1]", "issuer-officer[2]", "city-officer"]
            }
            Self::Instrument(_) | Self::Offer(..) | Self::Rule(_) => {
                &["issuer-officer[1]", "issuer-officer[2]"]
            }
            Self::Allowance(_) => &["issuer-officer[1]", "city-officer"],
        }
    }

    /// The instant from which on it is of no use any more, if the file says one.
    #[must_use]
    pub fn end(&self) -> Option<Time> {
        match self {
            Self::Instrument(issued) => match issued.terms.validity {
                Validity::At(end) => Some(end),
                Validity::None | Validity::After(_) | Validity::Sliding(_) => None,
            },
            Self::Offer(_, offer) => match &offer.terms.access {
                Access::Lottery(lottery) => Some(lottery.closes),
                Access::Open | Access::Code(_) | Access::Entitled(_) => Some(offer.terms.until),
            },
            Self::Rule(rule) => rule.terms.when.until,
            Self::Allowance(allowed) => allowed.until,
        }
    }

    /// What must be on the ledger before it.
    #[must_use]
    pub fn rests_on(&self) -> Vec<Ground> {
        match self {
            Self::Instrument(_) => Vec::new(),
            Self::Allowance(allowed) => vec![Ground::Instrument(allowed.instrument)],
            Self::Offer(_, offer) => {
                let parts = offer.terms.gives.parts().iter().map(|part| part.instrument);
                let price = match offer.terms.gives.price() {
                    Some(Price::Exchange(exchange)) => Some(exchange.instrument),
                    Some(Price::Outside(_)) | None => None,
                };
                let coupon = match &offer.terms.gives {
                    Gives::Coupon(coupon) => Some(coupon.instrument),
                    Gives::Gift(_) | Gives::Set(_) => None,
                };
                parts.chain(price).chain(coupon).map(Ground::Instrument).collect()
            }
            Self::Rule(rule) => {
                let gives = match &rule.terms.post {
                    Post::Give(give) => Some(give.instrument),
                    Post::Share(_) | Post::Fee(_) => None,
                };
                let tier = rule.terms.when.tier.map(|tier| tier.instrument);
                let instruments = [Some(rule.id.instrument), gives, tier].into_iter().flatten();
                let offer = rule.offer.map(Ground::Offer);
                instruments.map(Ground::Instrument).chain(offer).collect()
            }
        }
    }
}

/// What another setting rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// An instrument.
    Instrument(InstrumentId),
    /// An offer, by its place among the scheme's.
    Offer(usize),
}

/// What of an offer no file can say: it is each network's own.
#[derive(Clone, Copy, Default, Debug)]
pub struct Own {
    /// The key of the code that must be shown.
    pub code: Option<PublicKey>,
    /// Hash of a lottery's seed.
    pub commitment: Option<DocumentHash>,
    /// The issuer's key that says that outside funds have come.
    pub sale: Option<PublicKey>,
}

impl Own {
    /// What fills all places and fits nowhere.
    pub const NONE: Self = Self {
        code: Some(PublicKey([0; 32])),
        commitment: Some(DocumentHash([0; 32])),
        sale: Some(PublicKey([0; 32])),
    };
}

impl Offered {
    /// Its terms with the ids of parties in place of their places in the cast, and with what no file can say.
    ///
    /// # Panics
    /// If something of that is wanted and not given.
    #[must_use]
    pub fn resolved(&self, party: &mut dyn FnMut(usize) -> PartyId, own: Own) -> OfferTerms {
        let mut terms = self.terms.clone();
        terms.issuer = party(place_of(terms.issuer));
        match &mut terms.gives {
            Gives::Gift(Gift { funder, .. }) | Gives::Set(Set { funder, .. }) => {
                *funder = party(place_of(*funder));
            }
            Gives::Coupon(coupon) => {
                coupon.at.iter_mut().for_each(|shop| *shop = party(place_of(*shop)));
                coupon.at.sort_unstable();
                if let Sponsor::Party(sponsor) = &mut coupon.sponsor {
                    *sponsor = party(place_of(*sponsor));
                }
            }
        }
        if let Gives::Set(Set { price: Price::Outside(outside), .. }) = &mut terms.gives {
            outside.key = own.sale.expect("who resolves it has the issuer's key");
        }
        terms.access = match (&self.shown, terms.access) {
            (Shown::Lottery, Access::Lottery(lottery)) => {
                let commitment = own.commitment.expect("who resolves it has its seed");
                Access::Lottery(Lottery { commitment, ..lottery })
            }
            (Shown::Lottery | Shown::Nothing, _) => Access::Open,
            (Shown::Code(_), _) => Access::Code(own.code.expect("who resolves it has its code")),
            (Shown::Right(at, officers), _) => {
                Access::Entitled(GivenBy { party: party(*at), officers: *officers })
            }
        };
        terms
    }

    /// The places of the parties that it names.
    #[must_use]
    pub fn parties(&self) -> Vec<usize> {
        let mut places = Vec::new();
        let _ = self.resolved(
            &mut |at| {
                places.push(at);
                PartyId::default()
            },
            Own::NONE,
        );
        places
    }

    /// The place of who owes what it gives.
    #[must_use]
    pub fn funder(&self) -> usize {
        place_of(self.terms.funder())
    }

    /// Whether outside funds pay for it: it is an allowance then, and another organisation grants it too.
    #[must_use]
    pub fn sold(&self) -> bool {
        matches!(self.terms.gives.price(), Some(Price::Outside(_)))
    }
}

impl Ruled {
    /// Its terms with the ids of parties in place of their places in the cast.
    #[must_use]
    pub fn resolved(&self, party: &mut dyn FnMut(usize) -> PartyId) -> RuleTerms {
        let mut party = |id: &mut PartyId| *id = party(place_of(*id));
        let mut terms = self.terms.clone();
        let split = |split: &mut Split, party: &mut dyn FnMut(&mut PartyId)| {
            split.legs.iter_mut().for_each(|leg| party(&mut leg.to));
        };
        match &mut terms.post {
            Post::Give(give) => {
                party(&mut give.funder);
                if let Recipient::Party(to) = &mut give.to {
                    party(to);
                }
            }
            Post::Share(share) => split(&mut share.split, &mut party),
            Post::Fee(legs) => split(legs, &mut party),
        }
        if let Some(payee) = &mut terms.when.payee_is {
            party(payee);
        }
        terms
    }

    /// The places of the parties that it names.
    #[must_use]
    pub fn parties(&self) -> Vec<usize> {
        let mut places = Vec::new();
        let _ = self.resolved(&mut |at| {
            places.push(at);
            PartyId::default()
        });
        places
    }

    /// The place of who owes what it gives; none if it gives nothing.
    #[must_use]
    pub fn funder(&self) -> Option<usize> {
        match &self.terms.post {
            Post::Give(give) => Some(place_of(give.funder)),
            Post::Share(_) | Post::Fee(_) => None,
        }
    }
}

impl Scheme {
    /// In the order in which it is put: instruments, offers and rules that no step puts later, allowances. Of an instrument's
    /// allowances the first one that the scenario grants counts: later ones are what happened, not what was set up.
    #[must_use]
    pub fn configuration(&self) -> Vec<Setting<'_>> {
        let issued = self.instruments.iter().filter(|issued| issued.stands);
        let mut settings: Vec<Setting<'_>> = issued.clone().map(Setting::Instrument).collect();
        let put = |offer: &Offered| offer.stands && !offer.later;
        let offers = self.offers.iter().enumerate().filter(|(_, offer)| put(offer));
        settings.extend(offers.map(|(at, offer)| Setting::Offer(at, offer)));
        // A rule about an offer that a step puts comes after that step.
        let follows = |rule: &Ruled| rule.offer.is_none_or(|at| put(&self.offers[at]));
        let first = |rule: &&Ruled| rule.stands && !rule.later && follows(rule);
        let rules = self.rules.iter().filter(first);
        settings.extend(rules.map(Setting::Rule));
        for issued in issued {
            let mut allowed = self.steps.iter().filter_map(|step| step.verb.allows());
            if let Some(allowed) = allowed.find(|allowed| allowed.instrument == issued.id) {
                settings.push(Setting::Allowance(Allowed { issuer: issued.issuer, ..allowed }));
            }
        }
        settings
    }
}
