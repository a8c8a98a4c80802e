//! The first rows of the state, from the genesis document.

use super::case::open_wallet;
use crate::{
    genesis::{FirstParty, Genesis},
    instrument::{Instrument, Life},
    party::{KeyRecord, KeyStatus, Party, PartyStatus},
    policy::WitnessPolicy,
    state::{Meta, NumberedPolicy, Overlay, Row, RowKey, wallet_salt},
};

/// Writes the rows of a checked document.
///
/// # Panics
/// If the document was not checked.
pub fn open_state(state: &mut Overlay<'_>, genesis: &Genesis) {
    let meta = Meta {
        rules_version: genesis.rules_version,
        organisations: genesis.organisations.iter().map(|o| o.party).collect(),
        wallets: 0,
        witness_policy: 1,
        parameters: genesis.parameters,
    };
    state.put(RowKey::Meta, Row::Meta(meta.into()));
    let policy = WitnessPolicy::of_genesis(genesis);
    state.put_policy(policy.number, NumberedPolicy { policy, set_by: None });
    for first in &genesis.parties {
        open_party(state, genesis, first);
        state.keep();
    }
    for first in &genesis.instruments {
        let terms = first.terms.clone();
        let instrument = Instrument::new(terms, Life::Open, genesis.time);
        state.put_instrument(first.instrument, instrument);
    }
}

fn open_party(state: &mut Overlay<'_>, genesis: &Genesis, first: &FirstParty) {
    // An organisation's governance key is one of its party's keys.
    let governance = genesis.organisation(&first.party).map(|o| o.governance);
    let keys: Vec<_> = first.keys.iter().copied().chain(governance).collect();
    for key in &keys {
        let record =
            KeyRecord { party: first.party, status: KeyStatus::Active, since: genesis.time };
        state.put_key(*key, record);
    }
    if let Some(tag) = first.tag {
        assert!(state.person(tag).is_none(), "two persons of the genesis document share a tag");
        state.put_person(tag, first.party);
    }
    let registrar = genesis
        .parties
        .iter()
        .find(|p| p.kind == crate::party::PartyKind::Registrar)
        .map_or(first.party, |p| p.party);
    let party = Party {
        kind: first.kind,
        status: PartyStatus::Active,
        tag: first.tag,
        registrar,
        organisation: first.organisation,
        keys,
        officers: first.officers.clone(),
        attributes: first.attributes.clone(),
        recovery: None,
        freeze_evidence: None,
        opened: genesis.time,
    };
    state.put_party(first.party, party);
    open_wallet(state, first.party, wallet_salt(&genesis.salt, &first.party));
}
