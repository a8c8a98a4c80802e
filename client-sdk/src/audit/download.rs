//! Downloading a record, to be audited later, elsewhere, by somebody else. Nothing is judged here.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use musubi_ledger::api::Checkpoints;

use super::{
    directory::{FILES, FileError},
    run::{AuditError, Progress},
    source::Source,
};
use crate::{client::Client, durable_file};

/// Downloads everything up to where the node stands now into `directory`, which may not hold a record
/// yet. Returns where it ended.
///
/// A crash right here leaves a record that ends too early; the audit says so.
///
/// # Errors
/// [`AuditError::Client`] or [`AuditError::File`].
pub async fn download(
    client: &Client,
    directory: &Path,
    mut progress: impl FnMut(&Progress),
) -> Result<Progress, AuditError> {
    durable_file::create_folder(directory).map_err(FileError::of(directory))?;
    let [genesis, entries, seals, leaves, checkpoints] = FILES.map(|name| directory.join(name));
    let mut source = Source::node(client.clone());
    let (document, target) = source.begin().await?;
    let mut state = Progress { target, ..Progress::default() };
    write(&genesis, |file| file.write_all(&document))?;
    let mut file = Output::create(&entries)?;
    loop {
        let page = source.entries().await?;
        if page.is_empty() {
            break;
        }
        file.put::<4>(&page)?;
        state.height += page.len() as u64;
        progress(&state);
    }
    file.close()?;
    let mut file = Output::create(&seals)?;
    loop {
        let page = source.seals().await?;
        if page.is_empty() {
            break;
        }
        file.put::<2>(&page)?;
    }
    file.close()?;
    let mut file = Output::create(&leaves)?;
    loop {
        let page = source.leaves().await?;
        if page.is_empty() {
            break;
        }
        file.put::<2>(&page)?;
        state.leaves += page.len() as u64;
        progress(&state);
    }
    file.close()?;
    let notes = source.notes()?.unwrap_or_default();
    let notes = serde_json::to_vec(&Checkpoints { notes }).expect("pairs of number and text");
    write(&checkpoints, |file| file.write_all(&notes))?;
    durable_file::sync_folder_of(&checkpoints).map_err(FileError::of(directory))?;
    Ok(state)
}

fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), FileError> {
    let mut output = Output::create(path)?;
    content(&mut output.file).map_err(FileError::of(path))?;
    output.close()
}

/// A new file being written; one that exists is never replaced.
struct Output<'p> {
    path: &'p Path,
    file: BufWriter<File>,
}

impl<'p> Output<'p> {
    fn create(path: &'p Path) -> Result<Self, FileError> {
        let file = File::create_new(path).map_err(FileError::of(path))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    /// Records behind `N` bytes of big-endian length.
    fn put<const N: usize>(&mut self, records: &[Vec<u8>]) -> Result<(), FileError> {
        let mut put = || -> std::io::Result<()> {
            for record in records {
                let length = (record.len() as u64).to_be_bytes();
                self.file.write_all(&length[8 - N..])?;
                self.file.write_all(record)?;
            }
            Ok(())
        };
        put().map_err(FileError::of(self.path))
    }

    fn close(self) -> Result<(), FileError> {
        let named = FileError::of(self.path);
        let file = self.file.into_inner().map_err(|error| named(error.into_error()))?;
        file.sync_all().map_err(named)
    }
}
