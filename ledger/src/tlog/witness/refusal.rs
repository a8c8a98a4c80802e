//! Why a witness does not cosign, and how it says so.

use super::SIZE_MEDIA_TYPE;
use super::request::RequestError;
use crate::tlog::{note::NoteError, proof::ProofError};

pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// Why a witness does not cosign. [`Refusal::answer`] is what the submitter is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not one.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    /// The signed note is no checkpoint, or one of more than [`MAX_TEXT_BYTES`].
    #[error(
        "the note is no checkpoint: expected origin, tree size, base64 root, at most 65536 bytes"
    )]
    BadCheckpoint,
    /// Nobody configured this log here.
    #[error(
        "this witness does not know log {origin}: ask its operator to add the log and its keys"
    )]
    UnknownLog {
        /// The origin in the request.
        origin: String,
    },
    /// No known key of the log signed it, or one's signature is wrong.
    #[error("not signed by a known key of the log: {0}")]
    NotSigned(#[source] NoteError),
    /// `old` exceeds the checkpoint's size.
    #[error("the old size exceeds the checkpoint's: a log does not shrink")]
    OldBeyondSize,
    /// `old` is not what this witness has cosigned last.
    #[error("this witness has cosigned {size} leaves: prove consistency from there")]
    Conflict {
        /// The size cosigned last, 0 if none was.
        size: u64,
    },
    /// A tree without leaves, with a root that it cannot have.
    #[error("a log of size 0 has the empty tree's root: this checkpoint is impossible")]
    BadEmptyRoot,
    /// A second root at the size cosigned last: with the witness's own record this proves a fork.
    #[error("this witness has cosigned another root at this size: the log shows two histories")]
    OtherRoot,
    /// The proof does not lead from the tree cosigned last to this one.
    #[error("the checkpoint is not proved to extend what this witness has cosigned: {0}")]
    Inconsistent(#[source] ProofError),
}

impl Refusal {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(request) => request.code(),
            Self::BadCheckpoint => "bad_checkpoint",
            Self::UnknownLog { .. } => "unknown_log",
            Self::NotSigned(note) => note.code(),
            Self::OldBeyondSize => "old_beyond_size",
            Self::Conflict { .. } => "old_size_conflict",
            Self::BadEmptyRoot => "bad_empty_root",
            Self::OtherRoot => "other_root",
            Self::Inconsistent(proof) => proof.code(),
        }
    }

    /// The HTTP status that tlog-witness prescribes.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::BadCheckpoint | Self::OldBeyondSize => 400,
            Self::NotSigned(_) => 403,
            Self::UnknownLog { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::BadEmptyRoot | Self::OtherRoot | Self::Inconsistent(_) => 422,
        }
    }

    /// What is sent back: for 409 the size and nothing else, otherwise code and sentence.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let (content_type, body) = match self {
            Self::Conflict { size } => (SIZE_MEDIA_TYPE, format!("{size}\n")),
            _ => (TEXT, format!("{}: {self}\n", self.code())),
        };
        Answer { status: self.status(), content_type, body }
    }
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}
