//! What is asked to be paid in, and what an instrument lets be done with it when.

use super::*;

/// A payment, whichever operation asked for it.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) from: PartyId,
    pub(super) to: PartyId,
    pub(super) debit: Citation,
    pub(super) credit: Citation,
    /// Exact legs, or none where the ledger chooses.
    pub(super) legs: Option<Vec<Leg>>,
    pub(super) instruments: Vec<InstrumentId>,
    pub(super) amount: u64,
    /// The price before coupons.
    pub(super) gross: Option<u64>,
    pub(super) coupons: Vec<UseCoupon>,
}

impl Asked {
    pub(super) fn of(m: &Movement) -> Self {
        Self {
            from: m.from,
            to: m.to,
            debit: m.debit,
            credit: m.credit,
            legs: Some(m.legs.clone()),
            instruments: m.legs.iter().map(|leg| leg.instrument).collect(),
            amount: total(&m.legs),
            gross: None,
            coupons: Vec::new(),
        }
    }

    pub(super) fn any(op: &Pay) -> Self {
        Self {
            from: op.from,
            to: op.to,
            debit: op.debit,
            credit: op.credit,
            legs: None,
            instruments: op.instruments.clone(),
            amount: op.amount.0,
            gross: None,
            coupons: Vec::new(),
        }
    }

    pub(super) fn with_coupons(op: &PayWithCoupons) -> Self {
        let (gross, coupons) = (Some(op.gross.0), op.coupons.clone());
        Self { gross, coupons, ..Self::any(&op.pay) }
    }
}

impl Model {
    pub(super) fn life(&self, of: InstrumentId) -> Life {
        let now = self.now;
        let mut reached = self.lives[&of].iter().filter(|step| step.at.0 <= now);
        reached.next_back().map_or(Life::Draft, |step| step.life)
    }

    /// Whether it can be spent and moved now.
    pub(super) fn moves(&self, of: InstrumentId) -> Result<(), Code> {
        let begun = self.terms[&of].begins.is_none_or(|begins| begins.0 <= self.now);
        let open = [Life::Open, Life::IssueEnded].contains(&self.life(of));
        demand(begun && open, Code::InstrumentNotOpen)
    }

    /// Whether so much of it may be issued now.
    pub(super) fn issues(&self, of: InstrumentId, amount: u64) -> Result<(), Code> {
        self.issues_until(of, amount, self.expiry(of))
    }

    /// Whether so much of it may be issued now that expires then.
    pub(super) fn issues_until(&self, of: InstrumentId, amount: u64, end: u64) -> Result<(), Code> {
        let life = self.life(of);
        demand(life != Life::Draft, Code::InstrumentNotOpen)?;
        demand(life == Life::Open && self.now < end, Code::IssueEnded)?;
        let terms = &self.terms[&of];
        let half_a_year = (183 * DAY, end - self.now);
        demand(
            terms.regime != Regime::SixMonth || half_a_year.1 < half_a_year.0,
            Code::InstrumentNotOpen,
        )?;
        let after = self.issued.get(&of).copied().unwrap_or(0) + amount;
        demand(terms.supply_max.is_none_or(|max| after <= max.0), Code::OverSupplyMax)
    }

    /// The least of the limits of one kind that are about a party. The model's limits are about everybody.
    pub(super) fn most(&self, of: InstrumentId, kind: LimitOf) -> u64 {
        let limits = self.terms[&of].limits.iter().filter(|limit| limit.of == kind);
        limits.map(|limit| limit.most.0).min().unwrap_or(u64::MAX)
    }

    /// Counts what moves against what may move in a day or month.
    pub(super) fn count(
        &mut self,
        giver: PartyId,
        of: InstrumentId,
        kinds: (LimitOf, LimitOf, Code),
        amount: u64,
    ) -> Result<(), Code> {
        let (at_once, by_period, code) = kinds;
        demand(amount <= self.most(of, at_once), code)?;
        let most = self.most(of, by_period);
        if most == u64::MAX {
            return Ok(());
        }
        let day = Time(self.now).day();
        let period = match by_period {
            LimitOf::PurchasesPerDay => day.0,
            _ => day.civil().0 * 12 + day.civil().1 - 1,
        };
        let used = self.counted.entry((giver, by_period, of)).or_insert((period, 0));
        if used.0 != period {
            *used = (period, 0);
        }
        used.1 += amount;
        demand(used.1 <= most, Code::OverLimit)
    }

    /// Renews what slides.
    pub(super) fn slide(&mut self, party: PartyId, of: InstrumentId) {
        if !matches!(self.terms[&of].validity, Validity::Sliding(_)) {
            return;
        }
        let end = self.expiry(of);
        let wallet = self.book.0.get(&party).cloned().unwrap_or_default();
        for (lot, (amounts, since)) in wallet {
            if lot.0 == of && amounts[SPENDABLE] > 0 && self.now < lot.1 && lot.1 < end {
                self.book.take(party, lot, SPENDABLE, amounts[SPENDABLE]);
                let new = (lot.0, end, lot.2, lot.3, lot.4);
                self.book.add(party, new, SPENDABLE, amounts[SPENDABLE], since);
            }
        }
    }

    pub(super) fn touch(&mut self, op: &Touch, by: &Signatures) -> Result<(), Code> {
        self.active(op.party)?;
        self.holder(by, Side::Authority, op.party)?;
        demand(self.terms.contains_key(&op.instrument), Code::UnknownInstrument)?;
        self.moves(op.instrument)?;
        self.slide(op.party, op.instrument);
        Ok(())
    }

    pub(super) fn change_instrument(
        &mut self,
        op: &ChangeInstrument,
        by: &Signatures,
    ) -> Result<(), Code> {
        let terms = self.terms.get(&op.instrument).cloned().ok_or(Code::UnknownInstrument)?;
        self.active(terms.issuer)?;
        by.officers(terms.issuer, 2)?;
        let alone = match op.change {
            InstrumentChange::Life(step) => step.life == Life::Open,
            InstrumentChange::Document(_) => true,
            InstrumentChange::SupplyMax(_) => false,
        };
        if !alone {
            self.two_organisations(by, terms.issuer)?;
        }
        let kept = self.terms.get_mut(&op.instrument).unwrap();
        match op.change {
            InstrumentChange::SupplyMax(max) => {
                demand(max.is_none_or(|max| max.0 > 0), Code::NotWellFormed)?;
                kept.supply_max = max;
            }
            InstrumentChange::Document(document) => kept.document = document,
            InstrumentChange::Life(step) => {
                let steps = self.lives.get_mut(&op.instrument).unwrap();
                let last = *steps.last().unwrap();
                demand(last.life < step.life, Code::InstrumentNotOpen)?;
                let prepaid = [Regime::PrepaidThird, Regime::PrepaidOwn].contains(&terms.regime);
                let ends = last.life < Life::UseEnded && Life::UseEnded <= step.life;
                let least = if prepaid && ends { self.now + 60 * DAY } else { self.now };
                let in_time = step.at.0 >= least && step.at >= last.at;
                demand(in_time, Code::DeadlineInvalid)?;
                steps.push(step);
            }
        }
        Ok(())
    }

    /// Whether a request's tender makes sense.
    pub(super) fn tender(&self, op: &RequestPayment) -> Result<(), Code> {
        for id in &op.tender {
            let terms = self.terms.get(id).ok_or(Code::UnknownInstrument)?;
            let asked = &self.terms[&op.legs[0].instrument];
            let alike = (terms.face, terms.decimals) == (asked.face, asked.decimals);
            demand(alike, Code::TenderMismatch)?;
        }
        Ok(())
    }
}
