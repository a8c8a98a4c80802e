//! Putting offers, and what codes and rights stand for.

use musubi_ledger::{
    amount::Amount,
    hash::tagged,
    id::{Seed, TxId},
    keys::SecretKey,
    offer::{code_seed, draw::commitment},
    operation::{Operation, PutOffer},
};

use super::{Act, After, Fault, Play};
use crate::{configuration::Own, scheme::Shown};

impl Play<'_> {
    /// Puts an offer, by its place among the scheme's.
    ///
    /// # Errors
    /// If a group that funds it has nobody who could consent.
    pub(crate) fn put_offer(&mut self, at: usize) -> Result<Act, Fault> {
        let offered = &self.scheme.offers[at];
        let (funder, issuer) = (offered.funder(), self.institution("issuer"));
        let own = Own {
            code: match &offered.shown {
                Shown::Code(code) => Some(self.code_key(code).public()),
                _ => None,
            },
            commitment: Some(commitment(&self.seed(at))),
            sale: self.actors[issuer].key.as_ref().map(SecretKey::public),
        };
        let terms = offered.resolved(&mut |at| self.party(at), own);
        let mut signers = self.officers("issuer", 2);
        if funder != issuer {
            let whole = terms.whole().unwrap_or(Amount::ZERO);
            signers.extend(self.debit(funder, whole, None)?);
        }
        if offered.sold() {
            signers.extend(self.officers("city", 1));
        }
        let body = self.body(signers[0].3, Operation::PutOffer(PutOffer { terms }));
        Ok(Act::new(body, signers).then(After::Offer(at)))
    }

    /// The id of an offer that was put.
    ///
    /// # Errors
    /// If it was not.
    pub(crate) fn offer(&self, at: usize) -> Result<TxId, Fault> {
        let name = &self.scheme.offers[at].name;
        let lacks = || Fault::Lacks(format!("the offer {name} was not put yet"));
        self.offers.get(&at).copied().ok_or_else(lacks)
    }

    /// The seed of an offer's lottery.
    pub(crate) fn seed(&self, at: usize) -> Seed {
        let (scheme, offer) = (&self.scheme.head.name, &self.scheme.offers[at].name);
        Seed(tagged("musubi/v1/scheme-seed", &[scheme.as_bytes(), &[0], offer.as_bytes()]))
    }

    /// Whoever stands for winners, or losers, of a draw is known now: who applied, with which application, in order of place.
    ///
    /// # Errors
    /// If there are more or fewer of them than the file says.
    pub(crate) fn drawn(
        &mut self,
        offer: usize,
        won: bool,
        applications: &[(usize, TxId)],
    ) -> Result<(), Fault> {
        let members = &self.scheme.cast.members;
        let name = &self.scheme.offers[offer].name;
        let stands = |at: &usize| {
            let drawn = members[*at].drawn.as_ref();
            drawn.is_some_and(|drawn| drawn.won == won && drawn.offer == *name)
        };
        let stand: Vec<usize> = (0..members.len()).filter(stands).collect();
        if stand.is_empty() {
            return Ok(());
        }
        if stand.len() != applications.len() {
            let (what, there) = (if won { "won" } else { "lost" }, applications.len());
            let wanted = stand.len();
            return Err(Fault::Lacks(format!("{there} {what} {name}, not {wanted}")));
        }
        for (at, (applicant, application)) in stand.into_iter().zip(applications) {
            self.actors[at] = self.actors[*applicant].clone();
            self.rights.insert((offer, at), *application);
        }
        Ok(())
    }

    /// The key that a code is the seed of.
    pub(crate) fn code_key(&self, code: &str) -> SecretKey {
        SecretKey::from_seed(&code_seed(&self.party(self.institution("issuer")), code))
    }
}
