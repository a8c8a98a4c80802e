//! A disk in memory for the simulator and tests: keeps the backend's contract, and no more than that.
//!
//! What is written but not synced may be lost at a crash, newest first, never with a gap (the log's
//! prefix rule); the watermark file's unsynced write may be torn at any byte. Writes and syncs fail, and
//! bits flip at rest, when told to or by seeded odds. A delayed sync is the caller's: it just syncs later.

use std::{
    collections::BTreeMap,
    io,
    ops::{Bound, ControlFlow},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    backend::{Backend, BackendError, Family, Frozen, PageFill, Pair, Scan, Visit, WriteSet},
    directory::Directory,
    error::OpenError,
    watermark::SlotFile,
};

/// How often operations fail, in parts of a million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// A write of the database.
    pub write: u32,
    /// A sync of database or watermark file.
    pub sync: u32,
}

/// How much of what is not synced a crash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it.
    Everything,
    /// Nothing: the process died, the machine did not.
    Nothing,
    /// A suffix chosen by the seed; the watermark file's last write may be torn.
    Seeded,
}

/// What a crash took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Write sets that had not been synced.
    pub unsynced: usize,
    /// How many of those are gone.
    pub write_sets: usize,
}

type Table = BTreeMap<Vec<u8>, Vec<u8>>;
/// What to put back to undo one write set, newest change last.
type Undo = Vec<(Family, Vec<u8>, Option<Vec<u8>>)>;

struct Disk {
    tables: [Table; Family::ALL.len()],
    unsynced: Vec<Undo>,
    slots: Vec<u8>,
    durable_slots: Vec<u8>,
    odds: Odds,
    fail_writes: bool,
    fail_syncs: bool,
    random: u64,
    /// Grows with every crash: handles of an earlier life are dead.
    life: u64,
    in_use: bool,
}

/// The disk. Clones are the same disk; it outlives crashes of what runs on it.
#[derive(Clone)]
pub struct MemoryDisk(Arc<Mutex<Disk>>);

impl MemoryDisk {
    /// An empty disk whose misfortunes follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk {
            tables: Default::default(),
            unsynced: Vec::new(),
            slots: Vec::new(),
            durable_slots: Vec::new(),
            odds: Odds::default(),
            fail_writes: false,
            fail_syncs: false,
            random: seed,
            life: 0,
            in_use: false,
        })))
    }

    /// Opens the disk as a directory.
    ///
    /// # Errors
    /// [`OpenError::Locked`] while another directory of this disk lives.
    pub fn open(&self) -> Result<Directory, OpenError> {
        let mut disk = self.disk();
        if disk.in_use {
            return Err(OpenError::Locked { path: "the memory disk".into() });
        }
        disk.in_use = true;
        let handle = || Handle { disk: self.clone(), life: disk.life };
        let lock = Lease(handle());
        Ok(Directory::new(Arc::new(handle()), Box::new(handle()), Box::new(lock)))
    }

    /// The machine stops. Handles from before fail from now on; [`MemoryDisk::open`] works again.
    pub fn crash(&self, loss: Loss) -> Lost {
        let mut disk = self.disk();
        let unsynced = disk.unsynced.len();
        let kept = match loss {
            Loss::Everything => 0,
            Loss::Nothing => unsynced,
            Loss::Seeded => disk.random(unsynced as u64 + 1) as usize,
        };
        for undo in disk.unsynced.split_off(kept).into_iter().rev() {
            for (family, key, value) in undo.into_iter().rev() {
                disk.set(family, key, value);
            }
        }
        if loss != Loss::Nothing {
            disk.unsynced.clear(); // what a power cut leaves is on the medium
        }
        disk.crash_slots(loss);
        disk.life += 1;
        disk.in_use = false;
        Lost { unsynced, write_sets: unsynced - kept }
    }

    /// From now on operations fail by these odds.
    pub fn set_odds(&self, odds: Odds) {
        self.disk().odds = odds;
    }

    /// From now on every write fails, or none: a full disk.
    pub fn fail_writes(&self, fail: bool) {
        self.disk().fail_writes = fail;
    }

    /// From now on every sync fails, or none.
    pub fn fail_syncs(&self, fail: bool) {
        self.disk().fail_syncs = fail;
    }

    /// Flips one bit of a value at rest. The value is the `nth` of the family, counted round; the
    /// bit is counted round within it. Returns its key, `None` if the family is empty.
    pub fn flip_bit(&self, family: Family, nth: usize, bit: usize) -> Option<Vec<u8>> {
        let mut disk = self.disk();
        let table = &mut disk.tables[family as usize];
        let count = table.values().filter(|value| !value.is_empty()).count();
        let nth = nth.checked_rem(count)?;
        let (key, value) = table.iter_mut().filter(|(_, value)| !value.is_empty()).nth(nth)?;
        let bit = bit % (value.len() * 8);
        value[bit / 8] ^= 1 << (bit % 8);
        Some(key.clone())
    }

    /// Removes a row at rest, the `nth` counted round. Returns its key.
    pub fn drop_row(&self, family: Family, nth: usize) -> Option<Vec<u8>> {
        let mut disk = self.disk();
        let table = &mut disk.tables[family as usize];
        let key = table.keys().nth(nth.checked_rem(table.len())?)?.clone();
        table.remove(&key);
        Some(key)
    }

    /// How many rows a family has.
    #[must_use]
    pub fn rows(&self, family: Family) -> usize {
        self.disk().tables[family as usize].len()
    }

    /// The watermark file's bytes.
    #[must_use]
    pub fn slots(&self) -> Vec<u8> {
        self.disk().slots.clone()
    }

    /// Replaces the watermark file's bytes at rest.
    pub fn set_slots(&self, bytes: Vec<u8>) {
        let mut disk = self.disk();
        disk.durable_slots.clone_from(&bytes);
        disk.slots = bytes;
    }

    /// A disk with the same content at rest, for comparing what different misfortunes do.
    #[must_use]
    pub fn copy(&self, seed: u64) -> Self {
        let copy = Self::new(seed);
        {
            let (from, mut to) = (self.disk(), copy.disk());
            to.tables.clone_from(&from.tables);
            to.unsynced.clone_from(&from.unsynced);
            to.slots.clone_from(&from.slots);
            to.durable_slots.clone_from(&from.durable_slots);
        }
        copy
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn set(&mut self, family: Family, key: Vec<u8>, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let table = &mut self.tables[family as usize];
        match value {
            Some(value) => table.insert(key, value),
            None => table.remove(&key),
        }
    }

    /// The watermark file after a crash: what was synced, with up to all of the bytes written since.
    fn crash_slots(&mut self, loss: Loss) {
        let changed: Vec<usize> = (0..self.slots.len())
            .filter(|&at| self.durable_slots.get(at) != Some(&self.slots[at]))
            .collect();
        let kept = match loss {
            Loss::Everything => 0,
            Loss::Nothing => return,
            Loss::Seeded => self.random(changed.len() as u64 + 1) as usize,
        };
        for &at in &changed[..kept] {
            if at >= self.durable_slots.len() {
                self.durable_slots.resize(at + 1, 0);
            }
            self.durable_slots[at] = self.slots[at];
        }
        self.slots.clone_from(&self.durable_slots);
    }

    /// SplitMix64 (Steele, Lea, Flood 2014), below `bound`.
    fn random(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn chance(&mut self, per_million: u32) -> bool {
        per_million > 0 && self.random(1_000_000) < u64::from(per_million)
    }
}

/// One life's access to the disk.
struct Handle {
    disk: MemoryDisk,
    life: u64,
}

/// Frees the disk when its directory is closed.
struct Lease(Handle);

impl Drop for Lease {
    fn drop(&mut self) {
        let mut disk = self.0.disk.disk();
        if disk.life == self.0.life {
            disk.in_use = false;
            disk.life += 1;
        }
    }
}

impl Handle {
    fn disk(&self) -> Result<MutexGuard<'_, Disk>, BackendError> {
        let disk = self.disk.disk();
        if disk.life == self.life {
            Ok(disk)
        } else {
            Err(BackendError::Io("the machine has stopped".into()))
        }
    }
}

impl Backend for Handle {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.disk()?.tables[family as usize].get(key).cloned())
    }

    fn multi_get(
        &self,
        family: Family,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let disk = self.disk()?;
        Ok(keys.iter().map(|key| disk.tables[family as usize].get(key).cloned()).collect())
    }

    fn scan(&self, scan: Scan<'_>, visit: Visit<'_>) -> Result<(), BackendError> {
        let disk = self.disk()?;
        let until = scan.until.map_or(Bound::Unbounded, Bound::Excluded);
        if scan.until.is_some_and(|until| until <= scan.from) {
            return Ok(());
        }
        let mut rows =
            disk.tables[scan.family as usize].range::<[u8], _>((Bound::Included(scan.from), until));
        loop {
            let row = if scan.reverse { rows.next_back() } else { rows.next() };
            match row.map(|(key, value)| visit(key, value)) {
                Some(ControlFlow::Continue(())) => {}
                Some(ControlFlow::Break(())) | None => return Ok(()),
            }
        }
    }

    fn write(&self, set: WriteSet) -> Result<(), BackendError> {
        let mut disk = self.disk()?;
        let odds = disk.odds.write;
        if disk.fail_writes || disk.chance(odds) {
            return Err(BackendError::Io("no space left on the disk".into()));
        }
        let mut undo = Undo::new();
        for change in set.into_changes() {
            let old = disk.set(change.family, change.key.clone(), change.value);
            undo.push((change.family, change.key, old));
        }
        disk.unsynced.push(undo);
        Ok(())
    }

    fn sync(&self) -> Result<(), BackendError> {
        let mut disk = self.disk()?;
        let odds = disk.odds.sync;
        if disk.fail_syncs || disk.chance(odds) {
            return Err(BackendError::Io("the sync failed".into()));
        }
        disk.unsynced.clear();
        Ok(())
    }

    fn scrub(&self, _family: Family, _key: &[u8]) -> Result<(), BackendError> {
        // What was removed is nowhere any more.
        self.disk().map(drop)
    }

    fn freeze(&self, family: Family) -> Result<Box<dyn Frozen>, BackendError> {
        Ok(Box::new(FrozenTable(self.disk()?.tables[family as usize].clone())))
    }

    fn bytes(&self) -> u64 {
        let size = |table: &Table| table.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
        self.disk().map_or(0, |disk| disk.tables.iter().map(size).sum::<usize>() as u64)
    }
}

/// A copy.
struct FrozenTable(Table);

impl Frozen for FrozenTable {
    fn page(&self, after: Option<&[u8]>, bytes: usize) -> Result<Vec<Pair>, BackendError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = PageFill::new(bytes);
        for (key, value) in self.0.range::<[u8], _>((from, Bound::Unbounded)) {
            if page.push(key, value).is_break() {
                break;
            }
        }
        Ok(page.pairs())
    }
}

impl SlotFile for Handle {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.disk().map_err(io::Error::other)?.slots.clone())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk().map_err(io::Error::other)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start + bytes.len();
        if disk.slots.len() < end {
            disk.slots.resize(end, 0);
        }
        disk.slots[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.disk().map_err(io::Error::other)?;
        let odds = disk.odds.sync;
        if disk.fail_syncs || disk.chance(odds) {
            return Err(io::Error::other("the sync failed"));
        }
        let disk = &mut *disk;
        disk.durable_slots.clone_from(&disk.slots);
        Ok(())
    }
}
