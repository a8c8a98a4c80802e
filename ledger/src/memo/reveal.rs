//! The file with which one reader shows a memo to anybody: its key and its blob, as three lines of text.
//!
//! It shows something only beside a body that cites the blob: a verifier takes that from a transaction's proof.

use core::fmt;

use super::{MemoBlob, MemoError, MemoKey, commitment, context};
use crate::{hash::Hash, limits::MEMO_BLOB_BYTES_MAX, tlog::base64, transaction::Body};

/// The first line.
pub const HEADER: &str = "musubi/memo-reveal@v1";
/// Longest file: both parts in base64, three line feeds.
pub const REVEAL_BYTES_MAX: usize = HEADER.len() + 3 + 44 + MEMO_BLOB_BYTES_MAX.div_ceil(3) * 4;

/// A memo's key with its blob.
#[derive(Clone, PartialEq, Eq)]
pub struct Reveal {
    /// The key. Whoever has it reads the memo.
    pub key: MemoKey,
    /// The blob.
    pub blob: MemoBlob,
}

impl Reveal {
    /// Reads a file.
    ///
    /// # Errors
    /// [`MemoError::RevealForm`], and those of [`MemoBlob::decode`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MemoError> {
        let form = || MemoError::RevealForm;
        if bytes.len() > REVEAL_BYTES_MAX {
            return Err(form());
        }
        let text = core::str::from_utf8(bytes).map_err(|_| form())?;
        let lines: Vec<&str> = text.split('\n').collect();
        let [HEADER, key, blob, ""] = lines[..] else { return Err(form()) };
        let key = base64::decode(key).ok().and_then(|key| key.try_into().ok());
        let key = key.ok_or_else(form)?;
        let blob = base64::decode(blob).map_err(|_| form())?;
        Ok(Self { key, blob: MemoBlob::decode(&blob)? })
    }

    /// That this is the memo which `body` cites, and its one key; gives the context for opening the text.
    ///
    /// # Errors
    /// [`MemoError::NotCited`], [`MemoError::OtherBlob`] or [`MemoError::OtherKey`].
    pub fn check(&self, body: &Body) -> Result<Hash, MemoError> {
        self.blob.check_cited(body)?;
        let context = context(body);
        if commitment(&self.key, &context) == self.blob.commitment {
            Ok(context)
        } else {
            Err(MemoError::OtherKey)
        }
    }
}

impl fmt::Display for Reveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, blob) = (base64::encode(&self.key), base64::encode(&self.blob.encode()));
        write!(f, "{HEADER}\n{key}\n{blob}\n")
    }
}

impl fmt::Debug for Reveal {
    /// Not the key: debug output ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reveal(of {})", self.blob.hash())
    }
}
