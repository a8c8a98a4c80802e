//! Memos: texts beside the log, of which a body has only the hash (decision 16, `docs/adr/0016-memos.md`).
//!
//! Who owns what: [`blob`] is the encrypted text as nodes keep it and parties pass it on; [`reveal`] is the file
//! with which one reader shows a text to anybody. Here is what both are bound to: the [`context`] of one
//! transaction, the [`commitment`] to the memo's key, and how a text is [padded](pad).
//!
//! Nothing here encrypts: the cipher and HPKE are the SDK's, and no node has them. A node checks a blob's form
//! and hash, which is all that it can.

pub mod blob;
pub mod reveal;

use thiserror::Error;

pub use blob::{MemoBlob, Wrap, join, split};
pub use reveal::Reveal;

use crate::{
    codec::CodecError,
    hash::{Hash, tagged},
    limits::{MEMO_BYTES_MAX, MEMO_READERS_MAX},
    transaction::Body,
};

/// A memo's key: random, for one memo alone. Whoever has it reads that memo and nothing else.
pub type MemoKey = [u8; 32];

/// What stands in front of a text: its length as a `u16`.
const LENGTH_BYTES: usize = 2;
/// Bytes that a cipher's tag takes (RFC 8439).
const TAG_BYTES: usize = 16;
/// How long texts are made before they are encrypted: a blob's length tells which of these, and no more.
pub const PADDED_BYTES: [usize; 3] = [64, 256, MEMO_BYTES_MAX];

/// Why a memo was not taken, read or believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MemoError {
    /// The bytes are no blob's.
    #[error("this is no memo's blob: {0}")]
    Malformed(CodecError),
    /// A blob that decodes and still has a form that none has.
    #[error(
        "this is no memo's blob: 1 to {MEMO_READERS_MAX} readers in ascending order, each once, and a text of one \
         of the three lengths"
    )]
    Form,
    /// The frame around a transaction and its blob is cut or followed by more.
    #[error("this is no transaction with its memo: the lengths in it do not fit")]
    Frame,
    /// The file is no reveal file.
    #[error("this is no file that reveals a memo: it was damaged or is something else")]
    RevealForm,
    /// The transaction has no memo.
    #[error("the transaction has no memo")]
    NotCited,
    /// The blob is not the one whose hash the body has.
    #[error("this is not the memo that the transaction cites: it was altered, or is another one's")]
    OtherBlob,
    /// None of the blob's readers has this key.
    #[error("the memo was not written for this key")]
    NotAddressed,
    /// What was wrapped for this key does not open.
    #[error(
        "the memo's key does not open for its reader: whoever wrote the memo made it unreadable"
    )]
    BrokenWrap,
    /// The key is not the one to which the blob commits.
    #[error("this is not the key to which the memo commits: it shows nothing about the memo")]
    OtherKey,
    /// The key is the committed one, and the text does not open under it.
    #[error(
        "the memo does not open under the key to which it commits: whoever wrote it made it unreadable"
    )]
    BrokenText,
    /// The text opens, and what is behind it is not zeros, or its length is not what its padding says.
    #[error(
        "the memo's text is not padded as it must be: whoever wrote it may have hidden more in it"
    )]
    Padding,
    /// The text is not UTF-8.
    #[error("the memo is no text")]
    NotText,
    /// No text, or too much.
    #[error("a memo takes 1 to {MEMO_BYTES_MAX} bytes of text, this one has {0}")]
    Length(usize),
    /// Nobody to write for, or too many keys.
    #[error("a memo is written for 1 to {MEMO_READERS_MAX} keys, not for {0}")]
    Readers(usize),
    /// A key that no party can have registered.
    #[error("a reader's key is weak or not canonical: no party can have registered it")]
    WeakKey,
}

impl MemoError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Form => "malformed_memo",
            Self::Frame => "malformed_memo_frame",
            Self::RevealForm => "malformed_reveal",
            Self::NotCited => "memo_not_cited",
            Self::OtherBlob => "other_memo",
            Self::NotAddressed => "memo_not_addressed",
            Self::BrokenWrap => "memo_wrap_broken",
            Self::OtherKey => "other_memo_key",
            Self::BrokenText => "memo_text_broken",
            Self::Padding => "memo_padding",
            Self::NotText => "memo_not_text",
            Self::Length(_) => "memo_length",
            Self::Readers(_) => "memo_readers",
            Self::WeakKey => "weak_memo_reader",
        }
    }
}

/// What a memo belongs to: one sender's one intent on one chain. Sender and reference stand for one transaction
/// id for ever, and are known before the blob's hash is, so that the blob of one transaction says nothing
/// under another one that cites it too.
#[must_use]
pub fn context(body: &Body) -> Hash {
    let reference = body.reference.as_str().as_bytes();
    tagged("musubi/v1/memo-context", &[&body.chain.0, &body.sender.0, reference])
}

/// What a blob says of its key: only this key, in this context, is its key.
#[must_use]
pub fn commitment(key: &MemoKey, context: &Hash) -> Hash {
    tagged("musubi/v1/memo-commitment", &[key, context])
}

/// The key under which the text is encrypted. Derived beside [`commitment`], so that neither tells the other.
#[must_use]
pub fn text_key(key: &MemoKey, context: &Hash) -> Hash {
    tagged("musubi/v1/memo-text", &[key, context])
}

/// HPKE's `info` for wrapping the key to a reader.
#[must_use]
pub fn wrap_info(context: &Hash) -> Vec<u8> {
    [b"musubi/v1/memo-key", context.as_slice()].concat()
}

/// The text behind its length, with zeros up to the smallest of [`PADDED_BYTES`] that holds it.
///
/// # Errors
/// [`MemoError::Length`].
pub fn pad(text: &str) -> Result<Vec<u8>, MemoError> {
    let wrong = || MemoError::Length(text.len());
    let room = room_for(text.len()).filter(|_| !text.is_empty()).ok_or_else(wrong)?;
    let length = u16::try_from(text.len()).map_err(|_| wrong())?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(LENGTH_BYTES + room, 0);
    Ok(bytes)
}

/// The text that [`pad`] padded; nothing else is taken.
///
/// # Errors
/// [`MemoError::Padding`] or [`MemoError::NotText`].
pub fn unpad(bytes: &[u8]) -> Result<String, MemoError> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(MemoError::Padding)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (text, zeros) = rest.split_at_checked(length).ok_or(MemoError::Padding)?;
    let one_way = !text.is_empty() && room_for(length) == Some(rest.len());
    if !one_way || zeros.iter().any(|byte| *byte != 0) {
        return Err(MemoError::Padding);
    }
    String::from_utf8(text.to_vec()).map_err(|_| MemoError::NotText)
}

fn room_for(length: usize) -> Option<usize> {
    PADDED_BYTES.into_iter().find(|room| length <= *room)
}

/// Whether an encrypted text can have this length.
fn is_sealed_length(length: usize) -> bool {
    PADDED_BYTES.iter().any(|room| length == LENGTH_BYTES + room + TAG_BYTES)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_text_has_one_padding_and_its_length_is_hidden_in_a_bucket() {
        for (text, room) in [(1, 64), (64, 64), (65, 256), (256, 256), (257, 1024), (1024, 1024)] {
            let text = "x".repeat(text);
            let padded = pad(&text).unwrap();
            assert_eq!(padded.len(), LENGTH_BYTES + room);
            assert_eq!(unpad(&padded).unwrap(), text);
            // A longer bucket than needed would be a second spelling.
            let mut longer = padded.clone();
            longer.resize(LENGTH_BYTES + 1024, 0);
            assert_eq!(unpad(&longer).is_ok(), room == 1024);
        }
        assert_eq!(pad(""), Err(MemoError::Length(0)));
        assert_eq!(pad(&"x".repeat(1025)), Err(MemoError::Length(1025)));
    }

    #[test]
    fn what_is_hidden_behind_a_text_is_refused() {
        let good = pad("hi").unwrap();
        for at in 4..good.len() {
            let mut bad = good.clone();
            bad[at] = 1;
            assert_eq!(unpad(&bad), Err(MemoError::Padding), "{at}");
        }
        for length in [0, 1, 65, u16::MAX] {
            let mut bad = good.clone();
            bad[..2].copy_from_slice(&u16::to_le_bytes(length));
            assert_eq!(unpad(&bad), Err(MemoError::Padding), "{length}");
        }
        assert_eq!(unpad(&[]), Err(MemoError::Padding));
        let mut bad = good;
        bad[2] = 0xff;
        assert_eq!(unpad(&bad), Err(MemoError::NotText));
    }
}
