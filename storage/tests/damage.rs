//! Damage at rest: whatever bit flips or row vanishes, opening or verifying says so.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Model, Scribe, create, open, refused, run};
use musubi_ledger::{
    digest::StatePath,
    hash::sha256,
    id::{DocumentHash, PartyId, TxId},
    time::{Day, Time},
    wallet::Wallet,
};
use musubi_storage::{
    KeptWallet, OpenError, SettledMemo,
    backend::Family,
    memory::MemoryDisk,
    watermark::{self, SLOT_STRIDE},
};

fn written() -> MemoryDisk {
    let disk = MemoryDisk::new(1);
    let opened = create(&disk);
    run(&opened, &mut Scribe::new(4), 12, 40);
    opened.store.stage_checkpoint(1, "a note").unwrap();
    let state = StatePath { wallets: 3, path: vec![[1; 32], [2; 32]], rows: [3; 32] };
    let kept = KeptWallet { height: 2, state, wallet: Wallet::open(2, [4; 32]) };
    opened.store.archive(Day(9), [(PartyId([7; 16]), kept)].into_iter()).unwrap();
    let (blob, id) = (b"a memo's blob, long enough to be hit anywhere", TxId([5; 32]));
    let memo = DocumentHash(sha256(blob));
    opened.store.offer_memo(&memo, blob, (id, Time(9)), false).unwrap();
    opened.store.settle_memos(&[SettledMemo { memo, id, applied: true }]).unwrap();
    opened.store.sync().unwrap();
    drop(opened);
    disk
}

/// Opens and verifies; what either finds.
fn found(disk: &MemoryDisk) -> Option<OpenError> {
    match open(disk) {
        Err(error) => Some(error),
        Ok(opened) => opened.store.verify(&mut |_, _| {}).err(),
    }
}

#[test]
fn a_flipped_bit_in_any_table_is_found() {
    let disk = written();
    assert_eq!(found(&disk.copy(1)), None, "undamaged, it opens and verifies");
    for family in Family::ALL {
        let rows = disk.rows(family);
        assert!(rows > 0, "{family:?} is tested empty");
        for nth in (0..rows).step_by(rows.div_ceil(25)) {
            for bit in [0, 1, 31, 70, 301, 1023, 4097, usize::MAX - 3] {
                let copy = disk.copy(1);
                let Some(key) = copy.flip_bit(family, nth, bit) else {
                    continue;
                };
                assert!(found(&copy).is_some(), "{family:?} row {key:?} bit {bit}");
            }
        }
    }
}

#[test]
fn a_vanished_row_of_any_table_is_found() {
    let disk = written();
    // Notes, past states and memos are in no digest.
    let alone = [Family::Checkpoints, Family::Archive, Family::Memos];
    for family in Family::ALL.into_iter().filter(|family| !alone.contains(family)) {
        let rows = disk.rows(family);
        for nth in (0..rows).step_by(rows.div_ceil(25)) {
            let copy = disk.copy(1);
            let key = copy.drop_row(family, nth).unwrap();
            assert!(found(&copy).is_some(), "{family:?} without {key:?}");
        }
    }
}

#[test]
fn a_torn_slot_at_every_byte_leaves_the_mark_before_or_the_new_one() {
    let disk = MemoryDisk::new(1);
    let opened = create(&disk);
    let mut scribe = Scribe::new(1);
    run(&opened, &mut scribe, 2, 3);
    let before = disk.slots();
    let acknowledged = opened.store.acknowledged();
    run(&opened, &mut scribe, 1, 3);
    let newer = opened.store.acknowledged();
    let after = disk.slots();
    drop(opened);
    let changed: Vec<usize> = (0..after.len()).filter(|&at| before[at] != after[at]).collect();
    assert!(changed.len() > 60, "a slot with its hash was written");
    let slot = changed[0] / SLOT_STRIDE as usize;
    assert!(changed.iter().all(|at| at / SLOT_STRIDE as usize == slot), "and only that slot");
    for cut in 0..=changed.len() {
        let mut torn = before.clone();
        for &at in &changed[..cut] {
            torn[at] = after[at];
        }
        let copy = disk.copy(1);
        copy.set_slots(torn);
        let found = read(&copy);
        let expected = if cut == changed.len() { newer } else { acknowledged };
        assert_eq!(found, Some(expected), "cut behind {cut} changed bytes");
        let opened = open(&copy).unwrap_or_else(|e| panic!("cut {cut}: {e}"));
        assert_eq!(opened.store.acknowledged(), newer, "the database had all of it");
    }
}

fn read(disk: &MemoryDisk) -> Option<watermark::Mark> {
    struct Bytes(Vec<u8>);
    impl watermark::SlotFile for Bytes {
        fn read(&mut self) -> std::io::Result<Vec<u8>> {
            Ok(self.0.clone())
        }
        fn write_at(&mut self, _: u64, _: &[u8]) -> std::io::Result<()> {
            unreachable!("only read")
        }
        fn sync(&mut self) -> std::io::Result<()> {
            unreachable!("only read")
        }
    }
    match watermark::read(&mut Bytes(disk.slots())).unwrap() {
        watermark::Found::Slot(slot) => Some(slot.mark),
        _ => None,
    }
}

#[test]
fn any_flipped_bit_in_a_slot_costs_that_slot_only() {
    let disk = written();
    let good = read(&disk).unwrap();
    let bytes = disk.slots();
    for at in (0..bytes.len()).filter(|at| bytes[*at] != 0).step_by(3) {
        let copy = disk.copy(1);
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        copy.set_slots(damaged);
        let left = read(&copy).unwrap();
        assert!(left.write == good.write || left.write + 1 == good.write, "byte {at}");
    }
}

#[test]
fn a_lost_or_foreign_watermark_is_refused() {
    let disk = written();
    for slots in [Vec::new(), vec![0xa5; 8192]] {
        let copy = disk.copy(1);
        copy.set_slots(slots);
        assert_eq!(refused(open(&copy)), OpenError::WatermarkLost);
    }
    // Slots swapped: each was written for its own place.
    let copy = disk.copy(1);
    let mut swapped = disk.slots();
    swapped.rotate_left(SLOT_STRIDE as usize);
    copy.set_slots(swapped);
    assert_eq!(refused(open(&copy)), OpenError::WatermarkLost);
    let other = MemoryDisk::new(2);
    let theirs = musubi_storage::Store::create(
        other.open().unwrap(),
        &common::genesis(),
        [9; 16],
        &common::settings(),
    );
    drop(theirs.unwrap());
    let copy = disk.copy(1);
    copy.set_slots(other.slots());
    assert_eq!(refused(open(&copy)), OpenError::Mixed);
}

#[test]
fn another_chain_or_a_missing_database_is_refused() {
    let disk = written();
    let wrong = musubi_storage::OpenSettings {
        chain: Some(musubi_ledger::id::ChainId([1; 32])),
        ..common::settings()
    };
    let error = refused(musubi_storage::Store::open(disk.open().unwrap(), &wrong));
    assert_eq!(error.code(), "wrong_chain");
    let empty = MemoryDisk::new(3);
    empty.set_slots(disk.slots());
    assert_eq!(refused(open(&empty)).code(), "acknowledged_lost");
    assert_eq!(Model::read(&open(&disk).unwrap()).applied.index, 12);
}
