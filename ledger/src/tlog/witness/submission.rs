//! The log's side of a witness: what to send next, and what an answer means. One [`Submission`] per witness
//! and log, kept as long as the process runs; losing it costs one more request.

use super::SIZE_MEDIA_TYPE;
use super::request::{AddCheckpoint, RequestError};
use crate::tlog::{
    checkpoint::{Checkpoint, CheckpointError, decimal},
    merkle::NodeReader,
    note::{NoteError, SignedNote},
    proof::{ProveError, prove_consistency},
    signature::NoteSignature,
    vkey::{Algorithm, VerifierKey},
};

/// Most 409 answers to one checkpoint, after which it is given up: an honest witness needs one, and one
/// more for each other submitter that was faster.
const MAX_CONFLICTS: u8 = 3;

/// Why a checkpoint got no cosignature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// The note is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The note has no signature.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// This node's own tree cannot prove it.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The witness has cosigned a larger tree already.
    #[error("the witness has cosigned {size} leaves already: submit a newer checkpoint")]
    Ahead {
        /// The size it has cosigned.
        size: u64,
    },
    /// The witness has forgotten what it had cosigned.
    #[error(
        "the witness had cosigned {before} leaves and now says {now}: it lost its state, ask its operator"
    )]
    Regressed {
        /// The size that it cosigned for us, or named before.
        before: u64,
        /// What it names now.
        now: u64,
    },
    /// It named ever other sizes.
    #[error("the witness named another size three times: submit the next checkpoint")]
    TooManyConflicts,
    /// The witness refuses: what the status says.
    #[error("the witness refuses with status {0}: {why}", why = why(*.0))]
    Refused(u16),
    /// The answer is not what the protocol allows.
    #[error("the witness's answer is not one of tlog-witness: check its address")]
    BadAnswer,
    /// The answer carries no valid cosignature by the configured key.
    #[error("the witness's answer has no valid cosignature by its key: {0}")]
    BadCosignature(#[source] NoteError),
}

const fn why(status: u16) -> &'static str {
    match status {
        400 => "it could not read the request",
        403 => "it knows none of the keys that signed: give its operator the newest ones",
        404 => "it does not know this log: ask its operator to add it",
        422 => {
            "it holds a history that this log's does not extend: find out why before anything else"
        }
        429 => "it has too much to do: wait and submit a newer checkpoint",
        _ => "it cannot answer now: submit again later",
    }
}

impl SubmissionError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(checkpoint) => checkpoint.code(),
            Self::Request(request) => request.code(),
            Self::Prove(prove) => prove.code(),
            Self::Ahead { .. } => "witness_ahead",
            Self::Regressed { .. } => "witness_regressed",
            Self::TooManyConflicts => "witness_conflicts",
            Self::Refused(400) => "witness_bad_request",
            Self::Refused(403) => "witness_forbidden",
            Self::Refused(404) => "witness_unknown_log",
            Self::Refused(422) => "witness_unprocessable",
            Self::Refused(429) => "witness_busy",
            Self::Refused(_) => "witness_unavailable",
            Self::BadAnswer => "bad_witness_answer",
            Self::BadCosignature(_) => "bad_witness_cosignature",
        }
    }

    /// Whether somebody must look at it now: the witness saw another history, or lost its own.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        matches!(self, Self::Refused(422) | Self::Regressed { .. })
    }
}

/// What follows from an answer that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Add this line to the note: it was verified.
    Cosigned(NoteSignature),
    /// The witness named its size: make the request again, and send it.
    Again,
}

/// What the log knows about one witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    witness: VerifierKey,
    known: u64,
    conflicts: u8,
}

impl Submission {
    /// Submits to `witness`, which has cosigned at least `known` leaves; 0 if nothing is known.
    ///
    /// # Panics
    /// If `witness` is no [`Algorithm::CosignatureV1`] key: the witness policy holds no others.
    #[must_use]
    pub fn new(witness: VerifierKey, known: u64) -> Self {
        assert!(witness.algorithm() == Algorithm::CosignatureV1, "a witness has a cosigner's key");
        Self { witness, known, conflicts: 0 }
    }

    /// The witness's key.
    #[must_use]
    pub fn witness(&self) -> &VerifierKey {
        &self.witness
    }

    /// The size that the witness has cosigned, as far as is known.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.known
    }

    /// The request to cosign `note`, a checkpoint of the log whose hashes `reader` has.
    ///
    /// # Errors
    /// [`SubmissionError::Ahead`] if the witness is known to have more, and whatever makes the note or the
    /// tree unfit.
    pub fn request<R: NodeReader>(
        &self,
        note: &SignedNote,
        reader: &R,
    ) -> Result<AddCheckpoint, SubmissionError> {
        let size = size_of(note)?;
        if self.known > size {
            return Err(SubmissionError::Ahead { size: self.known });
        }
        let proof = prove_consistency(reader, self.known, size)?;
        Ok(AddCheckpoint::new(self.known, proof, note.clone())?)
    }

    /// Takes the answer to the last [`Submission::request`] for `note`. A request that got no answer may be
    /// sent again as it is.
    ///
    /// # Errors
    /// [`SubmissionError`]: this checkpoint gets no cosignature from this witness now. The next one may.
    pub fn answered(
        &mut self,
        note: &SignedNote,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Step, SubmissionError> {
        let size = size_of(note)?;
        let step = match status {
            200 => {
                let line = self.cosignature(note, body)?;
                self.known = self.known.max(size);
                Ok(Step::Cosigned(line))
            }
            409 => {
                let named = conflict(content_type, body).ok_or(SubmissionError::BadAnswer)?;
                self.conflict(size, named)
            }
            status => Err(SubmissionError::Refused(status)),
        };
        let again = step == Ok(Step::Again);
        self.conflicts = if again { self.conflicts + 1 } else { 0 };
        step
    }

    fn conflict(&mut self, size: u64, named: u64) -> Result<Step, SubmissionError> {
        if named < self.known {
            return Err(SubmissionError::Regressed { before: self.known, now: named });
        }
        // What was sent is what it says it has: no 409 could follow.
        if named == self.known {
            return Err(SubmissionError::BadAnswer);
        }
        self.known = named;
        if named > size {
            return Err(SubmissionError::Ahead { size: named });
        }
        if self.conflicts + 1 >= MAX_CONFLICTS {
            return Err(SubmissionError::TooManyConflicts);
        }
        Ok(Step::Again)
    }

    /// The witness's line in a 200 answer; lines of other keys are ignored, as the protocol says.
    fn cosignature(
        &self,
        note: &SignedNote,
        body: &[u8],
    ) -> Result<NoteSignature, SubmissionError> {
        let lines = str::from_utf8(body).map_err(|_| SubmissionError::BadAnswer)?;
        let whole = format!("{}\n{lines}", note.text());
        let answer: SignedNote = whole.parse().map_err(|_| SubmissionError::BadAnswer)?;
        // The lines may have moved the border between text and signatures.
        if answer.text() != note.text() {
            return Err(SubmissionError::BadAnswer);
        }
        answer
            .verify(std::slice::from_ref(&self.witness))
            .map_err(SubmissionError::BadCosignature)?;
        let line = answer.signatures().iter().find(|line| line.matches(&self.witness));
        line.cloned().ok_or(SubmissionError::BadCosignature(NoteError::NoTrustedSignature))
    }
}

fn size_of(note: &SignedNote) -> Result<u64, SubmissionError> {
    Ok(note.text().parse::<Checkpoint>()?.size())
}

/// The size that a 409 names: one canonical decimal and a line feed, under its media type.
fn conflict(content_type: Option<&str>, body: &[u8]) -> Option<u64> {
    let media_type = content_type?.split(';').next()?.trim();
    if !media_type.eq_ignore_ascii_case(SIZE_MEDIA_TYPE) {
        return None;
    }
    decimal(str::from_utf8(body).ok()?.strip_suffix('\n')?)
}
