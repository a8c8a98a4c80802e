//! Leaves of the Merkle log: fixed-size, public, showing nobody's purchases (decision 9).

use serde::{Deserialize, Serialize};

use crate::{
    code::Code,
    codec::{self, CodecError},
    hash::{Hash, tagged},
    id::{Salt, TxId},
    state::DueKind,
    time::Time,
};

/// What a leaf is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeafKind {
    /// Leaf 0: the genesis document.
    Genesis,
    /// A transaction's verdict.
    Transaction,
    /// Something that became due.
    System,
    /// The last leaf of a block.
    Seal,
}

/// One leaf. Its encoding is [`LEAF_BYTES`] long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leaf {
    /// What it is about.
    pub kind: LeafKind,
    /// The block.
    pub height: u64,
    /// The block's time.
    pub time: Time,
    /// The transaction's id; [`system_id`]; the seal's id; the chain id.
    pub id: TxId,
    /// The verdict.
    pub code: Code,
    /// Hash of the transaction's signatures; zero for other kinds.
    #[serde(with = "crate::bytes::array")]
    pub signatures: Hash,
    /// Salted hash of the outcome; zero for a seal.
    #[serde(with = "crate::bytes::array")]
    pub outcome: Hash,
}

/// Bytes of an encoded leaf: version, kind, height, time, id, code, two hashes.
pub const LEAF_BYTES: usize = 1 + 4 + 8 + 8 + 32 + 2 + 32 + 32;

impl Leaf {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }

    /// [`Leaf::encode`] without an allocation: every leaf is hashed several times over.
    #[must_use]
    pub fn bytes(&self) -> [u8; LEAF_BYTES] {
        let Self { kind, height, time, id, code, signatures, outcome } = self;
        let mut bytes = [0; LEAF_BYTES];
        let parts: [&[u8]; 8] = [
            &[codec::FORMAT_VERSION],
            &(*kind as u32).to_le_bytes(),
            &height.to_le_bytes(),
            &time.0.to_le_bytes(),
            &id.0,
            &(*code as u16).to_le_bytes(),
            signatures,
            outcome,
        ];
        let mut at = 0;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        assert_eq!(at, LEAF_BYTES, "leaves are of fixed size");
        bytes
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode_versioned(bytes, LEAF_BYTES)
    }
}

/// A seal's public body: what an auditor compares block by block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealBody {
    /// The block.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// SHA-256 of the whole Raft entry; of the genesis document for block 0.
    #[serde(with = "crate::bytes::array")]
    pub entry: Hash,
    /// Items of the batch.
    pub items: u32,
    /// How many of them were void.
    pub void: u32,
    /// The rules in force.
    pub rules_version: u16,
    /// Digest of all replicated state after the block (decision 10).
    #[serde(with = "crate::bytes::array")]
    pub state: Hash,
}

impl SealBody {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a seal body.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode_versioned(bytes, 256)
    }

    /// The seal's id: SHA-256 of the body, so that anyone can check a body against its leaf.
    #[must_use]
    pub fn id(&self) -> TxId {
        TxId(crate::hash::sha256(&self.encode()))
    }

    /// The leaf that closes the block.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        Leaf {
            kind: LeafKind::Seal,
            height: self.height,
            time: self.time,
            id: self.id(),
            code: Code::Applied,
            signatures: [0; 32],
            outcome: [0; 32],
        }
    }
}

/// What became due: the cause of a system leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SystemCause {
    /// Of which kind.
    pub kind: DueKind,
    /// The id of what was due.
    #[serde(with = "crate::bytes::array")]
    pub cause: [u8; 32],
    /// When.
    pub deadline: Time,
}

impl SystemCause {
    /// The leaf's id.
    #[must_use]
    pub fn id(&self) -> TxId {
        system_id(self.kind, &self.cause, self.deadline)
    }

    /// What salts the leaf's outcome.
    #[must_use]
    pub fn salt(&self) -> Salt {
        system_salt(&self.cause)
    }
}

/// A system leaf's id: hash of (kind, cause, deadline).
#[must_use]
pub fn system_id(kind: DueKind, cause: &[u8; 32], deadline: Time) -> TxId {
    TxId(tagged("musubi/v1/system", &[&[kind as u8], cause, &deadline.0.to_le_bytes()]))
}

/// The salt of a system leaf's outcome, derived from its cause.
#[must_use]
pub fn system_salt(cause: &[u8; 32]) -> Salt {
    let hash = tagged("musubi/v1/system-salt", &[cause]);
    let mut salt = [0; 16];
    salt.copy_from_slice(&hash[..16]);
    Salt(salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leafs_bytes_are_its_encoding() {
        for kind in [LeafKind::Genesis, LeafKind::Transaction, LeafKind::System, LeafKind::Seal] {
            for &code in Code::ALL {
                let (height, time) = (u64::from(code as u16) << 40 | 7, Time(1 << 41 | 9));
                let (id, signatures, outcome) = (TxId([3; 32]), [4; 32], [5; 32]);
                let leaf = Leaf { kind, height, time, id, code, signatures, outcome };
                assert_eq!(leaf.encode(), codec::encode_versioned(&leaf));
                assert_eq!(Leaf::decode(&leaf.bytes()), Ok(leaf));
            }
        }
    }
}
