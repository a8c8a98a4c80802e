//! Ed25519 keys: making and signing (ed25519-dalek), what a party may register, strict checks.
//!
//! Transactions are *verified* in [`crate::verify`] by the ZIP-215 rule; what any C2SP tool must agree
//! with (checkpoints, cosignatures, a leader's signature on its batch) goes through [`verify_strict`].

use core::{fmt, str::FromStr};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::{
    id::{IdError, hex_text},
    subgroup,
};

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
    let point = strong(key).ok_or(WeakKey)?;
    if point.to_edwards().is_torsion_free() { Ok(()) } else { Err(WeakKey) }
}

/// Which of `keys` a party may register: of each what [`check_party_key`] says, for less where there are
/// hundreds.
#[must_use]
pub fn check_party_keys(keys: &[PublicKey]) -> Vec<bool> {
    let points: Vec<_> = keys.iter().map(|key| Some(strong(key)?.to_edwards())).collect();
    if keys.len() >= subgroup::MANY {
        let strong = keys.iter().zip(&points).filter_map(|(key, point)| Some((key.0, (*point)?)));
        let (seed, strong): (Vec<_>, Vec<_>) = strong.unzip();
        if subgroup::all_inside(&strong, &seed, |sum| sum.is_torsion_free()) {
            return points.iter().map(Option::is_some).collect();
        }
    }
    points.iter().map(|point| point.is_some_and(|point| point.is_torsion_free())).collect()
}

/// A canonical key that is not of small order.
fn strong(key: &PublicKey) -> Option<VerifyingKey> {
    // A point has two spellings where its y is not below the field's prime 2^255 - 19, or its sign says that
    // its x, which is zero, is odd. The latter is of small order: (0, 1) or (0, -1).
    let [first, middle @ .., last] = &key.0;
    let beyond = *first >= 0xed && middle.iter().all(|byte| *byte == 0xff) && last | 0x80 == 0xff;
    let point = VerifyingKey::from_bytes(&key.0).ok()?;
    (!beyond && !point.is_weak()).then_some(point)
}

/// Strict verification (canonical S, no small-order A or R, cofactorless): what every other tool does too.
#[must_use]
pub fn verify_strict(key: &PublicKey, message: &[u8], signature: &SignatureBytes) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    VerifyingKey::from_bytes(&key.0).is_ok_and(|k| k.verify_strict(message, &signature).is_ok())
}

hex_text!(PublicKey);
hex_text!(SignatureBytes);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// RFC 8032's rule in the dearest way: each point alone, compared with its own spelling.
    fn plainly(key: &PublicKey) -> bool {
        VerifyingKey::from_bytes(&key.0).is_ok_and(|point| {
            let edwards = point.to_edwards();
            let canonical = edwards.compress().to_bytes() == key.0;
            canonical && !point.is_weak() && edwards.is_torsion_free()
        })
    }

    /// A point of order 8 (y as in RFC 7748's curve, found in "Taming the many EdDSAs", table 1).
    const ORDER_8: &str = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa";

    #[test]
    fn keys_are_judged_alike_alone_and_together() {
        let good = |n: u16| {
            let mut seed = [7; 32];
            seed[..2].copy_from_slice(&n.to_le_bytes());
            SecretKey::from_seed(&seed).public()
        };
        let eighth = VerifyingKey::from_bytes(&hex::decode(ORDER_8).unwrap().try_into().unwrap());
        let eighth = eighth.unwrap().to_edwards();
        // A good key and something of order 2, 4 or 8 on top.
        let mixed = |n: u16, times: usize| {
            let point = VerifyingKey::from_bytes(&good(n).0).unwrap().to_edwards();
            let mixed = (0..times).fold(point, |sum, _| sum + eighth);
            PublicKey(mixed.compress().to_bytes())
        };
        let mut beyond = [0xff; 32];
        let mut bad = vec![PublicKey([0; 32]), PublicKey(beyond)];
        for low in 0xe0..=0xff {
            for high in [0x7f, 0xff] {
                (beyond[0], beyond[31]) = (low, high);
                bad.push(PublicKey(beyond));
                let mut small = [0; 32];
                (small[0], small[31]) = (low - 0xe0, high & 0x80);
                bad.push(PublicKey(small));
            }
        }
        bad.extend((1..8).map(|times| mixed(900, times)));
        for key in &bad {
            assert_eq!(check_party_key(key).is_ok(), plainly(key), "{key}");
        }
        assert!(bad[bad.len() - 7..].iter().all(|key| check_party_key(key).is_err()));
        for count in [0, 3, 300] {
            let mut keys: Vec<PublicKey> = (0..count).map(good).collect();
            assert!(check_party_keys(&keys).into_iter().all(|fit| fit));
            for key in &bad {
                keys.insert(keys.len() / 2, *key);
                let each: Vec<bool> = keys.iter().map(|key| check_party_key(key).is_ok()).collect();
                assert_eq!(check_party_keys(&keys), each, "{key}");
                keys.remove(keys.len() / 2);
            }
            keys.extend(&bad);
            let each: Vec<bool> = keys.iter().map(|key| check_party_key(key).is_ok()).collect();
            assert_eq!(check_party_keys(&keys), each);
        }
    }
}
