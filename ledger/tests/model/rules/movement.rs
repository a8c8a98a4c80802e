//! Moving money, and using what a movement cites.

use super::*;

impl Model {
    pub(super) fn movement(
        &mut self,
        m: &Movement,
        by: &Signatures,
        purpose: Purpose,
        answers: Option<TxId>,
    ) -> Result<Original, Code> {
        let from = self.active(m.from)?;
        let to = self.active(m.to)?;
        let amount = total(&m.legs);
        if m.debit == Citation::Live {
            self.debit(by, m.from, amount, Some(m.to))?;
        }
        match m.credit {
            Citation::Live => self.holder(by, Side::Credit, m.to)?,
            Citation::Request => demand(answers.is_some(), Code::MissingConsent)?,
            _ => {}
        }
        self.allowed(m, from, to)?;
        if let Citation::Mandate(cited) = m.debit {
            let takes_part = match m.credit {
                Citation::Live => true,
                Citation::Request => answers
                    .and_then(|id| self.requests.get(&id))
                    .is_some_and(|(request, _)| request.payer == Some(m.from)),
                _ => false,
            };
            if !takes_part {
                let known = self.mandates.get(&cited).ok_or(Code::UnknownMandate)?;
                demand(!known.terms.staff.is_empty(), Code::MissingConsent)?;
                demand(staff(&known.terms, by), Code::MissingConsent)?;
            }
            self.use_mandate(cited, Direction::Debit, (m.from, m.to), &m.legs, purpose, by)?;
        }
        match m.credit {
            Citation::Mandate(cited) => {
                let sides = (m.to, m.from);
                self.use_mandate(cited, Direction::Credit, sides, &m.legs, purpose, by)?;
            }
            Citation::Request => self.use_request(answers, m)?,
            _ => {}
        }
        self.carry_out(m, to)
    }

    /// Whether this may ever move between such parties.
    pub(super) fn allowed(&self, m: &Movement, from: PartyKind, to: PartyKind) -> Result<(), Code> {
        for leg in &m.legs {
            let between = HOLDERS.contains(&from) && HOLDERS.contains(&to);
            let grouped = [from, to].contains(&PartyKind::Group);
            let coin = leg.instrument == instrument("COIN");
            let allowed = match (between, to) {
                (true, _) => !coin || grouped,
                (false, PartyKind::Merchant) => true,
                _ => false,
            };
            demand(allowed, Code::TransferNotAllowed)?;
            demand(!between || leg.amount.0 <= 300_000, Code::OverTransferMax)?;
        }
        demand(m.from != m.to, Code::SameParty)
    }

    pub(super) fn carry_out(&mut self, m: &Movement, to: PartyKind) -> Result<Original, Code> {
        let mut lots = Vec::new();
        for leg in &m.legs {
            let claim = to == PartyKind::Merchant && leg.instrument != instrument("COIN");
            let now = self.now;
            let parts = self
                .book
                .choose(m.from, leg.instrument, SPENDABLE, leg.amount.0, |lot| now < lot.1)
                .ok_or(Code::InsufficientFunds)?;
            for (lot, amount) in parts {
                self.book.take(m.from, lot, SPENDABLE, amount);
                self.book.add(m.to, lot, if claim { CLAIM } else { SPENDABLE }, amount);
                lots.push((lot, amount, 0, claim));
            }
            self.wallet_max(m.to, leg.instrument)?;
        }
        Ok(Original { from: m.from, to: m.to, issued: false, lots })
    }

    pub(super) fn wallet_max(&self, party: PartyId, of: InstrumentId) -> Result<(), Code> {
        let holds = self.book.spendable(party, of, self.now);
        demand(holds <= 1_000_000, Code::OverWalletMax)
    }

    pub(super) fn use_request(&mut self, answers: Option<TxId>, m: &Movement) -> Result<(), Code> {
        let id = answers.ok_or(Code::MissingConsent)?;
        let (request, open) = self.requests.get_mut(&id).ok_or(Code::UnknownRequest)?;
        demand(*open && self.now < request.due.0, Code::RequestNotOpen)?;
        let fits = request.payee == m.to
            && request.payer.is_none_or(|payer| payer == m.from)
            && request.legs == m.legs;
        demand(fits, Code::RequestMismatch)?;
        *open = false;
        Ok(())
    }

    pub(super) fn use_mandate(
        &mut self,
        id: TxId,
        direction: Direction,
        (grantor, other): (PartyId, PartyId),
        legs: &[Leg],
        purpose: Purpose,
        by: &Signatures,
    ) -> Result<(), Code> {
        let kind = self.kinds.get(&other).copied();
        let today = (self.now + 9 * 3_600_000) / DAY;
        let mandate = self.mandates.get_mut(&id).ok_or(Code::UnknownMandate)?;
        let terms = mandate.terms.clone();
        let over = terms.until.is_some_and(|end| end.0 <= self.now);
        demand(!mandate.revoked && !over && terms.from.0 <= self.now, Code::MandateNotActive)?;
        let with = match terms.counterparty {
            Counterparty::Any => true,
            Counterparty::Party(party) => party == other,
            Counterparty::Kind(wanted) => Some(wanted) == kind,
            Counterparty::Attribute(..) => panic!("the model knows no attributes"),
        };
        let fits = mandate.grantor == grantor
            && terms.direction == direction
            && legs.iter().all(|leg| terms.instruments.contains(&leg.instrument))
            && terms.purpose.is_none_or(|wanted| wanted == purpose)
            && with
            && !mandate.granted_by.contains(&other);
        demand(fits, Code::MandateMismatch)?;
        if direction == Direction::Debit && !terms.staff.is_empty() {
            demand(staff(&terms, by), Code::MissingConsent)?;
            let others = MandateTerms {
                staff: terms.staff.iter().copied().filter(|p| *p != other).collect(),
                ..terms.clone()
            };
            demand(staff(&others, by), Code::SamePerson)?;
        }
        let amount = total(legs);
        if mandate.day != today {
            (mandate.day, mandate.today) = (today, 0);
        }
        mandate.used += amount;
        mandate.today += amount;
        mandate.uses += 1;
        let with_other = mandate.with.entry(other).or_default();
        *with_other += amount;
        let within = amount <= terms.per_use.0
            && terms.total.is_none_or(|most| mandate.used <= most.0)
            && terms.per_day.is_none_or(|most| mandate.today <= most.0)
            && terms.uses.is_none_or(|most| mandate.uses <= most)
            && terms.per_counterparty.is_none_or(|most| *with_other <= most.0);
        demand(within, Code::OverMandate)
    }
}
