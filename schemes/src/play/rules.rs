//! Putting rules: by two officers of the issuer, and whoever else funds what they give.

use musubi_ledger::{
    amount::Amount,
    operation::{Operation, PutRule},
};

use super::{Act, Fault, Play};

impl Play<'_> {
    /// Puts a rule, by its place among the scheme's.
    ///
    /// # Errors
    /// If a group that funds it has nobody who could consent.
    pub(crate) fn put_rule(&mut self, at: usize) -> Result<Act, Fault> {
        let rule = &self.scheme.rules[at];
        let mut terms = rule.resolved(&mut |at| self.party(at));
        if let Some(offer) = rule.offer {
            terms.when.offer = Some(self.offer(offer)?);
        }
        let mut signers = self.officers("issuer", 2);
        if let Some(funder) = rule.funder().filter(|funder| *funder != self.institution("issuer")) {
            let budget = terms.budget().unwrap_or(Amount::ZERO);
            signers.extend(self.debit(funder, budget, None)?);
        }
        let put = PutRule { id: rule.id, terms };
        Ok(Act::new(self.body(signers[0].3, Operation::PutRule(put)), signers))
    }
}
