//! Holds: exchanges with points outside, and benefits of the issuer's.

use crate::common::*;
use musubi_ledger::{
    lot::OriginKind,
    state::{Held, HoldStatus, Shared},
};

fn world() -> World {
    let mut w = World::new();
    w.register("airline", PartyKind::External);
    w.fund("alice", "COIN", 10_000);
    w.issue("alice", "POINT", 1_000, OriginKind::Free, 1);
    w.fund("club", "COIN", 200_000);
    w
}

fn hold_in(w: &World, from: &str, to: &str, of: (&str, u64)) -> Hold {
    Hold {
        from: id(from),
        to: id(to),
        leg: legs(&[of])[0],
        deadline: w.now.plus(5 * DAY),
        order: document("order form"),
    }
}

fn held(w: &mut World, to: &str, amount: u64) -> TxId {
    let op = Operation::Hold(hold_in(w, "alice", to, ("COIN", amount)));
    w.apply("alice", op, &[debit("alice")])
}

fn kept(w: &World, hold: TxId) -> Held {
    match w.state.row(&RowKey::Hold(hold)) {
        Some(Row::Hold(held)) => Shared::into_value(held),
        other => panic!("{other:?}"),
    }
}

fn settled(hold: TxId, reference: &str) -> Operation {
    let answer = HoldAnswer::Settled { reference: document(reference) };
    Operation::AnswerHold(AnswerHold { hold, answer })
}

fn returned(hold: TxId) -> Operation {
    let answer = HoldAnswer::Returned { notice: document("sold out") };
    Operation::AnswerHold(AnswerHold { hold, answer })
}

fn amounts(w: &World, of: &str) -> (u64, u64) {
    (w.spendable("alice", of), w.holds("alice", of, Holding::Held))
}

#[test]
fn value_waits_and_is_burnt_when_the_other_system_has_delivered() {
    let mut w = world();
    let op = Operation::Hold(hold_in(&w, "alice", "airline", ("COIN", 4_000)));
    w.void(Code::MissingConsent, "airline", op.clone(), &[own("airline")]);
    let waits = w.apply("alice", op, &[debit("alice")]);
    assert_eq!((w.outcome().debit, w.outcome().credit), (Form::Live, Form::Terms));
    assert_eq!(amounts(&w, "COIN"), (6_000, 4_000));
    let op = pay_in("alice", "shop", &[("COIN", 7_000)]);
    w.reject(Code::InsufficientFunds, "alice", op, &[debit("alice"), credit("shop")]);
    let both = [credit("airline"), settles()];
    w.void(Code::MissingConsent, "airline", settled(waits, "PNR 1"), &both[..1]);
    w.void(Code::MissingConsent, "issuer", settled(waits, "PNR 1"), &both[1..]);
    w.apply("airline", settled(waits, "PNR 1"), &both);
    assert_eq!(amounts(&w, "COIN"), (6_000, 0));
    assert_eq!(w.totals("COIN").paid.redeemed, Amount(4_000));
    w.reject(Code::RedemptionNotOpen, "airline", settled(waits, "PNR 2"), &both);
    w.reject(Code::RedemptionNotOpen, "airline", returned(waits), &both[..1]);
    w.reject(Code::UnknownRedemption, "airline", returned(TxId([1; 32])), &both[..1]);
}

#[test]
fn a_reference_outside_is_used_once_for_ever() {
    let mut w = world();
    let both = [credit("airline"), settles()];
    let (one, two) = (held(&mut w, "airline", 10), held(&mut w, "airline", 20));
    w.apply("airline", settled(one, "PNR 1"), &both);
    w.reject(Code::FundingUsed, "airline", settled(two, "PNR 1"), &both);
    assert_eq!(kept(&w, two).status, HoldStatus::Open);
    w.apply("airline", settled(two, "PNR 2"), &both);
    // Points from outside come in by an allowance, attested by the other system, once for each reference.
    let op = TopUp {
        origin: OriginKind::Free,
        funder: id("airline"),
        ..top_up(w.allowance("POINT"), "alice", 300, "MILES 7")
    };
    let signers = [issues(), credit("alice"), funds("airline")];
    w.apply("issuer", Operation::TopUp(op.clone()), &signers);
    w.void(
        Code::MissingConsent,
        "issuer",
        Operation::TopUp(TopUp { funding: document("MILES 8"), ..op.clone() }),
        &signers[..2],
    );
    w.reject(Code::FundingUsed, "issuer", Operation::TopUp(op), &signers);
}

#[test]
fn either_side_returns_it() {
    let mut w = world();
    for signer in [credit("airline"), settles()] {
        let waits = held(&mut w, "airline", 4_000);
        let sender = signer.party.clone();
        w.apply(&sender, returned(waits), &[signer]);
        assert_eq!(amounts(&w, "COIN"), (10_000, 0));
    }
    let waits = held(&mut w, "airline", 4_000);
    w.void(Code::MissingConsent, "alice", returned(waits), &[own("alice")]);
    w.void(Code::MissingConsent, "shop", returned(waits), &[credit("shop")]);
}

#[test]
fn time_returns_it_and_an_answer_in_the_same_block_is_late() {
    let mut w = world();
    let waits = held(&mut w, "airline", 4_000);
    w.now = Time(kept(&w, waits).deadline.0 - SECOND);
    w.reject(
        Code::RedemptionNotOpen,
        "airline",
        settled(waits, "PNR 1"),
        &[credit("airline"), settles()],
    );
    let [returned, answer] = w.last.entries.as_slice() else { panic!("{:?}", w.last.entries) };
    assert_eq!(returned.outcome.debit, Form::Time);
    assert_eq!(returned.parties, ids(&["airline", "alice"]));
    assert_eq!(answer.leaf.code, Code::RedemptionNotOpen);
    assert_eq!((amounts(&w, "COIN"), kept(&w, waits).status), ((10_000, 0), HoldStatus::TimedOut));
}

#[test]
fn a_benefit_is_ordered_from_the_issuer_and_fulfilled_or_cancelled_by_it() {
    let mut w = world();
    let order = hold_in(&w, "alice", "issuer", ("POINT", 400));
    let waits = w.apply("alice", Operation::Hold(order), &[debit("alice")]);
    assert_eq!(amounts(&w, "POINT"), (600, 400));
    w.apply("issuer", settled(waits, "parcel 1"), &[settles()]);
    assert_eq!(w.totals("POINT").free.redeemed, Amount(400));
    let order = hold_in(&w, "alice", "issuer", ("POINT", 600));
    let waits = w.apply("alice", Operation::Hold(order), &[debit("alice")]);
    w.apply("issuer", returned(waits), &[settles()]);
    assert_eq!(amounts(&w, "POINT"), (600, 0));
}

#[test]
fn only_to_whom_it_may_go_and_only_as_long_as_it_lasts() {
    let mut w = world();
    let rejects = |w: &mut World, code, op: Hold| {
        w.reject(code, "alice", Operation::Hold(op), &[debit("alice")]);
    };
    let good = hold_in(&w, "alice", "airline", ("COIN", 100));
    rejects(&mut w, Code::AmountInvalid, Hold { leg: legs(&[("COIN", 0)])[0], ..good });
    for to in ["shop", "bob", "city"] {
        rejects(&mut w, Code::WrongKind, Hold { to: id(to), ..good });
    }
    rejects(&mut w, Code::UnknownParty, Hold { to: id("nobody"), ..good });
    rejects(&mut w, Code::UnknownInstrument, Hold { leg: legs(&[("NONE", 1)])[0], ..good });
    rejects(&mut w, Code::InsufficientFunds, Hold { leg: legs(&[("COIN", 10_001)])[0], ..good });
    for ms in [60_000, 91 * DAY] {
        let deadline = w.now.plus(ms);
        rejects(&mut w, Code::DeadlineInvalid, Hold { deadline, ..good });
    }
    // Points live for ten days: they wait for no longer.
    let points = hold_in(&w, "alice", "airline", ("POINT", 100));
    let late = Hold { deadline: w.now.plus(12 * DAY), ..points };
    rejects(&mut w, Code::InsufficientFunds, late);
    w.apply("alice", Operation::Hold(points), &[debit("alice")]);
    w.wait(12 * DAY);
    assert_eq!(amounts(&w, "POINT"), (0, 0), "returned, then expired");
}

#[test]
fn what_was_paid_for_a_prepaid_instrument_is_not_cashed_outside() {
    let mut w = world();
    let terms = musubi_ledger::instrument::Terms::plain(
        id("issuer"),
        musubi_ledger::instrument::Regime::PrepaidThird,
        document("terms"),
    );
    w.open("CARD", terms);
    w.fund("alice", "CARD", 500);
    w.issue("alice", "CARD", 70, OriginKind::Free, 1);
    let op = Operation::Hold(hold_in(&w, "alice", "airline", ("CARD", 71)));
    w.reject(Code::InsufficientFunds, "alice", op, &[debit("alice")]);
    let op = Operation::Hold(hold_in(&w, "alice", "airline", ("CARD", 70)));
    w.apply("alice", op, &[debit("alice")]);
    let op = Operation::Hold(hold_in(&w, "alice", "issuer", ("CARD", 500)));
    w.apply("alice", op, &[debit("alice")]);
}

#[test]
fn a_group_holds_by_drafter_and_approver() {
    let mut w = world();
    let op = Operation::Hold(hold_in(&w, "club", "airline", ("COIN", 500)));
    w.void(Code::MissingConsent, "alice", op.clone(), &[drafts("club", "alice")]);
    let waits = w.apply("alice", op, &[drafts("club", "alice"), approves("club", "bob")]);
    let two = [member("club", "alice"), checker("club", "bob")];
    w.apply("alice", Operation::CloseGroup { group: id("club") }, &two);
    w.reject(Code::WalletNotEmpty, "alice", Operation::CloseGroup { group: id("club") }, &two);
    w.apply("airline", returned(waits), &[credit("airline")]);
    assert_eq!(w.spendable("club", "COIN"), 200_000);
}
