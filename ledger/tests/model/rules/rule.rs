//! Rules: who puts and ends them, and which have something to say. Caps are found by counting everything that was ever given.

use musubi_ledger::rule::{
    Base, Giver, Post, Recipient, RuleTerms, Trigger,
    cap::{Cap, CapOf, Over, Period, Scope},
    formula::{Formula, Rounding},
    split::Split,
};

use super::*;

#[derive(Clone)]
pub(super) struct Ruled {
    pub(super) terms: RuleTerms,
    pub(super) ended: Option<u64>,
    keys: Vec<PublicKey>,
}

/// What a rule once gave.
#[derive(Clone)]
pub(super) struct Gift {
    pub(super) rule: RuleId,
    pub(super) payer: PartyId,
    pub(super) payee: PartyId,
    household: String,
    pub(super) at: u64,
    pub(super) base: u64,
    pub(super) left: u64,
    pub(super) given: u64,
    pub(super) undone: u64,
    pub(super) carried: i128,
    pub(super) pieces: Vec<Piece>,
}

/// Part of it.
#[derive(Clone)]
pub(super) struct Piece {
    pub(super) to: PartyId,
    pub(super) lot: Lot,
    pub(super) amount: u64,
    pub(super) undone: u64,
    /// Whether it was shared out of claims.
    pub(super) claim: bool,
    pub(super) since: u64,
}

/// What happened.
pub(super) struct Happened<'a> {
    pub(super) on: Trigger,
    pub(super) payer: PartyId,
    pub(super) payee: PartyId,
    pub(super) purpose: Purpose,
    pub(super) lots: &'a [Moved],
    pub(super) live: bool,
    pub(super) gross: Option<u64>,
    pub(super) offers: &'a [TxId],
}

/// Rounded down, also below zero.
pub(super) fn part(whole: i128, left: u64, base: u64) -> i128 {
    (whole * i128::from(left)).div_euclid(i128::from(base))
}

/// What a formula gives, as a fraction made whole; and what is carried then.
pub(super) fn worth(formula: &Formula, base: u64, carry: i128) -> (u64, i128) {
    let base = i128::from(base);
    let given = match formula {
        _ if base == 0 => 0,
        Formula::Fixed(amount) => i128::from(amount.0),
        Formula::Steps(s) => base / i128::from(s.every.0) * i128::from(s.give.0),
        Formula::Table(lines) => {
            let reached = lines.iter().filter(|line| i128::from(line.from.0) <= base);
            reached.map(|line| i128::from(line.give.0)).max().unwrap_or(0)
        }
        Formula::Rate(rate) => {
            let (num, den) = (base * i128::from(rate.num), i128::from(rate.den));
            if rate.carry {
                let given = ((num + carry) / den).max(0);
                return (u64::try_from(given).unwrap(), num + carry - given * den);
            }
            match rate.rounding {
                Rounding::Floor => num.div_euclid(den),
                Rounding::Ceil => -(-num).div_euclid(den),
                Rounding::HalfUp => (2 * num + den).div_euclid(2 * den),
            }
        }
    };
    (u64::try_from(given).unwrap(), carry)
}

pub(super) fn period(per: Period, at: u64) -> (u32, u32, u32) {
    let (year, month, day) = Time(at).day().civil();
    match per {
        Period::Ever => (0, 0, 0),
        Period::Day => (year, month, day),
        Period::Month => (year, month, 0),
        Period::FiscalYear if month < 4 => (year - 1, 0, 0),
        Period::FiscalYear => (year, 0, 0),
    }
}

impl Model {
    pub(super) fn put_rule(&mut self, op: &PutRule, by: &Signatures) -> Result<(), Code> {
        let terms = &op.terms;
        demand(terms.well_formed(), Code::NotWellFormed)?;
        let watched = self.terms.get(&op.id.instrument).ok_or(Code::UnknownInstrument)?.clone();
        let known =
            |of: InstrumentId| demand(self.terms.contains_key(&of), Code::UnknownInstrument);
        terms.when.tier.map_or(Ok(()), |tier| known(tier.instrument))?;
        let organised = |party| match self.active(party)? {
            PartyKind::Person => Err(Code::WrongKind),
            _ => Ok(()),
        };
        let legs = |split: &Split| split.legs.iter().try_for_each(|leg| organised(leg.to));
        let mut keys = Vec::new();
        match &terms.post {
            Post::Share(share) => legs(&share.split)?,
            Post::Fee(split) => legs(split)?,
            Post::Give(give) => {
                known(give.instrument)?;
                organised(give.funder)?;
                if let Recipient::Party(to) = give.to {
                    self.active(to)?;
                }
            }
        }
        self.active(watched.issuer)?;
        by.officers(watched.issuer, 2)?;
        keys.extend(self.behind(by, Side::Authority, watched.issuer));
        if let Post::Give(give) = &terms.post {
            let posted = self.terms[&give.instrument].clone();
            // One issuer is all the city has.
            if give.funder != posted.issuer {
                let all = terms.caps.iter().find(|cap| {
                    (cap.scope, cap.per, cap.of) == (Scope::All, Period::Ever, CapOf::Given)
                });
                let group = self.kinds[&give.funder] == PartyKind::Group;
                demand(!group || all.is_some(), Code::NotWellFormed)?;
                self.funds(by, give.funder, all.map_or(0, |cap| cap.most.0))?;
                keys.extend(self.behind(by, Side::Debit, give.funder));
            }
            let carries = matches!(terms.formula, Formula::Rate(rate) if rate.carry);
            demand(!carries || posted.step.0 == 1, Code::NotWellFormed)?;
            let units = |terms: &Terms| (terms.face, terms.decimals);
            let alike = units(&watched) == units(&posted);
            demand(give.funder == posted.issuer || alike, Code::TenderMismatch)?;
        }
        let over = terms.when.until.is_some_and(|until| until.0 <= self.now);
        demand(!over, Code::DeadlineInvalid)?;
        demand(!self.rules.contains_key(&op.id), Code::RuleExists)?;
        self.rules.insert(op.id, Ruled { terms: terms.clone(), ended: None, keys });
        Ok(())
    }

    /// The keys by which a party consented.
    pub(super) fn behind(&self, by: &Signatures, side: Side, party: PartyId) -> Vec<PublicKey> {
        let kind = self.kinds[&party];
        let of = |s: &&Signed| {
            (s.side, s.party) == (side, party)
                && match kind {
                    PartyKind::Group => [Role::Drafter, Role::Approver].contains(&s.role),
                    PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => {
                        s.role == Role::Officer
                    }
                    _ => s.role == Role::Holder && s.owner == Ok(party),
                }
                && s.owner.is_ok()
        };
        by.0.iter().filter(of).map(|s| s.key).collect()
    }

    pub(super) fn funds(&self, by: &Signatures, party: PartyId, amount: u64) -> Result<(), Code> {
        let officers = [PartyKind::Operator, PartyKind::Registrar, PartyKind::Issuer];
        if officers.contains(&self.kinds[&party]) {
            let may = |person| self.is_officer(party, person);
            let two = by.persons(Side::Debit, Role::Officer, party, may)?;
            return demand(two.len() >= 2, Code::ApproversMissing);
        }
        self.debit(by, party, amount, None)
    }

    pub(super) fn is_officer(&self, party: PartyId, person: PartyId) -> Result<(), Code> {
        let officers = &self.register.officers;
        let is = officers.get(&party).is_some_and(|all| all.contains(&person));
        demand(is, Code::RoleMissing)
    }

    pub(super) fn end_rule(&mut self, op: &EndRule, by: &Signatures) -> Result<(), Code> {
        let rule = self.rules.get(&op.id).ok_or(Code::UnknownRule)?;
        let issuer = self.terms[&op.id.instrument].issuer;
        let funder = match &rule.terms.post {
            Post::Give(give) if give.funder != issuer => Some(give.funder),
            _ => None,
        };
        let ends = |funder| self.active(funder).is_ok() && self.funds(by, funder, 0).is_ok();
        if !funder.is_some_and(ends) {
            self.active(issuer)?;
            by.officers(issuer, 2)?;
        }
        let until = rule.terms.when.until.map_or(u64::MAX, |until| until.0);
        let end = until.min(rule.ended.unwrap_or(u64::MAX));
        demand(self.now <= op.at.0 && op.at.0 < end, Code::DeadlineInvalid)?;
        self.rules.get_mut(&op.id).unwrap().ended = Some(op.at.0);
        Ok(())
    }

    /// Lets rules act; tells which gifts came of it.
    pub(super) fn fire(&mut self, what: &Happened<'_>) -> Result<Vec<usize>, Code> {
        let mut due = Vec::new();
        for (id, rule) in &self.rules {
            let base = self.base(what, *id, &rule.terms);
            if self.says(what, rule, base) && !self.compromised(rule) {
                due.push((*id, base));
            }
        }
        let mut gifts = Vec::new();
        for (id, base) in due {
            gifts.extend(self.act(what, id, base, &gifts)?);
        }
        Ok(gifts)
    }

    pub(super) fn compromised(&self, rule: &Ruled) -> bool {
        rule.keys.iter().any(|key| self.register.compromised(key))
    }

    pub(super) fn says(&self, what: &Happened<'_>, rule: &Ruled, base: u64) -> bool {
        let when = &rule.terms.when;
        let of = |party, test| self.eligible(party, test, Code::NotWellFormed).is_ok();
        let reached = when.tier.is_none_or(|tier| {
            self.book.spendable(what.payer, tier.instrument, self.now) >= tier.from.0
        });
        rule.terms.on == what.on
            && rule.ended.is_none_or(|end| self.now < end)
            && when.from.0 <= self.now
            && when.until.is_none_or(|until| self.now < until.0)
            && when.purpose.is_none_or(|purpose| purpose == what.purpose)
            && when.payee_is.is_none_or(|payee| payee == what.payee)
            && when.offer.is_none_or(|offer| what.offers.contains(&offer))
            && of(what.payer, &when.payer)
            && of(what.payee, &when.payee)
            && base > 0
            && base >= when.least.0
            && when.multiple.is_none_or(|m| base.is_multiple_of(m.0))
            && reached
    }

    /// What of the lots a rule reckons from, by whichever amount.
    pub(super) fn reckon(
        &self,
        lots: &[Moved],
        id: RuleId,
        terms: &RuleTerms,
        amount: impl Fn(&Moved) -> u64,
    ) -> u64 {
        let sees = |m: &&Moved| {
            let origins = &terms.when.origins;
            m.lot.0 == id.instrument
                && (origins.is_empty() || origins.iter().any(|o| *o as u8 == m.lot.2))
                && terms.when.campaign.is_none_or(|campaign| campaign == m.lot.4)
                && (terms.base != Base::PaidLots || m.lot.2 == 2)
        };
        let units = |of: InstrumentId| (self.terms[&of].face, self.terms[&of].decimals);
        let seen = lots.iter().filter(sees);
        if matches!(terms.base, Base::Tender | Base::PaidLots) {
            return seen.map(amount).sum();
        }
        let mut there = seen.map(|m| m.amount);
        if !there.any(|amount| amount > 0) {
            return 0;
        }
        lots.iter().filter(|m| units(m.lot.0) == units(id.instrument)).map(amount).sum()
    }

    fn base(&self, what: &Happened<'_>, id: RuleId, terms: &RuleTerms) -> u64 {
        let all = self.reckon(what.lots, id, terms, |m| m.amount);
        match what.gross {
            Some(gross) if all > 0 && terms.base == Base::Gross => gross,
            _ => all,
        }
    }

    pub(super) fn household(&self, party: PartyId) -> String {
        let all = self.register.attributes.get(&party);
        let found = all.and_then(|all| all.get("household"));
        let valid = found.filter(|a| a.until.is_none_or(|end| self.now < end.0));
        valid.map_or_else(|| format!("party {party}"), |a| format!("token {}", a.value))
    }

    /// What a cap still allows, by counting.
    fn room(&self, cap: &Cap, id: RuleId, what: &Happened<'_>) -> u64 {
        let household = self.household(what.payer);
        let alike = |gift: &&Gift| {
            gift.rule == id
                && period(cap.per, gift.at) == period(cap.per, self.now)
                && match cap.scope {
                    Scope::Event => false,
                    Scope::Payer => gift.payer == what.payer,
                    Scope::Payee => gift.payee == what.payee,
                    Scope::Household => gift.household == household,
                    Scope::All => true,
                }
        };
        let kept = self.gifts.iter().filter(alike).map(|gift| gift.given - gift.undone);
        match cap.of {
            CapOf::Given => cap.most.0.saturating_sub(kept.sum()),
            CapOf::Times if (kept.filter(|kept| *kept > 0).count() as u64) < cap.most.0 => u64::MAX,
            CapOf::Times => 0,
        }
    }

    /// What a payer carries, by adding up.
    pub(super) fn carry(&self, id: RuleId, payer: PartyId) -> i128 {
        let of = self.gifts.iter().filter(|gift| gift.rule == id && gift.payer == payer);
        of.map(|gift| part(gift.carried, gift.left, gift.base)).sum()
    }

    /// What is left to share of what the payee received.
    fn shareable(
        &self,
        what: &Happened<'_>,
        id: RuleId,
        terms: &RuleTerms,
        before: &[usize],
    ) -> u64 {
        let shares = |terms: &RuleTerms| match &terms.post {
            Post::Share(share) => share.from == Giver::Payee,
            _ => false,
        };
        let of_it = what.lots.iter().filter(|m| m.lot.0 == id.instrument);
        let mut left: u64 = of_it.map(|m| m.amount).sum();
        for gift in before.iter().map(|at| &self.gifts[*at]) {
            let alike = shares(&self.rules[&gift.rule].terms);
            if alike && gift.rule.instrument == id.instrument {
                left -= gift.given;
            }
        }
        if shares(terms) { left } else { u64::MAX }
    }

    fn act(
        &mut self,
        what: &Happened<'_>,
        id: RuleId,
        base: u64,
        before: &[usize],
    ) -> Result<Option<usize>, Code> {
        let terms = self.rules[&id].terms.clone();
        let carry = self.carry(id, what.payer);
        let (given, carries) = worth(&terms.formula, base, carry);
        let posted = match &terms.post {
            Post::Give(give) => give.instrument,
            _ => id.instrument,
        };
        let step = self.terms[&posted].step.0;
        let wanted = given / step * step;
        let room = terms.caps.iter().map(|cap| self.room(cap, id, what)).min().unwrap_or(u64::MAX);
        demand(wanted <= room || terms.over != Over::Refuse, Code::RuleCapReached)?;
        let allowed = match terms.over {
            Over::Skip if wanted > room => 0,
            _ => wanted.min(room) / step * step,
        };
        let so_far: usize = before.iter().map(|gift| self.gifts[*gift].pieces.len()).sum();
        let shared = self.shareable(what, id, &terms, before);
        let pieces = match allowed > 0 && allowed <= shared && so_far < 16 {
            true => self.post(what, id, &terms, allowed),
            false => None,
        };
        let given = if pieces.is_some() { allowed } else { 0 };
        demand(given > 0 || wanted == 0 || terms.over != Over::Refuse, Code::RuleCapReached)?;
        if given == 0 && carries == carry {
            return Ok(None);
        }
        self.gifts.push(Gift {
            rule: id,
            payer: what.payer,
            payee: what.payee,
            household: self.household(what.payer),
            at: self.now,
            base,
            left: base,
            given,
            undone: 0,
            carried: carries - carry,
            pieces: pieces.unwrap_or_default(),
        });
        Ok(Some(self.gifts.len() - 1))
    }
}
