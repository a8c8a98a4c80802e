//! What closing a block of 1,000 transfers costs: the log's root, and the state digest over 100,000 wallets. And
//! the state tree over a million wallets, against the trees that it was chosen from.
#![allow(missing_docs)]

mod trees;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use musubi_ledger::{
    digest::{sum::SetDigest, tree::WalletTree},
    hash::{Hash, sha256},
    tlog::{frontier::Frontier, merkle},
};
use trees::{Flat, Sparse};

const BLOCK: u64 = 1_000;
const WALLETS: u64 = 100_000;

fn some_hash(n: u64) -> Hash {
    sha256(&n.to_le_bytes())
}

fn seal(c: &mut Criterion) {
    let mut group = c.benchmark_group("seal");
    group.throughput(Throughput::Elements(BLOCK));
    let leaves: Vec<Vec<u8>> = (0..BLOCK).map(|n| [some_hash(n); 6].concat()).collect();
    group.bench_function("1,000 leaves and the root", |b| {
        b.iter_batched(
            Frontier::new,
            |mut log| {
                let mut nodes = Vec::new();
                for leaf in &leaves {
                    log.append_entry(leaf, &mut nodes);
                }
                (log.root(), nodes)
            },
            BatchSize::SmallInput,
        );
    });
    let mut wallets = WalletTree::from_leaves((0..WALLETS).map(some_hash).collect());
    let mut turn = 0;
    group.bench_function("2,000 of 100,000 wallets and the root", |b| {
        b.iter(|| {
            turn += 1;
            for n in 0..2 * BLOCK {
                wallets.set((turn * 7_919 + n * 49) % WALLETS, some_hash(n));
            }
            wallets.root()
        });
    });
    let mut rows = SetDigest::new();
    let row = [7; 150];
    group.bench_function("2,000 new rows and the digest", |b| {
        b.iter(|| {
            for n in 0..2 * BLOCK {
                rows.add(&n.to_le_bytes(), &row);
            }
            rows.digest()
        });
    });
    group.finish();
}

/// Two thousand places all over a million wallets, other ones each turn.
fn places(turn: u64) -> impl Iterator<Item = u64> {
    (0..2 * BLOCK).map(move |n| (turn * 7_919 + n * 499) % MILLION)
}

const MILLION: u64 = 1_000_000;

fn blake3_of<const W: usize>(children: &[Hash; W]) -> Hash {
    blake3::hash(children.as_flattened()).into()
}

fn sha256_of(children: &[Hash; 2]) -> Hash {
    merkle::node_hash(&children[0], &children[1])
}

/// 2,000 changed wallets of a million, and the root.
fn state_trees(c: &mut Criterion) {
    let mut group = c.benchmark_group("state tree");
    group.throughput(Throughput::Elements(BLOCK));
    let leaves: Vec<Hash> = (0..MILLION).map(some_hash).collect();
    let mut turn = 0;
    let mut ours = WalletTree::from_leaves(leaves.clone());
    group.bench_function("flat BLAKE3 (the ledger's)", |b| {
        b.iter(|| {
            turn += 1;
            places(turn).for_each(|at| ours.set(at, some_hash(turn ^ at)));
            ours.root()
        });
    });
    drop(ours);
    let mut flat = Flat::<2>::new(leaves.clone(), sha256_of);
    group.bench_function("flat SHA-256", |b| {
        b.iter(|| {
            turn += 1;
            places(turn).for_each(|at| flat.set(at as usize, some_hash(turn ^ at)));
            flat.root()
        });
    });
    let mut wide = Flat::<16>::new(leaves.clone(), blake3_of);
    group.bench_function("flat BLAKE3, sixteen children", |b| {
        b.iter(|| {
            turn += 1;
            places(turn).for_each(|at| wide.set(at as usize, some_hash(turn ^ at)));
            wide.root()
        });
    });
    let key = |n: u64| *some_hash(n).first_chunk::<16>().expect("a hash is longer");
    let mut keys: Vec<[u8; 16]> = (0..MILLION).map(key).collect();
    keys.sort_unstable();
    let mut sparse = Sparse::new(keys, leaves, blake3_of);
    group.bench_function("sparse BLAKE3 by party", |b| {
        b.iter(|| {
            turn += 1;
            places(turn).for_each(|at| sparse.set(&key(at), some_hash(turn ^ at)));
            sparse.root()
        });
    });
    // The keys cost a hash each here, which the other trees do not need: measured, to be taken off.
    group.bench_function("2,000 leaves and keys alone", |b| {
        b.iter(|| {
            turn += 1;
            places(turn).fold(0u8, |sum, at| sum ^ key(at)[0] ^ some_hash(turn ^ at)[0])
        });
    });
    group.finish();
    for (name, (held, proof)) in [
        ("flat of two", flat.sizes()),
        ("flat of sixteen", wide.sizes()),
        ("sparse", sparse.sizes()),
    ] {
        println!("state tree, {name}: {held} bytes per wallet, {proof} bytes of path");
    }
}

criterion_group!(benches, seal, state_trees);
criterion_main!(benches);
