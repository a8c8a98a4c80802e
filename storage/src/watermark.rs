//! The watermark: what this node has acknowledged, kept outside the database, so that it is noticed
//! when the database comes back with less.
//!
//! # Protocol
//! Each synced write of the Raft log has a number and is done in this order:
//!
//! 1. write entries, hard state and the new [`Mark`] to the database, one atomic write set;
//! 2. sync the database;
//! 3. write the same mark into the older of two slots here, and sync;
//! 4. only now is anything acknowledged: an append answered, a vote sent.
//!
//! A crash after 1 loses the write or not; after 2 the database is one ahead of the watermark; both
//! are unacknowledged, and fine. A crash within 3 tears one slot, the other still holds the mark before.
//! So at the next start a database *at or past* the watermark's number has lost nothing that anybody was
//! told of, also where a new leader truncated acknowledged entries in between; at the same number the
//! marks are equal; and a database *behind* it has lost acknowledged data. That node must not vote again.
//!
//! # Cost
//! Two syncs in a row per group of writes. The file is written in place and never grows, so its sync
//! moves one block and no metadata; and one pair of syncs covers every write staged before it.
//!
//! # Form of a slot
//! Slot `n % 2` begins at byte `4096 * (n % 2)` and holds mark record number `n` in canonical bytes
//! behind its BLAKE3. A slot that does not match its hash counts as not written. If the newest slot is
//! damaged at rest, the one before still guards all writes but the last.

use std::io;

use musubi_consensus::pledge::Durable;
use musubi_ledger::{codec, hash::Hash};
use serde::{Deserialize, Serialize};

/// Where slot 1 begins: slots share no block of the disk.
pub const SLOT_STRIDE: u64 = 4096;

/// The last synced write of the Raft log, in the database and in the watermark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mark {
    /// Number of the write, from 1; 0 before the first.
    pub write: u64,
    /// Last Raft index kept.
    pub index: u64,
    /// Newest term seen.
    pub term: u64,
    /// Whom this node voted for in that term; 0 for nobody.
    pub vote: u64,
    /// Running hash over the entries up to `index`.
    pub hash: Hash,
}

impl From<Mark> for Durable {
    fn from(mark: Mark) -> Self {
        let Mark { write, index, term, vote, hash } = mark;
        Self { write, index, term, vote, hash }
    }
}

/// The content of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// Number of this record: 1 more than the other slot's.
    pub number: u64,
    /// The directory's random id.
    pub directory: [u8; 16],
    /// How many times the directory was opened.
    pub boot: u64,
    /// What is acknowledged.
    pub mark: Mark,
}

/// The file that holds the two slots.
pub trait SlotFile: Send {
    /// All of its bytes.
    ///
    /// # Errors
    /// The system's.
    fn read(&mut self) -> io::Result<Vec<u8>>;

    /// Writes in place, extending the file with zeros as needed.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

/// The watermark of an open directory.
pub struct Watermark {
    file: Box<dyn SlotFile>,
    current: Slot,
}

/// What the file held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// No byte: the directory is new.
    Nothing,
    /// Bytes, but no slot that matches its hash.
    Damaged,
    /// The newest good slot.
    Slot(Slot),
}

/// Reads the newest good slot.
///
/// # Errors
/// The system's.
pub fn read(file: &mut dyn SlotFile) -> io::Result<Found> {
    let bytes = file.read()?;
    if bytes.is_empty() {
        return Ok(Found::Nothing);
    }
    let slots = [0, SLOT_STRIDE as usize].map(|offset| decode(bytes.get(offset..).unwrap_or(&[])));
    // A slot in the other's place was copied there, not written.
    let good =
        (0..2u64).zip(slots).filter_map(|(place, slot)| slot.filter(|s| s.number % 2 == place));
    Ok(good.max_by_key(|slot| slot.number).map_or(Found::Damaged, Found::Slot))
}

impl Watermark {
    /// Starts the file of a new directory.
    ///
    /// # Errors
    /// The system's.
    pub fn create(mut file: Box<dyn SlotFile>, directory: [u8; 16]) -> io::Result<Self> {
        // Both slots in full, so that no later write changes the file's length.
        file.write_at(0, &vec![0; 2 * SLOT_STRIDE as usize])?;
        let current = Slot { number: 0, directory, boot: 0, mark: Mark::default() };
        let mut watermark = Self { file, current };
        watermark.next(1, Mark::default())?;
        Ok(watermark)
    }

    /// Takes the file of a directory up where `found` left it, and counts the boot.
    ///
    /// # Errors
    /// The system's.
    pub fn resume(file: Box<dyn SlotFile>, found: Slot) -> io::Result<Self> {
        let mut watermark = Self { file, current: found };
        watermark.next(found.boot + 1, found.mark)?;
        Ok(watermark)
    }

    /// Makes `mark` durable. After a failure the caller acknowledges nothing more.
    ///
    /// # Errors
    /// The system's.
    pub fn raise(&mut self, mark: Mark) -> io::Result<()> {
        self.next(self.current.boot, mark)
    }

    /// What was written last.
    #[must_use]
    pub fn current(&self) -> &Slot {
        &self.current
    }

    fn next(&mut self, boot: u64, mark: Mark) -> io::Result<()> {
        let slot = Slot { number: self.current.number + 1, boot, mark, ..self.current };
        let offset = slot.number % 2 * SLOT_STRIDE;
        // A crash in this write tears this slot; the other holds what was acknowledged so far.
        self.file.write_at(offset, &encode(&slot))?;
        self.file.sync()?;
        self.current = slot;
        Ok(())
    }
}

/// Bytes of a slot: hash, number, directory, boot, mark.
const SLOT_BYTES: usize = 32 + 8 + 16 + 8 + (4 * 8 + 32);

fn encode(slot: &Slot) -> Vec<u8> {
    let content = codec::encode(slot);
    let mut bytes = blake3::hash(&content).as_bytes().to_vec();
    bytes.extend_from_slice(&content);
    assert_eq!(bytes.len(), SLOT_BYTES, "slots are of fixed size");
    bytes
}

fn decode(bytes: &[u8]) -> Option<Slot> {
    let (hash, content) = bytes.get(..SLOT_BYTES)?.split_at(32);
    if blake3::hash(content).as_bytes() != hash {
        return None;
    }
    codec::decode(content, SLOT_BYTES).ok()
}
