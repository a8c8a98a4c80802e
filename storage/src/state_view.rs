//! The state as execution reads it: the backend's rows, those in use held in memory.
//!
//! The view is always that of the last recorded block: [`crate::Store::record`] writes a block's changes
//! to the backend first and applies them here before it returns.
//!
//! # A read that fails stops the process
//! [`ReadState`] has no error on purpose: taking a failed read for an absent row would make this node's
//! state differ from the others'. So a fault of the disk, or a row that does not decode, panics with a
//! sentence; the node's supervisor logs it and ends the process. Readers that may fail, for the API,
//! are on [`crate::Store`].

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use musubi_ledger::{
    state::{Changes, ReadState, Row, RowKey, Table},
    time::Time,
};

use crate::{
    ahead::Ahead,
    backend::{Backend, Family, Scan, after_prefix},
    cache::Cache,
    counters::CacheCounts,
    error::StoreError,
};

/// The state after the last recorded block.
pub struct StateView {
    backend: Arc<dyn Backend>,
    cache: Mutex<Cache>,
    due: Mutex<Floor>,
}

/// No deadline lies below `time`; `exact` says that one lies at it (or, at the end of time, that there is
/// none). Spares a scan per block, and scanning over the remains of deadlines that have passed.
#[derive(Clone, Copy)]
struct Floor {
    time: Time,
    exact: bool,
}

impl StateView {
    pub(crate) fn new(backend: Arc<dyn Backend>, rows: usize) -> Self {
        let floor = Floor { time: Time::ZERO, exact: false };
        Self { backend, cache: Mutex::new(Cache::new(rows)), due: Mutex::new(floor) }
    }

    /// The rows that a block is likely to ask for, read together, in front of the rest of the state. To be
    /// dropped before the block is recorded.
    ///
    /// # Panics
    /// If the backend fails; see the module.
    #[must_use]
    pub fn ahead(&self, keys: Vec<RowKey>) -> Ahead<'_> {
        Ahead::new(self, keys)
    }

    /// What the backend has under these keys, which the cache did not know; where there is a token, for the
    /// cache too.
    fn fill(&self, wanted: Vec<Wanted>, rows: &mut [Option<Row>]) {
        let mut wanted: Vec<(Vec<u8>, Wanted)> =
            wanted.into_iter().map(|wanted| (wanted.key.to_bytes(), wanted)).collect();
        wanted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let keys: Vec<Vec<u8>> = wanted.iter_mut().map(|w| std::mem::take(&mut w.0)).collect();
        let found = self.backend.multi_get(Family::State, &keys);
        let found = found.unwrap_or_else(|error| stop(&error.into())).into_iter().map(decode);
        let mut cache = self.cache();
        for ((_, wanted), row) in wanted.into_iter().zip(found) {
            if let Some(token) = wanted.token {
                cache.finish(&wanted.key, token, row.clone());
            }
            rows[wanted.place] = row;
        }
    }

    /// The earliest deadline in the state.
    ///
    /// # Panics
    /// If the backend fails; see the module.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        let mut floor = self.floor();
        if !floor.exact {
            self.scan_due(&mut floor, Time(u64::MAX), 1);
        }
        (floor.time.0 < u64::MAX).then_some(floor.time)
    }

    /// What the cache has done.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        self.cache().counts()
    }

    /// Takes a block's changes, which the backend already has.
    pub(crate) fn apply(&self, changes: &Changes) {
        let mut cache = self.cache();
        for (key, row) in changes {
            if lives_on(key.table()) {
                cache.put(key, row.clone());
            }
        }
        drop(cache);
        let mut floor = self.floor();
        for (key, row) in changes {
            let RowKey::Due(time, ..) = key else {
                continue;
            };
            if row.is_none() {
                floor.exact &= *time != floor.time;
            } else if *time <= floor.time {
                *floor = Floor { time: *time, exact: true };
            }
        }
    }

    /// A row past the cache, for readers that can fail.
    pub(crate) fn peek(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        if lives_on(key.table())
            && let Some(known) = self.cache().get(key)
        {
            return Ok(known);
        }
        let bytes = self.backend.get(Family::State, &key.to_bytes())?;
        bytes.map(|bytes| Row::decode(&bytes).map_err(StoreError::from)).transpose()
    }

    /// Walks the deadlines from the floor up to `until`, and raises the floor to the first one found.
    fn scan_due(&self, floor: &mut Floor, until: Time, limit: usize) -> Vec<RowKey> {
        let mut from = vec![Table::Due as u8];
        from.extend_from_slice(&floor.time.0.to_be_bytes());
        let end = after_prefix(&[Table::Due as u8]);
        let scan =
            Scan { family: Family::State, from: &from, until: end.as_deref(), reverse: false };
        let (mut first, mut found) = (Time(u64::MAX), Vec::new());
        let walked = self.backend.scan(scan, &mut |bytes, _| {
            let Some(key) = RowKey::due_from_bytes(bytes) else {
                stop(&StoreError::damaged("the key of a deadline"))
            };
            let RowKey::Due(time, ..) = key else { unreachable!("a due key was read") };
            first = first.min(time);
            if time > until || found.len() == limit {
                return ControlFlow::Break(());
            }
            found.push(key);
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        walked.unwrap_or_else(|error| stop(&error.into()));
        *floor = Floor { time: first, exact: true };
        found
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row to be read from the backend.
struct Wanted {
    key: RowKey,
    /// Where in the answer it belongs.
    place: usize,
    /// The fill that it was announced as.
    token: Option<u64>,
}

impl ReadState for StateView {
    fn row(&self, key: &RowKey) -> Option<Row> {
        let asked = known(&mut self.cache(), key);
        let token = match asked {
            Ok(row) => return row,
            Err(token) => token,
        };
        let bytes = self.backend.get(Family::State, &key.to_bytes());
        let row = decode(bytes.unwrap_or_else(|error| stop(&error.into())));
        if let Some(token) = token {
            self.cache().finish(key, token, row.clone());
        }
        row
    }

    fn rows(&self, keys: &[RowKey]) -> Vec<Option<Row>> {
        let mut rows = Vec::with_capacity(keys.len());
        let mut wanted = Vec::new();
        {
            let mut cache = self.cache();
            for (place, key) in keys.iter().enumerate() {
                let row = known(&mut cache, key).unwrap_or_else(|token| {
                    wanted.push(Wanted { key: key.clone(), place, token });
                    None
                });
                rows.push(row);
            }
        }
        if !wanted.is_empty() {
            self.fill(wanted, &mut rows);
        }
        rows
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        let mut floor = self.floor();
        if floor.time > until || limit == 0 {
            return Vec::new();
        }
        self.scan_due(&mut floor, until, limit)
    }
}

/// A row as the cache knows it; else the fill under which it is to hear of it, if it is.
fn known(cache: &mut Cache, key: &RowKey) -> Result<Option<Row>, Option<u64>> {
    if !lives_on(key.table()) {
        return Err(None);
    }
    cache.get(key).ok_or_else(|| cache.begin(key))
}

/// Whether rows of this table are kept in memory. The others are looked for once, mostly in vain, written once,
/// and then hardly ever read: in memory they would only push wallets out.
fn lives_on(table: Table) -> bool {
    use Table::{AllowanceUse, Due, Funding, Judged, Person, Reference};
    !matches!(table, Judged | Reference | Funding | Due | Person | AllowanceUse)
}

fn decode(bytes: Option<Vec<u8>>) -> Option<Row> {
    bytes.map(|bytes| Row::decode(&bytes).unwrap_or_else(|error| stop(&error.into())))
}

fn stop(error: &StoreError) -> ! {
    panic!("the state cannot be read, so this node stops rather than guess: {error}")
}
