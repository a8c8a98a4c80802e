//! Directories made from snapshots: a state held while blocks go on, a crash after every write, and a store that
//! goes on from there like any other.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{DIRECTORY, Scribe, create, genesis, open, refused, rows, run, settings};
use musubi_consensus::Position;
use musubi_ledger::{leaf::LEAF_BYTES, policy::WitnessPolicy, snapshot::Gathered};
use musubi_storage::{
    Directory, FrozenState, Incoming, OpenError, Opened, Store, StoreError, Taken,
    memory::{Loss, MemoryDisk},
    rocks::RocksOptions,
};

/// Bytes of a page: a few rows.
const PAGE: usize = 700;

/// What is to be taken: pages of rows, then bundles of leaves.
struct Snapshot {
    state: FrozenState,
    pages: Vec<Vec<(Vec<u8>, Vec<u8>)>>,
    bundles: Vec<Vec<u8>>,
}

fn pages(state: &FrozenState) -> Vec<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut pages: Vec<Vec<(Vec<u8>, Vec<u8>)>> = Vec::new();
    loop {
        let after = pages.last().and_then(|page| page.last()).map(|(key, _)| key.clone());
        let page = state.page(after.as_deref(), PAGE).unwrap();
        if page.is_empty() {
            return pages;
        }
        let bytes: usize = page.iter().map(|(key, row)| key.len() + row.len()).sum();
        assert!(bytes <= PAGE || page.len() == 1, "pages are bounded");
        pages.push(page);
    }
}

impl Snapshot {
    fn of(store: &Store) -> Self {
        let state = store.freeze().unwrap();
        let leaves = store.leaf_bytes(0..state.block().head.size).unwrap();
        let bundles = leaves.chunks(256 * LEAF_BYTES).map(<[u8]>::to_vec).collect();
        Self { pages: pages(&state), bundles, state }
    }

    /// Writes of taking it, but for the last.
    fn writes(&self) -> usize {
        self.pages.len() + self.bundles.len()
    }

    /// The first so many writes.
    fn write(&self, incoming: &mut Incoming, count: usize) -> Result<(), StoreError> {
        for page in self.pages.iter().take(count) {
            incoming.rows(page.clone())?;
        }
        for bundle in self.bundles.iter().take(count.saturating_sub(self.pages.len())) {
            incoming.leaves(bundle)?;
        }
        Ok(())
    }

    fn finish(&self, incoming: Incoming, store: &Store) -> Result<Opened, OpenError> {
        let block = self.state.block();
        let mut gathered = Gathered::new();
        for (key, row) in self.pages.iter().flatten() {
            gathered.take(key, row).unwrap();
        }
        let policy = WitnessPolicy::of_genesis(&genesis());
        let taken = Taken {
            genesis: &genesis(),
            id: DIRECTORY,
            seal: &block.seal,
            entry: &store.raft_entry(block.head.height).unwrap().unwrap(),
            rows: &gathered.finish(&block.seal.state, &[&policy], 0).unwrap(),
            checkpoint: Some("a note"),
            steps: &[],
        };
        incoming.finish(taken, &settings())
    }

    fn take(&self, directory: Directory, store: &Store) -> Opened {
        let mut incoming = Incoming::begin(directory).unwrap();
        self.write(&mut incoming, self.writes()).unwrap();
        assert_eq!(incoming.log().root(), self.state.block().root);
        self.finish(incoming, store).unwrap()
    }
}

/// That both hold the same, and nothing else; and that what `replica` holds is whole.
fn equal(source: &Store, replica: &Store) {
    assert_eq!(source.head(), replica.head());
    assert_eq!(rows(source), rows(replica));
    let size = source.head().0.size;
    assert_eq!(source.leaf_bytes(0..size).unwrap(), replica.leaf_bytes(0..size).unwrap());
    let base = replica.base().unwrap();
    for height in base.head.height..=source.head().0.height {
        assert_eq!(source.block(height).unwrap(), replica.block(height).unwrap());
        let data = |store: &Store| store.raft_entry(height).unwrap().unwrap().data;
        assert_eq!(data(source), data(replica));
    }
    assert_eq!(replica.block(base.head.height - 1).unwrap(), None);
    assert_eq!(source.root_at(base.head.size - 1), replica.root_at(base.head.size - 1));
    let verified = replica.verify(&mut |_, _| {}).unwrap();
    assert_eq!(verified.blocks, source.head().0.height - base.head.height + 1);
    assert_eq!(verified.leaves, size);
    assert_eq!(verified.entries, replica.applied().index - base.entry.index + 1);
}

/// The source goes on by some blocks, and the replica follows.
fn go_on(source: &Opened, scribe: &mut Scribe, replica: &Opened, blocks: u64) {
    for _ in 0..blocks {
        run(source, scribe, 1, 40);
        let height = source.store.head().0.height;
        let record = source.store.block(height).unwrap().unwrap();
        let entry = source.store.raft_entry(height).unwrap().unwrap();
        let block = scribe.last.clone().unwrap();
        assert_eq!(block.head, record.head);
        let position = Position { index: entry.index, term: entry.term };
        replica.store.record_followed(&block, position, entry.data).unwrap();
    }
}

#[test]
fn a_directory_from_a_snapshot_goes_on_and_reopens_like_any_other() {
    let (source, mut scribe) = (create(&MemoryDisk::new(1)), Scribe::new(3));
    run(&source, &mut scribe, 30, 60);
    assert!(source.store.head().0.size > 512, "several bundles, the last one partial");
    let snapshot = Snapshot::of(&source.store);
    let disk = MemoryDisk::new(2);
    let replica = snapshot.take(disk.open().unwrap(), &source.store);
    assert!(replica.store.is_following().unwrap());
    assert_eq!(replica.store.final_checkpoint().unwrap().as_deref(), Some("a note"));
    let base = replica.store.base().unwrap();
    assert_eq!(base.head, source.store.head().0);
    equal(&source.store, &replica.store);
    // At once, before anything is synced in it; and later.
    drop(replica);
    let mut replica = open(&disk).unwrap();
    for boot in 3..6 {
        go_on(&source, &mut scribe, &replica, 3);
        equal(&source.store, &replica.store);
        replica.store.sync().unwrap();
        drop(replica);
        replica = open(&disk).unwrap();
        assert_eq!((replica.boot, replica.store.base()), (boot, Some(base)));
        equal(&source.store, &replica.store);
    }
    // And it is a source itself.
    let again = Snapshot::of(&replica.store);
    let third = again.take(MemoryDisk::new(3).open().unwrap(), &replica.store);
    equal(&source.store, &third.store);
    assert_eq!(third.store.base().unwrap().head, source.store.head().0);
}

#[test]
fn a_crash_after_any_write_leaves_no_ledger() {
    let (source, mut scribe) = (create(&MemoryDisk::new(1)), Scribe::new(5));
    run(&source, &mut scribe, 12, 60);
    let snapshot = Snapshot::of(&source.store);
    assert!(snapshot.writes() > 20);
    for count in 0..=snapshot.writes() {
        for loss in [Loss::Everything, Loss::Nothing, Loss::Seeded] {
            let disk = MemoryDisk::new(count as u64);
            let mut incoming = Incoming::begin(disk.open().unwrap()).unwrap();
            snapshot.write(&mut incoming, count).unwrap();
            disk.crash(loss);
            drop(incoming);
            let error = refused(open(&disk));
            assert!(matches!(error, OpenError::Empty), "{error}");
            assert!(disk.open().unwrap().is_blank().unwrap());
        }
    }
}

#[test]
fn what_an_attempt_left_is_gone_before_the_next() {
    let (source, mut scribe) = (create(&MemoryDisk::new(1)), Scribe::new(7));
    run(&source, &mut scribe, 8, 40);
    let old = Snapshot::of(&source.store);
    run(&source, &mut scribe, 8, 40);
    let new = Snapshot::of(&source.store);
    for count in (0..=old.writes()).step_by(3) {
        let disk = MemoryDisk::new(count as u64);
        let mut incoming = Incoming::begin(disk.open().unwrap()).unwrap();
        old.write(&mut incoming, count).unwrap();
        disk.crash(Loss::Seeded);
        drop(incoming);
        assert!(disk.open().unwrap().is_blank().unwrap());
        let replica = new.take(disk.open().unwrap(), &source.store);
        equal(&source.store, &replica.store);
        // Whole from here on, whatever a power cut takes.
        disk.crash(Loss::Everything);
        drop(replica);
        assert!(!disk.open().unwrap().is_blank().unwrap());
        equal(&source.store, &open(&disk).unwrap().store);
    }
}

#[test]
fn a_disk_that_fails_in_the_middle_leaves_no_ledger() {
    let (source, mut scribe) = (create(&MemoryDisk::new(1)), Scribe::new(9));
    run(&source, &mut scribe, 6, 40);
    let snapshot = Snapshot::of(&source.store);
    let disk = MemoryDisk::new(4);
    for at_the_end in [false, true] {
        let mut incoming = Incoming::begin(disk.open().unwrap()).unwrap();
        if at_the_end {
            snapshot.write(&mut incoming, snapshot.writes()).unwrap();
            disk.fail_writes(true);
            refused(snapshot.finish(incoming, &source.store));
        } else {
            disk.fail_writes(true);
            snapshot.write(&mut incoming, 1).unwrap_err();
            drop(incoming);
        }
        disk.fail_writes(false);
        assert!(matches!(refused(open(&disk)), OpenError::Empty));
    }
    // Given back, it is as if nothing had been.
    let directory = Incoming::begin(disk.open().unwrap()).unwrap().abandon().unwrap();
    let opened = Store::create(directory, &genesis(), DIRECTORY, &settings()).unwrap();
    assert_eq!((opened.store.head().0.height, opened.store.base()), (0, None));
    drop(opened);
    // And a ledger is nobody's to write a snapshot into.
    let error = Incoming::begin(disk.open().unwrap()).err().unwrap();
    assert!(matches!(error, OpenError::NotEmpty), "{error}");
}

/// Pages of a held state, with blocks recorded between them.
fn held(source: &Opened, seed: u64) {
    let mut scribe = Scribe::new(seed);
    run(source, &mut scribe, 10, 40);
    let before = scribe.state.rows();
    let before: BTreeMap<_, _> = before.map(|(key, row)| (key.to_bytes(), row.encode())).collect();
    let state = source.store.freeze().unwrap();
    assert_eq!(state.block().head, scribe.head);
    let (mut found, mut after) = (BTreeMap::new(), None::<Vec<u8>>);
    loop {
        let page = state.page(after.as_deref(), PAGE).unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        found.extend(page);
        run(source, &mut scribe, 1, 10);
    }
    assert_eq!(found, before, "as it was, and nothing of what came since");
    assert_ne!(rows(&source.store).len(), found.len());
}

#[test]
fn a_held_state_stays_as_it_was_on_both_backends() {
    held(&create(&MemoryDisk::new(1)), 11);
    let folder = tempfile::tempdir().unwrap();
    let directory = || Directory::on_disk(folder.path(), &RocksOptions::default()).unwrap();
    let opened = Store::create(directory(), &genesis(), DIRECTORY, &settings()).unwrap();
    held(&opened, 11);
    // Two at once; and the store closes behind them.
    let (one, two) = (opened.store.freeze().unwrap(), opened.store.freeze().unwrap());
    assert_eq!(pages(&one), pages(&two));
    drop((one, two, opened));
    assert!(Store::open(directory(), &settings()).is_ok());
}

#[test]
fn rocksdb_takes_what_memory_held() {
    let (source, mut scribe) = (create(&MemoryDisk::new(1)), Scribe::new(13));
    run(&source, &mut scribe, 10, 60);
    let snapshot = Snapshot::of(&source.store);
    let folder = tempfile::tempdir().unwrap();
    let directory = || Directory::on_disk(folder.path(), &RocksOptions::default()).unwrap();
    let mut incoming = Incoming::begin(directory()).unwrap();
    snapshot.write(&mut incoming, 9).unwrap();
    drop(incoming);
    let replica = snapshot.take(directory(), &source.store);
    go_on(&source, &mut scribe, &replica, 2);
    equal(&source.store, &replica.store);
    drop(replica);
    equal(&source.store, &Store::open(directory(), &settings()).unwrap().store);
}
