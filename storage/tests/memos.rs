//! Blobs beside the log: kept when their transaction is, gone when erased, prefixes of the past after a crash.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{DIRECTORY, create, genesis, open, settings};
use musubi_ledger::{
    hash::sha256,
    id::{DocumentHash, TxId},
    time::Time,
};
use musubi_storage::{
    Directory, MemoStanding, OpenMemos, SettledMemo, Store,
    backend::Family,
    memory::{Loss, MemoryDisk},
    rocks::RocksOptions,
};

const BLOB: &[u8] = b"a blob that nobody else has written, 0123456789";
const ID: TxId = TxId([1; 32]);
const END: Time = Time(9);

fn memo() -> DocumentHash {
    DocumentHash(sha256(BLOB))
}

fn none_open(store: &Store) -> bool {
    let open = |which| store.open_memos(which, None, 9).unwrap();
    open(OpenMemos::Waiting).is_empty() && open(OpenMemos::Wanted).is_empty()
}

fn settled(id: TxId, applied: bool) -> [SettledMemo; 1] {
    [SettledMemo { memo: memo(), id, applied }]
}

#[test]
fn a_blob_waits_for_its_verdict_and_is_kept_or_dropped() {
    let store = create(&MemoryDisk::new(1)).store;
    let waiting = MemoStanding::Waiting { id: ID, expires: END };
    assert_eq!(store.offer_memo(&memo(), BLOB, (ID, END), false).unwrap(), waiting);
    assert_eq!(store.open_memos(OpenMemos::Waiting, None, 9).unwrap(), [(memo(), waiting)]);
    assert_eq!(store.open_memos(OpenMemos::Waiting, Some(&memo()), 9).unwrap(), []);
    // Who only cites another's memo, in vain, takes nothing from it.
    assert_eq!(store.settle_memos(&settled(TxId([2; 32]), false)).unwrap(), []);
    assert!(!store.drop_memo(&memo(), &TxId([2; 32])).unwrap());
    assert_eq!(store.memo_standing(&memo()).unwrap(), Some(waiting));
    assert_eq!(store.settle_memos(&settled(ID, true)).unwrap(), []);
    assert_eq!(store.memo_standing(&memo()).unwrap(), Some(MemoStanding::Kept));
    assert_eq!(store.memo_blob(&memo()).unwrap().as_deref(), Some(BLOB));
    assert!(none_open(&store));
    assert!(!store.drop_memo(&memo(), &ID).unwrap(), "kept is kept");
    assert!(store.verify(&mut |_, _| ()).is_ok());

    let store = create(&MemoryDisk::new(1)).store;
    store.offer_memo(&memo(), BLOB, (ID, END), false).unwrap();
    store.settle_memos(&settled(ID, false)).unwrap();
    assert_eq!(store.memo_standing(&memo()).unwrap(), None);
    assert_eq!(store.memo_blob(&memo()).unwrap(), None);
    assert!(none_open(&store));
}

#[test]
fn what_is_cited_and_missing_is_wanted_until_it_comes() {
    let store = create(&MemoryDisk::new(1)).store;
    assert_eq!(store.found_memo(BLOB).unwrap(), None, "nobody cites it");
    assert_eq!(store.settle_memos(&settled(ID, true)).unwrap(), [memo()]);
    assert_eq!(store.settle_memos(&settled(ID, true)).unwrap(), [], "said once");
    assert_eq!(
        store.open_memos(OpenMemos::Wanted, None, 9).unwrap(),
        [(memo(), MemoStanding::Wanted)]
    );
    store.rest_memo(&memo()).unwrap();
    assert!(none_open(&store));
    assert_eq!(store.found_memo(BLOB).unwrap(), Some(memo()), "it is taken all the same");
    assert_eq!(store.found_memo(BLOB).unwrap(), None);
    assert_eq!(store.memo_blob(&memo()).unwrap().as_deref(), Some(BLOB));

    let store = create(&MemoryDisk::new(1)).store;
    store.settle_memos(&settled(ID, true)).unwrap();
    let brought = store.offer_memo(&memo(), BLOB, (ID, END), false).unwrap();
    assert_eq!(brought, MemoStanding::Kept, "it has its verdict already");
}

#[test]
fn what_is_erased_does_not_come_back_by_any_way() {
    let disk = MemoryDisk::new(1);
    let store = create(&disk).store;
    store.offer_memo(&memo(), BLOB, (ID, END), true).unwrap();
    assert!(store.erase_memo(&memo()).unwrap());
    assert!(!store.erase_memo(&memo()).unwrap(), "again, to no other effect");
    disk.crash(Loss::Everything);
    drop(store);
    let store = open(&disk).unwrap().store;
    for applied in [true, false] {
        let offered = store.offer_memo(&memo(), BLOB, (ID, END), applied).unwrap();
        assert_eq!(offered, MemoStanding::Erased);
        store.settle_memos(&settled(ID, applied)).unwrap();
        assert_eq!(store.found_memo(BLOB).unwrap(), None);
    }
    assert_eq!(store.memo_blob(&memo()).unwrap(), None);
    // Also one that was never here: it is erased before it comes.
    let store = create(&MemoryDisk::new(1)).store;
    assert!(!store.erase_memo(&memo()).unwrap());
    let offered = store.offer_memo(&memo(), BLOB, (ID, END), false).unwrap();
    assert_eq!(offered, MemoStanding::Erased);
    assert!(store.verify(&mut |_, _| ()).is_ok());
}

#[test]
fn a_damaged_or_lost_blob_is_noticed() {
    let disk = MemoryDisk::new(1);
    let store = create(&disk).store;
    store.offer_memo(&memo(), BLOB, (ID, END), true).unwrap();
    store.sync().unwrap();
    assert!(store.verify(&mut |_, _| ()).is_ok());
    drop(store);
    assert_eq!(disk.rows(Family::Memos), 2, "its standing, its blob");
    disk.flip_bit(Family::Memos, 1, 300).unwrap();
    let store = open(&disk).unwrap().store;
    assert_eq!(store.memo_blob(&memo()).unwrap_err().code(), "store_damaged");
    assert!(store.verify(&mut |_, _| ()).is_err());
    drop(store);
    disk.drop_row(Family::Memos, 1).unwrap();
    assert!(open(&disk).unwrap().store.verify(&mut |_, _| ()).is_err());
}

/// Whether any file below `folder` holds the blob.
fn lies_in(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return lies_in(&path);
        }
        fs::read(&path).unwrap().windows(BLOB.len()).any(|window| window == BLOB)
    })
}

#[test]
fn no_file_holds_an_erased_blob() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::on_disk(folder.path(), &RocksOptions::default()).unwrap();
    let store = Store::create(directory, &genesis(), DIRECTORY, &settings()).unwrap().store;
    store.offer_memo(&memo(), BLOB, (ID, END), true).unwrap();
    let other = DocumentHash(sha256(b"another"));
    store.offer_memo(&other, b"another", (ID, END), true).unwrap();
    store.sync().unwrap();
    assert!(lies_in(folder.path()), "or this test would show nothing");
    assert!(store.erase_memo(&memo()).unwrap());
    // RocksDB unlinks what it needs no longer in its own time.
    let gone = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        !lies_in(folder.path())
    });
    assert!(gone, "the blob's bytes are still in a file");
    assert_eq!(store.memo_blob(&other).unwrap().as_deref(), Some(&b"another"[..]));
}
