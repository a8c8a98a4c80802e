//! SHA-256 with domain tags: what gives transactions, seals and chains their ids.

use sha2::{Digest, Sha256};

/// A 32-byte digest.
pub type Hash = [u8; 32];

/// SHA-256 of `parts` behind a length-prefixed domain `tag`, so that no two uses can collide.
/// Parts are concatenated as they are: all but the last must be of fixed size.
#[must_use]
pub fn tagged(tag: &str, parts: &[&[u8]]) -> Hash {
    let tag_length = u8::try_from(tag.len()).expect("domain tags are short literals");
    let mut hasher = Sha256::new();
    hasher.update([tag_length]);
    hasher.update(tag.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Plain SHA-256, for what other tools recompute: the genesis document and Raft entries.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}
