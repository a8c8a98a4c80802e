//! Moving money, and using what a movement cites.

use musubi_ledger::rule::Trigger;

use super::*;

impl Model {
    pub(super) fn movement(
        &mut self,
        m: &Asked,
        by: &Signatures,
        purpose: Purpose,
        answers: Option<TxId>,
    ) -> Result<Original, Code> {
        let from = self.active(m.from)?;
        let to = self.active(m.to)?;
        let paid = (m.instruments.as_slice(), m.amount);
        if m.debit == Citation::Live {
            self.debit(by, m.from, m.amount, Some(m.to))?;
        }
        if let Citation::Medium { .. } = m.debit {
            by.own(Side::Debit, Role::Terminal, m.to)?;
        }
        match m.credit {
            Citation::Live => self.holder(by, Side::Credit, m.to)?,
            Citation::Request => demand(answers.is_some(), Code::MissingConsent)?,
            _ => {}
        }
        self.codes_sign(m.from, m.coupons.iter().map(|used| used.showing), by)?;
        let allowed = self.allowed(m, from, to)?;
        if let Citation::Mandate(cited) = m.debit {
            let takes_part = match m.credit {
                Citation::Live => true,
                Citation::Request => answers.is_some_and(|id| {
                    let payer = self.requests.get(&id).and_then(|(request, _)| request.payer);
                    let member = self.members.get(&id);
                    payer == Some(m.from) || member == Some(&Member::Party(m.from))
                }),
                _ => false,
            };
            if !takes_part {
                let known = self.mandates.get(&cited).ok_or(Code::UnknownMandate)?;
                demand(!known.terms.staff.is_empty(), Code::MissingConsent)?;
                demand(staff(&known.terms, by), Code::MissingConsent)?;
            }
            let sides = (m.from, m.to);
            self.use_mandate((cited, None), Direction::Debit, sides, paid, purpose, by)?;
        }
        if let Citation::Medium { medium, mandate } = m.debit {
            let (cited, sides) = ((mandate, Some(medium)), (m.from, m.to));
            self.use_mandate(cited, Direction::Debit, sides, paid, purpose, by)?;
        }
        match m.credit {
            Citation::Mandate(cited) => {
                let sides = (m.to, m.from);
                self.use_mandate((cited, None), Direction::Credit, sides, paid, purpose, by)?;
            }
            Citation::Request => self.use_request(answers, m)?,
            _ => {}
        }
        let coupons = match m.gross {
            Some(gross) => self.use_coupons(m, gross, (from, to))?,
            None => Vec::new(),
        };
        let mut moved = self.carry_out(m, (from, to), &allowed)?;
        moved.coupons = coupons;
        let on = match to {
            PartyKind::Merchant => Trigger::Purchase,
            PartyKind::Person | PartyKind::Group => Trigger::Transfer,
            _ => return Ok(moved),
        };
        let (payer, payee, live) = (m.from, m.to, m.debit == Citation::Live);
        let offers: Vec<TxId> = m.coupons.iter().map(|used| used.offer).collect();
        let (lots, gross, offers) = (&moved.lots, m.gross, &offers);
        let what = Happened { on, payer, payee, purpose, gross, lots, live, offers };
        moved.gifts = self.fire(&what)?;
        Ok(moved)
    }

    /// The instruments that may move between such parties now.
    pub(super) fn allowed(
        &self,
        m: &Asked,
        from: PartyKind,
        to: PartyKind,
    ) -> Result<Vec<InstrumentId>, Code> {
        let known = |of: &InstrumentId| self.terms.contains_key(of);
        demand(m.instruments.iter().all(known), Code::UnknownInstrument)?;
        let between = HOLDERS.contains(&from) && HOLDERS.contains(&to);
        let mut allowed = m.instruments.clone();
        if let Some(legs) = &m.legs {
            self.steps(legs)?;
            for leg in legs {
                self.may_go(leg.instrument, m.to, (from, to))?;
                let within = leg.amount.0 <= self.most(leg.instrument, LimitOf::Transfer);
                demand(!between || within, Code::OverTransferMax)?;
            }
        } else {
            let face = |of: &InstrumentId| (self.terms[of].face, self.terms[of].decimals);
            let alike = m.instruments.iter().all(|of| face(of) == face(&m.instruments[0]));
            demand(alike, Code::TenderMismatch)?;
            let goes = |of| self.may_go(of, m.to, (from, to)).and_then(|()| self.moves(of));
            allowed.retain(|of| goes(*of).is_ok());
            if allowed.is_empty() {
                return Err(goes(*m.instruments.last().unwrap()).unwrap_err());
            }
        }
        demand(m.from != m.to, Code::SameParty)?;
        self.can_pay(m.from)?;
        self.still_receives(m.to)?;
        for leg in m.legs.iter().flatten() {
            self.moves(leg.instrument)?;
            let within = leg.amount.0 <= self.most(leg.instrument, LimitOf::Purchase);
            demand(to != PartyKind::Merchant || within, Code::OverLimit)?;
        }
        Ok(allowed)
    }

    fn may_go(
        &self,
        of: InstrumentId,
        receiver: PartyId,
        (from, to): (PartyKind, PartyKind),
    ) -> Result<(), Code> {
        let terms = &self.terms[&of];
        let between = HOLDERS.contains(&from) && HOLDERS.contains(&to);
        let grouped = [from, to].contains(&PartyKind::Group);
        let allowed = match (between, to) {
            (true, _) => match terms.transfer {
                TransferRule::None => false,
                TransferRule::WithGroups => grouped,
                TransferRule::PeerToPeer => true,
            },
            (false, PartyKind::Merchant) => HOLDERS.contains(&from) || from == PartyKind::Merchant,
            _ => false,
        };
        demand(allowed, Code::TransferNotAllowed)?;
        if HOLDERS.contains(&to) {
            self.eligible(receiver, &terms.holders, Code::HolderNotEligible)?;
        }
        if to == PartyKind::Merchant {
            self.eligible(receiver, &terms.acceptors, Code::AcceptorNotEligible)?;
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        m: &Asked,
        (from, to): (PartyKind, PartyKind),
        allowed: &[InstrumentId],
    ) -> Result<Original, Code> {
        let terms = |of: &InstrumentId| (*of, self.terms[of].clone());
        let mut parts = Vec::new();
        match &m.legs {
            None => {
                let named: Vec<_> = allowed.iter().map(terms).collect();
                parts = self
                    .book
                    .spend(m.from, &named, m.amount, self.now)
                    .ok_or(Code::InsufficientFunds)?;
            }
            Some(legs) => {
                for leg in legs {
                    let named = [terms(&leg.instrument)];
                    let spent = self.book.spend(m.from, &named, leg.amount.0, self.now);
                    parts.extend(spent.ok_or(Code::InsufficientFunds)?);
                }
            }
        }
        let mut lots = Vec::new();
        for of in allowed {
            let of_it: Vec<_> = parts.iter().filter(|(lot, ..)| lot.0 == *of).copied().collect();
            if of_it.is_empty() {
                continue;
            }
            let moved = of_it.iter().map(|(_, amount, _)| amount).sum();
            let shop = to == PartyKind::Merchant;
            if shop {
                let kinds = (LimitOf::Purchase, LimitOf::PurchasesPerDay, Code::OverLimit);
                self.count(m.from, *of, kinds, moved)?;
            } else if HOLDERS.contains(&from) && HOLDERS.contains(&to) {
                let kinds = (LimitOf::Transfer, LimitOf::TransfersPerMonth, Code::OverTransferMax);
                self.count(m.from, *of, kinds, moved)?;
            }
            let on_accept = self.terms[of].on_accept;
            for (lot, amount, since) in of_it {
                let claim = shop && on_accept == OnAccept::Claim;
                let mut got = lot;
                if shop && on_accept == OnAccept::Renew {
                    got.1 = self.expiry(*of);
                }
                let state = if claim { CLAIM } else { SPENDABLE };
                self.book.take(m.from, lot, SPENDABLE, amount);
                self.book.add(m.to, got, state, amount, self.now);
                lots.push(Moved { lot, amount, undone: 0, claim, since, got });
            }
            self.wallet_max(m.to, *of)?;
            self.slide(m.from, *of);
            self.slide(m.to, *of);
        }
        Ok(Original {
            from: m.from,
            to: m.to,
            issued: false,
            lots,
            gifts: Vec::new(),
            offered: false,
            coupons: Vec::new(),
        })
    }

    pub(super) fn wallet_max(&self, party: PartyId, of: InstrumentId) -> Result<(), Code> {
        let holds = self.book.spendable(party, of, self.now);
        demand(holds <= self.most(of, LimitOf::Wallet), Code::OverWalletMax)
    }

    pub(super) fn use_request(&mut self, answers: Option<TxId>, m: &Asked) -> Result<(), Code> {
        let id = answers.ok_or(Code::MissingConsent)?;
        let tainted = self.register.tainted(id);
        let (request, open) = self.requests.get_mut(&id).ok_or(Code::UnknownRequest)?;
        demand(*open && self.now < request.due.0 && !tainted, Code::RequestNotOpen)?;
        let fits = request.payee == m.to
            && request.payer.is_none_or(|payer| payer == m.from)
            && match (request.tender.is_empty(), &m.legs) {
                (true, None) if m.gross.is_some() => {
                    let leg = |of: &InstrumentId| Leg {
                        instrument: *of,
                        amount: musubi_ledger::amount::Amount(m.gross.unwrap()),
                    };
                    m.instruments.iter().all(|of| request.legs == [leg(of)])
                }
                (true, legs) => legs.as_ref() == Some(&request.legs),
                (false, _) => {
                    m.instruments.iter().all(|of| request.tender.contains(of))
                        && m.gross.unwrap_or(m.amount) == request.legs[0].amount.0
                }
            };
        demand(fits, Code::RequestMismatch)?;
        *open = false;
        Ok(())
    }

    pub(super) fn use_mandate(
        &mut self,
        (id, shown): (TxId, Option<MediumId>),
        direction: Direction,
        (grantor, other): (PartyId, PartyId),
        (instruments, amount): (&[InstrumentId], u64),
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
            && instruments.iter().all(|of| terms.instruments.contains(of))
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
