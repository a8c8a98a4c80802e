//! Until when value can be spent: months, value that slides, value that its acceptance renews, late refunds.

use musubi_ledger::{
    calendar::Span,
    instrument::{LateRefund, OnAccept, Regime, Terms, TransferRule, Validity},
    lot::OriginKind,
};

use crate::common::*;

fn gift(validity: Validity) -> Terms {
    let plain = Terms::plain(id("issuer"), Regime::PrepaidOwn, document("terms"));
    Terms { transfer: TransferRule::PeerToPeer, validity, ..plain }
}

fn expiries(w: &World, name: &str) -> Vec<(Option<Time>, u64)> {
    w.wallet(name).lots.iter().map(|b| (b.lot.use_expiry, b.spendable.0)).collect()
}

fn end(span: Span, now: Time) -> Option<Time> {
    Some(span.end_from(now))
}

#[test]
fn a_month_after_issue_ends_with_a_day() {
    let mut w = World::new();
    w.open("GIFT", gift(Validity::After(Span::Months(1))));
    w.fund("alice", "GIFT", 10);
    // Issued on 1 April in Japan: through 1 May.
    let until = "2026-05-02".parse::<musubi_ledger::time::Day>().unwrap().begin();
    assert_eq!(expiries(&w, "alice"), [(Some(until), 10)]);
    w.now = Time(until.0 - SECOND - 1);
    let pay = pay_in("alice", "shop", &[("GIFT", 1)]);
    w.apply("alice", pay.clone(), &[debit("alice"), credit("shop")]);
    w.now = until;
    w.reject(Code::InsufficientFunds, "alice", pay, &[debit("alice"), credit("shop")]);
}

#[test]
fn using_any_renews_all_of_it_and_asking_renews_nothing() {
    let mut w = World::new();
    let span = Span::Days(10);
    w.open("GIFT", gift(Validity::Sliding(span)));
    w.fund("alice", "GIFT", 100);
    let first = w.now;
    w.wait(5 * DAY);
    let pay = pay_in("alice", "shop", &[("GIFT", 30)]);
    let sale = w.apply("alice", pay, &[debit("alice"), credit("shop")]);
    let second = w.now;
    assert_eq!(expiries(&w, "alice"), [(end(span, second), 70)]);
    assert_ne!(end(span, first), end(span, second));
    assert_eq!(w.totals("GIFT").paid.issued, Amount(100), "nothing came or went");
    // Twice on one day is once.
    let touch = Operation::Touch(Touch { party: id("alice"), instrument: instrument("GIFT") });
    w.apply("alice", touch.clone(), &[own("alice")]);
    assert!(w.outcome().postings.is_empty());
    w.wait(3 * DAY);
    w.void(Code::SenderNotSigner, "alice", touch.clone(), &[own("bob")]);
    w.apply("alice", touch, &[own("alice")]);
    assert_eq!(expiries(&w, "alice"), [(end(span, w.now), 70)]);
    // What comes back is as good as the rest.
    let back = Operation::Refund(Refund { original: sale, legs: legs(&[("GIFT", 30)]) });
    w.apply("shop", back, &[debit("shop")]);
    assert_eq!(expiries(&w, "alice"), [(end(span, w.now), 100)]);
    w.wait(11 * DAY);
    assert_eq!(w.spendable("alice", "GIFT"), 0);
}

#[test]
fn what_slid_can_still_be_taken_back() {
    let mut w = World::new();
    w.open("GIFT", gift(Validity::Sliding(Span::Days(10))));
    let issue = w.fund("alice", "GIFT", 100);
    let gave =
        w.apply("alice", pay_in("alice", "bob", &[("GIFT", 40)]), &[debit("alice"), credit("bob")]);
    w.wait(DAY);
    for who in ["alice", "bob"] {
        let touch = Operation::Touch(Touch { party: id(who), instrument: instrument("GIFT") });
        w.apply(who, touch, &[own(who)]);
    }
    let back = Operation::Refund(Refund { original: gave, legs: legs(&[("GIFT", 40)]) });
    w.apply("bob", back, &[debit("bob")]);
    assert_eq!((w.spendable("alice", "GIFT"), w.spendable("bob", "GIFT")), (100, 0));
    let correct = Operation::Correct(Correct {
        original: issue,
        legs: legs(&[("GIFT", 100)]),
        reason: CorrectionReason::ErroneousIssue,
        evidence: document("letter"),
    });
    let three = [officer("issuer", "i1"), officer("issuer", "i2"), officer("city", "c1")];
    w.apply("i1", correct, &three);
    assert_eq!(w.totals("GIFT").outstanding(), Amount(0));
}

#[test]
fn a_shop_that_accepts_renews_and_spends_again() {
    let mut w = World::new();
    let span = Span::Days(10);
    let terms = Terms { on_accept: OnAccept::Renew, ..gift(Validity::After(span)) };
    w.open("GIFT", terms);
    w.fund("alice", "GIFT", 100);
    let first = w.now;
    w.wait(4 * DAY);
    let pay = pay_in("alice", "shop", &[("GIFT", 60)]);
    let sale = w.apply("alice", pay, &[debit("alice"), credit("shop")]);
    assert_eq!(expiries(&w, "shop"), [(end(span, w.now), 60)]);
    assert_eq!(expiries(&w, "alice"), [(end(span, first), 40)]);
    let supplier = pay_in("shop", "mart", &[("GIFT", 20)]);
    w.apply("shop", supplier, &[debit("shop"), credit("mart")]);
    let back = Operation::Refund(Refund { original: sale, legs: legs(&[("GIFT", 40)]) });
    w.apply("shop", back, &[debit("shop")]);
    assert_eq!(expiries(&w, "alice"), [(end(span, first), 80)], "in the lot that it was");
    let again = Operation::Refund(Refund { original: sale, legs: legs(&[("GIFT", 1)]) });
    w.reject(Code::InsufficientFunds, "shop", again, &[debit("shop")]);
}

#[test]
fn a_late_refund_may_have_days_of_grace() {
    let mut w = World::new();
    let late_refund = LateRefund::Grace(3);
    let days = gift(Validity::After(Span::Days(10)));
    w.open("GIFT", Terms { late_refund, redemption_days: 30, ..days });
    w.fund("alice", "GIFT", 100);
    let pay = pay_in("alice", "shop", &[("GIFT", 60)]);
    let sale = w.apply("alice", pay, &[debit("alice"), credit("shop")]);
    w.wait(20 * DAY);
    let back = Operation::Refund(Refund { original: sale, legs: legs(&[("GIFT", 60)]) });
    w.apply("shop", back, &[debit("shop")]);
    assert_eq!(expiries(&w, "alice"), [(Some(w.now.end_of_day_after(3)), 60)]);
    w.wait(4 * DAY);
    assert_eq!(w.spendable("alice", "GIFT"), 0);
    assert_eq!(
        w.totals("GIFT").paid.expired,
        Amount(100),
        "forty by itself, sixty after its grace"
    );
}

#[test]
fn what_comes_back_is_as_old_as_it_was() {
    let mut w = World::new();
    w.open("GIFT", gift(Validity::None));
    let issue = |w: &mut World, campaign| w.issue("alice", "GIFT", 10, OriginKind::Free, campaign);
    issue(&mut w, 9);
    let pay = pay_in("alice", "shop", &[("GIFT", 10)]);
    let sale = w.apply("alice", pay.clone(), &[debit("alice"), credit("shop")]);
    w.wait(DAY);
    issue(&mut w, 1);
    let back = Operation::Refund(Refund { original: sale, legs: legs(&[("GIFT", 10)]) });
    w.apply("shop", back, &[debit("shop")]);
    w.apply("alice", pay, &[debit("alice"), credit("shop")]);
    assert_eq!(w.wallet("alice").lots[0].lot.campaign, 1, "the older one went first");
}
