//! The limits of an instrument's terms: checked at once, or counted by day and month.

use super::case::Case;
use crate::{
    amount::Amount,
    code::Code,
    id::InstrumentId,
    instrument::{LimitOf, Terms},
    party::{Party, PartyKind},
    spend::Between,
    state::LimitUse,
    time::Time,
};

/// One transfer between holders.
pub(super) fn check_transfer(
    between: &Between<'_>,
    terms: &Terms,
    amount: Amount,
) -> Result<(), Code> {
    if is_purchase(between) { Ok(()) } else { between.check_at_once(terms, amount) }
}

/// One payment to a merchant.
pub(super) fn check_purchase(
    between: &Between<'_>,
    terms: &Terms,
    amount: Amount,
) -> Result<(), Code> {
    if is_purchase(between) { between.check_at_once(terms, amount) } else { Ok(()) }
}

fn is_purchase(between: &Between<'_>) -> bool {
    between.to.1.kind == PartyKind::Merchant
}

/// Checks what moves of one instrument against what its giver may move at once and in one period, and counts it.
pub(super) fn count(
    case: &mut Case<'_, '_>,
    between: &Between<'_>,
    (id, terms): (InstrumentId, &Terms),
    parts: impl Iterator<Item = Amount>,
) -> Result<(), Code> {
    if terms.limits.is_empty() {
        return Ok(());
    }
    let mut parts = parts;
    let moved = parts.try_fold(Amount::ZERO, Amount::checked_add).ok_or(Code::AmountOverflow)?;
    between.check_at_once(terms, moved)?;
    let Some((of, most)) = between.by_period(terms) else {
        return Ok(());
    };
    let (giver, _) = between.from;
    let period = of.period(between.now.day());
    let before = case.state.limit_use(giver, of, id).filter(|before| before.period == period);
    let used = before.unwrap_or_default().used.checked_add(moved).ok_or(Code::AmountOverflow)?;
    if used > most {
        return Err(Code::OverLimit);
    }
    case.state.put_limit_use(giver, of, id, LimitUse { period, used });
    Ok(())
}

/// The most that this party's wallet may be able to spend.
pub(super) fn wallet_max(terms: &Terms, party: &Party, now: Time) -> Option<Amount> {
    terms.most(LimitOf::Wallet, |limit| limit.is_about(party, now))
}
