//! What a submission must be to pass the door, checked on a thread of its own.
//!
//! Order of the checks (the first that fails gives the code): form and size; chain; rules version;
//! already judged (not refused: its status is the answer); expiry; signatures; whether a key of the sender's
//! signed; reference taken by another id. So nobody fills the log with items that a stranger's key signed,
//! and only who signs for a sender learns about its keys and references. All else that an earlier item
//! could still change (balances, roles) is left to the verdict.
//!
//! The thread takes whatever waits, up to [`SIGNATURES_PER_BATCH`] signatures, and verifies it in one
//! batch. It never waits for more to come: a lone transfer is checked at once, and under load the
//! queue that builds up while one batch is verified is the next batch.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use axum::body::Bytes;
use musubi_ledger::{
    code::Code,
    id::{ChainId, TxId},
    limits,
    operation::Operation,
    state::{Judged, Row, RowKey, Shared},
    time::Time,
    transaction::{Preimage, Transaction},
    verify::{Check, verify_all},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    access::{CheckedSubmission, Ledger},
    problem::{ApiError, DoorCode},
    sender::sender_signs,
};
use crate::metrics::{Metrics, Queue, Stage};

/// Signatures gathered into one batch, unless a single bulk submission brings more.
const SIGNATURES_PER_BATCH: usize = 512;
/// Submissions that may wait; each weighs at least [`JOB_BYTES_MIN`] in the byte budget too.
const JOBS_MAX: usize = 4_096;
/// What the smallest submission costs of the byte budget: its bookkeeping.
const JOB_BYTES_MIN: usize = 1_024;

/// A transaction as it came.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// JSON text.
    Json(Bytes),
    /// Canonical bytes.
    Canonical(Bytes),
}

/// What needs no handing over any more.
#[derive(Debug)]
pub(super) enum Answered {
    /// Judged before; this is its verdict.
    Judged(TxId, Shared<Judged>),
    /// Refused.
    Refused(ApiError),
}

/// What the door found: fit to be handed over, or answered.
pub(super) type Finding = Result<CheckedSubmission, Answered>;

struct Job {
    items: Vec<Raw>,
    answer: oneshot::Sender<Vec<Finding>>,
    /// The job's part of the byte budget; returned when the job is done.
    _budget: OwnedSemaphorePermit,
}

/// The way to the checking thread. The thread ends when the last clone is gone.
#[derive(Clone, Debug)]
pub(super) struct SignatureDoor {
    queue: mpsc::Sender<Job>,
    budget: Arc<Semaphore>,
}

impl SignatureDoor {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(
        chain: ChainId,
        ledger: Arc<dyn Ledger>,
        metrics: Arc<Metrics>,
        bytes: usize,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(JOBS_MAX);
        let checker = Checker { chain, ledger, metrics };
        std::thread::Builder::new().name("http-door".into()).spawn(move || checker.run(jobs))?;
        Ok(Self { queue, budget: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))) })
    }

    /// Checks transactions that came together; one finding each, in order. What the body of the request
    /// holds of its own budget can go back once this has its part of the door's.
    ///
    /// The receiver fails if checking them did.
    ///
    /// # Errors
    /// `busy` if the queue is full.
    pub(super) fn check(
        &self,
        items: Vec<Raw>,
    ) -> Result<oneshot::Receiver<Vec<Finding>>, ApiError> {
        let bytes = items.iter().map(Raw::len).sum::<usize>().max(JOB_BYTES_MIN);
        let weight = u32::try_from(bytes).unwrap_or(u32::MAX);
        let budget = Arc::clone(&self.budget).try_acquire_many_owned(weight);
        let budget = budget.map_err(|_| ApiError::new(DoorCode::Busy))?;
        let (answer, findings) = oneshot::channel();
        let job = Job { items, answer, _budget: budget };
        self.queue.try_send(job).map_err(|_| ApiError::new(DoorCode::Busy))?;
        Ok(findings)
    }
}

impl Raw {
    fn len(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Canonical(bytes) => bytes.len(),
        }
    }

    /// Decodes, and gives the canonical bytes.
    fn read(&self) -> Result<(Transaction, Vec<u8>), ApiError> {
        let malformed = |why: &dyn core::fmt::Display| {
            ApiError::of_transaction(Code::Malformed, None).because(why)
        };
        match self {
            Self::Canonical(bytes) => {
                let transaction = Transaction::decode(bytes).map_err(|e| malformed(&e))?;
                Ok((transaction, bytes.to_vec()))
            }
            Self::Json(text) => {
                let transaction: Transaction = serde_json::from_slice(text)
                    .map_err(|e| ApiError::new(DoorCode::MalformedJson).because(e))?;
                let bytes = transaction.encode();
                // What JSON can say but the binary format cannot (sizes, order) ends here.
                let transaction = Transaction::decode(&bytes).map_err(|e| malformed(&e))?;
                Ok((transaction, bytes))
            }
        }
    }
}

/// A submission between the cheap checks and its signatures.
struct Candidate {
    submission: CheckedSubmission,
    preimages: Vec<Preimage>,
    /// Another transaction that has its reference.
    taken_by: Option<TxId>,
}

type Prepared = Result<Candidate, Answered>;

struct Checker {
    chain: ChainId,
    ledger: Arc<dyn Ledger>,
    metrics: Arc<Metrics>,
}

impl Checker {
    fn run(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            // A panic (the store failed under a read, or a bug) costs this batch, not the door: its
            // answers are dropped and its clients told `internal`.
            let batch = catch_unwind(AssertUnwindSafe(|| self.batch(first, &mut jobs)));
            if batch.is_err() {
                tracing::error!("checking submissions panicked");
            }
            self.metrics.queue(Queue::Door, jobs.len());
        }
    }

    fn batch(&self, first: Job, jobs: &mut mpsc::Receiver<Job>) {
        let begun = Instant::now();
        let mut read: Vec<Vec<Result<CheckedSubmission, Answered>>> = Vec::new();
        let mut taken = Vec::new();
        let mut signatures = 0;
        let mut next = Some(first);
        while let Some(job) = next {
            let items: Vec<_> = job.items.iter().map(|raw| self.read(raw)).collect();
            signatures +=
                items.iter().flatten().map(|s| s.transaction.signatures.len()).sum::<usize>();
            read.push(items);
            taken.push(job);
            next = if signatures < SIGNATURES_PER_BATCH { jobs.try_recv().ok() } else { None };
        }
        let prepared = self.prepare(read);
        self.metrics.stage(Stage::Door, begun.elapsed());
        let verifying = Instant::now();
        let holds = verify(prepared.iter().flatten().flatten());
        self.metrics.stage(Stage::Verify, verifying.elapsed());
        let mut holds = holds.into_iter();
        for (job, items) in taken.into_iter().zip(prepared) {
            let findings = items.into_iter().map(|item| self.finding(item, &mut holds)).collect();
            // A client that went away needs no answer.
            let _ = job.answer.send(findings);
        }
    }

    fn read(&self, raw: &Raw) -> Result<CheckedSubmission, Answered> {
        let (transaction, bytes) = raw.read().map_err(Answered::Refused)?;
        let body = &transaction.body;
        let id = body.id();
        let refused = |code| Err(Answered::Refused(ApiError::of_transaction(code, Some(id))));
        if body.chain != self.chain {
            return refused(Code::WrongChain);
        }
        if body.rules_version != self.ledger.rules_version() {
            return refused(Code::InactiveRules);
        }
        if matches!(body.operation, Operation::BeginEpoch(_)) {
            return refused(Code::OutOfPlace);
        }
        Ok(CheckedSubmission { id, bytes, transaction })
    }

    /// The cheap checks that need the state, which is asked once for all.
    fn prepare(&self, read: Vec<Vec<Result<CheckedSubmission, Answered>>>) -> Vec<Vec<Prepared>> {
        // The head first: what is not judged by then was not judged before its expiry, if that is past.
        let block_time = self.ledger.heads().borrow().time;
        let reference = |submission: &CheckedSubmission| {
            let body = &submission.transaction.body;
            RowKey::Reference(body.sender, body.reference.clone())
        };
        let references: Vec<_> = read.iter().flatten().flatten().map(reference).collect();
        let mut owners = self.ledger.state().rows(&references).into_iter();
        let mut prepare = |item: Result<CheckedSubmission, Answered>| {
            let submission = item?;
            let owner = match owners.next().flatten() {
                Some(Row::Reference(owner)) => Some(owner),
                _ => None,
            };
            self.prepare_one(submission, owner, block_time)
        };
        read.into_iter().map(|items| items.into_iter().map(&mut prepare).collect()).collect()
    }

    fn prepare_one(
        &self,
        submission: CheckedSubmission,
        owner: Option<TxId>,
        block_time: Time,
    ) -> Prepared {
        let CheckedSubmission { id, transaction, .. } = &submission;
        let (id, body) = (*id, &transaction.body);
        let refused = |code| Err(Answered::Refused(ApiError::of_transaction(code, Some(id))));
        // Whatever is judged has its reference.
        if owner == Some(id)
            && let Some(judged) = self.judged(id)
        {
            return Err(judged);
        }
        if let Some(code) = outside_window(body.expires, block_time, self.ledger.clock().now()) {
            return refused(code);
        }
        if transaction.signatures.is_empty() {
            return refused(Code::SenderNotSigner);
        }
        let preimages = transaction.preimages(&id);
        Ok(Candidate { submission, preimages, taken_by: owner.filter(|owner| *owner != id) })
    }

    fn judged(&self, id: TxId) -> Option<Answered> {
        match self.ledger.state().row(&RowKey::Judged(id)) {
            Some(Row::Judged(judged)) => Some(Answered::Judged(id, judged)),
            _ => None,
        }
    }

    fn finding(&self, item: Prepared, holds: &mut impl Iterator<Item = bool>) -> Finding {
        let candidate = item?;
        let id = candidate.submission.id;
        let refused = |code, id| Err(Answered::Refused(ApiError::of_transaction(code, Some(id))));
        // Every verdict is taken from the iterator, also behind a failed one.
        let of_item = holds.by_ref().take(candidate.preimages.len());
        if of_item.filter(|holds| !holds).count() > 0 {
            return refused(Code::BadSignature, id);
        }
        let state = self.ledger.state();
        let block_time = self.ledger.heads().borrow().time;
        let transaction = &candidate.submission.transaction;
        if !sender_signs(
            state,
            transaction,
            [block_time, block_time.max(self.ledger.clock().now())],
        ) {
            return refused(Code::SenderNotSigner, id);
        }
        match candidate.taken_by {
            // The problem names the transaction that has the reference.
            Some(owner) => refused(Code::ReferenceTaken, owner),
            None => Ok(candidate.submission),
        }
    }
}

/// What is wrong with an expiry, seen from the newest block's time. The chain may have stood still: the
/// block that judges will be stamped by a clock, so the window's far end is looked for there too.
fn outside_window(expires: Time, now: Time, clock: Time) -> Option<Code> {
    if expires <= now {
        Some(Code::Expired)
    } else if expires > now.max(clock).plus(limits::SUBMISSION_WINDOW_MS) {
        Some(Code::WindowTooLong)
    } else {
        None
    }
}

fn verify<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Vec<bool> {
    let checks: Vec<Check<'_>> =
        candidates.flat_map(|c| c.submission.transaction.checks(&c.preimages)).collect();
    verify_all(&checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_a_day_ahead_and_excludes_now() {
        let now = Time(1_000);
        assert_eq!(outside_window(now, now, Time(0)), Some(Code::Expired));
        assert_eq!(outside_window(Time(1_001), now, Time(0)), None);
        let last = now.plus(limits::SUBMISSION_WINDOW_MS);
        assert_eq!(outside_window(last, now, Time(0)), None);
        assert_eq!(outside_window(last.plus(1), now, Time(0)), Some(Code::WindowTooLong));
        assert_eq!(outside_window(last.plus(1), now, Time(1_001)), None, "the chain stood still");
    }
}
