//! Hazard 12: a lottery's seed is committed to before the list closes and shown after it; ties go by id; anybody can replay it.

use crate::common::*;
use musubi_ledger::{
    hash::sha256,
    offer::{
        Access, OfferTerms,
        draw::{Lottery, Won, winners},
    },
};

/// What anybody reads in the log: who applied, in which order, with what tier and for how many units, as the outcomes say.
struct FromTheLog {
    applications: Vec<(TxId, u8, u32)>,
    seed: Option<[u8; 32]>,
}

fn drawn(w: &mut World, stock: u32) -> TxId {
    let terms =
        OfferTerms { access: Access::Lottery(lottery(w.now)), stock: Some(stock), ..offers(1) };
    w.offer(terms)
}

/// Applies so often in blocks of a hundred.
fn many(w: &mut World, offer: TxId, count: u32, log: &mut FromTheLog) {
    for block in 0..count / 100 {
        let one = |n| {
            let units = 1 + n % 3;
            let tx = w.transaction("alice", applies_for(offer, "alice", units), &[own("alice")]);
            log.applications.push((tx.body.id(), 0, units));
            tx
        };
        let all: Vec<Transaction> = (block * 100..block * 100 + 100).map(one).collect();
        assert!(w.block(&all).iter().all(|code| *code == Code::Applied));
    }
}

/// The rank as it is written down, without a line of the ledger's.
fn by_hand(log: &FromTheLog, id: &TxId) -> [u8; 32] {
    let tag = b"musubi/v1/applications";
    let list = log.applications.iter().fold([0; 32], |list: [u8; 32], (id, ..)| {
        let length = [u8::try_from(tag.len()).unwrap()];
        sha256(&[&length[..], tag, &list, &id.0].concat())
    });
    sha256(&[&log.seed.unwrap()[..], &list, &id.0].concat())
}

#[test]
fn h12_a_lottery_is_replayed_from_the_log_and_nobody_chose_its_seed() {
    let mut w = World::new();
    let offer = drawn(&mut w, 500);
    let mut log = FromTheLog { applications: Vec::new(), seed: None };
    many(&mut w, offer, 600, &mut log);
    let one = [officer("issuer", "i1")];
    // Before the list has closed the seed is no use; another one never is.
    w.reject(Code::DeadlineInvalid, "i1", reveal(offer, "town"), &one);
    w.wait(10 * DAY);
    w.reject(Code::OfferMismatch, "i1", reveal(offer, "better for me"), &one);
    w.apply("i1", reveal(offer, "town"), &one);
    log.seed = Some(seed("town").0);
    let mut order: Vec<_> =
        log.applications.iter().map(|(id, _, units)| (by_hand(&log, id), *id, *units)).collect();
    order.sort();
    let mut left = 500;
    let mut last = None;
    for (_, id, units) in &order {
        if left > 0 {
            last = Some((*id, left.min(*units)));
        }
        left -= left.min(*units);
    }
    let (last, units) = last.unwrap();
    // The count takes three steps of at most 256; a wrong last place costs one more run and changes nothing.
    let wrong = order[0].1;
    for step in 0..2 {
        w.apply("i1", count_draw(offer, wrong), &one);
        assert_eq!(w.draw(offer).result, None, "step {step}");
    }
    w.reject(Code::OfferMismatch, "i1", count_draw(offer, wrong), &one);
    let mut told = 0;
    for _ in 0..3 {
        w.apply("i1", count_draw(offer, last), &one);
        told += w.outcome().facts.len();
    }
    assert_eq!(told, 600);
    let Some(Won::UpTo(cut)) = w.draw(offer).result else { panic!("it is decided") };
    assert_eq!((cut.place.application, cut.units), (last, units));
    // The ledger's own replay says the same of everybody.
    let (won, places) = winners(&seed("town"), &log.applications, 500);
    assert_eq!(won, Won::UpTo(cut));
    assert_eq!(
        places.iter().map(|(place, _)| place.application).collect::<Vec<_>>(),
        order.iter().map(|(_, id, _)| *id).collect::<Vec<_>>()
    );
    assert_eq!(places.iter().map(|(_, units)| units).sum::<u32>(), 500);
}

#[test]
fn h12_commitment_comes_first_and_the_list_hash_binds_every_application() {
    let w = World::new();
    let Lottery { commitment, .. } = lottery(w.now);
    assert_eq!(commitment.0, sha256(&seed("town").0));
    let applications =
        |last: u8| vec![(TxId([1; 32]), 0, 1), (TxId([2; 32]), 0, 1), (TxId([last; 32]), 0, 1)];
    let rank = |last| {
        let (_, places) = winners(&seed("town"), &applications(last), 1);
        places.iter().find(|(place, _)| place.application == TxId([1; 32])).unwrap().0.rank
    };
    assert_ne!(rank(3), rank(4), "the last to apply moves everybody");
}
