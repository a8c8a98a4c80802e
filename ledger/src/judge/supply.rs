//! Counting what is issued and burnt, per lot and per instrument (INV-1).

use crate::{
    amount::Amount,
    instrument::{Came, Went},
    lot::Lot,
    state::Overlay,
};

/// Counts value that came. `None` if a sum leaves the range.
pub(super) fn came(state: &mut Overlay<'_>, lot: Lot, amount: Amount, came: Came) -> Option<()> {
    of_lot(state, lot, Some(amount), None)?;
    let mut totals = state.totals(lot.instrument).unwrap_or_default();
    totals.add(lot.origin, came, amount)?;
    state.put_totals(lot.instrument, totals);
    Some(())
}

/// Counts value that went. `None` if a sum leaves the range.
pub(super) fn went(state: &mut Overlay<'_>, lot: Lot, amount: Amount, went: Went) -> Option<()> {
    of_lot(state, lot, None, Some(amount))?;
    let mut totals = state.totals(lot.instrument).unwrap_or_default();
    totals.take(lot.origin, went, amount)?;
    state.put_totals(lot.instrument, totals);
    Some(())
}

/// Counts value that was replaced: it neither came nor went. `None` if a sum leaves the range.
pub(super) fn renewed(state: &mut Overlay<'_>, old: Lot, new: Lot, amount: Amount) -> Option<()> {
    of_lot(state, old, None, Some(amount))?;
    of_lot(state, new, Some(amount), None)
}

fn of_lot(
    state: &mut Overlay<'_>,
    lot: Lot,
    issued: Option<Amount>,
    burnt: Option<Amount>,
) -> Option<()> {
    let mut supply = state.supply(lot).unwrap_or_default();
    supply.issued = supply.issued.checked_add(issued.unwrap_or_default())?;
    supply.burnt = supply.burnt.checked_add(burnt.unwrap_or_default())?;
    assert!(supply.burnt <= supply.issued, "INV-1: no more is burnt of {lot:?} than was issued");
    state.put_supply(lot, supply);
    Some(())
}
