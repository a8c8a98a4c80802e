//! Keys that sign notes: their names, algorithms, ids, and the verifier key line (`vkey`) in which
//! they are published (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};

use super::base64;
use super::merkle::sha256;

/// Longest key name that we use ourselves: tlog-cosignature's later formats hold one byte of length.
pub const MAX_NAME_BYTES: usize = 255;

/// Why a verifier key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name cannot stand in a signature line.
    #[error("a key name has 1 to 255 bytes without white space, control characters or '+'")]
    BadName,
    /// The line is not `name+hex id+base64 key`.
    #[error("not a verifier key: expected <name>+<8 lower-case hex digits>+<base64>")]
    BadFormat,
    /// The signature type is not one of [`Algorithm`].
    #[error(
        "signature type {0:#04x} is not supported: use 0x01 (Ed25519) or 0x04 (cosignature/v1)"
    )]
    UnknownAlgorithm(u8),
    /// The public key is no point of the curve, or of small order.
    #[error("the public key is not a usable Ed25519 key: copy it again from its owner")]
    BadPublicKey,
    /// The id in the line is not the one that follows from name, type and public key.
    #[error("the key id does not belong to this name and key: the line was altered or mistyped")]
    WrongKeyId,
}

impl KeyError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadName => "bad_key_name",
            Self::BadFormat => "bad_verifier_key",
            Self::UnknownAlgorithm(_) => "unknown_signature_type",
            Self::BadPublicKey => "bad_public_key",
            Self::WrongKeyId => "wrong_key_id",
        }
    }
}

/// How a key signs a note; the values are signed-note's signature types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Algorithm {
    /// Plain Ed25519 over the note's text.
    Ed25519 = 0x01,
    /// Ed25519 over a time and the note's text (tlog-cosignature, `cosignature/v1`).
    CosignatureV1 = 0x04,
}

impl Algorithm {
    fn from_type(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::CosignatureV1),
            _ => None,
        }
    }
}

/// A public key with the name and algorithm under which it signs.
///
/// Weak keys (small order) cannot be constructed; any signature by them could be forged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    algorithm: Algorithm,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    /// [`KeyError::BadName`] or [`KeyError::BadPublicKey`].
    pub fn new(name: &str, algorithm: Algorithm, public_key: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) || name.len() > MAX_NAME_BYTES {
            return Err(KeyError::BadName);
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| KeyError::BadPublicKey)?;
        if key.is_weak() {
            return Err(KeyError::BadPublicKey);
        }
        let id = key_id(name, algorithm, public_key);
        Ok(Self { name: name.to_owned(), id, algorithm, key })
    }

    /// The key's name, as it stands in signature lines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: the first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// How the key signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` is this key's over exactly `message` (strict Ed25519: canonical, no small
    /// order, so that every C2SP tool agrees).
    pub(super) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// The id of a key, a hint for finding it and no commitment to it (C2SP signed-note).
#[must_use]
pub fn key_id(name: &str, algorithm: Algorithm, public_key: &[u8; 32]) -> u32 {
    let hash = sha256(&[name.as_bytes(), b"\n", &[algorithm as u8], public_key]);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Whether `name` may stand in a signature line: not empty, no white space, no '+', no control
/// characters.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_ascii_control() || c == '+')
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = [0; 33];
        typed[0] = self.algorithm as u8;
        typed[1..].copy_from_slice(self.public_key());
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64::encode(&typed))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    /// Accepts exactly the lines that [`fmt::Display`] prints.
    fn from_str(line: &str) -> Result<Self, KeyError> {
        let mut parts = line.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::BadFormat);
        };
        if id.len() != 8 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(KeyError::BadFormat);
        }
        let typed = base64::decode(typed).map_err(|_| KeyError::BadFormat)?;
        let (&signature_type, public_key) = typed.split_first().ok_or(KeyError::BadFormat)?;
        let algorithm = Algorithm::from_type(signature_type)
            .ok_or(KeyError::UnknownAlgorithm(signature_type))?;
        let public_key = public_key.try_into().map_err(|_| KeyError::BadFormat)?;
        let key = Self::new(name, algorithm, public_key)?;
        if u32::from_str_radix(id, 16) != Ok(key.id) {
            return Err(KeyError::WrongKeyId);
        }
        Ok(key)
    }
}
