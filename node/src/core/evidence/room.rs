//! Where evidence comes together: what this node notices by itself, what others tell it, and the files.
//!
//! Whoever notices something hands it over and goes on: verifying, writing and telling others happen
//! in one task ([`super::run`]). Its queue is bounded; what a flood pushes out is counted, and told again by others.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use musubi_consensus::{Accusation, Comparison, Position};
use musubi_ledger::{
    batch::Batch,
    code::Code,
    evidence::{Evidence, Memory, OwnLog, SignedBatch, Suspects},
    execute::Block,
    hash::Hash,
    state::RowKey,
    tlog::proof::prove_consistency,
};
use musubi_storage::{Store, StoreError};
use tokio::sync::mpsc;

use super::{Files, Kept, Talk};
use crate::metrics::Metrics;

/// What waits to be looked at.
const WORK_MAX: usize = 64;

/// The room.
pub struct Room {
    /// Number of the newest witness policy whose keys can be accused.
    policy: AtomicU32,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    files: Mutex<Files>,
    memory: Mutex<Memory>,
    comparison: Mutex<Comparison>,
    work: mpsc::Sender<Work>,
}

/// Something to look at.
#[derive(Debug)]
pub enum Work {
    /// Noticed here.
    Found(Box<Evidence>),
    /// A checkpoint that its signer sent here.
    Note(String),
    /// A frame of a member.
    Heard(u64, Vec<u8>),
}

/// Whom to tell something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Every other validator.
    All(Talk),
    /// One of them.
    One(u64, Talk),
}

/// This node's own log of proof.
struct Own<'s>(&'s Store);

impl OwnLog for Own<'_> {
    fn root_at(&self, size: u64) -> Option<Hash> {
        self.0.root_at(size)
    }

    fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        prove_consistency(&self.0.nodes(), old, new).ok()
    }
}

impl Room {
    /// Opens the room; `data` is the node's data directory.
    ///
    /// # Errors
    /// If the folder of evidence or the witness policies cannot be read.
    pub fn open(
        data: &Path,
        store: Arc<Store>,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Self, mpsc::Receiver<Work>)> {
        let policies = store.policies().map_err(io::Error::other)?;
        let suspects = Suspects::of_policies(&policies);
        let files = Mutex::new(Files::open(data.join("evidence"), &suspects)?);
        let memory = Mutex::new(Memory::new(policies.newest().origin().to_owned(), suspects));
        let policy = policies.newest().policy().number.into();
        let (work, work_in) = mpsc::channel(WORK_MAX);
        let comparison = Mutex::default();
        Ok((Self { policy, store, metrics, files, memory, comparison, work }, work_in))
    }

    /// Evidence that was noticed here. Never waits.
    pub fn found(&self, evidence: Evidence) {
        self.hand_over(Work::Found(Box::new(evidence)));
    }

    /// A member was accused: what of it can be shown is kept.
    pub fn accused(&self, accusation: &Accusation) {
        if let Some(evidence) = accusation.evidence() {
            self.found(evidence);
        }
    }

    /// A checkpoint came from its signer, with whoever else signed it. Never waits.
    pub fn note(&self, note: &str) {
        self.hand_over(Work::Note(note.into()));
    }

    /// A member's frame. Never waits.
    pub fn heard(&self, from: u64, frame: Vec<u8>) {
        self.hand_over(Work::Heard(from, frame));
    }

    fn hand_over(&self, work: Work) {
        if self.work.try_send(work).is_err() {
            self.metrics.evidence("queue_full");
        }
    }

    /// An entry was executed; its first badly signed item, if it has one, is evidence.
    pub fn executed(&self, entry: Position, hash: Hash, executed: Option<(&Batch, &Block)>) {
        lock(&self.comparison).executed(entry, hash);
        let Some((batch, block)) = executed else { return };
        let bad = block.items.iter().position(|item| item.code == Code::BadSignature);
        if let Some(evidence) = bad.and_then(|at| Evidence::bad_item(batch, at)) {
            self.found(evidence);
        }
    }

    /// Looks at one thing; gives what others must hear of it. May wait for the disk.
    #[must_use]
    pub fn look(&self, work: Work) -> Vec<Tell> {
        self.meet_new_keys();
        match work {
            Work::Found(evidence) => self.keep(&[*evidence]),
            Work::Note(note) => {
                let taken = lock(&self.memory).take(&note, &Own(&self.store));
                let mut tell = self.keep(&taken.evidence);
                if taken.contradicts {
                    tell.push(Tell::All(Talk::Note(note)));
                }
                tell
            }
            Work::Heard(from, frame) => match Talk::decode(&frame) {
                Ok(talk) => self.talk(from, talk),
                Err(error) => {
                    self.metrics.evidence("bad_frame");
                    tracing::warn!(member = from, %error, "talk about evidence dropped");
                    Vec::new()
                }
            },
        }
    }

    /// Whoever a policy has named since can be accused from now on.
    fn meet_new_keys(&self) {
        let meet = || {
            let next = self.policy.load(Ordering::Relaxed) + 1;
            if self.store.row(&RowKey::Policy(next))?.is_some() {
                let policies = self.store.policies()?;
                let suspects = Suspects::of_policies(&policies);
                lock(&self.memory).learn(policies.newest().origin(), suspects);
                self.policy.store(policies.newest().policy().number, Ordering::Relaxed);
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = meet() {
            // Executing fails on the same disk, and stops the node.
            tracing::error!(%error, "the witness policies cannot be read");
        }
    }

    fn talk(&self, from: u64, talk: Talk) -> Vec<Tell> {
        match talk {
            Talk::Entries(told) => {
                let differs = lock(&self.comparison).hear(&told);
                let batch = differs.and_then(|entry| self.signed_at(entry));
                batch.map(|batch| Tell::One(from, Talk::Batch(batch))).into_iter().collect()
            }
            Talk::Batch(theirs) => {
                let entry = Position { index: theirs.index, term: theirs.term };
                let ours = self.signed_at(entry);
                let double = ours.and_then(|ours| Evidence::double_signed(ours, theirs));
                double.map(|evidence| self.keep(&[evidence])).unwrap_or_default()
            }
            // Not passed on: its signer's own neighbours have seen it.
            Talk::Note(note) => {
                let taken = lock(&self.memory).take(&note, &Own(&self.store));
                self.keep(&taken.evidence)
            }
            Talk::File(bytes) => match Evidence::decode(&bytes) {
                Ok(evidence) => self.keep(&[evidence]),
                Err(_) => Vec::new(),
            },
        }
    }

    /// What is due now: the entries executed since, and notes that came before their leaves.
    #[must_use]
    pub fn due(&self) -> Vec<Tell> {
        self.meet_new_keys();
        let taken = lock(&self.memory).look_again(&Own(&self.store));
        let mut tell = self.keep(&taken.evidence);
        let told = lock(&self.comparison).tell();
        tell.extend(told.map(|told| Tell::All(Talk::Entries(told))));
        tell
    }

    /// What a leader signed at a place of this node's log.
    fn signed_at(&self, entry: Position) -> Option<SignedBatch> {
        let next = entry.index.checked_add(1)?;
        let found = self.store.log_entries(entry.index, next, u64::MAX).ok()?;
        let own = found.first().filter(|own| own.position() == entry)?;
        Some(SignedBatch::of(&Batch::decode(&own.data).ok()?))
    }

    /// Keeps what verifies and is new, durably, and has it told to all: who was not lied to knows it then too.
    fn keep(&self, evidence: &[Evidence]) -> Vec<Tell> {
        let mut tell = Vec::new();
        for evidence in evidence {
            let verified = evidence.verify(lock(&self.memory).suspects());
            let Ok(finding) = verified else { continue };
            let bytes = evidence.encode();
            match lock(&self.files).keep(&finding, &bytes) {
                Ok(None) => {}
                Ok(Some(path)) => {
                    self.metrics.evidence(finding.kind.name());
                    tracing::error!(
                        evidence = finding.kind.name(),
                        file = %path.display(),
                        "{finding}"
                    );
                    tell.push(Tell::All(Talk::File(bytes)));
                }
                Err(error) => {
                    self.metrics.evidence("not_kept");
                    tracing::error!(evidence = finding.kind.name(), %error, "not kept: {finding}");
                }
            }
        }
        tell
    }

    /// All files, by name.
    #[must_use]
    pub fn files(&self) -> Vec<(String, Kept)> {
        let files = lock(&self.files);
        files.kept().iter().map(|(name, kept)| (name.clone(), kept.clone())).collect()
    }

    /// A file's bytes; `None` if none of that name is kept.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn file(&self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        let path = lock(&self.files).path(name);
        path.map(std::fs::read).transpose()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
