//! Repayment of what a party owes an issuer.

use crate::common::*;

/// A shop whose claim was redeemed gives its sale back: it owes what the issuer restored.
fn owing() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    let paid = w.sale("alice", "shop", "MEBUKU", 1_000);
    let op = RequestRedemption {
        merchant: id("shop"),
        leg: legs(&[("MEBUKU", 1_000)])[0],
        deadline: w.now.plus(10 * DAY),
    };
    let asked = w.apply("shop", Operation::RequestRedemption(op), &[debit("shop")]);
    let answer = RedemptionAnswer::Paid { payout: document("payout") };
    let op = Operation::AnswerRedemption(AnswerRedemption { redemption: asked, answer });
    w.apply("issuer", op, &[settles()]);
    w.gives_back(paid, "shop", "MEBUKU", 1_000);
    assert_eq!(w.owes("shop", "MEBUKU"), 1_000);
    w
}

fn repay(party: &str, amount: u64, by: RepayBy) -> Operation {
    Operation::Repay(Repay { party: id(party), leg: legs(&[("MEBUKU", amount)])[0], by })
}

#[test]
fn a_shop_pays_out_of_its_claims() {
    let mut w = owing();
    let op = || repay("shop", 600, RepayBy::Wallet);
    w.reject(Code::InsufficientClaim, "shop", op(), &[debit("shop")]);
    w.sale("alice", "shop", "MEBUKU", 700);
    w.void(Code::MissingConsent, "issuer", op(), &[settles()]);
    w.apply("shop", op(), &[debit("shop")]);
    assert_eq!((w.owes("shop", "MEBUKU"), w.holds("shop", "MEBUKU", Holding::Claim)), (400, 100));
    assert_eq!((w.outcome().debit, w.outcome().credit), (Form::Live, Form::Terms));
    w.reject(Code::OverOwed, "shop", repay("shop", 401, RepayBy::Wallet), &[debit("shop")]);
    w.reject(Code::AmountInvalid, "shop", repay("shop", 0, RepayBy::Wallet), &[debit("shop")]);
}

#[test]
fn funds_outside_settle_it_with_the_issuers_signature() {
    let mut w = owing();
    let op =
        |amount, name: &str| repay("shop", amount, RepayBy::Outside { funding: document(name) });
    w.void(Code::MissingConsent, "shop", op(400, "bank 1"), &[debit("shop")]);
    w.apply("issuer", op(400, "bank 1"), &[settles()]);
    assert_eq!((w.owes("shop", "MEBUKU"), w.outcome().postings.len()), (600, 0));
    w.reject(Code::FundingUsed, "issuer", op(100, "bank 1"), &[settles()]);
    w.reject(Code::OverOwed, "issuer", op(601, "bank 2"), &[settles()]);
    w.apply("i1", op(600, "bank 2"), &[by(Side::Credit, Role::Officer, "issuer", "i1")]);
    assert_eq!(w.owes("shop", "MEBUKU"), 0);
    w.reject(Code::OverOwed, "issuer", op(1, "bank 3"), &[settles()]);
    w.reject(Code::UnknownParty, "issuer", repay("nobody", 1, RepayBy::Wallet), &[settles()]);
}
