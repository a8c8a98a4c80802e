//! Refunds: the payee consents, the payer's credit is presumed, in the original's own lots (INV-7).

use crate::common::*;
use musubi_ledger::outcome::{Owed, Sign};

fn bought() -> (World, TxId) {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    let sale = w.apply("alice", pay("alice", "shop", 1_000), &[debit("alice"), credit("shop")]);
    (w, sale)
}

fn redeem(w: &mut World, amount: u64) -> TxId {
    let op = Operation::RequestRedemption(RequestRedemption {
        merchant: id("shop"),
        leg: legs(&[("MEBUKU", amount)])[0],
        deadline: w.now.plus(30 * DAY),
    });
    w.apply("shop", op, &[debit("shop")])
}

fn pay_out(w: &mut World, redemption: TxId) {
    let op = Operation::AnswerRedemption(AnswerRedemption {
        redemption,
        answer: RedemptionAnswer::Paid { payout: document("zengin") },
    });
    w.apply("issuer", op, &[settles()]);
}

#[test]
fn a_shop_gives_back_in_parts_up_to_the_whole() {
    let (mut w, sale) = bought();
    let signer = [debit("shop")];
    w.apply("shop", refund(sale, 400), &signer);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Terms));
    assert_eq!(outcome.cites, [sale]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 9_400);
    w.reject(Code::OverOriginal, "shop", refund(sale, 601), &signer);
    w.apply("shop", refund(sale, 600), &signer);
    assert_eq!(w.spendable("alice", "MEBUKU"), 10_000);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 0);
    w.reject(Code::OverOriginal, "shop", refund(sale, 1), &signer);
}

#[test]
fn only_the_payee_gives_back() {
    let (mut w, sale) = bought();
    w.void(Code::MissingConsent, "alice", refund(sale, 1), &[debit("alice")]);
    w.void(Code::MissingConsent, "alice", refund(sale, 1), &[credit("alice")]);
    w.reject(Code::KeyUnknown, "alice", refund(sale, 1), &[debit("shop").key("alice")]);
    w.reject(Code::UnknownOriginal, "shop", refund(TxId([0; 32]), 1), &[debit("shop")]);
    let of = |legs| Operation::Refund(Refund { original: sale, legs });
    let signer = [debit("shop")];
    w.reject(Code::NotWellFormed, "shop", of(vec![]), &signer);
    w.reject(Code::AmountInvalid, "shop", of(legs(&[("MEBUKU", 0)])), &signer);
    w.reject(Code::UnknownInstrument, "shop", of(legs(&[("NONE", 1)])), &signer);
    w.reject(Code::OverOriginal, "shop", of(legs(&[("COIN", 1)])), &signer);
}

#[test]
fn only_an_applied_transfer_is_refunded() {
    let (mut w, sale) = bought();
    let failed =
        w.transaction("alice", pay("alice", "shop", 90_000), &[debit("alice"), credit("shop")]);
    w.rejects(Code::InsufficientFunds, &failed);
    w.reject(Code::UnknownOriginal, "shop", refund(failed.body.id(), 1), &[debit("shop")]);
    let back = w.apply("shop", refund(sale, 10), &[debit("shop")]);
    w.reject(Code::UnknownOriginal, "alice", refund(back, 1), &[debit("alice")]);
    let issued = w.fund("alice", "MEBUKU", 5);
    w.reject(Code::NotRefundable, "alice", refund(issued, 1), &[debit("alice")]);
}

#[test]
fn what_is_redeemed_is_restored_against_a_receivable() {
    let (mut w, sale) = bought();
    let asked = redeem(&mut w, 700);
    pay_out(&mut w, asked);
    w.apply("shop", refund(sale, 1_000), &[debit("shop")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 10_000);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 0);
    assert_eq!(w.owes("shop", "MEBUKU"), 700);
    let receivables = w.outcome().receivables;
    let owed = Owed {
        party: id("shop"),
        instrument: instrument("MEBUKU"),
        sign: Sign::Plus,
        amount: Amount(700),
    };
    assert_eq!(receivables, [owed]);
}

#[test]
fn what_waits_for_payout_is_not_given_back() {
    let (mut w, sale) = bought();
    let asked = redeem(&mut w, 800);
    let signer = [debit("shop")];
    w.reject(Code::ClaimHeld, "shop", refund(sale, 201), &signer);
    w.apply("shop", refund(sale, 200), &signer);
    w.reject(Code::ClaimHeld, "shop", refund(sale, 1), &signer);
    assert_eq!(w.owes("shop", "MEBUKU"), 0);
    pay_out(&mut w, asked);
    w.apply("shop", refund(sale, 300), &signer);
    assert_eq!(w.owes("shop", "MEBUKU"), 300);
}

/// Whatever shop and buyer do with each other, all that the shop is ever paid out and all that buyers
/// hold is what was sold.
#[test]
fn shop_and_buyer_print_no_money() {
    let (mut w, first) = bought();
    let asked = redeem(&mut w, 1_000);
    pay_out(&mut w, asked);
    w.apply("shop", refund(first, 1_000), &[debit("shop")]);
    assert_eq!(w.owes("shop", "MEBUKU"), 1_000);
    // The same thousand again: the issuer has paid for it already.
    let signers = [debit("alice"), credit("shop")];
    let second = w.apply("alice", pay("alice", "shop", 1_000), &signers);
    let op = |w: &World, amount| {
        Operation::RequestRedemption(RequestRedemption {
            merchant: id("shop"),
            leg: legs(&[("MEBUKU", amount)])[0],
            deadline: w.now.plus(30 * DAY),
        })
    };
    let more = op(&w, 1);
    w.reject(Code::InsufficientClaim, "shop", more, &[debit("shop")]);
    w.apply("alice", pay("alice", "shop", 500), &signers);
    let more = op(&w, 501);
    w.reject(Code::InsufficientClaim, "shop", more, &[debit("shop")]);
    redeem(&mut w, 500);
    // A second refund takes the claim that is there, and is owed no second time.
    w.apply("shop", refund(second, 1_000), &[debit("shop")]);
    assert_eq!(w.owes("shop", "MEBUKU"), 1_000);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 0);
}

#[test]
fn kept_value_must_still_be_there() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 500);
    let gift = w.apply("alice", pay("alice", "bob", 500), &[debit("alice"), credit("bob")]);
    w.apply("bob", pay("bob", "carol", 400), &[debit("bob"), credit("carol")]);
    w.reject(Code::InsufficientFunds, "bob", refund(gift, 101), &[debit("bob")]);
    w.apply("bob", refund(gift, 100), &[debit("bob")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 100);
}

#[test]
fn into_an_expired_lot_it_is_restored_and_expires_at_once() {
    let mut w = World::new();
    w.fund("alice", "POINT", 100);
    let op = pay_in("alice", "shop", &[("POINT", 100)]);
    let sale = w.apply("alice", op, &[debit("alice"), credit("shop")]);
    w.wait(11 * DAY);
    let back = Operation::Refund(Refund { original: sale, legs: legs(&[("POINT", 30)]) });
    w.apply("shop", back, &[debit("shop")]);
    assert_eq!(w.outcome().postings.len(), 4, "from the shop, to the payer, from her, and burnt");
    assert_eq!(w.holds("alice", "POINT", Holding::Spendable), 0);
    assert_eq!(w.holds("shop", "POINT", Holding::Claim), 70);
    let totals = w.totals("POINT");
    assert_eq!((totals.paid.expired.0, totals.outstanding().0), (30, 70));
    let spend = pay_in("alice", "shop", &[("POINT", 1)]);
    let late = w.transaction("alice", spend, &[debit("alice"), credit("shop")]);
    assert_eq!(w.block(&[late]), [Code::InsufficientFunds]);
    assert_eq!(w.last.entries.len(), 1, "there is nothing to sweep");
}

#[test]
fn the_latest_expiry_comes_back_first() {
    let mut w = World::new();
    w.fund("alice", "POINT", 100);
    w.wait(DAY);
    w.fund("alice", "POINT", 100);
    let op = pay_in("alice", "shop", &[("POINT", 150)]);
    let sale = w.apply("alice", op, &[debit("alice"), credit("shop")]);
    let back = Operation::Refund(Refund { original: sale, legs: legs(&[("POINT", 60)]) });
    w.apply("shop", back, &[debit("shop")]);
    let wallet = w.wallet("alice");
    let amounts: Vec<u64> = wallet.lots.iter().map(|b| b.spendable.0).collect();
    assert_eq!(amounts, [10, 100]);
}

#[test]
fn a_group_gives_back_on_two_persons_word() {
    let mut w = World::new();
    w.fund("eve", "MEBUKU", 900);
    let dues = w.apply(
        "eve",
        pay("eve", "club", 900),
        &[debit("eve"), receives("club", "bob").key("alice")],
    );
    w.void(Code::MissingConsent, "alice", refund(dues, 900), &[drafts("club", "alice")]);
    let same = [drafts("club", "carol"), approves("club", "carol")];
    w.reject(Code::SamePerson, "carol", refund(dues, 900), &same);
    let two = [drafts("club", "alice"), approves("club", "bob")];
    w.apply("alice", refund(dues, 900), &two);
    // Whoever gets it back never approves it.
    w.fund("bob", "MEBUKU", 900);
    let dues = w.apply("bob", pay("bob", "club", 900), &[debit("bob"), receives("club", "alice")]);
    w.void(Code::PayeeApproves, "alice", refund(dues, 900), &two);
    let other = [drafts("club", "alice"), approves("club", "carol")];
    w.apply("alice", refund(dues, 900), &other);
}

#[test]
fn frozen_parties_neither_give_nor_get_back() {
    let (mut w, sale) = bought();
    let freeze = Operation::Freeze(Freeze { party: id("alice"), evidence: document("x") });
    w.apply("alice", freeze, &[own("alice")]);
    w.reject(Code::PartyFrozen, "shop", refund(sale, 1), &[debit("shop")]);
}
