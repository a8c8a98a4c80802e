//! A scribe that writes blocks such as execution produces, with content from a seed, and keeps a plain
//! model of what a store must then hold. Independent of the rules, so that these tests test storage.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::collections::BTreeMap;

use musubi_consensus::{HardState, LogEntry, Persist, Position};
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    digest::{SetDigest, WalletTree, state_digest},
    execute::{Block, Chain, Entry, Head, ItemResult, MemoryState},
    genesis::{FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION},
    hash::{Hash, sha256},
    id::{PartyId, Salt, TxId},
    keys::SecretKey,
    leaf::{Leaf, LeafKind, SealBody},
    outcome::{Form, Outcome},
    party::PartyKind,
    state::{Changes, DueKind, Judged, ReadState, Row, RowKey, Shared, Table},
    time::Time,
    tlog::Frontier,
    wallet::Wallet,
};
use musubi_storage::{OpenError, OpenSettings, Opened, Store, memory::MemoryDisk};

pub const DIRECTORY: [u8; 16] = *b"directory-for-it";

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }
}

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

pub fn genesis() -> Genesis {
    let operator = PartyId([1; 16]);
    let person = PartyId([2; 16]);
    let first = |party, kind, seed: u8, tag| FirstParty {
        party,
        kind,
        keys: vec![key(seed).public()],
        tag,
        organisation: None,
        officers: Vec::new(),
        attributes: Vec::new(),
    };
    let genesis = Genesis {
        name: "example.org/musubi".into(),
        scheme: "musubi".into(),
        time: Time(1_000_000),
        rules_version: RULES_VERSION,
        salt: Salt([7; 16]),
        parameters: Parameters { recovery_delay_ms: 1, successor_notice_ms: 1, driven_time: false },
        organisations: vec![Organisation {
            party: operator,
            name: "city".into(),
            governance: key(10).public(),
        }],
        nodes: vec![Node {
            id: NodeId(1),
            organisation: operator,
            transport: key(11).public(),
            node: key(12).public(),
            cosigner: key(13).public(),
        }],
        parties: vec![
            first(operator, PartyKind::Operator, 14, None),
            first(person, PartyKind::Person, 15, Some(musubi_ledger::id::PersonTag([3; 32]))),
        ],
        instruments: Vec::new(),
    };
    genesis.check().unwrap();
    genesis
}

/// Writes the next block, again and again.
pub struct Scribe {
    pub random: Random,
    pub head: Head,
    pub log: Frontier,
    pub root: Hash,
    wallets: WalletTree,
    rows: SetDigest,
    pub state: MemoryState,
    opened: Vec<(PartyId, Wallet)>,
    dues: Vec<RowKey>,
    /// Every leaf's bytes, and every entry.
    pub leaves: Vec<Vec<u8>>,
    pub entries: Vec<Entry>,
    /// The newest block.
    pub last: Option<Block>,
}

impl Scribe {
    pub fn new(seed: u64) -> Self {
        let (_, block) = Chain::open(&genesis());
        let mut scribe = Self {
            random: Random(seed),
            head: block.head,
            log: Frontier::new(),
            root: block.root,
            wallets: WalletTree::new(),
            rows: block.rows.clone(),
            state: MemoryState::default(),
            opened: Vec::new(),
            dues: Vec::new(),
            leaves: Vec::new(),
            entries: Vec::new(),
            last: None,
        };
        let mut wallets = Vec::new();
        for (key, row) in &block.changes {
            if let (RowKey::Wallet(party), Some(Row::Wallet(wallet))) = (key, row) {
                wallets.push((*party, Shared::into_value(wallet.clone())));
            }
        }
        wallets.sort_by_key(|(_, wallet)| wallet.serial);
        for (party, wallet) in &wallets {
            scribe.wallets.set(wallet.serial, wallet.state_leaf(party));
        }
        scribe.opened = wallets;
        scribe.state.apply(&block.changes);
        scribe.append(&block.entries, &block.seal);
        scribe
    }

    fn append(&mut self, entries: &[Entry], seal: &SealBody) -> Vec<musubi_ledger::tlog::Node> {
        let mut nodes = Vec::new();
        for leaf in entries.iter().map(|entry| entry.leaf).chain([seal.leaf()]) {
            self.log.append_entry(&leaf.encode(), &mut nodes);
            self.leaves.push(leaf.encode());
        }
        self.entries.extend_from_slice(entries);
        nodes
    }

    /// A batch of up to `items` items for (`term`, `index`).
    pub fn batch(&mut self, index: u64, term: u64, items: u64) -> LogEntry {
        let count = self.random.below(items + 1);
        let items = (0..count).map(|_| self.random.bytes::<40>().to_vec()).collect();
        let at = (term, index);
        let batch = Batch::sign(genesis().chain(), at, Time(index), items, (NodeId(1), &key(12)));
        LogEntry { index, term, data: batch.encode() }
    }

    /// The block that executes `entry`.
    pub fn block(&mut self, entry: &LogEntry) -> Block {
        let batch = Batch::decode(&entry.data).unwrap();
        let (height, time) =
            (self.head.height + 1, Time(self.head.time.0 + 1 + self.random.below(50)));
        let first_leaf = self.head.size;
        let (mut entries, mut items, mut changes) = (Vec::new(), Vec::new(), Changes::new());
        self.pass_deadlines(time, height, first_leaf, &mut entries, &mut changes);
        for (position, item) in (0u32..).zip(&batch.items) {
            let id = TxId(sha256(item));
            if self.random.below(5) == 0 {
                items.push(ItemResult { id, code: Code::Malformed, leaf: None });
                continue;
            }
            let index = first_leaf + entries.len() as u64;
            let made = self.entry(index, height, time, id, LeafKind::Transaction, Some(position));
            self.change(&mut changes, &made, height, time);
            entries.push(made);
            items.push(ItemResult { id, code: Code::Applied, leaf: Some(index) });
        }
        self.digest(&changes);
        let seal = SealBody {
            height,
            time,
            entry: sha256(&entry.data),
            items: items.len() as u32,
            void: items.iter().filter(|item| item.leaf.is_none()).count() as u32,
            rules_version: RULES_VERSION,
            state: state_digest(self.wallets.count(), &self.wallets.root(), &self.rows.digest()),
        };
        let nodes = self.append(&entries, &seal);
        self.state.apply(&changes);
        self.head = Head { height, time, size: self.log.size() };
        self.root = self.log.root();
        let (head, root, rows) = (self.head, self.root, self.rows.clone());
        Block { head, first_leaf, entries, seal, items, changes, nodes, root, rows, overdue: false }
    }

    fn pass_deadlines(
        &mut self,
        time: Time,
        height: u64,
        first_leaf: u64,
        entries: &mut Vec<Entry>,
        changes: &mut Changes,
    ) {
        for key in self.state.due(time, 3) {
            let index = first_leaf + entries.len() as u64;
            let id = TxId(sha256(&key.to_bytes()));
            entries.push(self.entry(index, height, time, id, LeafKind::System, None));
            changes.insert(key, None);
        }
    }

    fn entry(
        &mut self,
        index: u64,
        height: u64,
        time: Time,
        id: TxId,
        kind: LeafKind,
        item: Option<u32>,
    ) -> Entry {
        let salt = Salt(self.random.bytes());
        let outcome = Outcome { debit: Form::Live, cites: vec![id], ..Outcome::default() };
        let code = Code::Applied;
        let signatures = self.random.bytes();
        let leaf = Leaf { kind, height, time, id, code, signatures, outcome: outcome.hash(&salt) };
        let mut parties: Vec<PartyId> = (0..2).map(|_| self.party()).collect();
        parties.sort_unstable();
        parties.dedup();
        Entry { index, leaf, outcome, salt, parties, item, due: None }
    }

    /// One of twenty parties, the first of them often.
    pub fn party(&mut self) -> PartyId {
        let n = if self.random.below(3) == 0 { 0 } else { self.random.below(20) };
        PartyId([100 + n as u8; 16])
    }

    fn change(&mut self, changes: &mut Changes, entry: &Entry, height: u64, time: Time) {
        let id = entry.leaf.id;
        let judged = Judged { code: Code::Applied, height, time, leaf: entry.index, settled: None };
        changes.insert(RowKey::Judged(id), Some(Row::Judged(judged.into())));
        let reference = format!("r{}", entry.index).parse().unwrap();
        let party = entry.parties[0];
        changes.insert(RowKey::Reference(party, reference), Some(Row::Reference(id)));
        let due = RowKey::Due(Time(time.0 + self.random.below(200)), DueKind::Lots, id.0);
        if self.random.below(2) == 0 && due > RowKey::Due(time, DueKind::Lots, [255; 32]) {
            changes.insert(due, Some(Row::Due));
        }
        let place = match self.opened.iter().position(|(of, _)| *of == party) {
            Some(place) => place,
            None => {
                let serial = self.opened.len() as u64;
                self.opened.push((party, Wallet::open(serial, self.random.bytes())));
                self.opened.len() - 1
            }
        };
        let wallet = &mut self.opened[place].1;
        wallet.leaves += 1;
        changes.insert(RowKey::Wallet(party), Some(Row::Wallet(wallet.clone().into())));
    }

    fn digest(&mut self, changes: &Changes) {
        // In the order of their serial numbers: the tree grows by one.
        for (party, wallet) in &self.opened {
            self.wallets.set(wallet.serial, wallet.state_leaf(party));
        }
        for (key, row) in changes {
            if let RowKey::Wallet(_) = key {
                continue;
            }
            if let Some(old) = self.state.row(key) {
                self.rows.remove(&key.to_bytes(), &old.encode());
            }
            if let Some(new) = row {
                self.rows.add(&key.to_bytes(), &new.encode());
            }
        }
    }
}

/// What a store must hold at some moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Model {
    pub log: Vec<LogEntry>,
    pub hard_state: HardState,
    pub applied: Position,
    pub head: Option<Head>,
    pub root: Hash,
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Model {
    pub fn of_scribe(&mut self, scribe: &Scribe) {
        self.head = Some(scribe.head);
        self.root = scribe.root;
        self.rows = scribe.state.rows().map(|(k, r)| (k.to_bytes(), r.encode())).collect();
    }

    /// What an opened directory holds, read through its public readers.
    pub fn read(opened: &Opened) -> Self {
        let store = &opened.store;
        let recovered = &opened.recovered;
        let log = match recovered.last.index {
            0 => Vec::new(),
            last => store.log_entries(1, last + 1, u64::MAX).unwrap(),
        };
        let (head, root) = store.head();
        assert_eq!(opened.chain.head(), head);
        assert_eq!(opened.chain.root(), root);
        assert_eq!(opened.seal.height, head.height);
        recovered.check().unwrap();
        assert_eq!(store.acknowledged().index, recovered.last.index);
        let applied = store.applied();
        Self {
            log,
            hard_state: recovered.hard_state,
            applied,
            head: Some(head),
            root,
            rows: rows(store),
        }
    }
}

/// Every row of the state, by paging through all tables.
pub fn rows(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    for table in Table::ALL {
        let mut after = None;
        loop {
            let page = store.rows(table, &[], after.as_deref(), 7).unwrap();
            after = page.rows.last().map(|(key, _)| key.clone());
            rows.extend(page.rows.into_iter().map(|(key, row)| (key, row.encode())));
            if !page.more {
                break;
            }
        }
    }
    rows
}

pub fn persist(entries: Vec<LogEntry>, hard_state: Option<HardState>) -> Persist {
    let must_sync = !entries.is_empty() || hard_state.is_some();
    Persist { number: 1, truncate_from: None, entries, hard_state, must_sync }
}

pub fn settings() -> OpenSettings {
    OpenSettings { chain: Some(genesis().chain()), cached_rows: 16, checked_entries: 8 }
}

pub fn create(disk: &MemoryDisk) -> Opened {
    Store::create(disk.open().unwrap(), &genesis(), DIRECTORY, &settings()).unwrap()
}

pub fn open(disk: &MemoryDisk) -> Result<Opened, OpenError> {
    Store::open(disk.open()?, &settings())
}

/// The error of something that must fail; `Opened` has no `Debug`.
pub fn refused<T>(result: Result<T, OpenError>) -> OpenError {
    match result {
        Ok(_) => panic!("the directory should have been refused"),
        Err(error) => error,
    }
}

/// Stages, syncs and records `blocks` batches of up to `items` items.
pub fn run(opened: &Opened, scribe: &mut Scribe, blocks: u64, items: u64) {
    for _ in 0..blocks {
        let index = opened.store.applied().index + 1;
        let entry = scribe.batch(index, 1, items);
        let hard_state = HardState { term: 1, vote: Some(NodeId(1)), commit: index - 1 };
        opened.store.stage(&persist(vec![entry.clone()], Some(hard_state))).unwrap();
        opened.store.sync().unwrap();
        let block = scribe.block(&entry);
        opened.store.record(&block, entry.position()).unwrap();
        scribe.last = Some(block);
    }
}
