//! The canonical byte form of a transfer with two signatures: written, read, and its id.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use musubi_benches::town::{Payment, Town};
use musubi_ledger::transaction::Transaction;

fn codec(c: &mut Criterion) {
    let bytes = Town::new(1, 1).payments(1, Payment::BothSign).remove(0);
    let transaction = Transaction::decode(&bytes).expect("a generated payment");
    let mut group = c.benchmark_group("codec");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode", |b| b.iter(|| transaction.encode()));
    group.bench_function("decode, checked to be canonical", |b| {
        b.iter(|| Transaction::decode(&bytes).expect("a generated payment"));
    });
    group.bench_function("id", |b| b.iter(|| transaction.body.id()));
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
