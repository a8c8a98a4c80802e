//! Executing blocks: a batch in, verdicts, leaves, seal and state changes out. The same on every node.
//!
//! Signatures are checked before ([`check_items`], in parallel and cached if the caller likes); what is
//! left is one sequential pure pass.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    batch::Batch,
    code::{Code, Standing},
    digest::{StatePath, state_digest, sum::SetDigest, tree::WalletTree},
    epoch::first_term,
    genesis::{Genesis, RULES_VERSION},
    hash::Hash,
    id::{ChainId, PartyId, Salt, TxId},
    judge,
    keys::{PublicKey, check_party_keys},
    leaf::{Leaf, LeafKind, SealBody, SystemCause},
    limits,
    operation::Operation,
    outcome::Outcome,
    state::{Changes, Judged, Overlay, ReadState, Row, RowKey, Settled},
    time::Time,
    tlog::{frontier::Frontier, merkle::Node},
    transaction::{Transaction, hashes},
    verify::{Check, verify_all},
};

/// An item of a batch after decoding and signature checks.
#[derive(Clone, Debug)]
pub struct CheckedItem {
    /// What it is, unless it is malformed.
    pub transaction: Option<Transaction>,
    /// Its id; of the bytes, where it is malformed.
    pub id: TxId,
    /// Hash of its signatures, as its leaf keeps it; zero where it is malformed.
    pub signatures: Hash,
    /// Keys that it registers and that were found fit for that ([`check_party_keys`]), in no order; one that is
    /// not among them is looked at when it is judged.
    pub fit: Vec<PublicKey>,
    /// The first thing wrong with its form, chain, rules version or signatures.
    pub fault: Option<Code>,
}

/// Where the chain stands after a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Height of the last block; genesis is 0.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// Leaves in the log: the size of the checkpoint at its seal.
    pub size: u64,
}

/// A chain ready to execute its next block.
#[derive(Clone, Debug)]
pub struct Chain {
    id: ChainId,
    head: Head,
    log: Frontier,
    wallets: WalletTree,
    rows: SetDigest,
}

/// What one item of a batch came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemResult {
    /// The item's id.
    pub id: TxId,
    /// Its verdict, or why it is void.
    pub code: Code,
    /// Its leaf; none if void.
    pub leaf: Option<u64>,
}

impl ItemResult {
    /// Whether its id is judged, now or before. Not so a void item's: another copy may still be.
    #[must_use]
    pub fn judged(&self) -> bool {
        self.leaf.is_some() || self.code == Code::AlreadyJudged
    }
}

/// A leaf's outcome, kept for whoever may see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The leaf's index in the log.
    pub index: u64,
    /// The leaf.
    pub leaf: Leaf,
    /// What it did.
    pub outcome: Outcome,
    /// What salts the outcome's hash.
    pub salt: Salt,
    /// Parties to whom it belongs in feeds and statements, ascending.
    pub parties: Vec<PartyId>,
    /// Position of the item in its batch; none for system leaves.
    pub item: Option<u32>,
    /// What became due, for system leaves.
    pub due: Option<SystemCause>,
}

/// An executed block: all that storage records, in one write.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where the chain stands now.
    pub head: Head,
    /// Size of the log before it.
    pub first_leaf: u64,
    /// The leaves before the seal with their outcomes: system leaves first, then transactions.
    pub entries: Vec<Entry>,
    /// The seal's body; its leaf is the block's last.
    pub seal: SealBody,
    /// One result per item of the batch, in its order.
    pub items: Vec<ItemResult>,
    /// Changed rows.
    pub changes: Changes,
    /// Hashes of subtrees that the new leaves completed, for tiles.
    pub nodes: Vec<Node>,
    /// Root of the log after the seal.
    pub root: Hash,
    /// The set digest after the block.
    pub rows: SetDigest,
    /// The earliest deadline that is already due but did not fit into this block.
    pub overdue: bool,
}

/// Decodes items and verifies their signatures, all in one batch. `known` says which exact signed
/// bytes, by their SHA-256, this node has verified before.
#[must_use]
pub fn check_items(
    chain: &ChainId,
    rules_version: u16,
    items: &[Vec<u8>],
    known: &dyn Fn(&Hash) -> bool,
) -> Vec<CheckedItem> {
    let mut checked: Vec<CheckedItem> =
        items.iter().map(|bytes| decode_item(chain, rules_version, bytes)).collect();
    let to_verify: Vec<usize> = (0..items.len())
        .filter(|&at| checked[at].fault.is_none() && !known(&crate::hash::sha256(&items[at])))
        .collect();
    let preimages: Vec<_> = to_verify
        .iter()
        .map(|&at| match &checked[at].transaction {
            Some(transaction) => transaction.preimages(&checked[at].id),
            None => Vec::new(),
        })
        .collect();
    let mut checks: Vec<Check<'_>> = Vec::new();
    for (&at, preimages) in to_verify.iter().zip(&preimages) {
        if let Some(transaction) = &checked[at].transaction {
            checks.extend(transaction.checks(preimages));
        }
    }
    let verdicts = verify_all(&checks);
    let mut next = verdicts.into_iter();
    for (at, preimages) in to_verify.into_iter().zip(&preimages) {
        // Every verdict is taken from the iterator, also behind a failed one.
        let failed = next.by_ref().take(preimages.len()).filter(|holds| !holds).count();
        if failed > 0 {
            checked[at].fault = Some(Code::BadSignature);
        }
    }
    find_fit(&mut checked);
    checked
}

/// Looks at the keys that items register, all together: what of judging needs no state.
fn find_fit(checked: &mut [CheckedItem]) {
    let mut brought: Vec<(usize, PublicKey)> = Vec::new();
    for (at, item) in checked.iter().enumerate() {
        if let (Some(transaction), None) = (&item.transaction, item.fault) {
            brought.extend(transaction.body.operation.new_keys().iter().map(|key| (at, *key)));
        }
    }
    let keys: Vec<PublicKey> = brought.iter().map(|(_, key)| *key).collect();
    for ((at, key), fit) in brought.into_iter().zip(check_party_keys(&keys)) {
        if fit {
            checked[at].fit.push(key);
        }
    }
}

fn decode_item(chain: &ChainId, rules_version: u16, bytes: &[u8]) -> CheckedItem {
    match Transaction::decode(bytes) {
        Err(_) => CheckedItem {
            transaction: None,
            id: TxId(crate::hash::sha256(bytes)),
            signatures: [0; 32],
            fit: Vec::new(),
            fault: Some(Code::Malformed),
        },
        Ok(transaction) => {
            let fault = if transaction.body.chain != *chain {
                Some(Code::WrongChain)
            } else if transaction.body.rules_version != rules_version {
                Some(Code::InactiveRules)
            } else {
                None
            };
            let (id, signatures) = hashes(bytes, &transaction);
            let transaction = Some(transaction);
            CheckedItem { transaction, id, signatures, fit: Vec::new(), fault }
        }
    }
}

impl Chain {
    /// Opens a chain: block 0 holds the genesis leaf and a seal.
    ///
    /// # Panics
    /// If the document was not checked, or its rules are not this software's.
    #[must_use]
    pub fn open(genesis: &Genesis) -> (Self, Block) {
        assert_eq!(genesis.rules_version, RULES_VERSION, "the document was checked");
        let id = genesis.chain();
        let mut chain = Self {
            id,
            head: Head { height: 0, time: genesis.time, size: 0 },
            log: Frontier::new(),
            wallets: WalletTree::new(),
            rows: SetDigest::new(),
        };
        let mut state = Overlay::new(&Nothing);
        judge::open_state(&mut state, genesis);
        state.keep();
        let leaf = Leaf {
            kind: LeafKind::Genesis,
            height: 0,
            time: genesis.time,
            id: TxId(id.0),
            code: Code::Applied,
            signatures: [0; 32],
            outcome: [0; 32],
        };
        let entry = Entry {
            index: 0,
            leaf,
            outcome: Outcome::default(),
            salt: genesis.salt,
            parties: Vec::new(),
            item: None,
            due: None,
        };
        let (items, overdue, recovery) = (Vec::new(), false, false);
        let pass = Pass { entries: vec![entry], items, overdue, recovery };
        let block = chain.close(&Nothing, state, pass, id.0, genesis.time, RULES_VERSION);
        (chain, block)
    }

    /// Takes up a chain where storage left it. The caller compares the state digest that follows
    /// ([`Chain::state_digest`]) with the last seal's before it goes on.
    #[must_use]
    pub fn resume(
        id: ChainId,
        head: Head,
        log: Frontier,
        wallets: WalletTree,
        rows: SetDigest,
    ) -> Self {
        assert_eq!(log.size(), head.size, "the log's frontier belongs to the head");
        Self { id, head, log, wallets, rows }
    }

    /// The chain's id.
    #[must_use]
    pub fn id(&self) -> ChainId {
        self.id
    }

    /// Where the chain stands.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The log's right edge.
    #[must_use]
    pub fn log(&self) -> &Frontier {
        &self.log
    }

    /// Root of the log.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.log.root()
    }

    /// How the wallet with this serial number is proved under the last seal's state digest; none if there is
    /// no such wallet.
    #[must_use]
    pub fn prove_wallet(&self, serial: u64) -> Option<StatePath> {
        let path = self.wallets.path(serial)?;
        Some(StatePath { wallets: self.wallets.count(), path, rows: self.rows.digest() })
    }

    /// The time of the block that `batch` would make.
    #[must_use]
    pub fn next_time(&self, batch: &Batch) -> Time {
        Time(batch.time.0.max(self.head.time.0.saturating_add(1)))
    }

    /// Digest of all replicated state.
    pub fn state_digest(&mut self) -> Hash {
        state_digest(self.wallets.count(), &self.wallets.root(), &self.rows.digest())
    }

    /// Executes the batch of one Raft entry. `entry` is the SHA-256 of the entry's data, `checked` one
    /// [`CheckedItem`] per item. Total: whatever the items are, a block comes out.
    ///
    /// # Panics
    /// If `checked` does not belong to `batch`, if the batch is for another chain (the guard refuses
    /// such entries before they are persisted), or if a rule broke an invariant.
    pub fn execute(
        &mut self,
        base: &dyn ReadState,
        batch: &Batch,
        entry: Hash,
        checked: &[CheckedItem],
    ) -> Block {
        assert_eq!(batch.chain, self.id, "entries are checked before they are persisted");
        assert_eq!(batch.items.len(), checked.len(), "one checked item per item");
        let time = self.next_time(batch);
        let height = self.head.height + 1;
        let mut state = Overlay::new(base);
        let rules_version = state.meta().rules_version;
        let recovery = self.recovers(batch, checked);
        let (entries, items) =
            (Vec::with_capacity(checked.len()), Vec::with_capacity(checked.len()));
        let mut pass = Pass { entries, items, overdue: false, recovery };
        let clock = Clock { height, time, first_leaf: self.head.size };
        // A recovery's leaf is the first of its epoch: what is due comes with the next block.
        if !recovery {
            pass.system_leaves(&mut state, clock);
        }
        for (position, item) in checked.iter().enumerate() {
            pass.item(&mut state, clock, position, item);
        }
        self.close(base, state, pass, entry, time, rules_version)
    }

    /// Whether this batch is a recovery in its place: alone, in the first entry of the epoch that it begins, signed by
    /// the opener, on the log that it says.
    fn recovers(&self, batch: &Batch, checked: &[CheckedItem]) -> bool {
        let [CheckedItem { transaction: Some(transaction), fault: None, .. }] = checked else {
            return false;
        };
        let Operation::BeginEpoch(op) = &transaction.body.operation else { return false };
        batch.term == first_term(op.epoch)
            && op.last_index.checked_add(1) == Some(batch.index)
            && batch.leader == op.opener
            && (op.size, op.root) == (self.head.size, self.log.root())
    }

    fn close(
        &mut self,
        base: &dyn ReadState,
        mut state: Overlay<'_>,
        pass: Pass,
        entry: Hash,
        time: Time,
        rules_version: u16,
    ) -> Block {
        let first_leaf = self.head.size;
        let height = pass.entries.first().map_or(self.head.height + 1, |e| e.leaf.height);
        touch_wallets(&mut state, &pass.entries);
        let mut changes = state.finish();
        self.digest_changes(base, height, &mut changes);
        let void = pass.items.iter().filter(|item| item.leaf.is_none()).count();
        let count = |n: usize| u32::try_from(n).expect("batches are far smaller");
        let seal = SealBody {
            height,
            time,
            entry,
            items: count(pass.items.len()),
            void: count(void),
            rules_version,
            state: self.state_digest(),
        };
        let mut nodes = Vec::new();
        for entry in &pass.entries {
            self.log.append_entry(&entry.leaf.bytes(), &mut nodes);
        }
        self.log.append_entry(&seal.leaf().bytes(), &mut nodes);
        self.head = Head { height, time, size: self.log.size() };
        Block {
            head: self.head,
            first_leaf,
            entries: pass.entries,
            seal,
            items: pass.items,
            changes,
            nodes,
            root: self.log.root(),
            rows: self.rows.clone(),
            overdue: pass.overdue,
        }
    }

    /// Brings the digests up to date, and forgets rows that were written as they stood: a deadline that
    /// many payments set, a limit that is counted anew.
    fn digest_changes(&mut self, base: &dyn ReadState, height: u64, changes: &mut Changes) {
        let mut leaves: Vec<(u64, Hash)> = Vec::new();
        changes.retain(|key, row| {
            if let RowKey::Wallet(party) = key {
                let Some(Row::Wallet(wallet)) = row else {
                    panic!("a wallet, once opened, stays: {party}");
                };
                leaves.push((wallet.serial, wallet.state_leaf(party)));
                return true;
            }
            let old = if first_written(key, row.as_ref(), height) { None } else { base.row(key) };
            if old == *row {
                return false;
            }
            let bytes = key.to_bytes();
            if let Some(old) = old {
                self.rows.remove(&bytes, &old.encode());
            }
            if let Some(new) = row {
                self.rows.add(&bytes, &new.encode());
            }
            true
        });
        // New wallets must arrive in the order of their serial numbers, not of their keys.
        leaves.sort_unstable();
        for (serial, leaf) in leaves {
            self.wallets.set(serial, leaf);
        }
    }
}

/// Whether this row cannot have been there before the block at `height`: verdicts are written once, by the
/// block they name, and their references with them. Spares looking for what is not there.
fn first_written(key: &RowKey, row: Option<&Row>, height: u64) -> bool {
    match (key, row) {
        (RowKey::Reference(..), _) => true,
        (RowKey::Judged(_), Some(Row::Judged(judged))) => judged.height == height,
        _ => false,
    }
}

/// Height, time and first leaf of the block being executed.
#[derive(Clone, Copy)]
struct Clock {
    height: u64,
    time: Time,
    first_leaf: u64,
}

/// What a block's pass has gathered so far.
struct Pass {
    entries: Vec<Entry>,
    items: Vec<ItemResult>,
    overdue: bool,
    /// The batch is a recovery in its place.
    recovery: bool,
}

impl Pass {
    fn system_leaves(&mut self, state: &mut Overlay<'_>, clock: Clock) {
        let due = state.base().due(clock.time, limits::SYSTEM_LEAVES_MAX + 1);
        self.overdue = due.len() > limits::SYSTEM_LEAVES_MAX;
        for key in due.into_iter().take(limits::SYSTEM_LEAVES_MAX) {
            let RowKey::Due(deadline, kind, cause) = key.clone() else {
                panic!("a due scan returns due keys, not {key:?}");
            };
            let (outcome, parties) = judge::act_on_due(state, kind, cause, clock.time);
            outcome.assert_balanced();
            state.remove(key);
            state.keep();
            let due = SystemCause { kind, cause, deadline };
            let (id, salt) = (due.id(), due.salt());
            let leaf =
                clock.leaf(LeafKind::System, id, Code::Applied, [0; 32], outcome.hash(&salt));
            let index = clock.first_leaf + self.entries.len() as u64;
            let due = Some(due);
            self.entries.push(Entry { index, leaf, outcome, salt, parties, item: None, due });
        }
    }

    /// Whether this is a recovery where none may stand, and nothing that comes before that is wrong with it. Void, so
    /// that nobody burns it by ordering it early.
    fn out_of_place(&self, transaction: &Transaction, code: Code) -> bool {
        let is_recovery = matches!(transaction.body.operation, Operation::BeginEpoch(_));
        let earlier = code != Code::Applied && code < Code::OutOfPlace;
        is_recovery && !self.recovery && !earlier
    }

    fn item(&mut self, state: &mut Overlay<'_>, clock: Clock, position: usize, item: &CheckedItem) {
        let index = clock.first_leaf + self.entries.len() as u64;
        let judged = match (&item.transaction, item.fault) {
            (Some(transaction), None) => {
                judge::judge(state, transaction, (item.id, &item.fit), clock.time)
            }
            (_, fault) => judge::Judgement::void(fault.unwrap_or(Code::Malformed)),
        };
        let judged = match &item.transaction {
            Some(transaction) if self.out_of_place(transaction, judged.code) => {
                judge::Judgement::void(Code::OutOfPlace)
            }
            _ => judged,
        };
        let code = judged.code;
        let (Standing::Applied | Standing::Rejected, Some(transaction)) =
            (judged.standing, &item.transaction)
        else {
            state.drop_item();
            self.items.push(ItemResult { id: item.id, code, leaf: None });
            return;
        };
        if code == Code::Applied {
            judged.outcome.assert_balanced();
        } else {
            state.drop_item();
        }
        bind(state, transaction, item.id, clock, index, code, judged.settled);
        state.keep();
        let salt = transaction.body.salt;
        let hash = judged.outcome.hash(&salt);
        let signatures = item.signatures;
        let leaf = clock.leaf(LeafKind::Transaction, item.id, code, signatures, hash);
        let parties = judge::parties_of(transaction, &judged.outcome);
        self.items.push(ItemResult { id: item.id, code, leaf: Some(index) });
        let item = Some(u32::try_from(position).expect("batches are far smaller"));
        let outcome = judged.outcome;
        self.entries.push(Entry { index, leaf, outcome, salt, parties, item, due: None });
    }
}

impl Clock {
    fn leaf(self, kind: LeafKind, id: TxId, code: Code, signatures: Hash, outcome: Hash) -> Leaf {
        Leaf { kind, height: self.height, time: self.time, id, code, signatures, outcome }
    }
}

/// Binds id and reference to the verdict, for ever (INV-3): the reference's row stands for both, since no
/// other id has this sender and reference.
fn bind(
    state: &mut Overlay<'_>,
    transaction: &Transaction,
    id: TxId,
    clock: Clock,
    leaf: u64,
    code: Code,
    settled: Option<Settled>,
) {
    let body = &transaction.body;
    let reference = RowKey::Reference(body.sender, body.reference.clone());
    assert!(state.get(&reference).is_none(), "INV-3: {id} is judged once");
    let Clock { height, time, .. } = clock;
    state.put_judged(id, Judged { code, height, time, leaf, settled });
    state.put(reference, Row::Reference(id));
}

/// Extends the leaf count and running hash of every wallet that a leaf's postings touched.
fn touch_wallets(state: &mut Overlay<'_>, entries: &[Entry]) {
    for entry in entries {
        let leaf = entry.leaf.bytes();
        for party in entry.outcome.wallets() {
            let Row::Wallet(wallet) = state.written(&RowKey::Wallet(party)) else {
                panic!("a posting's wallet is a wallet: {party}");
            };
            wallet.touch(&leaf, &entry.salt);
        }
    }
}

/// The state before a chain is opened.
struct Nothing;

impl ReadState for Nothing {
    fn row(&self, _key: &RowKey) -> Option<Row> {
        None
    }

    fn due(&self, _until: Time, _limit: usize) -> Vec<RowKey> {
        Vec::new()
    }
}

/// A whole state in memory: for tools, tests and audits. Nodes keep theirs in storage.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    rows: std::collections::BTreeMap<RowKey, Row>,
    due: BTreeSet<RowKey>,
}

impl MemoryState {
    /// Takes a block's changes.
    pub fn apply(&mut self, changes: &Changes) {
        for (key, row) in changes {
            match row {
                Some(row) => self.rows.insert(key.clone(), row.clone()),
                None => self.rows.remove(key),
            };
            if let RowKey::Due(..) = key {
                match row {
                    Some(_) => self.due.insert(key.clone()),
                    None => self.due.remove(key),
                };
            }
        }
    }

    /// All rows, in key order.
    pub fn rows(&self) -> impl Iterator<Item = (&RowKey, &Row)> {
        self.rows.iter()
    }
}

impl ReadState for MemoryState {
    fn row(&self, key: &RowKey) -> Option<Row> {
        self.rows.get(key).cloned()
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        let in_time = |key: &&RowKey| matches!(key, RowKey::Due(time, ..) if *time <= until);
        self.due.iter().take_while(in_time).take(limit).cloned().collect()
    }
}
