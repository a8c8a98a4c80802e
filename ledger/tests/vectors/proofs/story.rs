//! A week of the city of which every kind of leaf has a proof.

use crate::common::*;
use musubi_ledger::{
    execute::Entry, leaf::LeafKind, lot::OriginKind, proof::TransactionProof, state::DueKind,
};

/// The city after a purchase, a payment that failed, a group's payout, a payment by mandate, and what time did.
pub(super) fn tell() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 5_000);
    w.fund("club", "MEBUKU", 20_000);
    w.issue("alice", "POINT", 30, OriginKind::Free, 7);
    let mut purchase = w.body("alice", pay("alice", "shop", 1_280));
    purchase.purpose = Purpose::PURCHASE;
    purchase.reference = "receipt-2026-0042".parse().unwrap();
    let purchase = sign(purchase, &[debit("alice"), credit("shop")]);
    let failed = w.transaction("bob", pay("bob", "shop", 1), &[debit("bob"), credit("shop")]);
    assert_eq!(w.block(&[purchase, failed]), [Code::Applied, Code::InsufficientFunds]);
    let op = propose("club", "eve", 8_000, w.now.plus(DAY));
    let payout = w.apply("alice", op, &[drafts("club", "alice")]);
    let both = [approves("club", "bob"), credit("eve")];
    w.apply("bob", decide(payout, Decision::Consent), &both);
    let standing =
        w.apply("shop", mandate("shop", terms(Direction::Credit, 5_000)), &[credit("shop")]);
    w.apply("eve", pay_to_mandate("eve", "shop", 500, standing), &[debit("eve")]);
    let request = RequestPayment {
        payee: id("mart"),
        payer: None,
        legs: legs(&[("MEBUKU", 300)]),
        tender: Vec::new(),
        due: w.now.plus(DAY),
    };
    w.apply("mart", Operation::RequestPayment(request), &[credit("mart")]);
    w.wait(2 * DAY);
    w.wait(10 * DAY);
    w
}

/// The proofs of it all under the newest checkpoint, cosigned by all for the first and by two for the rest.
pub(super) fn proofs(w: &World) -> Vec<(&'static str, TransactionProof)> {
    let transaction =
        |name: &'static str, wanted: &dyn Fn(&Entry) -> bool| (name, found(w, wanted));
    let of = |entry: &Entry| w.archive.transaction(entry).map(|tx| tx.body);
    let sent = |entry: &Entry, by: &str| of(entry).is_some_and(|body| body.sender == id(by));
    let transfer =
        |entry: &Entry| of(entry).is_some_and(|b| matches!(b.operation, Operation::Transfer(_)));
    let due = |entry: &Entry, kind| entry.due.is_some_and(|action| action.kind == kind);
    let cases = [
        transaction("a purchase", &|e| sent(e, "alice") && transfer(e)),
        transaction("a payment that was rejected", &|e| sent(e, "bob") && transfer(e)),
        transaction("a group's proposal", &|e| sent(e, "alice") && !transfer(e)),
        transaction("the consent that completes it", &|e| sent(e, "bob") && !transfer(e)),
        transaction("a payment to a standing mandate", &|e| sent(e, "eve")),
        transaction("a request that expired", &|e| due(e, DueKind::Request)),
        transaction("points that expired", &|e| due(e, DueKind::Lots)),
    ];
    let kinds = [LeafKind::Transaction, LeafKind::System];
    assert!(cases.iter().all(|(_, entry)| kinds.contains(&entry.leaf.kind)));
    let prove = |(at, (name, entry)): (usize, (&'static str, &Entry))| {
        let validators = if at == 0 { &VALIDATORS[..] } else { &VALIDATORS[..2] };
        (name, w.prove(entry, validators))
    };
    cases.into_iter().enumerate().map(prove).collect()
}

fn found<'w>(w: &'w World, wanted: &dyn Fn(&Entry) -> bool) -> &'w Entry {
    w.archive.entries().iter().find(|entry| wanted(entry)).unwrap()
}
