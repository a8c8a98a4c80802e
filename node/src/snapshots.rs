//! Snapshots for replicas that begin: the state as it stands under a seal, held while blocks go on.
//!
//! Nobody is given a state that is not final. A state is held when somebody asks, at the newest seal; it is
//! offered once a final checkpoint covers that seal, which takes a round of cosigning. All who ask in the next
//! minutes share it. What is held is bounded in number and in age, and is let go when nobody reads it:
//! as long as it is held, the database keeps every row that it would else forget.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use musubi_ledger::{
    snapshot::{Manifest, RowPage, page::PAGE_BYTES},
    tlog::{Checkpoint, SignedNote, proof::prove_inclusion},
};
use musubi_storage::{FrozenState, Store};

use crate::http::{Read, ReadFault};

/// States held at once: one that is read, one that is newer.
const HELD_MAX: usize = 2;
/// How long a state is held at most: a replica that cannot take it in this time begins again with a newer one.
const AGE_MAX: Duration = Duration::from_secs(3_600);
/// How long a state is held that nobody asks for.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Age from which who asks for a snapshot is given a newer one.
const RENEW_AFTER: Duration = Duration::from_secs(300);

/// The states that are held.
pub struct Snapshots {
    /// Oldest first. Declared before the store: let go before it is closed.
    held: Mutex<Vec<Arc<Held>>>,
    store: Arc<Store>,
}

struct Held {
    state: FrozenState,
    begun: Instant,
    used: Mutex<Instant>,
}

impl Held {
    fn size(&self) -> u64 {
        self.state.block().head.size
    }

    fn height(&self) -> u64 {
        self.state.block().head.height
    }

    fn touch(&self) {
        *lock(&self.used) = Instant::now();
    }
}

fn fault(error: impl core::fmt::Display) -> ReadFault {
    ReadFault(error.to_string())
}

impl Snapshots {
    /// Nothing held.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { held: Mutex::default(), store }
    }

    /// The manifest of a snapshot; none if none is final yet, and then one soon is.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn manifest(&self) -> Read<Option<Manifest>> {
        let Some(note) = self.store.final_checkpoint().map_err(fault)? else { return Ok(None) };
        let parsed = SignedNote::parse(note.as_bytes()).map_err(fault)?;
        let size = parsed.text().parse::<Checkpoint>().map_err(fault)?.size();
        let Some(held) = self.choose(size)? else { return Ok(None) };
        held.touch();
        let block = held.state.block();
        let entry = self.store.raft_entry(block.head.height).map_err(fault)?;
        let entry = entry.ok_or_else(|| fault("the entry of a held state is missing"))?.data;
        let index = block.head.size - 1;
        let path = prove_inclusion(&self.store.nodes(), index, size).map_err(fault)?;
        Ok(Some(Manifest { seal: block.seal, index, path, entry, checkpoint: note }))
    }

    /// The state to offer under a final checkpoint of `size` leaves; holds a newer one, if it is time.
    fn choose(&self, size: u64) -> Read<Option<Arc<Held>>> {
        let mut held = lock(&self.held);
        tidy(&mut held);
        let offered = |held: &[Arc<Held>]| held.iter().rfind(|held| held.size() <= size).cloned();
        let now = offered(&held);
        let fresh = now.as_ref().is_some_and(|held| held.begun.elapsed() < RENEW_AFTER);
        let under_way = held.last().is_some_and(|newest| newest.size() > size);
        // Block 0 has no entry, and is no news to anybody who has the genesis document.
        if fresh || under_way || held.len() == HELD_MAX || self.store.head().0.height == 0 {
            return Ok(now);
        }
        let state = self.store.freeze().map_err(fault)?;
        let begun = Instant::now();
        held.push(Arc::new(Held { state, begun, used: Mutex::new(begun) }));
        Ok(offered(&held))
    }

    /// A page of the rows under the seal of block `height`, behind the storage key `after`; none if that state is
    /// not held.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn page(&self, height: u64, after: Option<&[u8]>) -> Read<Option<Vec<u8>>> {
        let found = lock(&self.held).iter().find(|held| held.height() == height).cloned();
        let Some(held) = found else { return Ok(None) };
        held.touch();
        let rows = held.state.page(after, PAGE_BYTES).map_err(fault)?;
        // An empty page ends the table: whoever asks pays one more question for a page that says no more than
        // what was read.
        let last = rows.is_empty();
        Ok(Some(RowPage { rows, last }.encode()))
    }

    /// Lets go what is too old or idle; gives how many are held.
    pub fn tidy(&self) -> usize {
        let mut held = lock(&self.held);
        tidy(&mut held);
        held.len()
    }
}

fn tidy(held: &mut Vec<Arc<Held>>) {
    held.retain(|held| held.begun.elapsed() < AGE_MAX && lock(&held.used).elapsed() < IDLE_MAX);
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
