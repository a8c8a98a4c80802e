//! The one door to randomness: the operating system's generator, nothing of our own.

use musubi_ledger::{
    id::{MediumId, PartyId, Reference, RosterLine, Salt},
    keys::SecretKey,
};
use zeroize::Zeroizing;

/// `N` bytes from the operating system.
///
/// # Panics
/// If the operating system has no generator: nothing secret or unique may be made on such a machine.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills `buffer` from the operating system.
///
/// # Panics
/// As [`bytes`].
pub fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system provides random bytes");
}

/// A random number for jitter.
#[must_use]
pub fn number() -> u32 {
    u32::from_le_bytes(bytes())
}

/// A new signing key.
#[must_use]
pub fn secret_key() -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new(bytes::<32>()))
}

/// A new party's id.
#[must_use]
pub fn party_id() -> PartyId {
    PartyId(bytes())
}

/// A new medium's id.
#[must_use]
pub fn medium_id() -> MediumId {
    MediumId(bytes())
}

/// A new line of a group's roster.
#[must_use]
pub fn roster_line() -> RosterLine {
    RosterLine(bytes())
}

/// A code that somebody types or scans: 80 random bits in four groups.
#[must_use]
pub fn offer_code() -> String {
    let text = crate::base32::encode(&bytes::<10>());
    [&text[..4], &text[4..8], &text[8..12], &text[12..]].join("-")
}

/// A body's salt.
#[must_use]
pub fn salt() -> Salt {
    Salt(bytes())
}

/// A reference nobody used before: 32 hex digits, behind `prefix` and a dot if that is not empty.
///
/// # Panics
/// If `prefix` has more than 31 bytes or is not visible ASCII; callers check theirs.
#[must_use]
pub fn reference(prefix: &str) -> Reference {
    let random = hex::encode(bytes::<16>());
    let text = if prefix.is_empty() { random } else { format!("{prefix}.{random}") };
    text.parse().expect("a short visible prefix and 32 hex digits make a reference")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ_and_a_prefix_shows() {
        assert_ne!(bytes::<16>(), bytes::<16>());
        assert_ne!(secret_key().public(), secret_key().public());
        assert!(reference("TILL-3").as_str().starts_with("TILL-3."));
    }
}
