//! A holder without a phone: a medium, attested bounded consent, the merchant's terminal.

use crate::common::*;
use musubi_ledger::state::derived_id;

/// Grandmother has no key: registered by tag alone, topped up through an attested mandate.
fn world() -> (World, TxId) {
    let mut w = World::new();
    let op = Operation::RegisterParty(RegisterParty {
        keys: vec![],
        ..register("grandmother", PartyKind::Person)
    });
    w.apply("r1", op, &[officer("registrar", "r1")]);
    let op = enrol(&w, "card", "grandmother");
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    let enrolled = w.apply("r1", Operation::EnrolMedium(op), &two);
    let mut top_up = top_up(w.allowance("MEBUKU"), "grandmother", 5_000, "counter");
    top_up.credit = Citation::Mandate(derived_id(&enrolled, 1));
    w.apply("issuer", Operation::TopUp(top_up), &[issues()]);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Allowance, Form::Attested));
    (w, enrolled)
}

fn enrol(w: &World, card: &str, party: &str) -> EnrolMedium {
    EnrolMedium {
        medium: medium(card),
        party: id(party),
        registrar: id("registrar"),
        debit: Some(MandateTerms {
            counterparty: Counterparty::Kind(PartyKind::Merchant),
            per_day: Some(Amount(2_000)),
            until: Some(w.now.plus(365 * DAY)),
            ..terms(Direction::Debit, 1_000)
        }),
        credit: Some(terms(Direction::Credit, 50_000)),
        evidence: document("application"),
    }
}

fn shown(enrolled: TxId, shop: &str, amount: u64) -> Operation {
    Operation::Transfer(Movement {
        debit: Citation::Medium { medium: medium("card"), mandate: derived_id(&enrolled, 0) },
        ..movement("grandmother", shop, amount)
    })
}

#[test]
fn the_terminal_signs_and_consent_is_marked_attested() {
    let (mut w, enrolled) = world();
    let signers = [terminal("shop"), credit("shop")];
    w.apply("shop", shown(enrolled, "shop", 700), &signers);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Attested, Form::Live));
    assert_eq!(outcome.cites, [derived_id(&enrolled, 0)]);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 700);
    // Without the terminal, or with another shop's.
    w.void(Code::MissingConsent, "shop", shown(enrolled, "shop", 1), &[credit("shop")]);
    let others = [terminal("mart"), credit("shop")];
    w.void(Code::MissingConsent, "shop", shown(enrolled, "shop", 1), &others);
    let forged = [terminal("shop").key("mart"), credit("shop")];
    w.void(Code::KeyUnknown, "shop", shown(enrolled, "shop", 1), &forged);
    w.void(Code::MissingConsent, "shop", shown(enrolled, "shop", 1), &[terminal("shop")]);
    w.reject(Code::OverMandate, "shop", shown(enrolled, "shop", 1_001), &signers);
    w.apply("shop", shown(enrolled, "shop", 1_000), &signers);
    w.reject(Code::OverMandate, "shop", shown(enrolled, "shop", 301), &signers);
}

#[test]
fn a_mediums_mandate_works_through_that_medium_alone() {
    let (mut w, enrolled) = world();
    let signers = [terminal("shop"), credit("shop")];
    let with =
        |debit| Operation::Transfer(Movement { debit, ..movement("grandmother", "shop", 1) });
    let mandate = derived_id(&enrolled, 0);
    w.reject(Code::MandateMismatch, "shop", with(Citation::Mandate(mandate)), &signers);
    let unknown = Citation::Medium { medium: medium("found"), mandate };
    w.reject(Code::UnknownMedium, "shop", with(unknown), &signers);
    let credit_mandate =
        Citation::Medium { medium: medium("card"), mandate: derived_id(&enrolled, 1) };
    w.reject(Code::MandateMismatch, "shop", with(credit_mandate), &signers);
    let none = Citation::Medium { medium: medium("card"), mandate: TxId([0; 32]) };
    w.reject(Code::UnknownMandate, "shop", with(none), &signers);
}

#[test]
fn enrolling_what_can_pay_takes_two_officers() {
    let (mut w, _) = world();
    let op = |op: EnrolMedium| Operation::EnrolMedium(op);
    let good = enrol(&w, "card 2", "grandmother");
    let one = [officer("registrar", "r1")];
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    w.void(Code::ApproversMissing, "r1", op(good.clone()), &one);
    w.reject(Code::RoleMissing, "alice", op(good.clone()), &[officer("registrar", "alice")]);
    w.void(Code::MissingConsent, "alice", op(good.clone()), &[own("alice")]);
    let taken = EnrolMedium { medium: medium("card"), ..good.clone() };
    w.reject(Code::MediumExists, "r1", op(taken), &two);
    let shop = EnrolMedium { party: id("shop"), ..good.clone() };
    w.reject(Code::WrongKind, "r1", op(shop), &two);
    let debit = good.debit.clone().unwrap();
    for bad in [
        EnrolMedium { debit: None, credit: None, ..good.clone() },
        EnrolMedium { debit: good.credit.clone(), ..good.clone() },
        EnrolMedium {
            debit: Some(MandateTerms { per_day: None, ..debit.clone() }),
            ..good.clone()
        },
        EnrolMedium { debit: Some(MandateTerms { until: None, ..debit }), ..good.clone() },
    ] {
        w.reject(Code::NotWellFormed, "r1", op(bad), &two);
    }
    // One officer suffices for what only receives.
    w.apply("r1", op(EnrolMedium { debit: None, ..good }), &one);
}

#[test]
fn a_holder_who_signs_the_enrolment_consents_themselves() {
    let (mut w, _) = world();
    w.fund("alice", "MEBUKU", 1_000);
    let op = enrol(&w, "alice's card", "alice");
    let signers = [officer("registrar", "r1"), officer("registrar", "r2"), own("alice")];
    let enrolled = w.apply("r1", Operation::EnrolMedium(op), &signers);
    let op = Operation::Transfer(Movement {
        debit: Citation::Medium {
            medium: medium("alice's card"),
            mandate: derived_id(&enrolled, 0),
        },
        ..movement("alice", "shop", 100)
    });
    w.apply("shop", op, &[terminal("shop"), credit("shop")]);
    assert_eq!(w.outcome().debit, Form::Mandate);
}

#[test]
fn a_revoked_medium_pays_no_more() {
    let (mut w, enrolled) = world();
    let signers = [terminal("shop"), credit("shop")];
    let end = || Operation::RevokeMedium { medium: medium("card") };
    w.void(Code::MissingConsent, "alice", end(), &[own("alice")]);
    w.reject(Code::RoleMissing, "alice", end(), &[officer("registrar", "alice")]);
    w.apply("r3", end(), &[officer("registrar", "r3")]);
    w.reject(Code::MediumNotActive, "r3", end(), &[officer("registrar", "r3")]);
    w.reject(Code::MediumNotActive, "shop", shown(enrolled, "shop", 1), &signers);
    let unknown = Operation::RevokeMedium { medium: medium("none") };
    w.reject(Code::UnknownMedium, "r3", unknown, &[officer("registrar", "r3")]);
    match w.state.row(&RowKey::Medium(medium("card"))) {
        Some(Row::Medium(medium)) if !medium.active() => assert_eq!(medium.mandates.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_attests_for_a_holder_who_has_keys() {
    let (mut w, _) = world();
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    let card = |w: &World| Operation::EnrolMedium(enrol(w, "stolen card", "alice"));
    let op = card(&w);
    w.void(Code::MissingConsent, "r1", op, &two);
    let forged = [two[0].clone(), two[1].clone(), own("alice").key("eve")];
    let op = card(&w);
    w.void(Code::KeyUnknown, "r1", op, &forged);
    // What only receives is a consent of the holder's too.
    let op = EnrolMedium { debit: None, ..enrol(&w, "stolen card", "alice") };
    w.void(Code::MissingConsent, "r1", Operation::EnrolMedium(op), &two);
    // Ending the last key does not help: attesting waits as long as a recovery does.
    let op = Operation::RevokeKey(RevokeKey {
        party: id("alice"),
        key: key("alice").public(),
        compromised: true,
    });
    w.apply("r1", op, &two[..1]);
    let op = card(&w);
    w.void(Code::KeyNotActive, "r1", op, &[two[0].clone(), two[1].clone(), own("alice")]);
    let op = card(&w);
    w.void(Code::MissingConsent, "r1", op, &two);
    w.wait(DELAY);
    let op = card(&w);
    w.apply("r1", op, &two);
}

#[test]
fn only_the_holders_own_registrar_attests() {
    let (mut w, _) = world();
    let ward = RegisterParty {
        organisation: Some(id("partner")),
        ..register("ward", PartyKind::Registrar)
    };
    let together = [governs("city"), governs("partner"), proves("ward", "ward")];
    w.apply("city", Operation::RegisterParty(ward), &together);
    let named =
        Operation::SetOfficers(SetOfficers { party: id("ward"), officers: ids(&["eve", "frank"]) });
    w.apply("city", named, &together[..2]);
    let op = EnrolMedium { registrar: id("ward"), ..enrol(&w, "card 2", "grandmother") };
    let two = [officer("ward", "eve"), officer("ward", "frank")];
    w.reject(Code::WrongRegistrar, "eve", Operation::EnrolMedium(op), &two);
}
