//! What rules post, and how it is taken back.

use musubi_ledger::rule::{
    Base, Give, Giver, Post, Recipient, RuleTerms, Share, cap::Period, formula::Formula,
    split::Split,
};

use super::{
    rule::{Piece, part, worth},
    *,
};

/// What each leg gets: whole steps, rounded down, the named one the rest.
pub(super) fn shares(split: &Split, total: u64, step: u64) -> Vec<u64> {
    let all: u64 = split.legs.iter().map(|leg| u64::from(leg.weight)).sum();
    let floor = |weight: u32| total / step * u64::from(weight) / all * step;
    let mut parts: Vec<u64> = split.legs.iter().map(|leg| floor(leg.weight)).collect();
    let rest = total - parts.iter().sum::<u64>();
    parts[usize::from(split.remainder)] += rest;
    parts
}

impl Model {
    pub(super) fn post(
        &mut self,
        what: &Happened<'_>,
        id: RuleId,
        terms: &RuleTerms,
        amount: u64,
    ) -> Option<Vec<Piece>> {
        match &terms.post {
            Post::Give(give) => self.give(what, id, give, amount),
            Post::Share(share) => self.share(what, id, (terms, share), amount),
            Post::Fee(_) => None,
        }
    }

    fn give(
        &mut self,
        what: &Happened<'_>,
        id: RuleId,
        give: &Give,
        amount: u64,
    ) -> Option<Vec<Piece>> {
        let to = match give.to {
            Recipient::Payer => what.payer,
            Recipient::Payee => what.payee,
            Recipient::Party(party) => party,
        };
        let of = give.instrument;
        let kind = self.active(to).ok()?;
        self.still_receives(to).ok()?;
        if HOLDERS.contains(&kind) {
            self.eligible(to, &self.terms[&of].holders, Code::HolderNotEligible).ok()?;
        }
        self.issues(of, amount).ok()?;
        let most = self.most(of, LimitOf::Wallet);
        let lot = (of, self.expiry(of), give.origin as u8, give.funder, give.campaign);
        let would_hold = self.book.spendable(to, of, self.now) + amount;
        if would_hold > most {
            return None;
        }
        let owed = self.owed.entry((to, of)).or_default();
        let netted = amount.min(*owed);
        *owed -= netted;
        if amount > netted {
            self.book.add(to, lot, SPENDABLE, amount - netted, self.now);
        }
        *self.issued.entry(of).or_default() += amount - netted;
        if give.funder != self.terms[&of].issuer {
            *self.owed.entry((give.funder, id.instrument)).or_default() += amount;
        }
        Some(vec![Piece { to, lot, amount, undone: 0, claim: false, since: self.now }])
    }

    /// What a wallet has of a lot, also where it slid.
    pub(super) fn has(&self, party: PartyId, lot: Lot, state: usize, most: u64) -> Vec<(Lot, u64)> {
        let slides = matches!(self.terms[&lot.0].validity, Validity::Sliding(_));
        let mut left = most;
        let mut found = Vec::new();
        for (other, (amounts, _)) in self.book.0.get(&party).into_iter().flatten() {
            let alike = (lot.0, other.1, lot.2, lot.3, lot.4) == *other;
            let part = left.min(amounts[state]);
            if part > 0 && (*other == lot || (slides && state == SPENDABLE && alike)) {
                found.push((*other, part));
                left -= part;
            }
        }
        found
    }

    fn share(
        &mut self,
        what: &Happened<'_>,
        id: RuleId,
        (terms, share): (&RuleTerms, &Share),
        amount: u64,
    ) -> Option<Vec<Piece>> {
        let instrument = self.terms[&id.instrument].clone();
        for leg in &share.split.legs {
            self.active(leg.to).ok()?;
            self.still_receives(leg.to).ok()?;
        }
        let mut claimed = false;
        let mut queue: Vec<(Lot, u64, u64)> = Vec::new();
        let giver = if share.from == Giver::Payer { what.payer } else { what.payee };
        if share.from == Giver::Payer {
            let named = [(id.instrument, instrument.clone())];
            let spent = self.book.spend(giver, &named, amount, self.now);
            queue = what.live.then_some(spent)??;
        } else {
            let mut scratch = self.clone();
            let mut left = amount;
            for moved in what.lots {
                let alone = core::slice::from_ref(moved);
                let any = RuleTerms { base: Base::Tender, ..terms.clone() };
                if self.reckon(alone, id, &any, |m| m.amount) == 0 {
                    continue;
                }
                claimed = moved.claim;
                let state = if claimed { CLAIM } else { SPENDABLE };
                for (lot, part) in scratch.has(giver, moved.got, state, left.min(moved.amount)) {
                    scratch.book.take(giver, lot, state, part);
                    queue.push((lot, part, moved.since));
                    left -= part;
                }
            }
            if left > 0 {
                return None;
            }
        }
        let state = if claimed { CLAIM } else { SPENDABLE };
        let into = if instrument.on_accept == OnAccept::Claim { CLAIM } else { SPENDABLE };
        let mut pieces = Vec::new();
        let mut queue = queue.into_iter();
        let mut head = None;
        for (leg, amount) in
            share.split.legs.iter().zip(shares(&share.split, amount, instrument.step.0))
        {
            let mut left = amount;
            while left > 0 {
                let (lot, there, since) = head.take().or_else(|| queue.next()).unwrap();
                let part = left.min(there);
                left -= part;
                if part < there {
                    head = Some((lot, there - part, since));
                }
                self.book.take(giver, lot, state, part);
                if leg.to != instrument.issuer {
                    self.book.add(leg.to, lot, into, part, self.now);
                }
                let (to, claim) = (leg.to, claimed);
                pieces.push(Piece { to, lot, amount: part, undone: 0, claim, since });
            }
        }
        Some(pieces)
    }

    /// Takes back what no longer has a cause.
    pub(super) fn take_back(&mut self, original: &Original) -> Result<(), Code> {
        for at in original.gifts.iter().rev() {
            let gift = self.gifts[*at].clone();
            let terms = self.rules[&gift.rule].terms.clone();
            let of =
                |amount: fn(&Moved) -> u64| self.reckon(&original.lots, gift.rule, &terms, amount);
            let mut left = of(|m| m.amount - m.undone);
            if terms.base == Base::Gross {
                let (all, open) = (u128::from(of(|m| m.amount)), u128::from(left));
                let back = u128::from(gift.base) * (all - open) / all;
                left = gift.base - u64::try_from(back).unwrap();
            }
            if left == gift.left {
                continue;
            }
            let carries = matches!(&terms.formula, Formula::Rate(rate) if rate.carry);
            let shared = matches!(terms.post, Post::Share(_));
            let keep = match carries || shared {
                true => u64::try_from(part(i128::from(gift.given), left, gift.base)).unwrap(),
                false => worth(&terms.formula, left, 0).0.min(gift.given),
            };
            let posted = match &terms.post {
                Post::Give(give) => give.instrument,
                _ => gift.rule.instrument,
            };
            let step = self.terms[&posted].step.0;
            let undo = (gift.given - gift.undone).saturating_sub(keep / step * step);
            self.gifts[*at].left = left;
            self.gifts[*at].undone += undo;
            if undo == 0 {
                continue;
            }
            match &terms.post {
                Post::Give(give) => self.ungive(*at, give, undo)?,
                Post::Share(share) => {
                    let of = |giver| if giver == Giver::Payer { gift.payer } else { gift.payee };
                    self.unshare(*at, share, of(share.from), undo);
                }
                Post::Fee(_) => {}
            }
        }
        Ok(())
    }

    fn ungive(&mut self, at: usize, give: &Give, undo: u64) -> Result<(), Code> {
        let piece = self.gifts[at].pieces[0].clone();
        self.gifts[at].pieces[0].undone += undo;
        let found = self.has(piece.to, piece.lot, SPENDABLE, undo);
        let mut missing = undo;
        for (lot, part) in found.into_iter().filter(|(lot, _)| self.now < lot.1) {
            self.book.take(piece.to, lot, SPENDABLE, part);
            *self.issued.get_mut(&give.instrument).unwrap() -= part;
            missing -= part;
        }
        if missing > 0 && self.now < piece.lot.1 {
            match self.terms[&give.instrument].shortfall {
                Shortfall::Refuse => return Err(Code::InsufficientFunds),
                Shortfall::Receivable => {
                    *self.owed.entry((piece.to, give.instrument)).or_default() += missing;
                }
                Shortfall::IssuerBears => {}
            }
        }
        if give.funder != self.terms[&give.instrument].issuer {
            let of = self.gifts[at].rule.instrument;
            let owed = self.owed.entry((give.funder, of)).or_default();
            *owed = owed.saturating_sub(undo);
        }
        Ok(())
    }

    fn unshare(&mut self, at: usize, share: &Share, giver: PartyId, undo: u64) {
        let gift = self.gifts[at].clone();
        let of = gift.rule.instrument;
        let instrument = self.terms[&of].clone();
        let open = |party: PartyId| -> u64 {
            let of_it = gift.pieces.iter().filter(|piece| piece.to == party);
            of_it.map(|piece| piece.amount - piece.undone).sum()
        };
        let has: Vec<u64> = share.split.legs.iter().map(|leg| open(leg.to)).collect();
        let wanted = shares(&share.split, has.iter().sum::<u64>() - undo, instrument.step.0);
        let there = if instrument.on_accept == OnAccept::Claim { CLAIM } else { SPENDABLE };
        let mut left = undo;
        for ((leg, has), wanted) in share.split.legs.iter().zip(has).zip(wanted) {
            let mut back = has.saturating_sub(wanted).min(left);
            left -= back;
            for piece in (0..gift.pieces.len()).rev() {
                let Piece { to, lot, amount, undone, claim, since } = gift.pieces[piece];
                let part = back.min(amount - undone);
                if to != leg.to || part == 0 {
                    continue;
                }
                back -= part;
                self.gifts[at].pieces[piece].undone += part;
                let mut missing = part;
                if to != instrument.issuer {
                    for (other, found) in self.has(to, lot, there, part) {
                        self.book.take(to, other, there, found);
                        missing -= found;
                    }
                    if missing > 0 {
                        *self.owed.entry((to, of)).or_default() += missing;
                    }
                }
                let moved = Moved { lot, amount: part, undone: 0, claim, since, got: lot };
                match claim {
                    true => self.claims(giver, lot, part, since),
                    false => self.restore(giver, &moved, part),
                }
            }
        }
    }

    /// What the ledger keeps of rules: bits, books, counters and what is carried.
    pub(super) fn compare_rules(&self, world: &World) {
        use musubi_ledger::rule::cap::Scope;
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Rule(id), Row::Rule(rule)) => {
                    let known = &self.rules[id];
                    assert_eq!((&known.terms, known.ended), (&rule.terms, rule.ended.map(|t| t.0)));
                }
                (RowKey::RuleUse(id, scope, subject), Row::RuleUse(uses)) => {
                    let payer = |gift: &&Gift| gift.payer.0 == subject.0;
                    let of = |gift: &&Gift| {
                        gift.rule == *id
                            && match scope {
                                Scope::Payer => payer(gift),
                                Scope::Payee => gift.payee.0 == subject.0,
                                _ => true,
                            }
                    };
                    if *scope == Scope::Payer {
                        let carry = self.carry(*id, PartyId(subject.0));
                        assert_eq!(i128::from(uses.carry), carry, "{id:?} {subject:?}");
                    }
                    for count in uses.counts.iter().filter(|_| *scope != Scope::Household) {
                        let then = |gift: &&Gift| period_of(count.per, gift) == count.period;
                        let gifts = self.gifts.iter().filter(of).filter(then);
                        let kept: u64 = gifts.map(|gift| gift.given - gift.undone).sum();
                        assert_eq!(count.given.0, kept, "{id:?} {scope:?} {:?}", count.per);
                    }
                }
                _ => {}
            }
        }
        let kept = world.state.rows().filter(|(key, _)| matches!(key, RowKey::Rule(_))).count();
        assert_eq!(kept, self.rules.len());
    }
}

/// The number of a gift's period, as the ledger counts.
fn period_of(per: Period, gift: &Gift) -> u32 {
    per.number(Time(gift.at))
}
