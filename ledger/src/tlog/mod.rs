//! The log of proof in the C2SP formats, so that any transparency-log tool can check Musubi.
//!
//! Who owns what:
//!
//! - [`merkle`]: the RFC 6962 hash tree over leaves (leaf, node and root hashes) and how stored
//!   subtree hashes are read ([`merkle::NodeReader`]);
//! - [`proof`]: making and checking inclusion and consistency proofs;
//! - [`frontier`]: the append-only tree a node keeps in memory, its right edge only;
//! - [`tile`] and [`bundle`]: where hashes and entries are published (C2SP tlog-tiles);
//! - [`vkey`], [`signature`] and [`note`]: who signs, how, and the signed-note envelope (C2SP
//!   signed-note and tlog-cosignature);
//! - [`checkpoint`]: what is signed, the tree's size and root (C2SP tlog-checkpoint);
//! - [`proof_file`]: an entry's place, path and checkpoint in one file (C2SP tlog-proof);
//! - [`witness`]: the protocol by which others cosign checkpoints (C2SP tlog-witness), both sides of it;
//! - [`base64`]: the strict standard encoding these formats use.
//!
//! Nothing here knows what an entry means, stores anything, or decides whose signatures suffice:
//! the first belongs to the block rules, the second to storage, the third to the witness policy.

pub mod base64;
pub mod bundle;
pub mod checkpoint;
pub mod frontier;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod proof_file;
pub mod signature;
pub mod tile;
pub mod vkey;
pub mod witness;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint};
pub use frontier::{Frontier, FrontierError};
pub use merkle::{MissingNode, Node, NodeReader};
pub use note::{NoteError, SignedNote};
pub use proof::{ProofError, ProveError};
pub use proof_file::{ProofFile, ProofFileError};
pub use signature::{NoteSignature, Verified};
pub use tile::{Bundle, Tile, TileError, TileNodes, TilePath};
pub use vkey::{Algorithm, KeyError, VerifierKey};

/// A SHA-256 hash: of a leaf, of a subtree, or of the whole tree.
pub type Hash = [u8; 32];
