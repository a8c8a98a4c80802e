//! Two batches at one place, and items that nobody signed.

use musubi_ledger::{
    batch::{Batch, NodeId},
    evidence::{
        BadItem, DoubleBatch, Evidence, EvidenceError, Place, SignedBatch, Suspects, verify,
    },
    id::ChainId,
    keys::SignatureBytes,
    limits,
    time::Time,
};

use crate::{common::*, scene::*};

fn double(one: &Batch, other: &Batch) -> Evidence {
    Evidence::double_batch(&one.encode(), &other.encode()).unwrap()
}

fn error(evidence: &Evidence) -> EvidenceError {
    let bytes = evidence.encode();
    verify(&bytes, &suspects()).unwrap_err()
}

fn of_double(evidence: Evidence) -> DoubleBatch {
    let Evidence::DoubleBatch(inner) = evidence else { panic!("another kind") };
    inner
}

#[test]
fn two_batches_at_one_place_name_the_leader_who_signed_both() {
    let (one, other) = (batch(3, (4, 17), 1_000, &[b"a"]), batch(3, (4, 17), 1_000, &[b"b"]));
    for (one, other) in [(&one, &other), (&other, &one)] {
        let evidence = double(one, other);
        let finding = verify(&evidence.encode(), &suspects()).unwrap();
        names(&finding, 3, false);
        assert_eq!(finding.place, Place::Entry { term: 4, index: 17, item: None });
        assert!(finding.to_string().contains("two different batches for entry 17 of term 4"));
        assert!(finding.file_name().starts_with("double_batch-"));
    }
    assert_eq!(double(&one, &other), double(&other, &one), "one fact, one file");
    // Each part of a batch makes it another one; the deed, and so the file's name, is the same.
    let stamped = batch(3, (4, 17), 1_001, &[b"a"]);
    let found = double(&one, &stamped).verify(&suspects()).unwrap();
    assert_eq!(found.file_name(), double(&one, &other).verify(&suspects()).unwrap().file_name());
}

#[test]
fn what_is_no_contradiction_is_not_even_made() {
    let one = batch(3, (4, 17), 1_000, &[b"a"]);
    let mut resigned = one.clone();
    resigned.signature = SignatureBytes([7; 64]);
    for other in [
        one.clone(),
        // The same batch with another signature is no other batch.
        resigned,
        batch(3, (5, 17), 1_000, &[b"b"]),
        batch(3, (4, 18), 1_000, &[b"b"]),
        // Another leader of the same term: who was elected, no signature says.
        batch(2, (4, 17), 1_000, &[b"b"]),
    ] {
        assert_eq!(Evidence::double_batch(&one.encode(), &other.encode()), None);
    }
    assert_eq!(Evidence::double_batch(&one.encode(), b""), None, "a term's empty entry");
}

#[test]
fn a_pair_that_does_not_hold_accuses_nobody() {
    let (one, other) = (batch(3, (4, 17), 1_000, &[b"a"]), batch(3, (4, 17), 1_000, &[b"b"]));
    let good = of_double(double(&one, &other));
    let with = |change: fn(&mut DoubleBatch)| {
        let mut changed = good.clone();
        change(&mut changed);
        error(&Evidence::DoubleBatch(changed))
    };
    assert_eq!(with(|d| d.second = d.first.clone()), EvidenceError::Same);
    assert_eq!(with(|d| std::mem::swap(&mut d.first, &mut d.second)), EvidenceError::NotCanonical);
    assert_eq!(with(|d| d.second.index += 1), EvidenceError::OtherPlace);
    assert_eq!(with(|d| d.second.chain = ChainId([1; 32])), EvidenceError::OtherPlace);
    // One signature alone, or none.
    assert_eq!(with(|d| d.second.signature.0[0] ^= 1), EvidenceError::NotSigned);
    assert_eq!(with(|d| d.first.signature = d.second.signature), EvidenceError::NotSigned);
    let both = |leader, chain| {
        let cut = |item: &[u8]| {
            let by = (NodeId(leader), &node_key(3));
            SignedBatch::of(&Batch::sign(chain, (4, 17), Time(1), vec![item.to_vec()], by))
        };
        error(&Evidence::double_signed(cut(b"a"), cut(b"b")).unwrap())
    };
    // Node 3 cannot sign in another's name, nor does anybody know node 9.
    assert_eq!(both(2, genesis().chain()), EvidenceError::NotSigned);
    assert_eq!(both(9, genesis().chain()), EvidenceError::UnknownKey);
    assert_eq!(both(3, ChainId([1; 32])), EvidenceError::OtherChain);
    // A ledger with the same keys, but another genesis document, is another chain.
    let mut other = genesis();
    other.salt.0[0] ^= 1;
    let evidence = Evidence::DoubleBatch(good.clone());
    assert_eq!(evidence.verify(&Suspects::of_genesis(&other)), Err(EvidenceError::OtherChain));
}

#[test]
fn the_largest_batches_fit_into_a_file() {
    let cut = |time| {
        let mut cut = SignedBatch::of(&batch(3, (4, 17), time, &[]));
        cut.items = vec![[9; 32]; limits::BATCH_ITEMS_MAX];
        cut.signature = node_key(3).sign(&cut.signed_hash());
        cut
    };
    let evidence = Evidence::double_signed(cut(1), cut(2)).unwrap();
    names(&verify(&evidence.encode(), &suspects()).unwrap(), 3, false);
    let mut longer = of_double(evidence);
    longer.first.items.push([9; 32]);
    longer.first.signature = node_key(3).sign(&longer.first.signed_hash());
    if longer.first.signed_hash() > longer.second.signed_hash() {
        std::mem::swap(&mut longer.first, &mut longer.second);
    }
    assert_eq!(error(&Evidence::DoubleBatch(longer)), EvidenceError::Limits);
}

#[test]
fn an_item_that_nobody_signed_names_the_leader_who_ordered_it() {
    let batch = batch(2, (7, 30), 1_000, &[&payment(true), b"no transaction", &payment(false)]);
    let evidence = Evidence::bad_item(&batch, 2).unwrap();
    let finding = verify(&evidence.encode(), &suspects()).unwrap();
    names(&finding, 2, false);
    assert_eq!(finding.place, Place::Entry { term: 7, index: 30, item: Some(2) });
    assert!(finding.to_string().contains("item 2 bears a signature that does not verify"));

    assert_eq!(error(&Evidence::bad_item(&batch, 0).unwrap()), EvidenceError::GoodItem);
    // Void, and yet nothing that a signature could decide: a leader with another opinion of what is
    // well-formed is of another version, not a liar.
    assert_eq!(error(&Evidence::bad_item(&batch, 1).unwrap()), EvidenceError::NoTransaction);
    assert_eq!(Evidence::bad_item(&batch, 3), None);
}

#[test]
fn an_item_that_the_leader_did_not_order_accuses_nobody() {
    let whole = batch(2, (7, 30), 1_000, &[&payment(true)]);
    let Some(Evidence::BadItem(good)) = Evidence::bad_item(&whole, 0) else { panic!("no item") };
    let with = |change: &dyn Fn(&mut BadItem)| {
        let mut changed = good.clone();
        change(&mut changed);
        error(&Evidence::BadItem(changed))
    };
    // Somebody breaks the item, and then the hash that the leader signed as well.
    assert_eq!(with(&|e| e.item = payment(false)), EvidenceError::OtherItem);
    assert_eq!(with(&|e| e.position = 1), EvidenceError::OtherItem);
    assert_eq!(with(&|e| e.position = u32::MAX), EvidenceError::OtherItem);
    let forged = |e: &mut BadItem| {
        e.item = payment(false);
        e.batch.items[0] = musubi_ledger::hash::sha256(&e.item);
    };
    assert_eq!(with(&forged), EvidenceError::NotSigned);
    // Another chain's transaction is void here, and may be as well signed there as it likes.
    let mut elsewhere = Transaction::decode(&payment(false)).unwrap();
    elsewhere.body.chain = ChainId([1; 32]);
    let ordered = batch(2, (7, 30), 1_000, &[&elsewhere.encode()]);
    let evidence = Evidence::bad_item(&ordered, 0).unwrap();
    assert_eq!(error(&evidence), EvidenceError::NoTransaction);
}
