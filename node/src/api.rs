//! The running node as the HTTP API sees it.

use std::sync::Arc;

use anyhow::Context;
use musubi_consensus::Submission;
use musubi_ledger::{
    api::{EvidenceView, Info},
    batch::Batch,
    execute::{Entry, Head},
    genesis::RULES_VERSION,
    hash::Hash,
    id::{InstrumentId, PartyId, TxId},
    leaf::SealBody,
    policy::PolicyBundle,
    proof::{statement::Statement, wallet::WalletProof},
    snapshot::Manifest,
    state::{ReadState, Row, RowKey, Table},
    time::Time,
    tlog::{
        proof::prove_inclusion,
        tile::{Bundle, Tile},
    },
};
use musubi_storage::{Direction, KeptWallet, StoreError};
use tokio::sync::{oneshot, watch};

use crate::{
    clock::Clock,
    config::HttpSection,
    core::pending::Admitted,
    follow::page::encode_block,
    http::{
        Admission, CheckedSubmission, Door, FeedPage, HistoryPage, Ledger, NotReady, Read,
        ReadFault, Recorded, Refusal, RunLine, Unprovable,
    },
    memos::Memos,
    node::Node,
    statements::Prover,
};

/// Leaves that one look at the feed goes through.
const FEED_WINDOW: u64 = 1_024;
/// Rows that one look at a table takes.
const ROWS_PAGE: usize = 512;

fn fault(error: StoreError) -> ReadFault {
    ReadFault(error.to_string())
}

impl Ledger for Node {
    fn info(&self) -> Info {
        let head = *self.head.borrow();
        let status = self.status.borrow();
        let genesis = &self.loaded.genesis;
        Info {
            chain: genesis.chain(),
            origin: self.notes.origin(),
            scheme: genesis.scheme.clone(),
            node: self.loaded.config.node,
            leader: status.standing.leader.map(|leader| leader.0),
            term: status.standing.term,
            height: head.height,
            time: head.time,
            size: head.size,
            final_size: *self.finals.borrow(),
            rules_version: RULES_VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            replica: self.following.as_ref().map(|following| {
                following.borrow().info(head, self.store.base().map(|base| base.head))
            }),
        }
    }

    fn heads(&self) -> watch::Receiver<Head> {
        self.head.clone()
    }

    fn finals(&self) -> watch::Receiver<u64> {
        self.finals.clone()
    }

    fn rules_version(&self) -> u16 {
        RULES_VERSION
    }

    fn not_ready(&self) -> Vec<NotReady> {
        let mut reasons = match &self.following {
            None => self.raft_not_ready(),
            Some(standing) => standing.borrow().not_ready(*self.head.borrow(), self.clock.now()),
        };
        let free = self.disk_free();
        if free < self.loaded.config.tuning.disk_free_bytes {
            let detail = format!("{free} bytes are free on the data directory's disk");
            reasons.push(NotReady { code: "disk_low", detail });
        }
        reasons
    }

    fn memos(&self) -> &Arc<Memos> {
        &self.memos
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn pending(&self, id: &TxId) -> bool {
        self.pending.holds(id)
    }

    fn state(&self) -> &dyn ReadState {
        &**self.store.state()
    }

    fn entries(&self, leaves: &[u64]) -> Read<Vec<Recorded>> {
        let mut batches = Batches { node: self, open: None };
        let mut recorded = Vec::new();
        for &leaf in leaves {
            if let Some(entry) = self.store.entry(leaf).map_err(fault)? {
                let transaction = batches.item(&entry)?;
                recorded.push(Recorded { entry, transaction });
            }
        }
        Ok(recorded)
    }

    fn history(&self, party: &PartyId, before: Option<u64>, limit: usize) -> Read<HistoryPage> {
        let page = self.store.party_leaves(party, before, Direction::Descending, limit);
        let page = page.map_err(fault)?;
        Ok(HistoryPage { leaves: page.leaves, more: page.more })
    }

    fn feed(&self, from: u64, party: Option<&PartyId>, limit: usize) -> Read<FeedPage> {
        let size = self.head.borrow().size;
        match party {
            Some(party) => {
                let cursor = from.checked_sub(1);
                let page = self.store.party_leaves(party, cursor, Direction::Ascending, limit);
                let page = page.map_err(fault)?;
                let last = page.leaves.last().map_or(from, |leaf| leaf + 1);
                let next = if page.more { last } else { size.max(last) };
                Ok(FeedPage { leaves: page.leaves, next })
            }
            None => {
                let until = size.min(from.saturating_add(FEED_WINDOW)).max(from);
                let found = self.store.entries(from..until).map_err(fault)?;
                let mut leaves: Vec<u64> = found.iter().map(|entry| entry.index).collect();
                let next = match leaves.get(limit) {
                    Some(&first_left_out) => first_left_out,
                    None => until,
                };
                leaves.truncate(limit);
                Ok(FeedPage { leaves, next })
            }
        }
    }

    fn open_proposals(&self, party: &PartyId) -> Read<Vec<TxId>> {
        let now = self.head.borrow().time;
        Ok(self.proposals.of(*party, &**self.store.state(), now))
    }

    fn instruments(&self) -> Read<Vec<InstrumentId>> {
        let mut codes = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store.rows(Table::Instrument, &[], after.as_deref(), ROWS_PAGE);
            let page = page.map_err(fault)?;
            for (key, _) in page.rows {
                let text = String::from_utf8_lossy(&key[1..]);
                codes.extend(text.trim_end_matches('\0').parse::<InstrumentId>());
                after = Some(key);
            }
            if !page.more {
                return Ok(codes);
            }
        }
    }

    fn offers(&self, after: Option<TxId>, limit: usize) -> Read<(Vec<TxId>, bool)> {
        let after = after.map(|id| RowKey::Offer(id).to_bytes());
        let page = self.store.rows(Table::Offer, &[], after.as_deref(), limit).map_err(fault)?;
        let id = |(key, _): (Vec<u8>, _)| match RowKey::from_bytes(&key) {
            Some(RowKey::Offer(id)) => Ok(id),
            _ => Err(ReadFault("a row of offers has no offer's key".into())),
        };
        let ids = page.rows.into_iter().map(id).collect::<Read<Vec<TxId>>>()?;
        Ok((ids, page.more))
    }

    fn children(
        &self,
        body: &PartyId,
        after: Option<&PartyId>,
        limit: usize,
    ) -> Read<(Vec<PartyId>, bool)> {
        let after = after.map(|group| RowKey::Child(*body, *group).to_bytes());
        let page = self.store.rows(Table::Child, &body.0, after.as_deref(), limit);
        let page = page.map_err(fault)?;
        let group = |(key, _): (Vec<u8>, _)| match RowKey::from_bytes(&key) {
            Some(RowKey::Child(_, group)) => Ok(group),
            _ => Err(ReadFault("a row of a body's groups has no such key".into())),
        };
        let groups = page.rows.into_iter().map(group).collect::<Read<Vec<PartyId>>>()?;
        Ok((groups, page.more))
    }

    fn run_waiting(
        &self,
        party: PartyId,
        after: Option<(TxId, u32)>,
        limit: usize,
    ) -> Read<(Vec<RunLine>, bool)> {
        let after = after.map(|(run, line)| RowKey::RunWaiting(party, run, line).to_bytes());
        let page = self.store.rows(Table::RunWaiting, &party.0, after.as_deref(), limit);
        let page = page.map_err(fault)?;
        let line = |(key, row): (Vec<u8>, Row)| match (RowKey::from_bytes(&key), row) {
            (Some(RowKey::RunWaiting(_, run, line)), Row::RunWaiting(amount)) => {
                Ok((run, line, amount))
            }
            _ => Err(ReadFault("a row of what waits has no such key".into())),
        };
        Ok((page.rows.into_iter().map(line).collect::<Read<Vec<_>>>()?, page.more))
    }

    fn block(&self, height: u64) -> Read<Option<Vec<u8>>> {
        let Some(block) = self.store.block(height).map_err(fault)? else { return Ok(None) };
        let Some(entry) = self.store.raft_entry(height).map_err(fault)? else { return Ok(None) };
        let leaves = self.store.leaf_bytes(block.first_leaf..block.head.size).map_err(fault)?;
        Ok(Some(encode_block(&entry.data, &block.seal, &leaves)))
    }

    fn raft_entry(&self, height: u64) -> Read<Option<Vec<u8>>> {
        Ok(self.store.raft_entry(height).map_err(fault)?.map(|entry| entry.data))
    }

    fn seals(&self, from: u64, count: usize) -> Read<Vec<SealBody>> {
        let mut seals = Vec::new();
        for height in (from..).take(count) {
            match self.store.block(height).map_err(fault)? {
                Some(block) => seals.push(block.seal),
                None => break,
            }
        }
        Ok(seals)
    }

    fn inclusion(&self, leaf: u64, size: u64) -> Read<Vec<Hash>> {
        let path = prove_inclusion(&self.store.nodes(), leaf, size);
        path.map_err(|cause| ReadFault(cause.to_string()))
    }

    fn tile(&self, tile: &Tile) -> Read<Option<Vec<u8>>> {
        self.store.tile(tile).map_err(fault)
    }

    fn bundle(&self, bundle: &Bundle) -> Read<Option<Vec<u8>>> {
        self.store.bundle(bundle).map_err(fault)
    }

    fn checkpoint(&self) -> Read<Option<String>> {
        self.store.final_checkpoint().map_err(fault)
    }

    fn epochs(&self) -> Read<Vec<u64>> {
        let policies = self.store.policies().map_err(fault)?;
        Ok(policies.recoveries().iter().map(|recovery| recovery.begins.size).collect())
    }

    fn policies(&self) -> Read<PolicyBundle> {
        self.store.policy_bundle().map_err(fault)
    }

    fn size_at(&self, height: u64) -> Read<Option<u64>> {
        Ok(self.store.block(height).map_err(fault)?.map(|block| block.head.size))
    }

    fn ask_wallet(&self, party: PartyId) -> Option<oneshot::Receiver<Option<KeptWallet>>> {
        self.questions.ask(party)
    }

    fn wallet_proof(&self, party: &PartyId, kept: KeptWallet) -> Read<Option<WalletProof>> {
        match Prover::new(&self.store, &|leaves| self.entries(leaves))? {
            Some(prover) => prover.wallet(party, kept),
            None => Ok(None),
        }
    }

    fn statement(
        &self,
        party: &PartyId,
        period: (Time, Time),
        present: KeptWallet,
    ) -> Read<Result<Statement, Unprovable>> {
        match Prover::new(&self.store, &|leaves| self.entries(leaves))? {
            Some(prover) => prover.statement(party, period, present),
            None => Ok(Err(Unprovable::NotFinal)),
        }
    }

    fn checkpoints(&self) -> Read<Vec<(u64, String)>> {
        Ok(self.notes.all())
    }

    fn base(&self) -> Option<Head> {
        self.store.base().map(|base| base.head)
    }

    fn snapshot(&self) -> Read<Option<Manifest>> {
        self.snapshots.manifest()
    }

    fn snapshot_rows(&self, height: u64, after: Option<&[u8]>) -> Read<Option<Vec<u8>>> {
        self.snapshots.page(height, after)
    }

    fn evidence(&self) -> Read<Vec<EvidenceView>> {
        let view = |(name, kept): (String, crate::core::evidence::Kept)| EvidenceView {
            name,
            kind: kept.finding.kind,
            node: kept.finding.who.node.map(|node| node.0),
            organisation: kept.finding.who.organisation,
            key: kept.finding.who.key,
            bytes: kept.bytes,
            sentence: kept.finding.to_string(),
        };
        Ok(self.evidence.files().into_iter().map(view).collect())
    }

    fn evidence_file(&self, name: &str) -> Read<Option<Vec<u8>>> {
        self.evidence.file(name).map_err(|error| ReadFault(error.to_string()))
    }
}

/// Committed entries that may wait for execution before the node counts as behind.
const BEHIND_MAX: u64 = 1_000;

/// Age of the newest block above which this node shows yesterday's balances.
const STALE_MS: u64 = 3 * musubi_ledger::limits::IDLE_BATCH_MS;

/// Finds items in batches, decoding each batch once.
struct Batches<'n> {
    node: &'n Node,
    open: Option<(u64, Batch)>,
}

impl Batches<'_> {
    fn item(&mut self, entry: &Entry) -> Read<Option<Vec<u8>>> {
        let Some(position) = entry.item else { return Ok(None) };
        let height = entry.leaf.height;
        if self.open.as_ref().is_none_or(|(at, _)| *at != height) {
            let damaged = || ReadFault(format!("the Raft entry of block {height} is not readable"));
            let raft = self.node.store.raft_entry(height).map_err(fault)?.ok_or_else(damaged)?;
            self.open = Some((height, Batch::decode(&raft.data).map_err(|_| damaged())?));
        }
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        Ok(self.open.as_ref().and_then(|(_, batch)| batch.items.get(position).cloned()))
    }
}

impl Node {
    /// Why a validator should get no traffic, but for its disk.
    fn raft_not_ready(&self) -> Vec<NotReady> {
        let status = self.status.borrow();
        let mut reasons = Vec::new();
        let mut add = |code, detail: String| reasons.push(NotReady { code, detail });
        if status.halted || self.has_stopped() {
            add("halted", "the replica has stopped; see this node's log".into());
        }
        if status.standing.leader.is_none() {
            let detail = "no leader is known: are a majority of validators up and connected?";
            add("no_leader", detail.into());
        }
        let behind = status.commit.saturating_sub(status.executed);
        if behind > BEHIND_MAX {
            add("behind", format!("{behind} committed entries are not executed yet"));
        }
        let block_time = self.head.borrow().time;
        let age = self.clock.now().0.saturating_sub(block_time.0);
        if age > STALE_MS {
            add(
                "behind",
                format!("the newest block is {age} ms old; an idle leader makes one every 10 s"),
            );
        }
        reasons
    }

    /// Free bytes on the data directory's disk; none known reads as plenty.
    #[must_use]
    pub fn disk_free(&self) -> u64 {
        crate::directory::disk_free(&self.loaded.config.data)
    }
}

impl Door for Node {
    fn closed(&self) -> Option<Refusal> {
        self.following.is_some().then_some(Refusal::ReadOnly)
    }

    fn submit(&self, items: Vec<CheckedSubmission>, follow: bool) -> Vec<Admission> {
        if let Some(refusal) = self.shut() {
            return items.iter().map(|_| Admission::Refused(refusal)).collect();
        }
        let mut admissions = Vec::with_capacity(items.len());
        let mut fresh = Vec::new();
        for item in items {
            let submission = Submission::new(item.id, item.bytes);
            self.verified.note(submission.hash);
            let body = &item.transaction.body;
            let (admitted, receiver) = self.pending.admit(&submission, body.sender, body.expires);
            if admitted == Admitted::New {
                fresh.push(submission);
            }
            admissions.push(match admitted {
                Admitted::Full => Admission::Refused(Refusal::Busy),
                Admitted::OverShare => Admission::Refused(Refusal::OverShare),
                _ => Admission::Admitted(receiver.filter(|_| follow)),
            });
        }
        if !fresh.is_empty() {
            // If the replica's queue is full now, `resend` offers them again shortly.
            let _ = self.submit(fresh);
        }
        admissions
    }
}

impl Node {
    /// Why nothing is taken now. What waits already goes on waiting: a leader may still come.
    fn shut(&self) -> Option<Refusal> {
        if self.has_stopped() {
            Some(Refusal::Stopping)
        } else if self.is_leaderless() {
            Some(Refusal::NoLeader)
        } else {
            None
        }
    }
}

/// The API, being served.
pub struct Api(crate::http::Server);

/// Starts serving.
///
/// # Errors
/// If a reader token is malformed or the address cannot be bound.
pub async fn serve(node: &Arc<Node>, section: &HttpSection) -> anyhow::Result<Api> {
    let config = section.to_http()?;
    let server = crate::http::serve(
        config,
        &node.loaded.genesis,
        Arc::clone(node) as Arc<dyn Ledger>,
        Arc::clone(node) as Arc<dyn Door>,
        Arc::clone(&node.metrics),
    );
    Ok(Api(server.await.context("cannot serve the HTTP API")?))
}

impl Api {
    /// Where it is served.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.0.address()
    }

    /// Stops: open requests end, new ones are refused.
    pub async fn stop(self) {
        self.0.shutdown().await;
    }
}
