//! What one transfer costs a node, stage by stage, in blocks of 1,000: decode and signatures, rules and
//! digests, recording in RocksDB. The first is the floor; the ratio of the sum to it is what to watch.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use musubi_benches::town::{Payment, Town};
use musubi_consensus::{HardState, LogEntry, Persist, Position};
use musubi_ledger::{
    execute::{Block, check_items},
    genesis::RULES_VERSION,
};
use musubi_storage::{Directory, OpenSettings, Store, rocks::RocksOptions};

const BLOCK: usize = 1_000;

fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("transfer");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for payment in [Payment::BothSign, Payment::StaticQr] {
        let mut town = Town::new(4_000, 500);
        let items = town.payments(BLOCK, payment);
        let batch = town.batch(items);
        let chain = batch.chain;
        group.bench_function(format!("{payment:?}: decode and verify"), |b| {
            b.iter(|| check_items(&chain, RULES_VERSION, &batch.items, &|_| false));
        });
        group.bench_function(format!("{payment:?}: decode, signatures known"), |b| {
            b.iter(|| check_items(&chain, RULES_VERSION, &batch.items, &|_| true));
        });
        let checked = check_items(&chain, RULES_VERSION, &batch.items, &|_| true);
        group.bench_function(format!("{payment:?}: rules, leaves, digests"), |b| {
            b.iter_batched(
                || town.chain.clone(),
                |mut chain| chain.execute(town.state(), &batch, [0; 32], &checked),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// Persisting an entry with its fsync, and recording its block, as a node does: on a directory that holds
/// 4,500 wallets. Each block goes through both; the clock runs for one of them.
fn disk(c: &mut Criterion) {
    let mut group = c.benchmark_group("transfer");
    group.throughput(Throughput::Elements(BLOCK as u64)).sample_size(20);
    let mut town = Town::new(4_000, 500);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let directory = Directory::on_disk(folder.path(), &RocksOptions::default()).expect("opens");
    let opened = Store::create(directory, &town.genesis, [1; 16], &OpenSettings::default());
    let store = opened.expect("a fresh directory opens").store;
    for written in std::mem::take(&mut town.blocks) {
        write(&store, written);
    }
    for (name, timed) in [("persist and sync", Timed::Persist), ("record", Timed::Record)] {
        group.bench_function(name, |b| {
            b.iter_custom(|blocks| {
                let one = |_| {
                    let items = town.payments(BLOCK, Payment::BothSign);
                    town.run_all(items);
                    let (persist, record) =
                        write(&store, town.blocks.pop().expect("one block was made"));
                    if timed == Timed::Persist { persist } else { record }
                };
                (0..blocks).map(one).sum()
            });
        });
    }
    group.finish();
}

#[derive(Clone, Copy, PartialEq)]
enum Timed {
    Persist,
    Record,
}

/// How long persisting and recording took.
fn write(store: &Store, (block, data): (Block, Vec<u8>)) -> (Duration, Duration) {
    let index = store.applied().index + 1;
    let position = Position { index, term: 1 };
    let hard_state = Some(HardState { term: 1, vote: None, commit: index });
    let entries = vec![LogEntry { index, term: 1, data }];
    let persist =
        Persist { number: index, truncate_from: None, entries, hard_state, must_sync: true };
    let begun = Instant::now();
    store.stage(&persist).expect("stages");
    store.sync().expect("syncs");
    let persisted = begun.elapsed();
    store.record(&block, position).expect("records");
    (persisted, begun.elapsed() - persisted)
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = stages, disk
}
criterion_main!(benches);
