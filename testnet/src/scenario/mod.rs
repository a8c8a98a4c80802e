//! Scenarios that last years, on a fresh network of three real validators whose clocks the scenario drives.
//!
//! - [`command`]: `musubi-testnet scenario`, which plays scheme files; [`play`]: one of them; `table`: what came out;
//! - `stage`: the network as a stage of the `schemes` crate;
//! - [`network`]: [`OnNetwork`], the stage: begins in the past, submits, advances, gives every new block;
//! - `drive`: sets the validators' clocks, the leader's last (docs/adr/0010 says why the order matters);
//! - `hand_in`: a list of transactions in bulk submissions, each followed to its verdict;
//! - [`follower`]: downloads every entry, re-executes it and compares: what a scenario knows of the ledger is what came of
//!   that, never what a node says of itself.

pub mod command;
mod drive;
pub mod follower;
mod hand_in;
pub mod network;
pub mod play;
mod stage;
mod table;

pub use follower::{Follower, Seen};
pub use network::{OnNetwork, Verdict};
