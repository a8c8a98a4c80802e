//! What can be spent, where, and in which order. The one place that says so: rules and the API's "spendable now" ask
//! the same functions.

use crate::{
    amount::Amount,
    code::Code,
    id::{InstrumentId, PartyId},
    instrument::{Instrument, LimitOf, Terms, TransferRule},
    lot::Lot,
    party::{Party, PartyKind},
    state::{ReadState, Row, RowKey},
    time::Time,
    wallet::{LotBalance, Wallet},
};

/// Who gives whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Between<'p> {
    /// Who gives.
    pub from: (PartyId, &'p Party),
    /// Who receives.
    pub to: (PartyId, &'p Party),
    /// The block's time.
    pub now: Time,
}

/// Part of a payment: how much of one lot, and since when its giver had it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// The lot.
    pub lot: Lot,
    /// How much of it.
    pub amount: Amount,
    /// Since when.
    pub since: Time,
}

const HOLDERS: [PartyKind; 2] = [PartyKind::Person, PartyKind::Group];

impl Between<'_> {
    fn between_holders(&self) -> bool {
        HOLDERS.contains(&self.from.1.kind) && HOLDERS.contains(&self.to.1.kind)
    }

    fn is_purchase(&self) -> bool {
        self.to.1.kind == PartyKind::Merchant
    }

    /// Whether the terms let the instrument go this way at all.
    ///
    /// # Errors
    /// [`Code::TransferNotAllowed`], [`Code::HolderNotEligible`], [`Code::AcceptorNotEligible`].
    pub fn check_terms(&self, terms: &Terms) -> Result<(), Code> {
        let kinds = (self.from.1.kind, self.to.1.kind);
        let allowed = match kinds {
            _ if self.between_holders() => match terms.transfer {
                TransferRule::None => false,
                TransferRule::WithGroups => [kinds.0, kinds.1].contains(&PartyKind::Group),
                TransferRule::PeerToPeer => true,
            },
            (PartyKind::Person | PartyKind::Group | PartyKind::Merchant, PartyKind::Merchant) => {
                true
            }
            (_, PartyKind::Issuer) => self.to.0 == terms.issuer,
            (PartyKind::Issuer, PartyKind::Person | PartyKind::Group) => true,
            _ => false,
        };
        if !allowed {
            return Err(Code::TransferNotAllowed);
        }
        let (_, to) = self.to;
        let unmet = |test: &Option<crate::predicate::Predicate>| {
            test.as_ref().is_some_and(|test| !test.holds(to, self.now))
        };
        if HOLDERS.contains(&to.kind) && unmet(&terms.holders) {
            return Err(Code::HolderNotEligible);
        }
        if self.is_purchase() && unmet(&terms.acceptors) {
            return Err(Code::AcceptorNotEligible);
        }
        Ok(())
    }

    /// Whether the instrument goes this way at this time of its life. What can no longer be spent can still be given back
    /// to its issuer, until nothing more is redeemed: that is how a wallet is emptied at the end.
    ///
    /// # Errors
    /// [`Code::InstrumentNotOpen`].
    pub fn check_life(&self, instrument: &Instrument) -> Result<(), Code> {
        match self.to.1.kind {
            PartyKind::Issuer => instrument.check_redeemable(self.now),
            _ => instrument.check_spendable(self.now),
        }
    }

    /// Whether the giver's limits let so much of it go this way at once.
    ///
    /// # Errors
    /// [`Code::OverTransferMax`] between holders, [`Code::OverLimit`] at a merchant.
    pub fn check_at_once(&self, terms: &Terms, amount: Amount) -> Result<(), Code> {
        let code = if self.is_purchase() { Code::OverLimit } else { Code::OverTransferMax };
        let over = self.at_once(terms).is_some_and(|most| amount > most);
        if over { Err(code) } else { Ok(()) }
    }

    /// The most that the giver's limits let go this way at once.
    #[must_use]
    pub fn at_once(&self, terms: &Terms) -> Option<Amount> {
        match (self.between_holders(), self.is_purchase()) {
            (true, _) => self.most(terms, LimitOf::Transfer),
            (_, true) => self.most(terms, LimitOf::Purchase),
            _ => None,
        }
    }

    /// The giver's limit that counts by period, and the most that it allows.
    #[must_use]
    pub fn by_period(&self, terms: &Terms) -> Option<(LimitOf, Amount)> {
        let of = match (self.between_holders(), self.is_purchase()) {
            (true, _) => LimitOf::TransfersPerMonth,
            (_, true) => LimitOf::PurchasesPerDay,
            _ => return None,
        };
        self.most(terms, of).map(|most| (of, most))
    }

    fn most(&self, terms: &Terms, of: LimitOf) -> Option<Amount> {
        terms.most(of, |limit| limit.is_about(self.from.1, self.now))
    }
}

/// The place of a lot in the order of spending: what expires first; of that, what its instrument's terms put first; of
/// that, what its holder has had longest; then as lots ascend, so that the order is total.
#[must_use]
pub fn order(terms: &Terms, balance: &LotBalance) -> (Time, u8, Time, Lot) {
    let LotBalance { lot, since, .. } = *balance;
    (lot.use_expiry.unwrap_or(Time(u64::MAX)), terms.priority.of(lot.origin), since, lot)
}

/// The parts that make up `amount` of the value in `wallet` that has not expired, in the order of spending across
/// `instruments`, whole steps of each; `None` if there is less.
#[must_use]
pub fn choose(
    wallet: &Wallet,
    instruments: &[(InstrumentId, &Instrument)],
    amount: Amount,
    now: Time,
) -> Option<Vec<Part>> {
    let mut lots: Vec<_> = instruments
        .iter()
        .flat_map(|(id, instrument)| wallet.of(*id).map(move |b| (&instrument.terms, b)))
        .filter(|(_, b)| !b.spendable.is_zero() && b.lot.usable(now))
        .collect();
    lots.sort_by_cached_key(|(terms, balance)| order(terms, balance));
    let mut left = amount;
    let mut parts = Vec::new();
    for (terms, balance) in lots {
        let most = left.min(balance.spendable);
        let part = Amount(most.0 - most.0 % terms.step.0);
        if !part.is_zero() {
            parts.push(Part { lot: balance.lot, amount: part, since: balance.since });
            left = left.checked_sub(part).expect("a part is never more than what is left");
        }
    }
    left.is_zero().then_some(parts)
}

/// How much of `instrument` its holder can spend at `now`, as far as that depends on wallet and instrument alone.
#[must_use]
pub fn spendable(
    wallet: &Wallet,
    (id, instrument): (InstrumentId, &Instrument),
    now: Time,
) -> Amount {
    match instrument.check_spendable(now) {
        Ok(()) => wallet.spendable(id, now),
        Err(_) => Amount::ZERO,
    }
}

/// How much of `instrument` one party can give another, in one payment, now: what is in its wallet, within the limits and
/// what it has used of them.
///
/// # Errors
/// Why it can give none at all: the code that a payment would bear.
pub fn towards(
    state: &dyn ReadState,
    between: &Between<'_>,
    (id, instrument): (InstrumentId, &Instrument),
    wallet: &Wallet,
) -> Result<Amount, Code> {
    between.check_terms(&instrument.terms)?;
    between.check_life(instrument)?;
    let mut most = wallet.spendable(id, between.now);
    if let Some(at_once) = between.at_once(&instrument.terms) {
        most = most.min(at_once);
    }
    if let Some((of, allowed)) = between.by_period(&instrument.terms) {
        let period = of.period(between.now.day());
        let used = match state.row(&RowKey::LimitUse(between.from.0, of, id)) {
            Some(Row::LimitUse(before)) if before.period == period => before.used,
            _ => Amount::ZERO,
        };
        most = most.min(allowed.checked_sub(used).unwrap_or_default());
    }
    Ok(Amount(most.0 - most.0 % instrument.terms.step.0))
}
