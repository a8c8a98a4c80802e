//! The city's genesis document.

use musubi_ledger::{
    amount::Amount,
    batch::NodeId,
    calendar::Span,
    genesis::{FirstInstrument, FirstParty, Genesis, Node, Organisation, Parameters},
    id::Salt,
    instrument::{Limit, LimitOf, OnAccept, Regime, Shortfall, Terms, TransferRule, Validity},
    party::PartyKind,
    predicate::Predicate,
    time::Time,
};

use super::names::{document, id, ids, instrument, key, tag};

/// When the chain begins: 2026-04-01, 09:00 in Japan.
pub const BEGIN: Time = Time(1_775_001_600_000);
/// How long a recovery waits.
pub const DELAY: u64 = 3 * 86_400_000;
/// How long successors wait.
pub const NOTICE: u64 = 7 * 86_400_000;

const ORGANISATIONS: [&str; 3] = ["city", "operator", "partner"];
/// Everybody who acts for somebody from the start. `both` is an officer of the issuer and of the city.
const OFFICERS: [&str; 8] = ["r1", "r2", "r3", "i1", "i2", "c1", "p1", "both"];

/// The document.
pub fn genesis() -> Genesis {
    let organisations: Vec<&str> = by_id(&ORGANISATIONS);
    let genesis = Genesis {
        name: "ledger.example/city".into(),
        scheme: "mebuku".into(),
        time: BEGIN,
        rules_version: musubi_ledger::genesis::RULES_VERSION,
        salt: Salt([7; 16]),
        parameters: Parameters {
            recovery_delay_ms: DELAY,
            successor_notice_ms: NOTICE,
            driven_time: false,
        },
        organisations: organisations
            .iter()
            .map(|name| Organisation {
                party: id(name),
                name: (*name).into(),
                governance: key(&format!("{name}/governance")).public(),
            })
            .collect(),
        nodes: (1..=3).zip(ORGANISATIONS).map(node).collect(),
        parties: parties(),
        instruments: instruments(),
    };
    genesis.check().unwrap();
    genesis
}

fn by_id<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let mut names = names.to_vec();
    names.sort_by_key(|name| id(name));
    names
}

fn node((number, organisation): (u64, &str)) -> Node {
    let of = |part: &str| key(&format!("{organisation}/{part}")).public();
    Node {
        id: NodeId(number),
        organisation: id(organisation),
        transport: of("transport"),
        node: of("node"),
        cosigner: of("cosigner"),
    }
}

fn parties() -> Vec<FirstParty> {
    let blank = |name: &str, kind| FirstParty {
        party: id(name),
        kind,
        keys: Vec::new(),
        tag: None,
        organisation: None,
        officers: Vec::new(),
        attributes: Vec::new(),
    };
    let mut parties = vec![
        FirstParty { officers: ids(&["c1", "both"]), ..blank("city", PartyKind::Operator) },
        FirstParty { officers: ids(&["i1", "i2"]), ..blank("operator", PartyKind::Operator) },
        FirstParty { officers: ids(&["p1"]), ..blank("partner", PartyKind::Operator) },
        FirstParty {
            officers: ids(&["r1", "r2", "r3"]),
            organisation: Some(id("city")),
            ..blank("registrar", PartyKind::Registrar)
        },
        FirstParty {
            keys: vec![key("issuer/auto").public(), key("issuer/spare").public()],
            officers: ids(&["i1", "i2", "both"]),
            organisation: Some(id("operator")),
            ..blank("issuer", PartyKind::Issuer)
        },
    ];
    parties.extend(OFFICERS.iter().map(|name| FirstParty {
        keys: vec![key(name).public()],
        tag: Some(tag(name)),
        ..blank(name, PartyKind::Person)
    }));
    parties.sort_by_key(|party| party.party);
    parties
}

fn instruments() -> Vec<FirstInstrument> {
    let money = Terms {
        transfer: TransferRule::PeerToPeer,
        shortfall: Shortfall::Receivable,
        limits: vec![
            Limit::for_all(LimitOf::Wallet, Amount(1_000_000)),
            Limit::for_all(LimitOf::Transfer, Amount(300_000)),
        ],
        ..Terms::plain(id("issuer"), Regime::Public, document("terms"))
    };
    let coin =
        Terms { transfer: TransferRule::WithGroups, on_accept: OnAccept::Keep, ..money.clone() };
    let point = Terms {
        regime: Regime::Free,
        validity: Validity::After(Span::Days(10)),
        redemption_days: 30,
        shortfall: Shortfall::Refuse,
        ..money.clone()
    };
    let voucher = Terms {
        regime: Regime::PrepaidThird,
        step: Amount(500),
        transfer: TransferRule::None,
        validity: Validity::At(Time(BEGIN.0 + 20 * 86_400_000)),
        redemption_days: 5,
        shortfall: Shortfall::IssuerBears,
        holders: Some(Predicate::is("resident", &["yes"])),
        acceptors: Some(Predicate::is("shop", &["small"])),
        ..money.clone()
    };
    let named = [("COIN", coin), ("MEBUKU", money), ("POINT", point), ("VOUCHER", voucher)];
    named.map(|(name, terms)| FirstInstrument { instrument: instrument(name), terms }).into()
}
