//! What a store of keys and values must offer, whatever it is made of.
//!
//! The contract that recovery rests on:
//!
//! - a [`WriteSet`] is atomic: after a crash all of it is there, or nothing;
//! - write sets become durable in the order in which they were written: what survives a crash is a
//!   *prefix* of them, and at least all that was written before the last successful [`Backend::sync`];
//! - reads see what was written, synced or not.
//!
//! RocksDB gives this with one write-ahead log for all families; the simulator's memory disk
//! implements it literally, and loses as much as the contract permits.

use std::ops::ControlFlow;

use thiserror::Error;

/// A column family: a key space of its own, by role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// The few records about the directory as a whole.
    Meta,
    /// Raft entries by index.
    Log,
    /// The state's rows.
    State,
    /// Leaves of the log of proof, in runs.
    Leaves,
    /// What leaves did, in runs.
    Entries,
    /// Blocks by height: seal, place, results of the items.
    Blocks,
    /// Leaves by party.
    Parties,
    /// Tile hashes, in runs.
    Tiles,
    /// Signed checkpoints by size.
    Checkpoints,
    /// Wallets at the ends of past days.
    Archive,
    /// Memos' blobs, by hash.
    Memos,
}

impl Family {
    /// All of them; their order is the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Meta,
        Self::Log,
        Self::State,
        Self::Leaves,
        Self::Entries,
        Self::Blocks,
        Self::Parties,
        Self::Tiles,
        Self::Checkpoints,
        Self::Archive,
        Self::Memos,
    ];

    /// The name on disk; never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Log => "raft_log",
            Self::State => "state",
            Self::Leaves => "leaves",
            Self::Entries => "entries",
            Self::Blocks => "blocks",
            Self::Parties => "parties",
            Self::Tiles => "tiles",
            Self::Checkpoints => "checkpoints",
            Self::Archive => "archive",
            Self::Memos => "memos",
        }
    }
}

/// One change of one key: a value, or `None` to remove it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where.
    pub family: Family,
    /// The key.
    pub key: Vec<u8>,
    /// The new value.
    pub value: Option<Vec<u8>>,
}

/// Changes that take hold together or not at all; of several to one key the last counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WriteSet {
    changes: Vec<Change>,
}

impl WriteSet {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key.
    pub fn put(&mut self, family: Family, key: Vec<u8>, value: Vec<u8>) {
        self.changes.push(Change { family, key, value: Some(value) });
    }

    /// Removes a key.
    pub fn remove(&mut self, family: Family, key: Vec<u8>) {
        self.changes.push(Change { family, key, value: None });
    }

    /// The changes, in the order in which they were added.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Takes the changes out.
    #[must_use]
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A range of one family, and the direction in which to walk it.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Which family.
    pub family: Family,
    /// Inclusive lower bound.
    pub from: &'a [u8],
    /// Exclusive upper bound; none for the family's end.
    pub until: Option<&'a [u8]>,
    /// Descending instead of ascending.
    pub reverse: bool,
}

/// Called with each key and value of a scan, until it breaks. Must not call the backend.
pub type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// The medium failed or holds what nobody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
    /// Reading, writing or syncing failed.
    #[error("input/output: {0}")]
    Io(String),
    /// A checksum of the medium does not match.
    #[error("damaged: {0}")]
    Damaged(String),
}

/// A family as it was at one moment, whatever is written since. Dropped soon: meanwhile the medium keeps what
/// it would else forget.
pub trait Frozen: Send + Sync {
    /// Pairs with keys strictly behind `after` (from the beginning, if there is none), ascending: as many as fit
    /// `bytes`, but at least one; none at the end.
    ///
    /// # Errors
    /// [`BackendError`].
    fn page(&self, after: Option<&[u8]>, bytes: usize) -> Result<Vec<Pair>, BackendError>;
}

/// A store of keys and values; see the module for its contract.
pub trait Backend: Send + Sync {
    /// The value of one key.
    ///
    /// # Errors
    /// [`BackendError`].
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// The values of many keys, in their order, read together. Ascending keys are cheapest.
    ///
    /// # Errors
    /// [`BackendError`], if any of them fails.
    fn multi_get(
        &self,
        family: Family,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, BackendError>;

    /// Walks a range as it was when the scan began.
    ///
    /// # Errors
    /// [`BackendError`]; keys visited before it were right.
    fn scan(&self, scan: Scan<'_>, visit: Visit<'_>) -> Result<(), BackendError>;

    /// Writes atomically, not yet durably.
    ///
    /// # Errors
    /// [`BackendError`]; the caller must then write no more.
    fn write(&self, set: WriteSet) -> Result<(), BackendError>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// [`BackendError`]; what is durable is then unknown, and trying again proves nothing (S4).
    fn sync(&self) -> Result<(), BackendError>;

    /// Rewrites what holds the bytes of a key that was removed, so that the medium's files hold them no longer.
    /// Slow: for what must not be found, not for what is not needed.
    ///
    /// # Errors
    /// [`BackendError`]; the key stays removed, and this may be asked for again.
    fn scrub(&self, family: Family, key: &[u8]) -> Result<(), BackendError>;

    /// Holds a family as it is now. No pause for writers.
    ///
    /// # Errors
    /// [`BackendError`].
    fn freeze(&self, family: Family) -> Result<Box<dyn Frozen>, BackendError>;

    /// Bytes on disk, roughly; 0 where there is none.
    fn bytes(&self) -> u64;
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The first `limit` pairs of a scan.
///
/// # Errors
/// [`BackendError`].
pub fn collect(
    backend: &dyn Backend,
    scan: Scan<'_>,
    limit: usize,
) -> Result<Vec<Pair>, BackendError> {
    let mut found = Vec::new();
    if limit > 0 {
        backend.scan(scan, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    Ok(found)
}

/// Fills a page of [`Frozen::page`].
pub(crate) struct PageFill {
    pairs: Vec<Pair>,
    bytes: usize,
    most: usize,
}

impl PageFill {
    pub(crate) fn new(most: usize) -> Self {
        Self { pairs: Vec::new(), bytes: 0, most }
    }

    /// Takes a pair, if there is room.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) -> ControlFlow<()> {
        self.bytes += key.len() + value.len();
        if self.bytes > self.most && !self.pairs.is_empty() {
            return ControlFlow::Break(());
        }
        self.pairs.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    }

    pub(crate) fn pairs(self) -> Vec<Pair> {
        self.pairs
    }
}

/// The smallest key that is greater than every key beginning with `prefix`; none if there is none.
#[must_use]
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut bound = prefix[..=last].to_vec();
    bound[last] += 1;
    Some(bound)
}
