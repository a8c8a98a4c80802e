//! The one way in which transactions' signatures are judged: ZIP-215, in batches.
//!
//! ZIP-215 is the only published Ed25519 rule under which batch and single verdicts agree by
//! construction, so every path (door, executor, replica, audit) may choose its own batch size.
//! Coefficients come from a generator seeded by all keys, messages and signatures: no entropy is
//! used and a run can be repeated exactly (decision 6).

use core::convert::Infallible;

use ed25519_zebra::{Signature, VerificationKeyBytes, batch};

use crate::keys::{PublicKey, SignatureBytes};

/// One signature to check.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// What is said to be signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: SignatureBytes,
}

/// Verifies all of `checks` and tells for each whether it holds. A failed batch is halved until the
/// culprits stand alone; the verdicts do not depend on how the checks are grouped.
#[must_use]
pub fn verify_all(checks: &[Check<'_>]) -> Vec<bool> {
    let items: Vec<batch::Item> = checks.iter().map(item).collect();
    let mut verdicts = vec![false; checks.len()];
    settle(checks, &items, &mut verdicts);
    verdicts
}

fn item(check: &Check<'_>) -> batch::Item {
    let key = VerificationKeyBytes::from(check.key.0);
    let signature = Signature::from_bytes(&check.signature.0);
    batch::Item::from((key, signature, check.message))
}

fn settle(checks: &[Check<'_>], items: &[batch::Item], verdicts: &mut [bool]) {
    match items {
        [] => {}
        [only] => verdicts[0] = only.clone().verify_single().is_ok(),
        _ if batch_holds(checks, items) => verdicts.fill(true),
        _ => {
            let middle = items.len() / 2;
            let (left, right) = verdicts.split_at_mut(middle);
            settle(&checks[..middle], &items[..middle], left);
            settle(&checks[middle..], &items[middle..], right);
        }
    }
}

fn batch_holds(checks: &[Check<'_>], items: &[batch::Item]) -> bool {
    let mut verifier = batch::Verifier::new();
    for item in items {
        verifier.queue(item.clone());
    }
    verifier.verify(Coefficients::over(checks)).is_ok()
}

/// The batch equation's random coefficients: BLAKE3 output keyed by everything that is checked, so
/// that nobody can choose signatures after knowing the coefficients.
struct Coefficients(blake3::OutputReader);

impl Coefficients {
    fn over(checks: &[Check<'_>]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/batch-verification");
        for check in checks {
            hasher.update(&check.key.0);
            hasher.update(&check.signature.0);
            hasher.update(&(check.message.len() as u64).to_le_bytes());
            hasher.update(check.message);
        }
        Self(hasher.finalize_xof())
    }
}

impl rand_core::TryRng for Coefficients {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SecretKey;

    #[test]
    fn every_culprit_is_found_wherever_it_stands() {
        let keys: Vec<SecretKey> = (0..37).map(|n| SecretKey::from_seed(&[n; 32])).collect();
        let messages: Vec<Vec<u8>> = (0..37).map(|n| vec![n; usize::from(n)]).collect();
        for bad in [vec![], vec![0], vec![36], vec![3, 4, 5, 20], (0..37).collect::<Vec<usize>>()] {
            let signatures: Vec<SignatureBytes> = keys
                .iter()
                .enumerate()
                .map(|(i, key)| {
                    let mut signature = key.sign(&messages[i]);
                    signature.0[3] ^= u8::from(bad.contains(&i));
                    signature
                })
                .collect();
            let checks: Vec<Check<'_>> = (0..37)
                .map(|i| Check {
                    key: keys[i].public(),
                    message: &messages[i],
                    signature: signatures[i],
                })
                .collect();
            let verdicts = verify_all(&checks);
            for (i, holds) in verdicts.into_iter().enumerate() {
                assert_eq!(holds, !bad.contains(&i), "signature {i} with bad {bad:?}");
            }
        }
    }

    #[test]
    fn a_malleated_signature_fails() {
        let key = SecretKey::from_seed(&[1; 32]);
        let mut signature = key.sign(b"pay");
        // S + L, with L the group order, little-endian (RFC 8032 section 5.1).
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut carry = 0u16;
        for (byte, add) in signature.0[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        let check = Check { key: key.public(), message: b"pay", signature };
        assert_eq!(verify_all(&[check]), [false]);
        assert_eq!(verify_all(&[check, check]), [false, false]);
    }
}
