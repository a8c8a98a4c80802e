//! Rules of instruments.

use musubi_ledger::{
    id::{PartyId, RuleId},
    operation::{EndRule, Operation, PutRule},
    rule::RuleTerms,
    time::Time,
};

use super::{Composer, Draft};

impl Composer {
    /// Lets the ledger post something by itself; an officer of the issuer sends.
    pub fn put_rule(&self, sender: PartyId, id: RuleId, terms: RuleTerms) -> Draft {
        self.draft(sender, Operation::PutRule(PutRule { id, terms }))
    }

    /// Ends a rule from `at` on.
    pub fn end_rule(&self, sender: PartyId, id: RuleId, at: Time) -> Draft {
        self.draft(sender, Operation::EndRule(EndRule { id, at }))
    }
}
