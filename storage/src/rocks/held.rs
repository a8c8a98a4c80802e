//! A snapshot of RocksDB that outlives the call that took it.
//!
//! The binding's snapshots borrow the database, so each lives on the stack of a thread of its own, which reads
//! pages for whoever asks and ends when nobody can any more. It holds the database open: whoever drops a snapshot
//! waits for its thread, so that nothing of the database is left behind the store.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use rocksdb::{DB, ReadOptions, Snapshot};

use super::failed;
use crate::backend::{BackendError, Family, Frozen, PageFill, Pair};

/// Questions that may wait for the thread.
const QUESTIONS_MAX: usize = 16;

struct Question {
    after: Option<Vec<u8>>,
    bytes: usize,
    answer: SyncSender<Result<Vec<Pair>, BackendError>>,
}

/// A family as it was.
pub(super) struct Held {
    /// Taken only when it is dropped.
    ask: Option<SyncSender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl Held {
    /// Takes the snapshot; it stands when this returns.
    pub(super) fn new(db: &Arc<DB>, family: Family) -> Result<Self, BackendError> {
        let (ask, asked) = sync_channel(QUESTIONS_MAX);
        let (taken, standing) = sync_channel(1);
        let db = Arc::clone(db);
        let run = move || {
            let snapshot = db.snapshot();
            let _ = taken.send(());
            answer(&db, &snapshot, family, &asked);
        };
        let thread = std::thread::Builder::new().name("snapshot".into()).spawn(run);
        let thread = thread.map_err(|error| BackendError::Io(error.to_string()))?;
        standing.recv().map_err(|_| ended())?;
        Ok(Self { ask: Some(ask), thread: Some(thread) })
    }
}

fn ended() -> BackendError {
    BackendError::Io("the thread that holds the snapshot has ended".into())
}

fn answer(db: &DB, snapshot: &Snapshot<'_>, family: Family, asked: &Receiver<Question>) {
    while let Ok(Question { after, bytes, answer }) = asked.recv() {
        // Who does not wait any more needs no answer.
        let _ = answer.send(read(db, snapshot, family, after, bytes));
    }
}

fn read(
    db: &DB,
    snapshot: &Snapshot<'_>,
    family: Family,
    after: Option<Vec<u8>>,
    bytes: usize,
) -> Result<Vec<Pair>, BackendError> {
    let family = db.cf_handle(family.name()).expect("every family is opened with the database");
    let mut options = ReadOptions::default();
    // A page is read once: it should push nothing in use out of the cache.
    options.fill_cache(false);
    if let Some(mut from) = after {
        // The smallest key behind it.
        from.push(0);
        options.set_iterate_lower_bound(from);
    }
    let mut cursor = snapshot.raw_iterator_cf_opt(family, options);
    cursor.seek_to_first();
    let mut page = PageFill::new(bytes);
    while let Some((key, value)) = cursor.item() {
        if page.push(key, value).is_break() {
            return Ok(page.pairs());
        }
        cursor.next();
    }
    cursor.status().map_err(failed)?;
    Ok(page.pairs())
}

impl Frozen for Held {
    fn page(&self, after: Option<&[u8]>, bytes: usize) -> Result<Vec<Pair>, BackendError> {
        let (answer, told) = sync_channel(1);
        let question = Question { after: after.map(<[u8]>::to_vec), bytes, answer };
        let ask = self.ask.as_ref().expect("it is there until this is dropped");
        ask.send(question).map_err(|_| ended())?;
        told.recv().map_err(|_| ended())?
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
