//! What cosigners do, held against the books.

use musubi_ledger::{hash::Hash, policy::FinalCheckpoint};

use super::{Checker, Holds, broken};

impl Checker {
    /// A node's cosigner signs.
    pub(crate) fn signs(&self, node: usize, size: u64, root: Hash) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.finality.signs(node, (size, root), &self.chain)
    }

    /// A node has written what it signed, not yet durably.
    pub(crate) fn checkpoint_staged(&mut self, node: usize, size: u64) {
        self.finality.staged(node, size);
    }

    /// A node's cosigner sends what it signed. I25: not if it has lost its past.
    pub(crate) fn cosigns(&mut self, node: usize, note: &str, lost: bool) -> Holds {
        if self.blind {
            return Ok(());
        }
        if lost {
            let seen = format!("node {} cosigns: {note}", node + 1);
            return broken("I25 who has forgotten promises nothing", seen);
        }
        self.finality.cosigns(node, note, &self.chain)
    }

    /// A node's cosigner holds a checkpoint for final.
    pub(crate) fn is_final(&mut self, node: usize, found: &FinalCheckpoint) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.finality.is_final(node, found, &self.chain)
    }

    /// Cosignatures sent, checkpoints that became final, and changes of policy that were confirmed.
    pub(crate) fn cosigned(&self) -> [u64; 3] {
        self.finality.counts()
    }
}
