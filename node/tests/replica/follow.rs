//! Blocks of an honest chain, followed; and every lie about them, refused.

use std::sync::Arc;

use axum::body::Bytes;
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    execute::{Chain, Head, MemoryState, check_items},
    genesis::{Genesis, Node, RULES_VERSION},
    keys::SecretKey,
    leaf::{LEAF_BYTES, Leaf, SealBody},
    time::Time,
    transaction::Transaction,
};
use musubi_storage::{EMPTY_ENTRIES_MAX, OpenSettings, Opened, Store, memory::MemoryDisk};

use musubi_node::{
    follow::{
        check::{Checked, Checker},
        judge::{Judge, NotTaken},
        page::Offered,
        refused::{Refused, Wrong},
    },
    memos::Memos,
};

use crate::common;

pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

/// Two nodes; node n has key n.
pub(crate) fn genesis() -> Genesis {
    let node = |n: u8| Node {
        id: NodeId(n.into()),
        organisation: common::organisation(0),
        transport: key(n + 10).public(),
        node: key(n).public(),
        cosigner: key(n + 20).public(),
    };
    let genesis = common::genesis("follow.example/test", 1, vec![node(1), node(2)]);
    Genesis { time: Time(1_000), ..genesis }
}

/// Alice adds her `n`th key.
pub(crate) fn transaction(n: u8) -> Transaction {
    common::transaction(&genesis(), n, Time(50_000))
}

/// Who makes blocks: an honest chain in memory.
pub(crate) struct Origin {
    pub(crate) chain: Chain,
    state: MemoryState,
}

impl Origin {
    pub(crate) fn open() -> Self {
        let (chain, block) = Chain::open(&genesis());
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        Self { chain, state }
    }

    /// The next block, of an entry at (term, index), with Alice's `n`th key if there is one.
    pub(crate) fn block(&mut self, (term, index): (u64, u64), n: Option<u8>) -> Offered {
        let items = n.iter().map(|n| transaction(*n).encode()).collect();
        self.block_of((term, index), items)
    }

    pub(crate) fn block_of(&mut self, (term, index): (u64, u64), items: Vec<Vec<u8>>) -> Offered {
        let time = self.chain.head().time.plus(10);
        let id = self.chain.id();
        let batch = Batch::sign(id, (term, index), time, items, (NodeId(1), &key(1)));
        self.execute(&batch)
    }

    fn execute(&mut self, batch: &Batch) -> Offered {
        let entry = batch.encode();
        let checked = check_items(&self.chain.id(), RULES_VERSION, &batch.items, &|_| false);
        let hash = Batch::entry_hash(&entry);
        let block = self.chain.execute(&self.state, batch, hash, &checked);
        self.state.apply(&block.changes);
        let mut leaves: Vec<u8> =
            block.entries.iter().flat_map(|entry| entry.leaf.encode()).collect();
        leaves.extend(block.seal.leaf().encode());
        Offered {
            height: block.head.height,
            entry: entry.into(),
            seal: block.seal.encode().into(),
            leaves: leaves.into(),
        }
    }
}

/// A replica without its sockets.
pub(crate) struct Replica {
    disk: MemoryDisk,
    pub(crate) store: Arc<Store>,
    judge: Judge,
    checker: Checker,
}

impl Replica {
    pub(crate) fn open() -> Self {
        let disk = MemoryDisk::new(1);
        let opened =
            Store::create(disk.open().unwrap(), &genesis(), [9; 16], &OpenSettings::default());
        Self::of(disk, opened.unwrap())
    }

    pub(crate) fn of(disk: MemoryDisk, opened: Opened) -> Self {
        let store = Arc::new(opened.store);
        store.follow().unwrap();
        let (memos, _) = Memos::open(Arc::clone(&store)).unwrap();
        let memos = Arc::new(memos);
        let judge = Judge::new(opened.chain, Arc::clone(&store), memos).unwrap();
        Self { disk, store, judge, checker: Checker::new(&genesis()) }
    }

    pub(crate) fn restart(self) -> Self {
        let Self { disk, store, judge, .. } = self;
        store.sync().unwrap();
        drop((store, judge));
        let opened = Store::open(disk.open().unwrap(), &OpenSettings::default()).unwrap();
        Self::of(disk, opened)
    }

    pub(crate) fn take(&mut self, offered: &Offered) -> Result<Head, Refused> {
        let checked: Checked = self.checker.check(offered)?;
        match self.judge.take(&checked) {
            Ok(block) => Ok(block.head),
            Err(NotTaken::Refused(refused)) => Err(refused),
            Err(NotTaken::Fault(fault)) => panic!("{fault}"),
        }
    }
}

#[test]
fn an_honest_chain_is_followed_and_kept_as_a_validator_keeps_it() {
    let (mut origin, mut replica) = (Origin::open(), Replica::open());
    // A term's empty entry lies in front of each leader's first batch, and three where nobody led for long.
    let offered = [((1, 2), Some(1)), ((1, 3), None), ((2, 5), Some(2)), ((7, 9), Some(3))]
        .map(|(position, n)| origin.block(position, n));
    for (at, offered) in offered.iter().enumerate() {
        if at == 2 {
            replica = replica.restart();
            assert!(replica.store.is_following().unwrap());
        }
        replica.take(offered).unwrap();
    }
    let (head, root) = replica.store.head();
    assert_eq!((head, root), (origin.chain.head(), origin.chain.root()));
    let indexes = (1..=4).map(|height| replica.store.block(height).unwrap().unwrap().entry.index);
    assert_eq!(indexes.collect::<Vec<_>>(), [2, 3, 5, 9]);
    for (offered, height) in offered.iter().zip(1..) {
        assert_eq!(replica.store.raft_entry(height).unwrap().unwrap().data, offered.entry);
        let block = replica.store.block(height).unwrap().unwrap();
        let leaves = replica.store.leaf_bytes(block.first_leaf..block.head.size).unwrap();
        assert_eq!(leaves, offered.leaves);
    }
    let empty = replica.store.log_entries(6, 9, u64::MAX).unwrap();
    assert!(empty.iter().all(|entry| entry.data.is_empty() && entry.term == 7));
    // The deep check finds it whole, now and after a restart.
    assert_eq!(replica.store.verify(&mut |_, _| {}).unwrap().entries, 9);
    let replica = replica.restart();
    assert_eq!(replica.store.head(), (head, root));
    replica.store.verify(&mut |_, _| {}).unwrap();
}

/// Changes one part of a block.
type Tamper = fn(&mut Offered);

fn bytes(bytes: &mut Bytes, change: impl FnOnce(&mut Vec<u8>)) {
    let mut changed = bytes.to_vec();
    change(&mut changed);
    *bytes = changed.into();
}

/// Changes the batch; the seal names the changed entry, as a careful liar's would.
fn batch(offered: &mut Offered, change: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::decode(&offered.entry).unwrap();
    change(&mut batch);
    offered.entry = batch.encode().into();
    seal(offered, |_| {});
}

fn resigned(offered: &mut Offered, place: (u64, u64), by: (u64, u8)) {
    batch(offered, |batch| {
        let (id, items) = (batch.chain, std::mem::take(&mut batch.items));
        *batch = Batch::sign(id, place, batch.time, items, (NodeId(by.0), &key(by.1)));
    });
}

fn seal(offered: &mut Offered, change: impl FnOnce(&mut SealBody)) {
    let mut seal = SealBody::decode(&offered.seal).unwrap();
    seal.entry = Batch::entry_hash(&offered.entry);
    change(&mut seal);
    offered.seal = seal.encode().into();
    let at = offered.leaves.len() - LEAF_BYTES;
    bytes(&mut offered.leaves, |leaves| {
        leaves.truncate(at);
        leaves.extend(seal.leaf().encode());
    });
}

fn first_leaf(offered: &mut Offered, change: impl FnOnce(&mut Leaf)) {
    bytes(&mut offered.leaves, |leaves| {
        let mut leaf = Leaf::decode(&leaves[..LEAF_BYTES]).unwrap();
        change(&mut leaf);
        leaves[..LEAF_BYTES].copy_from_slice(&leaf.encode());
    });
}

#[test]
fn every_lie_is_refused_by_name_and_nothing_of_it_is_recorded() {
    let (mut origin, mut replica) = (Origin::open(), Replica::open());
    replica.take(&origin.block((1, 2), Some(1))).unwrap();
    // Leaves 0 and 1 are the genesis block's, 2 and 3 the first block's, 4 and 5 this one's.
    let honest = origin.block((1, 3), Some(2));
    let lies: Vec<(&str, Option<u64>, &str, Tamper)> = vec![
        ("a changed transaction", None, "bad_entry", |o| {
            batch(o, |batch| *batch.items[0].last_mut().unwrap() ^= 1);
        }),
        ("a dropped transaction", None, "bad_entry", |o| batch(o, |batch| batch.items.clear())),
        ("a changed time", None, "bad_entry", |o| batch(o, |batch| batch.time = Time(9_999))),
        ("another node's signature", None, "bad_entry", |o| resigned(o, (1, 3), (1, 2))),
        ("a leader of no genesis", None, "unknown_leader", |o| resigned(o, (1, 3), (3, 3))),
        ("another chain", None, "bad_entry", |o| batch(o, |batch| batch.chain.0[0] ^= 1)),
        ("no batch", None, "bad_entry", |o| bytes(&mut o.entry, |entry| entry.truncate(9))),
        ("an index again", None, "bad_order", |o| resigned(o, (1, 2), (1, 1))),
        ("an older term", None, "bad_order", |o| resigned(o, (0, 3), (1, 1))),
        ("a far index", None, "bad_order", |o| {
            resigned(o, (1, 3 + EMPTY_ENTRIES_MAX), (1, 1));
        }),
        ("another block's seal", None, "bad_seal", |o| seal(o, |seal| seal.height = 3)),
        ("a seal of another entry", None, "bad_seal", |o| seal(o, |seal| seal.entry[0] ^= 1)),
        ("half a seal", None, "bad_seal", |o| bytes(&mut o.seal, |seal| seal.truncate(9))),
        ("another state", Some(5), "bad_leaf", |o| seal(o, |seal| seal.state[0] ^= 1)),
        ("another state in the body", Some(5), "bad_seal", |o| {
            let leaves = o.leaves.clone();
            seal(o, |seal| seal.state[0] ^= 1);
            o.leaves = leaves;
        }),
        ("another verdict", Some(4), "bad_leaf", |o| {
            first_leaf(o, |leaf| leaf.code = Code::Malformed);
        }),
        ("another outcome", Some(4), "bad_leaf", |o| first_leaf(o, |leaf| leaf.outcome[0] ^= 1)),
        ("a leaf that is none", Some(4), "bad_leaf", |o| bytes(&mut o.leaves, |l| l[0] = 0xff)),
        ("a leaf too few", Some(5), "bad_leaf", |o| {
            bytes(&mut o.leaves, |leaves| leaves.truncate(LEAF_BYTES));
        }),
        ("a leaf too many", Some(6), "bad_leaf", |o| {
            bytes(&mut o.leaves, |leaves| leaves.extend([0; LEAF_BYTES]));
        }),
    ];
    let before = (replica.store.head(), replica.store.applied());
    for (what, leaf, code, tamper) in lies {
        let mut offered = honest.clone();
        tamper(&mut offered);
        let refused = replica.take(&offered).expect_err(what);
        assert_eq!((refused.height, refused.leaf), (2, leaf), "{what}: {refused}");
        assert_eq!(refused.wrong.code(), code, "{what}: {refused}");
        assert_eq!((replica.store.head(), replica.store.applied()), before, "{what}");
        assert!(replica.store.block(2).unwrap().is_none(), "{what}");
        assert_eq!(replica.store.log_position(3).unwrap(), None, "{what}");
    }
    // The chain is where it was: the honest block follows on it, and all of it is whole.
    replica.take(&honest).unwrap();
    assert_eq!(replica.store.head(), (origin.chain.head(), origin.chain.root()));
    replica.store.verify(&mut |_, _| {}).unwrap();
}

#[test]
fn a_refusal_says_what_is_wrong_and_where() {
    let (mut origin, mut replica) = (Origin::open(), Replica::open());
    let mut lie = origin.block((1, 2), Some(1));
    first_leaf(&mut lie, |leaf| leaf.code = Code::Malformed);
    let refused = replica.take(&lie).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "block 1, leaf 2: the leaf is not what execution gives: verdict: it says malformed, execution gives \
         applied"
    );
    assert!(matches!(refused.wrong, Wrong::Leaf(_)));
}

#[test]
fn a_badly_signed_item_is_void_as_on_the_validators() {
    let (mut origin, mut replica) = (Origin::open(), Replica::open());
    let mut forged = transaction(1);
    forged.signatures[0].bytes.0[7] ^= 1;
    let (id, time) = (origin.chain.id(), Time(2_000));
    let items = vec![forged.encode()];
    let batch = Batch::sign(id, (1, 2), time, items, (NodeId(1), &key(1)));
    let offered = origin.execute(&batch);
    assert_eq!(replica.take(&offered).unwrap().size, 3, "the seal alone has a leaf");
    let items = replica.store.items(1).unwrap().unwrap();
    assert_eq!((items[0].code, items[0].leaf), (Code::BadSignature, None));
}

#[test]
fn a_validators_directory_does_not_become_a_replicas() {
    let disk = MemoryDisk::new(1);
    let settings = OpenSettings::default();
    let opened = Store::create(disk.open().unwrap(), &genesis(), [9; 16], &settings).unwrap();
    let entry = musubi_consensus::LogEntry { index: 1, term: 1, data: Vec::new() };
    let persist = musubi_consensus::Persist {
        number: 1,
        truncate_from: None,
        entries: vec![entry],
        hard_state: Some(musubi_consensus::HardState { term: 1, vote: Some(NodeId(1)), commit: 0 }),
        must_sync: true,
    };
    opened.store.stage(&persist).unwrap();
    opened.store.sync().unwrap();
    assert!(opened.store.follow().is_err());
    assert!(!opened.store.is_following().unwrap());
}
