//! Tests of the state digest: against naive recomputation, the formulas written out, and damage.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::sum::{BYTES, SetDigest};
use super::tree::{PathError, WalletTree, verify_path};
use super::{Hash, state_digest};
use crate::{id::PartyId, wallet::Wallet};

#[test]
fn the_state_digest_is_the_documented_hash_and_binds_every_part() {
    let (root, set) = ([1; 32], [2; 32]);
    let mut input = b"musubi/state-digest/v1".to_vec();
    input.extend_from_slice(&0x0102u64.to_le_bytes());
    input.extend_from_slice(&root);
    input.extend_from_slice(&set);
    let digest = state_digest(0x0102, &root, &set);
    assert_eq!(digest, *blake3::hash(&input).as_bytes());
    for other in [state_digest(0x0103, &root, &set), state_digest(0x0102, &set, &root)] {
        assert_ne!(other, digest);
    }
}

// ---- the set digest

fn sum_of<'a>(rows: impl IntoIterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>) -> SetDigest {
    let mut sum = SetDigest::new();
    for (key, value) in rows {
        sum.add(key, value);
    }
    sum
}

#[test]
fn one_row_is_the_documented_hash() {
    let mut sum = SetDigest::new();
    assert_eq!(sum.to_bytes(), [0; BYTES]);
    sum.add(b"key", b"value");
    let mut expected = [0; BYTES];
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"musubi/set-digest/element/v1\x03\0\0\0\0\0\0\0keyvalue");
    hasher.finalize_xof().fill(&mut expected);
    assert_eq!(sum.to_bytes(), expected);
    assert_eq!(sum.digest(), *blake3::hash(&expected).as_bytes());
}

#[test]
fn the_border_of_key_and_value_counts() {
    let rows: [(&[u8], &[u8]); 4] = [(b"ab", b"c"), (b"a", b"bc"), (b"abc", b""), (b"", b"abc")];
    let digests: std::collections::BTreeSet<_> = rows
        .iter()
        .map(|(key, value)| {
            let mut sum = SetDigest::new();
            sum.add(key, value);
            sum.digest()
        })
        .collect();
    assert_eq!(digests.len(), rows.len());
}

#[test]
fn an_element_added_65536_times_vanishes_as_documented() {
    let mut sum = SetDigest::new();
    sum.add(b"key", b"value");
    for _ in 0..16 {
        sum.merge(&sum.clone()); // doubles
    }
    assert_eq!(sum, SetDigest::new());
}

proptest! {
    #[test]
    fn the_sum_follows_the_rows(steps in prop::collection::vec((0u8..8, prop::option::of(any::<u16>())), 0..60)) {
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut sum = SetDigest::new();
        for (key, value) in steps {
            let key = vec![key];
            let value = value.map(|value| value.to_le_bytes().to_vec());
            if let Some(old) = rows.remove(&key) {
                sum.remove(&key, &old);
            }
            if let Some(value) = value {
                sum.add(&key, &value);
                rows.insert(key, value);
            }
            prop_assert_eq!(&sum, &sum_of(&rows));
            prop_assert_eq!(sum.digest() == SetDigest::new().digest(), rows.is_empty());
        }
        prop_assert_eq!(&SetDigest::from_bytes(&sum.to_bytes()), &sum);
    }

    #[test]
    fn neither_order_nor_grouping_matters(
        rows in prop::collection::btree_map(prop::collection::vec(any::<u8>(), 0..5), prop::collection::vec(any::<u8>(), 0..5), 0..20),
        cut in 0usize..20,
    ) {
        let whole = sum_of(&rows);
        prop_assert_eq!(&sum_of(rows.iter().rev()), &whole);
        let mut parts = sum_of(rows.iter().skip(cut));
        parts.merge(&sum_of(rows.iter().take(cut)));
        prop_assert_eq!(&parts, &whole);
    }
}

// ---- the wallet tree

fn leaf(content: u64) -> Hash {
    blake3::derive_key("a leaf of the tests", &content.to_le_bytes())
}

/// The root as documented, over RFC 6962's shape written recursively.
fn naive_root(leaves: &[Hash]) -> Hash {
    let top = match leaves {
        [] => *blake3::keyed_hash(b"musubi/wallet-tree/empty/v1.....", b"").as_bytes(),
        _ => naive_top(leaves),
    };
    let count = (leaves.len() as u64).to_le_bytes();
    let input = [&count[..], &top].concat();
    *blake3::keyed_hash(b"musubi/wallet-tree/root/v1......", &input).as_bytes()
}

fn naive_top(leaves: &[Hash]) -> Hash {
    if let [only] = leaves {
        return *only;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let input = [naive_top(left), naive_top(right)].concat();
    *blake3::keyed_hash(b"musubi/wallet-tree/node/v1......", &input).as_bytes()
}

#[test]
fn growing_one_by_one_or_at_once_gives_the_defined_roots() {
    let leaves: Vec<_> = (0..130).map(leaf).collect();
    let mut grown = WalletTree::new();
    for count in 0..=130 {
        let expected = naive_root(&leaves[..count]);
        assert_eq!(WalletTree::from_leaves(leaves[..count].to_vec()).root(), expected);
        assert_eq!(grown.root(), expected);
        assert_eq!(grown.root(), expected, "asking twice changes nothing");
        assert_eq!(grown.count(), count as u64);
        let mut jumped = WalletTree::new();
        (0..count).for_each(|serial| jumped.set(serial as u64, leaves[serial]));
        assert_eq!(jumped.root(), expected);
        if count < 130 {
            grown.set(count as u64, leaves[count]);
        }
    }
}

#[test]
fn a_leaf_is_its_documented_hash() {
    let wallet = Wallet { serial: 7, salt: [1; 32], leaves: 9, history: [2; 32], lots: Vec::new() };
    let mut header = vec![5; 16];
    header.extend(7_u64.to_le_bytes());
    header.extend(9_u64.to_le_bytes());
    header.extend([2; 32]);
    let lots = 0_u64.to_le_bytes();
    let mut salts = [0; 64];
    let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/wallet-part-salts");
    hasher.update(&wallet.salt).finalize_xof().fill(&mut salts);
    let part =
        |context, salt: &[u8], part: &[u8]| blake3::derive_key(context, &[salt, part].concat());
    let parts = [
        part("musubi/v1/wallet-header", &salts[..32], &header),
        part("musubi/v1/wallet-lots", &salts[32..], &lots),
    ]
    .concat();
    assert_eq!(
        wallet.state_leaf(&PartyId([5; 16])),
        blake3::derive_key("musubi/v1/wallet-leaf", &parts)
    );
}

#[test]
fn every_path_up_to_70_wallets_proves_its_wallet_only() {
    for count in 1..=70u64 {
        let mut tree = WalletTree::from_leaves((0..count).map(leaf).collect());
        let root = tree.root();
        for serial in 0..count {
            let path = tree.path(serial).unwrap();
            let verify = |path: &[Hash]| verify_path(serial, count, &leaf(serial), path, &root);
            assert_eq!(verify(&path), Ok(()));
            for at in 0..path.len() {
                let mut flipped = path.clone();
                flipped[at][(at * 7 + serial as usize) % 32] ^= 1 << (serial % 8);
                assert_eq!(verify(&flipped), Err(PathError::RootMismatch));
                assert_eq!(verify(&path[..at]), Err(PathError::WrongLength));
            }
            assert_eq!(verify(&[&path[..], &[root]].concat()), Err(PathError::WrongLength));
            assert!(verify_path(serial, count, &leaf(count), &path, &root).is_err());
            assert!(verify_path(serial, count + 1, &leaf(serial), &path, &root).is_err());
            let elsewhere = (serial + 1) % count;
            assert!(
                count == 1 || verify_path(elsewhere, count, &leaf(serial), &path, &root).is_err()
            );
        }
        assert_eq!(tree.path(count), None);
        assert_eq!(tree.path(u64::MAX), None);
        assert_eq!(
            verify_path(count, count, &leaf(0), &[], &root),
            Err(PathError::SerialBeyondCount)
        );
    }
    assert_eq!(WalletTree::new().path(0), None);
}

#[test]
#[should_panic(expected = "wallet 3 is set, but only 2 are open")]
fn skipping_a_serial_number_is_a_bug() {
    let mut tree = WalletTree::from_leaves(vec![leaf(0), leaf(1)]);
    tree.set(3, leaf(3));
}

#[test]
#[should_panic(expected = "root() must be taken before paths are")]
fn a_path_out_of_two_states_is_a_bug() {
    let mut tree = WalletTree::from_leaves(vec![leaf(0), leaf(1)]);
    tree.set(0, leaf(7));
    let _ = tree.path(1);
}

proptest! {
    #[test]
    fn blocks_of_changes_agree_with_recomputation(
        start in 0u64..300,
        blocks in prop::collection::vec(prop::collection::vec((any::<u16>(), any::<u64>()), 0..40), 0..12),
    ) {
        let mut leaves: Vec<_> = (0..start).map(leaf).collect();
        let mut tree = WalletTree::from_leaves(leaves.clone());
        for block in blocks {
            for (place, content) in block {
                // The first serial not yet open is as likely as any other, and more so below.
                let serial = usize::from(place) % (leaves.len() + 1 + leaves.len() / 8);
                let serial = serial.min(leaves.len());
                if serial == leaves.len() {
                    leaves.push(leaf(content));
                } else {
                    leaves[serial] = leaf(content);
                }
                tree.set(serial as u64, leaf(content));
            }
            prop_assert_eq!(tree.root(), naive_root(&leaves));
        }
        for serial in 0..leaves.len() as u64 {
            let path = tree.path(serial).unwrap();
            let root = tree.root();
            prop_assert_eq!(verify_path(serial, tree.count(), &leaves[serial as usize], &path, &root), Ok(()));
        }
    }
}
