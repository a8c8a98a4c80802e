//! What checking signatures costs: the floor under everything else. One by one against batches, with
//! distinct keys and with one busy shop's key.
#![allow(missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use musubi_benches::town::key;
use musubi_ledger::{
    keys::SignatureBytes,
    verify::{Check, verify_all},
};

fn checks(c: &mut Criterion) {
    let message = [7u8; 131];
    let mut group = c.benchmark_group("signatures");
    for (name, count, keys) in [
        ("one by one", 1, 1),
        ("batch of 64, distinct keys", 64, 64),
        ("batch of 1024, distinct keys", 1_024, 1_024),
        ("batch of 1024, half by one key", 1_024, 513),
    ] {
        let secrets: Vec<_> = (0..keys).map(|n| key(9, n)).collect();
        let signed: Vec<(usize, SignatureBytes)> = (0..count)
            .map(|n| {
                let by = n.min(keys - 1);
                (by, secrets[by].sign(&message))
            })
            .collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    let check = |(by, signature): &(usize, SignatureBytes)| Check {
                        key: secrets[*by].public(),
                        message: &message,
                        signature: *signature,
                    };
                    signed.iter().map(check).collect::<Vec<_>>()
                },
                |checks| assert!(verify_all(&checks).into_iter().all(|holds| holds)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = checks
}
criterion_main!(benches);
