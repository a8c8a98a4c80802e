//! A transaction: a body that says what, and signatures that say who agreed.
//!
//! The id is the hash of the body alone, so parties can sign independently and nobody can change an
//! id by touching signatures. A signature covers a preimage that names its side, role and the party
//! acted for, so it can never be used as consent for something else (decision 5).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    codec::{self, CodecError},
    hash::{Hash, tagged},
    id::{ChainId, DocumentHash, PartyId, Reference, RosterLine, Salt, TxId},
    keys::{PublicKey, SecretKey, SignatureBytes},
    limits,
    operation::Operation,
    time::Time,
    verify::Check,
};

/// What is done, by whom it is sent, until when it may be ordered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The chain it is for.
    pub chain: ChainId,
    /// The rules it was written for; void before they are active.
    pub rules_version: u16,
    /// Who submits it; one of the signers acts for this party.
    pub sender: PartyId,
    /// The sender's own name for this intent, bound to the first id judged under it, for ever.
    pub reference: Reference,
    /// 16 random bytes.
    pub salt: Salt,
    /// Void of effect from this block time on; at most 24 hours ahead when ordered.
    pub expires: Time,
    /// What it is for.
    pub purpose: Purpose,
    /// Hash of a memo kept beside the log ([`crate::memo`]).
    pub memo: Option<DocumentHash>,
    /// The payment request that this answers.
    pub answers: Option<TxId>,
    /// A roster line: the member for whom somebody else pays.
    pub on_behalf_of: Option<RosterLine>,
    /// The operation.
    pub operation: Operation,
}

/// A purpose code. The named ones are reports' vocabulary; 1000 and above are free for schemes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purpose(pub u16);

impl Purpose {
    /// None given.
    pub const NONE: Self = Self(0);
    /// Goods or services bought in a shop.
    pub const PURCHASE: Self = Self(1);
    /// Membership dues (会費).
    pub const DUES: Self = Self(2);
    /// A reward or honorarium (謝金).
    pub const REWARD: Self = Self(3);
    /// An expense paid out or reimbursed.
    pub const EXPENSE: Self = Self(4);
    /// A participation fee.
    pub const PARTICIPATION: Self = Self(5);
    /// A grant or benefit.
    pub const GRANT: Self = Self(6);
    /// A donation.
    pub const DONATION: Self = Self(7);
}

/// Which of a transfer's two sides a signature consents for; `Authority` where no value moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// For operations that move nothing.
    Authority,
    /// For the wallet (or issuance) that gives.
    Debit,
    /// For the wallet that receives.
    Credit,
}

/// In which capacity a key signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A key of the party itself.
    Holder,
    /// A person who drafts for a group.
    Drafter,
    /// A person who approves for a group.
    Approver,
    /// The person who answers for a group.
    Representative,
    /// A person who acts for a registrar, issuer or organisation.
    Officer,
    /// An issuer's automated key.
    Issuer,
    /// A merchant's terminal, presenting a medium.
    Terminal,
    /// A party that pays for another's top-up.
    Funder,
    /// An organisation's governance key.
    Governance,
    /// The key of a code that somebody shows.
    Code,
}

/// One signature, with what it consents to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The side it consents for.
    pub side: Side,
    /// The capacity in which the signer acts.
    pub role: Role,
    /// The party acted for.
    pub party: PartyId,
    /// The signing key.
    pub signer: PublicKey,
    /// The signature over [`preimage`].
    pub bytes: SignatureBytes,
}

/// A body and its signatures, ascending by (side, role, party, signer) without repetition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// What.
    pub body: Body,
    /// Who agreed.
    pub signatures: Vec<Signature>,
}

/// Why bytes are no transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// Not the canonical bytes of a transaction.
    #[error("not a transaction: {0}")]
    Codec(#[from] CodecError),
    /// Too many signatures, out of order, or one (side, role, party, signer) twice.
    #[error("signatures must be at most 16, ascending by side, role, party and signer, none twice")]
    Signatures,
}

impl Body {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// The transaction's id.
    #[must_use]
    pub fn id(&self) -> TxId {
        id(&self.encode())
    }

    /// Signs for one side in one role.
    #[must_use]
    pub fn sign(&self, side: Side, role: Role, party: PartyId, key: &SecretKey) -> Signature {
        let signer = key.public();
        let preimage = preimage(&self.chain, (side, role), &party, &signer, &self.id());
        Signature { side, role, party, signer, bytes: key.sign(&preimage) }
    }
}

impl Transaction {
    /// Puts signatures into canonical order; a repeated one is kept once.
    #[must_use]
    pub fn new(body: Body, mut signatures: Vec<Signature>) -> Self {
        signatures.sort();
        signatures.dedup_by(|a, b| a.slot() == b.slot());
        Self { body, signatures }
    }

    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads canonical bytes; signatures are not verified yet.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormError> {
        let transaction: Self = codec::decode_versioned(bytes, limits::TRANSACTION_BYTES_MAX)?;
        transaction.check_form()?;
        Ok(transaction)
    }

    /// Checks the order and number of signatures (for transactions that came as JSON).
    ///
    /// # Errors
    /// [`FormError::Signatures`].
    pub fn check_form(&self) -> Result<(), FormError> {
        let ascending = self.signatures.windows(2).all(|pair| pair[0].slot() < pair[1].slot());
        if ascending && self.signatures.len() <= limits::SIGNATURES_MAX {
            Ok(())
        } else {
            Err(FormError::Signatures)
        }
    }

    /// Hash of the signatures, as the leaf keeps it.
    #[must_use]
    pub fn signatures_hash(&self) -> Hash {
        hash_of_signatures(&codec::encode(&self.signatures))
    }

    /// The signing preimages, in the order of the signatures.
    #[must_use]
    pub fn preimages(&self, id: &TxId) -> Vec<Preimage> {
        let of =
            |s: &Signature| preimage(&self.body.chain, (s.side, s.role), &s.party, &s.signer, id);
        self.signatures.iter().map(of).collect()
    }

    /// The checks that [`crate::verify::verify_all`] must pass, over `preimages` made by
    /// [`Transaction::preimages`].
    pub fn checks<'a>(&'a self, preimages: &'a [Preimage]) -> impl Iterator<Item = Check<'a>> {
        self.signatures.iter().zip(preimages).map(|(signature, preimage)| Check {
            key: signature.signer,
            message: preimage,
            signature: signature.bytes,
        })
    }
}

/// A transaction's id and the hash of its signatures, from the bytes that it was decoded from: what
/// [`Body::id`] and [`Transaction::signatures_hash`] say, without encoding it again.
#[must_use]
pub(crate) fn hashes(bytes: &[u8], transaction: &Transaction) -> (TxId, Hash) {
    // Canonical bytes are version, body, number of signatures, signatures, each of fixed size.
    let signatures = 8 + transaction.signatures.len() * SIGNATURE_BYTES;
    let (body, signatures) = bytes.split_at(bytes.len() - signatures);
    (id(body), hash_of_signatures(signatures))
}

fn id(body: &[u8]) -> TxId {
    TxId(tagged("musubi/v1/transaction", &[body]))
}

fn hash_of_signatures(signatures: &[u8]) -> Hash {
    tagged("musubi/v1/signatures", &[signatures])
}

impl Signature {
    fn slot(&self) -> (Side, Role, PartyId, PublicKey) {
        (self.side, self.role, self.party, self.signer)
    }
}

/// Bytes of an encoded signature: side, role, party, signer, signature.
const SIGNATURE_BYTES: usize = 4 + 4 + 16 + 32 + 64;

/// Bytes of a signing preimage: a tag of 16, version, chain, side, role, party, signer, id.
pub const PREIMAGE_BYTES: usize = 16 + 1 + 32 + 1 + 1 + 16 + 32 + 32;
/// What a signature covers.
pub type Preimage = [u8; PREIMAGE_BYTES];

const PREIMAGE_TAG: &[u8; 16] = b"musubi/v1/sign\0\0";

/// What is signed: tag ‖ version ‖ chain ‖ side ‖ role ‖ party acted for ‖ signer ‖ transaction id.
#[must_use]
pub fn preimage(
    chain: &ChainId,
    (side, role): (Side, Role),
    party: &PartyId,
    signer: &PublicKey,
    id: &TxId,
) -> Preimage {
    let mut bytes = [0; PREIMAGE_BYTES];
    let parts: [&[u8]; 7] = [
        PREIMAGE_TAG,
        &[codec::FORMAT_VERSION],
        &chain.0,
        &[side as u8, role as u8],
        &party.0,
        &signer.0,
        &id.0,
    ];
    let mut at = 0;
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    assert_eq!(at, PREIMAGE_BYTES, "a preimage has a fixed layout");
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hashes_of_the_bytes_are_those_of_the_transaction() {
        let key = |n: u8| SecretKey::from_seed(&[n; 32]);
        let party = PartyId([3; 16]);
        let body = Body {
            chain: ChainId([1; 32]),
            rules_version: 1,
            sender: party,
            reference: "a".parse().unwrap(),
            salt: Salt([2; 16]),
            expires: Time(5),
            purpose: Purpose::NONE,
            memo: Some(DocumentHash([4; 32])),
            answers: None,
            on_behalf_of: None,
            operation: Operation::Unfreeze { party },
        };
        for count in 0..=16 {
            let sign = |n| body.sign(Side::Authority, Role::Officer, party, &key(n));
            let transaction = Transaction::new(body.clone(), (0..count).map(sign).collect());
            let bytes = transaction.encode();
            let decoded = Transaction::decode(&bytes).unwrap();
            let expected = (transaction.body.id(), transaction.signatures_hash());
            assert_eq!(hashes(&bytes, &decoded), expected, "{count} signatures");
        }
    }
}
