//! The directory on a real file system: its lock and its watermark file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use crate::{error::OpenError, watermark::SlotFile};

/// Held while a process uses a directory; the system releases it when the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Creates the directory if need be and locks it.
    ///
    /// # Errors
    /// [`OpenError::Locked`] or [`OpenError::Io`].
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let io = |error: io::Error| OpenError::Io { path: shown.clone(), why: error.to_string() };
        fs::create_dir_all(path).map_err(io)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("LOCK"))
            .map_err(io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Locked { path: shown }),
            Err(error) => Err(io(error.into())),
        }
    }
}

/// Makes the names in a directory, and its own name in its parent, durable.
///
/// # Errors
/// [`OpenError::Io`].
pub fn sync_names(path: &Path) -> Result<(), OpenError> {
    let sync = || {
        File::open(path)?.sync_all()?;
        match path.canonicalize()?.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    };
    sync()
        .map_err(|error| OpenError::Io { path: path.display().to_string(), why: error.to_string() })
}

/// The watermark file on disk.
#[derive(Debug)]
pub struct DiskSlots {
    file: File,
}

impl DiskSlots {
    /// Opens the file, or creates an empty one; [`sync_names`] makes its name durable.
    ///
    /// # Errors
    /// [`OpenError::Io`].
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let open = || {
            let path = directory.join("watermark");
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
        };
        open().map(|file| Self { file }).map_err(|error: io::Error| OpenError::Io {
            path: directory.display().to_string(),
            why: error.to_string(),
        })
    }
}

impl SlotFile for DiskSlots {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
