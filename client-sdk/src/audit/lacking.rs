//! In what way signatures do not reach as far as is demanded.

use std::fmt;

use musubi_ledger::time::Time;
use thiserror::Error;

/// In what way the validators' signatures do not reach far enough: a record may have been cut off, or
/// continued by one validator alone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lacking {
    /// Too few validators signed anything that is here.
    #[error(
        "{signed} of {validators} validators have signed a checkpoint that is here, no majority"
    )]
    Majority {
        /// How many did.
        signed: usize,
        /// How many there are.
        validators: usize,
    },
    /// Not up to the height that was asked for.
    #[error("block {wanted} was to be signed by {whom}, only block {covered} is")]
    Height {
        /// By whom.
        whom: Quorum,
        /// The height that they signed.
        covered: u64,
        /// The height that was asked for.
        wanted: u64,
    },
    /// The newest block that they signed is older than was asked for.
    #[error(
        "the newest block that {whom} signed is of {covered}, it was to be of {wanted} or later"
    )]
    Time {
        /// By whom.
        whom: Quorum,
        /// The time of the block that they signed.
        covered: Time,
        /// The earliest that was asked for.
        wanted: Time,
    },
}

/// How many validators must have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// More than half of them.
    Majority,
    /// Each of them.
    All,
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Majority => "a majority of the validators",
            Self::All => "all validators",
        })
    }
}
