//! The proof of a transaction: that its one verdict is in the log, under a checkpoint that the witness policy
//! calls final, and what it did.
//!
//! What it proves: a quorum of the policy's members, each having re-executed the log up to the checkpoint, stands
//! for this leaf at this place; and the keys shown signed exactly this body. That those keys were the parties' own
//! and that balances sufficed is what the members stand for: only a run over the whole log (`musubi audit`) shows
//! it. Nobody's balance is in a proof, and a rejected transaction has one as well.

use super::{
    error::{NoProof, TransactionProofError},
    opening::{Opening, Subject},
};
use crate::{
    code::{Code, Standing},
    execute::Entry,
    id::{ChainId, TxId},
    leaf::Leaf,
    outcome::Outcome,
    policy::{FinalCheckpoint, PolicyChain},
    tlog::{Hash, ProofFile, merkle::leaf_hash},
    transaction::{Body, Signature, Transaction},
    verify::{Check, verify_all},
};

/// A proof as a file has it: nothing in it is to be believed before [`TransactionProof::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionProof {
    file: ProofFile,
    opening: Opening,
}

/// What a proof has shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProvenTransaction {
    /// The leaf's place in the log, from 0.
    pub index: u64,
    /// The leaf: block height and time, id and verdict.
    pub leaf: Leaf,
    /// The transaction with its signatures, all of which verify; or what became due.
    pub subject: Subject,
    /// What it did: postings, forms of consent, grants cited. Empty if it was rejected.
    pub outcome: Outcome,
    /// The checkpoint above it, and who stands for that.
    pub checkpoint: FinalCheckpoint,
}

impl TransactionProof {
    /// Makes the proof of a leaf from what a node keeps of it: its entry, its signed transaction (none for a system
    /// leaf), its inclusion path, and the final checkpoint's note to which that path leads.
    ///
    /// # Errors
    /// [`NoProof`], also if the parts do not belong together: a proof that leaves a node holds.
    pub fn make(
        entry: &Entry,
        transaction: Option<Transaction>,
        path: Vec<Hash>,
        checkpoint: String,
    ) -> Result<Self, NoProof> {
        let subject = match (transaction, entry.due) {
            (Some(transaction), _) => Subject::Transaction(transaction),
            (None, Some(action)) => Subject::System(action),
            (None, None) => return Err(NoProof::NothingToOpen),
        };
        let opening = Opening { leaf: entry.leaf, subject, outcome: entry.outcome.clone() };
        opening.check().map_err(NoProof::Damaged)?;
        let file = ProofFile::new(Some(opening.encode()), entry.index, path, checkpoint)?;
        Ok(Self { file, opening })
    }

    /// Reads a proof file.
    ///
    /// # Errors
    /// [`TransactionProofError`], as far as the form tells.
    pub fn parse(bytes: &[u8]) -> Result<Self, TransactionProofError> {
        let file = ProofFile::parse(bytes)?;
        let opening = Opening::decode(file.extra().ok_or(TransactionProofError::NoExtra)?)?;
        Ok(Self { file, opening })
    }

    /// The file around it.
    #[must_use]
    pub fn file(&self) -> &ProofFile {
        &self.file
    }

    /// The id that it claims to be about.
    #[must_use]
    pub fn claimed_id(&self) -> TxId {
        self.opening.leaf.id
    }

    /// Checks everything, from the outside in: the checkpoint is final, the leaf is under it, what is shown is what
    /// the leaf stands for, every signature verifies.
    ///
    /// # Errors
    /// [`TransactionProofError`], the first that applies.
    pub fn verify(
        &self,
        policies: &PolicyChain,
    ) -> Result<ProvenTransaction, TransactionProofError> {
        let checkpoint =
            policies.check_surviving(self.file.checkpoint().as_bytes(), self.file.index())?;
        let leaf = leaf_hash(&self.opening.leaf.encode());
        self.file.verify(&leaf, &checkpoint.checkpoint)?;
        self.opening.check()?;
        if let Subject::Transaction(transaction) = &self.opening.subject {
            check_signed(transaction, &self.opening.leaf.id, &policies.chain())?;
        }
        check_possible(&self.opening)?;
        let Opening { leaf, subject, outcome } = self.opening.clone();
        Ok(ProvenTransaction { index: self.file.index(), leaf, subject, outcome, checkpoint })
    }
}

impl core::fmt::Display for TransactionProof {
    /// The file.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.file.fmt(f)
    }
}

impl ProvenTransaction {
    /// The verdict.
    #[must_use]
    pub fn code(&self) -> Code {
        self.leaf.code
    }

    /// What was signed; none of a system action.
    #[must_use]
    pub fn body(&self) -> Option<&Body> {
        match &self.subject {
            Subject::Transaction(transaction) => Some(&transaction.body),
            Subject::System(_) => None,
        }
    }

    /// Who signed: every one of these verifies over the body's id. Not in the proof: whether the key was the
    /// party's at that time, which the cosigners checked.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        match &self.subject {
            Subject::Transaction(transaction) => &transaction.signatures,
            Subject::System(_) => &[],
        }
    }
}

/// All signatures hold, by the rule of every other path.
fn check_signed(
    transaction: &Transaction,
    id: &TxId,
    chain: &ChainId,
) -> Result<(), TransactionProofError> {
    if transaction.body.chain != *chain {
        return Err(TransactionProofError::OtherChain);
    }
    let preimages = transaction.preimages(id);
    let checks: Vec<Check<'_>> = transaction.checks(&preimages).collect();
    let verdicts = verify_all(&checks);
    match transaction.signatures.iter().zip(verdicts).find(|(_, holds)| !holds) {
        Some((signature, _)) => {
            Err(TransactionProofError::BadSignature { signer: signature.signer })
        }
        None => Ok(()),
    }
}

/// What no honest execution can yield, whatever the state was: a quorum that cosigned it has lied.
fn check_possible(opening: &Opening) -> Result<(), TransactionProofError> {
    let code = opening.leaf.code;
    let system = matches!(opening.subject, Subject::System(_));
    if code.standing() == Standing::Void || (system && code != Code::Applied) {
        return Err(TransactionProofError::ImpossibleVerdict);
    }
    let moved = opening.outcome != Outcome::default();
    if (code != Code::Applied && moved) || !opening.outcome.is_balanced() {
        return Err(TransactionProofError::ImpossibleOutcome);
    }
    Ok(())
}
