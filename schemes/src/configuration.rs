//! What of a scheme stands on a ledger before anybody takes part: its instruments, its rules, and what their issuer may
//! issue. A scenario's people and payments are no part of it.

use musubi_ledger::{
    amount::Amount,
    id::{InstrumentId, PartyId},
    rule::{Post, Recipient, RuleTerms, split::Split},
    time::Time,
};

use crate::{
    cast::place_of,
    scheme::{Issued, Ruled, Scheme},
};

/// One thing to put on a ledger.
#[derive(Clone, Copy, Debug)]
pub enum Setting<'s> {
    /// An instrument, open at once.
    Instrument(&'s Issued),
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
    /// Who signs, by their names in files: officers of the issuer; to an allowance one of another organisation, too.
    #[must_use]
    pub fn officers(&self) -> [&'static str; 2] {
        match self {
            Self::Instrument(_) | Self::Rule(_) => ["issuer-officer[1]", "issuer-officer[2]"],
            Self::Allowance(_) => ["issuer-officer[1]", "city-officer"],
        }
    }

    /// Instruments that must be on the ledger before it.
    #[must_use]
    pub fn rests_on(&self) -> Vec<InstrumentId> {
        match self {
            Self::Instrument(_) => Vec::new(),
            Self::Allowance(allowed) => vec![allowed.instrument],
            Self::Rule(rule) => {
                let gives = match &rule.terms.post {
                    Post::Give(give) => Some(give.instrument),
                    Post::Share(_) | Post::Fee(_) => None,
                };
                let tier = rule.terms.when.tier.map(|tier| tier.instrument);
                [Some(rule.id.instrument), gives, tier].into_iter().flatten().collect()
            }
        }
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
    /// In the order in which it is put: instruments, rules that no step puts later, allowances. Of an instrument's allowances the first one that the scenario
    /// grants counts: later ones are what happened, not what was set up.
    #[must_use]
    pub fn configuration(&self) -> Vec<Setting<'_>> {
        let issued = self.instruments.iter().filter(|issued| issued.stands);
        let mut settings: Vec<Setting<'_>> = issued.clone().map(Setting::Instrument).collect();
        // A rule about one offer comes with that offer: a scenario puts both.
        let first = |rule: &&Ruled| rule.stands && !rule.later && rule.offer.is_none();
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
