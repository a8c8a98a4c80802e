//! Writing a record: the files that [`super::Directory`] reads, block by block, with little memory.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use musubi_ledger::api::Checkpoints;

use super::{
    directory::{FILES, FINALS, FileError, TILES},
    finals::Finals,
};
use crate::durable_file;

/// A record being written into a folder that holds none yet.
///
/// A crash before [`Recorder::finish`] leaves a record that ends too early or lacks its checkpoints: the
/// audit says so.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    entries: Output,
    seals: Output,
    leaves: Output,
    tiles: Output,
}

impl Recorder {
    /// Begins a record with its genesis document. Files that exist are never replaced.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn create(folder: &Path, genesis: &[u8]) -> Result<Self, FileError> {
        durable_file::create_folder(folder).map_err(FileError::of(folder))?;
        let [document, entries, seals, leaves, _] = FILES.map(|name| folder.join(name));
        let mut document = Output::create(document)?;
        document.write(genesis)?;
        document.close()?;
        Ok(Self {
            folder: folder.to_owned(),
            entries: Output::create(entries)?,
            seals: Output::create(seals)?,
            leaves: Output::create(leaves)?,
            tiles: Output::create(folder.join(TILES))?,
        })
    }

    /// Appends Raft entries.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn entries<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<(), FileError> {
        self.entries.put::<4, R>(records)
    }

    /// Appends seals' bodies.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn seals<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<(), FileError> {
        self.seals.put::<2, R>(records)
    }

    /// Appends leaves.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn leaves<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<(), FileError> {
        self.leaves.put::<2, R>(records)
    }

    /// Appends tiles: level by level, in each by index.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn tiles<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<(), FileError> {
        self.tiles.put::<2, R>(records)
    }

    /// Makes all of it durable and adds the validators' signed notes, and what is final.
    ///
    /// # Errors
    /// [`FileError`].
    ///
    /// # Panics
    /// Never: pairs of a number and a text always encode.
    pub fn finish(self, checkpoints: &Checkpoints, finals: &Finals) -> Result<(), FileError> {
        for file in [self.entries, self.seals, self.leaves, self.tiles] {
            file.close()?;
        }
        let contents = [finals.note.as_ref().map(String::as_bytes), finals.bundle.as_deref()];
        for (name, content) in FINALS.iter().zip(contents) {
            if let Some(content) = content {
                let mut file = Output::create(self.folder.join(name))?;
                file.write(content)?;
                file.close()?;
            }
        }
        let mut file = Output::create(self.folder.join(FILES[4]))?;
        file.write(&serde_json::to_vec(checkpoints).expect("pairs of number and text"))?;
        file.close()?;
        durable_file::sync_folder_of(&self.folder.join(FILES[4]))
            .map_err(FileError::of(&self.folder))
    }
}

/// A new file being written; one that exists is never replaced.
#[derive(Debug)]
struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(path: PathBuf) -> Result<Self, FileError> {
        let file = File::create_new(&path).map_err(FileError::of(&path))?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Records behind `N` bytes of big-endian length.
    fn put<const N: usize, R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<(), FileError> {
        let mut put = || -> io::Result<()> {
            for record in records {
                let record = record.as_ref();
                let length = (record.len() as u64).to_be_bytes();
                self.file.write_all(&length[8 - N..])?;
                self.file.write_all(record)?;
            }
            Ok(())
        };
        put().map_err(FileError::of(&self.path))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(FileError::of(&self.path))
    }

    fn close(self) -> Result<(), FileError> {
        let named = FileError::of(&self.path);
        let file = self.file.into_inner().map_err(|error| named(error.into_error()))?;
        file.sync_all().map_err(named)
    }
}
