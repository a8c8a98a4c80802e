//! The audit: download everything, believe nothing, name the first entry that is wrong.
//!
//! - [`Auditor`] is the core, without I/O: it takes blocks in order, re-executes every rule with the
//!   ledger's own [`Chain`](musubi_ledger::execute::Chain), rebuilds Merkle root and state digest, and
//!   compares each leaf and seal; `finish` compares with what the validators signed;
//! - [`check`]: decoding and signature checks of many entries at once, on several threads;
//! - [`Source`]: where entries come from, a node or a [`Directory`] that [`download`] wrote;
//! - [`run`]: the whole of it, with progress;
//! - [`Demands`] and [`Covered`]: how far the validators' signatures must reach, and how far they do;
//! - [`Finding`]: where the first fault is, and what; [`Report`]: what was found if there is none,
//!   with a [`Warning`] for whatever it does not prove.

mod auditor;
pub mod check;
mod compare;
mod coverage;
mod directory;
mod download;
mod finding;
mod report;
mod run;
mod source;
mod validators;
mod warning;

pub use auditor::Auditor;
pub use coverage::{Covered, Demands};
pub use directory::{Directory, FILES};
pub use download::download;
pub use finding::{Fault, Finding, Lacking, Part, Quorum};
pub use report::{Agreement, Report, SupplyLine};
pub use run::{AuditError, Options, Progress, run};
pub use source::Source;
pub use warning::Warning;
