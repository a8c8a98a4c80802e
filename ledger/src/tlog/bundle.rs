//! The content of an entry bundle (C2SP tlog-tiles): each entry behind its length as a big-endian
//! u16. The bundle's place and path are [`super::tile::Bundle`]'s.

use super::tile::{Bundle, TileError};

/// Appends one entry, with its length in front, to a bundle's content.
///
/// # Errors
/// [`TileError::EntryTooLong`] beyond 65,535 bytes; `content` is then unchanged.
pub fn push_entry(content: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong)?;
    content.extend_from_slice(&length.to_be_bytes());
    content.extend_from_slice(entry);
    Ok(())
}

/// Encodes the entries of one bundle.
///
/// # Errors
/// [`TileError::EntryTooLong`] if one of them exceeds 65,535 bytes.
pub fn encode<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    let mut content = Vec::new();
    for entry in entries {
        push_entry(&mut content, entry.as_ref())?;
    }
    Ok(content)
}

/// Splits a bundle's content into its entries.
///
/// # Errors
/// [`TileError::BadContent`] unless it holds exactly `bundle.width` entries and nothing else.
pub fn decode<'a>(bundle: &Bundle, mut content: &'a [u8]) -> Result<Vec<&'a [u8]>, TileError> {
    let mut entries = Vec::with_capacity(usize::from(bundle.width));
    for _ in 0..bundle.width {
        let (length, rest) = content.split_first_chunk::<2>().ok_or(TileError::BadContent)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(TileError::BadContent)?;
        entries.push(entry);
        content = rest;
    }
    if content.is_empty() { Ok(entries) } else { Err(TileError::BadContent) }
}
