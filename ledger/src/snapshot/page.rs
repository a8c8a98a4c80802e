//! Rows as they travel: a page of them, in the order of their storage keys.
//!
//! Version byte; one byte, 1 if this is the last page; then per row key and value, each behind its length as
//! a big-endian u32.

use super::SnapshotError;
use crate::{codec::FORMAT_VERSION, limits::GENESIS_BYTES_MAX};

/// Bytes of rows behind which a page ends.
pub const PAGE_BYTES: usize = 512 * 1024;
/// A row's key is far below this.
const KEY_BYTES_MAX: usize = 1_024;
/// Most bytes of a page: its last row may begin where it ends.
pub const PAGE_BYTES_MAX: usize = 2 + PAGE_BYTES + 8 + KEY_BYTES_MAX + GENESIS_BYTES_MAX;

/// A storage key and a row's bytes.
pub type KeyedRow = (Vec<u8>, Vec<u8>);

/// A page of rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowPage {
    /// Ascending by key.
    pub rows: Vec<KeyedRow>,
    /// Whether no row follows.
    pub last: bool,
}

impl RowPage {
    /// The page's bytes.
    ///
    /// # Panics
    /// If a row is longer than 4 GiB.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT_VERSION, u8::from(self.last)];
        for part in self.rows.iter().flat_map(|(key, row)| [key, row]) {
            let length = u32::try_from(part.len()).expect("rows are far shorter");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Reads a page; nothing is said of its rows.
    ///
    /// # Errors
    /// [`SnapshotError::Page`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (last, mut rest) = match bytes {
            [FORMAT_VERSION, last @ 0..=1, rest @ ..] => (*last == 1, rest),
            _ => return Err(SnapshotError::Page("it begins otherwise than a page")),
        };
        let mut rows = Vec::new();
        while !rest.is_empty() {
            let key = part(&mut rest, KEY_BYTES_MAX)?;
            let row = part(&mut rest, GENESIS_BYTES_MAX)?;
            rows.push((key.to_vec(), row.to_vec()));
        }
        if rows.is_empty() && !last {
            return Err(SnapshotError::Page("it is empty, and not the last"));
        }
        Ok(Self { rows, last })
    }
}

fn part<'b>(bytes: &mut &'b [u8], most: usize) -> Result<&'b [u8], SnapshotError> {
    let cut = || SnapshotError::Page("it ends in the middle of a row");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > most {
        return Err(SnapshotError::Page("a row is longer than one may be"));
    }
    let (part, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    *bytes = rest;
    Ok(part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_are_read_back_and_every_cut_is_noticed() {
        let rows = vec![(vec![1, 2], vec![3; 40]), (vec![1, 3], vec![])];
        for last in [false, true] {
            let page = RowPage { rows: rows.clone(), last };
            let bytes = page.encode();
            assert_eq!(RowPage::decode(&bytes).unwrap(), page);
            // Behind the first row a page may end: what is missing then shows in the digest.
            let whole = 2 + 4 + 2 + 4 + 40;
            for end in (0..bytes.len()).filter(|end| *end != whole && (*end != 2 || !last)) {
                let error = RowPage::decode(&bytes[..end]).unwrap_err();
                assert_eq!(error.code(), "snapshot_page", "{end}");
            }
        }
        let mut long = RowPage { rows, last: true }.encode();
        long[2] = 0xff;
        assert!(RowPage::decode(&long).is_err());
        assert!(RowPage::decode(&[2, 1]).is_err(), "another version");
        assert!(RowPage::decode(&[1, 1]).unwrap().rows.is_empty());
    }
}
