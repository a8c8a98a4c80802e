//! Witnesses: who cosigns a log's checkpoints without running the ledger (C2SP tlog-witness, v1.0.0).
//!
//! A witness knows one thing about a log: the largest tree it has cosigned. It cosigns the next checkpoint
//! only with proof that the tree has grown out of that one. So a log that shows two histories needs every
//! witness of the policy's quorum to lie with it.
//!
//! Who owns what:
//!
//! - [`request`]: the text of `add-checkpoint`, both directions;
//! - [`setup`]: the logs that a witness knows;
//! - [`machine`]: the witness itself, a state machine that says what must be on disk before each answer
//!   leaves; [`refusal`]: why it does not cosign;
//! - [`record`]: what it must remember of one log, which is the note that it serves to monitors;
//! - [`submission`]: the log's side: what to send, what an answer means, what to do next.
//!
//! HTTP, files, clocks and secret keys belong to the caller. Subtree cosignatures (`sign-subtree`, optional
//! in the protocol) are not offered: Musubi cosigns whole trees at seals.

pub mod machine;
pub mod record;
pub mod refusal;
pub mod request;
pub mod setup;
pub mod submission;

pub use machine::{Pending, Witness};
pub use record::{Record, RecordError, monitoring_name, origin_hash};
pub use refusal::{Answer, Refusal};
pub use request::{AddCheckpoint, MAX_PROOF_LINES, MAX_REQUEST_BYTES, RequestError};
pub use setup::{KnownLog, SetupError};
pub use submission::{Step, Submission, SubmissionError};

/// The media type of a 409's body, which is the size that the witness has cosigned last.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// The path, below the submission prefix, to which checkpoints are posted.
pub const ADD_CHECKPOINT_PATH: &str = "/add-checkpoint";
