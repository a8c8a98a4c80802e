//! The same on a real RocksDB in a real folder.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{DIRECTORY, Model, Scribe, genesis, refused, run, settings};
use musubi_storage::{
    Directory, OpenError, Opened, Store, backend::Family, memory::MemoryDisk, rocks::RocksOptions,
};

fn directory(path: &Path) -> Result<Directory, OpenError> {
    Directory::on_disk(path, &RocksOptions::default())
}

fn reopen(path: &Path) -> Result<Opened, OpenError> {
    Store::open(directory(path)?, &settings())
}

#[test]
fn a_directory_reopens_as_it_was_left_and_as_memory_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let opened =
        Store::create(directory(folder.path()).unwrap(), &genesis(), DIRECTORY, &settings())
            .unwrap();
    let memory = common::create(&MemoryDisk::new(1));
    for store in [&opened, &memory] {
        run(store, &mut Scribe::new(5), 15, 50);
    }
    assert_eq!(opened.store.acknowledged(), memory.store.acknowledged());
    let counts = opened.store.counts();
    assert_eq!((counts.entries, counts.blocks, counts.syncs), (15, 15, 15));
    drop(opened);
    for boot in 2..4 {
        let opened = reopen(folder.path()).unwrap();
        assert_eq!(opened.boot, boot);
        assert_eq!(opened.directory, DIRECTORY);
        let model = Model::read(&opened);
        assert_eq!(model.applied.index, 15);
        assert_eq!((model.head, model.root), (Some(memory.store.head().0), memory.store.head().1));
        assert_eq!(model.rows, common::rows(&memory.store));
        assert_eq!(
            opened.store.verify(&mut |_, _| {}).unwrap(),
            memory.store.verify(&mut |_, _| {}).unwrap()
        );
    }
}

#[test]
fn two_processes_do_not_share_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let opened =
        Store::create(directory(folder.path()).unwrap(), &genesis(), DIRECTORY, &settings())
            .unwrap();
    let error = refused(reopen(folder.path()));
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(opened);
    assert_eq!(reopen(folder.path()).unwrap().boot, 2);
}

#[test]
fn an_old_database_under_a_new_watermark_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (live, old) = (folder.path().join("live"), folder.path().join("old"));
    let opened =
        Store::create(directory(&live).unwrap(), &genesis(), DIRECTORY, &settings()).unwrap();
    let mut scribe = Scribe::new(5);
    run(&opened, &mut scribe, 2, 5);
    drop(opened);
    copy_folder(&live.join("db"), &old.join("db"));
    let opened = reopen(&live).unwrap();
    run(&opened, &mut scribe, 2, 5);
    drop(opened);
    std::fs::copy(live.join("watermark"), old.join("watermark")).unwrap();
    assert_eq!(refused(reopen(&old)).code(), "acknowledged_lost");
    std::fs::remove_file(old.join("watermark")).unwrap();
    assert_eq!(refused(reopen(&old)), OpenError::WatermarkLost);
}

#[test]
fn a_torn_log_tail_is_cut_and_a_hole_in_acknowledged_entries_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (live, copy) = (folder.path().join("live"), folder.path().join("copy"));
    let opened =
        Store::create(directory(&live).unwrap(), &genesis(), DIRECTORY, &settings()).unwrap();
    let mut scribe = Scribe::new(5);
    run(&opened, &mut scribe, 3, 5);
    // Written, not synced, not acknowledged: a power cut may tear it.
    let tail = scribe.batch(4, 1, 40);
    let acknowledged = std::fs::read_dir(live.join("db")).unwrap().map(|f| f.unwrap().path());
    let log = acknowledged.filter(|f| f.extension().is_some_and(|e| e == "log")).max().unwrap();
    let synced = std::fs::metadata(&log).unwrap().len();
    opened.store.stage(&common::persist(vec![tail], None)).unwrap();
    let written = std::fs::metadata(&log).unwrap().len();
    assert!(written > synced);
    // As the disk looks at this moment, without a clean shutdown.
    copy_folder(&live, &copy);
    for (length, expected) in [(written, 4), (written - 1, 3), (synced + 3, 3), (synced, 3)] {
        let cut = folder.path().join(format!("cut-{length}"));
        copy_folder(&copy, &cut);
        truncate(&cut.join("db").join(log.file_name().unwrap()), length);
        let opened = reopen(&cut).unwrap();
        assert_eq!(opened.recovered.last.index, expected, "log cut at {length} of {written}");
        opened.store.verify(&mut |_, _| {}).unwrap();
    }
    // RocksDB's recovery alone would silently drop these acknowledged entries (F7).
    truncate(&copy.join("db").join(log.file_name().unwrap()), synced / 2);
    let error = refused(reopen(&copy));
    assert!(["acknowledged_lost", "database_refused"].contains(&error.code()), "{error}");
    drop(opened);
}

#[test]
fn every_family_scans_both_ways_within_its_bounds() {
    use musubi_storage::backend::{Scan, WriteSet, collect};
    let folder = tempfile::tempdir().unwrap();
    let rocks = directory(folder.path()).unwrap();
    let memory = MemoryDisk::new(1).open().unwrap();
    let mut set = WriteSet::new();
    for family in Family::ALL {
        for n in 0..40u8 {
            set.put(family, vec![n, n.wrapping_mul(7)], vec![n]);
        }
        set.remove(family, vec![3, 21]);
        set.put(family, vec![4, 28], b"again".to_vec());
    }
    for directory in [&rocks, &memory] {
        directory.backend().write(set.clone()).unwrap();
    }
    let bounds: [&[u8]; 5] = [&[], &[4], &[4, 28], &[20, 0], &[255]];
    for family in Family::ALL {
        for from in bounds {
            for until in bounds.map(Some).into_iter().chain([None]) {
                for reverse in [false, true] {
                    for limit in [0, 1, 5, 100] {
                        let scan = Scan { family, from, until, reverse };
                        let found = collect(rocks.backend(), scan, limit).unwrap();
                        assert_eq!(
                            found,
                            collect(memory.backend(), scan, limit).unwrap(),
                            "{scan:?}"
                        );
                    }
                }
            }
        }
        let keys = vec![vec![1, 7], vec![3, 21], vec![0], vec![4, 28]];
        let found = rocks.backend().multi_get(family, &keys).unwrap();
        assert_eq!(found, [Some(vec![1]), None, None, Some(b"again".to_vec())]);
        assert_eq!(found, memory.backend().multi_get(family, &keys).unwrap());
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy_folder(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

fn truncate(file: &Path, length: u64) {
    std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
}
