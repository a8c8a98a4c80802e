//! Top-ups, refunds, redemptions.

use super::*;

impl Model {
    pub(super) fn top_up(
        &mut self,
        op: &TopUp,
        id: TxId,
        by: &Signatures,
        purpose: Purpose,
    ) -> Result<(), Code> {
        demand(op.amount.0 > 0, Code::AmountInvalid)?;
        let citable = matches!(op.credit, Citation::Live | Citation::Mandate(_));
        demand(citable, Code::NotWellFormed)?;
        let kind = self.active(op.to)?;
        let (of, issuer) = self.allowed_issue(op.allowance)?;
        self.active(issuer)?;
        by.own(Side::Debit, Role::Issuer, issuer)?;
        let slot = |s: &&Signed| {
            (s.side, s.role, s.party) == (Side::Debit, Role::Issuer, issuer)
                && s.owner == Ok(issuer)
        };
        let first = by.0.iter().find(slot).unwrap();
        demand(first.key == self.allowances[&op.allowance].key, Code::RoleMissing)?;
        if op.funder != op.to && op.funder != issuer {
            self.active(op.funder)?;
            by.own(Side::Debit, Role::Funder, op.funder)?;
        }
        if op.credit == Citation::Live {
            self.holder(by, Side::Credit, op.to)?;
        }
        let leg = Leg { instrument: of, amount: op.amount };
        self.steps(&[leg])?;
        demand(HOLDERS.contains(&kind), Code::WrongKind)?;
        self.still_receives(op.to)?;
        self.eligible(op.to, &self.terms[&of].holders, Code::HolderNotEligible)?;
        demand(self.now < self.expiry(of), Code::IssueEnded)?;
        self.use_allowance(op)?;
        if let Citation::Mandate(cited) = op.credit {
            self.use_mandate(
                (cited, None),
                Direction::Credit,
                (op.to, issuer),
                &[leg],
                purpose,
                by,
            )?;
        }
        demand(self.fundings.insert(op.funding.0), Code::FundingUsed)?;
        let paid = op.origin as u8 == 2;
        let lot = (
            of,
            self.expiry(of),
            op.origin as u8,
            if paid { issuer } else { op.funder },
            op.campaign,
        );
        self.book.add(op.to, lot, SPENDABLE, op.amount.0);
        self.wallet_max(op.to, of)?;
        let lots = vec![(lot, op.amount.0, 0, false)];
        self.originals.insert(id, Original { from: issuer, to: op.to, issued: true, lots });
        Ok(())
    }

    pub(super) fn refund(&mut self, op: &Refund, by: &Signatures) -> Result<(), Code> {
        legs_well_formed(&op.legs)?;
        let mut original =
            self.originals.get(&op.original).cloned().ok_or(Code::UnknownOriginal)?;
        self.active(original.to)?;
        self.active(original.from)?;
        self.debit(by, original.to, total(&op.legs), Some(original.from))?;
        self.steps(&op.legs)?;
        demand(!original.issued, Code::NotRefundable)?;
        for (at, amount) in undo(&original, &op.legs)? {
            let (lot, _, undone, claim) = &mut original.lots[at];
            let state = if *claim { CLAIM } else { SPENDABLE };
            let there = amount.min(self.book.of(original.to, *lot, state));
            demand(there == amount || *claim, Code::InsufficientFunds)?;
            let waits = self.book.of(original.to, *lot, HELD) > 0;
            demand(there == amount || !waits, Code::ClaimHeld)?;
            if there > 0 {
                self.book.take(original.to, *lot, state, there);
            }
            if there < amount {
                *self.owed.entry((original.to, lot.0)).or_default() += amount - there;
            }
            let merchant = self.kinds[&original.from] == PartyKind::Merchant;
            let back = if *claim && merchant { CLAIM } else { SPENDABLE };
            self.book.add(original.from, *lot, back, amount);
            *undone += amount;
        }
        self.originals.insert(op.original, original);
        Ok(())
    }

    pub(super) fn redeem(
        &mut self,
        op: &RequestRedemption,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        demand(op.leg.amount.0 > 0, Code::AmountInvalid)?;
        let kind = self.active(op.merchant)?;
        demand(kind == PartyKind::Merchant, Code::WrongKind)?;
        by.own(Side::Debit, Role::Holder, op.merchant)?;
        self.steps(&[op.leg])?;
        let range = self.now + 7 * DAY..=self.now + 90 * DAY;
        demand(range.contains(&op.deadline.0), Code::DeadlineInvalid)?;
        let now = self.now;
        let days = u64::from(self.terms[&op.leg.instrument].redemption_days);
        let redeemable = |lot: &Lot| lot.1 == u64::MAX || now < lot.1 + days * DAY;
        let owes = self.owed.get(&(op.merchant, op.leg.instrument)).copied().unwrap_or(0);
        let with_debt = op.leg.amount.0 + owes;
        let all = self.book.choose(op.merchant, op.leg.instrument, CLAIM, with_debt, redeemable);
        demand(all.is_some(), Code::InsufficientClaim)?;
        let lots = self
            .book
            .choose(op.merchant, op.leg.instrument, CLAIM, op.leg.amount.0, redeemable)
            .ok_or(Code::InsufficientClaim)?;
        for (lot, amount) in &lots {
            self.book.add(op.merchant, *lot, HELD, *amount);
            self.book.take(op.merchant, *lot, CLAIM, *amount);
        }
        let redemption =
            Redemption { merchant: op.merchant, lots, deadline: op.deadline.0, open: true };
        self.redemptions.insert(id, redemption);
        Ok(())
    }

    pub(super) fn answer(&mut self, op: &AnswerRedemption, by: &Signatures) -> Result<(), Code> {
        let issuer = self.active(id("issuer"));
        let redemption = self.redemptions.get_mut(&op.redemption).ok_or(Code::UnknownRedemption)?;
        issuer?;
        by.own(Side::Credit, Role::Issuer, id("issuer"))?;
        demand(redemption.open && self.now < redemption.deadline, Code::RedemptionNotOpen)?;
        redemption.open = false;
        for (lot, amount) in &redemption.lots {
            if let RedemptionAnswer::Returned { .. } = op.answer {
                self.book.add(redemption.merchant, *lot, CLAIM, *amount);
            }
            self.book.take(redemption.merchant, *lot, HELD, *amount);
        }
        Ok(())
    }
}

/// Which lots to undo, the last spent first: by position, none of them zero.
pub(super) fn undo(original: &Original, legs: &[Leg]) -> Result<Vec<(usize, u64)>, Code> {
    let mut parts = Vec::new();
    for leg in legs {
        let mut left = leg.amount.0;
        for (at, (lot, moved, undone, _)) in original.lots.iter().enumerate().rev() {
            if lot.0 == leg.instrument {
                let part = left.min(moved - undone);
                left -= part;
                parts.push((at, part));
            }
        }
        demand(left == 0, Code::OverOriginal)?;
    }
    parts.retain(|(_, amount)| *amount > 0);
    Ok(parts)
}
