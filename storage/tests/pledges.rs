//! What a directory remembers of other members, and whose it is.

#![allow(clippy::unwrap_used)]

mod common;

use common::{create, settings};
use musubi_consensus::pledge::{Durable, Pledge, SignedPledge};
use musubi_ledger::{batch::NodeId, id::ChainId, keys::SecretKey};
use musubi_storage::{
    OpenError, Store,
    memory::{Loss, MemoryDisk},
};

fn pledge(node: u64, number: u64) -> SignedPledge {
    let key = SecretKey::from_seed(&[node as u8; 32]);
    let pledge = Pledge {
        node: NodeId(node),
        directory: [node as u8; 16],
        boot: 2,
        life: 7,
        number,
        found: Durable::default(),
        kept: Durable { write: number, ..Durable::default() },
        cosigned: 0,
    };
    SignedPledge::sign(ChainId([1; 32]), pledge, &key)
}

#[test]
fn the_newest_of_each_member_is_kept_and_what_was_not_synced_leaves_the_one_before() {
    let disk = MemoryDisk::new(3);
    let store = create(&disk).store;
    assert!(store.pledges().unwrap().is_empty());
    for kept in [pledge(3, 1), pledge(2, 1), pledge(3, 2)] {
        store.stage_pledge(&kept).unwrap();
    }
    store.sync().unwrap();
    store.stage_pledge(&pledge(2, 9)).unwrap();
    assert_eq!(store.pledges().unwrap(), [pledge(2, 9), pledge(3, 2)]);
    disk.crash(Loss::Everything);
    let again = Store::open(disk.open().unwrap(), &settings()).unwrap().store;
    assert_eq!(again.pledges().unwrap(), [pledge(2, 1), pledge(3, 2)]);
    assert!(again.verify(&mut |_, _| ()).is_ok());
}

#[test]
fn a_damaged_pledge_is_noticed() {
    let disk = MemoryDisk::new(3);
    let store = create(&disk).store;
    store.stage_pledge(&pledge(2, 1)).unwrap();
    store.sync().unwrap();
    drop(store);
    // Meta rows in the order of their keys: the pledge stands before `tip`, the last.
    let rows = disk.rows(musubi_storage::backend::Family::Meta);
    let key = disk.flip_bit(musubi_storage::backend::Family::Meta, rows - 2, 300).unwrap();
    assert!(key.starts_with(b"pledge"));
    let store = Store::open(disk.open().unwrap(), &settings()).unwrap().store;
    assert_eq!(store.pledges().unwrap_err().code(), "store_damaged");
}

#[test]
fn what_was_cosigned_is_promised_once_it_is_synced_and_never_less() {
    let disk = MemoryDisk::new(3);
    let store = create(&disk).store;
    assert_eq!(store.promised(), (Durable::default(), 0));
    store.stage_checkpoint(40, "a note\n").unwrap();
    assert_eq!(store.promised().1, 0, "written is not durable");
    store.sync().unwrap();
    store.stage_checkpoint(30, "a note\n").unwrap();
    store.sync().unwrap();
    assert_eq!(store.promised().1, 40);
    store.stage_checkpoint(50, "a note\n").unwrap();
    disk.crash(Loss::Everything);
    let again = Store::open(disk.open().unwrap(), &settings()).unwrap().store;
    assert_eq!(again.promised().1, 40);
}

#[test]
fn a_directory_is_the_node_s_that_first_ran_on_it() {
    let disk = MemoryDisk::new(3);
    let store = create(&disk).store;
    store.claim(NodeId(2)).unwrap();
    disk.crash(Loss::Everything);
    let again = Store::open(disk.open().unwrap(), &settings()).unwrap().store;
    again.claim(NodeId(2)).unwrap();
    let error = again.claim(NodeId(1)).unwrap_err();
    assert_eq!(error, OpenError::OtherNode { found: 2, expected: 1 });
    assert_eq!(error.code(), "other_nodes_directory");
}
