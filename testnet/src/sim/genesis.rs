//! The town's genesis document: three organisations, an issuer, a registrar, persons and shops.

use musubi_ledger::{
    batch::NodeId,
    genesis::{
        FirstInstrument, FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION,
    },
    hash::sha256,
    id::{PartyId, PersonTag, Salt},
    instrument::{Regime, Terms, TransferRule, Validity},
    party::PartyKind,
    time::Time,
};

use super::{
    script::{person, shop},
    town::{BEGIN, PERSONS, SHOPS, cosigner_key, document, instrument, key, node_key, party},
};

const ORGANISATIONS: [&str; 3] = ["city", "operator", "partner"];

/// The document for a number of validators.
pub(crate) fn genesis(validators: usize) -> Genesis {
    let mut organisations = ORGANISATIONS.to_vec();
    organisations.sort_by_key(|name| party(name));
    Genesis {
        name: "simulator.example/town".into(),
        scheme: "town".into(),
        time: Time(BEGIN - 60_000),
        rules_version: RULES_VERSION,
        salt: Salt([9; 16]),
        parameters: Parameters {
            recovery_delay_ms: 1_000,
            successor_notice_ms: 1_000,
            driven_time: false,
        },
        organisations: organisations.iter().map(|name| organisation(name)).collect(),
        nodes: (1..=validators).map(node).collect(),
        parties: parties(),
        instruments: vec![
            FirstInstrument { instrument: instrument("MONEY"), terms: money() },
            FirstInstrument { instrument: instrument("POINT"), terms: points() },
        ],
    }
}

fn organisation(name: &str) -> Organisation {
    let governance = key(&format!("{name} governance")).public();
    Organisation { party: party(name), name: name.into(), governance }
}

fn node(id: usize) -> Node {
    Node {
        id: NodeId(id as u64),
        organisation: party(ORGANISATIONS[id % ORGANISATIONS.len()]),
        transport: key(&format!("transport {id}")).public(),
        node: node_key(id).public(),
        cosigner: cosigner_key(id, 1).public(),
    }
}

fn parties() -> Vec<FirstParty> {
    let officers = |names: &[&str]| {
        let mut officers: Vec<PartyId> = names.iter().map(|name| party(name)).collect();
        officers.sort_unstable();
        officers
    };
    let mut parties = vec![
        FirstParty { officers: officers(&["c1"]), ..blank("city", PartyKind::Operator) },
        FirstParty { officers: officers(&["i1", "i2"]), ..blank("operator", PartyKind::Operator) },
        blank("partner", PartyKind::Operator),
        FirstParty {
            officers: officers(&["r1", "r2"]),
            organisation: Some(party("city")),
            ..blank("registrar", PartyKind::Registrar)
        },
        FirstParty {
            keys: vec![key("issuer").public()],
            officers: officers(&["i1", "i2"]),
            organisation: Some(party("operator")),
            ..blank("issuer", PartyKind::Issuer)
        },
    ];
    let keyed =
        |name: &str, kind| FirstParty { keys: vec![key(name).public()], ..blank(name, kind) };
    let human = |name: &str| FirstParty {
        tag: Some(PersonTag(sha256(format!("simulator tag {name}").as_bytes()))),
        ..keyed(name, PartyKind::Person)
    };
    parties.extend(["c1", "i1", "i2", "r1", "r2"].map(human));
    parties.extend((0..PERSONS).map(|n| human(&person(n))));
    parties.extend((0..SHOPS).map(|n| keyed(&shop(n), PartyKind::Merchant)));
    parties.sort_by_key(|party| party.party);
    parties
}

fn blank(name: &str, kind: PartyKind) -> FirstParty {
    FirstParty {
        party: party(name),
        kind,
        keys: Vec::new(),
        tag: None,
        organisation: None,
        officers: Vec::new(),
        attributes: Vec::new(),
    }
}

fn money() -> Terms {
    Terms {
        transfer: TransferRule::PeerToPeer,
        redemption_days: 30,
        ..Terms::plain(party("issuer"), Regime::Public, document("terms"))
    }
}

/// Points that expire while a simulation runs, so that block time alone moves value too.
fn points() -> Terms {
    Terms { regime: Regime::Free, validity: Validity::At(Time(BEGIN + 12_000)), ..money() }
}
