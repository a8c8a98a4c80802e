//! Top-ups, refunds, redemptions.

use musubi_ledger::rule::{Post, Trigger};

use super::{reward::shares, rule::worth, *};

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
        self.issues(of, op.amount.0)?;
        self.use_allowance(op)?;
        if let Citation::Mandate(cited) = op.credit {
            self.use_mandate(
                (cited, None),
                Direction::Credit,
                (op.to, issuer),
                (&[of], op.amount.0),
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
        self.book.add(op.to, lot, SPENDABLE, op.amount.0, self.now);
        *self.issued.entry(of).or_default() += op.amount.0;
        self.wallet_max(op.to, of)?;
        self.slide(op.to, of);
        let (amount, since) = (op.amount.0, self.now);
        let lots = vec![Moved { lot, amount, undone: 0, claim: false, since, got: lot }];
        let live = op.credit == Citation::Live;
        let (on, payer, payee) = (Trigger::TopUp, op.to, issuer);
        let (gross, offers) = (None, &[][..]);
        let what = Happened { on, payer, payee, purpose, gross, lots: &lots, live, offers };
        let gifts = self.fire(&what)?;
        let (from, to, issued, offered, coupons) = (issuer, op.to, true, false, Vec::new());
        self.originals.insert(id, Original { from, to, issued, lots, gifts, offered, coupons });
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
        let parts = undo(&original, &op.legs)?;
        parts.iter().for_each(|(at, amount)| original.lots[*at].undone += amount);
        self.take_back(&original)?;
        self.coupons_back(&mut original)?;
        for (at, amount) in parts {
            let part = original.lots[at].clone();
            let state = if part.claim { CLAIM } else { SPENDABLE };
            let there = self.take_kin(original.to, part.got, state, amount);
            demand(there == amount || part.claim, Code::InsufficientFunds)?;
            let waits = self.book.of(original.to, part.lot, HELD) > 0;
            demand(there == amount || !waits, Code::ClaimHeld)?;
            if there < amount {
                *self.owed.entry((original.to, part.lot.0)).or_default() += amount - there;
            }
            let merchant = self.kinds[&original.from] == PartyKind::Merchant;
            if part.claim && merchant {
                self.claims(original.from, part.lot, amount, part.since);
            } else {
                self.restore(original.from, &part, amount);
            }
        }
        self.originals.insert(op.original, original);
        Ok(())
    }

    /// Takes back what a wallet still has of a lot that it got, also where it slid; tells how much.
    pub(super) fn take_kin(&mut self, party: PartyId, lot: Lot, state: usize, most: u64) -> u64 {
        let slides = matches!(self.terms[&lot.0].validity, Validity::Sliding(_));
        let wallet = self.book.0.get(&party).cloned().unwrap_or_default();
        let mut taken = 0;
        for (other, (amounts, _)) in wallet {
            let alike = (lot.0, other.1, lot.2, lot.3, lot.4) == other;
            let part = amounts[state].min(most - taken);
            if part > 0 && (other == lot || (slides && state == SPENDABLE && alike)) {
                self.book.take(party, other, state, part);
                taken += part;
            }
        }
        taken
    }

    /// Gives back what was spent: what expired meanwhile is gone, or lives on for some days.
    pub(super) fn restore(&mut self, to: PartyId, part: &Moved, amount: u64) {
        let mut lot = part.lot;
        let late = self.now >= lot.1;
        if let (true, LateRefund::Grace(days)) = (late, self.terms[&lot.0].late_refund) {
            lot.1 = Time(self.now).end_of_day_after(days).0;
        }
        if self.now < lot.1 {
            self.book.add(to, lot, SPENDABLE, amount, part.since);
        }
        self.slide(to, lot.0);
    }

    pub(super) fn redeem(
        &mut self,
        op: &RequestRedemption,
        id: TxId,
        by: &Signatures,
        purpose: Purpose,
    ) -> Result<(), Code> {
        demand(op.leg.amount.0 > 0, Code::AmountInvalid)?;
        let kind = self.active(op.merchant)?;
        demand(kind != PartyKind::Person, Code::WrongKind)?;
        self.funds(by, op.merchant, op.leg.amount.0)?;
        self.steps(&[op.leg])?;
        let redeems = Life::Open..Life::RedemptionEnded;
        demand(redeems.contains(&self.life(op.leg.instrument)), Code::InstrumentNotOpen)?;
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
            self.book.add(op.merchant, *lot, HELD, *amount, u64::MAX);
            self.book.take(op.merchant, *lot, CLAIM, *amount);
        }
        let fees = self.fees(op.leg.instrument, op.merchant, op.leg.amount.0, purpose);
        let (merchant, deadline, open) = (op.merchant, op.deadline.0, true);
        let (of, netted) = (op.leg.instrument, 0);
        let redemption = Redemption { merchant, lots, fees, netted, of, deadline, open };
        self.redemptions.insert(id, redemption);
        Ok(())
    }

    pub(super) fn answer(&mut self, op: &AnswerRedemption, by: &Signatures) -> Result<(), Code> {
        let issuer = self.active(id("issuer"));
        let redemption = self.redemptions.get_mut(&op.redemption);
        let redemption = redemption.ok_or(Code::UnknownRedemption)?;
        issuer?;
        by.own(Side::Credit, Role::Issuer, id("issuer"))?;
        demand(redemption.open && self.now < redemption.deadline, Code::RedemptionNotOpen)?;
        self.conclude(op.redemption, op.answer);
        Ok(())
    }

    /// Does what an answer says.
    pub(super) fn conclude(&mut self, id: TxId, answer: RedemptionAnswer) {
        let redemption = self.redemptions.get_mut(&id).unwrap();
        redemption.open = false;
        let redemption = redemption.clone();
        for (lot, amount) in &redemption.lots {
            if let RedemptionAnswer::Returned { .. } = answer {
                self.claims(redemption.merchant, *lot, *amount, u64::MAX);
            }
            self.book.take(redemption.merchant, *lot, HELD, *amount);
        }
        match answer {
            RedemptionAnswer::Paid { .. } => self.pass_fees_on(&redemption),
            RedemptionAnswer::Returned { .. } => {
                let owed = self.owed.entry((redemption.merchant, redemption.of)).or_default();
                *owed += redemption.netted;
            }
        }
    }
}

impl Model {
    /// What a payout costs, by leg.
    pub(super) fn fees(
        &self,
        of: InstrumentId,
        merchant: PartyId,
        gross: u64,
        purpose: Purpose,
    ) -> Vec<(PartyId, u64)> {
        let (payer, lots) = (self.terms[&of].issuer, &[][..]);
        let on = Trigger::Redeem;
        let (live, offers) = (false, &[][..]);
        let payee = merchant;
        let what = Happened { on, payer, payee, purpose, gross: None, lots, live, offers };
        let (step, mut left, mut fees) = (self.terms[&of].step.0, gross, Vec::new());
        for (id, rule) in &self.rules {
            let compromised = self.compromised(rule);
            let Post::Fee(split) = &rule.terms.post else { continue };
            if id.instrument == of && !compromised && self.says(&what, rule, gross) {
                let fee = worth(&rule.terms.formula, gross, 0).0.min(left) / step * step;
                left -= fee;
                fees.extend(split.legs.iter().map(|leg| leg.to).zip(shares(split, fee, step)));
            }
        }
        fees
    }

    /// Each leg gets its fee out of the last of the lots, unless nothing can be received by it.
    fn pass_fees_on(&mut self, redemption: &Redemption) {
        let mut lots = redemption.lots.clone();
        for (to, fee) in &redemption.fees {
            let mut left = *fee;
            while left > 0 {
                let (lot, there) = lots.pop().unwrap();
                let part = left.min(there);
                left -= part;
                if there > part {
                    lots.push((lot, there - part));
                }
                let issuer = *to == self.terms[&lot.0].issuer;
                if !issuer && self.active(*to).is_ok() && self.still_receives(*to).is_ok() {
                    self.claims(*to, lot, part, self.now);
                }
            }
        }
    }
}

/// Which lots to undo, the last spent first: by position, none of them zero.
pub(super) fn undo(original: &Original, legs: &[Leg]) -> Result<Vec<(usize, u64)>, Code> {
    let mut parts = Vec::new();
    for leg in legs {
        let mut left = leg.amount.0;
        for (at, moved) in original.lots.iter().enumerate().rev() {
            if moved.lot.0 == leg.instrument {
                let part = left.min(moved.amount - moved.undone);
                left -= part;
                parts.push((at, part));
            }
        }
        demand(left == 0, Code::OverOriginal)?;
    }
    parts.retain(|(_, amount)| *amount > 0);
    Ok(parts)
}
