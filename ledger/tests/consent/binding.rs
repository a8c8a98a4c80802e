//! What binds an id and a reference, and what never may: hostile inputs 1, 3, 9 and 10 (INV-3, INV-5).

use crate::common::*;
use musubi_ledger::{
    id::{ChainId, TxId},
    limits::SUBMISSION_WINDOW_MS,
};

#[test]
fn the_same_bytes_have_one_verdict_for_ever() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let tx = w.transaction("alice", pay("alice", "bob", 100), &[debit("alice"), credit("bob")]);
    let codes = w.block(&[tx.clone(), tx.clone()]);
    assert_eq!(codes, [Code::Applied, Code::AlreadyJudged]);
    w.voids(Code::AlreadyJudged, &tx);
    w.wait(2 * SUBMISSION_WINDOW_MS);
    w.voids(Code::AlreadyJudged, &tx);
    assert_eq!(w.spendable("bob", "MEBUKU"), 100);
}

#[test]
fn a_rejected_id_stays_rejected_even_when_the_reason_is_gone() {
    let mut w = World::new();
    let tx = w.transaction("alice", pay("alice", "bob", 100), &[debit("alice"), credit("bob")]);
    w.rejects(Code::InsufficientFunds, &tx);
    w.fund("alice", "MEBUKU", 1_000);
    w.voids(Code::AlreadyJudged, &tx);
    assert_eq!(w.spendable("bob", "MEBUKU"), 0);
}

#[test]
fn a_reference_names_one_intent_of_one_sender() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    w.fund("bob", "MEBUKU", 1_000);
    let signers = [debit("alice"), credit("bob")];
    let first = w.transaction("alice", pay("alice", "bob", 100), &signers);
    w.applies(&first);
    let mut body = w.body("alice", pay("alice", "bob", 200));
    body.reference = first.body.reference.clone();
    w.voids(Code::ReferenceTaken, &sign(body.clone(), &signers));
    // A rejected transaction binds its reference too.
    let poor = w.transaction("eve", pay("eve", "bob", 1), &[debit("eve"), credit("bob")]);
    w.rejects(Code::InsufficientFunds, &poor);
    let mut again = w.body("eve", pay("eve", "bob", 2));
    again.reference = poor.body.reference.clone();
    w.voids(Code::ReferenceTaken, &sign(again, &[debit("eve"), credit("bob")]));
    // Another sender's references are their own.
    body.sender = id("bob");
    w.applies(&sign(body, &signers));
}

#[test]
fn a_void_item_binds_neither_id_nor_reference() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let body = w.body("alice", pay("alice", "bob", 100));
    w.voids(Code::MissingConsent, &sign(body.clone(), &[debit("alice")]));
    w.applies(&sign(body, &[debit("alice"), credit("bob")]));
}

#[test]
fn time_bounds_are_exact() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let signers = [debit("alice"), credit("bob")];
    // The next block is a second away.
    let at = |w: &mut World, ms: u64| {
        let mut body = w.body("alice", pay("alice", "bob", 1));
        body.expires = w.now.plus(SECOND + ms);
        sign(body, &signers)
    };
    let tx = at(&mut w, 0);
    w.rejects(Code::Expired, &tx);
    let tx = at(&mut w, 1);
    w.applies(&tx);
    let tx = at(&mut w, SUBMISSION_WINDOW_MS + 1);
    w.rejects(Code::WindowTooLong, &tx);
    let tx = at(&mut w, SUBMISSION_WINDOW_MS);
    w.applies(&tx);
}

#[test]
fn another_chain_or_rules_version_is_void() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let signers = [debit("alice"), credit("bob")];
    let mut body = w.body("alice", pay("alice", "bob", 1));
    body.chain = ChainId([9; 32]);
    w.voids(Code::WrongChain, &sign(body, &signers));
    for version in [0, 2] {
        let mut body = w.body("alice", pay("alice", "bob", 1));
        body.rules_version = version;
        w.voids(Code::InactiveRules, &sign(body, &signers));
    }
    // A signature made for another chain does not carry over.
    let mut body = w.body("alice", pay("alice", "bob", 1));
    let chain = body.chain;
    body.chain = ChainId([9; 32]);
    let mut tx = sign(body, &signers);
    tx.body.chain = chain;
    w.voids(Code::BadSignature, &tx);
}

#[test]
fn every_part_of_what_is_signed_is_covered() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let tx = w.transaction("alice", pay("alice", "bob", 1), &[debit("alice"), credit("bob")]);
    let changed: [fn(&mut Transaction); 7] = [
        |tx| tx.signatures[0].bytes.0[0] ^= 1,
        |tx| tx.signatures[0].bytes.0[63] ^= 1,
        |tx| tx.signatures[0].side = Side::Authority,
        |tx| tx.signatures[0].role = Role::Terminal,
        |tx| tx.signatures[1].party = id("eve"),
        |tx| tx.signatures[1].signer = key("eve").public(),
        |tx| tx.body.salt.0[0] ^= 1,
    ];
    for change in changed {
        let mut bad = tx.clone();
        change(&mut bad);
        bad.signatures.sort();
        w.voids(Code::BadSignature, &bad);
    }
    // Swapped between the two sides.
    let mut bad = tx.clone();
    let (one, other) = (bad.signatures[0].bytes, bad.signatures[1].bytes);
    (bad.signatures[0].bytes, bad.signatures[1].bytes) = (other, one);
    w.voids(Code::BadSignature, &bad);
    w.applies(&tx);
}

#[test]
fn a_malleated_signature_is_void() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let tx = w.transaction("alice", pay("alice", "bob", 1), &[debit("alice"), credit("bob")]);
    // S + L, with L the group order, little-endian (RFC 8032 section 5.1).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bad = tx.clone();
    let mut carry = 0u16;
    for (byte, add) in bad.signatures[0].bytes.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    w.voids(Code::BadSignature, &bad);
    w.applies(&tx);
}

#[test]
fn bytes_that_are_no_transaction_are_void() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let tx = w.transaction("alice", pay("alice", "bob", 1), &[debit("alice"), credit("bob")]);
    let whole = tx.encode();
    let mut unsorted = tx.clone();
    unsorted.signatures.swap(0, 1);
    let mut doubled = tx.clone();
    doubled.signatures.insert(1, doubled.signatures[0].clone());
    let items = vec![
        Vec::new(),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], &[0]].concat(),
        unsorted.encode(),
        doubled.encode(),
        whole,
    ];
    let codes = w.block_of_items(items);
    let malformed = Code::Malformed;
    assert_eq!(codes, [malformed, malformed, malformed, malformed, malformed, Code::Applied]);
    assert_eq!(w.last.seal.items, 6);
    assert_eq!(w.last.seal.void, 5);
}

#[test]
fn the_sender_must_sign_with_a_current_key() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let signers = [debit("alice"), credit("bob")];
    w.void(Code::SenderNotSigner, "eve", pay("alice", "bob", 1), &signers);
    w.void(Code::SenderNotSigner, "alice", pay("alice", "bob", 1), &[]);
    let unknown = [debit("alice").key("nobody"), credit("bob")];
    w.void(Code::SenderNotSigner, "alice", pay("alice", "bob", 1), &unknown);
}

/// Somebody who passes a half-signed transaction on attaches signatures of their own. None of that may
/// be a verdict: the properly signed one still applies (INV-5).
#[test]
fn a_middleman_cannot_burn_an_id() {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 1_000);
    let body = w.body("alice", pay("club", "eve", 100));
    let drafted = drafts("club", "alice");
    let attempts: [(Code, &[By]); 6] = [
        (Code::RoleMissing, &[approves("club", "frank")]),
        (Code::RoleMissing, &[approves("club", "eve")]),
        (Code::KeyUnknown, &[approves("club", "nobody")]),
        (Code::MissingConsent, &[credit("frank")]),
        (Code::KeyUnknown, &[approves("club", "bob"), credit("eve").key("frank")]),
        (Code::SamePerson, &[drafts("club", "carol"), approves("club", "carol")]),
    ];
    for (code, attached) in attempts {
        let signers = [core::slice::from_ref(&drafted), attached].concat();
        w.voids(code, &sign(body.clone(), &signers));
    }
    let honest = [drafted, approves("club", "bob"), credit("eve")];
    w.applies(&sign(body, &honest));
}

#[test]
fn a_frozen_middleman_cannot_burn_an_id() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    let freeze = Operation::Freeze(Freeze { party: id("eve"), evidence: document("lost") });
    w.apply("eve", freeze, &[own("eve")]);
    let body = w.body("alice", pay("alice", "bob", 100));
    let by_eve = credit("bob").key("eve");
    w.voids(Code::KeyNotActive, &sign(body.clone(), &[debit("alice"), by_eve]));
    w.applies(&sign(body, &[debit("alice"), credit("bob")]));
}

#[test]
fn a_middleman_cannot_burn_a_grant_of_officers() {
    let mut w = World::new();
    let end = w.now.plus(DAY);
    let grant = allowance("MEBUKU", 10, 10, 10, end);
    let body = w.body("i1", grant);
    let signer = officer("issuer", "i1");
    for strange in ["nowhere", "bob", "city"] {
        let by_eve = officer(strange, "eve");
        let tx = sign(body.clone(), &[signer.clone(), by_eve]);
        w.voids(Code::RoleMissing, &tx);
    }
    w.applies(&sign(body, &[signer, officer("city", "c1")]));
}

#[test]
fn a_sender_who_alone_signs_gets_a_verdict() {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 1_000);
    let op = Operation::AddKey(AddKey { party: id("alice"), key: key("alice/2").public() });
    w.apply("alice", op, &[own("alice"), proves("alice", "alice/2")]);
    // Alice drafts, and approves by her second key: nobody else can have attached that.
    let deadline = w.now.plus(DAY);
    let alone = [drafts("club", "alice"), approves("club", "alice/2")];
    let proposal = propose("club", "eve", 100, deadline);
    w.reject(Code::RoleMissing, "alice", proposal, &alone);
}

#[test]
fn ids_differ_by_salt_alone() {
    let mut w = World::new();
    let body = w.body("alice", pay("alice", "bob", 100));
    let mut other = body.clone();
    other.salt.0[15] ^= 1;
    let ids: [TxId; 2] = [body.id(), other.id()];
    assert_ne!(ids[0], ids[1]);
}
