//! Hostile inputs 2 and 4: keys with which anybody can sign, or that have two spellings, are never
//! registered; a signature on which verifiers may disagree has one verdict.

use crate::common::*;
use ed25519_dalek::{SigningKey, VerifyingKey};
use musubi_ledger::{
    keys::{PublicKey, SignatureBytes, check_party_key, verify_strict},
    transaction::Signature,
    verify::{Check, verify_all},
};
use sha2::{Digest, Sha512};

/// p = 2^255 - 19, little-endian, plus `add` in the lowest byte.
fn p_plus(add: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed + add;
    bytes[31] = 0x7f;
    bytes
}

fn with_sign(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

/// Every encoding that decompresses to a point of order 1, 2, 4 or 8, canonical or not: for each y
/// of such a point, y and (where it fits below 2^255) y + p, with either sign bit.
fn small_order() -> Vec<[u8; 32]> {
    let small = |low: u8| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    };
    // A point of order 8 (RFC 7748's curve in Edwards form), and its negative y.
    let order_8 = hex32("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    let order_8_negative =
        hex32("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    let minus_one = {
        let mut bytes = p_plus(0);
        bytes[0] = 0xec;
        bytes
    };
    let ys = [small(0), small(1), minus_one, order_8, order_8_negative, p_plus(0), p_plus(1)];
    ys.iter().flat_map(|y| [*y, with_sign(*y)]).collect()
}

/// The 19 values of y from p to 2^255 - 1, with either sign bit, that are not small-order ones.
fn non_canonical() -> Vec<[u8; 32]> {
    (0..19).flat_map(|add| [p_plus(add), with_sign(p_plus(add))]).collect()
}

fn hex32(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// The signature (R = identity, S = 0): by ZIP-215 it verifies for every small-order key and message.
fn universal() -> SignatureBytes {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    SignatureBytes(bytes)
}

#[test]
fn all_weak_encodings_are_refused_by_the_check() {
    assert_eq!(small_order().len(), 14);
    for bytes in small_order().into_iter().chain(non_canonical()) {
        assert!(check_party_key(&PublicKey(bytes)).is_err(), "{}", hex::encode(bytes));
    }
    // A point with a torsion component: a good key plus a point of order 8.
    let bytes = [2; 32];
    assert!(check_party_key(&PublicKey(bytes)).is_err());
    for name in ["alice", "bob", "carol"] {
        assert!(check_party_key(&key(name).public()).is_ok());
    }
}

#[test]
fn a_weak_key_signs_anything_and_is_refused_at_registration() {
    for bytes in small_order() {
        let mut w = World::bare();
        let weak = PublicKey(bytes);
        let op = RegisterParty { keys: vec![weak], ..register("mallory", PartyKind::Person) };
        let body = w.body("r1", Operation::RegisterParty(op));
        let mut tx = sign(body, &[officer("registrar", "r1")]);
        tx.signatures.push(Signature {
            side: Side::Authority,
            role: Role::Holder,
            party: id("mallory"),
            signer: weak,
            bytes: universal(),
        });
        let tx = Transaction::new(tx.body, tx.signatures);
        w.rejects(Code::WeakKey, &tx);
        let row = w.state.row(&RowKey::Key(weak));
        assert_eq!(row, None);
    }
}

#[test]
fn a_weak_key_is_refused_wherever_keys_enter() {
    let weak = PublicKey(small_order()[3]);
    let mut w = World::new();
    let proof = Signature {
        side: Side::Authority,
        role: Role::Holder,
        party: id("alice"),
        signer: weak,
        bytes: universal(),
    };
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    let mine = [own("alice")];
    let (party, evidence) = (id("alice"), document("x"));
    let old = key("alice").public();
    let cases: [(&str, Operation, &[By]); 3] = [
        ("alice", Operation::AddKey(AddKey { party, key: weak }), &mine),
        ("alice", Operation::RotateKey(RotateKey { party, old, new: weak }), &mine),
        ("r1", Operation::Recover(Recover { party, key: weak, evidence }), &two),
    ];
    for (sender, op, signers) in cases {
        let mut tx = w.transaction(sender, op, signers);
        tx.signatures.push(proof.clone());
        let tx = Transaction::new(tx.body, tx.signatures);
        w.rejects(Code::WeakKey, &tx);
    }
    let mut genesis = genesis();
    genesis.parties[0].keys.push(weak);
    assert!(genesis.check().is_err());
}

/// Hostile input 4: R carries a component of order 8, so that the cofactored equation holds and the
/// cofactorless one does not (Chalkias, Garillot, Nikolaenko, ePrint 2020/1244).
fn mixed_order(secret: &SigningKey, message: &[u8]) -> SignatureBytes {
    let torsion = hex32("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    let torsion = VerifyingKey::from_bytes(&torsion).unwrap().to_edwards();
    let nonce = SigningKey::from_bytes(&[42; 32]);
    let r = nonce.to_scalar();
    let point = (nonce.verifying_key().to_edwards() + torsion).compress().to_bytes();
    let digest = Sha512::new()
        .chain_update(point)
        .chain_update(secret.verifying_key().to_bytes())
        .chain_update(message)
        .finalize();
    // The digest modulo the group order, bit by bit: the scalar type itself is not ours to name.
    let one = r * r.invert();
    let mut challenge = one + -one;
    for byte in digest.iter().rev() {
        for bit in (0..8).rev() {
            challenge = challenge + challenge;
            if byte >> bit & 1 == 1 {
                challenge += one;
            }
        }
    }
    let s = r + challenge * secret.to_scalar();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&point);
    bytes[32..].copy_from_slice(&s.to_bytes());
    SignatureBytes(bytes)
}

#[test]
fn a_mixed_order_signature_has_one_verdict_on_every_path() {
    let secret = key("alice");
    let dalek = SigningKey::from_bytes(&secret.seed());
    let message = b"pay";
    let crafted = Check { key: secret.public(), message, signature: mixed_order(&dalek, message) };
    let plain = Check { signature: secret.sign(message), ..crafted };
    let wrong = Check { message: b"other", ..plain };
    assert!(!verify_strict(&crafted.key, message, &crafted.signature), "cofactorless");
    assert_eq!(verify_all(&[crafted]), [true], "single");
    assert_eq!(verify_all(&[crafted, crafted]), [true, true]);
    assert_eq!(verify_all(&[plain, crafted, plain]), [true, true, true]);
    assert_eq!(verify_all(&[wrong, crafted]), [false, true]);
    assert_eq!(verify_all(&[crafted, plain, wrong]), [true, true, false]);
}
