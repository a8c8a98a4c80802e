//! Bytes that are no transaction, with why: each a small change of a good one.

use crate::common::*;
use musubi_ledger::{
    execute::check_items, genesis::RULES_VERSION, id::ChainId, limits, transaction::FormError,
};
use serde_json::{Value, json};

/// Where the operation's tag stands in the body of [`good`].
const OPERATION_AT: usize = 85 + REFERENCE.len() + 3;
const REFERENCE: &str = "vector-0";

fn good() -> Transaction {
    let chain = World::bare().chain.id();
    let body = super::operations::body(chain, 0, pay("alice", "bob", 500));
    sign(body, &[debit("alice"), credit("bob")])
}

/// Name, bytes, why they do not decode (`None` if they do), and the code of an item of these bytes.
pub(crate) fn all() -> Vec<Value> {
    let whole = good().encode();
    let changed = |at: usize, to: u8| {
        let mut bytes = whole.clone();
        bytes[at] = to;
        bytes
    };
    let mut swapped = good();
    swapped.signatures.swap(0, 1);
    let mut doubled = good();
    doubled.signatures.push(doubled.signatures[1].clone());
    let mut seventeen = good();
    seventeen.signatures = (0..17)
        .map(|n| {
            seventeen.body.sign(Side::Debit, Role::Holder, id("alice"), &key(&format!("k{n}")))
        })
        .collect();
    seventeen.signatures.sort();
    let mut other_chain = good();
    other_chain.body.chain = ChainId([0; 32]);
    let mut other_rules = good();
    other_rules.body.rules_version = 2;
    let mut forged = good();
    forged.signatures[0].bytes.0[0] ^= 1;
    let last_signature = whole.len() - 120;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("good", whole.clone()),
        ("empty", vec![]),
        ("truncated by one byte", whole[..whole.len() - 1].to_vec()),
        ("truncated in the body", whole[..100].to_vec()),
        ("one byte left over", [&whole[..], &[0]].concat()),
        ("version 0", changed(0, 0)),
        ("version 2", changed(0, 2)),
        ("operation tag 31", changed(OPERATION_AT, 31)),
        ("operation tag in big-endian", {
            let mut bytes = whole.clone();
            bytes[OPERATION_AT..OPERATION_AT + 4].copy_from_slice(&[0, 0, 0, 1]);
            bytes
        }),
        ("option byte 2 (memo)", changed(OPERATION_AT - 3, 2)),
        ("bool 2", bool_two()),
        ("list of 2^64 - 1 legs", {
            let mut bytes = whole.clone();
            let at = OPERATION_AT + 4 + 32;
            bytes[at..at + 8].copy_from_slice(&[0xff; 8]);
            bytes
        }),
        ("space in the reference", changed(59, b' ')),
        ("empty reference", empty_reference(&whole)),
        ("lower case in an instrument", changed(OPERATION_AT + 4 + 32 + 8, b'm')),
        ("unpadded instrument", changed(OPERATION_AT + 4 + 32 + 8 + 15, b'X')),
        ("side tag 3", changed(last_signature, 3)),
        ("role tag 9", changed(last_signature + 4, 9)),
        ("signatures out of order", swapped.encode()),
        ("one slot twice", doubled.encode()),
        ("seventeen signatures", seventeen.encode()),
        ("longer than a transaction may be", {
            let mut bytes = whole.clone();
            bytes.resize(limits::TRANSACTION_BYTES_MAX + 1, 0);
            bytes
        }),
        ("another chain", other_chain.encode()),
        ("rules that are not active", other_rules.encode()),
        ("a forged signature", forged.encode()),
        ("malleated: S + L", malleated()),
    ];
    cases.into_iter().map(|(name, bytes)| case(name, &bytes)).collect()
}

fn case(name: &str, bytes: &[u8]) -> Value {
    let decoded = Transaction::decode(bytes);
    let error = match &decoded {
        Ok(_) => Value::Null,
        Err(FormError::Codec(error)) => json!(format!("{error:?}").split(' ').next()),
        Err(FormError::Signatures) => json!("Signatures"),
    };
    let chain = World::bare().chain.id();
    let checked = check_items(&chain, RULES_VERSION, &[bytes.to_vec()], &|_| false);
    assert_eq!(decoded.is_err(), checked[0].fault == Some(Code::Malformed), "{name}");
    // Long ones are told by their length.
    let hex = if bytes.len() > 4_096 { Value::Null } else { json!(hex::encode(bytes)) };
    json!({
        "name": name,
        "length": bytes.len(),
        "bytes": hex,
        "error": error,
        "code": checked[0].fault,
    })
}

fn bool_two() -> Vec<u8> {
    let chain = World::bare().chain.id();
    let op = Operation::RevokeKey(RevokeKey {
        party: id("alice"),
        key: key("alice").public(),
        compromised: true,
    });
    let body = super::operations::body(chain, 0, op);
    let at = body.encode().len() - 1;
    let mut bytes = sign(body, &[own("alice")]).encode();
    assert_eq!(bytes[at], 1);
    bytes[at] = 2;
    bytes
}

fn empty_reference(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole[..51].to_vec();
    bytes.extend([0; 8]);
    bytes.extend(&whole[59 + REFERENCE.len()..]);
    bytes
}

fn malleated() -> Vec<u8> {
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut tx = good();
    let mut carry = 0u16;
    for (byte, add) in tx.signatures[0].bytes.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    tx.encode()
}
