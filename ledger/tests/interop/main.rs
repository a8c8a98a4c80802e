//! The log of proof against independent implementations of its formats: what Musubi makes, they accept;
//! what they make, Musubi accepts; what is tampered with, both refuse.
//!
//! | Module | Against | What |
//! |---|---|---|
//! | `trees` | `ct-merkle`, `tlog_tiles`, `doubleentry` | roots, inclusion and consistency proofs |
//! | `tiles` | `tlog_tiles`, `doubleentry` | paths and bytes of tiles, a proof read through published tiles |
//! | `notes` | `signed_note`, `tlog_tiles`, `doubleentry` | verifier keys, signed notes, checkpoints, cosignatures |
//! | `files` | `doubleentry` | tlog-proof files and tlog-policy texts |
//! | `witness` | `doubleentry` | both sides of tlog-witness, each against the other's counterpart |
//! | `sigsum` | `sigsum` | a log of another project: ours verified there, a real one of theirs here |
//! | `go` | the Go reference implementations | their vectors, kept in `c2sp/` |
//!
//! Versions: `Cargo.lock`.
#![allow(clippy::unwrap_used)]

mod files;
mod go;
mod log;
mod notes;
mod sigsum;
mod tiles;
mod trees;
mod witness;
