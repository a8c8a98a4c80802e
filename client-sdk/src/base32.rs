//! Base32 (RFC 4648, section 6) in upper case and without padding: every character is in QR's
//! alphanumeric set, and unlike base45 none is a blank or means something in a URL.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Why a text is no base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base32Error {
    /// The character at this position (counted in characters from 0) is not in the alphabet.
    Character(usize),
    /// The length is not that of any bytes, or bits behind the last byte are set.
    Length,
}

/// Encodes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for &byte in bytes {
        buffer = buffer << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    text
}

/// Decodes; accepts exactly what [`encode`] prints.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Base32Error> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for (position, character) in text.chars().enumerate() {
        let value = ALPHABET.iter().position(|&letter| char::from(letter) == character);
        let value = value.ok_or(Base32Error::Character(position))?;
        buffer = buffer << 5 | u32::try_from(value).map_err(|_| Base32Error::Length)?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    // Five or more bits left over would be a character too many; set ones a second spelling.
    if bits >= 5 || buffer != 0 {
        return Err(Base32Error::Length);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text), Ok(bytes.as_bytes().to_vec()));
        }
    }

    #[test]
    fn one_byte_string_has_one_spelling() {
        assert_eq!(decode("MZ"), Err(Base32Error::Length));
        assert_eq!(decode("M"), Err(Base32Error::Length));
        assert_eq!(decode("MY1"), Err(Base32Error::Character(2)));
        assert_eq!(decode("my"), Err(Base32Error::Character(0)));
        for length in 0..64 {
            let bytes: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }
    }
}
