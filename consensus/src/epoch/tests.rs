#![allow(clippy::unwrap_used)]
use musubi_ledger::{
    id::{ChainId, PartyId, Salt},
    keys::SecretKey,
    operation::Operation,
    time::Time,
    transaction::{Body, Purpose},
};

use super::*;
use crate::entry_check::check_entry;

const NOW: Time = Time(1_000_000);
const CHAIN: ChainId = ChainId([9; 32]);
/// The last surviving entry.
const LAST: Position = Position { index: 6, term: 4 };

fn key(node: u64) -> SecretKey {
    SecretKey::from_seed(&[node as u8; 32])
}

/// Stands for the recovery: here only its id counts.
fn recovery(salt: u8) -> Transaction {
    let operation = Operation::CancelRequest { request: TxId([1; 32]) };
    let body = Body {
        chain: CHAIN,
        rules_version: 1,
        sender: PartyId([1; 16]),
        reference: "epoch-2".parse().unwrap(),
        salt: Salt([salt; 16]),
        expires: NOW,
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation,
    };
    Transaction::new(body, vec![])
}

/// Epoch 2: of nodes 1, 2 and 3 the first survived; 4 and 5 are new.
fn config() -> Config {
    let member = |node| MemberKey { node: NodeId(node), batch_key: key(node).public() };
    let mut config = Config::new(CHAIN, NodeId(1), [1, 4, 5].map(member).to_vec(), key(1));
    let members = [1, 2, 3].map(member).to_vec();
    let recovery = recovery(7).body.id();
    config.earlier = vec![Ended { members, last: LAST, opener: NodeId(1), recovery }];
    config
}

fn batch(term: u64, index: u64, leader: u64, items: Vec<Vec<u8>>) -> LogEntry {
    let batch = Batch::sign(CHAIN, (term, index), NOW, items, (NodeId(leader), &key(leader)));
    LogEntry { index, term, data: batch.encode() }
}

fn check(entry: &LogEntry, before: Position) -> Result<(), EntryFault> {
    check_entry(&config(), NOW, entry, before, (NodeId(4), first_term(2) + 9))
}

fn opens(leader: u64, items: Vec<Vec<u8>>) -> Result<(), EntryFault> {
    check(&batch(first_term(2), 7, leader, items), LAST)
}

#[test]
fn the_first_entry_of_an_epoch_is_the_recovery_and_nothing_else() {
    let it = || recovery(7).encode();
    assert_eq!(opens(1, vec![it()]), Ok(()));
    assert_eq!(opens(4, vec![it()]), Err(EntryFault::NotTheRecovery), "not by its opener");
    assert_eq!(opens(2, vec![it()]), Err(EntryFault::Leader), "by a member of the epoch before");
    for items in [vec![], vec![it(), it()], vec![recovery(8).encode()], vec![vec![1]]] {
        assert_eq!(opens(1, items), Err(EntryFault::NotTheRecovery));
    }
    let elsewhere = Position { index: 6, term: 3 };
    let entry = batch(first_term(2), 7, 1, vec![it()]);
    assert_eq!(check(&entry, elsewhere), Err(EntryFault::Epoch), "on another log");
    let empty = LogEntry { index: 7, term: first_term(2), data: vec![] };
    assert!(check(&empty, LAST).is_err());
}

#[test]
fn places_and_terms_of_two_epochs_do_not_mix() {
    let (first, second) = (|index, term| batch(term, index, 2, vec![]), first_term(2));
    // Before the recovery: terms and members of the first epoch alone.
    assert_eq!(check(&first(5, 4), Position { index: 4, term: 4 }), Ok(()));
    assert_eq!(check(&first(6, 4), Position { index: 5, term: 4 }), Ok(()));
    let mut other = first(6, 5);
    assert_eq!(
        check(&other, Position { index: 5, term: 5 }),
        Err(EntryFault::Epoch),
        "not what survived"
    );
    other = first(7, 4);
    assert_eq!(check(&other, LAST), Err(EntryFault::Epoch), "the first epoch is over");
    other = LogEntry { index: 3, term: second + 1, data: vec![] };
    assert_eq!(check(&other, Position { index: 2, term: 1 }), Err(EntryFault::Epoch), "too early");
    other = LogEntry { index: 7, term: second + 1, data: vec![] };
    assert_eq!(check(&other, LAST), Err(EntryFault::Epoch), "without the recovery");
    other = LogEntry { index: 7, term: first_term(3), data: vec![] };
    assert_eq!(check(&other, LAST), Err(EntryFault::Epoch), "nobody knows of a third epoch");
    // Behind it: the second epoch's.
    let opened = Position { index: 7, term: second };
    let empty = LogEntry { index: 8, term: second + 1, data: vec![] };
    assert_eq!(check(&empty, opened), Ok(()));
    let led = Position { index: 8, term: second + 1 };
    assert_eq!(check(&batch(second + 1, 9, 5, vec![]), led), Ok(()));
    assert_eq!(check(&batch(second + 1, 9, 2, vec![]), led), Err(EntryFault::Leader));
    assert_eq!(check(&batch(second, 8, 1, vec![]), opened), Err(EntryFault::Epoch));
}
