//! What a witness is set up with: its own key, and the logs that it knows.

use crate::tlog::{
    checkpoint::Checkpoint,
    merkle::EMPTY_ROOT,
    note::MAX_SIGNATURES,
    vkey::{Algorithm, VerifierKey},
};

/// Most keys of one log: the note that is stored has a line of each, and the witness's own.
pub const MAX_KEYS: usize = MAX_SIGNATURES - 1;

/// Why a witness cannot be set up as told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The witness's own key is of another kind.
    #[error("a witness signs with a cosigner's key (type 0x04): make one with `init`")]
    NotACosigner,
    /// The origin cannot stand in a checkpoint.
    #[error("`{0}` is no origin: it is one line without control characters")]
    BadOrigin(String),
    /// A log without keys.
    #[error("log {0} has no key: add its verifier keys")]
    NoKey(String),
    /// More keys than a note has room for.
    #[error("log {0} has more than {MAX_KEYS} keys: a note must hold a signature of each")]
    TooManyKeys(String),
    /// A key that signs no checkpoints.
    #[error("key {0} signs no checkpoints: a log's key is plain Ed25519 (type 0x01)")]
    NotALogKey(String),
    /// Two keys that signature lines could not tell apart.
    #[error("two keys named {0} share one key id, or one stands twice: remove one of them")]
    AmbiguousKey(String),
    /// One secret for two statements.
    #[error("the witness's own key is a key of log {0}: a witness needs a key of its own")]
    SharedKey(String),
    /// A log that is configured twice.
    #[error("log {0} stands twice: give all its keys in one place")]
    LogTwice(String),
}

impl SetupError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotACosigner => "not_a_cosigner",
            Self::BadOrigin(_) => "bad_origin",
            Self::NoKey(_) => "log_without_key",
            Self::TooManyKeys(_) => "too_many_keys",
            Self::NotALogKey(_) => "not_a_log_key",
            Self::AmbiguousKey(_) => "ambiguous_key",
            Self::SharedKey(_) => "shared_key",
            Self::LogTwice(_) => "log_twice",
        }
    }
}

/// A log whose checkpoints a witness cosigns: its origin, and the keys of which one must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLog {
    origin: String,
    keys: Vec<VerifierKey>,
}

impl KnownLog {
    /// Names a log and its keys (for Musubi: every validator's node key, named as the origin).
    ///
    /// # Errors
    /// [`SetupError::BadOrigin`], [`SetupError::NoKey`], [`SetupError::TooManyKeys`],
    /// [`SetupError::NotALogKey`], [`SetupError::AmbiguousKey`].
    pub fn new(origin: &str, keys: Vec<VerifierKey>) -> Result<Self, SetupError> {
        if Checkpoint::new(origin, 0, EMPTY_ROOT).is_err() {
            return Err(SetupError::BadOrigin(origin.to_owned()));
        }
        if keys.is_empty() {
            return Err(SetupError::NoKey(origin.to_owned()));
        }
        if keys.len() > MAX_KEYS {
            return Err(SetupError::TooManyKeys(origin.to_owned()));
        }
        for (at, key) in keys.iter().enumerate() {
            if key.algorithm() != Algorithm::Ed25519 {
                return Err(SetupError::NotALogKey(key.to_string()));
            }
            let same = |other: &&VerifierKey| other.name() == key.name() && other.id() == key.id();
            if keys[..at].iter().any(|other| same(&other)) {
                return Err(SetupError::AmbiguousKey(key.name().to_owned()));
            }
        }
        Ok(Self { origin: origin.to_owned(), keys })
    }

    /// The log's origin and keys.
    pub(super) fn into_parts(self) -> (String, Vec<VerifierKey>) {
        (self.origin, self.keys)
    }
}
