//! The one canonical byte form ("LE-fix", `docs/FORMAT.md`): little-endian, fixed-width integers,
//! `u32` enum tags, `u64` lengths, no maps, floats, `usize` or `char`. One value has one byte string.
//!
//! This is the only file that names bincode (RUSTSEC-2025-0141: unmaintained, hence pinned and walled in).

use bincode::{enc::write::Writer, error::EncodeError};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// The first byte of everything versioned: bodies, transactions, batches, leaves, seals.
pub const FORMAT_VERSION: u8 = 1;

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// More bytes than the caller's limit.
    #[error("too long: {got} bytes, at most {limit}")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// No bytes, or another version byte than [`FORMAT_VERSION`].
    #[error("unknown format version")]
    Version,
    /// Not the encoding of any value of the type.
    #[error("not a valid encoding")]
    Malformed,
    /// A value follows by more bytes.
    #[error("bytes left over after the value")]
    Trailing,
    /// Decodes, but is not the one encoding of that value.
    #[error("not the canonical encoding of this value")]
    NotCanonical,
}

type LeFix = bincode::config::Configuration<bincode::config::LittleEndian, bincode::config::Fixint>;

const fn config() -> LeFix {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding()
}

/// Room for nearly every value at once: growing a buffer step by step costs more than encoding.
const USUAL_BYTES: usize = 384;

/// The canonical bytes of `value`, without a version byte.
///
/// # Panics
/// Never for the ledger's own types, which serialise to plain data; a type that cannot is a bug.
#[must_use]
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    encode_behind(Vec::with_capacity(USUAL_BYTES), value)
}

/// The canonical bytes of `value` behind the version byte.
#[must_use]
pub fn encode_versioned<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(FORMAT_VERSION);
    encode_behind(bytes, value)
}

/// The canonical bytes of `value` behind what `bytes` holds: for whoever needs room in front, or knows how much
/// there will be.
///
/// # Panics
/// As [`encode`].
#[must_use]
pub fn encode_behind<T: Serialize + ?Sized>(bytes: Vec<u8>, value: &T) -> Vec<u8> {
    let mut to = Append(bytes);
    let encoded = bincode::serde::encode_into_writer(value, &mut to, config());
    encoded.expect("the ledger's types always encode");
    to.0
}

struct Append(Vec<u8>);

impl Writer for Append {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Takes an encoding for as long as it is the expected one.
struct Expect<'b>(&'b [u8]);

impl Writer for Expect<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.ok_or(EncodeError::Other("not the expected bytes"))?;
        Ok(())
    }
}

fn is_encoding_of<T: Serialize>(bytes: &[u8], value: &T) -> bool {
    let mut expect = Expect(bytes);
    let encoded = bincode::serde::encode_into_writer(value, &mut expect, config());
    encoded.is_ok() && expect.0.is_empty()
}

/// Reads one value that takes up all of `bytes`.
///
/// # Errors
/// Any [`CodecError`] but `Version`. Lengths inside are checked against what is there before
/// anything is allocated, so hostile bytes cost no more memory than their own size allows.
pub fn decode<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { got: bytes.len(), limit });
    }
    let (value, used) = decode_prefix::<T>(bytes)?;
    if used != bytes.len() {
        return Err(CodecError::Trailing);
    }
    // Fixed-width little-endian leaves no second spelling; the check keeps that true for ever.
    if !is_encoding_of(bytes, &value) {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

/// Reads one value behind its version byte.
///
/// # Errors
/// As [`decode`], and `Version`.
pub fn decode_versioned<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { got: bytes.len(), limit });
    }
    match bytes.split_first() {
        Some((&FORMAT_VERSION, rest)) => decode(rest, limit),
        _ => Err(CodecError::Version),
    }
}

fn decode_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    // bincode counts claimed lengths against this limit before it allocates.
    let bounded = config().with_limit::<{ 2 * crate::limits::GENESIS_BYTES_MAX }>();
    bincode::serde::decode_from_slice(bytes, bounded).map_err(|_| CodecError::Malformed)
}
