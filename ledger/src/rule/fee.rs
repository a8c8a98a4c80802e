//! Fees: what a payout costs a merchant, and to whom it goes.

use super::{Post, RuleBook, when::Seen};
use crate::{amount::Amount, id::PartyId};

/// A fee of one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fee {
    /// The rule's number.
    pub number: u16,
    /// In all.
    pub amount: Amount,
    /// By leg, in the order of its split; they sum to the amount.
    pub legs: Vec<(PartyId, Amount)>,
}

impl RuleBook {
    /// The fees of a claim of `gross` that is paid out, by rule; all of them together never more than it. The payee is the
    /// merchant, the payer its issuer; `step` is the instrument's. A rule whose fee leaves the range charges nothing.
    #[must_use]
    pub fn fees(&self, gross: Amount, step: Amount, seen: &Seen<'_>) -> Vec<Fee> {
        let mut left = gross;
        let mut fees = Vec::new();
        for (number, rule) in &self.rules {
            let terms = &rule.terms;
            let Post::Fee(split) = &terms.post else { continue };
            let holds = rule.in_force(seen.now) && terms.when.fits_base(gross);
            if !holds || !terms.when.holds(seen) {
                continue;
            }
            let worth = terms.formula.worth(gross, 0).map_or(Amount::ZERO, |worth| worth.given);
            let amount = worth.min(left);
            let amount = Amount(amount.0 - amount.0 % step.0);
            if amount.is_zero() {
                continue;
            }
            left = Amount(left.0 - amount.0);
            let legs = split.legs.iter().map(|leg| leg.to);
            let legs = legs.zip(split.parts(amount, step)).collect();
            fees.push(Fee { number: *number, amount, legs });
        }
        fees
    }
}
