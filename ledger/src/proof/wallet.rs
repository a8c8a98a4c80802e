//! A wallet's state at one seal, proved against a final checkpoint.
//!
//! The way from bottom to top: header and lots make the wallet's leaf in the state tree; its path, the
//! number of wallets and the digest of all other rows make the state digest; that is in the seal's body; the
//! body's hash is in the seal's leaf; that is in the log whose checkpoint the policy's quorum cosigned.
//!
//! Either part of the leaf may be shown without the other: each has its own salt ([`Wallet::part_salts`]),
//! and what is not shown is there as a salted hash, from which nobody can guess an amount.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    codec::{self, CodecError},
    digest::{PathError, StatePath},
    hash::Hash,
    id::PartyId,
    leaf::SealBody,
    limits,
    policy::{FinalCheckpoint, PolicyChain, PolicyError},
    tlog::{Checkpoint, ProofError, merkle, proof::verify_inclusion},
    wallet::{LotBalance, Wallet, WalletHeader, lots_hash, state_leaf},
};

/// What is shown of a wallet's lots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LotsPart {
    /// All of them, in spending order, and what salts their hash.
    Shown {
        /// The salt of this part, in this state.
        #[serde(with = "crate::bytes::array")]
        salt: Hash,
        /// The lots.
        lots: Vec<LotBalance>,
    },
    /// Their salted hash alone.
    Hidden(#[serde(with = "crate::bytes::array")] Hash),
}

/// A wallet at a seal, with everything that leads from it to the seal's leaf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalletAtSeal {
    /// The seal's public body.
    pub seal: SealBody,
    /// The index of the seal's leaf in the log.
    pub index: u64,
    /// The inclusion path of the seal's leaf under the checkpoint that goes with this, from the leaf's side.
    pub inclusion: Vec<Hash>,
    /// From the wallet's leaf to the state digest.
    pub state: StatePath,
    /// Whose wallet, its number, and which leaves touched it.
    pub header: WalletHeader,
    /// What salts the header's hash.
    #[serde(with = "crate::bytes::array")]
    pub header_salt: Hash,
    /// What it holds.
    pub lots: LotsPart,
}

/// A wallet's state and the final checkpoint that covers it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalletProof {
    /// The signed note of the checkpoint.
    pub checkpoint: String,
    /// The wallet.
    pub wallet: WalletAtSeal,
}

/// What a verified [`WalletProof`] says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProvenWallet {
    /// After which block.
    pub seal: SealBody,
    /// Whose wallet, and which leaves touched it.
    pub header: WalletHeader,
    /// What it holds; none if that is not shown.
    pub lots: Option<Vec<LotBalance>>,
    /// By which checkpoint, and who cosigned it.
    pub checkpoint: FinalCheckpoint,
}

/// Why a wallet's state is not proved by a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// The seal is not in the log.
    #[error("the seal is not in the log of the checkpoint: {0}")]
    Seal(#[from] ProofError),
    /// The path does not fit serial number and count.
    #[error("the wallet's path: {0}")]
    Path(#[from] PathError),
    /// Header, lots, path, count or digest is not what the seal says.
    #[error(
        "the wallet is not in the state that the seal names: header, lots or path was altered, or is of another state"
    )]
    Digest,
}

impl StateError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Seal(_) => "seal_not_in_log",
            Self::Path(error) => error.code(),
            Self::Digest => "state_mismatch",
        }
    }
}

/// Why a wallet proof was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WalletProofError {
    /// Not a wallet proof's canonical bytes.
    #[error("not a wallet proof: {0}")]
    Codec(#[from] CodecError),
    /// The checkpoint is not final.
    #[error(transparent)]
    Checkpoint(#[from] PolicyError),
    /// The state is not proved by it.
    #[error(transparent)]
    State(#[from] StateError),
}

impl WalletProofError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Codec(_) => "bad_wallet_proof",
            Self::Checkpoint(error) => error.code(),
            Self::State(error) => error.code(),
        }
    }
}

impl WalletAtSeal {
    /// Shows `wallet`, the whole of it. The inclusion path is the caller's to fill in: it depends on the
    /// checkpoint.
    #[must_use]
    pub fn show(party: &PartyId, wallet: &Wallet, state: StatePath, seal: (SealBody, u64)) -> Self {
        let (header_salt, salt) = wallet.part_salts();
        let (header, lots) = (wallet.header(party), wallet.lots.clone());
        let lots = LotsPart::Shown { salt, lots };
        let (seal, index) = seal;
        Self { seal, index, inclusion: Vec::new(), state, header, header_salt, lots }
    }

    /// The same without what the wallet holds.
    #[must_use]
    pub fn without_lots(mut self) -> Self {
        self.lots = LotsPart::Hidden(self.lots.hash());
        self
    }

    /// Checks that this is the wallet's state at a seal in the log of `checkpoint`, whose finality the caller
    /// has checked.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), StateError> {
        let leaf = merkle::leaf_hash(&self.seal.leaf().encode());
        let (size, root) = (checkpoint.size(), checkpoint.root());
        verify_inclusion(&leaf, self.index, size, &self.inclusion, root)?;
        let leaf = state_leaf(&self.header.hash(&self.header_salt), &self.lots.hash());
        let digest = self.state.digest(self.header.serial, &leaf)?;
        if digest == self.seal.state { Ok(()) } else { Err(StateError::Digest) }
    }
}

impl LotsPart {
    /// The lots' part of the wallet's leaf.
    #[must_use]
    pub fn hash(&self) -> Hash {
        match self {
            Self::Shown { salt, lots } => lots_hash(salt, lots),
            Self::Hidden(hash) => *hash,
        }
    }

    /// The lots, if they are shown.
    #[must_use]
    pub fn shown(&self) -> Option<&[LotBalance]> {
        match self {
            Self::Shown { lots, .. } => Some(lots),
            Self::Hidden(_) => None,
        }
    }
}

impl WalletProof {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a proof; nothing in it is believed yet.
    ///
    /// # Errors
    /// [`WalletProofError::Codec`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WalletProofError> {
        Ok(codec::decode_versioned(bytes, limits::WALLET_PROOF_BYTES_MAX)?)
    }

    /// Verifies the proof under the ledger's policies.
    ///
    /// # Errors
    /// [`WalletProofError`]: what does not hold.
    pub fn verify(&self, policies: &PolicyChain) -> Result<ProvenWallet, WalletProofError> {
        let checkpoint = policies.check_whole(self.checkpoint.as_bytes())?;
        let wallet = &self.wallet;
        wallet.check(&checkpoint.checkpoint)?;
        let lots = wallet.lots.shown().map(<[_]>::to_vec);
        Ok(ProvenWallet { seal: wallet.seal, header: wallet.header, lots, checkpoint })
    }
}
