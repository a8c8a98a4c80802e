//! Offers, rights to them, and taking of them.

use musubi_ledger::{
    id::{PartyId, Seed, TxId},
    offer::OfferTerms,
    operation::{
        Apply, Cause, CountDraw, EndOffer, Entitle, Operation, PutOffer, RevealDraw, Take,
    },
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

    /// Applies to a lottery; the application is the transaction.
    pub fn apply(&self, sender: PartyId, apply: Apply) -> Draft {
        self.draft(sender, Operation::Apply(apply))
    }

    /// Shows a lottery's seed; an officer of the issuer sends.
    pub fn reveal_draw(&self, sender: PartyId, offer: TxId, seed: Seed) -> Draft {
        self.draft(sender, Operation::RevealDraw(RevealDraw { offer, seed }))
    }

    /// One step of counting who has won; an officer of the issuer sends.
    pub fn count_draw(&self, sender: PartyId, offer: TxId, last: TxId) -> Draft {
        self.draft(sender, Operation::CountDraw(CountDraw { offer, last }))
    }

    /// Takes of an offer.
    pub fn take(&self, sender: PartyId, take: Take) -> Draft {
        self.draft(sender, Operation::Take(take))
    }
}
