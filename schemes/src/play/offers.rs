//! Putting offers, and what codes and rights stand for.

use musubi_ledger::{
    amount::Amount,
    id::TxId,
    keys::SecretKey,
    offer::code_seed,
    operation::{Operation, PutOffer},
};

use super::{Act, After, Fault, Play};
use crate::scheme::Shown;

impl Play<'_> {
    /// Puts an offer, by its place among the scheme's.
    ///
    /// # Errors
    /// If a group that funds it has nobody who could consent.
    pub(crate) fn put_offer(&mut self, at: usize) -> Result<Act, Fault> {
        let offered = &self.scheme.offers[at];
        let (funder, issuer) = (offered.funder(), self.institution("issuer"));
        let code = match &offered.shown {
            Shown::Code(code) => Some(self.code_key(code).public()),
            Shown::Nothing | Shown::Right(..) => None,
        };
        let terms = offered.resolved(&mut |at| self.party(at), code);
        let mut signers = self.officers("issuer", 2);
        if funder != issuer {
            let whole = terms.whole().unwrap_or(Amount::ZERO);
            signers.extend(self.debit(funder, whole, None)?);
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

    /// The key that a code is the seed of.
    pub(crate) fn code_key(&self, code: &str) -> SecretKey {
        SecretKey::from_seed(&code_seed(&self.party(self.institution("issuer")), code))
    }
}
