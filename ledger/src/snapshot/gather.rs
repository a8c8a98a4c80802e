//! Taking a snapshot's rows one after the other, and counting everything again at the end.

use super::SnapshotError;
use crate::{
    digest::{SetDigest, WalletTree, state_digest},
    hash::Hash,
    policy::WitnessPolicy,
    state::{Row, RowKey},
};

/// What came so far. Holds 40 bytes a wallet, and nothing of other rows but their digest.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    last: Vec<u8>,
    rows: u64,
    wallets: Vec<(u64, Hash)>,
    others: SetDigest,
    policies: Vec<WitnessPolicy>,
}

impl Gathered {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next row: its storage key and its bytes.
    ///
    /// # Errors
    /// [`SnapshotError::Row`] if it is none, stands under another table's key, or not behind the last one.
    pub fn take(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), SnapshotError> {
        let wrong = |what| SnapshotError::Row(self.rows, what);
        if self.rows > 0 && key <= &self.last[..] {
            return Err(wrong("it does not follow on the one before"));
        }
        let of = RowKey::from_bytes(key).ok_or_else(|| wrong("no key of the state"))?;
        let row = Row::decode(bytes).map_err(|_| wrong("no row of the state"))?;
        match (of, row) {
            (RowKey::Wallet(party), Row::Wallet(wallet)) => {
                self.wallets.push((wallet.serial, wallet.state_leaf(&party)));
            }
            (RowKey::Wallet(_), _) | (_, Row::Wallet(_)) => {
                return Err(wrong("a wallet elsewhere than among the wallets"));
            }
            (of, row) => {
                // The digest is of bytes; that a row is of its table follows from it, too.
                self.others.add(key, bytes);
                if let (RowKey::Policy(_), Row::Policy(row)) = (of, row) {
                    self.policies.push(row.policy.clone());
                }
            }
        }
        self.rows += 1;
        key.clone_into(&mut self.last);
        Ok(())
    }

    /// Rows taken.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Key of the last row taken; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<&[u8]> {
        (self.rows > 0).then_some(&self.last[..])
    }

    /// Compares everything that came with the digest of a final seal, and the witness policies with those that
    /// made it final; gives the digest of all rows but wallets. `founded` is the number of the policy that the
    /// newest recovery set, 0 without one: a change before it that nothing confirmed has a row, and no proof.
    ///
    /// # Errors
    /// [`SnapshotError::Wallets`], [`SnapshotError::Digest`] or [`SnapshotError::Policies`].
    pub fn finish(
        mut self,
        expected: &Hash,
        policies: &[&WitnessPolicy],
        founded: u32,
    ) -> Result<SetDigest, SnapshotError> {
        self.wallets.sort_unstable_by_key(|(serial, _)| *serial);
        if let Some((serial, _)) =
            (0u64..).zip(&self.wallets).find(|(serial, (found, _))| found != serial)
        {
            return Err(SnapshotError::Wallets(serial));
        }
        let leaves = self.wallets.into_iter().map(|(_, leaf)| leaf).collect();
        let mut wallets = WalletTree::from_leaves(leaves);
        let found = state_digest(wallets.count(), &wallets.root(), &self.others.digest());
        if found != *expected {
            let (found, expected) = (hex::encode(found), hex::encode(expected));
            return Err(SnapshotError::Digest { found, expected });
        }
        // Their keys are numbers in big-endian order: ascending, as the bundle has them.
        let proven = |number| policies.iter().any(|policy| policy.number == number);
        let rows = self.policies.iter().filter(|row| row.number >= founded || proven(row.number));
        if !rows.eq(policies.iter().copied()) {
            return Err(SnapshotError::Policies);
        }
        Ok(self.others)
    }
}
