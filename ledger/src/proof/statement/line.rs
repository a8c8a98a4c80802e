//! One line of a statement: a leaf, where it stands, what it did, and what caused it.

use serde::{Deserialize, Serialize};

use super::error::LineError;
use crate::{
    hash::Hash,
    id::{ChainId, PartyId, Salt},
    leaf::{Leaf, LeafKind, SystemCause},
    outcome::{Account, Outcome, Posting},
    tlog::{Checkpoint, merkle, proof::verify_inclusion},
    transaction::Transaction,
    verify::verify_all,
};

/// What a leaf is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Cause {
    /// A signed transaction, in its canonical bytes.
    Transaction(#[serde(with = "crate::bytes")] Vec<u8>),
    /// Something that became due.
    System(SystemCause),
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The leaf.
    pub leaf: Leaf,
    /// Its index in the log.
    pub index: u64,
    /// Its inclusion path under the statement's checkpoint, from the leaf's side.
    pub inclusion: Vec<Hash>,
    /// What it did.
    pub outcome: Outcome,
    /// What caused it: also where the salt of the outcome's hash comes from.
    pub cause: Cause,
}

/// A line that was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProvenLine {
    /// The leaf.
    pub leaf: Leaf,
    /// Its index in the log.
    pub index: u64,
    /// Everything that it did, to this wallet and others.
    pub outcome: Outcome,
    /// The transaction; none for what became due by itself.
    pub transaction: Option<Transaction>,
}

impl Line {
    /// Checks everything that the line says by itself: that its leaf is in the log, that cause and outcome are
    /// the leaf's, that every signature holds, and that it touched the wallet of `party`.
    ///
    /// # Errors
    /// [`LineError`]: the first thing that does not hold.
    pub(super) fn check(
        &self,
        party: &PartyId,
        chain: &ChainId,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Transaction>, LineError> {
        let leaf = merkle::leaf_hash(&self.leaf.encode());
        let (size, root) = (checkpoint.size(), checkpoint.root());
        verify_inclusion(&leaf, self.index, size, &self.inclusion, root)?;
        let (salt, transaction) = match &self.cause {
            Cause::Transaction(bytes) => {
                let transaction = self.transaction(bytes, chain)?;
                (transaction.body.salt, Some(transaction))
            }
            Cause::System(due) => {
                if self.leaf.kind != LeafKind::System || self.leaf.id != due.id() {
                    return Err(LineError::OtherCause);
                }
                (due.salt(), None)
            }
        };
        self.check_outcome(party, &salt)?;
        Ok(transaction)
    }

    /// The transaction, once it is the leaf's and signed as it says.
    fn transaction(&self, bytes: &[u8], chain: &ChainId) -> Result<Transaction, LineError> {
        let transaction = Transaction::decode(bytes)?;
        let id = transaction.body.id();
        let of_leaf = self.leaf.kind == LeafKind::Transaction && self.leaf.id == id;
        if !of_leaf || transaction.body.chain != *chain {
            return Err(LineError::OtherCause);
        }
        if transaction.signatures_hash() != self.leaf.signatures {
            return Err(LineError::OtherSignatures);
        }
        let preimages = transaction.preimages(&id);
        let checks: Vec<_> = transaction.checks(&preimages).collect();
        if !verify_all(&checks).into_iter().all(|holds| holds) {
            return Err(LineError::BadSignature);
        }
        Ok(transaction)
    }

    fn check_outcome(&self, party: &PartyId, salt: &Salt) -> Result<(), LineError> {
        if self.outcome.hash(salt) != self.leaf.outcome {
            return Err(LineError::OtherOutcome);
        }
        if self.postings(party).next().is_none() {
            return Err(LineError::NotThisWallet);
        }
        Ok(())
    }

    /// What the line posted to the wallet of `party`.
    pub fn postings<'l>(&'l self, party: &PartyId) -> impl Iterator<Item = &'l Posting> + use<'l> {
        of_wallet(&self.outcome, party)
    }
}

impl ProvenLine {
    /// What the line posted to the wallet of `party`.
    pub fn postings<'l>(&'l self, party: &PartyId) -> impl Iterator<Item = &'l Posting> + use<'l> {
        of_wallet(&self.outcome, party)
    }
}

fn of_wallet<'o>(
    outcome: &'o Outcome,
    party: &PartyId,
) -> impl Iterator<Item = &'o Posting> + use<'o> {
    let account = Account::Wallet(*party);
    outcome.postings.iter().filter(move |posting| posting.account == account)
}
