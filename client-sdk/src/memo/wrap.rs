//! A memo's key, wrapped for a party's key by HPKE (RFC 9180, base mode).
//!
//! Parties register Ed25519 keys. A point of that curve has an image on Curve25519 (RFC 7748, section 4.1), and
//! the scalar behind the signing key is the image's private key. That signatures and this KEM may share one key is
//! shown by Thormarker (<https://eprint.iacr.org/2021/509>).

use core::convert::Infallible;

use ed25519_dalek::{SigningKey, VerifyingKey};
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable,
    aead::ChaCha20Poly1305,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{TryCryptoRng, TryRng},
};
use musubi_ledger::{
    hash::Hash,
    keys::{PublicKey, SecretKey, check_party_key},
    memo::{MemoError, MemoKey, Wrap, wrap_info},
};
use zeroize::Zeroizing;

use super::Random;

type Suite = X25519HkdfSha256;
type Public = <Suite as hpke::Kem>::PublicKey;
type Private = <Suite as hpke::Kem>::PrivateKey;

/// Wraps `key` for `reader`; `context` and `commitment` bind the wrap to its memo.
pub(super) fn wrap(
    key: &MemoKey,
    (context, commitment): (&Hash, &Hash),
    reader: &PublicKey,
    random: Random<'_>,
) -> Result<Wrap, MemoError> {
    let public = image(reader)?;
    let (encapsulated, sealed) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Suite>(
            &OpModeS::Base,
            &public,
            &wrap_info(context),
            key,
            &additional(commitment, reader),
            &mut Drawn(random),
        )
        .expect("a registered key has an image, and 32 bytes are not too long");
    let mut wrap = Wrap { reader: *reader, encapsulated: [0; 32], sealed: [0; 48] };
    encapsulated.write_exact(&mut wrap.encapsulated);
    wrap.sealed.copy_from_slice(&sealed);
    Ok(wrap)
}

/// The memo's key out of a wrap for `reader`'s key.
pub(super) fn unwrap(
    wrap: &Wrap,
    (context, commitment): (&Hash, &Hash),
    reader: &SecretKey,
) -> Result<Zeroizing<MemoKey>, MemoError> {
    let broken = |_| MemoError::BrokenWrap;
    let encapsulated = <Suite as hpke::Kem>::EncappedKey::from_bytes(&wrap.encapsulated);
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(
        &OpModeR::Base,
        &private(reader),
        &encapsulated.map_err(broken)?,
        &wrap_info(context),
        &wrap.sealed,
        &additional(commitment, &reader.public()),
    );
    let opened = Zeroizing::new(opened.map_err(broken)?);
    let key: MemoKey = opened[..].try_into().map_err(|_| MemoError::BrokenWrap)?;
    Ok(Zeroizing::new(key))
}

/// The image of a party's key on Curve25519. Only for keys that a party may register: of them no two have one image
/// but a key and its negative, and none has an image of small order.
fn image(key: &PublicKey) -> Result<Public, MemoError> {
    check_party_key(key).map_err(|_| MemoError::WeakKey)?;
    let point = VerifyingKey::from_bytes(&key.0).map_err(|_| MemoError::WeakKey)?;
    Public::from_bytes(point.to_montgomery().as_bytes()).map_err(|_| MemoError::WeakKey)
}

/// The private key of [`image`]'s.
fn private(key: &SecretKey) -> Private {
    let seed = Zeroizing::new(key.seed());
    let scalar = Zeroizing::new(SigningKey::from_bytes(&seed).to_scalar_bytes());
    let private = Private::from_bytes(&*scalar).expect("32 bytes are a private key");
    assert_eq!(
        Ok(Suite::sk_to_pk(&private)),
        image(&key.public()),
        "a signing key's scalar is the private key of its image"
    );
    private
}

/// What HPKE authenticates beside the key: the memo to which it belongs, and the very key of the reader, of which
/// the KEM sees the image alone.
fn additional(commitment: &Hash, reader: &PublicKey) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(commitment);
    bytes[32..].copy_from_slice(&reader.0);
    bytes
}

/// Our randomness as HPKE asks for it.
struct Drawn<'r>(Random<'r>);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(bytes);
        Ok(())
    }
}

/// [`super::seal`]'s callers answer for it: outside of tests it is the system's generator.
impl TryCryptoRng for Drawn<'_> {}
