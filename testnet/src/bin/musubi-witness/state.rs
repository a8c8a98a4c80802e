//! The state on disk: one text file with the latest note of every log, replaced as a whole.
//!
//! ```text
//! musubi-witness/v1 <verifier key>
//! note <bytes>
//! <a signed note of so many bytes>
//! …
//! end
//! ```
//!
//! A missing file is an error and no empty state: a witness that forgets what it cosigned would cosign
//! another history. Each note carries the witness's own cosignature, so damage is noticed at the start. One
//! process at a time holds the lock beside it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use musubi_ledger::tlog::{
    SignedNote, VerifierKey,
    note::MAX_NOTE_BYTES,
    witness::{Record, Witness},
};
use musubi_sdk::durable_file;

use crate::files::create;

const HEADER: &str = "musubi-witness/v1 ";
const END: &str = "end\n";
const FILE: &str = "checkpoints";
const LOCK: &str = "lock";

/// The state's file, locked.
#[derive(Debug)]
pub(crate) struct StateFile {
    folder: PathBuf,
    _lock: File,
}

impl StateFile {
    /// Makes the state of a witness that has cosigned nothing.
    pub(crate) fn create(folder: &Path, key: &VerifierKey) -> anyhow::Result<()> {
        durable_file::create_folder(folder)?;
        create(&folder.join(FILE), encode(key, std::iter::empty()).as_bytes())
    }

    /// Locks the folder and gives the witness back all that it had stored.
    pub(crate) fn open(folder: &Path, witness: &mut Witness) -> anyhow::Result<Self> {
        let path = folder.join(LOCK);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = opened.with_context(|| format!("cannot open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another process runs with {}", folder.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the state"),
        }
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read {}: a witness without its state would cosign another history. Restore it, or \
                 make a new witness with a new key",
                path.display()
            )
        })?;
        restore(&text, witness).with_context(|| format!("{} is damaged", path.display()))?;
        sweep(folder)?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Replaces the state. When this returns, it stays through a power cut; a crash before leaves the old one.
    pub(crate) fn store<'r>(
        &self,
        key: &VerifierKey,
        records: impl Iterator<Item = &'r Record>,
    ) -> anyhow::Result<()> {
        let path = self.folder.join(FILE);
        let stored = durable_file::replace(&path, encode(key, records).as_bytes());
        stored.with_context(|| format!("cannot store {}", path.display()))
    }

    /// Keeps two notes that contradict each other: together they prove that the log forked.
    pub(crate) fn keep_fork(
        &self,
        name: &str,
        ours: &SignedNote,
        theirs: &SignedNote,
    ) -> anyhow::Result<()> {
        let path = self.folder.join(format!("fork-{name}.txt"));
        // The first one proves it; a second for the same tree adds nothing.
        if path.exists() { Ok(()) } else { create(&path, format!("{ours}\n{theirs}").as_bytes()) }
    }
}

/// Drafts of a process that was killed while storing.
fn sweep(folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&format!(".{FILE}.")) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn encode<'r>(key: &VerifierKey, records: impl Iterator<Item = &'r Record>) -> String {
    let mut text = format!("{HEADER}{key}\n");
    for record in records {
        let note = record.note().to_string();
        text += &format!("note {}\n{note}", note.len());
    }
    text + END
}

fn restore(text: &str, witness: &mut Witness) -> anyhow::Result<()> {
    let (header, mut rest) = text.split_once('\n').context("it is empty")?;
    let key = header.strip_prefix(HEADER).context("it does not begin as a state does")?;
    if key != witness.key().to_string() {
        bail!(
            "it is the state of {key}, not of {}: a key and its state belong together",
            witness.key()
        );
    }
    while rest != END {
        let (line, after) = rest.split_once('\n').context("its end is missing")?;
        let length = line.strip_prefix("note ").and_then(|length| length.parse().ok());
        let length =
            length.filter(|length| *length <= MAX_NOTE_BYTES).context("a line is broken")?;
        let (note, after) = after.split_at_checked(length).context("its end is missing")?;
        witness.restore(note.as_bytes())?;
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::{
        keys::SecretKey,
        tlog::{
            Algorithm, Checkpoint, NoteSignature,
            witness::{AddCheckpoint, KnownLog},
        },
    };

    use super::*;

    const ORIGINS: [&str; 2] = ["log.example/1", "log.example/2"];

    fn key(name: &str, seed: u8, algorithm: Algorithm) -> (VerifierKey, SecretKey) {
        let secret = SecretKey::from_seed(&[seed; 32]);
        (VerifierKey::new(name, algorithm, &secret.public().0).unwrap(), secret)
    }

    fn witness() -> Witness {
        let log = |origin: &&str| {
            KnownLog::new(origin, vec![key(origin, 1, Algorithm::Ed25519).0]).unwrap()
        };
        let own = key("w", 9, Algorithm::CosignatureV1).0;
        Witness::new(own, ORIGINS.iter().map(log).collect()).unwrap()
    }

    /// Has cosigned one checkpoint of each log.
    fn stored() -> String {
        let mut witness = witness();
        for origin in ORIGINS {
            let (public, secret) = key(origin, 1, Algorithm::Ed25519);
            let text = Checkpoint::new(origin, 5, [7; 32]).unwrap().to_string();
            let mut note = SignedNote::new(text).unwrap();
            note.add(NoteSignature::sign(note.text(), &public, |m| secret.sign(m).0)).unwrap();
            let request = AddCheckpoint::new(0, vec![], note).unwrap();
            let (_, own) = key("w", 9, Algorithm::CosignatureV1);
            let pending = witness.add_checkpoint(&request, 1, |m| own.sign(m).0).unwrap();
            assert_eq!(pending.persisted().status, 200);
        }
        encode(witness.key(), witness.records())
    }

    #[test]
    fn what_was_stored_is_restored() {
        let text = stored();
        let mut again = witness();
        restore(&text, &mut again).unwrap();
        assert_eq!(encode(again.key(), again.records()), text);
        assert_eq!(ORIGINS.map(|origin| again.latest(origin).unwrap().checkpoint().size()), [5, 5]);
    }

    #[test]
    fn no_part_of_it_may_be_lost_or_altered() {
        let text = stored();
        for end in 0..text.len() {
            if text.is_char_boundary(end) {
                assert!(restore(&text[..end], &mut witness()).is_err(), "cut at {end}");
            }
        }
        // The log's own line is not the witness's business: it has verified it before.
        let of_witness = text.find("log.example/1\n5").unwrap();
        for at in of_witness..of_witness + 50 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let altered = String::from_utf8(bytes).unwrap();
            assert!(restore(&altered, &mut witness()).is_err(), "byte {at}");
        }
        let other = Witness::new(key("w", 8, Algorithm::CosignatureV1).0, vec![]).unwrap();
        assert!(restore(&text, &mut { other }).is_err(), "another key's state");
    }
}
