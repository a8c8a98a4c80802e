//! Corrections without the holder: the issuer only, two persons and another organisation, never beyond
//! the original; what is missing is refused, owed, or borne by the issuer.

use crate::common::*;

fn correct(original: TxId, of: &str, amount: u64) -> Operation {
    Operation::Correct(Correct {
        original,
        legs: legs(&[(of, amount)]),
        reason: CorrectionReason::Chargeback,
        evidence: document("bank letter"),
    })
}

fn three() -> [By; 3] {
    [officer("issuer", "i1"), officer("issuer", "i2"), officer("city", "c1")]
}

#[test]
fn two_persons_and_another_organisation() {
    let mut w = World::new();
    let issued = w.fund("alice", "MEBUKU", 1_000);
    let op = |amount| correct(issued, "MEBUKU", amount);
    let denied: [(Code, &[By]); 5] = [
        (Code::ApproversMissing, &[officer("issuer", "i1")]),
        (Code::ApproversMissing, &[officer("issuer", "i1"), officer("city", "c1")]),
        (Code::OrganisationsMissing, &[officer("issuer", "i1"), officer("issuer", "i2")]),
        (
            Code::OrganisationsMissing,
            &[officer("issuer", "i1"), officer("issuer", "i2"), officer("operator", "i1")],
        ),
        (
            Code::RoleMissing,
            &[officer("issuer", "i1"), officer("issuer", "i2"), officer("city", "p1")],
        ),
    ];
    for (code, signers) in denied {
        let tx = w.transaction("i1", op(100), signers);
        assert_eq!(w.block(core::slice::from_ref(&tx)), [code], "{signers:?}");
    }
    w.void(Code::MissingConsent, "alice", op(100), &[own("alice")]);
    w.apply("i1", op(100), &three());
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Terms, Form::Live));
    assert_eq!(outcome.cites, [issued]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 900);
}

#[test]
fn one_person_in_two_organisations_is_one_person() {
    let mut w = World::new();
    let issued = w.fund("alice", "MEBUKU", 1_000);
    let op = || correct(issued, "MEBUKU", 1);
    let city = officer("city", "both");
    let pair = |person: &str| [officer("issuer", person), officer("issuer", "both"), city.clone()];
    // Two persons of two organisations did sign, in whatever order their keys sort.
    w.apply("i1", op(), &pair("i1"));
    w.apply("i2", op(), &pair("i2"));
    let alone = [officer("issuer", "both"), city.clone()];
    w.void(Code::ApproversMissing, "both", op(), &alone);
}

#[test]
fn never_beyond_the_original_nor_a_completed_transfer() {
    let mut w = World::new();
    let issued = w.fund("alice", "MEBUKU", 1_000);
    w.fund("alice", "MEBUKU", 1_000);
    w.apply("i1", correct(issued, "MEBUKU", 600), &three());
    w.reject(Code::OverOriginal, "i1", correct(issued, "MEBUKU", 401), &three());
    w.apply("i1", correct(issued, "MEBUKU", 400), &three());
    assert_eq!(w.spendable("alice", "MEBUKU"), 1_000);
    let p2p = w.apply("alice", pay("alice", "bob", 500), &[debit("alice"), credit("bob")]);
    w.reject(Code::NotRefundable, "i1", correct(p2p, "MEBUKU", 1), &three());
    let sale = w.apply("alice", pay("alice", "shop", 500), &[debit("alice"), credit("shop")]);
    w.reject(Code::NotRefundable, "i1", correct(sale, "MEBUKU", 1), &three());
    w.reject(Code::UnknownOriginal, "i1", correct(TxId([0; 32]), "MEBUKU", 1), &three());
    w.reject(Code::AmountInvalid, "i1", correct(issued, "MEBUKU", 0), &three());
}

#[test]
fn a_shortfall_is_refused_owed_or_borne() {
    let mut w = World::new();
    let resident = |party: &str, name: &str, value: &str| {
        Operation::Attest(Attest {
            party: id(party),
            registrar: id("registrar"),
            attributes: vec![attribute(name, value)],
        })
    };
    let r = [officer("registrar", "r1")];
    w.apply("r1", resident("alice", "resident", "yes"), &r);
    w.apply("r1", resident("shop", "shop", "small"), &r);
    let of = |w: &mut World, name: &'static str| {
        let issued = w.fund("alice", name, 1_000);
        let op = pay_in("alice", "shop", &[(name, 500)]);
        w.apply("alice", op, &[debit("alice"), credit("shop")]);
        issued
    };
    // Points: refused.
    let points = of(&mut w, "POINT");
    w.reject(Code::InsufficientFunds, "i1", correct(points, "POINT", 501), &three());
    w.apply("i1", correct(points, "POINT", 500), &three());
    // Money: owed.
    let money = of(&mut w, "MEBUKU");
    w.apply("i1", correct(money, "MEBUKU", 800), &three());
    assert_eq!(w.owes("alice", "MEBUKU"), 300);
    assert_eq!(w.spendable("alice", "MEBUKU"), 0);
    w.apply("i1", correct(money, "MEBUKU", 200), &three());
    assert_eq!(w.owes("alice", "MEBUKU"), 500);
    // Vouchers: the issuer bears it.
    let voucher = of(&mut w, "VOUCHER");
    w.apply("i1", correct(voucher, "VOUCHER", 1_000), &three());
    assert_eq!(w.owes("alice", "VOUCHER"), 0);
    assert_eq!(w.spendable("alice", "VOUCHER"), 0);
    w.reject(Code::OverOriginal, "i1", correct(voucher, "VOUCHER", 500), &three());
}

#[test]
fn a_frozen_holder_is_corrected_all_the_same() {
    let mut w = World::new();
    let issued = w.fund("alice", "MEBUKU", 1_000);
    let freeze = Operation::Freeze(Freeze { party: id("alice"), evidence: document("x") });
    w.apply("alice", freeze, &[own("alice")]);
    w.apply("i1", correct(issued, "MEBUKU", 1_000), &three());
}
