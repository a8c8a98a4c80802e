//! The checkpoint: a log's size and root, as the text of a signed note (C2SP tlog-checkpoint).
//!
//! Roots of Musubi's logs are taken at seals only; that rule, and never signing two checkpoints
//! that contradict each other, belong to the signer.

use std::fmt;
use std::str::FromStr;

use super::Hash;
use super::base64;
use super::merkle::EMPTY_ROOT;
use super::note::{NoteError, SignedNote};
use super::signature::Verified;
use super::vkey::{Algorithm, VerifierKey};

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Origin, size, root or an extension line is malformed.
    #[error("not a checkpoint: expected origin, tree size, base64 root and non-empty lines after")]
    BadFormat,
    /// A tree without leaves has exactly one root, and this is another.
    #[error("a log of size 0 has the empty tree's root: this checkpoint is impossible")]
    BadEmptyRoot,
    /// The checkpoint is of another log.
    #[error("the checkpoint is of log {found}, not of {expected}: ask the right log or epoch")]
    OtherLog {
        /// The origin that was asked for.
        expected: String,
        /// The origin in the checkpoint.
        found: String,
    },
    /// Trusted keys signed, but none of them as this log.
    #[error(
        "no key of log {origin} signed this checkpoint: cosignatures alone do not speak for it"
    )]
    NotSignedByLog {
        /// The log's origin.
        origin: String,
    },
    /// The note around it was refused.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl CheckpointError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadFormat => "bad_checkpoint",
            Self::BadEmptyRoot => "bad_empty_root",
            Self::OtherLog { .. } => "other_log",
            Self::NotSignedByLog { .. } => "not_signed_by_log",
            Self::Note(note) => note.code(),
        }
    }
}

/// A log's name, size and root. Printing it gives the text that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

/// A checkpoint with the note it came in and the trusted keys that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckpoint<'k> {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The note, for keeping or for adding cosignatures.
    pub note: SignedNote,
    /// Every trusted key that signed, the log's and cosigners' alike.
    pub verified: Vec<Verified<'k>>,
}

impl Checkpoint {
    /// The checkpoint of log `origin` at `size` leaves, without extension lines.
    ///
    /// # Errors
    /// [`CheckpointError::BadFormat`] if the origin is empty or has control characters;
    /// [`CheckpointError::BadEmptyRoot`].
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if !is_line(origin) {
            return Err(CheckpointError::BadFormat);
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::BadEmptyRoot);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Adds an extension line. The formats advise against them, and Musubi signs none.
    ///
    /// # Errors
    /// [`CheckpointError::BadFormat`] if it is empty or has control characters.
    pub fn with_extension(mut self, line: &str) -> Result<Self, CheckpointError> {
        if !is_line(line) {
            return Err(CheckpointError::BadFormat);
        }
        self.extensions.push(line.to_owned());
        Ok(self)
    }

    /// The log's unique name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree of that size.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Lines after the root, opaque to this format.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Reads a served checkpoint of log `origin` and checks its signatures against `trusted`, the
    /// log's own keys (plain Ed25519, named as the origin) and any cosigners'. At least one of the
    /// log's own must have signed; whether the cosigners suffice is the witness policy's question.
    ///
    /// # Errors
    /// [`CheckpointError`], and whatever [`SignedNote::verify`] refuses.
    pub fn open<'k>(
        bytes: &[u8],
        origin: &str,
        trusted: &'k [VerifierKey],
    ) -> Result<OpenedCheckpoint<'k>, CheckpointError> {
        let note = SignedNote::parse(bytes)?;
        let verified = note.verify(trusted)?;
        let checkpoint: Self = note.text().parse()?;
        if checkpoint.origin != origin {
            let (expected, found) = (origin.to_owned(), checkpoint.origin);
            return Err(CheckpointError::OtherLog { expected, found });
        }
        let by_log = |signer: &Verified<'_>| {
            signer.key.algorithm() == Algorithm::Ed25519 && signer.key.name() == origin
        };
        if !verified.iter().any(by_log) {
            return Err(CheckpointError::NotSignedByLog { origin: origin.to_owned() });
        }
        Ok(OpenedCheckpoint { checkpoint, note, verified })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, base64::encode(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads a note's text; accepts exactly what [`fmt::Display`] prints.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::BadFormat)?.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::BadFormat);
        let (origin, size, root) = (line()?, line()?, line()?);
        let size = decimal(size).ok_or(CheckpointError::BadFormat)?;
        let root = base64::decode(root).map_err(|_| CheckpointError::BadFormat)?;
        let root = root.try_into().map_err(|_| CheckpointError::BadFormat)?;
        lines.try_fold(Self::new(origin, size, root)?, Self::with_extension)
    }
}

/// A decimal number in its one spelling: digits only, no leading zeroes.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Not empty, and nothing in it that a note's line may not have.
fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte < 0x20)
}
