//! Memos' blobs on a node: taken with the transaction that cites them, kept beside the log, fetched from others where
//! they are missing, erased on an operator's word (`docs/adr/0016-memos.md`).
//!
//! Who owns what: `musubi_storage` keeps blobs and where each stands; this room bounds what waits and says what is
//! to be done; [`wants`] says when a missing blob is asked for again; [`pull`] asks and answers. Nothing of this is
//! state: no digest covers it, and consensus never waits for it. What goes wrong here costs a memo, not a block.

pub mod pull;
pub mod wants;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use musubi_ledger::{
    code::Code,
    execute::{Block, CheckedItem},
    id::{DocumentHash, TxId},
    time::Time,
};
use musubi_storage::{MemoStanding, OpenMemos, SettledMemo, Store, StoreError};
use tokio::sync::{mpsc, watch};

use pull::Heard;
use wants::{WANTS_MAX, Wants};

/// Blobs that may wait for their transactions' verdicts: some 75 MB at most. A verdict takes milliseconds.
pub const WAITING_MAX: usize = 16_384;
/// Frames of other validators that may wait.
const HEARD_MAX: usize = 256;

/// The room. Its methods may wait for the disk, except where they say otherwise.
pub struct Memos {
    store: Arc<Store>,
    wants: Mutex<Wants>,
    waiting: AtomicUsize,
    heard: mpsc::Sender<Heard>,
    news: watch::Sender<u64>,
}

/// What becomes of a blob that is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is here now, or was.
    Here,
    /// It was erased, and does not come back.
    Erased,
    /// Too many wait.
    Full,
}

/// What is known of a memo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its blob.
    Here(Vec<u8>),
    /// An applied transaction cites it; its blob has not come.
    Wanted,
    /// It was erased.
    Erased,
    /// No applied transaction that this node has executed cites it.
    Unknown,
}

impl Memos {
    /// Takes up what was open in `store`; what others say is for [`pull::run`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: Arc<Store>) -> Result<(Self, mpsc::Receiver<Heard>), StoreError> {
        let (heard, heard_out) = mpsc::channel(HEARD_MAX);
        let memos = Self {
            store,
            wants: Mutex::default(),
            waiting: AtomicUsize::new(0),
            heard,
            news: watch::Sender::new(0),
        };
        memos.sweep(Time(0))?;
        Ok((memos, heard_out))
    }

    /// Takes the blob that came with transaction `id`, before that goes on; with `applied`, after its verdict.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// # Panics
    /// If the blob has another hash.
    pub fn offer(
        &self,
        memo: &DocumentHash,
        blob: &[u8],
        (id, expires): (TxId, Time),
        applied: bool,
    ) -> Result<Taken, StoreError> {
        if !applied && self.waiting.load(Ordering::Relaxed) >= WAITING_MAX {
            return Ok(Taken::Full);
        }
        let before = self.store.memo_standing(memo)?;
        let standing = self.store.offer_memo(memo, blob, (id, expires), applied)?;
        match standing {
            MemoStanding::Erased => return Ok(Taken::Erased),
            MemoStanding::Waiting { .. } if before.is_none() => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
            MemoStanding::Kept => self.came(memo),
            _ => {}
        }
        Ok(Taken::Here)
    }

    /// The transaction that brought a blob was turned away after all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn turned_away(&self, memo: &DocumentHash, id: &TxId) -> Result<(), StoreError> {
        if self.store.drop_memo(memo, id)? {
            self.less_waiting(1);
        }
        Ok(())
    }

    /// Settles the memos of a block that is about to be recorded: [`Store::settle_memos`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn executed(&self, items: &[CheckedItem], block: &Block) -> Result<(), StoreError> {
        let cited = items.iter().zip(&block.items).filter_map(|(item, result)| {
            let memo = item.transaction.as_ref()?.body.memo?;
            // Void or judged before: this copy settles nothing.
            result.leaf?;
            Some(SettledMemo { memo, id: result.id, applied: result.code == Code::Applied })
        });
        let settled: Vec<_> = cited.collect();
        if settled.is_empty() {
            return Ok(());
        }
        let wanted = self.store.settle_memos(&settled)?;
        // Of those that waited here some came to their end; how many, the next look at all of them tells exactly.
        self.less_waiting(settled.len() - wanted.len());
        let now = Instant::now();
        let mut wants = self.wants();
        wanted.into_iter().for_each(|memo| wants.add(memo, now));
        drop(wants);
        self.news.send_modify(|news| *news += 1);
        Ok(())
    }

    /// What is known of a memo.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn find(&self, memo: &DocumentHash) -> Result<Found, StoreError> {
        Ok(match self.store.memo_standing(memo)? {
            Some(MemoStanding::Kept) => match self.store.memo_blob(memo)? {
                Some(blob) => Found::Here(blob),
                // Erased between the two reads.
                None => Found::Erased,
            },
            Some(MemoStanding::Wanted) => Found::Wanted,
            Some(MemoStanding::Erased) => Found::Erased,
            // Not yet anybody's: a reader could otherwise have a blob kept that no verdict covers.
            Some(MemoStanding::Waiting { .. }) | None => Found::Unknown,
        })
    }

    /// Somebody asks for a wanted memo: it is looked for soon. Never waits.
    pub fn ask(&self, memo: DocumentHash) {
        self.wants().ask(memo, Instant::now());
    }

    /// Something came, or was settled.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Erases a memo here for good; gives whether its blob was here.
    ///
    /// # Errors
    /// [`StoreError`]; it is then to be erased again.
    pub fn erase(&self, memo: &DocumentHash) -> Result<bool, StoreError> {
        let was_here = self.store.erase_memo(memo)?;
        self.wants().done(memo);
        tracing::info!(%memo, was_here, "a memo was erased");
        Ok(was_here)
    }

    /// Drops the blobs whose transactions have expired without a verdict by `now`, block time; looks for wanted ones
    /// that found no room before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sweep(&self, now: Time) -> Result<(), StoreError> {
        let waiting = self.store.open_memos(OpenMemos::Waiting, None, 2 * WAITING_MAX)?;
        self.waiting.store(waiting.len(), Ordering::Relaxed);
        for (memo, standing) in waiting {
            if let MemoStanding::Waiting { id, expires } = standing
                && expires < now
            {
                self.turned_away(&memo, &id)?;
            }
        }
        let wanted = self.store.open_memos(OpenMemos::Wanted, None, WANTS_MAX)?;
        let (mut wants, begun) = (self.wants(), Instant::now());
        wanted.into_iter().for_each(|(memo, _)| wants.add(memo, begun));
        Ok(())
    }

    /// What another validator says about memos. Never waits: what is too much is said again.
    pub fn hear(&self, heard: Heard) {
        let _ = self.heard.try_send(heard);
    }

    /// A blob from elsewhere, whoever sent it; whether it was wanted.
    fn brought(&self, blob: &[u8]) -> Result<bool, StoreError> {
        let found = self.store.found_memo(blob)?;
        if let Some(memo) = &found {
            self.came(memo);
        }
        Ok(found.is_some())
    }

    fn came(&self, memo: &DocumentHash) {
        self.wants().done(memo);
        self.news.send_modify(|news| *news += 1);
    }

    fn less_waiting(&self, count: usize) {
        let less = |waiting: usize| Some(waiting.saturating_sub(count));
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn wants(&self) -> MutexGuard<'_, Wants> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
