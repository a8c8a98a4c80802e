//! The audit: download everything, believe nothing, say what is wrong, where, and who signed it.
//!
//! - [`Auditor`] is the core, without I/O: it takes blocks in order, re-executes every rule with the
//!   ledger's own [`Chain`](musubi_ledger::execute::Chain), rebuilds Merkle root and state digest, and
//!   compares each leaf and seal; `finish` compares with what was signed ([`Closing`]): the validators'
//!   checkpoints, the newest final one under the witness policies ([`Finals`]), those that the auditor kept;
//! - [`check`]: decoding and signature checks of many entries at once; [`pipeline`]: on all cores, ahead of
//!   the sequential execution, with bounded memory;
//! - [`Source`]: where entries come from, a node (a replica is one) or a [`Directory`] that [`download`] or a
//!   [`Recorder`] wrote;
//! - [`run`]: the whole of it, with progress, and [`Resume`] points to go on from; [`replay`]: the same, with an
//!   [`Observer`] that sees every executed block;
//! - [`Demands`] and [`Covered`]: how far the validators' signatures must reach, and how far they do;
//! - [`Findings`]: the first fault and those that do not follow from it; [`Report`]: what was found if there
//!   is none, with a [`Warning`] for whatever it does not prove.

mod auditor;
pub mod check;
mod closing;
mod compare;
mod coverage;
mod directory;
mod download;
mod ends;
mod epochs;
mod fault;
mod finals;
mod finding;
mod kept;
mod lacking;
mod node;
mod observer;
mod order;
mod past;
pub mod pipeline;
mod recorder;
mod report;
mod resume;
mod run;
mod source;
mod state;
mod streams;
mod tally;
mod tiles;
mod validators;
mod walk;
mod warning;
mod work;

pub use auditor::Auditor;
pub use closing::Closing;
pub use coverage::{Covered, Demands};
pub use directory::{Directory, FILES, FINALS, FileError, TILES};
pub use download::download;
pub use epochs::Recovered;
pub use fault::Fault;
pub use finals::{FinalCovered, Finals};
pub use finding::{Finding, Findings, Part, Signer};
pub use kept::Kept;
pub use lacking::{Lacking, Quorum};
pub use observer::{Executed, Observer, replay};
pub use recorder::Recorder;
pub use report::{Agreement, Report, SupplyLine};
pub use run::{AuditError, Options, Progress, Resume, run};
pub use source::Source;
pub use tiles::Tiling;
pub use warning::Warning;
