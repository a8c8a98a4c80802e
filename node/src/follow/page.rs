//! A page of blocks as one node hands them to another: the answer of `GET /v1/blocks`.
//!
//! Height (u64) and block time (u64) of the sender's head, then per block entry, seal body and leaves, each
//! behind its length (u32); all numbers big-endian. Leaves lie end to end, the seal's last.

use axum::body::Bytes;
use musubi_ledger::{
    execute::Head,
    leaf::{LEAF_BYTES, SealBody},
    limits::{BATCH_BYTES_MAX, BATCH_ITEMS_MAX, SYSTEM_LEAVES_MAX},
    time::Time,
};
use thiserror::Error;

/// Most blocks in one page.
pub const BLOCKS_MAX: usize = 64;
/// Bytes of the head in front.
pub const HEAD_BYTES: usize = 16;
/// A seal's body is far below this.
const SEAL_BYTES_MAX: usize = 1_024;
/// Most leaves of a block: one per item, what was due, the seal.
const LEAVES_MAX: usize = BATCH_ITEMS_MAX + SYSTEM_LEAVES_MAX + 1;
/// Most bytes that one block takes.
pub const BLOCK_BYTES_MAX: usize =
    3 * 4 + BATCH_BYTES_MAX + SEAL_BYTES_MAX + LEAVES_MAX * LEAF_BYTES;

/// A block as an upstream tells it. Nothing of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The height that was asked for.
    pub height: u64,
    /// The whole Raft entry: a batch's bytes.
    pub entry: Bytes,
    /// The seal's body.
    pub seal: Bytes,
    /// The leaves, end to end, the seal's last.
    pub leaves: Bytes,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Height of the sender's head.
    pub height: u64,
    /// Its block time.
    pub time: Time,
    /// Blocks from the height asked for on, ascending.
    pub blocks: Vec<Offered>,
}

/// Why an answer is no page. Says nothing about any block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PageError {
    /// It ends in the middle.
    #[error("the page ends in the middle of a block")]
    Cut,
    /// A part is longer than it can be.
    #[error("a part of a block is longer than it may be")]
    TooLong,
    /// More blocks than asked for.
    #[error("more blocks than were asked for")]
    TooMany,
}

/// What stands in front of the blocks.
#[must_use]
pub fn encode_head(head: Head) -> [u8; HEAD_BYTES] {
    let mut bytes = [0; HEAD_BYTES];
    bytes[..8].copy_from_slice(&head.height.to_be_bytes());
    bytes[8..].copy_from_slice(&head.time.0.to_be_bytes());
    bytes
}

/// One block.
///
/// # Panics
/// If a part is longer than 4 GiB.
#[must_use]
pub fn encode_block(entry: &[u8], seal: &SealBody, leaves: &[u8]) -> Vec<u8> {
    parts([entry, &seal.encode(), leaves])
}

fn parts(parts: [&[u8]; 3]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        let length = u32::try_from(part.len()).expect("blocks are far shorter");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

impl Offered {
    /// The block as it came: what is kept as evidence.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        parts([&self.entry, &self.seal, &self.leaves])
    }
}

impl Page {
    /// Reads a page of at most `count` blocks from height `from` on.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn decode(mut bytes: Bytes, from: u64, count: usize) -> Result<Self, PageError> {
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&take(&mut bytes, HEAD_BYTES)?);
        let number = u128::from_be_bytes(head);
        let mut page = Self {
            height: u64::try_from(number >> 64).expect("the upper half"),
            time: Time(u64::try_from(number & u128::from(u64::MAX)).expect("the lower half")),
            blocks: Vec::new(),
        };
        for height in from.. {
            if bytes.is_empty() {
                break;
            }
            if page.blocks.len() == count {
                return Err(PageError::TooMany);
            }
            let entry = part(&mut bytes, BATCH_BYTES_MAX)?;
            let seal = part(&mut bytes, SEAL_BYTES_MAX)?;
            let leaves = part(&mut bytes, LEAVES_MAX * LEAF_BYTES)?;
            page.blocks.push(Offered { height, entry, seal, leaves });
        }
        Ok(page)
    }
}

fn part(bytes: &mut Bytes, most: usize) -> Result<Bytes, PageError> {
    let mut length = [0; 4];
    length.copy_from_slice(&take(bytes, 4)?);
    let length = u32::from_be_bytes(length) as usize;
    if length > most {
        return Err(PageError::TooLong);
    }
    take(bytes, length)
}

fn take(bytes: &mut Bytes, length: usize) -> Result<Bytes, PageError> {
    if bytes.len() < length {
        return Err(PageError::Cut);
    }
    Ok(bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page(blocks: &[[&[u8]; 3]]) -> Bytes {
        let head = Head { height: 9, time: Time(7), size: 30 };
        let mut bytes = encode_head(head).to_vec();
        blocks.iter().for_each(|block| bytes.extend(parts(*block)));
        bytes.into()
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = page(&[[b"entry", b"seal", b"leaves"], [b"", b"", b""]]);
        let read = Page::decode(bytes, 3, 2).unwrap();
        assert_eq!((read.height, read.time), (9, Time(7)));
        let heights: Vec<u64> = read.blocks.iter().map(|block| block.height).collect();
        assert_eq!(heights, [3, 4]);
        assert_eq!(read.blocks[0].entry, "entry");
        assert_eq!(read.blocks[0].encode(), parts([b"entry", b"seal", b"leaves"]));
        assert!(Page::decode(page(&[]), 3, 2).unwrap().blocks.is_empty());
    }

    #[test]
    fn every_cut_and_every_excess_is_noticed() {
        let whole = page(&[[b"entry", b"seal", b"leaves"]]);
        for end in (0..whole.len()).filter(|end| *end != HEAD_BYTES) {
            assert_eq!(Page::decode(whole.slice(..end), 1, 4), Err(PageError::Cut), "{end}");
        }
        let two = page(&[[b"a", b"b", b"c"], [b"a", b"b", b"c"]]);
        assert_eq!(Page::decode(two, 1, 1), Err(PageError::TooMany));
        let mut long = whole.to_vec();
        long[HEAD_BYTES] = 0xff;
        assert_eq!(Page::decode(long.into(), 1, 1), Err(PageError::TooLong));
    }
}
