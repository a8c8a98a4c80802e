//! Final checkpoints as upstreams offer them: whether the policy is satisfied, and whether this replica's own
//! log says the same. Nothing is taken from one but that: its leaves were executed here.

use musubi_ledger::{
    hash::Hash,
    policy::{FinalCheckpoint, PolicyChain, PolicyError},
};
use musubi_storage::Store;
use thiserror::Error;

use super::refused::{Refused, Wrong};

/// This replica's log, as a checkpoint is compared with it.
pub trait OwnLog {
    /// Height of its last block, and its leaves.
    fn end(&self) -> (u64, u64);
    /// Its root at a size that it has.
    fn root_at(&self, size: u64) -> Option<Hash>;
}

impl OwnLog for Store {
    fn end(&self) -> (u64, u64) {
        let (head, _) = self.head();
        (head.height, head.size)
    }

    fn root_at(&self, size: u64) -> Option<Hash> {
        Store::root_at(self, size)
    }
}

/// What a note came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Final, newer than what is kept, and the same as this replica's own log.
    Newer(Box<FinalCheckpoint>),
    /// Final, and about leaves that are not executed here yet: it is looked at again later.
    Ahead(u64),
    /// Nothing new.
    Known,
    /// Signed by too few, so far.
    NotFinal,
}

/// Why a note is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lie {
    /// Not the ledger's: malformed, of another log, or with a signature that does not verify.
    #[error("not a checkpoint of this ledger: {0}")]
    Forged(PolicyError),
    /// Final, and not what was executed here: a quorum signed another history.
    #[error(transparent)]
    Contradiction(#[from] Refused),
}

impl Lie {
    /// Stable code, for metrics and evidence.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forged(_) => "bad_checkpoint",
            Self::Contradiction(refused) => refused.wrong.code(),
        }
    }
}

/// Judges a note that an upstream offers. `kept` is the size of the newest one kept.
///
/// # Errors
/// [`Lie`].
pub fn judge(
    policies: &PolicyChain,
    note: &[u8],
    log: &impl OwnLog,
    kept: u64,
) -> Result<Offer, Lie> {
    let checked = match policies.check(note) {
        Ok(checked) => checked,
        Err(PolicyError::Quorum { .. }) => return Ok(Offer::NotFinal),
        Err(forged) => return Err(Lie::Forged(forged)),
    };
    let (size, root) = (checked.checkpoint.size(), *checked.checkpoint.root());
    let (height, leaves) = log.end();
    if size > leaves {
        return Ok(Offer::Ahead(size));
    }
    // Also what is older than the kept one is compared: no final checkpoint may say otherwise.
    let own = log.root_at(size);
    if own != Some(root) {
        let theirs = hex::encode(root);
        let ours = own.map_or_else(|| "none".into(), hex::encode);
        let wrong = Wrong::Checkpoint { size, theirs, ours };
        return Err(Refused { height, leaf: size.checked_sub(1), wrong }.into());
    }
    Ok(if size > kept { Offer::Newer(Box::new(checked)) } else { Offer::Known })
}
