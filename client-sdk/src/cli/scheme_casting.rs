//! Who a scheme's names are on this device, and its terms with their ids.

use std::collections::BTreeMap;

use musubi_schemes::{
    Scheme,
    configuration::{Own, Setting},
    scheme::{Issued, Offered, Ruled},
};
use musubi_sdk::{
    PartyId, PublicKey, Role, Side, TxId, Wanted,
    api::{InstrumentView, OfferView},
    ledger::{instrument::Terms, offer::OfferTerms, rule::RuleTerms},
};

use super::{error::CliError, scheme_apply::Apply, session::Session, slots::want};

/// The scheme, and who its names are here.
pub(super) struct Casting<'s> {
    pub(super) scheme: &'s Scheme,
    pub(super) args: &'s Apply,
    /// Offers that are there, or drafted: by their places among the scheme's.
    pub(super) offers: BTreeMap<usize, TxId>,
    /// Secrets that were drawn in this run, by the same places.
    pub(super) drawn: BTreeMap<usize, String>,
    /// What a person should know of an offer that is there.
    pub(super) notes: BTreeMap<usize, String>,
}

/// What the ledger has, when nothing was sent yet.
pub(super) struct There {
    pub(super) instruments: Vec<InstrumentView>,
    pub(super) offers: Vec<OfferView>,
}

impl There {
    pub(super) async fn look(session: &mut Session) -> Result<Self, CliError> {
        let client = session.client()?;
        Ok(Self { instruments: client.instruments().await?, offers: client.offers().await? })
    }
}

impl<'s> Casting<'s> {
    pub(super) fn new(scheme: &'s Scheme, args: &'s Apply) -> Self {
        let (offers, drawn, notes) = Default::default();
        Self { scheme, args, offers, drawn, notes }
    }

    pub(super) fn note(&self, setting: &Setting<'_>) -> String {
        match setting {
            Setting::Offer(at, _) => self.notes.get(at).cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// Who a name of the file is in this address book.
    pub(super) fn contact(&self, name: &str) -> String {
        let given = self.args.party.iter().find(|(of, _)| of == name);
        given
            .map_or_else(|| name.replace('[', "-").replace(']', ""), |(_, contact)| contact.clone())
    }

    pub(super) async fn party(
        &self,
        place: usize,
        session: &mut Session,
    ) -> Result<PartyId, CliError> {
        let name = &self.scheme.cast.members[place].name;
        session.party(&self.contact(name)).await.map_err(|error| named(error, name))
    }

    pub(super) fn key(&self, issuer: usize, session: &Session) -> Result<PublicKey, CliError> {
        let issuer = self.contact(&self.scheme.cast.members[issuer].name);
        let auto = format!("{issuer}-auto");
        let known = session.book().contacts.contains_key(&auto);
        let name = match &self.args.key {
            Some(name) => name.clone(),
            None if known => auto,
            None => issuer,
        };
        session.book().get(&name)?.public.ok_or_else(|| {
            let what = format!("the public key of `{name}` is not known here");
            CliError::usage("no_public_key", what)
                .next("name the issuer's automated key: --key NAME")
        })
    }

    /// An instrument's terms with its issuer here.
    pub(super) async fn terms(
        &self,
        issued: &Issued,
        session: &mut Session,
    ) -> Result<Terms, CliError> {
        let issuer = self.party(issued.issuer, session).await?;
        Ok(Terms { issuer, ..issued.terms.clone() })
    }

    /// A rule's terms with its parties here.
    pub(super) async fn rule(
        &self,
        rule: &Ruled,
        session: &mut Session,
    ) -> Result<RuleTerms, CliError> {
        let mut parties = BTreeMap::new();
        for at in rule.parties() {
            parties.insert(at, self.party(at, session).await?);
        }
        let mut terms = rule.resolved(&mut |at| parties[&at]);
        terms.when.offer = rule.offer.and_then(|at| self.offers.get(&at).copied());
        Ok(terms)
    }

    /// An offer's terms with its parties here, and with what is this network's own.
    pub(super) async fn offer(
        &self,
        offer: &Offered,
        own: Own,
        session: &mut Session,
    ) -> Result<OfferTerms, CliError> {
        let mut parties = BTreeMap::new();
        for at in offer.parties() {
            parties.insert(at, self.party(at, session).await?);
        }
        Ok(offer.resolved(&mut |at| parties[&at], own))
    }

    /// Who signs, by their names in the address book, and which of their signatures no body asks for by itself: that of who
    /// funds what a rule or an offer gives, unless it is the issuer.
    pub(super) async fn signers(
        &self,
        setting: &Setting<'_>,
        session: &mut Session,
    ) -> Result<(Vec<String>, Vec<Wanted>), CliError> {
        let mut names: Vec<String> =
            setting.officers().iter().map(|name| self.contact(name)).collect();
        let mut extra = Vec::new();
        let issuers = self.scheme.cast.named("issuer").unwrap_or_default();
        let funder = match setting {
            Setting::Rule(rule) => rule.funder().filter(|at| !issuers.contains(at)),
            Setting::Offer(_, offer) => Some(offer.funder()).filter(|at| !issuers.contains(at)),
            Setting::Instrument(_) | Setting::Allowance(_) => None,
        };
        if let Some(at) = funder {
            let party = self.party(at, session).await?;
            let member = &self.scheme.cast.members[at];
            let name = |at: usize| self.contact(&self.scheme.cast.members[at].name);
            let roles: &[Role] = match &member.group {
                Some(group) => {
                    names.extend(group.drafters.first().map(|at| name(*at)));
                    names.extend(group.approvers.iter().map(|at| name(*at)));
                    &[Role::Drafter, Role::Approver]
                }
                None => {
                    names.push(name(at));
                    &[Role::Holder]
                }
            };
            extra.extend(roles.iter().map(|role| want(Side::Debit, &[*role], party)));
        }
        if let Setting::Offer(_, offer) = setting
            && offer.sold()
        {
            let city = self.scheme.cast.named("city").map_or(0, |places| places.start);
            let city = self.party(city, session).await?;
            extra.push(want(Side::Authority, &[Role::Officer], city));
        }
        names.dedup();
        Ok((names, extra))
    }
}

/// Somebody who is not in the address book under the name of the file.
pub(super) fn named(error: CliError, name: &str) -> CliError {
    let next = error.next.clone().unwrap_or_default();
    error.next(format!("say who is meant: --party '{name}=CONTACT'; {next}"))
}
