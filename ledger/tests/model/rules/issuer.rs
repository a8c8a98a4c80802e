//! What issuers decide, alone or with another organisation: instruments, allowances, corrections.

use musubi_ledger::{calendar::Span, time::Day};

use super::*;

/// What an issuer's key may still issue.
#[derive(Clone)]
pub(super) struct Allowance {
    of: InstrumentId,
    pub(super) key: PublicKey,
    total: u64,
    per_wallet: u64,
    per_day: u64,
    end: u64,
    revoked: bool,
    used: u64,
    day: u64,
    today: u64,
    into: BTreeMap<PartyId, u64>,
}

impl Allowance {
    pub(super) fn new(op: &GrantAllowance) -> Self {
        Self {
            of: op.instrument,
            key: op.key,
            total: op.total.0,
            per_wallet: op.per_wallet.0,
            per_day: op.per_day.0,
            end: op.end.0,
            revoked: false,
            used: 0,
            day: 0,
            today: 0,
            into: BTreeMap::new(),
        }
    }
}

impl Model {
    pub(super) fn define(&mut self, op: &DefineInstrument, by: &Signatures) -> Result<(), Code> {
        let terms = &op.terms;
        demand(terms.step.0 > 0 && terms.decimals <= 8, Code::NotWellFormed)?;
        let short = match terms.validity {
            Validity::At(_) => true,
            Validity::After(Span::Days(days)) => days <= 180,
            _ => false,
        };
        let renews =
            terms.on_accept == OnAccept::Renew || matches!(terms.late_refund, LateRefund::Grace(_));
        let exempt = terms.regime == Regime::SixMonth;
        demand(!exempt || (short && !renews), Code::NotWellFormed)?;
        let kind = self.active(terms.issuer)?;
        demand(kind == PartyKind::Issuer, Code::WrongKind)?;
        by.officers(terms.issuer, 2)?;
        demand(!self.terms.contains_key(&op.instrument), Code::InstrumentExists)?;
        self.terms.insert(op.instrument, terms.clone());
        let life = if op.open { Life::Open } else { Life::Draft };
        self.lives.insert(op.instrument, vec![LifeStep { life, at: Time(self.now) }]);
        Ok(())
    }

    pub(super) fn grant_allowance(
        &mut self,
        op: &GrantAllowance,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        let caps = [op.total, op.per_wallet, op.per_day];
        demand(caps.iter().all(|cap| cap.0 > 0), Code::NotWellFormed)?;
        let issuer = self.terms.get(&op.instrument).ok_or(Code::UnknownInstrument)?.issuer;
        self.active(issuer)?;
        let granted_by = self.two_organisations(by, issuer)?;
        demand(self.owner(&op.key) == Ok(issuer), Code::WrongKind)?;
        demand(self.now < op.end.0, Code::DeadlineInvalid)?;
        self.register.behind.insert(id, granted_by);
        self.allowances.insert(id, Allowance::new(op));
        Ok(())
    }

    pub(super) fn revoke_allowance(&mut self, id: TxId, by: &Signatures) -> Result<(), Code> {
        let of = self.allowances.get(&id).ok_or(Code::UnknownAllowance)?.of;
        by.officers(self.terms[&of].issuer, 1)?;
        let allowance = self.allowances.get_mut(&id).unwrap();
        demand(!allowance.revoked, Code::AllowanceNotActive)?;
        allowance.revoked = true;
        Ok(())
    }

    /// Of what an allowance is, and by whom issued.
    pub(super) fn allowed_issue(&self, id: TxId) -> Result<(InstrumentId, PartyId), Code> {
        let of = self.allowances.get(&id).ok_or(Code::UnknownAllowance)?.of;
        Ok((of, self.terms[&of].issuer))
    }

    pub(super) fn use_allowance(&mut self, op: &TopUp) -> Result<(), Code> {
        let today = (self.now + 9 * 3_600_000) / DAY;
        let tainted = self.register.tainted(op.allowance);
        let allowance = self.allowances.get_mut(&op.allowance).unwrap();
        let good = !allowance.revoked && !tainted && self.now < allowance.end;
        demand(good, Code::AllowanceNotActive)?;
        if allowance.day != today {
            (allowance.day, allowance.today) = (today, 0);
        }
        let into = allowance.into.entry(op.to).or_default();
        *into += op.amount.0;
        allowance.used += op.amount.0;
        allowance.today += op.amount.0;
        let within = allowance.used <= allowance.total
            && allowance.today <= allowance.per_day
            && *into <= allowance.per_wallet;
        demand(within, Code::OverAllowance)
    }

    /// The issuer takes back what it issued, as far as the holder still has it.
    pub(super) fn correct(&mut self, op: &Correct, by: &Signatures) -> Result<(), Code> {
        legs_well_formed(&op.legs)?;
        let mut original =
            self.originals.get(&op.original).cloned().ok_or(Code::UnknownOriginal)?;
        self.active(original.from)?;
        // Nobody issued a transfer: whose officers to ask could not even be said.
        demand(original.issued, Code::NotRefundable)?;
        by.officers(original.from, 2)?;
        self.two_organisations(by, original.from)?;
        self.steps(&op.legs)?;
        let parts = undo(&original, &op.legs)?;
        parts.iter().for_each(|(at, amount)| original.lots[*at].undone += amount);
        self.take_back(&original)?;
        for (at, amount) in parts {
            let lot = original.lots[at].lot;
            let there = self.take_kin(original.to, lot, SPENDABLE, amount);
            if there < amount {
                match self.terms[&lot.0].shortfall {
                    Shortfall::Refuse => return Err(Code::InsufficientFunds),
                    Shortfall::Receivable => {
                        *self.owed.entry((original.to, lot.0)).or_default() += amount - there;
                    }
                    Shortfall::IssuerBears => {}
                }
            }
            *self.issued.get_mut(&lot.0).unwrap() -= there;
            if original.offered && lot.3 != original.from {
                let owed = self.owed.entry((lot.3, lot.0)).or_default();
                *owed = owed.saturating_sub(amount);
            }
        }
        self.originals.insert(op.original, original);
        Ok(())
    }

    /// An officer of the issuer and one of another organisation, two persons: their keys.
    pub(super) fn two_organisations(
        &self,
        by: &Signatures,
        issuer: PartyId,
    ) -> Result<Vec<PublicKey>, Code> {
        let mut signed: Vec<&Signed> = Vec::new();
        for s in by.0.iter().filter(|s| (s.side, s.role) == (Side::Authority, Role::Officer)) {
            if s.owner.is_ok() {
                demand(self.active(s.party).is_ok() && s.officer, Code::RoleMissing)?;
                signed.push(s);
            }
        }
        let organisation = |party: PartyId| self.register.organisations.get(&party);
        let other = |party: PartyId| organisation(party) != organisation(issuer);
        let own: Vec<_> = signed.iter().filter(|s| s.party == issuer).collect();
        let others: Vec<_> = signed.iter().filter(|s| other(s.party)).collect();
        let lack = by.lack(Side::Authority, Role::Officer, issuer);
        demand(!own.is_empty(), lack)?;
        demand(!others.is_empty(), Code::OrganisationsMissing)?;
        let mut pairs = own.iter().flat_map(|a| others.iter().map(move |b| (a, b)));
        let two_persons = pairs.find(|(a, b)| a.owner != b.owner).ok_or(Code::SamePerson)?;
        Ok(vec![two_persons.0.key, two_persons.1.key])
    }

    /// Legs of instruments that exist, in their steps.
    pub(super) fn steps(&self, legs: &[Leg]) -> Result<(), Code> {
        for leg in legs {
            let terms = self.terms.get(&leg.instrument).ok_or(Code::UnknownInstrument)?;
            demand(leg.amount.0.is_multiple_of(terms.step.0), Code::AmountInvalid)?;
        }
        Ok(())
    }

    /// When value issued now expires; the end of time if never.
    pub(super) fn expiry(&self, of: InstrumentId) -> u64 {
        let after = |span| match span {
            Span::Days(days) => Time(self.now).end_of_day_after(days).0,
            Span::Months(months) => {
                let (year, month, day) = Time(self.now).day().civil();
                let counted = year * 12 + month - 1 + u32::from(months);
                let dates = (1..=day).map(|d| Day::of_civil(counted / 12, counted % 12 + 1, d));
                dates.flatten().last().unwrap().next().begin().0
            }
        };
        match self.terms[&of].validity {
            Validity::None => u64::MAX,
            Validity::At(end) => end.0,
            Validity::After(span) | Validity::Sliding(span) => after(span),
        }
    }
}
