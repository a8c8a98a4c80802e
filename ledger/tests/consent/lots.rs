//! Lots: spent earliest expiry first, expired by block time alone, bounded in number.

use crate::common::*;
use musubi_ledger::{
    leaf::{LeafKind, system_id},
    limits,
    lot::OriginKind,
    operation::DefineInstrument,
    state::{DueKind, padded},
};

#[test]
fn the_earliest_expiry_is_spent_first_then_free_before_grant_before_paid_then_the_oldest() {
    let mut w = World::new();
    w.issue("alice", "POINT", 10, OriginKind::Paid, 0);
    w.issue("alice", "POINT", 10, OriginKind::Grant, 0);
    w.issue("alice", "POINT", 10, OriginKind::Free, 2);
    w.issue("alice", "POINT", 10, OriginKind::Free, 1);
    w.wait(DAY);
    w.issue("alice", "POINT", 10, OriginKind::Free, 0);
    let op = pay_in("alice", "shop", &[("POINT", 35)]);
    w.apply("alice", op, &[debit("alice"), credit("shop")]);
    let spent: Vec<_> = w
        .outcome()
        .postings
        .iter()
        .filter(|p| p.holding == Holding::Spendable)
        .map(|p| (p.lot.origin, p.lot.campaign, p.amount.0))
        .collect();
    let expected = [
        (OriginKind::Free, 2, 10),
        (OriginKind::Free, 1, 10),
        (OriginKind::Grant, 0, 10),
        (OriginKind::Paid, 0, 5),
    ];
    assert_eq!(spent, expected);
    let left: Vec<u64> = w.wallet("alice").lots.iter().map(|b| b.spendable.0).collect();
    assert_eq!(left, [5, 10]);
}

#[test]
fn value_expires_at_japanese_midnight_by_a_system_leaf() {
    let mut w = World::new();
    w.fund("alice", "POINT", 100);
    // Ten days after the first: the eleventh midnight.
    let end = Time(BEGIN.0 + 15 * 3_600_000 + 10 * DAY);
    assert_eq!(w.wallet("alice").lots[0].lot.use_expiry, Some(end));
    w.now = Time(end.0 - SECOND - 1);
    let op = pay_in("alice", "shop", &[("POINT", 1)]);
    w.apply("alice", op.clone(), &[debit("alice"), credit("shop")]);
    assert_eq!(w.spendable("alice", "POINT"), 99);
    w.now = Time(end.0 - SECOND);
    let tx = w.transaction("alice", op, &[debit("alice"), credit("shop")]);
    assert_eq!(w.block(&[tx]), [Code::InsufficientFunds]);
    let system = &w.last.entries[0];
    assert_eq!(system.leaf.kind, LeafKind::System);
    assert_eq!(system.leaf.id, system_id(DueKind::Lots, &padded(&id("alice").0), end));
    assert_eq!(system.outcome.debit, Form::Time);
    assert_eq!(system.outcome.postings.len(), 2);
    assert_eq!(w.holds("alice", "POINT", Holding::Spendable), 0);
    assert_eq!(w.holds("shop", "POINT", Holding::Claim), 1, "claims do not expire in use");
    let Some(Row::Totals(point)) = w.state.row(&RowKey::Totals(instrument("POINT"))) else {
        panic!("POINT is there");
    };
    assert_eq!((point.paid.expired, point.outstanding()), (Amount(99), Amount(1)));
}

#[test]
fn equal_lots_merge_and_different_ones_are_bounded() {
    let mut w = World::new();
    w.issue("alice", "POINT", 1, OriginKind::Free, 7);
    w.issue("alice", "POINT", 1, OriginKind::Free, 7);
    assert_eq!(w.wallet("alice").lots.len(), 1);
    let most = u32::try_from(limits::LOTS_PER_INSTRUMENT_MAX).unwrap();
    for campaign in 1_000..1_000 + most - 1 {
        w.issue("alice", "POINT", 1, OriginKind::Free, campaign);
    }
    let one_more = TopUp {
        campaign: 1,
        origin: OriginKind::Free,
        ..top_up(w.allowance("POINT"), "alice", 1, "one more")
    };
    let signers = [issues(), credit("alice")];
    w.reject(Code::TooManyLots, "issuer", Operation::TopUp(one_more), &signers);
}

#[test]
fn instruments_in_one_wallet_are_bounded() {
    let mut w = World::new();
    let Some(Row::Instrument(coin)) = w.state.row(&RowKey::Instrument(instrument("COIN"))) else {
        panic!("COIN is there");
    };
    let end = w.now.plus(DAY);
    let give = |w: &mut World, n: usize| {
        let name = format!("COIN-{n}");
        let op = Operation::DefineInstrument(DefineInstrument {
            instrument: instrument(&name),
            terms: coin.terms.clone(),
            open: true,
        });
        w.apply("i1", op, &[officer("issuer", "i1"), officer("issuer", "i2")]);
        let two = [officer("issuer", "i1"), officer("city", "c1")];
        let a = w.apply("i1", allowance(&name, 9, 9, 9, end), &two);
        let op = Operation::TopUp(top_up(a, "alice", 1, &name));
        let tx = w.transaction("issuer", op, &[issues(), credit("alice")]);
        w.block(core::slice::from_ref(&tx))[0]
    };
    for n in 0..limits::INSTRUMENTS_PER_WALLET_MAX {
        assert_eq!(give(&mut w, n), Code::Applied);
    }
    assert_eq!(give(&mut w, 99), Code::TooManyLots);
}
