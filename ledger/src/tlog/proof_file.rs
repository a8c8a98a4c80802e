//! The proof file: everything that shows, offline, that one entry is in the log (C2SP tlog-proof,
//! `c2sp.org/tlog-proof@v1`; files end in `.tlog-proof`).
//!
//! This is the envelope alone. The checkpoint inside is kept as the bytes that came, so that what was
//! signed is what is checked; whose signatures suffice, what the entry is, and what `extra` means belong
//! to the witness policy and to [`crate::proof`]. Nothing in a file is true because it stands there.

use std::fmt;
use std::str::FromStr;

use super::base64;
use super::checkpoint::{self, Checkpoint};
use super::note::{MAX_NOTE_BYTES, NoteError, SignedNote};
use super::proof::{self, ProofError};
use super::{CheckpointError, Hash};

/// The first line of a proof file: format and version.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Most bytes of extra data. A transaction has at most 32 KiB; postings of the largest sweep of expired
/// lots, all lots of all instruments of a wallet, come to less than 1.5 MiB.
pub const MAX_EXTRA_BYTES: usize = 2 * 1024 * 1024;
/// Most hashes: a tree of fewer than 2^64 leaves is at most 64 levels high.
pub const MAX_HASHES: usize = 64;
/// Longest accepted proof file in bytes.
pub const MAX_PROOF_BYTES: usize = 4 * 1024 * 1024;

const EXTRA: &str = "extra ";
const INDEX: &str = "index ";
const HASH_LINE_BYTES: usize = 45;

const _: () = {
    let extra = EXTRA.len() + MAX_EXTRA_BYTES.div_ceil(3) * 4 + 1;
    let head = HEADER.len() + 1 + INDEX.len() + 20 + 1;
    assert!(head + extra + MAX_HASHES * HASH_LINE_BYTES + 1 + MAX_NOTE_BYTES <= MAX_PROOF_BYTES);
};

/// Why bytes are no proof file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// The file exceeds [`MAX_PROOF_BYTES`].
    #[error("a proof file has at most 4194304 bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("a proof file is UTF-8 text: copy it again, unchanged, from whoever gave it")]
    NotText,
    /// Another first line than [`HEADER`].
    #[error("not a proof file of this version: its first line is not c2sp.org/tlog-proof@v1")]
    BadHeader,
    /// The extra data is no canonical base64, empty, or more than [`MAX_EXTRA_BYTES`].
    #[error("the line of extra data is not standard base64 of 1 to 2097152 bytes")]
    BadExtra,
    /// The index line is missing or not a decimal number in its one spelling.
    #[error("the line of the index is missing, or not a decimal number without leading zeroes")]
    BadIndex,
    /// A line of the path is not the base64 of a hash.
    #[error("a line of the inclusion path is not the standard base64 of 32 bytes")]
    BadHash,
    /// The path is longer than [`MAX_HASHES`].
    #[error("an inclusion path has at most 64 hashes")]
    TooManyHashes,
    /// No empty line with a checkpoint behind it.
    #[error("the file ends before its checkpoint: copy it again from whoever gave it")]
    NoCheckpoint,
    /// The checkpoint is longer than a signed note may be.
    #[error("the checkpoint in the file is longer than a signed note may be")]
    CheckpointTooLong,
}

impl ProofFileError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "proof_too_long",
            Self::NotText => "bad_proof_text",
            Self::BadHeader => "bad_proof_header",
            Self::BadExtra => "bad_proof_extra",
            Self::BadIndex => "bad_proof_index",
            Self::BadHash => "bad_proof_hash",
            Self::TooManyHashes => "too_many_proof_hashes",
            Self::NoCheckpoint => "no_proof_checkpoint",
            Self::CheckpointTooLong => "proof_checkpoint_too_long",
        }
    }
}

/// A proof file's parts, none of them trusted. Printing gives the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: String,
}

impl ProofFile {
    /// Puts a file together; `checkpoint` is the signed note as it was served.
    ///
    /// # Errors
    /// [`ProofFileError`] if a part exceeds its limit, the checkpoint is empty, or extra data is there
    /// but empty (leave it out instead: an empty line of extra data has two spellings).
    pub fn new(
        extra: Option<Vec<u8>>,
        index: u64,
        hashes: Vec<Hash>,
        checkpoint: String,
    ) -> Result<Self, ProofFileError> {
        if extra.as_ref().is_some_and(|bytes| !(1..=MAX_EXTRA_BYTES).contains(&bytes.len())) {
            return Err(ProofFileError::BadExtra);
        }
        if hashes.len() > MAX_HASHES {
            return Err(ProofFileError::TooManyHashes);
        }
        if checkpoint.is_empty() {
            return Err(ProofFileError::NoCheckpoint);
        }
        if checkpoint.len() > MAX_NOTE_BYTES {
            return Err(ProofFileError::CheckpointTooLong);
        }
        Ok(Self { extra, index, hashes, checkpoint })
    }

    /// Reads a file as it was served or stored; accepts exactly what [`fmt::Display`] prints.
    ///
    /// # Errors
    /// [`ProofFileError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(ProofFileError::TooLong);
        }
        str::from_utf8(bytes).map_err(|_| ProofFileError::NotText)?.parse()
    }

    /// Data for the application, not covered by any signature by itself.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Where in the log the entry stands, from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion path, from the leaf's sibling to the root's child.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The checkpoint as it stands in the file, with its signatures.
    #[must_use]
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// The checkpoint's text, read without checking a single signature: for asking which policy it needs.
    ///
    /// # Errors
    /// [`CheckpointError`] if there is no checkpoint in the note, or no note at all.
    pub fn unchecked_checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        let note: Result<SignedNote, NoteError> = self.checkpoint.parse();
        note?.text().parse()
    }

    /// Checks that the entry whose leaf hash is `leaf` stands at the file's index under `checkpoint`,
    /// which the caller has verified to be the one in the file.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, leaf: &Hash, checkpoint: &Checkpoint) -> Result<(), ProofError> {
        let (size, root) = (checkpoint.size(), checkpoint.root());
        proof::verify_inclusion(leaf, self.index, size, &self.hashes, root)
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "{EXTRA}{}", base64::encode(extra))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", base64::encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for ProofFile {
    type Err = ProofFileError;

    fn from_str(text: &str) -> Result<Self, ProofFileError> {
        let (header, rest) = text.split_once('\n').ok_or(ProofFileError::BadHeader)?;
        if header != HEADER {
            return Err(ProofFileError::BadHeader);
        }
        let (extra, rest) = match rest.strip_prefix(EXTRA) {
            None => (None, rest),
            Some(rest) => {
                let (line, rest) = rest.split_once('\n').ok_or(ProofFileError::BadExtra)?;
                (Some(base64::decode(line).map_err(|_| ProofFileError::BadExtra)?), rest)
            }
        };
        let (index, mut rest) = rest.split_once('\n').ok_or(ProofFileError::BadIndex)?;
        let index = index.strip_prefix(INDEX).and_then(checkpoint::decimal);
        let index = index.ok_or(ProofFileError::BadIndex)?;
        let mut hashes = Vec::new();
        loop {
            let (line, behind) = rest.split_once('\n').ok_or(ProofFileError::NoCheckpoint)?;
            rest = behind;
            if line.is_empty() {
                break;
            }
            if hashes.len() == MAX_HASHES {
                return Err(ProofFileError::TooManyHashes);
            }
            let hash = base64::decode(line).map_err(|_| ProofFileError::BadHash)?;
            hashes.push(hash.try_into().map_err(|_| ProofFileError::BadHash)?);
        }
        Self::new(extra, index, hashes, rest.to_owned())
    }
}
