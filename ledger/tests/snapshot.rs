//! Rows of a snapshot: what is counted again at the end, and every way in which they can be wrong.
#![allow(clippy::unwrap_used)]

use musubi_ledger::{
    amount::Amount,
    digest::{SetDigest, WalletTree, state_digest},
    hash::Hash,
    id::{PartyId, PersonTag},
    lot::{Lot, OriginKind},
    policy::WitnessPolicy,
    snapshot::{Gathered, SnapshotError},
    state::{NumberedPolicy, Row, RowKey},
    wallet::{Holding, Wallet},
};

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Wallets whose serial numbers run otherwise than their keys, and rows on both sides of them.
fn rows() -> (Rows, Hash) {
    let (mut rows, mut leaves, mut others) = (Rows::new(), Vec::new(), SetDigest::new());
    for n in 0..5u8 {
        let party = PartyId([9 - n; 16]);
        let mut wallet = Wallet::open(n.into(), [n; 32]);
        let lot = Lot {
            instrument: "MEBUKU".parse().unwrap(),
            use_expiry: None,
            origin: OriginKind::Paid,
            funder: PartyId([1; 16]),
            campaign: 0,
        };
        wallet
            .add(lot, Holding::Spendable, Amount(100 + u64::from(n)), musubi_ledger::time::Time(7))
            .unwrap();
        leaves.push(wallet.state_leaf(&party));
        rows.push((RowKey::Wallet(party).to_bytes(), Row::Wallet(wallet.into()).encode()));
        let person = RowKey::Person(PersonTag([n; 32])).to_bytes();
        let row = Row::Person(party).encode();
        others.add(&person, &row);
        rows.push((person, row));
    }
    rows.sort();
    let mut wallets = WalletTree::from_leaves(leaves);
    let digest = state_digest(wallets.count(), &wallets.root(), &others.digest());
    (rows, digest)
}

fn gather(rows: &Rows, digest: &Hash) -> Result<SetDigest, SnapshotError> {
    let mut gathered = Gathered::new();
    for (key, row) in rows {
        gathered.take(key, row)?;
    }
    assert_eq!(gathered.rows(), rows.len() as u64);
    assert_eq!(gathered.last(), rows.last().map(|(key, _)| &key[..]));
    gathered.finish(digest, &[], 0)
}

#[test]
fn all_rows_and_nothing_else_have_the_digest() {
    let (rows, digest) = rows();
    gather(&rows, &digest).unwrap();
    // The one opened first.
    let wallet = rows.iter().position(|(key, _)| key[0] == 4 && key[1] == 9).unwrap();
    type Change = Box<dyn Fn(&mut Rows)>;
    let changes: Vec<(&str, &str, Change)> = vec![
        ("a person less", "snapshot_digest", Box::new(|rows| drop(rows.remove(0)))),
        ("the last person less", "snapshot_digest", Box::new(|rows| drop(rows.remove(4)))),
        ("a wallet less", "snapshot_wallets", Box::new(move |rows| drop(rows.remove(wallet)))),
        // The one opened last leaves no gap.
        (
            "the newest wallet less",
            "snapshot_digest",
            Box::new(move |rows| {
                let newest = rows.iter().position(|(key, _)| key[0] == 4 && key[1] == 5).unwrap();
                rows.remove(newest);
            }),
        ),
        (
            "a person more",
            "snapshot_digest",
            Box::new(|rows| {
                let row = Row::Person(PartyId([7; 16])).encode();
                rows.insert(5, (RowKey::Person(PersonTag([5; 32])).to_bytes(), row));
            }),
        ),
        (
            "another person",
            "snapshot_digest",
            Box::new(|rows| {
                rows[0].1 = Row::Person(PartyId([3; 16])).encode();
            }),
        ),
        (
            "a yen more",
            "snapshot_digest",
            Box::new(move |rows| {
                let at = rows[wallet].1.iter().position(|byte| *byte == 100).unwrap();
                rows[wallet].1[at] += 1;
            }),
        ),
        (
            "a wallet twice",
            "snapshot_wallets",
            Box::new(move |rows| {
                let mut again = rows[wallet].clone();
                again.0[16] ^= 1;
                rows.insert(wallet, again);
            }),
        ),
        ("a row twice", "snapshot_row", Box::new(|rows| rows.insert(1, rows[0].clone()))),
        ("another order", "snapshot_row", Box::new(|rows| rows.swap(0, 1))),
        ("no key", "snapshot_row", Box::new(|rows| rows[0].0.push(0))),
        ("no row", "snapshot_row", Box::new(|rows| rows[0].1.push(0))),
        (
            "a person among the wallets",
            "snapshot_row",
            Box::new(move |rows| {
                rows[wallet].1 = rows[0].1.clone();
            }),
        ),
        ("nothing", "snapshot_digest", Box::new(Vec::clear)),
    ];
    for (what, code, change) in changes {
        let mut changed = rows.clone();
        change(&mut changed);
        let error = gather(&changed, &digest).expect_err(what);
        assert_eq!(error.code(), code, "{what}: {error}");
    }
}

fn policy(number: u32) -> WitnessPolicy {
    WitnessPolicy { number, logs: Vec::new(), witnesses: Vec::new(), quorum: 1 }
}

#[test]
fn policies_are_those_that_are_proven_and_changes_that_a_recovery_dropped() {
    let mut gathered = Gathered::new();
    let mut others = SetDigest::new();
    for number in 1..=4 {
        let row = Row::Policy(NumberedPolicy { policy: policy(number), set_by: None }.into());
        let (key, row) = (RowKey::Policy(number).to_bytes(), row.encode());
        others.add(&key, &row);
        gathered.take(&key, &row).unwrap();
    }
    let digest = state_digest(0, &WalletTree::new().root(), &others.digest());
    let found = |numbers: &[u32], founded| {
        let proven: Vec<_> = numbers.iter().map(|number| policy(*number)).collect();
        let proven: Vec<_> = proven.iter().collect();
        gathered.clone().finish(&digest, &proven, founded).map_err(|error| error.code())
    };
    for (numbers, founded) in [(&[1, 2, 3, 4][..], 0), (&[1, 2, 3, 4], 4), (&[1, 2, 4], 4)] {
        found(numbers, founded).unwrap();
    }
    for (numbers, founded) in
        [(&[1, 2, 4][..], 0), (&[1, 2, 3], 0), (&[1, 2], 3), (&[1, 2, 4, 5], 4)]
    {
        assert_eq!(found(numbers, founded).unwrap_err(), "snapshot_policies", "{numbers:?}");
    }
}
