//! Ed25519 keys: making and signing (ed25519-dalek), what a party may register, strict checks.
//!
//! Transactions are *verified* in [`crate::verify`] by the ZIP-215 rule; what any C2SP tool must agree
//! with (checkpoints, cosignatures, a leader's signature on its batch) goes through [`verify_strict`].

use core::{fmt, str::FromStr};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::id::{IdError, hex_text};

/// A public key's 32 bytes, hex in JSON. Not necessarily a point: see [`check_party_key`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A signature's 64 bytes, hex in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureBytes(pub [u8; 64]);

/// A key that may not be registered: non-canonical, of small order, or with a torsion component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("weak or non-canonical key")]
pub struct WeakKey;

/// A signing key; wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A key from 32 secret bytes of good entropy (RFC 8032 seed).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The secret seed, for storing it encrypted.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs; deterministic (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> SignatureBytes {
        SignatureBytes(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

/// Whether a party may register `key`: canonical, a point of large prime order, not weak.
///
/// # Errors
/// [`WeakKey`] otherwise: signatures by such keys could verify for messages never signed.
pub fn check_party_key(key: &PublicKey) -> Result<(), WeakKey> {
    let point = VerifyingKey::from_bytes(&key.0).map_err(|_| WeakKey)?;
    let edwards = point.to_edwards();
    let canonical = edwards.compress().to_bytes() == key.0;
    if canonical && !point.is_weak() && edwards.is_torsion_free() { Ok(()) } else { Err(WeakKey) }
}

/// Strict verification (canonical S, no small-order A or R, cofactorless): what every other tool does too.
#[must_use]
pub fn verify_strict(key: &PublicKey, message: &[u8], signature: &SignatureBytes) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    VerifyingKey::from_bytes(&key.0).is_ok_and(|k| k.verify_strict(message, &signature).is_ok())
}

hex_text!(PublicKey);
hex_text!(SignatureBytes);
