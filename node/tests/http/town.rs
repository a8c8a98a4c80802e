//! A node of one: executes what passes its door, at once, by the ledger's rules; keeps all in memory.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock,
        mpsc::{Receiver, Sender, channel},
    },
};

use musubi_consensus::Submission;
use musubi_ledger::{
    amount::Amount,
    api::{EvidenceView, Info},
    batch::{Batch, NodeId},
    evidence::{Evidence, Suspects},
    execute::{Block, Chain, Entry, Head, MemoryState, check_items},
    genesis::RULES_VERSION,
    id::{InstrumentId, PartyId, TxId},
    leaf::{LEAF_BYTES, SealBody},
    policy::PolicyBundle,
    proof::{
        statement::Statement,
        wallet::{WalletAtSeal, WalletProof},
    },
    snapshot::Manifest,
    state::{ReadState, Row, RowKey},
    time::Time,
    tlog::{
        Algorithm, Checkpoint, NodeReader, NoteSignature, SignedNote, TileNodes, VerifierKey,
        bundle, merkle,
        proof::prove_inclusion,
        tile::{Bundle, Tile},
    },
    transaction::Transaction,
    wallet::Wallet,
};
use musubi_node::clock::Clock;
use musubi_node::core::pending::{Admitted, Pending};
use musubi_node::follow::page::encode_block;
use musubi_node::http::{
    Admission, CheckedSubmission, Door, FeedPage, HistoryPage, Ledger, NotReady, Read, ReadFault,
    Recorded, Refusal, Unprovable,
};
use musubi_node::memos::Memos;
use musubi_node::proposals::OpenProposals;
use musubi_storage::{KeptWallet, OpenMemos, OpenSettings, Store, memory::MemoryDisk};
use tokio::sync::{oneshot, watch};

use crate::city;

/// The node.
pub(crate) struct Town {
    clock: Clock,
    books: RwLock<Books>,
    heads: watch::Sender<Head>,
    finals: watch::Sender<u64>,
    pending: Pending,
    proposals: OpenProposals,
    /// A real store, for what lies beside the log.
    beside: Arc<Store>,
    memos: Arc<Memos>,
    queue: Mutex<Sender<Vec<CheckedSubmission>>>,
    /// Locked by a test, nothing is executed.
    pub(crate) hold: Mutex<()>,
    /// Locked by a test, the checkpoints cannot be read.
    pub(crate) slow: Mutex<()>,
    /// What the door says to everything, if it says no.
    pub(crate) refuses: Mutex<Option<Refusal>>,
    /// Why the node is not ready.
    pub(crate) ails: Mutex<Vec<NotReady>>,
}

struct Books {
    chain: Chain,
    state: MemoryState,
    /// Per leaf its bytes, and its entry unless it is a seal.
    leaves: Vec<(Vec<u8>, Option<Recorded>)>,
    /// Raft entries from height 1 on.
    raft: Vec<Vec<u8>>,
    seals: Vec<SealBody>,
    nodes: HashMap<(u8, u64), [u8; 32]>,
}

impl Books {
    fn record(&mut self, block: &Block, items: &[Vec<u8>]) {
        self.state.apply(&block.changes);
        for entry in &block.entries {
            let item = entry.item.map(|item| items[item as usize].clone());
            let recorded = Recorded { entry: entry.clone(), transaction: item };
            self.leaves.push((entry.leaf.encode(), Some(recorded)));
        }
        self.leaves.push((block.seal.leaf().encode(), None));
        self.seals.push(block.seal);
        self.nodes.extend(block.nodes.iter().map(|node| ((node.level, node.index), node.hash)));
    }

    fn execute(&mut self, items: Vec<Vec<u8>>, memos: &Memos) -> Block {
        let height = self.chain.head().height + 1;
        let time = self.chain.head().time.plus(1);
        let leader = city::key("city/node");
        let batch = Batch::sign(self.chain.id(), (1, height), time, items, (NodeId(1), &leader));
        let bytes = batch.encode();
        let checked = check_items(&self.chain.id(), RULES_VERSION, &batch.items, &|_| false);
        let block = self.chain.execute(&self.state, &batch, Batch::entry_hash(&bytes), &checked);
        memos.executed(&checked, &block).unwrap();
        self.raft.push(bytes);
        self.record(&block, &batch.items);
        block
    }
}

/// Hashes as tiles are read from.
struct Nodes<'a>(&'a HashMap<(u8, u64), [u8; 32]>);

impl NodeReader for Nodes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<[u8; 32]> {
        self.0.get(&(level, index)).copied()
    }
}

impl Town {
    /// A town after its genesis block, and the thread that executes.
    pub(crate) fn open(clock: Clock) -> Arc<Self> {
        let (chain, block) = Chain::open(&city::genesis());
        let (queue, submissions) = channel();
        let mut books = Books {
            chain,
            state: MemoryState::default(),
            leaves: Vec::new(),
            raft: Vec::new(),
            seals: Vec::new(),
            nodes: HashMap::new(),
        };
        books.record(&block, &[]);
        let disk = MemoryDisk::new(1).open().unwrap();
        let settings = OpenSettings::default();
        let beside = Store::create(disk, &city::genesis(), [9; 16], &settings).unwrap().store;
        let beside = Arc::new(beside);
        let town = Arc::new(Self {
            clock,
            books: RwLock::new(books),
            heads: watch::Sender::new(block.head),
            finals: watch::Sender::new(0),
            pending: Pending::new(65_536),
            proposals: OpenProposals::default(),
            memos: Arc::new(Memos::open(Arc::clone(&beside)).unwrap().0),
            beside,
            slow: Mutex::new(()),
            queue: Mutex::new(queue),
            hold: Mutex::new(()),
            refuses: Mutex::new(None),
            ails: Mutex::new(Vec::new()),
        });
        let executor = Arc::clone(&town);
        std::thread::spawn(move || executor.run(&submissions));
        town
    }

    fn run(&self, submissions: &Receiver<Vec<CheckedSubmission>>) {
        while let Ok(first) = submissions.recv() {
            let _held = self.hold.lock().unwrap();
            let batch: Vec<_> = first.into_iter().chain(submissions.try_iter().flatten()).collect();
            self.execute(batch.into_iter().map(|item| item.bytes).collect());
        }
    }

    /// Executes a block of these items.
    pub(crate) fn execute(&self, items: Vec<Vec<u8>>) -> Block {
        let block = self.books.write().unwrap().execute(items.clone(), &self.memos);
        self.proposals.apply(&block.changes, self);
        self.heads.send_replace(block.head);
        self.pending.settle(block.head, &block.items, &items);
        block
    }

    /// Executes transactions that must all be applied.
    pub(crate) fn apply(&self, transactions: &[Transaction]) {
        let block = self.execute(transactions.iter().map(Transaction::encode).collect());
        for item in block.items {
            assert_eq!(item.code, musubi_ledger::code::Code::Applied);
        }
    }

    /// Makes every later read of the books panic, as a failed disk makes the real store's.
    pub(crate) fn break_books(&self) {
        let broken = std::panic::AssertUnwindSafe(|| {
            let _books = self.books.write().unwrap();
            let _ails = self.ails.lock().unwrap();
            panic!("the books are broken on purpose");
        });
        assert!(std::panic::catch_unwind(broken).is_err());
    }

    /// How many copies wait for execution.
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// How many memos wait for a verdict, or are wanted.
    pub(crate) fn memos_open(&self) -> usize {
        let open = |which| self.beside.open_memos(which, None, 99).unwrap().len();
        open(OpenMemos::Waiting) + open(OpenMemos::Wanted)
    }

    /// Everything executed so far becomes final.
    pub(crate) fn finalise(&self) {
        self.finals.send_replace(self.heads.borrow().size);
    }

    /// Block time now.
    pub(crate) fn now(&self) -> Time {
        self.heads.borrow().time
    }

    /// The root of the log, for comparison with what the tiles give.
    pub(crate) fn root(&self) -> [u8; 32] {
        self.books.read().unwrap().chain.root()
    }
}

impl ReadState for Town {
    fn row(&self, key: &RowKey) -> Option<Row> {
        self.books.read().unwrap().state.row(key)
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        self.books.read().unwrap().state.due(until, limit)
    }
}

impl Ledger for Town {
    fn info(&self) -> Info {
        let head = *self.heads.borrow();
        Info {
            chain: city::genesis().chain(),
            origin: city::genesis().origin(),
            scheme: city::genesis().scheme,
            node: 1,
            leader: Some(1),
            term: 1,
            height: head.height,
            time: head.time,
            size: head.size,
            final_size: *self.finals.borrow(),
            rules_version: RULES_VERSION,
            version: "test".into(),
            replica: None,
        }
    }

    fn heads(&self) -> watch::Receiver<Head> {
        self.heads.subscribe()
    }

    fn finals(&self) -> watch::Receiver<u64> {
        self.finals.subscribe()
    }

    fn rules_version(&self) -> u16 {
        RULES_VERSION
    }

    fn not_ready(&self) -> Vec<NotReady> {
        self.ails.lock().unwrap().clone()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn memos(&self) -> &Arc<Memos> {
        &self.memos
    }

    fn pending(&self, id: &TxId) -> bool {
        self.pending.holds(id)
    }

    fn state(&self) -> &dyn ReadState {
        self
    }

    fn entries(&self, leaves: &[u64]) -> Read<Vec<Recorded>> {
        let books = self.books.read().unwrap();
        let found = leaves.iter().filter_map(|leaf| books.leaves.get(*leaf as usize)?.1.clone());
        Ok(found.collect())
    }

    fn history(&self, party: &PartyId, before: Option<u64>, limit: usize) -> Read<HistoryPage> {
        let books = self.books.read().unwrap();
        let end = before.unwrap_or(u64::MAX).min(books.leaves.len() as u64) as usize;
        let of_party =
            books.leaves[..end].iter().rev().filter_map(|(_, recorded)| recorded.as_ref());
        let of_party = of_party.filter(|recorded| recorded.entry.parties.contains(party));
        let mut leaves: Vec<u64> = of_party.map(|r| r.entry.index).take(limit + 1).collect();
        let more = leaves.len() > limit;
        leaves.truncate(limit);
        Ok(HistoryPage { leaves, more })
    }

    fn feed(&self, from: u64, party: Option<&PartyId>, limit: usize) -> Read<FeedPage> {
        let books = self.books.read().unwrap();
        let mut page = FeedPage { leaves: Vec::new(), next: from };
        for (_, recorded) in books.leaves.iter().skip(from as usize) {
            if page.leaves.len() == limit {
                break;
            }
            let belongs = |entry: &Entry| party.is_none_or(|party| entry.parties.contains(party));
            if recorded.as_ref().is_some_and(|recorded| belongs(&recorded.entry)) {
                page.leaves.push(page.next);
            }
            page.next += 1;
        }
        Ok(page)
    }

    fn open_proposals(&self, party: &PartyId) -> Read<Vec<TxId>> {
        Ok(self.proposals.of(*party, self, self.now()))
    }

    fn instruments(&self) -> Read<Vec<InstrumentId>> {
        let books = self.books.read().unwrap();
        let codes = books.state.rows().filter_map(|(key, _)| match key {
            RowKey::Instrument(code) => Some(*code),
            _ => None,
        });
        Ok(codes.collect())
    }

    fn offers(&self, after: Option<TxId>, limit: usize) -> Read<(Vec<TxId>, bool)> {
        let books = self.books.read().unwrap();
        let mut ids: Vec<TxId> = books
            .state
            .rows()
            .filter_map(|(key, _)| match key {
                RowKey::Offer(id) if after.is_none_or(|after| after < *id) => Some(*id),
                _ => None,
            })
            .collect();
        ids.sort_unstable();
        let more = ids.len() > limit;
        ids.truncate(limit);
        Ok((ids, more))
    }

    fn children(
        &self,
        body: &PartyId,
        after: Option<&PartyId>,
        limit: usize,
    ) -> Read<(Vec<PartyId>, bool)> {
        let books = self.books.read().unwrap();
        let mut groups: Vec<PartyId> = books
            .state
            .rows()
            .filter_map(|(key, _)| match key {
                RowKey::Child(of, group) if of == body && after < Some(group) => Some(*group),
                _ => None,
            })
            .collect();
        groups.sort_unstable();
        let more = groups.len() > limit;
        groups.truncate(limit);
        Ok((groups, more))
    }

    fn run_waiting(
        &self,
        party: PartyId,
        after: Option<(TxId, u32)>,
        limit: usize,
    ) -> Read<(Vec<(TxId, u32, Amount)>, bool)> {
        let books = self.books.read().unwrap();
        let mut lines: Vec<(TxId, u32, Amount)> = books
            .state
            .rows()
            .filter_map(|(key, row)| match (key, row) {
                (RowKey::RunWaiting(of, run, line), Row::RunWaiting(amount)) if *of == party => {
                    Some((*run, *line, *amount))
                }
                _ => None,
            })
            .filter(|(run, line, _)| after.is_none_or(|after| after < (*run, *line)))
            .collect();
        lines.sort_unstable();
        let more = lines.len() > limit;
        lines.truncate(limit);
        Ok((lines, more))
    }

    fn block(&self, height: u64) -> Read<Option<Vec<u8>>> {
        let books = self.books.read().unwrap();
        let Some(entry) = height.checked_sub(1).and_then(|at| books.raft.get(at as usize)) else {
            return Ok(None);
        };
        // A leaf without an entry is a seal, the last of its block.
        let blocks: Vec<_> = books.leaves.split_inclusive(|(_, entry)| entry.is_none()).collect();
        let leaves = blocks[height as usize].iter().flat_map(|(leaf, _)| leaf.clone());
        let leaves: Vec<u8> = leaves.collect();
        Ok(Some(encode_block(entry, &books.seals[height as usize], &leaves)))
    }

    fn raft_entry(&self, height: u64) -> Read<Option<Vec<u8>>> {
        let books = self.books.read().unwrap();
        Ok(height.checked_sub(1).and_then(|at| books.raft.get(at as usize).cloned()))
    }

    fn seals(&self, from: u64, count: usize) -> Read<Vec<SealBody>> {
        let books = self.books.read().unwrap();
        Ok(books.seals.iter().skip(from as usize).take(count).copied().collect())
    }

    fn tile(&self, tile: &Tile) -> Read<Option<Vec<u8>>> {
        Ok(tile.read(&TileNodes(Nodes(&self.books.read().unwrap().nodes))))
    }

    fn bundle(&self, at: &Bundle) -> Read<Option<Vec<u8>>> {
        let books = self.books.read().unwrap();
        let leaves = books.leaves.iter().skip(at.index as usize * 256).take(at.width.into());
        let leaves: Vec<&[u8]> = leaves.map(|(bytes, _)| bytes.as_slice()).collect();
        assert!(leaves.iter().all(|leaf| leaf.len() == LEAF_BYTES));
        Ok((leaves.len() == usize::from(at.width)).then(|| bundle::encode(&leaves).unwrap()))
    }

    fn inclusion(&self, leaf: u64, size: u64) -> Read<Vec<[u8; 32]>> {
        let books = self.books.read().unwrap();
        let path = prove_inclusion(&TileNodes(Nodes(&books.nodes)), leaf, size);
        path.map_err(|missing| ReadFault(missing.to_string()))
    }

    fn checkpoint(&self) -> Read<Option<String>> {
        let books = self.books.read().unwrap();
        let size = *self.finals.borrow();
        if size > 0 {
            let root = merkle::root(&TileNodes(Nodes(&books.nodes)), size).unwrap();
            let checkpoint = Checkpoint::new(&city::genesis().origin(), size, root).unwrap();
            return Ok(Some(city::signed_by(&checkpoint, &city::VALIDATORS[..2])));
        }
        let origin = city::genesis().origin();
        let checkpoint =
            Checkpoint::new(&origin, books.chain.head().size, books.chain.root()).unwrap();
        let signer = city::key("city/node");
        let key = VerifierKey::new(&origin, Algorithm::Ed25519, &signer.public().0).unwrap();
        let text = checkpoint.to_string();
        let signature = NoteSignature::sign(&text, &key, |message| signer.sign(message).0);
        let mut note = SignedNote::new(text).unwrap();
        note.add(signature).unwrap();
        Ok(Some(note.to_string()))
    }

    fn policies(&self) -> Read<PolicyBundle> {
        Ok(PolicyBundle { genesis: city::genesis().encode(), steps: vec![] })
    }

    fn size_at(&self, height: u64) -> Read<Option<u64>> {
        let books = self.books.read().unwrap();
        Ok((height == books.chain.head().height).then(|| books.chain.head().size))
    }

    fn ask_wallet(&self, party: PartyId) -> Option<oneshot::Receiver<Option<KeptWallet>>> {
        let books = self.books.read().unwrap();
        let (answer, receiver) = oneshot::channel();
        let kept = match books.state.row(&RowKey::Wallet(party)) {
            Some(Row::Wallet(wallet)) => Some(KeptWallet {
                height: books.chain.head().height,
                state: books.chain.prove_wallet(wallet.serial).unwrap(),
                wallet: Wallet::clone(&wallet),
            }),
            _ => None,
        };
        answer.send(kept).unwrap();
        Some(receiver)
    }

    fn wallet_proof(&self, party: &PartyId, kept: KeptWallet) -> Read<Option<WalletProof>> {
        let books = self.books.read().unwrap();
        let (seal, size) = (*books.seals.last().unwrap(), books.chain.head().size);
        let mut wallet = WalletAtSeal::show(party, &kept.wallet, kept.state, (seal, size - 1));
        wallet.inclusion = prove_inclusion(&Nodes(&books.nodes), size - 1, size).unwrap();
        drop(books);
        let checkpoint = self.checkpoint()?.unwrap();
        Ok(Some(WalletProof { checkpoint, wallet }))
    }

    fn statement(
        &self,
        _party: &PartyId,
        (from, to): (Time, Time),
        _present: KeptWallet,
    ) -> Read<Result<Statement, Unprovable>> {
        // A town that forgets has no states of days that ended.
        let over = self.now() >= to;
        Ok(Err(if over {
            Unprovable::NotKept
        } else if from > self.now() {
            Unprovable::NotYet
        } else {
            Unprovable::TooLong
        }))
    }

    fn snapshot(&self) -> Read<Option<Manifest>> {
        let books = self.books.read().unwrap();
        let size = books.chain.head().size;
        if *self.finals.borrow() != size {
            return Ok(None);
        }
        let (seal, index) = (*books.seals.last().unwrap(), size - 1);
        let path = prove_inclusion(&TileNodes(Nodes(&books.nodes)), index, size).unwrap();
        let entry = books.raft.last().unwrap().clone();
        drop(books);
        let checkpoint = self.checkpoint()?.unwrap();
        Ok(Some(Manifest { seal, index, path, entry, checkpoint }))
    }

    fn checkpoints(&self) -> Read<Vec<(u64, String)>> {
        let _slow = self.slow.lock().unwrap();
        Ok(self.checkpoint()?.into_iter().map(|note| (1, note)).collect())
    }

    fn evidence(&self) -> Read<Vec<EvidenceView>> {
        Ok(vec![evidence().0])
    }

    fn evidence_file(&self, name: &str) -> Read<Option<Vec<u8>>> {
        let (view, bytes) = evidence();
        Ok((view.name == name).then_some(bytes))
    }
}

/// Two batches that node 1 signed for one place.
pub(crate) fn evidence() -> (EvidenceView, Vec<u8>) {
    let key = city::key("city/node");
    let batch = |time| {
        let (chain, by) = (city::genesis().chain(), (NodeId(1), &key));
        Batch::sign(chain, (3, 7), Time(time), vec![], by).encode()
    };
    let evidence = Evidence::double_batch(&batch(1), &batch(2)).unwrap();
    let finding = evidence.verify(&Suspects::of_genesis(&city::genesis())).unwrap();
    let bytes = evidence.encode();
    let view = EvidenceView {
        name: finding.file_name(),
        kind: finding.kind,
        node: Some(1),
        organisation: finding.who.organisation,
        key: key.public(),
        bytes: bytes.len() as u64,
        sentence: finding.to_string(),
    };
    (view, bytes)
}

impl Door for Town {
    fn submit(&self, items: Vec<CheckedSubmission>, follow: bool) -> Vec<Admission> {
        if let Some(refusal) = *self.refuses.lock().unwrap() {
            return items.iter().map(|_| Admission::Refused(refusal)).collect();
        }
        let mut fresh = Vec::new();
        let mut admissions = Vec::new();
        for item in items {
            let submission = Submission::new(item.id, item.bytes.clone());
            let body = &item.transaction.body;
            let (admitted, receiver) = self.pending.admit(&submission, body.sender, body.expires);
            if admitted == Admitted::New {
                fresh.push(item);
            }
            admissions.push(match admitted {
                Admitted::Full => Admission::Refused(Refusal::Busy),
                Admitted::OverShare => Admission::Refused(Refusal::OverShare),
                _ => Admission::Admitted(receiver.filter(|_| follow)),
            });
        }
        if !fresh.is_empty() {
            self.queue.lock().unwrap().send(fresh).unwrap();
        }
        admissions
    }
}
