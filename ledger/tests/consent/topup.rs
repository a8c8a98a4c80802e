//! Top-ups inside allowances, and the allowances themselves: hostile inputs 6 and 11.

use crate::common::*;
use musubi_ledger::lot::OriginKind;

fn grant(w: &mut World, total: u64, per_wallet: u64, per_day: u64, end: Time) -> TxId {
    let op = allowance("MEBUKU", total, per_wallet, per_day, end);
    w.apply("i1", op, &[officer("issuer", "i1"), officer("city", "c1")])
}

fn live(to: &str) -> [By; 2] {
    [issues(), credit(to)]
}

#[test]
fn issuer_holder_and_funder_consent() {
    let mut w = World::new();
    let a = w.allowance("MEBUKU");
    let op = |funding: &str| Operation::TopUp(top_up(a, "alice", 500, funding));
    w.apply("issuer", op("f1"), &live("alice"));
    assert_eq!(w.spendable("alice", "MEBUKU"), 500);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Allowance, Form::Live));
    assert_eq!(outcome.cites, [a]);
    w.void(Code::MissingConsent, "issuer", op("f2"), &[issues()]);
    w.void(Code::MissingConsent, "alice", op("f2"), &[credit("alice")]);
    let spare = [issues().key("issuer/spare"), credit("alice")];
    w.void(Code::RoleMissing, "issuer", op("f2"), &spare);
    let officer = [by(Side::Debit, Role::Officer, "issuer", "i1"), credit("alice")];
    w.void(Code::MissingConsent, "alice", op("f2"), &officer);
    let forged = [issues().key("eve"), credit("alice")];
    w.void(Code::KeyUnknown, "alice", op("f2"), &forged);
}

#[test]
fn somebody_else_pays_for_it() {
    let mut w = World::new();
    let op = TopUp {
        funder: id("bob"),
        origin: OriginKind::Grant,
        ..top_up(w.allowance("MEBUKU"), "alice", 500, "gift")
    };
    let op = || Operation::TopUp(op.clone());
    w.void(Code::MissingConsent, "issuer", op(), &live("alice"));
    let three = [issues(), credit("alice"), funds("bob")];
    w.apply("issuer", op(), &three);
    let lot = w.wallet("alice").lots[0].lot;
    assert_eq!((lot.origin, lot.funder), (OriginKind::Grant, id("bob")));
    let nobody =
        TopUp { funder: id("nobody"), ..top_up(w.allowance("MEBUKU"), "alice", 500, "gift 2") };
    w.reject(Code::UnknownParty, "issuer", Operation::TopUp(nobody), &live("alice"));
    // An issuer funds its own points by the same key.
    let own = TopUp {
        funder: id("issuer"),
        origin: OriginKind::Free,
        ..top_up(w.allowance("POINT"), "alice", 5, "points")
    };
    w.apply("issuer", Operation::TopUp(own), &live("alice"));
}

#[test]
fn an_outside_payment_is_used_once_for_ever() {
    let mut w = World::new();
    let op = |to: &str| Operation::TopUp(top_up(w.allowance("MEBUKU"), to, 500, "transfer 77"));
    let (first, again, other) = (op("alice"), op("alice"), op("bob"));
    w.apply("issuer", first, &live("alice"));
    w.reject(Code::FundingUsed, "issuer", again, &live("alice"));
    w.reject(Code::FundingUsed, "issuer", other, &live("bob"));
}

#[test]
fn every_cap_of_an_allowance_binds() {
    let mut w = World::new();
    let end = w.now.plus(30 * DAY);
    let a = grant(&mut w, 10_000, 3_000, 5_000, end);
    let op = |to: &str, amount, f: &str| Operation::TopUp(top_up(a, to, amount, f));
    w.apply("issuer", op("alice", 3_000, "1"), &live("alice"));
    w.reject(Code::OverAllowance, "issuer", op("alice", 1, "2"), &live("alice"));
    w.reject(Code::OverAllowance, "issuer", op("bob", 2_001, "3"), &live("bob"));
    w.apply("issuer", op("bob", 2_000, "4"), &live("bob"));
    w.reject(Code::OverAllowance, "issuer", op("carol", 1, "5"), &live("carol"));
    w.wait(DAY);
    w.apply("issuer", op("carol", 3_000, "6"), &live("carol"));
    w.apply("issuer", op("dave", 2_000, "7"), &live("dave"));
    w.wait(DAY);
    w.reject(Code::OverAllowance, "issuer", op("eve", 1, "8"), &live("eve"));
}

#[test]
fn an_allowance_ends_and_is_revoked_by_one_officer_of_the_issuer() {
    let mut w = World::new();
    let end = w.now.plus(3 * SECOND);
    let a = grant(&mut w, 100, 100, 100, end);
    let op = |a, f: &str| Operation::TopUp(top_up(a, "alice", 1, f));
    w.apply("issuer", op(a, "1"), &live("alice"));
    w.reject(Code::AllowanceNotActive, "issuer", op(a, "2"), &live("alice"));
    w.reject(Code::UnknownAllowance, "issuer", op(TxId([0; 32]), "3"), &live("alice"));
    let a = w.allowance("MEBUKU");
    let end = || Operation::RevokeAllowance { allowance: a };
    w.reject(Code::RoleMissing, "c1", end(), &[officer("issuer", "c1")]);
    w.void(Code::MissingConsent, "c1", end(), &[officer("city", "c1")]);
    w.apply("i2", end(), &[officer("issuer", "i2")]);
    w.reject(Code::AllowanceNotActive, "i2", end(), &[officer("issuer", "i2")]);
    w.reject(Code::AllowanceNotActive, "issuer", op(a, "4"), &live("alice"));
}

#[test]
fn allowances_take_two_persons_of_two_organisations() {
    let mut w = World::new();
    let end = w.now.plus(DAY);
    let op = || allowance("MEBUKU", 100, 100, 100, end);
    let denied: [(Code, &str, &[By]); 7] = [
        (Code::OrganisationsMissing, "i1", &[officer("issuer", "i1")]),
        (Code::OrganisationsMissing, "i1", &[officer("issuer", "i1"), officer("issuer", "i2")]),
        (
            // The issuer belongs to the operator: its own organisation is no other one.
            Code::OrganisationsMissing,
            "i1",
            &[officer("issuer", "i1"), officer("operator", "i2")],
        ),
        (Code::MissingConsent, "c1", &[officer("city", "c1")]),
        (Code::SamePerson, "both", &[officer("issuer", "both"), officer("city", "both")]),
        (Code::RoleMissing, "i1", &[officer("issuer", "i1"), officer("city", "p1")]),
        (Code::RoleMissing, "c1", &[officer("issuer", "c1"), officer("city", "c1")]),
    ];
    for (code, sender, signers) in denied {
        let tx = w.transaction(sender, op(), signers);
        assert_eq!(w.block(core::slice::from_ref(&tx)), [code], "{signers:?}");
    }
    w.apply("i1", op(), &[officer("issuer", "i1"), officer("partner", "p1")]);
    w.apply("i1", op(), &[officer("issuer", "i1"), officer("registrar", "r1")]);
}

#[test]
fn allowances_are_well_formed() {
    let mut w = World::new();
    let end = w.now.plus(DAY);
    let two = [officer("issuer", "i1"), officer("city", "c1")];
    for (total, wallet, day) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        let op = allowance("MEBUKU", total, wallet, day, end);
        w.reject(Code::NotWellFormed, "i1", op, &two);
    }
    w.reject(Code::UnknownInstrument, "i1", allowance("NONE", 1, 1, 1, end), &two);
    let op = allowance("MEBUKU", 1, 1, 1, BEGIN);
    w.reject(Code::DeadlineInvalid, "i1", op, &two);
    for stranger in ["alice", "nobody"] {
        let op = Operation::GrantAllowance(GrantAllowance {
            instrument: instrument("MEBUKU"),
            key: key(stranger).public(),
            total: Amount(1),
            per_wallet: Amount(1),
            per_day: Amount(1),
            end,
        });
        w.reject(Code::WrongKind, "i1", op, &two);
    }
}

#[test]
fn a_compromised_officers_allowance_is_dead() {
    let mut w = World::new();
    let compromised = Operation::RevokeKey(RevokeKey {
        party: id("i1"),
        key: key("i1").public(),
        compromised: true,
    });
    w.apply("r1", compromised, &[officer("registrar", "r1")]);
    let op = Operation::TopUp(top_up(w.allowance("MEBUKU"), "alice", 1, "f"));
    w.reject(Code::AllowanceNotActive, "issuer", op, &live("alice"));
}

#[test]
fn only_persons_and_groups_that_are_open_are_topped_up() {
    let mut w = World::new();
    let a = w.allowance("MEBUKU");
    let op = |to: &str, amount| Operation::TopUp(top_up(a, to, amount, "f"));
    w.reject(Code::WrongKind, "issuer", op("shop", 1), &live("shop"));
    w.reject(Code::AmountInvalid, "issuer", op("alice", 0), &live("alice"));
    w.reject(Code::UnknownParty, "issuer", op("nobody", 1), &[issues()]);
    let cited = |credit| Operation::TopUp(TopUp { credit, ..top_up(a, "alice", 1, "f") });
    w.reject(Code::NotWellFormed, "issuer", cited(Citation::Request), &live("alice"));
    let freeze = Operation::Freeze(Freeze { party: id("alice"), evidence: document("x") });
    w.apply("alice", freeze, &[own("alice")]);
    w.reject(Code::PartyFrozen, "issuer", op("alice", 1), &live("alice"));
    let close = Operation::CloseGroup { group: id("club") };
    w.apply("bob", close, &[checker("club", "bob"), checker("club", "carol")]);
    let signers = [issues(), receives("club", "carol")];
    w.reject(Code::GroupClosing, "issuer", op("club", 1), &signers);
    let freeze = Operation::Freeze(Freeze { party: id("issuer"), evidence: document("x") });
    // No registrar stops an issuer alone; its own officer does.
    w.void(Code::MissingConsent, "r1", freeze.clone(), &[officer("registrar", "r1")]);
    w.apply("i1", freeze, &[officer("issuer", "i1")]);
    w.reject(Code::PartyFrozen, "issuer", op("bob", 1), &live("bob"));
}

#[test]
fn a_standing_acceptance_takes_top_ups() {
    let mut w = World::new();
    let accepts = MandateTerms {
        counterparty: Counterparty::Party(id("issuer")),
        ..terms(Direction::Credit, 100)
    };
    let accepts = w.apply("alice", mandate("alice", accepts), &[credit("alice")]);
    let op = |amount, f: &str| {
        Operation::TopUp(TopUp {
            credit: Citation::Mandate(accepts),
            ..top_up(w.allowances["MEBUKU"], "alice", amount, f)
        })
    };
    let (good, over) = (op(100, "1"), op(101, "2"));
    w.apply("issuer", good, &[issues()]);
    assert_eq!(w.outcome().credit, Form::Mandate);
    w.reject(Code::OverMandate, "issuer", over, &[issues()]);
}

#[test]
fn sums_stay_in_range() {
    let mut w = World::new();
    let end = w.now.plus(365 * DAY);
    let all = u64::MAX;
    let op = allowance("POINT", all, all, all, end);
    let two = [officer("issuer", "i1"), officer("city", "c1")];
    let a = w.apply("i1", op, &two);
    let op = |amount, f: &str| Operation::TopUp(top_up(a, "alice", amount, f));
    w.reject(Code::OverWalletMax, "issuer", op(all, "1"), &live("alice"));
    w.apply("issuer", op(1, "2"), &live("alice"));
    w.reject(Code::AmountOverflow, "issuer", op(all, "3"), &live("alice"));
}

#[test]
fn what_has_ended_is_not_issued() {
    let mut w = World::new();
    let resident = Operation::Attest(Attest {
        party: id("alice"),
        registrar: id("registrar"),
        attributes: vec![attribute("resident", "yes")],
    });
    w.apply("r1", resident, &[officer("registrar", "r1")]);
    w.wait(20 * DAY);
    let op = Operation::TopUp(top_up(w.allowance("VOUCHER"), "alice", 500, "late"));
    w.reject(Code::IssueEnded, "issuer", op, &live("alice"));
}
