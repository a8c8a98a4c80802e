//! The client's own memory of what was acknowledged to it, on disk before it counts: what a node may
//! not lose.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use musubi_ledger::{code::Code, id::TxId};

/// Verdicts that were acknowledged: id and code. One id with two codes stands there twice.
pub type Verdicts = BTreeSet<(TxId, String)>;

/// An append-only file, a line per verdict: id, code.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// A new journal; an old one is begun anew.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.into(), file: Mutex::new(file) })
    }

    /// Writes verdicts down, durably. A crash right before this leaves verdicts that nobody here knows
    /// of; one right after it leaves a promise that can be checked.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn note(&self, verdicts: &[(TxId, Code)]) -> anyhow::Result<()> {
        let mut text = String::new();
        for (id, code) in verdicts {
            text.push_str(&format!("{id} {code}\n"));
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(())
    }

    /// Reads everything back from disk. The same verdict told twice, as a replay's is, stands there once.
    ///
    /// # Errors
    /// If the file cannot be read, or holds what was never written.
    pub fn read(&self) -> anyhow::Result<Verdicts> {
        let mut verdicts = Verdicts::new();
        for line in BufReader::new(File::open(&self.path)?).lines() {
            let line = line?;
            let (id, code) = line.split_once(' ').context("a journal line has two words")?;
            verdicts.insert((id.parse()?, code.into()));
        }
        Ok(verdicts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_told_is_read_back_contradictions_too() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(&folder.path().join("acknowledged")).unwrap();
        let (one, two) = (TxId([1; 32]), TxId([2; 32]));
        journal.note(&[(one, Code::Applied), (two, Code::Expired)]).unwrap();
        journal.note(&[(one, Code::Applied)]).unwrap();
        journal.note(&[(two, Code::Applied)]).unwrap();
        let told = [(one, "applied"), (two, "applied"), (two, "expired")];
        let told: Verdicts = told.map(|(id, code)| (id, code.into())).into();
        assert_eq!(journal.read().unwrap(), told);
    }
}
