//! The policy bundle: what a verifier keeps. The genesis document, and for each change of policy the signed
//! transaction, its leaf, and a checkpoint that is final by the policy before *and* after it.
//!
//! Whoever trusts a chain id can follow the bundle from there, with nobody's help, to every key that ever
//! cosigned: so proofs outlive key rotation (design decision 13).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{PolicyChain, PolicyError, Recovery, RecoveryError, WitnessPolicy};
use crate::{
    code::Code,
    codec::{self, CodecError},
    genesis::{Genesis, GenesisError},
    hash::Hash,
    id::ChainId,
    leaf::{Leaf, LeafKind},
    limits,
    operation::Operation,
    tlog::{
        merkle::leaf_hash,
        proof::{ProofError, verify_inclusion},
    },
    transaction::Transaction,
};

/// Policies that one bundle may hold.
pub const STEPS_MAX: usize = 1_024;
/// Bytes of an encoded bundle.
pub const BUNDLE_BYTES_MAX: usize = 64 << 20;

/// The chain of a ledger's policies, to be verified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyBundle {
    /// The genesis document's canonical bytes.
    #[serde(with = "crate::bytes")]
    pub genesis: Vec<u8>,
    /// The changes since, in order.
    pub steps: Vec<PolicyStep>,
}

/// One change of policy and the proof that it is final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyStep {
    /// The signed transaction's canonical bytes.
    #[serde(with = "crate::bytes")]
    pub transaction: Vec<u8>,
    /// Its leaf.
    pub leaf: Leaf,
    /// The leaf's index.
    pub index: u64,
    /// The leaf's inclusion path, from the leaf's side.
    pub path: Vec<Hash>,
    /// A checkpoint that covers it, final by the policies before and after it.
    pub checkpoint: String,
}

/// Why a bundle was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// Not a bundle's canonical bytes.
    #[error("not a policy bundle: {0}")]
    Codec(#[from] CodecError),
    /// The genesis document.
    #[error("the bundle's genesis document: {0}")]
    Genesis(#[from] GenesisError),
    /// Of another ledger.
    #[error("the bundle is of chain {found}, not of {expected}: take the bundle of your ledger")]
    OtherChain {
        /// The chain asked for.
        expected: ChainId,
        /// The bundle's.
        found: ChainId,
    },
    /// A change does not follow on the policy before it, or is not what its leaf says.
    #[error("change {0} of the bundle is not the applied change that its leaf says: {1}")]
    Step(u32, &'static str),
    /// A recovery that does not count.
    #[error("the recovery to epoch {0} in the bundle: {1}")]
    Recovery(u32, RecoveryError),
    /// A change's inclusion proof.
    #[error("change {0} of the bundle: {1}")]
    Inclusion(u32, ProofError),
    /// A change's checkpoint.
    #[error("change {0} of the bundle: {1}")]
    Checkpoint(u32, PolicyError),
}

impl BundleError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Codec(_) => "bad_bundle",
            Self::Genesis(_) => "bad_genesis",
            Self::OtherChain { .. } => "other_chain",
            Self::Step(..) => "bad_policy_step",
            Self::Recovery(_, error) => error.code(),
            Self::Inclusion(_, error) => error.code(),
            Self::Checkpoint(_, error) => error.code(),
        }
    }
}

impl PolicyBundle {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a bundle; nothing in it is believed yet.
    ///
    /// # Errors
    /// [`BundleError::Codec`].
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let bundle: Self = codec::decode_versioned(bytes, BUNDLE_BYTES_MAX)?;
        let too_long =
            bundle.steps.len() > STEPS_MAX || bundle.steps.iter().any(|s| s.path.len() > 64);
        if too_long { Err(CodecError::Malformed.into()) } else { Ok(bundle) }
    }

    /// Follows the policies from the genesis document of `chain`, the one thing that the verifier must
    /// know from elsewhere.
    ///
    /// # Errors
    /// [`BundleError`], naming the first change that does not follow.
    pub fn verify(&self, chain: &ChainId) -> Result<PolicyChain, BundleError> {
        let genesis = Genesis::decode(&self.genesis)?;
        let found = genesis.chain();
        if found != *chain {
            return Err(BundleError::OtherChain { expected: *chain, found });
        }
        let mut policies = PolicyChain::of_genesis(&genesis);
        self.steps.iter().try_for_each(|step| step.follow(&mut policies))?;
        Ok(policies)
    }

    /// The chain that the bundle is about; believed by whoever has no better source.
    ///
    /// # Errors
    /// [`BundleError::Genesis`].
    pub fn chain(&self) -> Result<ChainId, BundleError> {
        Ok(Genesis::decode(&self.genesis)?.chain())
    }
}

impl PolicyStep {
    /// Checks this change against the policies so far and adds it to them.
    fn follow(&self, policies: &mut PolicyChain) -> Result<(), BundleError> {
        let number = policies.newest().policy().number + 1;
        let transaction = self.transaction(policies, number)?;
        if matches!(transaction.body.operation, Operation::BeginEpoch(_)) {
            self.begin(&transaction, policies)?;
        } else {
            let policy = policy(transaction, number)?;
            // Every checkpoint that covers the leaf is cut behind it.
            let from = self.index.checked_add(1).filter(|from| *from > policies.newest_from());
            let from = from.ok_or(BundleError::Step(number, "its index"))?;
            policies.push(&policy, from).map_err(|_| BundleError::Step(number, "a key"))?;
        }
        let number = policies.newest().policy().number;
        let checkpoint = policies.check(self.checkpoint.as_bytes());
        let checkpoint =
            checkpoint.map_err(|error| BundleError::Checkpoint(number, error))?.checkpoint;
        let leaf = leaf_hash(&self.leaf.encode());
        let included =
            verify_inclusion(&leaf, self.index, checkpoint.size(), &self.path, checkpoint.root());
        included.map_err(|error| BundleError::Inclusion(number, error))?;
        policies.settle(checkpoint.size());
        Ok(())
    }

    /// The transaction, once it is the leaf's.
    fn transaction(&self, policies: &PolicyChain, number: u32) -> Result<Transaction, BundleError> {
        let wrong = |what| BundleError::Step(number, what);
        if self.transaction.len() > limits::TRANSACTION_BYTES_MAX {
            return Err(wrong("the transaction's length"));
        }
        let transaction =
            Transaction::decode(&self.transaction).map_err(|_| wrong("the transaction's bytes"))?;
        let applied = self.leaf.kind == LeafKind::Transaction && self.leaf.code == Code::Applied;
        let signatures = self.leaf.signatures == transaction.signatures_hash();
        if !applied || self.leaf.id != transaction.body.id() || !signatures {
            return Err(wrong("its leaf"));
        }
        if transaction.body.chain != policies.chain() {
            return Err(wrong("its chain"));
        }
        Ok(transaction)
    }

    /// Takes a recovery, which the governance keys of the genesis document prove.
    fn begin(
        &self,
        transaction: &Transaction,
        policies: &mut PolicyChain,
    ) -> Result<(), BundleError> {
        let epoch = policies.epoch() + 1;
        let wrong = |error| BundleError::Recovery(epoch, error);
        let recovery = Recovery::signed(transaction, policies.genesis()).map_err(wrong)?;
        recovery.follows(policies).map_err(wrong)?;
        if recovery.begins.size != self.index {
            return Err(wrong(RecoveryError::Order("its leaf is not the first of the epoch")));
        }
        policies.begin(recovery).map_err(|_| wrong(RecoveryError::Form("a key")))
    }
}

/// The policy that the transaction sets.
fn policy(transaction: Transaction, number: u32) -> Result<WitnessPolicy, BundleError> {
    let wrong = |what| BundleError::Step(number, what);
    let Operation::ChangeWitnessPolicy(policy) = transaction.body.operation else {
        return Err(wrong("it changes no policy"));
    };
    if policy.number != number {
        return Err(wrong("its number"));
    }
    if policy.well_formed() { Ok(policy) } else { Err(wrong("its bounds")) }
}
