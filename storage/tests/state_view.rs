//! The cached view answers as the plain map of the ledger does, whatever is in its cache, on both
//! backends; and a read that fails stops the process.
#![allow(clippy::unwrap_used)]

mod common;

use common::{DIRECTORY, Random, Scribe, create, genesis, settings};
use musubi_ledger::{
    execute::{Block, MemoryState},
    state::{ReadState, RowKey},
    time::Time,
};
use musubi_storage::{Directory, Opened, Store, memory::MemoryDisk, rocks::RocksOptions};
use proptest::prelude::*;

/// Runs blocks and compares every read, of touched and untouched rows, in memory or not.
fn compare(opened: &Opened, seed: u64, blocks: u64) {
    let mut scribe = Scribe::new(seed);
    let mut random = Random(seed ^ 0x5a5a);
    let store = &opened.store;
    let mut seen: Vec<RowKey> = scribe.state.rows().map(|(key, _)| key.clone()).collect();
    for index in 1..=blocks {
        let entry = scribe.batch(index, 1, 30);
        store.stage(&common::persist(vec![entry.clone()], (index == 1).then(hard_state))).unwrap();
        let block: Block = scribe.block(&entry);
        seen.extend(block.changes.keys().cloned());
        // Read ahead of the block that changes them: must not survive it.
        drop(store.state().ahead(pick(&seen, &mut random)));
        store.record(&block, entry.position()).unwrap();
        let ahead = store.state().ahead(pick(&seen, &mut random));
        for key in pick(&seen, &mut random) {
            assert_eq!(ahead.row(&key), scribe.state.row(&key), "{key:?}");
            assert_eq!(store.state().row(&key), scribe.state.row(&key), "{key:?}");
            assert_eq!(store.row(&key).unwrap(), scribe.state.row(&key), "{key:?}");
        }
        compare_due(store, &scribe.state, scribe.head.time, &mut random);
    }
    for key in &seen {
        assert_eq!(store.state().row(key), scribe.state.row(key), "{key:?}");
    }
    let counts = store.counts();
    assert!(counts.cache.hits > 0 && counts.cache.evictions > 0, "{counts:?}");
    assert!(counts.cache.rows <= settings().cached_rows as u64);
    assert_eq!(counts.blocks, blocks);
}

fn hard_state() -> musubi_consensus::HardState {
    musubi_consensus::HardState { term: 1, vote: None, commit: 0 }
}

fn pick(seen: &[RowKey], random: &mut Random) -> Vec<RowKey> {
    (0..12).map(|_| seen[random.below(seen.len() as u64) as usize].clone()).collect()
}

fn compare_due(store: &Store, model: &MemoryState, now: Time, random: &mut Random) {
    for _ in 0..4 {
        let until = Time((now.0 + random.below(300)).saturating_sub(100));
        let limit = random.below(5) as usize;
        assert_eq!(store.state().due(until, limit), model.due(until, limit), "{until:?} {limit}");
    }
    let next = model.due(Time(u64::MAX), 1).pop().map(|key| match key {
        RowKey::Due(time, ..) => time,
        other => panic!("no deadline: {other:?}"),
    });
    assert_eq!(store.state().next_due(), next);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn the_view_on_memory_is_the_plain_map(seed: u64) {
        compare(&create(&MemoryDisk::new(seed)), seed, 20);
    }
}

#[test]
fn the_view_on_rocksdb_is_the_plain_map() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::on_disk(folder.path(), &RocksOptions::default()).unwrap();
    let opened = Store::create(directory, &genesis(), DIRECTORY, &settings()).unwrap();
    compare(&opened, 77, 20);
}

struct StopOnDrop<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn reading_ahead_beside_recording_never_leaves_an_old_row() {
    let opened = create(&MemoryDisk::new(1));
    let mut scribe = Scribe::new(8);
    let wallets: Vec<RowKey> =
        (0..20).map(|n| RowKey::Wallet(musubi_ledger::id::PartyId([100 + n; 16]))).collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rounds = 0u64;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                drop(opened.store.state().ahead(wallets.clone()));
                rounds += 1;
            }
            rounds
        });
        let stop = StopOnDrop(&done); // also when an assertion fails, or the scope would wait for ever
        for index in 1..=300 {
            let entry = scribe.batch(index, 1, 10);
            let hard = (index == 1).then(hard_state);
            opened.store.stage(&common::persist(vec![entry.clone()], hard)).unwrap();
            let block = scribe.block(&entry);
            opened.store.record(&block, entry.position()).unwrap();
            for key in block.changes.keys() {
                assert_eq!(opened.store.state().row(key), scribe.state.row(key), "{key:?}");
            }
        }
        drop(stop);
        assert!(reader.join().unwrap() > 10);
    });
}

#[test]
#[should_panic(expected = "stops rather than guess")]
fn a_failed_read_is_never_an_absent_row() {
    let disk = MemoryDisk::new(1);
    let opened = create(&disk);
    disk.crash(musubi_storage::memory::Loss::Nothing);
    let _ = opened.store.state().row(&RowKey::Meta);
}
