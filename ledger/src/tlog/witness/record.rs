//! What a witness must remember of a log: the largest checkpoint that it cosigned, as the signed note that
//! monitors get. The witness's own cosignature in it shows a damaged file for what it is.

use crate::tlog::{
    Hash,
    checkpoint::{Checkpoint, CheckpointError},
    merkle::sha256,
    note::{NoteError, SignedNote},
    signature::NoteSignature,
    vkey::VerifierKey,
};

/// Why a stored record was refused. A witness that meets one must not start: it may have forgotten what
/// it cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The witness's own cosignature is missing or wrong.
    #[error(
        "a stored checkpoint is not cosigned by this witness: restore the state that belongs to its key"
    )]
    NotOurs(#[source] NoteError),
    /// It is no checkpoint.
    #[error("a stored note is no checkpoint: {0}")]
    NotACheckpoint(#[source] CheckpointError),
    /// Two records speak of one log.
    #[error(
        "two stored checkpoints are of log {origin}: keep the one that this witness cosigned last"
    )]
    Twice {
        /// The log's origin.
        origin: String,
    },
}

impl RecordError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOurs(_) => "record_not_ours",
            Self::NotACheckpoint(_) => "record_not_a_checkpoint",
            Self::Twice { .. } => "record_twice",
        }
    }
}

/// The latest checkpoint of one log that a witness cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    checkpoint: Checkpoint,
    unix_seconds: u64,
    note: SignedNote,
}

impl Record {
    /// A record made while answering: `note` carries the log's signatures and this witness's cosignature.
    pub(super) fn new(checkpoint: Checkpoint, unix_seconds: u64, note: SignedNote) -> Self {
        Self { checkpoint, unix_seconds, note }
    }

    /// Reads a stored record of the witness with `key`, which must have cosigned it.
    ///
    /// # Errors
    /// [`RecordError::NotOurs`], [`RecordError::NotACheckpoint`].
    pub fn parse(bytes: &[u8], key: &VerifierKey) -> Result<Self, RecordError> {
        let note = SignedNote::parse(bytes).map_err(RecordError::NotOurs)?;
        let verified = note.verify(std::slice::from_ref(key)).map_err(RecordError::NotOurs)?;
        let time = verified.iter().find_map(|signature| signature.unix_seconds);
        let unix_seconds = time.ok_or(RecordError::NotOurs(NoteError::NoTrustedSignature))?;
        let checkpoint = note.text().parse().map_err(RecordError::NotACheckpoint)?;
        Ok(Self { checkpoint, unix_seconds, note })
    }

    /// What was cosigned.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// When, in seconds since 1970; the newest time that this witness has stated for the log.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.unix_seconds
    }

    /// The checkpoint with the log's signatures and the witness's cosignature: to be stored as it is, and
    /// served at `<monitoring prefix>/<origin hash>/checkpoint`.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The hash under which monitors ask for the log: SHA-256 of its origin.
    #[must_use]
    pub fn origin_hash(&self) -> Hash {
        origin_hash(self.checkpoint.origin())
    }
}

/// SHA-256 of a log's origin, by which monitors name it.
#[must_use]
pub fn origin_hash(origin: &str) -> Hash {
    sha256(&[origin.as_bytes()])
}

/// SHA-256 of a log's origin in lower-case hex: its name below a monitoring prefix.
#[must_use]
pub fn monitoring_name(origin: &str) -> String {
    hex::encode(origin_hash(origin))
}

/// The note without the lines of strangers: each trusted key's first line alone.
pub(super) fn only_signatures_of(note: &SignedNote, keys: &[VerifierKey]) -> Vec<NoteSignature> {
    let line = |key| note.signatures().iter().find(|line| line.matches(key)).cloned();
    keys.iter().filter_map(line).collect()
}
