//! Putting rules: by two officers of the issuer, and whoever else funds what they give.

use musubi_ledger::{
    amount::Amount,
    id::PartyId,
    operation::{Operation, PutRule},
    rule::{Post, Recipient, RuleTerms, split::Split},
};

use super::{Act, Fault, Play};
use crate::cast::place_of;

impl Play<'_> {
    /// Puts a rule, by its place among the scheme's.
    ///
    /// # Errors
    /// If a group that funds it has nobody who could consent.
    pub(crate) fn put_rule(&mut self, at: usize) -> Result<Act, Fault> {
        let rule = &self.scheme.rules[at];
        let terms = self.resolved(&rule.terms);
        let mut signers = self.officers("issuer", 2);
        if let Post::Give(give) = &rule.terms.post {
            let funder = place_of(give.funder);
            if funder != self.institution("issuer") {
                let budget = terms.budget().unwrap_or(Amount::ZERO);
                signers.extend(self.debit(funder, budget, None)?);
            }
        }
        let put = PutRule { id: rule.id, terms };
        Ok(Act::new(self.body(signers[0].3, Operation::PutRule(put)), signers))
    }

    /// Terms with the ids of parties in place of places.
    fn resolved(&self, terms: &RuleTerms) -> RuleTerms {
        let party = |id: PartyId| self.party(place_of(id));
        let mut terms = terms.clone();
        let split = |split: &mut Split| {
            for leg in &mut split.legs {
                leg.to = party(leg.to);
            }
        };
        match &mut terms.post {
            Post::Give(give) => {
                give.funder = party(give.funder);
                if let Recipient::Party(to) = &mut give.to {
                    *to = party(*to);
                }
            }
            Post::Share(share) => split(&mut share.split),
            Post::Fee(legs) => split(legs),
        }
        if let Some(payee) = &mut terms.when.payee_is {
            *payee = party(*payee);
        }
        terms
    }
}
