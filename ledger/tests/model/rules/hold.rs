//! Holds: value that waits for somebody outside, or for the issuer.

use super::*;

/// What waits.
#[derive(Clone)]
pub(super) struct Waits {
    from: PartyId,
    to: PartyId,
    lots: Vec<(Lot, u64)>,
    deadline: u64,
    open: bool,
}

impl Model {
    pub(super) fn hold(&mut self, op: &Hold, id: TxId, by: &Signatures) -> Result<(), Code> {
        let of = op.leg.instrument;
        demand(op.leg.amount.0 > 0, Code::AmountInvalid)?;
        self.active(op.from)?;
        let kind = self.active(op.to)?;
        let delivers = [PartyKind::External, PartyKind::Issuer];
        demand(delivers.contains(&kind), Code::WrongKind)?;
        self.lets_wait(by, op)?;
        self.steps(&[op.leg])?;
        let terms = self.terms[&of].clone();
        let known = kind == PartyKind::External || op.to == terms.issuer;
        demand(known, Code::TransferNotAllowed)?;
        self.can_pay(op.from)?;
        self.moves(of)?;
        let range = self.now + 3_600_000..=self.now + 90 * DAY;
        demand(range.contains(&op.deadline.0), Code::DeadlineInvalid)?;
        let prepaid = [Regime::PrepaidOwn, Regime::PrepaidThird].contains(&terms.regime);
        let bound = kind == PartyKind::External && prepaid;
        let mut book = self.book.clone();
        if let Some(wallet) = book.0.get_mut(&op.from) {
            wallet.retain(|lot, _| op.deadline.0 < lot.1 && !(bound && lot.2 == 2));
        }
        let parts = book.spend(op.from, &[(of, terms)], op.leg.amount.0, self.now);
        let parts = parts.ok_or(Code::InsufficientFunds)?;
        let lots: Vec<(Lot, u64)> = parts.into_iter().map(|(lot, part, _)| (lot, part)).collect();
        for (lot, part) in &lots {
            self.book.add(op.from, *lot, HELD, *part, u64::MAX);
            self.book.take(op.from, *lot, SPENDABLE, *part);
        }
        let waits = Waits { from: op.from, to: op.to, lots, deadline: op.deadline.0, open: true };
        self.waiting.insert(id, waits);
        Ok(())
    }

    fn lets_wait(&self, by: &Signatures, op: &Hold) -> Result<(), Code> {
        if self.kinds[&op.from] == PartyKind::Group {
            return self.debit(by, op.from, op.leg.amount.0, Some(op.to));
        }
        self.funds(by, op.from, op.leg.amount.0)
    }

    pub(super) fn answer_hold(&mut self, op: &AnswerHold, by: &Signatures) -> Result<(), Code> {
        let waits = self.waiting.get(&op.hold).cloned().ok_or(Code::UnknownRedemption)?;
        let issuer = id("issuer");
        self.active(issuer)?;
        let burns = by.own(Side::Credit, Role::Issuer, issuer);
        if waits.to == issuer {
            burns?;
        } else {
            self.active(waits.to)?;
            let attests = by.own(Side::Credit, Role::Holder, waits.to);
            match op.answer {
                HoldAnswer::Settled { .. } => attests.and(burns)?,
                HoldAnswer::Returned { .. } => attests.or(burns)?,
            }
        }
        demand(waits.open && self.now < waits.deadline, Code::RedemptionNotOpen)?;
        if let HoldAnswer::Settled { reference } = op.answer {
            let fresh = match waits.to == issuer {
                true => self.fundings.insert(reference.0),
                false => self.delivered.insert((waits.to, reference.0)),
            };
            demand(fresh, Code::FundingUsed)?;
        }
        for (lot, part) in &waits.lots {
            if let HoldAnswer::Returned { .. } = op.answer {
                self.book.add(waits.from, *lot, SPENDABLE, *part, u64::MAX);
            }
            self.book.take(waits.from, *lot, HELD, *part);
        }
        self.waiting.insert(op.hold, Waits { open: false, ..waits });
        Ok(())
    }

    pub(super) fn repay(&mut self, op: &Repay, by: &Signatures) -> Result<(), Code> {
        let (of, amount) = (op.leg.instrument, op.leg.amount.0);
        demand(amount > 0, Code::AmountInvalid)?;
        let kind = *self.kinds.get(&op.party).ok_or(Code::UnknownParty)?;
        let issuer = self.terms.get(&of).ok_or(Code::UnknownInstrument)?.issuer;
        match op.by {
            RepayBy::Wallet => {
                self.active(op.party)?;
                self.funds(by, op.party, amount)?;
            }
            RepayBy::Outside { .. } => {
                self.active(issuer)?;
                if by.own(Side::Credit, Role::Issuer, issuer).is_err() {
                    let may = |person| self.is_officer(issuer, person);
                    by.persons(Side::Credit, Role::Officer, issuer, may)?;
                }
            }
        }
        let owed = self.owed.get(&(op.party, of)).copied().unwrap_or(0);
        demand(amount <= owed, Code::OverOwed)?;
        let shop = kind == PartyKind::Merchant;
        match op.by {
            RepayBy::Wallet if shop => self.burn_claims(op)?,
            RepayBy::Wallet => {
                let whole =
                    Terms { step: musubi_ledger::amount::Amount(1), ..self.terms[&of].clone() };
                let parts = self.book.spend(op.party, &[(of, whole)], amount, self.now);
                for (lot, part, _) in parts.ok_or(Code::InsufficientFunds)? {
                    self.book.take(op.party, lot, SPENDABLE, part);
                }
            }
            RepayBy::Outside { funding } => {
                demand(self.fundings.insert(funding.0), Code::FundingUsed)?;
            }
        }
        self.owed.insert((op.party, of), owed - amount);
        Ok(())
    }

    fn burn_claims(&mut self, op: &Repay) -> Result<(), Code> {
        let terms = &self.terms[&op.leg.instrument];
        let first = [terms.priority.free, terms.priority.grant, terms.priority.paid];
        let wallet = self.book.0.get(&op.party).cloned().unwrap_or_default();
        let of_it = wallet.into_iter().filter(|(lot, _)| lot.0 == op.leg.instrument);
        let mut lots: Vec<_> = of_it
            .map(|(lot, (amounts, since))| {
                ((lot.1, first[usize::from(lot.2)], since, lot), amounts[CLAIM])
            })
            .collect();
        lots.sort();
        let mut left = op.leg.amount.0;
        for ((.., lot), claim) in lots {
            let part = left.min(claim);
            if part > 0 {
                self.book.take(op.party, lot, CLAIM, part);
                left -= part;
            }
        }
        demand(left == 0, Code::InsufficientClaim)
    }

    /// What nobody answered in time returns.
    pub(super) fn return_holds(&mut self) {
        for waits in self.waiting.values_mut() {
            if waits.open && waits.deadline <= self.now {
                waits.open = false;
                for (lot, part) in &waits.lots {
                    self.book.add(waits.from, *lot, SPENDABLE, *part, u64::MAX);
                    self.book.take(waits.from, *lot, HELD, *part);
                }
            }
        }
    }
}
