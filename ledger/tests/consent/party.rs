//! Registering parties, attesting, naming officers, defining instruments.

use crate::common::*;
use musubi_ledger::{instrument::Terms, limits};

#[test]
fn a_registrar_officer_and_every_key_register_a_person() {
    let mut w = World::bare();
    let op = register("zoe", PartyKind::Person);
    let by_r1 = officer("registrar", "r1");
    let proof = proves("zoe", "zoe");
    let reg = |op: &RegisterParty| Operation::RegisterParty(op.clone());
    w.void(Code::MissingConsent, "r1", reg(&op), core::slice::from_ref(&by_r1));
    w.void(Code::RoleMissing, "i1", reg(&op), &[officer("registrar", "i1"), proof.clone()]);
    w.void(Code::MissingConsent, "i1", reg(&op), &[officer("issuer", "i1"), proof.clone()]);
    w.void(Code::SenderNotSigner, "zoe", reg(&op), core::slice::from_ref(&proof));
    let both = [by_r1.clone(), proof.clone()];
    w.apply("r1", reg(&op), &both);
    w.reject(Code::PartyExists, "r1", reg(&op), &both);
    let again = RegisterParty { party: id("zoe again"), ..op.clone() };
    let signers = [by_r1.clone(), by(Side::Authority, Role::Holder, "zoe again", "zoe")];
    w.reject(Code::PersonExists, "r1", reg(&again), &signers);
    let other = RegisterParty { tag: Some(tag("other")), ..again };
    w.reject(Code::KeyExists, "r1", reg(&other), &signers);
}

#[test]
fn registrations_are_well_formed() {
    let mut w = World::bare();
    let good = register("zoe", PartyKind::Person);
    let signers = [officer("registrar", "r1"), proves("zoe", "zoe")];
    let many = |n: usize| (0..n).map(|i| key(&format!("zoe/{i}")).public()).collect();
    let bad = [
        RegisterParty { tag: None, ..good.clone() },
        RegisterParty { kind: PartyKind::Group, tag: None, ..good.clone() },
        RegisterParty {
            kind: PartyKind::Operator,
            tag: None,
            organisation: Some(id("city")),
            ..good.clone()
        },
        RegisterParty { kind: PartyKind::Issuer, tag: None, ..good.clone() },
        RegisterParty { organisation: Some(id("city")), ..good.clone() },
        RegisterParty { kind: PartyKind::Merchant, ..good.clone() },
        RegisterParty { kind: PartyKind::Merchant, tag: None, keys: vec![], ..good.clone() },
        RegisterParty { keys: many(limits::KEYS_PER_REGISTRATION_MAX + 1), ..good.clone() },
        RegisterParty {
            attributes: vec![attribute("b", "1"), attribute("a", "1")],
            ..good.clone()
        },
        RegisterParty {
            attributes: vec![attribute("a", "1"), attribute("a", "2")],
            ..good.clone()
        },
        RegisterParty { attributes: vec![attribute("", "1")], ..good.clone() },
        RegisterParty { attributes: vec![attribute("a", "with space")], ..good.clone() },
    ];
    for op in bad {
        w.reject(Code::NotWellFormed, "r1", Operation::RegisterParty(op), &signers);
    }
    for registrar in ["nobody", "issuer"] {
        let op = RegisterParty { registrar: id(registrar), ..good.clone() };
        let code = if registrar == "nobody" { Code::UnknownParty } else { Code::WrongKind };
        w.reject(code, "r1", Operation::RegisterParty(op), &signers);
    }
}

#[test]
fn issuers_and_registrars_come_by_the_organisations_together() {
    let mut w = World::bare();
    let op = |organisation: &str| {
        Operation::RegisterParty(RegisterParty {
            organisation: Some(id(organisation)),
            ..register("issuer 2", PartyKind::Issuer)
        })
    };
    let proof = proves("issuer 2", "issuer 2");
    let one = [governs("city"), proof.clone()];
    w.void(Code::OrganisationsMissing, "city", op("partner"), &one);
    let two_officers = [officer("registrar", "r1"), officer("registrar", "r2"), proof.clone()];
    w.void(Code::MissingConsent, "r1", op("partner"), &two_officers);
    let two = [governs("city"), governs("partner"), proof];
    w.reject(Code::WrongKind, "city", op("registrar"), &two);
    w.apply("city", op("partner"), &two);
    // It has no officers yet: the organisations name the first.
    let name = |who: &[&str]| set_officers("issuer 2", who);
    w.void(Code::OrganisationsMissing, "city", name(&["p1", "c1"]), &[governs("city")]);
    w.apply("city", name(&["p1", "c1"]), &[governs("city"), governs("operator")]);
    w.apply("p1", name(&["p1", "r1"]), &[officer("issuer 2", "p1"), officer("issuer 2", "c1")]);
}

#[test]
fn officers_name_officers() {
    let mut w = World::new();
    let op = |who: &[&str]| set_officers("registrar", who);
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    w.reject(Code::NotWellFormed, "r1", op(&["alice"]), &two);
    w.reject(Code::NotWellFormed, "r1", op(&["alice", "alice"]), &two);
    w.reject(Code::WrongKind, "r1", op(&["alice", "shop"]), &two);
    w.reject(Code::UnknownParty, "r1", op(&["alice", "nobody"]), &two);
    w.reject(Code::WrongKind, "r1", set_officers("alice", &["bob", "carol"]), &two);
    w.void(Code::ApproversMissing, "r1", op(&["alice", "r1"]), &two[..1]);
    w.void(Code::MissingConsent, "alice", op(&["alice", "bob"]), &[own("alice")]);
    w.reject(Code::RoleMissing, "alice", op(&["alice", "bob"]), &[officer("registrar", "alice")]);
    w.apply("r1", op(&["alice", "r1"]), &two);
    let zoe = Operation::RegisterParty(register("zoe", PartyKind::Person));
    let by = |who: &str| [officer("registrar", who), proves("zoe", "zoe")];
    w.void(Code::RoleMissing, "r2", zoe.clone(), &by("r2"));
    w.apply("alice", zoe, &by("alice"));
}

#[test]
fn attributes_are_attested_by_one_officer_and_end_by_themselves() {
    let mut w = World::new();
    let until = w.now.plus(DAY);
    let attest = |attributes: &[musubi_ledger::party::Attribute]| {
        Operation::Attest(Attest {
            party: id("alice"),
            registrar: id("registrar"),
            attributes: attributes.to_vec(),
        })
    };
    let mut resident = attribute("resident", "yes");
    resident.until = Some(until);
    w.void(
        Code::MissingConsent,
        "alice",
        attest(core::slice::from_ref(&resident)),
        &[own("alice")],
    );
    w.reject(
        Code::RoleMissing,
        "alice",
        attest(core::slice::from_ref(&resident)),
        &[officer("registrar", "alice")],
    );
    let r1 = [officer("registrar", "r1")];
    w.reject(Code::NotWellFormed, "r1", attest(&[]), &r1);
    w.reject(Code::NotWellFormed, "r1", attest(&[attribute("a", "")]), &r1);
    w.apply("r1", attest(&[resident]), &r1);
    let op = |f: &str| Operation::TopUp(top_up(w.allowances["VOUCHER"], "alice", 500, f));
    let (before, after) = (op("1"), op("2"));
    let signers = [issues(), credit("alice")];
    w.apply("issuer", before, &signers);
    w.now = Time(until.0 - SECOND);
    w.reject(Code::HolderNotEligible, "issuer", after, &signers);
    let many: Vec<_> =
        (0..limits::ATTRIBUTES_MAX).map(|n| attribute(&format!("a{n:02}"), "x")).collect();
    w.reject(Code::NotWellFormed, "r1", attest(&many), &r1);
}

#[test]
fn two_officers_of_the_issuer_define_an_instrument() {
    let mut w = World::bare();
    let genesis = genesis();
    let terms = genesis.instruments[0].terms.clone();
    let op = |name: &str, terms: &Terms| {
        Operation::DefineInstrument(DefineInstrument {
            instrument: instrument(name),
            terms: terms.clone(),
            open: true,
        })
    };
    let two = [officer("issuer", "i1"), officer("issuer", "i2")];
    w.void(Code::ApproversMissing, "i1", op("NEW", &terms), &two[..1]);
    w.void(Code::MissingConsent, "c1", op("NEW", &terms), &[officer("city", "c1")]);
    w.reject(Code::InstrumentExists, "i1", op("MEBUKU", &terms), &two);
    let zero = Terms { step: Amount(0), ..terms.clone() };
    w.reject(Code::NotWellFormed, "i1", op("NEW", &zero), &two);
    let places = Terms { decimals: 9, ..terms.clone() };
    w.reject(Code::NotWellFormed, "i1", op("NEW", &places), &two);
    let nobodys = Terms { issuer: id("city"), ..terms.clone() };
    w.reject(Code::WrongKind, "i1", op("NEW", &nobodys), &two);
    w.apply("i1", op("NEW", &terms), &two);
    w.reject(Code::InstrumentExists, "i1", op("NEW", &terms), &two);
}
