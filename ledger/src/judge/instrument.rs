//! Opening instruments.

use super::{case::Case, consent::Consents};
use crate::{
    amount::Amount, code::Code, operation::DefineInstrument, party::PartyKind, state::Instrument,
    transaction::Side,
};

/// Two officers of the issuer open an instrument.
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
    let instrument =
        Instrument { terms: op.terms.clone(), issued: Amount::ZERO, burnt: Amount::ZERO };
    case.state.put_instrument(op.instrument, instrument);
    Ok(())
}
