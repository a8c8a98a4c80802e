//! The body of `POST <submission prefix>/add-checkpoint`: the size that the witness is believed to have,
//! the consistency proof from there, and the signed checkpoint.

use std::fmt;
use std::str::FromStr;

use crate::tlog::{
    Hash, base64,
    checkpoint::decimal,
    note::{MAX_NOTE_BYTES, NoteError, SignedNote},
};

/// Most consistency proof lines in a request (tlog-witness); no tree of fewer than 2^63 leaves needs more.
pub const MAX_PROOF_LINES: usize = 63;
/// Longest accepted request in bytes: a note, and what stands before it.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + 4096;

const OLD: &str = "old ";
/// Base64 of a hash and a line feed.
const PROOF_LINE_BYTES: usize = 45;
/// `old `, a `u64` in decimal, its line feed, and the empty line.
const FRAME_BYTES: usize = 4 + 20 + 1 + 1;

const _: () = assert!(FRAME_BYTES + MAX_PROOF_LINES * PROOF_LINE_BYTES <= 4096);

/// Why a request could not be read. Its HTTP status is 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It exceeds [`MAX_REQUEST_BYTES`].
    #[error("an add-checkpoint request has at most 266240 bytes")]
    TooLong,
    /// It does not begin with `old <size>`.
    #[error("expected `old `, the size cosigned before in decimal, and a line feed")]
    BadOldSize,
    /// A line before the empty line is no hash.
    #[error("a consistency proof line is the base64 of 32 bytes")]
    BadProofLine,
    /// There are more than [`MAX_PROOF_LINES`].
    #[error("a consistency proof has at most 63 lines")]
    TooManyProofLines,
    /// No empty line separates the proof from the checkpoint.
    #[error("expected an empty line between the consistency proof and the checkpoint")]
    NoCheckpoint,
    /// What follows is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl RequestError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "request_too_long",
            Self::BadOldSize => "bad_old_size",
            Self::BadProofLine => "bad_proof_line",
            Self::TooManyProofLines => "too_many_proof_lines",
            Self::NoCheckpoint => "no_checkpoint",
            Self::Note(note) => note.code(),
        }
    }
}

/// A request to cosign. Printing it gives the body. Nothing in it is believed yet, not even that the note
/// is a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: Vec<Hash>,
    note: SignedNote,
}

impl AddCheckpoint {
    /// Asks a witness that has cosigned `old` leaves to cosign `note`.
    ///
    /// # Errors
    /// [`RequestError::TooManyProofLines`]; [`RequestError::Note`] if the note carries no signature, since
    /// such a request could not be read.
    pub fn new(old: u64, proof: Vec<Hash>, note: SignedNote) -> Result<Self, RequestError> {
        if proof.len() > MAX_PROOF_LINES {
            return Err(RequestError::TooManyProofLines);
        }
        if note.signatures().is_empty() {
            return Err(NoteError::BadFormat.into());
        }
        Ok(Self { old, proof, note })
    }

    /// Reads a request's body.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong);
        }
        str::from_utf8(body).map_err(|_| NoteError::BadText)?.parse()
    }

    /// How many leaves the witness is believed to have cosigned.
    #[must_use]
    pub fn old(&self) -> u64 {
        self.old
    }

    /// The consistency proof from there to the checkpoint.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint with its signatures.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD}{}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64::encode(hash)))?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for AddCheckpoint {
    type Err = RequestError;

    /// Accepts exactly what [`fmt::Display`] prints.
    fn from_str(body: &str) -> Result<Self, RequestError> {
        if body.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong);
        }
        let (head, note) = body.split_once("\n\n").ok_or(RequestError::NoCheckpoint)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix(OLD)).and_then(decimal);
        let old = old.ok_or(RequestError::BadOldSize)?;
        if lines.clone().nth(MAX_PROOF_LINES).is_some() {
            return Err(RequestError::TooManyProofLines);
        }
        let hash = |line| base64::decode(line).ok().and_then(|bytes| bytes.try_into().ok());
        let proof = lines.map(|line| hash(line).ok_or(RequestError::BadProofLine));
        let proof = proof.collect::<Result<_, _>>()?;
        Ok(Self { old, proof, note: note.parse()? })
    }
}
