//! Frames on the submission stream: transactions on their way to the leader, signed checkpoints, talk
//! about evidence, and memos.

use musubi_ledger::{id::DocumentHash, limits};
use thiserror::Error;

use crate::memos::pull::ASKED_MAX;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Transactions' canonical bytes.
    Submissions(Vec<Vec<u8>>),
    /// The sender's signed checkpoint.
    Checkpoint(String),
    /// [`super::evidence::Talk`], not yet decoded.
    Evidence(Vec<u8>),
    /// Memos that the sender looks for.
    AskMemos(Vec<DocumentHash>),
    /// A memo's blob, not yet looked at.
    Memo(Vec<u8>),
}

/// Why a frame was not understood; the peer runs other software or is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a submission frame")]
pub struct FrameError;

const SUBMISSIONS: u8 = 1;
const CHECKPOINT: u8 = 2;
const EVIDENCE: u8 = 16;
const ASK_MEMOS: u8 = 24;
const MEMO: u8 = 25;
/// A line is some 200 bytes at most; a note has one or two a member.
const CHECKPOINT_BYTES_MAX: usize = 16 * 1_024;

impl Frame {
    /// Tag byte, then (length as u32 big-endian ‖ bytes) repeated, or the note's text.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Submissions(items) => {
                let mut bytes = vec![SUBMISSIONS];
                for item in items {
                    push_item(&mut bytes, item);
                }
                bytes
            }
            Self::Checkpoint(note) => [&[CHECKPOINT], note.as_bytes()].concat(),
            Self::Evidence(talk) => [&[EVIDENCE], talk.as_slice()].concat(),
            Self::AskMemos(memos) => {
                let hashes = memos.iter().flat_map(|memo| memo.0);
                [ASK_MEMOS].into_iter().chain(hashes).collect()
            }
            Self::Memo(blob) => [&[MEMO], blob.as_slice()].concat(),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        match bytes.split_first() {
            Some((&SUBMISSIONS, rest)) => split_items(rest).map(Self::Submissions),
            Some((&CHECKPOINT, rest)) if rest.len() <= CHECKPOINT_BYTES_MAX => {
                let text = std::str::from_utf8(rest).map_err(|_| FrameError)?;
                Ok(Self::Checkpoint(text.into()))
            }
            Some((&EVIDENCE, rest)) => Ok(Self::Evidence(rest.to_vec())),
            Some((&ASK_MEMOS, rest)) => match rest.as_chunks() {
                (hashes, []) if hashes.len() <= ASKED_MAX => {
                    Ok(Self::AskMemos(hashes.iter().copied().map(DocumentHash).collect()))
                }
                _ => Err(FrameError),
            },
            Some((&MEMO, rest)) if rest.len() <= limits::MEMO_BLOB_BYTES_MAX => {
                Ok(Self::Memo(rest.to_vec()))
            }
            _ => Err(FrameError),
        }
    }
}

/// Submission frames for these items, each small enough for the wire.
#[must_use]
pub fn frames(items: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut group = Vec::new();
    let mut bytes = 0;
    for item in items {
        let size = item.len() + 4;
        let full =
            bytes + size > limits::HTTP_BULK_BYTES_MAX || group.len() == limits::BATCH_ITEMS_MAX;
        if full && !group.is_empty() {
            frames.push(Frame::Submissions(std::mem::take(&mut group)).encode());
            bytes = 0;
        }
        bytes += size;
        group.push(item);
    }
    if !group.is_empty() {
        frames.push(Frame::Submissions(group).encode());
    }
    frames
}

/// Appends one item: length as u32 big-endian ‖ bytes.
pub fn push_item(bytes: &mut Vec<u8>, item: &[u8]) {
    let length = u32::try_from(item.len()).expect("transactions are far smaller");
    bytes.extend(length.to_be_bytes());
    bytes.extend(item);
}

/// Splits (length ‖ bytes) repeated; each item at most a transaction's size, none left over.
///
/// # Errors
/// [`FrameError`].
pub fn split_items(mut rest: &[u8]) -> Result<Vec<Vec<u8>>, FrameError> {
    let mut items = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| FrameError)?;
        let fits = length <= limits::TRANSACTION_BYTES_MAX && length <= tail.len();
        if !fits || items.len() == limits::BATCH_ITEMS_MAX {
            return Err(FrameError);
        }
        let (item, tail) = tail.split_at(length);
        items.push(item.to_vec());
        rest = tail;
    }
    if rest.is_empty() { Ok(items) } else { Err(FrameError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_round_trip_and_garbage_is_refused() {
        for frame in [
            Frame::Submissions(vec![vec![1, 2, 3], vec![], vec![9; 500]]),
            Frame::Submissions(vec![]),
            Frame::Checkpoint("note\n".into()),
            Frame::Evidence(vec![1, 2, 3]),
            Frame::AskMemos(vec![DocumentHash([7; 32]), DocumentHash([8; 32])]),
            Frame::Memo(vec![1, 2, 3]),
        ] {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
        let whole = Frame::Submissions(vec![vec![7; 10]]).encode();
        for cut in 2..whole.len() {
            assert_eq!(Frame::decode(&whole[..cut]), Err(FrameError), "cut at {cut}");
        }
        let many = Frame::AskMemos(vec![DocumentHash([7; 32]); ASKED_MAX + 1]).encode();
        let long = Frame::Memo(vec![0; limits::MEMO_BLOB_BYTES_MAX + 1]).encode();
        let claims_too_much = [&[SUBMISSIONS][..], &u32::MAX.to_be_bytes()].concat();
        for bad in [
            &[][..],
            &[0],
            &[3, 1],
            &claims_too_much,
            &[CHECKPOINT, 0xff],
            &[ASK_MEMOS, 1],
            &many,
            &long,
        ] {
            assert_eq!(Frame::decode(bad), Err(FrameError));
        }
    }
}
