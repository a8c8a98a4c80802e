//! Operations in the words of a test.

use musubi_ledger::{
    amount::Amount,
    group::{Band, GroupPolicy, RoleGrant, Roles},
    id::TxId,
    instrument::{InstrumentChange, Terms},
    lot::OriginKind,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::*,
    party::{Attribute, PartyKind},
    time::Time,
};

use super::names::{document, id, ids, instrument, key, tag};

/// Legs of (instrument, amount).
pub fn legs(legs: &[(&str, u64)]) -> Vec<Leg> {
    let leg = |(name, amount): &(&str, u64)| Leg {
        instrument: instrument(name),
        amount: Amount(*amount),
    };
    legs.iter().map(leg).collect()
}

/// A movement in MEBUKU, both sides live.
pub fn movement(from: &str, to: &str, amount: u64) -> Movement {
    Movement {
        from: id(from),
        to: id(to),
        legs: legs(&[("MEBUKU", amount)]),
        debit: Citation::Live,
        credit: Citation::Live,
    }
}

/// A transfer in MEBUKU, both sides live.
pub fn pay(from: &str, to: &str, amount: u64) -> Operation {
    Operation::Transfer(movement(from, to, amount))
}

/// A transfer of some instrument, both sides live.
pub fn pay_in(from: &str, to: &str, of: &[(&str, u64)]) -> Operation {
    Operation::Transfer(Movement { legs: legs(of), ..movement(from, to, 1) })
}

/// A transfer whose payee consented by a mandate.
pub fn pay_to_mandate(from: &str, to: &str, amount: u64, mandate: TxId) -> Operation {
    Operation::Transfer(Movement {
        credit: Citation::Mandate(mandate),
        ..movement(from, to, amount)
    })
}

/// A transfer whose payer consented by a mandate.
pub fn pay_by_mandate(from: &str, to: &str, amount: u64, mandate: TxId) -> Operation {
    Operation::Transfer(Movement {
        debit: Citation::Mandate(mandate),
        ..movement(from, to, amount)
    })
}

/// A proposal in MEBUKU.
pub fn propose(from: &str, to: &str, amount: u64, deadline: Time) -> Operation {
    Operation::Propose(Propose { movement: movement(from, to, amount), deadline })
}

/// A decision about a proposal.
pub fn decide(proposal: TxId, decision: Decision) -> Operation {
    Operation::Decide(Decide { proposal, decision })
}

/// A mandate's terms: any counterparty, MEBUKU, `per_use`, for ever.
pub fn terms(direction: Direction, per_use: u64) -> MandateTerms {
    MandateTerms {
        direction,
        instruments: vec![instrument("MEBUKU")],
        counterparty: Counterparty::Any,
        purpose: None,
        per_use: Amount(per_use),
        per_day: None,
        per_counterparty: None,
        total: None,
        uses: None,
        staff: Vec::new(),
        from: Time(0),
        until: None,
    }
}

/// A mandate of `grantor`.
pub fn mandate(grantor: &str, terms: MandateTerms) -> Operation {
    Operation::GrantMandate(GrantMandate { grantor: id(grantor), terms })
}

/// An allowance for the issuer's automated key.
pub fn allowance(of: &str, total: u64, per_wallet: u64, per_day: u64, end: Time) -> Operation {
    Operation::GrantAllowance(GrantAllowance {
        instrument: instrument(of),
        key: key("issuer/auto").public(),
        total: Amount(total),
        per_wallet: Amount(per_wallet),
        per_day: Amount(per_day),
        end,
    })
}

/// A top-up of paid value that the holder funds.
pub fn top_up(allowance: TxId, to: &str, amount: u64, funding: &str) -> TopUp {
    TopUp {
        allowance,
        to: id(to),
        amount: Amount(amount),
        origin: OriginKind::Paid,
        funder: id(to),
        campaign: 0,
        funding: document(funding),
        credit: Citation::Live,
    }
}

/// A registration by the registrar, with the key of the party's own name.
pub fn register(name: &str, kind: PartyKind) -> RegisterParty {
    RegisterParty {
        party: id(name),
        kind,
        keys: vec![key(name).public()],
        tag: (kind == PartyKind::Person).then(|| tag(name)),
        registrar: id("registrar"),
        organisation: None,
        attributes: Vec::new(),
    }
}

/// An attribute without end.
pub fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.into(), value: value.into(), until: None }
}

/// Roles: (person, drafts, approves).
pub fn roles(grants: &[(&str, bool, bool)]) -> Vec<RoleGrant> {
    let mut roles: Vec<RoleGrant> = grants
        .iter()
        .map(|(person, drafts, approves)| RoleGrant {
            person: id(person),
            roles: Roles { drafts: *drafts, approves: *approves },
        })
        .collect();
    roles.sort_by_key(|grant| grant.person);
    roles
}

/// A policy: from each amount on, that many approvers.
pub fn policy(bands: &[(u64, u8)]) -> GroupPolicy {
    GroupPolicy {
        exclusive_roles: false,
        bands: bands
            .iter()
            .map(|(from, approvers)| Band { from: Amount(*from), approvers: *approvers })
            .collect(),
        proposal_hours: 72,
    }
}

/// New officers.
pub fn set_officers(party: &str, officers: &[&str]) -> Operation {
    Operation::SetOfficers(SetOfficers { party: id(party), officers: ids(officers) })
}

/// A payment in whatever of these instruments there is, both sides live.
pub fn pay_any(from: &str, to: &str, amount: u64, of: &[&str]) -> Pay {
    let mut instruments: Vec<_> = of.iter().map(|name| instrument(name)).collect();
    instruments.sort_unstable();
    let (debit, credit) = (Citation::Live, Citation::Live);
    Pay { from: id(from), to: id(to), instruments, amount: Amount(amount), debit, credit }
}

/// A new instrument, open.
pub fn define(name: &str, terms: Terms) -> Operation {
    let instrument = instrument(name);
    Operation::DefineInstrument(DefineInstrument { instrument, terms, open: true })
}

/// A change of an instrument.
pub fn change(name: &str, change: InstrumentChange) -> Operation {
    let (instrument, notice) = (instrument(name), document("notice"));
    Operation::ChangeInstrument(ChangeInstrument { instrument, change, notice })
}

/// A refund in MEBUKU.
pub fn refund(original: TxId, amount: u64) -> Operation {
    Operation::Refund(Refund { original, legs: legs(&[("MEBUKU", amount)]) })
}

/// A refund of some instrument.
pub fn give_back(original: TxId, of: &str, amount: u64) -> Operation {
    Operation::Refund(Refund { original, legs: legs(&[(of, amount)]) })
}
