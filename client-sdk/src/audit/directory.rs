//! A downloaded record: files that [`super::download`] writes and [`super::run`] reads.
//!
//! - `genesis.bin`: the document's canonical bytes;
//! - `entries.bin`: per block from height 1, u32 big-endian length ‖ Raft entry;
//! - `seals.bin`: per block from height 0, u16 big-endian length ‖ seal body;
//! - `leaves.bin`: the log's entry bundles one after the other: per leaf, u16 big-endian length ‖ leaf;
//! - `checkpoints.json`: the signed notes of all validators, as the API gives them.
//! - `tiles.bin`: the log's hashes, level by level: per tile, u16 big-endian length ‖ content; records made before
//!   there was any have none;
//! - `final.note`: the newest final checkpoint; `policies.bin`: the bundle of witness policies. A record of
//!   which nothing is final yet has none.
//!
//! A damaged length yields a damaged record, which the audit then names by its place; nothing behind
//! it is read.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use musubi_ledger::{api::Checkpoints, leaf::LEAF_BYTES, limits};

use super::{finals::Finals, run::AuditError, streams::Pages};

/// About as many bytes are read at a time.
const PAGE_BYTES: usize = 256 * 1024;

/// The names of the files, in the order above.
pub const FILES: [&str; 5] =
    ["genesis.bin", "entries.bin", "seals.bin", "leaves.bin", "checkpoints.json"];

/// The log's hashes, tile by tile.
pub const TILES: &str = "tiles.bin";
/// Two more, of the newest final checkpoint: the note, and the bundle of witness policies.
pub const FINALS: [&str; 2] = ["final.note", "policies.bin"];

/// An opened record.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    pub(super) entries: Records<4>,
    pub(super) seals: Records<2>,
    pub(super) leaves: Records<2>,
    pub(super) tiles: Option<Records<2>>,
}

/// Length-prefixed records; `N` bytes of length, big-endian.
#[derive(Debug)]
pub(super) struct Records<const N: usize> {
    path: PathBuf,
    file: BufReader<File>,
    longest: usize,
    damaged: bool,
}

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl FileError {
    /// Names the file in an error.
    pub(super) fn of(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self { path: path.to_owned(), cause }
    }
}

impl Directory {
    /// Opens the files of a downloaded record.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let [_, entries, seals, leaves, _] = FILES.map(|name| path.join(name));
        let tiles = path.join(TILES);
        Ok(Self {
            path: path.to_owned(),
            entries: Records::open(&entries, limits::BATCH_BYTES_MAX)?,
            seals: Records::open(&seals, usize::from(u16::MAX))?,
            leaves: Records::open(&leaves, LEAF_BYTES)?,
            tiles: tiles
                .exists()
                .then(|| Records::open(&tiles, usize::from(u16::MAX)))
                .transpose()?,
        })
    }

    pub(super) fn genesis(&self) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(FILES[0]);
        std::fs::read(&path).map_err(FileError::of(&path))
    }

    /// The notes, or why they cannot be read.
    pub(super) fn notes(&self) -> Result<Result<Vec<(u64, String)>, String>, FileError> {
        let path = self.path.join(FILES[4]);
        let content = std::fs::read(&path).map_err(FileError::of(&path))?;
        let notes = serde_json::from_slice::<Checkpoints>(&content);
        Ok(notes.map(|c| c.notes).map_err(|error| error.to_string()))
    }

    /// What the record has of finality: records made before there was any have nothing.
    pub(super) fn finals(&self) -> Result<Finals, FileError> {
        let read = |name: &str| {
            let path = self.path.join(name);
            match std::fs::read(&path) {
                Ok(content) => Ok(Some(content)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(FileError::of(&path)(error)),
            }
        };
        let [note, bundle] = FINALS.map(read);
        let note = note?.map(|note| String::from_utf8_lossy(&note).into_owned());
        Ok(Finals { note, bundle: bundle? })
    }

    /// How many entries there seem to be, for a progress bar.
    pub(super) fn count(&self) -> Result<u64, FileError> {
        let path = self.path.join(FILES[1]);
        let count = || -> io::Result<u64> {
            let mut file = BufReader::new(File::open(&path)?);
            let (mut count, mut prefix) = (0, [0; 4]);
            while file.read_exact(&mut prefix).is_ok() {
                file.seek_relative(i64::from(u32::from_be_bytes(prefix)))?;
                count += 1;
            }
            Ok(count)
        };
        count().map_err(FileError::of(&path))
    }
}

impl<const N: usize> Records<N> {
    fn open(path: &Path, longest: usize) -> Result<Self, FileError> {
        let mut file = File::open(path).map_err(FileError::of(path))?;
        file.seek(SeekFrom::Start(0)).map_err(FileError::of(path))?;
        let file = BufReader::with_capacity(1 << 16, file);
        Ok(Self { path: path.to_owned(), file, longest, damaged: false })
    }

    /// Reads all records, page by page.
    pub(super) fn pages(mut self, to: &Pages) {
        loop {
            let page = self.page().map_err(FileError::of(&self.path)).map_err(AuditError::File);
            let last = page.as_ref().map_or(true, Vec::is_empty);
            // Nobody takes it: the audit has ended.
            if to.blocking_send(page).is_err() || last {
                return;
            }
        }
    }

    fn page(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE_BYTES {
            let Some(record) = self.next()? else { break };
            // A record's own memory counts with what it holds.
            bytes += record.len() + size_of::<Vec<u8>>();
            records.push(record);
        }
        Ok(records)
    }

    /// The next record; `None` at the end. What is cut off or impossibly long comes as it is, last.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.damaged {
            return Ok(None);
        }
        let prefix = self.take(N)?;
        if prefix.is_empty() {
            return Ok(None);
        }
        let length = prefix.iter().fold(0u64, |n, &byte| n << 8 | u64::from(byte));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if prefix.len() < N || length > self.longest {
            self.damaged = true;
            return Ok(Some(prefix));
        }
        let record = self.take(length)?;
        self.damaged = record.len() < length;
        Ok(Some(record))
    }

    /// Up to `count` bytes; fewer at the end of the file.
    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        // Nearly always all of it is in the buffer; reading to the end of a part of it costs more than copying.
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            match self.file.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}
