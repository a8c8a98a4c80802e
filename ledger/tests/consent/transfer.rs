//! Transfers with live consents on both sides, and where value may go. Amounts that are none, or
//! more than there is: hostile inputs 5 and 12.

use crate::common::*;
use musubi_ledger::id::RosterLine;

#[test]
fn two_persons_both_sign() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    w.apply("alice", pay("alice", "bob", 300), &[debit("alice"), credit("bob")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 700);
    assert_eq!(w.spendable("bob", "MEBUKU"), 300);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Live));
    assert_eq!(outcome.cites, []);
    // Either side may send.
    w.apply("bob", pay("alice", "bob", 300), &[debit("alice"), credit("bob")]);
}

#[test]
fn one_side_is_not_enough() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let op = || pay("alice", "bob", 300);
    w.void(Code::MissingConsent, "alice", op(), &[debit("alice")]);
    w.void(Code::MissingConsent, "bob", op(), &[credit("bob")]);
    // Signed for the wrong side, the wrong party, or by a stranger in another's name.
    w.void(Code::MissingConsent, "alice", op(), &[debit("alice"), debit("bob")]);
    w.void(Code::MissingConsent, "alice", op(), &[debit("alice"), own("bob")]);
    w.void(Code::MissingConsent, "alice", op(), &[debit("alice"), credit("eve")]);
    let strangers = [debit("alice"), credit("bob").key("eve")];
    w.void(Code::KeyUnknown, "alice", op(), &strangers);
    let strangers = [debit("alice").key("eve"), credit("bob")];
    w.void(Code::KeyUnknown, "bob", op(), &strangers);
    // The sender alone fills both slots: a verdict.
    let alone = [debit("alice"), credit("bob").key("alice")];
    w.reject(Code::KeyUnknown, "alice", op(), &alone);
    assert_eq!(w.spendable("alice", "MEBUKU"), 1_000);
}

#[test]
fn a_shop_accepts_and_holds_a_claim() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    w.fund("alice", "COIN", 1_000);
    w.apply("alice", pay("alice", "shop", 300), &[debit("alice"), credit("shop")]);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 300);
    assert_eq!(w.spendable("shop", "MEBUKU"), 0);
    // A claim cannot be spent.
    let signers = [debit("shop"), credit("mart")];
    w.reject(Code::InsufficientFunds, "shop", pay("shop", "mart", 1), &signers);
    // What the instrument lets merchants keep can be.
    let op = pay_in("alice", "shop", &[("COIN", 300)]);
    w.apply("alice", op, &[debit("alice"), credit("shop")]);
    w.apply("shop", pay_in("shop", "mart", &[("COIN", 100)]), &signers);
    assert_eq!(w.spendable("mart", "COIN"), 100);
    // But a merchant pays no person.
    let op = pay_in("shop", "bob", &[("COIN", 100)]);
    w.reject(Code::TransferNotAllowed, "shop", op, &[debit("shop"), credit("bob")]);
}

#[test]
fn dues_for_another_member() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let mut body = w.body("alice", pay("alice", "club", 300));
    body.purpose = Purpose::DUES;
    body.on_behalf_of = Some(RosterLine([5; 16]));
    w.applies(&sign(body, &[debit("alice"), receives("club", "carol")]));
    assert_eq!(w.spendable("club", "MEBUKU"), 300);
    // Any one holder of a role receives; a stranger does not.
    for by in [receives("club", "alice"), receives("club", "bob")] {
        let role = if by.key == "bob" { Role::Approver } else { Role::Drafter };
        let by = By { role, ..by };
        w.apply("alice", pay("alice", "club", 1), &[debit("alice"), by]);
    }
    let representative = crate::common::by(Side::Credit, Role::Representative, "club", "dave");
    w.apply("alice", pay("alice", "club", 1), &[debit("alice"), representative]);
    let strangers = [debit("alice"), receives("club", "eve")];
    w.void(Code::RoleMissing, "alice", pay("alice", "club", 1), &strangers);
    let wrong_role = [debit("alice"), receives("club", "bob")];
    w.void(Code::RoleMissing, "alice", pay("alice", "club", 1), &wrong_role);
    w.void(Code::MissingConsent, "alice", pay("alice", "club", 1), &[debit("alice")]);
}

#[test]
fn amounts_and_legs_are_well_formed() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    w.fund("alice", "POINT", 1_000);
    let signers = [debit("alice"), credit("shop")];
    let mut check = |code: Code, of: &[(&str, u64)]| {
        w.reject(code, "alice", pay_in("alice", "shop", of), &signers);
    };
    check(Code::NotWellFormed, &[]);
    check(Code::AmountInvalid, &[("MEBUKU", 0)]);
    check(Code::NotWellFormed, &[("POINT", 1), ("MEBUKU", 1)]);
    check(Code::NotWellFormed, &[("MEBUKU", 1), ("MEBUKU", 1)]);
    check(Code::UnknownInstrument, &[("NONE", 1)]);
    check(Code::AmountOverflow, &[("MEBUKU", u64::MAX), ("POINT", 1)]);
    check(Code::InsufficientFunds, &[("MEBUKU", u64::MAX)]);
    check(Code::InsufficientFunds, &[("MEBUKU", 1), ("POINT", 1_001)]);
    let both = pay_in("alice", "shop", &[("MEBUKU", 10), ("POINT", 20)]);
    w.apply("alice", both, &signers);
    assert_eq!(w.holds("shop", "POINT", Holding::Claim), 20);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 10);
}

#[test]
fn citations_stand_on_their_own_side() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let signers = [debit("alice"), credit("shop")];
    let showing = Citation::Medium { medium: medium("card"), mandate: TxId([0; 32]) };
    for (debit, credit) in [(Citation::Request, Citation::Live), (Citation::Live, showing)] {
        let movement = Movement { debit, credit, ..movement("alice", "shop", 1) };
        let op = Operation::Transfer(movement);
        w.reject(Code::NotWellFormed, "alice", op, &signers);
    }
}

#[test]
fn an_instrument_moves_only_where_its_terms_say() {
    let mut w = World::new();
    w.fund("alice", "COIN", 1_000);
    w.fund("club", "COIN", 1_000);
    let p2p = pay_in("alice", "bob", &[("COIN", 1)]);
    w.reject(Code::TransferNotAllowed, "alice", p2p, &[debit("alice"), credit("bob")]);
    let to_group = pay_in("alice", "club", &[("COIN", 1)]);
    w.apply("alice", to_group, &[debit("alice"), receives("club", "bob").key("alice")]);
    let from_group = pay_in("club", "eve", &[("COIN", 1)]);
    let signers = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    w.apply("alice", from_group, &signers);
    let itself = [debit("alice"), credit("alice")];
    w.reject(Code::SameParty, "alice", pay("alice", "alice", 1), &itself);
    w.reject(Code::UnknownParty, "alice", pay("alice", "nobody", 1), &[debit("alice")]);
    // To another registrar, organisation or issuer: only an instrument's own issuer takes it back.
    let signers = [debit("alice"), by(Side::Credit, Role::Officer, "registrar", "r1")];
    w.reject(Code::TransferNotAllowed, "alice", pay("alice", "registrar", 1), &signers);
    let op = pay_in("alice", "issuer", &[("COIN", 1)]);
    w.apply("alice", op, &[debit("alice"), settles()]);
}

#[test]
fn vouchers_have_holders_acceptors_and_steps() {
    let mut w = World::new();
    let attest = |party: &str, name: &str, value: &str| {
        Operation::Attest(Attest {
            party: id(party),
            registrar: id("registrar"),
            attributes: vec![attribute(name, value)],
        })
    };
    let officer = [officer("registrar", "r2")];
    let op = top_up(w.allowance("VOUCHER"), "alice", 1_000, "v1");
    let signers = [issues(), credit("alice")];
    w.reject(Code::HolderNotEligible, "issuer", Operation::TopUp(op.clone()), &signers);
    w.apply("r2", attest("alice", "resident", "yes"), &officer);
    w.apply("issuer", Operation::TopUp(op), &signers);
    let signers = [debit("alice"), credit("shop")];
    let pay = |amount| pay_in("alice", "shop", &[("VOUCHER", amount)]);
    w.reject(Code::AcceptorNotEligible, "alice", pay(500), &signers);
    w.apply("r2", attest("shop", "shop", "large"), &officer);
    w.reject(Code::AcceptorNotEligible, "alice", pay(500), &signers);
    w.apply("r2", attest("shop", "shop", "small"), &officer);
    w.reject(Code::AmountInvalid, "alice", pay(499), &signers);
    w.apply("alice", pay(500), &signers);
    let p2p = pay_in("alice", "bob", &[("VOUCHER", 500)]);
    w.reject(Code::TransferNotAllowed, "alice", p2p, &[debit("alice"), credit("bob")]);
}

#[test]
fn ceilings_of_one_transfer_and_one_wallet() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 900_000);
    w.fund("bob", "MEBUKU", 900_000);
    let signers = [debit("alice"), credit("bob")];
    w.reject(Code::OverTransferMax, "alice", pay("alice", "bob", 300_001), &signers);
    w.reject(Code::OverWalletMax, "alice", pay("alice", "bob", 100_001), &signers);
    w.apply("alice", pay("alice", "bob", 100_000), &signers);
    // A shop's claims know neither.
    w.apply("alice", pay("alice", "shop", 800_000), &[debit("alice"), credit("shop")]);
    let top_up = top_up(w.allowance("MEBUKU"), "bob", 1, "over");
    let signers = [issues(), credit("bob")];
    w.reject(Code::OverWalletMax, "issuer", Operation::TopUp(top_up), &signers);
}

#[test]
fn frozen_parties_neither_give_nor_receive() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    w.fund("bob", "MEBUKU", 1_000);
    let freeze = Operation::Freeze(Freeze { party: id("bob"), evidence: document("theft") });
    w.apply("r1", freeze, &[officer("registrar", "r1")]);
    let signers = [debit("alice"), credit("bob")];
    w.reject(Code::PartyFrozen, "alice", pay("alice", "bob", 1), &signers);
    let signers = [debit("bob"), credit("alice")];
    w.reject(Code::PartyFrozen, "bob", pay("bob", "alice", 1), &signers);
    w.reject(Code::PartyFrozen, "alice", pay("bob", "alice", 1), &signers);
}
