//! Standard base64 with padding (RFC 4648, section 4), strict in both directions.
//!
//! One byte string has exactly one encoding: missing or surplus padding, white space and non-zero
//! trailing bits are refused, so that a note that verifies also re-encodes to the same bytes.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text is not the one canonical standard base64 encoding of any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not canonical standard base64: use RFC 4648 section 4 with padding and zero trailing bits"
)]
pub struct Base64Error;

impl Base64Error {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "bad_base64"
    }
}

/// Encodes `bytes`, with padding and without line breaks.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for position in 0..4 {
            // n bytes of input fill n + 1 characters; the rest of the group is padding.
            let character = if position <= chunk.len() {
                ALPHABET[(group >> (18 - 6 * position) & 0x3f) as usize]
            } else {
                b'='
            };
            text.push(char::from(character));
        }
    }
    text
}

/// Decodes `text`.
///
/// # Errors
/// [`Base64Error`] if `text` is not exactly what [`encode`] would print for some bytes.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Base64Error);
    }
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for (number, group) in groups.iter().enumerate() {
        let used = match group {
            [_, _, b'=', b'='] => 2,
            [_, _, _, b'='] => 3,
            _ => 4,
        };
        if used < 4 && number + 1 != groups.len() {
            return Err(Base64Error);
        }
        let mut value = 0u32;
        for &character in &group[..used] {
            value = value << 6 | u32::from(sextet(character).ok_or(Base64Error)?);
        }
        let [_, decoded @ ..] = (value << (6 * (4 - used))).to_be_bytes();
        if decoded[used - 1..].iter().any(|&byte| byte != 0) {
            return Err(Base64Error);
        }
        bytes.extend_from_slice(&decoded[..used - 1]);
    }
    Ok(bytes)
}

fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
