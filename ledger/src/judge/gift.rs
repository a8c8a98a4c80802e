//! Whether somebody may be given new value now, whoever gives it: a rule, a run, a coupon's sponsor. Looks only, so that what cannot be
//! given leaves no trace.

use super::{
    case::{Case, fits},
    limit,
};
use crate::{
    amount::Amount,
    code::Code,
    group::GroupLife,
    id::PartyId,
    instrument::Instrument,
    lot::Lot,
    party::{Party, PartyKind},
    state::Shared,
    wallet::Holding,
};

/// Whether a party may be given so much of a lot now; why not, if not.
pub(super) fn check(
    case: &Case<'_, '_>,
    to: PartyId,
    (lot, instrument): (Lot, &Instrument),
    (into, amount): (Holding, Amount),
) -> Result<(), Code> {
    let terms = &instrument.terms;
    let party = receiving(case, to)?;
    let holder = matches!(party.kind, PartyKind::Person | PartyKind::Group);
    if holder && terms.holders.as_ref().is_some_and(|test| !test.holds(&party, case.now)) {
        return Err(Code::HolderNotEligible);
    }
    instrument.check_issuable(case.now, lot.use_expiry)?;
    let totals = case.state.totals(lot.instrument).unwrap_or_default();
    let issued = totals.issued() + u128::from(amount.0);
    if terms.supply_max.is_some_and(|max| issued > u128::from(max.0)) {
        return Err(Code::OverSupplyMax);
    }
    totals.came().checked_add(amount).ok_or(Code::AmountOverflow)?;
    let mut wallet = case.wallet(to);
    wallet.add(lot, into, amount, case.now).ok_or(Code::AmountOverflow)?;
    let most = limit::wallet_max(terms, &party, case.now);
    let spends = into == Holding::Spendable;
    if spends && most.is_some_and(|max| wallet.spendable(lot.instrument, case.now) > max) {
        return Err(Code::OverWalletMax);
    }
    if fits(&wallet, lot.instrument) { Ok(()) } else { Err(Code::TooManyLots) }
}

/// A party that may receive now.
pub(super) fn receiving(case: &Case<'_, '_>, id: PartyId) -> Result<Shared<Party>, Code> {
    let party = case.active_party(id)?;
    let closing = party.kind == PartyKind::Group && case.group(id)?.life == GroupLife::Closing;
    if closing { Err(Code::GroupClosing) } else { Ok(party) }
}
