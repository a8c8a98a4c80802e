//! Opening a directory: refuse what cannot be trusted, rebuild what is kept in memory.
//!
//! In this order: whose directory it is; that nothing acknowledged is missing; that the log's end is
//! what was written; that log, blocks and state fit each other. What is not read here, [`Store::verify`]
//! reads. After a refusal nothing has been written.

use std::sync::{Arc, Mutex, OnceLock};

use musubi_consensus::{HardState, Position, Recovered};
use musubi_ledger::{execute::Chain, genesis::Genesis, id::ChainId, leaf::SealBody, time::Time};

use crate::{
    Directory, StateView, Store,
    backend::{Backend, Family},
    block,
    checks::{check_genesis, check_identity, check_log, check_tip, resume},
    counters::Counters,
    error::{OpenError, StoreError},
    layout::{self, Identity, STORAGE_FORMAT, Tip, Word},
    pledges::cosigned,
    raft_log::{self, LogTail},
    watermark::{self, Found, Mark, Slot, Watermark},
};

/// How to open a directory.
#[derive(Clone, Copy, Debug)]
pub struct OpenSettings {
    /// The chain that it must belong to; any, if not given.
    pub chain: Option<ChainId>,
    /// Rows of the state to hold in memory.
    pub cached_rows: usize,
    /// Raft entries at the log's end whose hashes are recomputed.
    pub checked_entries: u64,
}

impl Default for OpenSettings {
    fn default() -> Self {
        Self { chain: None, cached_rows: 128 * 1024, checked_entries: 256 }
    }
}

/// An opened directory: the store, and what else a node begins with.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// The chain where the last recorded block left it.
    pub chain: Chain,
    /// What consensus begins with.
    pub recovered: Recovered,
    /// The last recorded seal.
    pub seal: SealBody,
    /// The genesis document.
    pub genesis: Genesis,
    /// The directory's random id.
    pub directory: [u8; 16],
    /// How many times it was opened, this time included.
    pub boot: u64,
}

impl Store {
    /// Initialises an empty directory from a genesis document and opens it. `id` is random, from the caller.
    ///
    /// # Errors
    /// [`OpenError::NotEmpty`], or what opening finds.
    ///
    /// # Panics
    /// If the document was not checked.
    pub fn create(
        mut directory: Directory,
        genesis: &Genesis,
        id: [u8; 16],
        settings: &OpenSettings,
    ) -> Result<Opened, OpenError> {
        let found = read_slots(&mut directory)?;
        let used = identity(&*directory.backend)?.is_some();
        if used || found != Found::Nothing {
            return Err(OpenError::NotEmpty);
        }
        let (_, block) = Chain::open(genesis);
        let (mut set, _) = block::write_set(&block, Position::default());
        let identity = Identity { format: STORAGE_FORMAT, directory: id, chain: genesis.chain() };
        layout::put(&mut set, Family::Meta, Word::Identity.key(), &identity);
        layout::put(&mut set, Family::Meta, Word::Genesis.key(), &genesis.encode());
        let hard_state = layout::keep_hard_state(&HardState::default());
        layout::put(&mut set, Family::Meta, Word::HardState.key(), &hard_state);
        layout::put(&mut set, Family::Meta, Word::Mark.key(), &Mark::default());
        // One write set: a crash leaves an empty directory, to be created again, or a whole one without
        // a watermark, which opening completes, since nothing was acknowledged yet.
        directory.backend.write(set)?;
        directory.backend.sync()?;
        Self::open(directory, settings)
    }

    /// Opens a directory, checks it, and counts the boot.
    ///
    /// # Errors
    /// [`OpenError`]: why this directory is not to be trusted, and what to do.
    pub fn open(mut directory: Directory, settings: &OpenSettings) -> Result<Opened, OpenError> {
        let backend = Arc::clone(&directory.backend);
        let found = read_slots(&mut directory)?;
        let identity = check_identity(&*backend, found, settings)?;
        let log = check_log(&*backend, found, &identity, settings)?;
        let tip: Tip = layout::meta(&*backend, Word::Tip)?;
        let (block, frontier) = check_tip(&*backend, &tip, &log)?;
        let chain = resume(&*backend, &identity, &tip, frontier, &block.seal)?;
        let genesis = check_genesis(&*backend, &identity)?;
        let cosigned = cosigned(&*backend)?;
        // From here on the directory is written: first, what a process that died left unsynced is made
        // durable, because consensus will report it as persisted.
        backend.sync()?;
        let watermark = take_watermark(directory.slots, found, &identity, log.mark)?;
        let boot = watermark.current().boot;
        let state = Arc::new(StateView::new(Arc::clone(&backend), settings.cached_rows));
        let first = raft_log::first(&*backend)?;
        let recovered = recovered(first, &log, &tip, state.next_due());
        let base = layout::get(&*backend, Family::Meta, &Word::Base.key())?;
        let store = Self {
            backend,
            state,
            base,
            tip: Mutex::new(tip),
            roots: Mutex::default(),
            recording: Mutex::new(()),
            log: Mutex::new(log),
            watermark: Mutex::new(watermark),
            cosigned: Mutex::new(cosigned),
            memos: Mutex::new(()),
            poison: OnceLock::new(),
            counters: Counters::default(),
            _lock: directory.lock,
            alive: Arc::default(),
        };
        let directory = identity.directory;
        Ok(Opened { store, chain, recovered, seal: block.seal, genesis, directory, boot })
    }
}

fn recovered(first_index: u64, log: &LogTail, tip: &Tip, due: Option<Time>) -> Recovered {
    let Mark { index, .. } = log.mark;
    // What is applied was committed, whether or not that commit index was written on its own.
    let commit = log.hard_state.commit.max(tip.applied.index);
    Recovered {
        hard_state: HardState { commit, ..log.hard_state },
        first_index,
        last: Position { index, term: log.last_term },
        applied_index: tip.applied.index,
        applied_time: tip.head.time,
        due,
    }
}

pub(crate) fn identity(backend: &dyn Backend) -> Result<Option<Identity>, StoreError> {
    layout::get(backend, Family::Meta, &Word::Identity.key())
}

pub(crate) fn read_slots(directory: &mut Directory) -> Result<Found, OpenError> {
    watermark::read(&mut *directory.slots).map_err(watermark_failed)
}

fn watermark_failed(error: std::io::Error) -> OpenError {
    OpenError::Store(StoreError::Watermark(error.to_string()))
}

/// Counts the boot, and raises the watermark to what is about to be reported as persisted.
fn take_watermark(
    file: Box<dyn watermark::SlotFile>,
    found: Found,
    identity: &Identity,
    mark: Mark,
) -> Result<Watermark, OpenError> {
    let slot = match found {
        Found::Slot(slot) => Slot { mark, ..slot },
        Found::Nothing | Found::Damaged => {
            return Watermark::create(file, identity.directory).map_err(watermark_failed);
        }
    };
    Watermark::resume(file, slot).map_err(watermark_failed)
}
