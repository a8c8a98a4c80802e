//! Identifiers: fixed-size bytes in the binary format, checked text in JSON.
//!
//! Parties and media print as bech32m (BIP 350), whose checksum catches any one to four mistyped
//! characters, with lower or upper case alone, so that a QR code can use its compact alphanumeric
//! mode. In JSON their prefix names the type (`party1…`); for people an [`Address`](crate::address)
//! carries the scheme's own prefix instead. Transaction and chain ids print as hex.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::{bytes::array, hash::Hash};

/// Why a text is no identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not bech32m, or its checksum does not match: mistyped or cut off.
    #[error("not a valid identifier: its checksum does not match, so it was mistyped or cut off")]
    Checksum,
    /// A valid text of another prefix.
    #[error("this identifier begins with `{got}`, expected `{expected}`")]
    Prefix {
        /// Prefix found.
        got: String,
        /// Prefix wanted.
        expected: String,
    },
    /// Wrong number of bytes.
    #[error("an identifier of {expected} bytes was expected")]
    Length {
        /// Bytes wanted.
        expected: usize,
    },
    /// Not lower-case hex.
    #[error("not lower-case hexadecimal")]
    Hex,
    /// A code with characters outside its alphabet, or empty, or too long.
    #[error("a code takes 1 to {max} characters of A-Z, 0-9 and -")]
    Code {
        /// Longest code.
        max: usize,
    },
}

/// Bech32m text of `bytes` behind `prefix`.
pub(crate) fn bech32m(prefix: &str, bytes: &[u8]) -> String {
    let hrp = bech32::Hrp::parse(prefix).expect("prefixes are checked where they enter");
    bech32::encode::<bech32::Bech32m>(hrp, bytes).expect("identifiers are far below the limit")
}

/// Prefix and bytes of a bech32m text.
pub(crate) fn parse_bech32m(text: &str) -> Result<(String, Vec<u8>), IdError> {
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32m>(text)
        .map_err(|_| IdError::Checksum)?;
    Ok((checked.hrp().to_lowercase(), checked.byte_iter().collect()))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], IdError> {
    bytes.try_into().map_err(|_| IdError::Length { expected: N })
}

pub(crate) fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(IdError::Hex);
    }
    fixed(&hex::decode(text).map_err(|_| IdError::Hex)?)
}

/// Gives a byte newtype its two serde faces: text where humans read, raw bytes in the binary format.
macro_rules! two_faces {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    $crate::bytes::array::serialize(&self.0, serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    $crate::bytes::array::deserialize(deserializer).map(Self)
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

macro_rules! bech32_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// What the machine form of this identifier begins with.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&bech32m($prefix, &self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let (got, bytes) = parse_bech32m(text)?;
                if got != $prefix {
                    return Err(IdError::Prefix { got, expected: $prefix.into() });
                }
                fixed(&bytes).map(Self)
            }
        }

        two_faces!($name);
    };
}

/// Gives a byte newtype its text, lower-case hex, and both serde faces.
macro_rules! hex_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                $crate::id::parse_hex(text).map(Self)
            }
        }

        $crate::id::two_faces!($name);
    };
}

pub(crate) use {hex_text, two_faces};

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        hex_text!($name);
    };
}

bech32_id!(
    /// Who: a party's random 16 bytes.
    PartyId,
    "party"
);
bech32_id!(
    /// A revocable identifier bound to a party that is no key: a printed QR card, an IC card.
    MediumId,
    "medium"
);
hex_id!(
    /// A transaction's id: the tagged SHA-256 of its body. What a transaction creates (a mandate, a
    /// request, a proposal, an allowance) bears its id.
    TxId,
    32
);
hex_id!(
    /// A chain's id: the SHA-256 of its genesis document.
    ChainId,
    32
);
hex_id!(
    /// A keyed pseudonym that the registrars derive from an attested identity: one per human.
    PersonTag,
    32
);
hex_id!(
    /// SHA-256 of a document kept outside: a memo, evidence, a bank's reference.
    DocumentHash,
    32
);
hex_id!(
    /// The secret of a lottery until it is shown: 32 random bytes.
    Seed,
    32
);
hex_id!(
    /// A hash of an RFC 6962 tree that a transaction names: a run's root, or a step of a path to it.
    MerkleHash,
    32
);
hex_id!(
    /// The 16 random bytes that make a body's hash hide its content.
    Salt,
    16
);
hex_id!(
    /// An opaque line of a group's roster: on whose behalf a payment was made.
    RosterLine,
    16
);

impl From<Hash> for TxId {
    fn from(hash: Hash) -> Self {
        Self(hash)
    }
}

/// An instrument's code, such as `MONEY`: 1 to 16 characters of A-Z, 0-9 and `-`, zero-padded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId([u8; crate::limits::INSTRUMENT_CODE_BYTES]);

impl InstrumentId {
    /// The padded bytes, as in keys and the binary format.
    #[must_use]
    pub fn bytes(&self) -> &[u8; crate::limits::INSTRUMENT_CODE_BYTES] {
        &self.0
    }

    fn from_padded(bytes: [u8; crate::limits::INSTRUMENT_CODE_BYTES]) -> Result<Self, IdError> {
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        let (code, padding) = bytes.split_at(end);
        let well_formed = !code.is_empty()
            && code.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'-')
            && padding.iter().all(|&b| b == 0);
        if well_formed { Ok(Self(bytes)) } else { Err(IdError::Code { max: bytes.len() }) }
    }
}

impl fmt::Display for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.iter().take_while(|&&b| b != 0) {
            write!(f, "{}", char::from(byte))?;
        }
        Ok(())
    }
}

impl fmt::Debug for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for InstrumentId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.contains('\0') {
            // Padding belongs to the bytes, not to the text: one code has one spelling.
            return Err(IdError::Code { max: crate::limits::INSTRUMENT_CODE_BYTES });
        }
        let mut padded = [0; crate::limits::INSTRUMENT_CODE_BYTES];
        padded
            .get_mut(..text.len())
            .ok_or(IdError::Code { max: crate::limits::INSTRUMENT_CODE_BYTES })?
            .copy_from_slice(text.as_bytes());
        Self::from_padded(padded)
    }
}

impl Serialize for InstrumentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            array::serialize(&self.0, serializer)
        }
    }
}

impl<'de> Deserialize<'de> for InstrumentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            Self::from_padded(array::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

/// A sender's own name for one intent (idempotency key): 1 to 64 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let max = crate::limits::REFERENCE_BYTES_MAX;
        let well_formed =
            (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if well_formed { Ok(Self(text.into())) } else { Err(IdError::Length { expected: max }) }
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| D::Error::custom("a reference takes 1 to 64 visible ASCII characters"))
    }
}

/// A rule of an instrument. Its number is its place in the order of evaluation and is never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleId {
    /// The instrument that the rule watches.
    pub instrument: InstrumentId,
    /// Its number.
    pub number: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instrument_code_has_one_spelling() {
        let code: Result<InstrumentId, _> = "U".parse();
        assert_eq!(code.map(|code| code.to_string()).as_deref(), Ok("U"));
        for bad in ["", "U\0", "u", "A B", "ABCDEFGHIJKLMNOPQ"] {
            assert!(bad.parse::<InstrumentId>().is_err(), "{bad:?}");
        }
    }
}
