//! Transport keys: Ed25519, for Noise only, never a key of the ledger.

use std::fmt;

use libp2p::PeerId;
use libp2p::identity::{self, ed25519};

/// The public transport key of a node: 32 bytes of Ed25519.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

impl PeerKey {
    /// What libp2p calls the owner of this key; `None` when the bytes are no point of the curve.
    pub(super) fn peer_id(&self) -> Option<PeerId> {
        let key = ed25519::PublicKey::try_from_bytes(&self.0).ok()?;
        Some(identity::PublicKey::from(key).to_peer_id())
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({self})")
    }
}

/// The secret transport key of this node. Wiped when dropped, not cloneable, and its `Debug` shows
/// the public half only. (Copies that the library makes for the life of the network are wiped when
/// the network stops.)
pub struct TransportKey(ed25519::Keypair);

impl TransportKey {
    /// Takes a secret (the 32-byte seed of RFC 8032) and wipes the caller's copy.
    #[must_use]
    pub fn from_secret(secret: &mut [u8; 32]) -> Self {
        let secret = ed25519::SecretKey::try_from_bytes(secret);
        Self(ed25519::Keypair::from(secret.expect("any 32 bytes are an Ed25519 seed")))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PeerKey {
        PeerKey(self.0.public().to_bytes())
    }

    pub(super) fn identity(&self) -> identity::Keypair {
        identity::Keypair::from(self.0.clone())
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportKey(public {})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn seed_gives_the_public_key_of_the_rfc_and_is_wiped() {
        let mut secret = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        let key = TransportKey::from_secret(&mut secret);
        assert_eq!(secret, [0; 32]);
        assert_eq!(
            key.public().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert!(!format!("{key:?}").contains("9d61"));
    }

    #[test]
    fn bytes_off_the_curve_name_nobody() {
        let mut off = [0; 32];
        off[0] = 2; // y = 2 has no x on edwards25519
        assert!(PeerKey(off).peer_id().is_none());
    }
}
