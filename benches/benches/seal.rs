//! What closing a block of 1,000 transfers costs: the log's root, and the state digest over 100,000 wallets.
#![allow(missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use musubi_ledger::{
    digest::{sum::SetDigest, tree::WalletTree},
    hash::{Hash, sha256},
    tlog::frontier::Frontier,
};

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

criterion_group!(benches, seal);
criterion_main!(benches);
