//! Verification and execution of committed entries: two threads, so that the signatures of the next
//! batch are checked while this one is executed.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender},
    },
    time::Instant,
};

use musubi_consensus::{Execute, Executed, Input};
use musubi_ledger::{
    batch::Batch,
    code::Code,
    execute::{Block, Chain, CheckedItem, Head, check_items},
    hash::{Hash, sha256},
    id::{ChainId, TxId},
    judge::likely_reads,
    state::RowKey,
    time::Time,
};
use musubi_storage::Store;
use tokio::sync::watch;

use super::{
    Fault, Report, Reports,
    cosigning::{self, Events},
    evidence,
    keeper::{Keeper, Questions},
    pending::Pending,
    verified::Verified,
};
use crate::{
    clock::Clock,
    memos::Memos,
    metrics::{Metrics, Stage},
    proposals::OpenProposals,
};

/// A committed entry whose items are checked.
pub struct Ready {
    work: Execute,
    entry: Hash,
    checked: Vec<CheckedItem>,
}

/// What the executing thread is given to do.
pub enum Turn {
    /// Execute this.
    Block(Box<Ready>),
    /// See what is asked.
    Look,
}

/// Checks the items of committed entries, in order.
pub fn verify(
    work: &Receiver<Execute>,
    ready: &SyncSender<Turn>,
    chain: ChainId,
    rules_version: u16,
    verified: &Verified,
    metrics: &Metrics,
) {
    while let Ok(work) = work.recv() {
        let started = Instant::now();
        // In the order in which `check_items` asks: which items this node has verified before.
        let asked = RefCell::new(Vec::new());
        let known = |hash: &Hash| {
            let known = verified.knows(hash);
            asked.borrow_mut().push(known);
            known
        };
        let checked = match &work.batch {
            Some(batch) => check_items(&chain, rules_version, &batch.items, &known),
            None => Vec::new(),
        };
        count_signatures(&checked, &asked.into_inner(), metrics);
        metrics.stage(Stage::ExecuteVerify, started.elapsed());
        let entry = sha256(&work.entry.data);
        let turn = Turn::Block(Box::new(Ready { work, entry, checked }));
        if ready.send(turn).is_err() {
            return;
        }
    }
}

fn count_signatures(checked: &[CheckedItem], known: &[bool], metrics: &Metrics) {
    let asked = checked.iter().filter(|item| matches!(item.fault, None | Some(Code::BadSignature)));
    let (mut verified, mut remembered) = (0, 0);
    for (item, known) in asked.zip(known) {
        let signatures = item.transaction.as_ref().map_or(0, |tx| tx.signatures.len());
        *(if *known { &mut remembered } else { &mut verified }) += signatures;
    }
    metrics.signatures(verified, remembered);
}

/// Everything that the executing thread touches.
pub struct Executor {
    /// The chain, taken up where storage left it.
    pub chain: Chain,
    /// Where blocks are recorded.
    pub store: Arc<Store>,
    /// Clients who wait.
    pub pending: Arc<Pending>,
    /// Proposals that are open.
    pub proposals: Arc<OpenProposals>,
    /// Where the chain stands, for readers and feeds.
    pub head: watch::Sender<Head>,
    /// Reports to the replica.
    pub reports: Reports,
    /// Evidence of what leaders ordered.
    pub evidence: Arc<evidence::Room>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Memos that blocks cite.
    pub memos: Arc<Memos>,
    /// To the cosigner.
    pub cosigner: Events,
    /// The wallets that moved today.
    pub keeper: Keeper,
    /// What readers ask.
    pub questions: Arc<Questions>,
    /// For the figure of how far block time is from it.
    pub clock: Clock,
}

impl Executor {
    /// Runs until the queue closes.
    ///
    /// # Errors
    /// [`Fault::Storage`] when a block cannot be recorded.
    pub fn run(mut self, turns: &Receiver<Turn>) -> Result<(), Fault> {
        while let Ok(turn) = turns.recv() {
            if let Turn::Block(item) = turn {
                self.step(&item)?;
            }
            self.questions.answer(&self.chain, &self.store);
        }
        Ok(())
    }

    fn step(&mut self, item: &Ready) -> Result<(), Fault> {
        let position = item.work.entry.position();
        let Some(batch) = &item.work.batch else {
            self.store.record_empty(position).map_err(failed)?;
            self.evidence.executed(position, item.entry, None);
            let time = self.chain.head().time;
            self.report(position.index, time, Vec::new(), false);
            return Ok(());
        };
        let next = self.chain.next_time(batch);
        self.keeper.before(next, &self.chain, &self.store).map_err(failed)?;
        let started = Instant::now();
        let state = Arc::clone(self.store.state());
        let ahead = state.ahead(keys_of(&item.checked));
        let block = self.chain.execute(&ahead, batch, item.entry, &item.checked);
        self.metrics.stage(Stage::Execute, started.elapsed());
        evidence::bad_signatures(batch, &block, &self.metrics);
        self.memos.executed(&item.checked, &block).map_err(failed)?;
        let started = Instant::now();
        // A crash right behind this keeps the block; right before it, the block is executed again from
        // the log at the next start, with the same result.
        self.store.record(&block, position).map_err(failed)?;
        self.metrics.stage(Stage::Record, started.elapsed());
        self.keeper.after(&block);
        self.evidence.executed(position, item.entry, Some((batch, &block)));
        let bytes = item.work.entry.data.len();
        self.announce(batch, bytes, &block);
        // If its thread is gone the node is stopping.
        let _ = self.cosigner.send(cosigning::executed(&block));
        let judged = block.items.iter().filter(|item| item.judged()).map(|item| item.id);
        let judged = judged.collect();
        self.report(position.index, block.head.time, judged, block.overdue);
        Ok(())
    }

    /// Tells clients, feeds and metrics; only ever about recorded blocks.
    fn announce(&self, batch: &Batch, bytes: usize, block: &Block) {
        self.proposals.apply(&block.changes, &**self.store.state());
        // First the head: whoever is told of a verdict may read at once what it rests on.
        self.head.send_replace(block.head);
        self.pending.settle(block.head, &block.items, &batch.items);
        let skew = i64::try_from(batch.time.0).unwrap_or(i64::MAX)
            - i64::try_from(self.clock.now().0).unwrap_or(i64::MAX);
        self.metrics.clock_skew(skew);
        self.metrics.block(block, bytes);
    }

    fn report(&self, index: u64, time: Time, judged: Vec<TxId>, overdue: bool) {
        let due = if overdue { Some(time) } else { self.store.state().next_due() };
        let executed = Executed { index, time, judged, due };
        let _ = self.reports.send(Report::Input(Input::Executed(executed)));
    }
}

/// The rows that judging these items is likely to read.
pub(crate) fn keys_of(checked: &[CheckedItem]) -> Vec<RowKey> {
    let mut keys = Vec::new();
    for item in checked.iter().filter(|item| item.fault.is_none()) {
        if let Some(transaction) = &item.transaction {
            likely_reads(transaction, &mut keys);
        }
    }
    keys
}

fn failed(error: musubi_storage::StoreError) -> Fault {
    Fault::Storage(error.to_string())
}
