//! One signature line of a note (C2SP signed-note, tlog-cosignature).
//!
//! Signing is a pure function of text, key and (for cosignatures) the time the caller gives: who may
//! sign what, and what must be on disk before, is the caller's duty.

use std::fmt;
use std::str::FromStr;

use super::base64;
use super::note::NoteError;
use super::vkey::{Algorithm, VerifierKey, is_key_name};

const LINE_START: &str = "— ";
const KEY_ID_BYTES: usize = 4;

/// One signature line. What the bytes mean is known only with the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: u32,
    signature: Vec<u8>,
}

/// A signature that a trusted key made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'k> {
    /// The key, out of those that the caller gave.
    pub key: &'k VerifierKey,
    /// For a cosignature, the time it states, in seconds since 1970.
    pub unix_seconds: Option<u64>,
}

impl NoteSignature {
    /// Signs a note's `text` with plain Ed25519. `sign` holds the secret half of `key`: wherever that
    /// lives, this file never sees it.
    ///
    /// # Panics
    /// If `key` is no [`Algorithm::Ed25519`] key: callers know what they sign with.
    pub fn sign(text: &str, key: &VerifierKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        assert!(key.algorithm() == Algorithm::Ed25519, "a cosigner's key signs no plain notes");
        Self::by(key, sign(text.as_bytes()).to_vec())
    }

    /// Cosigns a checkpoint's `text` (all of it, extension lines too), stating that at `unix_seconds`
    /// it was the largest consistent tree this cosigner had seen of its log.
    ///
    /// # Panics
    /// If `key` is no [`Algorithm::CosignatureV1`] key: callers know what they sign with.
    pub fn cosign(
        text: &str,
        key: &VerifierKey,
        unix_seconds: u64,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Self {
        assert!(key.algorithm() == Algorithm::CosignatureV1, "only a cosigner's key cosigns");
        let mut signature = unix_seconds.to_be_bytes().to_vec();
        signature.extend_from_slice(&sign(&cosigned_message(text, unix_seconds)));
        Self::by(key, signature)
    }

    fn by(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self { name: key.name().to_owned(), key_id: key.id(), signature }
    }

    /// The name of the key that claims to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that claims to have signed.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// Whether the line claims to be by `key`; name and id together decide that.
    pub(super) fn matches(&self, key: &VerifierKey) -> bool {
        self.name == key.name() && self.key_id == key.id()
    }

    /// What the line says if it is `key`'s signature of `text`, otherwise `None`.
    pub(super) fn verify<'k>(&self, text: &str, key: &'k VerifierKey) -> Option<Verified<'k>> {
        match key.algorithm() {
            Algorithm::Ed25519 => {
                let signature = self.signature.as_slice().try_into().ok()?;
                let valid = key.signed(text.as_bytes(), signature);
                valid.then_some(Verified { key, unix_seconds: None })
            }
            Algorithm::CosignatureV1 => {
                let (time, signature) = self.signature.split_first_chunk::<8>()?;
                let unix_seconds = u64::from_be_bytes(*time);
                let valid =
                    key.signed(&cosigned_message(text, unix_seconds), signature.try_into().ok()?);
                valid.then_some(Verified { key, unix_seconds: Some(unix_seconds) })
            }
        }
    }
}

impl fmt::Display for NoteSignature {
    /// The signature line, without its line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "{LINE_START}{} {}", self.name, base64::encode(&bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    /// Reads one signature line, without its line feed.
    fn from_str(line: &str) -> Result<Self, NoteError> {
        let (name, encoded) = line
            .strip_prefix(LINE_START)
            .and_then(|rest| rest.split_once(' '))
            .filter(|(name, _)| is_key_name(name))
            .ok_or(NoteError::BadSignatureLine)?;
        let bytes = base64::decode(encoded).map_err(|_| NoteError::BadSignatureLine)?;
        match bytes.split_first_chunk::<KEY_ID_BYTES>() {
            Some((id, signature)) if !signature.is_empty() => Ok(Self {
                name: name.to_owned(),
                key_id: u32::from_be_bytes(*id),
                signature: signature.to_vec(),
            }),
            _ => Err(NoteError::BadSignatureLine),
        }
    }
}

/// What a `cosignature/v1` signs: a header with the time, then the whole note text.
fn cosigned_message(text: &str, unix_seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {unix_seconds}\n{text}").into_bytes()
}
