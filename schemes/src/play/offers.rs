//! Putting offers, and what codes and rights stand for.

use musubi_ledger::{
    amount::Amount,
    id::TxId,
    keys::SecretKey,
    offer::{Coupon, Gift, Gives, OfferTerms, Set, Sponsor, code_seed},
    operation::{Operation, PutOffer},
};

use super::{Act, After, Fault, Play};
use crate::{cast::place_of, file::access};

impl Play<'_> {
    /// Puts an offer, by its place among the scheme's.
    ///
    /// # Errors
    /// If a group that funds it has nobody who could consent.
    pub(crate) fn put_offer(&mut self, at: usize) -> Result<Act, Fault> {
        let offered = &self.scheme.offers[at];
        let place = place_of(offered.terms.funder());
        let funder = self.party(place);
        let gives = match offered.terms.gives.clone() {
            Gives::Gift(gift) => Gives::Gift(Gift { funder, ..gift }),
            Gives::Set(set) => Gives::Set(Set { funder, ..set }),
            Gives::Coupon(coupon) => {
                let mut at: Vec<_> =
                    coupon.at.iter().map(|shop| self.party(place_of(*shop))).collect();
                at.sort_unstable();
                let sponsor = match coupon.sponsor {
                    Sponsor::Party(_) => Sponsor::Party(funder),
                    Sponsor::Payee => Sponsor::Payee,
                };
                Gives::Coupon(Coupon { at, sponsor, ..coupon })
            }
        };
        let funder = place;
        let issuer = self.institution("issuer");
        let terms = OfferTerms {
            issuer: self.party(issuer),
            gives,
            access: access(
                &offered.shown,
                |at| self.party(at),
                |code| self.code_key(code).public(),
            ),
            ..offered.terms.clone()
        };
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
