//! What sets cost.

use musubi_ledger::offer::{OfferTerms, Price};

use super::*;

impl Model {
    pub(super) fn priced(&self, terms: &OfferTerms) -> Result<(), Code> {
        match terms.gives.price() {
            Some(Price::Outside(outside)) => {
                let owner = self.register.keys.get(&outside.key).map(|(owner, _)| *owner);
                demand(owner == Some(terms.issuer), Code::WrongKind)?;
                // The model's money has no decimal places.
                let paid = terms.gives.parts().iter().filter(|part| part.origin as u8 == 2);
                let yen = |part: &musubi_ledger::offer::Part| {
                    part.amount.0 * u64::from(self.terms[&part.instrument].face)
                };
                demand(paid.map(yen).sum::<u64>() == outside.yen.0, Code::OfferMismatch)
            }
            Some(Price::Exchange(asked)) => {
                let of = self.terms.get(&asked.instrument).ok_or(Code::UnknownInstrument)?;
                demand(of.issuer == terms.issuer, Code::OfferMismatch)?;
                demand(asked.amount.0.is_multiple_of(of.step.0), Code::AmountInvalid)
            }
            None => Ok(()),
        }
    }

    /// Whoever must consent to what is paid.
    pub(super) fn pays_live(
        &self,
        op: &Take,
        terms: &OfferTerms,
        by: &Signatures,
    ) -> Result<(), Code> {
        match (terms.gives.price(), op.payment) {
            (None, Payment::Nothing) => Ok(()),
            (Some(Price::Outside(outside)), Payment::Outside(_)) => {
                by.own(Side::Debit, Role::Issuer, terms.issuer)?;
                let slot = |s: &&Signed| {
                    (s.side, s.role, s.party) == (Side::Debit, Role::Issuer, terms.issuer)
                        && s.owner == Ok(terms.issuer)
                };
                let first = by.0.iter().find(slot).unwrap();
                demand(first.key == outside.key, Code::RoleMissing)
            }
            (Some(Price::Exchange(asked)), Payment::Value) => {
                self.debit(by, op.to, asked.amount.0 * u64::from(op.units), None)
            }
            _ => Err(Code::OfferMismatch),
        }
    }

    pub(super) fn pays(&mut self, op: &Take, terms: &OfferTerms) -> Result<(), Code> {
        if let Payment::Outside(funding) = op.payment {
            return demand(self.fundings.insert(funding.0), Code::FundingUsed);
        }
        let Some(Price::Exchange(asked)) = terms.gives.price() else {
            return Ok(());
        };
        self.can_pay(op.to)?;
        self.moves(asked.instrument)?;
        let named = [(asked.instrument, self.terms[&asked.instrument].clone())];
        let amount = asked.amount.0 * u64::from(op.units);
        let spent = self.book.spend(op.to, &named, amount, self.now);
        for (lot, part, _) in spent.ok_or(Code::InsufficientFunds)? {
            self.book.take(op.to, lot, SPENDABLE, part);
        }
        Ok(())
    }
}
