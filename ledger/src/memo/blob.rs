//! A memo as nodes keep it and parties pass it on: encrypted, with its key wrapped for each reader.

use serde::{Deserialize, Serialize};

use super::{MemoError, is_sealed_length};
use crate::{
    codec,
    hash::{Hash, sha256},
    id::DocumentHash,
    keys::PublicKey,
    limits::{MEMO_BLOB_BYTES_MAX, MEMO_READERS_MAX, TRANSACTION_BYTES_MAX},
    transaction::Body,
};

/// The memo's key, for one reader (RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
/// ChaCha20Poly1305).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// The reader's Ed25519 key, as registered; HPKE's is its image on Curve25519 (RFC 7748, section 4.1).
    pub reader: PublicKey,
    /// HPKE's encapsulated key.
    #[serde(with = "crate::bytes::array")]
    pub encapsulated: [u8; 32],
    /// The key, encrypted, with its tag.
    #[serde(with = "crate::bytes::array")]
    pub sealed: [u8; 48],
}

/// An encrypted memo.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoBlob {
    /// [`super::commitment`] to the memo's key.
    #[serde(with = "crate::bytes::array")]
    pub commitment: Hash,
    /// The key for each reader, ascending by reader, each once.
    pub wraps: Vec<Wrap>,
    /// The padded text under [`super::text_key`]: ChaCha20-Poly1305 (RFC 8439), nonce of zeros, no additional data.
    #[serde(with = "crate::bytes")]
    pub sealed: Vec<u8>,
}

impl MemoBlob {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads canonical bytes. What is inside is not opened: no node can.
    ///
    /// # Errors
    /// [`MemoError::Malformed`] or [`MemoError::Form`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MemoError> {
        let blob: Self =
            codec::decode_versioned(bytes, MEMO_BLOB_BYTES_MAX).map_err(MemoError::Malformed)?;
        let ascending = blob.wraps.windows(2).all(|pair| pair[0].reader < pair[1].reader);
        let readers = (1..=MEMO_READERS_MAX).contains(&blob.wraps.len());
        if ascending && readers && is_sealed_length(blob.sealed.len()) {
            Ok(blob)
        } else {
            Err(MemoError::Form)
        }
    }

    /// What a body cites: the SHA-256 of [`MemoBlob::encode`].
    #[must_use]
    pub fn hash(&self) -> DocumentHash {
        DocumentHash(sha256(&self.encode()))
    }

    /// That `body` cites this blob.
    ///
    /// # Errors
    /// [`MemoError::NotCited`] or [`MemoError::OtherBlob`].
    pub fn check_cited(&self, body: &Body) -> Result<(), MemoError> {
        match body.memo {
            None => Err(MemoError::NotCited),
            Some(hash) if hash == self.hash() => Ok(()),
            Some(_) => Err(MemoError::OtherBlob),
        }
    }

    /// The key as it was wrapped for `reader`.
    #[must_use]
    pub fn wrap_for(&self, reader: &PublicKey) -> Option<&Wrap> {
        let at = self.wraps.binary_search_by(|wrap| wrap.reader.cmp(reader)).ok()?;
        self.wraps.get(at)
    }
}

/// A transaction with the memo that it cites, each behind its length (`u32`, big-endian): what a half-signed file
/// holds and what `POST /v1/memos` takes. It begins with a zero byte, as no transaction and no text does.
///
/// # Panics
/// If a part is longer than 4 GiB.
#[must_use]
pub fn join(transaction: &[u8], blob: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 * 4 + transaction.len() + blob.len());
    for part in [transaction, blob] {
        let length = u32::try_from(part.len()).expect("transactions and memos are far shorter");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The two parts that [`join`] joined; neither is looked at.
///
/// # Errors
/// [`MemoError::Frame`].
pub fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), MemoError> {
    let (transaction, rest) = part(bytes, TRANSACTION_BYTES_MAX)?;
    let (blob, rest) = part(rest, MEMO_BLOB_BYTES_MAX)?;
    if rest.is_empty() { Ok((transaction, blob)) } else { Err(MemoError::Frame) }
}

fn part(bytes: &[u8], most: usize) -> Result<(&[u8], &[u8]), MemoError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(MemoError::Frame)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| MemoError::Frame)?;
    if length > most {
        return Err(MemoError::Frame);
    }
    rest.split_at_checked(length).ok_or(MemoError::Frame)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wrap(reader: u8) -> Wrap {
        Wrap { reader: PublicKey([reader; 32]), encapsulated: [2; 32], sealed: [3; 48] }
    }

    fn blob(readers: impl IntoIterator<Item = u8>, sealed: usize) -> MemoBlob {
        let wraps = readers.into_iter().map(wrap).collect();
        MemoBlob { commitment: [1; 32], wraps, sealed: vec![4; sealed] }
    }

    #[test]
    fn blobs_have_one_spelling_and_a_bounded_size() {
        for sealed in [82, 274, 1042] {
            let good = blob([5, 6], sealed);
            assert_eq!(MemoBlob::decode(&good.encode()).unwrap(), good);
            assert_eq!(good.wrap_for(&PublicKey([6; 32])), Some(&wrap(6)));
            assert_eq!(good.wrap_for(&PublicKey([7; 32])), None);
        }
        let largest = blob(0..MEMO_READERS_MAX as u8, 1042).encode();
        assert_eq!(largest.len(), MEMO_BLOB_BYTES_MAX);
        MemoBlob::decode(&largest).unwrap();
        for bad in [
            blob([], 82),
            blob([6, 5], 82),
            blob([5, 5], 82),
            blob([5], 0),
            blob([5], 81),
            blob([5], 83),
            blob([5], 1043),
            blob(0..=MEMO_READERS_MAX as u8, 82),
        ] {
            let error = MemoBlob::decode(&bad.encode()).unwrap_err();
            assert_eq!(error.code(), "malformed_memo");
        }
        let mut later = blob([5], 82).encode();
        later[0] = 2;
        assert_eq!(MemoBlob::decode(&later), Err(MemoError::Malformed(codec::CodecError::Version)));
    }

    #[test]
    fn frames_are_split_exactly() {
        let whole = join(b"transaction", b"blob");
        assert_eq!(whole[0], 0);
        assert_eq!(split(&whole).unwrap(), (&b"transaction"[..], &b"blob"[..]));
        for end in 0..whole.len() {
            assert_eq!(split(&whole[..end]), Err(MemoError::Frame), "{end}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(split(&longer), Err(MemoError::Frame));
        let mut huge = whole;
        huge[0] = 0xff;
        assert_eq!(split(&huge), Err(MemoError::Frame));
    }
}
