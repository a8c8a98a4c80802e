//! The client's own memory of what was acknowledged to it, on disk before it counts: what a node may
//! not lose.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use musubi_ledger::{code::Code, id::TxId};

/// An append-only file, a line per verdict: id, code.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// A new journal; an old one is begun anew.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.into(), file: Mutex::new(file) })
    }

    /// Writes verdicts down, durably. A crash right before this leaves verdicts that nobody here knows
    /// of; one right after it leaves a promise that can be checked.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn note(&self, verdicts: &[(TxId, Code)]) -> anyhow::Result<()> {
        let mut text = String::new();
        for (id, code) in verdicts {
            text.push_str(&format!("{id} {code}\n"));
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(())
    }

    /// Reads everything back from disk: id to code. A replay's verdict stands there twice, alike.
    ///
    /// # Errors
    /// If the file cannot be read, or one id has two codes.
    pub(super) fn read(&self) -> anyhow::Result<BTreeMap<TxId, String>> {
        let mut verdicts: BTreeMap<TxId, String> = BTreeMap::new();
        for line in BufReader::new(File::open(&self.path)?).lines() {
            let line = line?;
            let (id, code) = line.split_once(' ').context("a journal line has two words")?;
            let old = verdicts.insert(id.parse()?, code.into());
            anyhow::ensure!(
                old.as_deref().is_none_or(|old| old == code),
                "{id} was acknowledged with two verdicts, {code} and {old:?}"
            );
        }
        Ok(verdicts)
    }
}
