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
        if let Citation::Medium { .. } = m.debit {
            by.own(Side::Debit, Role::Terminal, m.to)?;
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
            let sides = (m.from, m.to);
            self.use_mandate((cited, None), Direction::Debit, sides, &m.legs, purpose, by)?;
        }
        if let Citation::Medium { medium, mandate } = m.debit {
            let (cited, sides) = ((mandate, Some(medium)), (m.from, m.to));
            self.use_mandate(cited, Direction::Debit, sides, &m.legs, purpose, by)?;
        }
        match m.credit {
            Citation::Mandate(cited) => {
                let sides = (m.to, m.from);
                self.use_mandate((cited, None), Direction::Credit, sides, &m.legs, purpose, by)?;
            }
            Citation::Request => self.use_request(answers, m)?,
            _ => {}
        }
        self.carry_out(m, to)
    }

    /// Whether this may ever move between such parties.
    pub(super) fn allowed(&self, m: &Movement, from: PartyKind, to: PartyKind) -> Result<(), Code> {
        let known = |leg: &Leg| self.terms.contains_key(&leg.instrument);
        demand(m.legs.iter().all(known), Code::UnknownInstrument)?;
        self.steps(&m.legs)?;
        for leg in &m.legs {
            let terms = &self.terms[&leg.instrument];
            let between = HOLDERS.contains(&from) && HOLDERS.contains(&to);
            let grouped = [from, to].contains(&PartyKind::Group);
            let allowed = match (between, to) {
                (true, _) => match terms.transfer {
                    TransferRule::None => false,
                    TransferRule::WithGroups => grouped,
                    TransferRule::PeerToPeer => true,
                },
                (false, PartyKind::Merchant) => {
                    HOLDERS.contains(&from) || from == PartyKind::Merchant
                }
                _ => false,
            };
            demand(allowed, Code::TransferNotAllowed)?;
            if HOLDERS.contains(&to) {
                self.eligible(m.to, &terms.holders, Code::HolderNotEligible)?;
            }
            if to == PartyKind::Merchant {
                self.eligible(m.to, &terms.acceptors, Code::AcceptorNotEligible)?;
            }
            let within = terms.transfer_max.is_none_or(|max| leg.amount <= max);
            demand(!between || within, Code::OverTransferMax)?;
        }
        demand(m.from != m.to, Code::SameParty)?;
        self.can_pay(m.from)?;
        self.still_receives(m.to)
    }

    pub(super) fn carry_out(&mut self, m: &Movement, to: PartyKind) -> Result<Original, Code> {
        let mut lots = Vec::new();
        for leg in &m.legs {
            let claim = to == PartyKind::Merchant
                && self.terms[&leg.instrument].on_accept == OnAccept::Claim;
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
        let most = self.terms[&of].wallet_max;
        demand(most.is_none_or(|most| holds <= most.0), Code::OverWalletMax)
    }

    pub(super) fn use_request(&mut self, answers: Option<TxId>, m: &Movement) -> Result<(), Code> {
        let id = answers.ok_or(Code::MissingConsent)?;
        let tainted = self.register.tainted(id);
        let (request, open) = self.requests.get_mut(&id).ok_or(Code::UnknownRequest)?;
        demand(*open && self.now < request.due.0 && !tainted, Code::RequestNotOpen)?;
        let fits = request.payee == m.to
            && request.payer.is_none_or(|payer| payer == m.from)
            && request.legs == m.legs;
        demand(fits, Code::RequestMismatch)?;
        *open = false;
        Ok(())
    }

    pub(super) fn use_mandate(
        &mut self,
        (id, shown): (TxId, Option<MediumId>),
        direction: Direction,
        (grantor, other): (PartyId, PartyId),
        legs: &[Leg],
        purpose: Purpose,
        by: &Signatures,
    ) -> Result<(), Code> {
        let kind = self.kinds.get(&other).copied();
        let today = (self.now + 9 * 3_600_000) / DAY;
        let mandate = self.mandates.get(&id).ok_or(Code::UnknownMandate)?;
        let died = self.died(mandate.grantor, mandate.granted) || self.register.tainted(id);
        let attested = match &mandate.terms.counterparty {
            Counterparty::Attribute(_, test) => self.meets(other, test),
            _ => false,
        };
        let mandate = self.mandates.get_mut(&id).unwrap();
        let terms = mandate.terms.clone();
        let over = terms.until.is_some_and(|end| end.0 <= self.now);
        demand(
            !mandate.revoked && !died && !over && terms.from.0 <= self.now,
            Code::MandateNotActive,
        )?;
        let bound_to = mandate.medium.and_then(|medium| self.media.get(&medium));
        demand(bound_to.is_none_or(|medium| !medium.revoked), Code::MediumNotActive)?;
        demand(shown.is_none_or(|s| self.media.contains_key(&s)), Code::UnknownMedium)?;
        let receives_only = shown.is_none() && direction == Direction::Credit;
        let through_it = mandate.medium == shown || receives_only;
        let with = match &terms.counterparty {
            Counterparty::Any => true,
            Counterparty::Party(party) => *party == other,
            Counterparty::Kind(wanted) => Some(*wanted) == kind,
            Counterparty::Attribute(wanted, _) => Some(*wanted) == kind && attested,
        };
        let fits = mandate.grantor == grantor
            && terms.direction == direction
            && legs.iter().all(|leg| terms.instruments.contains(&leg.instrument))
            && terms.purpose.is_none_or(|wanted| wanted == purpose)
            && with
            && through_it
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
