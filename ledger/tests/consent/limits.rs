//! How much may be held, moved and spent. Limits intersect; months and days are Japanese ones.

use musubi_ledger::{
    instrument::{Limit, LimitOf, Regime, Terms, TransferRule},
    predicate::Predicate,
};

use crate::common::*;

fn limited(limits: &[(LimitOf, u64)]) -> Terms {
    let limits = limits.iter().map(|(of, most)| Limit::for_all(*of, Amount(*most))).collect();
    let plain = Terms::plain(id("issuer"), Regime::PrepaidThird, document("terms"));
    Terms { transfer: TransferRule::PeerToPeer, limits, ..plain }
}

fn give(w: &mut World, from: &str, to: &str, amount: u64) -> Code {
    let op = pay_in(from, to, &[("GIFT", amount)]);
    let tx = w.transaction(from, op, &[debit(from), credit(to)]);
    w.block(&[tx])[0]
}

#[test]
fn transfers_count_by_calendar_month_and_purchases_by_day() {
    let mut w = World::new();
    let limits = [
        (LimitOf::TransfersPerMonth, 300),
        (LimitOf::PurchasesPerDay, 100),
        (LimitOf::Purchase, 80),
    ];
    w.open("GIFT", limited(&limits));
    w.fund("alice", "GIFT", 10_000);
    assert_eq!(give(&mut w, "alice", "bob", 200), Code::Applied);
    assert_eq!(give(&mut w, "alice", "carol", 101), Code::OverLimit);
    assert_eq!(give(&mut w, "alice", "carol", 100), Code::Applied);
    assert_eq!(give(&mut w, "bob", "carol", 200), Code::Applied, "each giver has a month");
    assert_eq!(give(&mut w, "alice", "shop", 81), Code::OverLimit);
    assert_eq!(give(&mut w, "alice", "shop", 80), Code::Applied);
    assert_eq!(give(&mut w, "alice", "mart", 21), Code::OverLimit, "over all shops");
    assert_eq!(give(&mut w, "alice", "mart", 20), Code::Applied);
    w.wait(DAY);
    assert_eq!(give(&mut w, "alice", "shop", 80), Code::Applied);
    assert_eq!(give(&mut w, "alice", "bob", 1), Code::OverLimit, "a day later it is still April");
    // The world begins on 1 April: 30 days later it is May in Japan.
    w.wait(29 * DAY);
    assert_eq!(give(&mut w, "alice", "bob", 300), Code::Applied);
}

#[test]
fn limits_of_some_come_on_top_of_those_of_all() {
    let mut w = World::new();
    let checked = Predicate::is("identity", &["card"]);
    let who = Some(Predicate {
        any: vec![vec![musubi_ledger::predicate::Test { not: true, ..checked.any[0][0].clone() }]],
    });
    let mut terms = limited(&[(LimitOf::Transfer, 500)]);
    terms.limits.push(Limit { who, ..Limit::for_all(LimitOf::Transfer, Amount(100)) });
    let kinds = vec![PartyKind::Group];
    terms.limits.push(Limit { kinds, ..Limit::for_all(LimitOf::Wallet, Amount(50)) });
    w.open("GIFT", terms);
    w.fund("alice", "GIFT", 10_000);
    assert_eq!(give(&mut w, "alice", "bob", 101), Code::OverTransferMax);
    let attest = Operation::Attest(Attest {
        party: id("alice"),
        registrar: id("registrar"),
        attributes: vec![attribute("identity", "card")],
    });
    w.apply("r1", attest, &[officer("registrar", "r1")]);
    assert_eq!(give(&mut w, "alice", "bob", 500), Code::Applied);
    assert_eq!(give(&mut w, "alice", "bob", 501), Code::OverTransferMax);
    let dues = |amount| pay_in("alice", "club", &[("GIFT", amount)]);
    let signers = [debit("alice"), receives("club", "alice")];
    w.reject(Code::OverWalletMax, "alice", dues(51), &signers);
    w.apply("alice", dues(50), &signers);
}
