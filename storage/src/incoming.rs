//! A directory made from a snapshot.
//!
//! # Crashes
//! A mark comes first, durably: while it is there, the directory is no ledger, and whatever else lies in it is
//! thrown away by whoever begins again. Rows and leaves follow, in many writes. The last write takes the mark out
//! and puts everything in that makes a directory a ledger (identity, genesis document, tip, base, log): it is one
//! write set, so a crash leaves all of it behind all rows, or none.
//!
//! Whether what is taken adds up is the caller's to decide before [`Incoming::finish`].

use std::ops::ControlFlow;

use musubi_consensus::{HardState, LogEntry};
use musubi_ledger::{
    digest::SetDigest,
    execute::Head,
    genesis::Genesis,
    leaf::{LEAF_BYTES, Leaf, SealBody},
    policy::PolicyStep,
    tlog::{Frontier, tile},
};

use crate::{
    Directory, OpenSettings, Opened, Store,
    backend::{Backend, Family, Pair, Scan, WriteSet, collect},
    block,
    error::{OpenError, StoreError},
    layout::{self, Base, BlockRecord, Identity, STORAGE_FORMAT, Tip, Word, number, part},
    raft_log::LogTail,
    recover::{identity, read_slots},
    runs::RunsOf,
    watermark::Found,
};

/// Keys removed in one write.
const PER_WRITE: usize = 4_096;
/// Families that a snapshot's rows and leaves go to.
const FAMILIES: [Family; 3] = [Family::State, Family::Leaves, Family::Tiles];
/// The write of the log that puts a snapshot's entry in: the first, and never acknowledged to anybody.
pub(crate) const TAKEN_WRITE: u64 = 1;

/// A directory into which a snapshot is being taken.
pub struct Incoming {
    directory: Box<Directory>,
    log: Frontier,
}

/// What makes the rows and leaves that were taken a ledger.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'t> {
    /// The chain's genesis document.
    pub genesis: &'t Genesis,
    /// The directory's random id.
    pub id: [u8; 16],
    /// The seal under which the rows stand.
    pub seal: &'t SealBody,
    /// The Raft entry of its block.
    pub entry: &'t LogEntry,
    /// Digest of all rows but wallets.
    pub rows: &'t SetDigest,
    /// The final checkpoint, if it is of the log up to the seal: of a longer one a directory keeps none, as long as it
    /// does not have the leaves.
    pub checkpoint: Option<&'t str>,
    /// Confirmed changes of the witness policy before the seal, each with the policy's number, ascending.
    pub steps: &'t [(u32, PolicyStep)],
}

impl Directory {
    /// Whether this directory holds no ledger: nothing at all, or a snapshot that was not taken to its end.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn is_blank(&mut self) -> Result<bool, OpenError> {
        let used = identity(&*self.backend)?.is_some() || read_slots(self)? != Found::Nothing;
        Ok(!used && (is_incoming(&*self.backend)? || is_empty(&*self.backend)?))
    }
}

fn is_incoming(backend: &dyn Backend) -> Result<bool, StoreError> {
    let kept: Option<bool> = layout::get(backend, Family::Meta, &Word::Incoming.key())?;
    Ok(kept.is_some())
}

fn is_empty(backend: &dyn Backend) -> Result<bool, StoreError> {
    let mut empty = true;
    for family in Family::ALL {
        let scan = Scan { family, from: &[], until: None, reverse: false };
        backend.scan(scan, &mut |_, _| {
            empty = false;
            ControlFlow::Break(())
        })?;
    }
    Ok(empty)
}

impl Incoming {
    /// Begins, and throws away what an earlier attempt left.
    ///
    /// # Errors
    /// [`OpenError::NotEmpty`] if there is anything else.
    pub fn begin(mut directory: Directory) -> Result<Self, OpenError> {
        if !directory.is_blank()? {
            return Err(OpenError::NotEmpty);
        }
        let mut set = WriteSet::new();
        layout::put(&mut set, Family::Meta, Word::Incoming.key(), &true);
        directory.backend.write(set)?;
        directory.backend.sync()?;
        let mut incoming = Self { directory: Box::new(directory), log: Frontier::new() };
        incoming.restart()?;
        Ok(incoming)
    }

    /// Throws away what was taken, to take it anew. A crash in here leaves the mark, and some of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn restart(&mut self) -> Result<(), StoreError> {
        let backend = &*self.directory.backend;
        for family in FAMILIES {
            let scan = Scan { family, from: &[], until: None, reverse: false };
            loop {
                let mut set = WriteSet::new();
                for (key, _) in collect(backend, scan, PER_WRITE)? {
                    set.remove(family, key);
                }
                if set.is_empty() {
                    break;
                }
                backend.write(set)?;
            }
        }
        self.log = Frontier::new();
        Ok(())
    }

    /// Gives the directory back as empty as it was before the first attempt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn abandon(mut self) -> Result<Directory, StoreError> {
        self.restart()?;
        let mut set = WriteSet::new();
        set.remove(Family::Meta, Word::Incoming.key());
        self.directory.backend.write(set)?;
        self.directory.backend.sync()?;
        Ok(*self.directory)
    }

    /// Writes rows of the state. Not yet durable, and nobody's to read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rows(&mut self, rows: Vec<Pair>) -> Result<(), StoreError> {
        let mut set = WriteSet::new();
        for (key, row) in rows {
            set.put(Family::State, key, row);
        }
        Ok(self.directory.backend.write(set)?)
    }

    /// Writes the next leaves, end to end, and the tile hashes that they complete.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// # Panics
    /// If they are not the next bundle: bundles are whole but for the last.
    pub fn leaves(&mut self, leaves: &[u8]) -> Result<(), StoreError> {
        let first = self.log.size();
        assert!(first.is_multiple_of(tile::FULL_WIDTH.into()), "bundle after bundle");
        assert!(leaves.len() <= usize::from(tile::FULL_WIDTH) * LEAF_BYTES, "one bundle");
        let (mut nodes, mut set) = (Vec::new(), WriteSet::new());
        for leaf in leaves.chunks(LEAF_BYTES) {
            self.log.append_entry(leaf, &mut nodes);
        }
        set.put(Family::Leaves, number(first), leaves.to_vec());
        block::put_tiles(&mut set, &nodes);
        Ok(self.directory.backend.write(set)?)
    }

    /// The log of proof over the leaves so far.
    #[must_use]
    pub fn log(&self) -> &Frontier {
        &self.log
    }

    /// Makes it a replica's directory that begins at the snapshot's seal, and opens it: which counts the wallets
    /// once more, from what is kept.
    ///
    /// # Errors
    /// [`OpenError`].
    ///
    /// # Panics
    /// If the leaves do not end in the seal.
    pub fn finish(self, taken: Taken<'_>, settings: &OpenSettings) -> Result<Opened, OpenError> {
        let backend = &*self.directory.backend;
        let SealBody { height, time, .. } = *taken.seal;
        let head = Head { height, time, size: self.log.size() };
        let (root, entry) = (self.log.root(), taken.entry.position());
        let first_leaf = self.first_leaf(taken.seal)?;
        let mut set = WriteSet::new();
        let record = BlockRecord { head, first_leaf, seal: *taken.seal, root, entry };
        layout::put(&mut set, Family::Blocks, part(height, 0), &record);
        let rows = taken.rows.to_bytes().to_vec();
        let tip = Tip { applied: entry, head, root, rows };
        layout::put(&mut set, Family::Meta, Word::Tip.key(), &tip);
        layout::put(&mut set, Family::Meta, Word::Base.key(), &Base { head, entry });
        put_log(&mut set, taken.entry);
        let chain = taken.genesis.chain();
        let identity = Identity { format: STORAGE_FORMAT, directory: taken.id, chain };
        layout::put(&mut set, Family::Meta, Word::Identity.key(), &identity);
        layout::put(&mut set, Family::Meta, Word::Genesis.key(), &taken.genesis.encode());
        layout::put(&mut set, Family::Meta, Word::Following.key(), &true);
        if let Some(note) = taken.checkpoint {
            layout::put(&mut set, Family::Meta, Word::Final.key(), note);
        }
        for (number, step) in taken.steps {
            layout::put(&mut set, Family::Meta, Word::Step(*number).key(), step);
            layout::put(&mut set, Family::Meta, Word::Settled(*number).key(), &step.checkpoint);
        }
        set.remove(Family::Meta, Word::Incoming.key());
        backend.write(set)?;
        backend.sync()?;
        Store::open(*self.directory, settings)
    }

    /// Index of the first leaf of the seal's block.
    fn first_leaf(&self, seal: &SealBody) -> Result<u64, OpenError> {
        let runs = RunsOf { family: Family::Leaves, prefix: &[], item: LEAF_BYTES };
        let read = |index: u64| -> Result<Option<Leaf>, OpenError> {
            let bytes = runs.read(&*self.directory.backend, index..index + 1)?;
            Ok(Leaf::decode(&bytes).ok())
        };
        let mut first = self.log.size().checked_sub(1).expect("a block has a leaf");
        assert_eq!(read(first)?, Some(seal.leaf()), "the last leaf is the seal's");
        while first > 0 && read(first - 1)?.is_some_and(|leaf| leaf.height == seal.height) {
            first -= 1;
        }
        Ok(first)
    }
}

/// Begins the log with one entry, all that is known of it being committed.
fn put_log(set: &mut WriteSet, entry: &LogEntry) {
    let state = HardState { term: entry.term, vote: None, commit: entry.index };
    let tail = LogTail::beginning(entry, state, TAKEN_WRITE, set);
    layout::put(set, Family::Meta, Word::HardState.key(), &layout::keep_hard_state(&state));
    layout::put(set, Family::Meta, Word::Mark.key(), &tail.mark);
}
