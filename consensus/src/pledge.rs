//! What a member has promised so far, signed by itself: which directory it keeps its promises in, and how
//! far they reach. Members show each other their pledges and keep the newest of each, so that a directory
//! that has lost some of its past is recognised by whoever saw more of it (ADR 0015).
//!
//! Everything in a pledge was durable before it was signed. So an honest member never shows less than it
//! has shown, and whoever holds one of its pledges can prove to it, by its own signature, that it forgot.

use musubi_ledger::{
    batch::NodeId,
    codec,
    hash::Hash,
    id::ChainId,
    keys::{PublicKey, SecretKey, SignatureBytes, verify_strict},
};
use serde::{Deserialize, Serialize};

/// In front of what is signed, so that a pledge is nothing else, and nothing else is a pledge.
const TAG: &[u8] = b"musubi/pledge/v1";

/// What a directory holds durably.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Durable {
    /// Number of the last synced write of the Raft log, from 1; 0 before the first. It only rises.
    pub write: u64,
    /// Last Raft index.
    pub index: u64,
    /// Newest term.
    pub term: u64,
    /// Whom the node voted for in that term; 0 for nobody.
    pub vote: u64,
    /// Running hash over the entries up to `index`.
    pub hash: Hash,
}

impl Durable {
    /// Whether a directory that held `before` may come to hold this.
    #[must_use]
    pub fn follows(&self, before: &Self) -> bool {
        let voted = self.term > before.term || before.vote == 0 || self.vote == before.vote;
        let same_write = self.write != before.write || self == before;
        self.write >= before.write && self.term >= before.term && voted && same_write
    }
}

/// What a member says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pledge {
    /// The member.
    pub node: NodeId,
    /// Its directory's random id.
    pub directory: [u8; 16],
    /// How many times the directory was opened, this time included.
    pub boot: u64,
    /// Drawn at random when the process started: two processes on one directory, or on copies of it, differ.
    pub life: u64,
    /// Of this life's pledges, from 1.
    pub number: u64,
    /// What this life found when it opened the directory.
    pub found: Durable,
    /// What is durable now.
    pub kept: Durable,
    /// Size of the largest checkpoint cosigned, durably; 0 for none.
    pub cosigned: u64,
}

/// A pledge with its member's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedPledge {
    /// What is said.
    pub pledge: Pledge,
    /// By the member's node key, over tag, chain and pledge.
    pub signature: SignatureBytes,
}

impl SignedPledge {
    /// Signs.
    #[must_use]
    pub fn sign(chain: ChainId, pledge: Pledge, key: &SecretKey) -> Self {
        Self { pledge, signature: key.sign(&message(chain, &pledge)) }
    }

    /// Whether `key` signed it for `chain`.
    #[must_use]
    pub fn verifies(&self, chain: ChainId, key: &PublicKey) -> bool {
        verify_strict(key, &message(chain, &self.pledge), &self.signature)
    }

    /// Canonical bytes, as storage keeps them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads them back; the signature is not checked.
    ///
    /// # Errors
    /// Any [`codec::CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode_versioned(bytes, PLEDGE_BYTES_MAX)
    }
}

/// Far above a signed pledge's length, which is fixed.
const PLEDGE_BYTES_MAX: usize = 1_024;

fn message(chain: ChainId, pledge: &Pledge) -> Vec<u8> {
    [TAG, &chain.0, &codec::encode(pledge)].concat()
}

/// What one member tells another about pledges: its own, what it remembers of the other, and of the rest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pledges {
    /// The sender's.
    pub own: SignedPledge,
    /// The newest that the sender keeps durably of the receiver. If it is of the receiver's present life,
    /// the sender believes it; if it says more than the receiver holds, the receiver has forgotten.
    pub yours: Option<SignedPledge>,
    /// The receiver's life that the sender refuses, and why.
    pub refused: Option<(u64, Shortfall)>,
    /// The newest that the sender knows of all others: what one has seen, all learn.
    pub others: Vec<SignedPledge>,
}

/// In what a member shows less than it has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum Shortfall {
    /// Another directory under the same node id: wiped, swapped, or made anew.
    #[error("another directory under its id")]
    Directory,
    /// The same boot of the same directory, in another process: a copy was put back, or runs beside it.
    #[error("another process in the same boot of its directory")]
    Copy,
    /// Its directory was opened less often than before.
    #[error("an earlier boot of its directory")]
    Boot,
    /// Synced writes of its log are gone.
    #[error("fewer synced writes, an older term, or another vote")]
    Writes,
    /// It acknowledged entries, or moved to a term, that it did not find when it started.
    #[error("less of the log than it acknowledged")]
    Acknowledged,
    /// It cosigned a larger checkpoint.
    #[error("a smaller cosigned checkpoint")]
    Cosigned,
}

impl Shortfall {
    /// Stable code for logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Directory => "other_directory",
            Self::Copy => "copied_directory",
            Self::Boot => "earlier_boot",
            Self::Writes => "lost_writes",
            Self::Acknowledged => "lost_acknowledged",
            Self::Cosigned => "lost_cosigned",
        }
    }
}
