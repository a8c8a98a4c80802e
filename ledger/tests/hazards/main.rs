//! The hazards of determinism and rounding that value with expiry, limits and lots has, one test each, by its number in
//! the list of hazards (docs/TESTING.md). A number that has no test yet stands with the rule that brings it.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod coupons;
mod lottery;
mod properties;
mod rules;

use common::*;
use musubi_ledger::{
    calendar::Span,
    instrument::{LateRefund, Regime, Terms, TransferRule, Validity},
    lot::OriginKind,
};

fn gift(validity: Validity) -> Terms {
    let plain = Terms::plain(id("issuer"), Regime::PrepaidOwn, document("terms"));
    Terms { transfer: TransferRule::PeerToPeer, validity, ..plain }
}

fn buy(w: &mut World, amount: u64) -> Code {
    let op = pay_in("alice", "shop", &[("GIFT", amount)]);
    let tx = w.transaction("alice", op, &[debit("alice"), credit("shop")]);
    w.block(&[tx])[0]
}

#[test]
fn h07_the_last_millisecond_spends_and_midnight_does_not() {
    let mut w = World::new();
    w.open("GIFT", gift(Validity::After(Span::Days(3))));
    w.fund("alice", "GIFT", 10);
    let end = w.wallet("alice").lots[0].lot.use_expiry.unwrap();
    // A block's own time counts: the world adds a second before each.
    w.now = Time(end.0 - SECOND - 1);
    assert_eq!(buy(&mut w, 1), Code::Applied);
    assert_eq!(w.last.head.time, Time(end.0 - 1));
    w.now = Time(end.0 - SECOND);
    assert_eq!(buy(&mut w, 1), Code::InsufficientFunds);
    assert_eq!(w.last.head.time, end);
}

#[test]
fn h08_31_august_plus_six_months_is_28_or_29_february() {
    let day = |text: &str| text.parse::<musubi_ledger::time::Day>().unwrap();
    for (issued, last) in [("2026-08-31", "2027-02-28"), ("2027-08-31", "2028-02-29")] {
        let mut w = World::new();
        w.now = Time(day(issued).begin().0 + DAY / 2);
        w.open("GIFT", gift(Validity::After(Span::Months(6))));
        w.fund("alice", "GIFT", 10);
        assert_eq!(w.wallet("alice").lots[0].lot.use_expiry, Some(day(last).next().begin()));
    }
}

#[test]
fn h08_six_month_regime_refuses_months() {
    let mut w = World::new();
    let six = |validity| Terms { regime: Regime::SixMonth, ..gift(validity) };
    let two = [officer("issuer", "i1"), officer("issuer", "i2")];
    let months = define("GIFT", six(Validity::After(Span::Months(6))));
    w.reject(Code::NotWellFormed, "i1", months, &two);
    w.apply("i1", define("GIFT", six(Validity::After(Span::Days(180)))), &two);
}

#[test]
fn h09_asking_does_not_renew_touching_does() {
    let mut w = World::new();
    w.open("GIFT", gift(Validity::Sliding(Span::Days(5))));
    w.fund("alice", "GIFT", 10);
    let end = |w: &World| w.wallet("alice").lots[0].lot.use_expiry;
    let before = end(&w);
    w.wait(2 * DAY);
    assert_eq!((w.spendable("alice", "GIFT"), end(&w)), (10, before));
    let touch = Operation::Touch(Touch { party: id("alice"), instrument: instrument("GIFT") });
    w.apply("alice", touch, &[own("alice")]);
    assert_eq!(end(&w), Some(Span::Days(5).end_from(w.now)));
}

#[test]
fn h10_spendable_is_the_same_before_and_after_the_sweep() {
    let mut w = World::new();
    w.open("GIFT", gift(Validity::After(Span::Days(1))));
    for day in 0..6u64 {
        w.issue("alice", "GIFT", 10 + day, OriginKind::Free, 0);
        w.wait(DAY / 2);
    }
    let shown: Vec<u64> = (0..8)
        .map(|half| w.wallet("alice").spendable(instrument("GIFT"), w.now.plus(half * DAY / 2)).0)
        .collect();
    for expected in shown {
        let lazily = w.spendable("alice", "GIFT");
        assert!(w.totals("GIFT").outstanding().0 >= lazily, "what is not swept yet still counts");
        // A block in which nothing happens but what is due.
        w.block(&[]);
        w.now = Time(w.now.0 - SECOND);
        assert_eq!((lazily, w.spendable("alice", "GIFT")), (expected, expected));
        w.wait(DAY / 2);
    }
}

#[test]
fn h13_a_year_of_daily_five_points_is_at_most_181_lots() {
    let mut w = World::new();
    w.open("GIFT", Terms { regime: Regime::Free, ..gift(Validity::After(Span::Days(180))) });
    let mut most = 0;
    for _ in 0..365 {
        for _ in 0..2 {
            w.issue("alice", "GIFT", 5, OriginKind::Free, 0);
        }
        most = most.max(w.wallet("alice").lots.len());
        w.wait(DAY);
    }
    assert_eq!(most, 181, "one for each day on which it can still be spent");
}

#[test]
fn h14_late_refund_expires_at_once_or_gets_grace_days() {
    for (late_refund, left) in [(LateRefund::ExpireAtOnce, 0), (LateRefund::Grace(7), 10)] {
        let mut w = World::new();
        let terms = gift(Validity::After(Span::Days(1)));
        w.open("GIFT", Terms { late_refund, redemption_days: 30, ..terms });
        w.fund("alice", "GIFT", 10);
        let op = pay_in("alice", "shop", &[("GIFT", 10)]);
        let sale = w.apply("alice", op, &[debit("alice"), credit("shop")]);
        w.wait(3 * DAY);
        let back = Operation::Refund(Refund { original: sale, legs: legs(&[("GIFT", 10)]) });
        w.apply("shop", back, &[debit("shop")]);
        assert_eq!(w.spendable("alice", "GIFT"), left);
        assert_eq!(w.holds("alice", "GIFT", Holding::Spendable), left);
        assert_eq!(w.totals("GIFT").paid.expired.0, 10 - left);
    }
}
