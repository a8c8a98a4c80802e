//! What of a block's items needs no state: their form, their signatures, the keys that they bring.

use crate::{
    code::Code,
    hash::Hash,
    id::{ChainId, TxId},
    keys::{PublicKey, check_party_keys},
    transaction::{Transaction, hashes},
    verify::{Check, verify_all},
};

/// An item of a batch after decoding and signature checks.
#[derive(Clone, Debug)]
pub struct CheckedItem {
    /// What it is, unless it is malformed.
    pub transaction: Option<Transaction>,
    /// Its id; of the bytes, where it is malformed.
    pub id: TxId,
    /// Hash of its signatures, as its leaf keeps it; zero where it is malformed.
    pub signatures: Hash,
    /// Keys that it registers and that were found fit for that ([`check_party_keys`]), in no order; one that is
    /// not among them is looked at when it is judged.
    pub fit: Vec<PublicKey>,
    /// The first thing wrong with its form, chain, rules version or signatures.
    pub fault: Option<Code>,
}

/// Decodes items and verifies their signatures, all in one batch. `known` says which exact signed
/// bytes, by their SHA-256, this node has verified before.
#[must_use]
pub fn check_items(
    chain: &ChainId,
    rules_version: u16,
    items: &[Vec<u8>],
    known: &dyn Fn(&Hash) -> bool,
) -> Vec<CheckedItem> {
    let mut checked: Vec<CheckedItem> =
        items.iter().map(|bytes| decode_item(chain, rules_version, bytes)).collect();
    let to_verify: Vec<usize> = (0..items.len())
        .filter(|&at| checked[at].fault.is_none() && !known(&crate::hash::sha256(&items[at])))
        .collect();
    let preimages: Vec<_> = to_verify
        .iter()
        .map(|&at| match &checked[at].transaction {
            Some(transaction) => transaction.preimages(&checked[at].id),
            None => Vec::new(),
        })
        .collect();
    let mut checks: Vec<Check<'_>> = Vec::new();
    for (&at, preimages) in to_verify.iter().zip(&preimages) {
        if let Some(transaction) = &checked[at].transaction {
            checks.extend(transaction.checks(preimages));
        }
    }
    let verdicts = verify_all(&checks);
    let mut next = verdicts.into_iter();
    for (at, preimages) in to_verify.into_iter().zip(&preimages) {
        // Every verdict is taken from the iterator, also behind a failed one.
        let failed = next.by_ref().take(preimages.len()).filter(|holds| !holds).count();
        if failed > 0 {
            checked[at].fault = Some(Code::BadSignature);
        }
    }
    find_fit(&mut checked);
    checked
}

/// Looks at the keys that items register, all together: what of judging needs no state.
fn find_fit(checked: &mut [CheckedItem]) {
    let mut brought: Vec<(usize, PublicKey)> = Vec::new();
    for (at, item) in checked.iter().enumerate() {
        if let (Some(transaction), None) = (&item.transaction, item.fault) {
            brought.extend(transaction.body.operation.new_keys().iter().map(|key| (at, *key)));
        }
    }
    let keys: Vec<PublicKey> = brought.iter().map(|(_, key)| *key).collect();
    for ((at, key), fit) in brought.into_iter().zip(check_party_keys(&keys)) {
        if fit {
            checked[at].fit.push(key);
        }
    }
}

fn decode_item(chain: &ChainId, rules_version: u16, bytes: &[u8]) -> CheckedItem {
    match Transaction::decode(bytes) {
        Err(_) => CheckedItem {
            transaction: None,
            id: TxId(crate::hash::sha256(bytes)),
            signatures: [0; 32],
            fit: Vec::new(),
            fault: Some(Code::Malformed),
        },
        Ok(transaction) => {
            let fault = if transaction.body.chain != *chain {
                Some(Code::WrongChain)
            } else if transaction.body.rules_version != rules_version {
                Some(Code::InactiveRules)
            } else {
                None
            };
            let (id, signatures) = hashes(bytes, &transaction);
            let transaction = Some(transaction);
            CheckedItem { transaction, id, signatures, fit: Vec::new(), fault }
        }
    }
}
