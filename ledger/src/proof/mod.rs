//! Offline proofs: what a stranger can check with a file, a policy bundle and no network.
//!
//! Who owns what:
//!
//! - [`transaction`]: that a transaction or system action has its verdict in the log, and what it did;
//!   [`opening`]: what such a proof shows beside the leaf; [`error`]: how one can be wrong;
//! - [`wallet`]: one wallet's state at one seal;
//! - [`statement`]: a period of one wallet without a gap, from a proved state to a proved state.
//!
//! Nothing here is believed for where it came from: every proof ends in a checkpoint that the policy for its size
//! finds final ([`crate::policy::PolicyChain::check`]). All of it is pure and builds for wasm32. The formats are in
//! `docs/FORMAT.md`, sections 15 and 16; how to check them by hand is in `docs/PROOFS.md`.

pub mod error;
pub mod opening;
pub mod statement;
pub mod transaction;
pub mod wallet;

pub use error::{NoProof, TransactionProofError};
pub use opening::{Opening, Subject};
pub use transaction::{ProvenTransaction, TransactionProof};
