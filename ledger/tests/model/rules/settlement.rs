//! Settlements: redemptions that the issuer begins, with what merchants owe taken off.

use super::*;

impl Model {
    pub(super) fn settle(
        &mut self,
        op: &Settle,
        id: TxId,
        by: &Signatures,
        purpose: Purpose,
    ) -> Result<(), Code> {
        let ascending = op.lines.windows(2).all(|pair| pair[0].merchant < pair[1].merchant);
        demand(ascending && (1..=64).contains(&op.lines.len()), Code::NotWellFormed)?;
        demand(op.lines.iter().all(|line| line.gross.0 > 0), Code::AmountInvalid)?;
        let issuer = self.terms.get(&op.instrument).ok_or(Code::UnknownInstrument)?.issuer;
        self.active(issuer)?;
        by.officers(issuer, 2)?;
        let redeems = Life::Open..Life::RedemptionEnded;
        demand(redeems.contains(&self.life(op.instrument)), Code::InstrumentNotOpen)?;
        let range = self.now + 7 * DAY..=self.now + 90 * DAY;
        let past = op.cut_off.0 <= self.now;
        demand(range.contains(&op.deadline.0) && past, Code::DeadlineInvalid)?;
        for (index, line) in (0..).zip(&op.lines) {
            let before = self.clone();
            if self.freeze_claim(op, settlement_line(&id, index), line, purpose).is_err() {
                *self = before;
            }
        }
        Ok(())
    }

    fn freeze_claim(
        &mut self,
        op: &Settle,
        id: TxId,
        line: &SettleLine,
        purpose: Purpose,
    ) -> Result<(), Code> {
        let (of, merchant, gross) = (op.instrument, line.merchant, line.gross.0);
        demand(self.active(merchant)? != PartyKind::Person, Code::WrongKind)?;
        demand(gross.is_multiple_of(self.terms[&of].step.0), Code::AmountInvalid)?;
        let fees = self.fees(of, merchant, gross, purpose);
        let charged: u64 = fees.iter().map(|(_, fee)| fee).sum();
        let owed = self.owed.get(&(merchant, of)).copied().unwrap_or(0);
        let netted = owed.min(gross - charged);
        let (now, days) = (self.now, u64::from(self.terms[&of].redemption_days));
        let redeemable = |lot: &Lot| lot.1 == u64::MAX || now < lot.1 + days * DAY;
        let choose = |amount| self.book.choose(merchant, of, CLAIM, amount, redeemable);
        let lots = choose(gross).ok_or(Code::InsufficientClaim)?;
        for (lot, amount) in &lots {
            self.book.add(merchant, *lot, HELD, *amount, u64::MAX);
            self.book.take(merchant, *lot, CLAIM, *amount);
        }
        if netted > 0 {
            *self.owed.get_mut(&(merchant, of)).unwrap() -= netted;
        }
        let (deadline, open) = (op.deadline.0, true);
        let redemption = Redemption { merchant, lots, fees, netted, of, deadline, open };
        self.redemptions.insert(id, redemption);
        Ok(())
    }

    pub(super) fn answer_settlement(
        &mut self,
        op: &AnswerSettlement,
        by: &Signatures,
    ) -> Result<(), Code> {
        let ascending = op.lines.windows(2).all(|pair| pair[0] < pair[1]);
        demand(ascending && (1..=64).contains(&op.lines.len()), Code::NotWellFormed)?;
        let ids = op.lines.iter().map(|index| settlement_line(&op.settlement, *index));
        let ids: Vec<TxId> = ids.collect();
        let known = ids.iter().all(|id| self.redemptions.contains_key(id));
        demand(known, Code::UnknownRedemption)?;
        self.active(self::id("issuer"))?;
        by.own(Side::Credit, Role::Issuer, self::id("issuer"))?;
        let now = self.now;
        let open = |id: &TxId| self.redemptions[id].open && now < self.redemptions[id].deadline;
        demand(ids.iter().all(open), Code::RedemptionNotOpen)?;
        ids.into_iter().for_each(|id| self.conclude(id, op.answer));
        Ok(())
    }
}
