//! Redemption: a claim is held until the issuer pays, returns it, or time runs out.

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    outcome::Account,
    rule::{Base, Post, RuleTerms, Trigger},
    state::{DueKind, RedemptionStatus},
};

fn world() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    w.apply("alice", pay("alice", "shop", 1_000), &[debit("alice"), credit("shop")]);
    w
}

fn redeem(w: &World, amount: u64, days: u64) -> Operation {
    Operation::RequestRedemption(RequestRedemption {
        merchant: id("shop"),
        leg: legs(&[("MEBUKU", amount)])[0],
        deadline: w.now.plus(days * DAY),
    })
}

fn answer(redemption: TxId, answer: RedemptionAnswer) -> Operation {
    Operation::AnswerRedemption(AnswerRedemption { redemption, answer })
}

fn paid() -> RedemptionAnswer {
    RedemptionAnswer::Paid { payout: document("zengin 1") }
}

fn returned() -> RedemptionAnswer {
    RedemptionAnswer::Returned { notice: document("return 1") }
}

fn status(w: &World, id: TxId) -> RedemptionStatus {
    match w.state.row(&RowKey::Redemption(id)) {
        Some(Row::Redemption(redemption)) => redemption.status,
        other => panic!("{other:?}"),
    }
}

fn states(w: &World) -> (u64, u64) {
    let of = |holding| w.holds("shop", "MEBUKU", holding);
    (of(Holding::Claim), of(Holding::Held))
}

#[test]
fn paid_out_it_is_burnt() {
    let mut w = world();
    let op = redeem(&w, 600, 30);
    let asked = w.apply("shop", op, &[debit("shop")]);
    assert_eq!(states(&w), (400, 600));
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Terms));
    w.apply("issuer", answer(asked, paid()), &[settles()]);
    assert_eq!(states(&w), (400, 0));
    assert_eq!(status(&w, asked), RedemptionStatus::Answered(paid()));
    for again in [paid(), returned()] {
        w.reject(Code::RedemptionNotOpen, "issuer", answer(asked, again), &[settles()]);
    }
}

#[test]
fn returned_it_is_a_claim_again() {
    let mut w = world();
    let op = redeem(&w, 600, 30);
    let asked = w.apply("shop", op, &[debit("shop")]);
    w.apply("issuer", answer(asked, returned()), &[settles()]);
    assert_eq!(states(&w), (1_000, 0));
}

#[test]
fn unanswered_it_returns_by_itself() {
    let mut w = world();
    let op = redeem(&w, 600, 7);
    let deadline = w.now.plus(7 * DAY);
    // The request is ordered a second later: its deadline lies just under seven days ahead.
    w.reject(Code::DeadlineInvalid, "shop", op, &[debit("shop")]);
    let op = redeem(&w, 600, 8);
    let asked = w.apply("shop", op, &[debit("shop")]);
    assert!(w.now < deadline);
    w.wait(7 * DAY);
    assert_eq!(states(&w), (400, 600));
    w.wait(DAY);
    assert_eq!(states(&w), (1_000, 0));
    assert_eq!(status(&w, asked), RedemptionStatus::TimedOut);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Time, Form::Time));
    w.reject(Code::RedemptionNotOpen, "issuer", answer(asked, paid()), &[settles()]);
}

#[test]
fn merchant_asks_and_issuer_answers() {
    let mut w = world();
    let op = redeem(&w, 600, 30);
    w.void(Code::MissingConsent, "alice", op.clone(), &[debit("alice")]);
    w.void(Code::MissingConsent, "shop", op.clone(), &[credit("shop")]);
    w.reject(Code::KeyUnknown, "alice", op.clone(), &[debit("shop").key("alice")]);
    let asked = w.apply("shop", op, &[debit("shop")]);
    w.void(Code::MissingConsent, "shop", answer(asked, paid()), &[credit("shop")]);
    w.void(Code::MissingConsent, "i1", answer(asked, paid()), &[officer("issuer", "i1")]);
    let forged = [settles().key("shop")];
    w.reject(Code::KeyUnknown, "shop", answer(asked, paid()), &forged);
    w.reject(Code::UnknownRedemption, "issuer", answer(TxId([0; 32]), paid()), &[settles()]);
    // Any automated key of the issuer answers.
    w.apply("issuer", answer(asked, paid()), &[settles().key("issuer/spare")]);
}

#[test]
fn only_claims_that_are_there() {
    let mut w = world();
    let signer = [debit("shop")];
    let op = redeem(&w, 1_001, 30);
    w.reject(Code::InsufficientClaim, "shop", op, &signer);
    let op = redeem(&w, 0, 30);
    w.reject(Code::AmountInvalid, "shop", op, &signer);
    let op = redeem(&w, 1, 91);
    w.reject(Code::DeadlineInvalid, "shop", op, &signer);
    let Operation::RequestRedemption(good) = redeem(&w, 1, 30) else { unreachable!() };
    let person = RequestRedemption { merchant: id("alice"), ..good.clone() };
    w.reject(Code::WrongKind, "alice", Operation::RequestRedemption(person), &[debit("alice")]);
    let none = RequestRedemption { leg: legs(&[("NONE", 1)])[0], ..good };
    w.reject(Code::UnknownInstrument, "shop", Operation::RequestRedemption(none), &signer);
}

#[test]
fn claims_outlive_the_lots_use_by_the_redemption_days() {
    let mut w = world();
    w.fund("alice", "POINT", 100);
    let op = pay_in("alice", "shop", &[("POINT", 100)]);
    w.apply("alice", op, &[debit("alice"), credit("shop")]);
    let redeem = |w: &World, amount| {
        Operation::RequestRedemption(RequestRedemption {
            merchant: id("shop"),
            leg: legs(&[("POINT", amount)])[0],
            deadline: w.now.plus(10 * DAY),
        })
    };
    // Use ends at midnight after ten days, redemption thirty days later.
    let end = BEGIN.0 + 15 * 3_600_000 + 40 * DAY;
    w.now = Time(end - SECOND - 1);
    let op = redeem(&w, 40);
    w.apply("shop", op, &[debit("shop")]);
    w.now = Time(end - SECOND);
    let op = redeem(&w, 60);
    // Time lets it lapse first, in the same block.
    w.reject(Code::InsufficientClaim, "shop", op, &[debit("shop")]);
    assert_eq!(w.holds("shop", "POINT", Holding::Claim), 0);
    let lapsed = &w.last.entries[0];
    assert_eq!(lapsed.due.unwrap().kind, DueKind::Claims);
    assert_eq!(lapsed.parties, [id("shop")]);
    let (from, to) = (&lapsed.outcome.postings[0], &lapsed.outcome.postings[1]);
    assert_eq!((from.account, from.holding), (Account::Wallet(id("shop")), Holding::Claim));
    assert_eq!((to.account, to.amount), (Account::Issuance(id("issuer")), Amount(60)));
    let totals = w.totals("POINT").paid;
    assert_eq!((totals.lapsed, totals.expired), (Amount(60), Amount::ZERO));
}

#[test]
fn what_returns_behind_the_end_of_its_redemption_lapses_at_once() {
    for timed_out in [false, true] {
        let mut w = world();
        w.fund("alice", "POINT", 100);
        w.sale("alice", "shop", "POINT", 100);
        w.now = Time(BEGIN.0 + 15 * 3_600_000 + 40 * DAY - 10 * SECOND);
        let asked = RequestRedemption {
            merchant: id("shop"),
            leg: legs(&[("POINT", 100)])[0],
            deadline: w.now.plus(10 * DAY),
        };
        let asked = w.apply("shop", Operation::RequestRedemption(asked), &[debit("shop")]);
        // The due of the claims finds none: all of them wait for the bank.
        w.wait(DAY);
        assert_eq!(w.holds("shop", "POINT", Holding::Held), 100);
        if timed_out {
            w.wait(10 * DAY);
        } else {
            w.apply("issuer", answer(asked, returned()), &[settles()]);
        }
        for holding in [Holding::Held, Holding::Claim] {
            assert_eq!(w.holds("shop", "POINT", holding), 0, "timed out: {timed_out}");
        }
        let totals = w.totals("POINT").paid;
        assert_eq!((totals.lapsed, totals.expired), (Amount(100), Amount::ZERO));
        let held = w.outcome().postings[0];
        assert_eq!((held.holding, held.amount), (Holding::Held, Amount(100)));
    }
}

#[test]
fn an_answered_redemption_is_due_no_more() {
    let mut w = world();
    let op = redeem(&w, 600, 8);
    let asked = w.apply("shop", op, &[debit("shop")]);
    w.apply("issuer", answer(asked, returned()), &[settles()]);
    w.wait(9 * DAY);
    assert_eq!(w.last.entries, [], "nothing is left to do");
}

fn charged(w: &mut World) {
    let fee = |number, percent_of, legs: &[(&str, u32)]| {
        let terms = RuleTerms {
            base: Base::RunTotal,
            post: Post::Fee(split(legs, 0)),
            ..rewards(Trigger::Redeem, percent(percent_of), "MEBUKU")
        };
        (number, terms)
    };
    for (number, terms) in [fee(1, 2, &[("operator", 1), ("issuer", 1)]), fee(2, 1, &[("mart", 1)])]
    {
        w.rule("MEBUKU", number, terms);
    }
}

fn fee(gross: u64, net: u64, legs: &[(&str, u64)]) -> Fact {
    let legs = legs.iter().map(|(to, amount)| (id(to), Amount(*amount))).collect();
    let (gross, net, netted) = (Amount(gross), Amount(net), Amount(0));
    Fact::Fee { index: 0, gross, net, netted, legs }
}

#[test]
fn a_payout_costs_what_rules_said_when_it_was_asked_for() {
    let mut w = world();
    charged(&mut w);
    let op = redeem(&w, 550, 30);
    let asked = w.apply("shop", op, &[debit("shop")]);
    // 2 % of 550 are 11 in two parts, 1 % is 5.
    let told = fee(550, 534, &[("operator", 6), ("issuer", 5), ("mart", 5)]);
    assert_eq!(w.outcome().facts.last(), Some(&told));
    let by_rule = Fact::Rule {
        id: rule_id("MEBUKU", 1),
        base: Amount(550),
        given: Amount(11),
        capped: false,
    };
    assert_eq!(w.outcome().facts[0], by_rule);
    w.apply("i1", end_rule("MEBUKU", 2, w.now.plus(SECOND)), &issuers());
    w.apply("issuer", answer(asked, paid()), &[settles()]);
    assert_eq!(states(&w), (450, 0));
    let claims = ["operator", "mart"].map(|leg| w.holds(leg, "MEBUKU", Holding::Claim));
    assert_eq!(claims, [6, 5], "also by a rule that has ended meanwhile");
    assert_eq!(w.totals("MEBUKU").paid.redeemed, Amount(539));
    assert_eq!(w.outcome().facts, [told]);
    // What returns costs nothing, and the next one only what is still charged.
    let op = redeem(&w, 450, 30);
    let asked = w.apply("shop", op, &[debit("shop")]);
    w.apply("issuer", answer(asked, returned()), &[settles()]);
    assert_eq!((states(&w), w.holds("operator", "MEBUKU", Holding::Claim)), ((450, 0), 6));
}

#[test]
fn what_a_leg_cannot_receive_stays_with_the_issuer() {
    let mut w = world();
    charged(&mut w);
    let op = redeem(&w, 1_000, 30);
    let asked = w.apply("shop", op, &[debit("shop")]);
    let freeze = Freeze { party: id("mart"), evidence: document("report") };
    w.apply("r1", Operation::Freeze(freeze), &[officer("registrar", "r1")]);
    w.apply("issuer", answer(asked, paid()), &[settles()]);
    assert_eq!(w.holds("mart", "MEBUKU", Holding::Claim), 0);
    let told = fee(1_000, 970, &[("operator", 10), ("issuer", 10), ("issuer", 10)]);
    assert_eq!(w.outcome().facts, [told]);
    assert_eq!(w.totals("MEBUKU").paid.redeemed, Amount(990));
}
