//! Defining instruments, and their life.

use super::{allowance, case::Case, consent::Consents};
use crate::{
    code::Code,
    instrument::{Instrument, InstrumentChange, Life},
    operation::{ChangeInstrument, DefineInstrument},
    party::PartyKind,
    transaction::Side,
};

/// Two officers of the issuer define an instrument.
pub(super) fn define(case: &mut Case<'_, '_>, op: &DefineInstrument) -> Result<(), Code> {
    if !op.terms.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let issuer = case.active_of_kind(op.terms.issuer, PartyKind::Issuer)?;
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (op.terms.issuer, &issuer), 2)?;
    if case.state.instrument(op.instrument).is_some() {
        return Err(Code::InstrumentExists);
    }
    let life = if op.open { Life::Open } else { Life::Draft };
    case.state.put_instrument(op.instrument, Instrument::new(op.terms.clone(), life, case.now));
    Ok(())
}

/// Two officers of the issuer word the terms anew or open a draft. What ends an instrument, or changes how much of it there
/// may be, takes another organisation besides.
pub(super) fn change(case: &mut Case<'_, '_>, op: &ChangeInstrument) -> Result<(), Code> {
    let mut instrument = case.instrument(op.instrument)?;
    let id = instrument.terms.issuer;
    let issuer = case.active_party(id)?;
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (id, &issuer), 2)?;
    let opens = matches!(op.change, InstrumentChange::Life(step) if step.life == Life::Open);
    if !opens && !matches!(op.change, InstrumentChange::Document(_)) {
        allowance::two_organisations(case, &consents, id)?;
    }
    match op.change {
        InstrumentChange::Life(step) => {
            instrument.check_step(step, case.now)?;
            instrument.life.push(step);
        }
        InstrumentChange::SupplyMax(max) => {
            if max.is_some_and(|max| max.is_zero()) {
                return Err(Code::NotWellFormed);
            }
            instrument.terms.supply_max = max;
        }
        InstrumentChange::Document(document) => instrument.terms.document = document,
    }
    case.state.put_instrument(op.instrument, instrument);
    Ok(())
}
