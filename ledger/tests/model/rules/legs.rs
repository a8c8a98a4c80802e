//! Legs: what they sum to, and whether they and movements are well formed.

use super::*;

pub(super) fn total(legs: &[Leg]) -> u64 {
    legs.iter().map(|leg| leg.amount.0).sum()
}

pub(super) fn legs_well_formed(legs: &[Leg]) -> Result<(), Code> {
    let ascending = legs.windows(2).all(|w| w[0].instrument < w[1].instrument);
    demand(ascending && (1..=4).contains(&legs.len()), Code::NotWellFormed)?;
    demand(legs.iter().all(|leg| leg.amount.0 > 0), Code::AmountInvalid)
}

pub(super) fn well_formed(m: &Movement) -> Result<(), Code> {
    legs_well_formed(&m.legs)?;
    let by_medium = matches!(m.credit, Citation::Medium { .. });
    demand(m.debit != Citation::Request && !by_medium, Code::NotWellFormed)
}

pub(super) fn pay_well_formed(op: &Pay) -> Result<(), Code> {
    let ascending = op.instruments.windows(2).all(|w| w[0] < w[1]);
    let counted = (1..=8).contains(&op.instruments.len());
    demand(ascending && counted, Code::NotWellFormed)?;
    demand(op.amount.0 > 0, Code::AmountInvalid)?;
    let by_medium = matches!(op.credit, Citation::Medium { .. });
    demand(op.debit != Citation::Request && !by_medium, Code::NotWellFormed)
}
