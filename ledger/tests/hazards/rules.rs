//! What rules give, round, cap and take back.

use crate::common::*;
use musubi_ledger::{
    instrument::{Shortfall, Terms},
    rule::{
        Base, Giver, Post, RuleTerms, Trigger,
        cap::{Over, Period, Scope},
        formula::{Formula, Rate, Steps},
        when::When,
    },
};

fn rewarding(formula: Formula) -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 100_000);
    w.rule("MEBUKU", 1, rewards(Trigger::Purchase, formula, "POINT"));
    w
}

#[test]
fn h01_no_float_and_the_edge_of_u64() {
    let most = Formula::Rate(Rate::floor(u32::MAX, u32::MAX));
    let worth = most.worth(Amount(u64::MAX), 0).unwrap();
    assert_eq!(worth.given, Amount(u64::MAX), "the product is exact in 128 bits");
    let huge = Formula::Rate(Rate::floor(u32::MAX, 1));
    assert_eq!(huge.worth(Amount(u64::MAX), 0), None);
    // What no amount can hold is no reward, and stops no payment.
    let steps = Formula::Steps(Steps { every: Amount(1), give: Amount(u64::MAX) });
    let mut w = rewarding(steps);
    w.sale("alice", "shop", "MEBUKU", 2);
    assert_eq!(w.spendable("alice", "POINT"), 0);
}

#[test]
fn h02_two_percent_of_49_a_thousand_times() {
    let mut w = rewarding(percent(2));
    for _ in 0..1_000 {
        w.sale("alice", "shop", "MEBUKU", 49);
    }
    assert_eq!(w.spendable("alice", "POINT"), 0, "each sale alone");
    let fee = RuleTerms {
        base: Base::RunTotal,
        post: Post::Fee(split(&[("operator", 1)], 0)),
        ..rewards(Trigger::Redeem, percent(2), "MEBUKU")
    };
    w.rule("MEBUKU", 2, fee);
    let all = w.holds("shop", "MEBUKU", Holding::Claim);
    assert_eq!((all, fees(&w, all)), (49_000, vec![980]), "the merchant's whole claim");
    let leg = legs(&[("MEBUKU", all)])[0];
    let deadline = w.now.plus(30 * DAY);
    let ask = RequestRedemption { merchant: id("shop"), leg, deadline };
    let asked = w.apply("shop", Operation::RequestRedemption(ask), &[debit("shop")]);
    let answer = RedemptionAnswer::Paid { payout: document("bank") };
    let paid = AnswerRedemption { redemption: asked, answer };
    w.apply("issuer", Operation::AnswerRedemption(paid), &[settles()]);
    assert_eq!(w.holds("operator", "MEBUKU", Holding::Claim), 980);
}

/// The legs of the fees of a claim of the shop's.
fn fees(w: &World, gross: u64) -> Vec<u64> {
    let book = RowKey::RuleBook(instrument("MEBUKU"), Trigger::Redeem);
    let Some(Row::RuleBook(book)) = w.state.row(&book) else {
        panic!("there is a book");
    };
    let party = |name: &str| match w.state.row(&RowKey::Party(id(name))) {
        Some(Row::Party(party)) => party,
        other => panic!("{other:?}"),
    };
    let (issuer, shop) = (party("issuer"), party("shop"));
    let seen = musubi_ledger::rule::when::Seen {
        now: w.now,
        purpose: Purpose::NONE,
        payer: &issuer,
        payee: (id("shop"), &shop),
        offers: &[],
    };
    let fees = book.fees(Amount(gross), Amount(1), &seen);
    for fee in &fees {
        assert_eq!(fee.legs.iter().map(|leg| leg.1.0).sum::<u64>(), fee.amount.0);
    }
    fees.into_iter().flat_map(|fee| fee.legs).map(|leg| leg.1.0).collect()
}

#[test]
fn h03_two_percent_of_1050_splits_10_10_and_1() {
    for (remainder, expected) in [(0, [11, 10]), (1, [10, 11])] {
        let mut w = World::new();
        w.fund("alice", "MEBUKU", 2_000);
        let legs = split(&[("mart", 1), ("operator", 1)], remainder);
        w.rule("MEBUKU", 1, shares(Giver::Payee, percent(2), legs));
        w.sale("alice", "shop", "MEBUKU", 1_050);
        let claims = ["mart", "operator"].map(|leg| w.holds(leg, "MEBUKU", Holding::Claim));
        assert_eq!(claims, expected);
        assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 1_029);
    }
}

#[test]
fn h04_three_partial_refunds_take_back_as_one() {
    for parts in [&[1_050][..], &[333, 333, 384]] {
        let mut w = rewarding(percent(1));
        let sale = w.sale("alice", "shop", "MEBUKU", 1_050);
        assert_eq!(w.spendable("alice", "POINT"), 10);
        let mut left = 1_050;
        for part in parts {
            w.gives_back(sale, "shop", "MEBUKU", *part);
            left -= part;
            assert_eq!(w.spendable("alice", "POINT"), left / 100, "1 % of what is left");
        }
        assert_eq!(w.spendable("alice", "MEBUKU"), 100_000);
    }
}

#[test]
fn h05_thirty_percent_of_3333_is_refused_by_multiple_and_999_by_floor() {
    let mut w = World::new();
    let premium = rewards(Trigger::TopUp, percent(30), "MEBUKU");
    w.rule("MEBUKU", 1, premium.clone());
    w.fund("alice", "MEBUKU", 3_333);
    assert_eq!(w.spendable("alice", "MEBUKU"), 3_333 + 999);
    w.apply("i1", end_rule("MEBUKU", 1, w.now.plus(SECOND)), &issuers());
    let sets = When { multiple: Some(Amount(5_000)), ..When::always(Time(0)) };
    w.rule("MEBUKU", 2, RuleTerms { when: sets, ..premium });
    w.fund("bob", "MEBUKU", 3_333);
    w.fund("bob", "MEBUKU", 10_000);
    assert_eq!(w.spendable("bob", "MEBUKU"), 13_333 + 3_000, "whole sets alone");
}

#[test]
fn h06_015_per_unit_carries() {
    let carry = Formula::Rate(Rate { carry: true, ..Rate::floor(15, 100) });
    let mut w = rewarding(carry);
    let mut sales = Vec::new();
    let found: Vec<u64> = (0..7)
        .map(|_| {
            sales.push(w.sale("alice", "shop", "MEBUKU", 1));
            w.spendable("alice", "POINT")
        })
        .collect();
    assert_eq!(found, [0, 0, 0, 0, 0, 0, 1]);
    // Whoever buys and gives back gains no fraction by it.
    for sale in sales {
        w.gives_back(sale, "shop", "MEBUKU", 1);
    }
    assert_eq!(w.spendable("alice", "POINT"), 0);
    w.sale("alice", "shop", "MEBUKU", 6);
    assert_eq!(w.spendable("alice", "POINT"), 0);
}

#[test]
fn h11_a_partial_cap_truncates_skips_or_refuses() {
    let capped = |over| RuleTerms {
        caps: vec![cap(Scope::Payer, Period::Day, 15)],
        over,
        ..rewards(Trigger::Purchase, percent(1), "POINT")
    };
    for (over, code, points) in [
        (Over::Truncate, Code::Applied, 15),
        (Over::Skip, Code::Applied, 10),
        (Over::Refuse, Code::RuleCapReached, 10),
    ] {
        let mut w = World::new();
        w.fund("alice", "MEBUKU", 5_000);
        w.rule("MEBUKU", 1, capped(over));
        w.sale("alice", "shop", "MEBUKU", 1_000);
        let op = pay_in("alice", "shop", &[("MEBUKU", 1_000)]);
        let tx = w.transaction("alice", op, &[debit("alice"), credit("shop")]);
        assert_eq!(w.block(&[tx]), [code]);
        assert_eq!(w.spendable("alice", "POINT"), points);
        w.wait(DAY);
        w.sale("alice", "shop", "MEBUKU", 1_000);
        assert_eq!(w.spendable("alice", "POINT"), points + 10, "another day");
    }
}

#[test]
fn h11_order_of_independent_payments_does_not_matter() {
    let end = |order: [&str; 2]| {
        let mut w = World::new();
        for payer in ["alice", "bob"] {
            w.fund(payer, "MEBUKU", 5_000);
        }
        let own = RuleTerms {
            caps: vec![cap(Scope::Payer, Period::Month, 12)],
            ..rewards(Trigger::Purchase, percent(1), "POINT")
        };
        w.rule("MEBUKU", 1, own);
        for payer in order {
            w.sale(payer, "shop", "MEBUKU", 1_500);
        }
        ["alice", "bob", "shop"].map(|name| {
            w.wallet(name).lots.iter().map(|b| (b.lot, b.spendable, b.claim)).collect::<Vec<_>>()
        })
    };
    assert_eq!(end(["alice", "bob"]), end(["bob", "alice"]));
}

#[test]
fn h15_a_spent_reward_becomes_a_receivable_and_is_netted() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), musubi_ledger::instrument::Regime::Free, document("t"));
    w.open("GIFT", Terms { shortfall: Shortfall::Receivable, ..plain });
    w.fund("alice", "MEBUKU", 50_000);
    w.rule("MEBUKU", 1, rewards(Trigger::Purchase, percent(1), "GIFT"));
    let sale = w.sale("alice", "shop", "MEBUKU", 10_000);
    w.sale("alice", "mart", "GIFT", 100);
    w.gives_back(sale, "shop", "MEBUKU", 10_000);
    assert_eq!((w.spendable("alice", "GIFT"), w.owes("alice", "GIFT")), (0, 100));
    w.sale("alice", "shop", "MEBUKU", 7_000);
    assert_eq!((w.spendable("alice", "GIFT"), w.owes("alice", "GIFT")), (0, 30));
    w.sale("alice", "shop", "MEBUKU", 5_000);
    assert_eq!((w.spendable("alice", "GIFT"), w.owes("alice", "GIFT")), (20, 0));
}

#[test]
fn h22_caps_intersect() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    let caps = vec![
        cap(Scope::Event, Period::Ever, 80),
        cap(Scope::Payer, Period::Day, 100),
        cap(Scope::All, Period::Ever, 90),
    ];
    let both = RuleTerms { caps, ..rewards(Trigger::Purchase, percent(1), "POINT") };
    w.rule("MEBUKU", 1, both);
    w.sale("alice", "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "POINT"), 80);
    w.sale("alice", "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "POINT"), 90);
}
