//! Value whose expiry slides: it is renewed when its holder receives, spends or touches any of it.

use super::{case::Case, consent::Consents};
use crate::{
    amount::Amount,
    code::Code,
    id::{InstrumentId, PartyId},
    instrument::{Instrument, Validity},
    lot::Lot,
    operation::Touch,
    outcome::Form,
    time::Time,
    transaction::Side,
    wallet::Holding,
};

/// The holder shows that it is still there. Asking for a balance writes nothing, so it renews nothing.
pub(super) fn touch(case: &mut Case<'_, '_>, op: &Touch) -> Result<(), Code> {
    let party = case.active_party(op.party)?;
    let consents = Consents::live(case);
    consents.speaks_for(case.scene(), Side::Authority, (op.party, &party))?;
    let instrument = case.instrument(op.instrument)?;
    instrument.check_spendable(case.now)?;
    slide(case, op.party, (op.instrument, &instrument))?;
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Terms;
    Ok(())
}

/// Renews what the wallet can spend of an instrument whose validity slides. The new expiry is a midnight: nothing is
/// renewed twice on one day.
pub(super) fn slide(
    case: &mut Case<'_, '_>,
    party: PartyId,
    (id, instrument): (InstrumentId, &Instrument),
) -> Result<(), Code> {
    let Validity::Sliding(span) = instrument.terms.validity else {
        return Ok(());
    };
    let end = span.end_from(case.now);
    let earlier = |lot: &Lot| lot.use_expiry.is_some_and(|old| old < end);
    let wallet = case.wallet(party);
    let old: Vec<(Lot, Amount, Time)> = wallet
        .of(id)
        .filter(|b| !b.spendable.is_zero() && b.lot.usable(case.now) && earlier(&b.lot))
        .map(|b| (b.lot, b.spendable, b.since))
        .collect();
    for (lot, amount, since) in old {
        let new = Lot { use_expiry: Some(end), ..lot };
        case.debit(party, lot, Holding::Spendable, amount);
        case.renew(instrument.terms.issuer, lot, new, amount)?;
        case.credit_since(party, new, Holding::Spendable, amount, since)?;
    }
    Ok(())
}
