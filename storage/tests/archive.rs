//! Wallets at the ends of past days.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scribe, create, run};
use musubi_ledger::{digest::StatePath, id::PartyId, time::Day, wallet::Wallet};
use musubi_storage::{KeptWallet, memory::MemoryDisk};

fn kept(height: u64) -> KeptWallet {
    let state = StatePath { wallets: 3, path: vec![[1; 32], [2; 32]], rows: [3; 32] };
    KeptWallet { height, state, wallet: Wallet::open(2, [4; 32]) }
}

#[test]
fn the_newest_before_and_the_oldest_since_are_found() {
    let opened = create(&MemoryDisk::new(1));
    let store = &opened.store;
    let (one, other) = (PartyId([7; 16]), PartyId([8; 16]));
    let archive = |day, party, height| {
        store.archive(Day(day), [(party, kept(height))].into_iter()).unwrap();
    };
    // Days around the border of a byte: numbers in keys must sort as numbers.
    for (day, height) in [(254, 10), (255, 20), (256, 30), (70_000, 40)] {
        archive(day, one, height);
    }
    archive(100, other, 5);
    archive(300, other, 35);
    let before = |party, day| store.kept_before(&party, Day(day)).unwrap().map(|k| k.height);
    let since = |party, day| store.kept_since(&party, Day(day)).unwrap().map(|k| k.height);
    assert_eq!(
        [254, 255, 256, 257, 70_000, 70_001, u32::MAX].map(|day| before(one, day)),
        [None, Some(10), Some(20), Some(30), Some(30), Some(40), Some(40)]
    );
    assert_eq!(
        [0, 254, 255, 257, 70_000, 70_001].map(|day| since(one, day)),
        [Some(10), Some(10), Some(20), Some(40), Some(40), None]
    );
    assert_eq!((before(other, 100), before(other, 101), since(other, 301)), (None, Some(5), None));
    assert_eq!(store.kept_since(&one, Day(255)).unwrap(), Some(kept(20)));
    // The same record again, and many at once.
    archive(256, one, 30);
    let many = (0..2_000u16).map(|n| {
        let [high, low] = n.to_be_bytes();
        let mut party = [9; 16];
        party[..2].copy_from_slice(&[high, low]);
        (PartyId(party), kept(50))
    });
    assert_eq!(store.archive(Day(400), many).unwrap(), 2_000);
    assert_eq!(since(one, 256), Some(30));
}

#[test]
fn the_first_block_of_a_time_is_found() {
    let opened = create(&MemoryDisk::new(2));
    let mut scribe = Scribe::new(3);
    run(&opened, &mut scribe, 37, 4);
    let store = &opened.store;
    let times: Vec<u64> = (0..=37).map(|h| store.block(h).unwrap().unwrap().seal.time.0).collect();
    for (height, time) in (0u64..).zip(&times) {
        assert_eq!(store.first_height(&|t| t.0 >= *time).unwrap(), Some(height));
    }
    assert_eq!(store.first_height(&|t| t.0 > times[37]).unwrap(), None);
}
