//! Who grants what gives value later, without them: rules, offers and runs keep the keys of their grantors, and rest when one
//! of these keys turns out to be compromised.

use super::{case::Case, consent::Consents};
use crate::{amount::Amount, code::Code, id::PartyId, keys::PublicKey, transaction::Side};

/// So many officers of a party: their keys.
pub(super) fn officers(
    case: &Case<'_, '_>,
    id: PartyId,
    count: usize,
) -> Result<Vec<PublicKey>, Code> {
    let party = case.active_party(id)?;
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (id, &party), count)?;
    consents.keys_for(Side::Authority, (id, &party))
}

/// Who funds what another issues consents as to a payment of all that it may cost: its keys.
pub(super) fn funder(
    case: &Case<'_, '_>,
    id: PartyId,
    whole: Amount,
) -> Result<Vec<PublicKey>, Code> {
    let party = case.active_party(id)?;
    let consents = Consents::live(case);
    consents.debit(case.scene(), (id, &party), whole, None, None)?;
    consents.keys_for(Side::Debit, (id, &party))
}
