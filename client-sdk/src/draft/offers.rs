//! Offers, rights to them, and taking of them.

use musubi_ledger::{
    id::{PartyId, TxId},
    offer::OfferTerms,
    operation::{Cause, EndOffer, Entitle, Operation, PutOffer, Take},
    time::Time,
};

use super::{Composer, Draft};

impl Composer {
    /// Puts something up to be taken; an officer of the issuer sends.
    pub fn put_offer(&self, sender: PartyId, terms: OfferTerms) -> Draft {
        self.draft(sender, Operation::PutOffer(PutOffer { terms }))
    }

    /// Ends an offer from `at` on.
    pub fn end_offer(&self, sender: PartyId, offer: TxId, at: Time) -> Draft {
        self.draft(sender, Operation::EndOffer(EndOffer { offer, at }))
    }

    /// Gives each cause a right to so many units of an offer; an officer sends.
    pub fn entitle(
        &self,
        sender: PartyId,
        offer: TxId,
        causes: Vec<Cause>,
        units: u32,
        until: Time,
    ) -> Draft {
        self.draft(sender, Operation::Entitle(Entitle { offer, causes, units, until }))
    }

    /// Takes back an entitlement of which nothing was used; an officer sends.
    pub fn withdraw_entitlement(&self, sender: PartyId, entitlement: TxId) -> Draft {
        self.draft(sender, Operation::WithdrawEntitlement { entitlement })
    }

    /// Takes of an offer.
    pub fn take(&self, sender: PartyId, take: Take) -> Draft {
        self.draft(sender, Operation::Take(take))
    }
}
