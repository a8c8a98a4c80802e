//! What people see and scan: a party's or medium's id behind the scheme's own prefix.
//!
//! `town1q…` can be typed into, or scanned by, no other scheme's app: the prefix is part of the
//! checksum, so a wallet of another currency is recognised instead of paid.

use thiserror::Error;

use crate::id::{IdError, MediumId, PartyId, bech32m, parse_bech32m};

/// A scheme's printed prefix: 2 to 20 characters of a-z, fixed in the genesis document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemePrefix(String);

/// Why a text cannot be a scheme's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a scheme prefix takes 2 to 20 characters of a-z and is neither `party` nor `medium`")]
pub struct PrefixError;

impl SchemePrefix {
    /// Takes a prefix.
    ///
    /// # Errors
    /// [`PrefixError`] if it is not 2 to 20 lower-case letters, or one of the machine forms' own.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        let reserved = [PartyId::PREFIX, MediumId::PREFIX];
        let well_formed = (2..=20).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase())
            && !reserved.contains(&text);
        if well_formed { Ok(Self(text.into())) } else { Err(PrefixError) }
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A party's address: for screens, paper and QR codes (in upper case it fits their compact mode).
    #[must_use]
    pub fn address(&self, party: PartyId) -> String {
        bech32m(&self.0, &party.0)
    }

    /// Reads an address of this scheme, or a party's machine form.
    ///
    /// # Errors
    /// [`IdError::Prefix`] for an address of another scheme; the others for what is no address.
    pub fn party(&self, text: &str) -> Result<PartyId, IdError> {
        let (got, bytes) = parse_bech32m(text)?;
        if got != self.0 && got != PartyId::PREFIX {
            return Err(IdError::Prefix { got, expected: self.0.clone() });
        }
        let bytes = bytes.try_into().map_err(|_| IdError::Length { expected: 16 })?;
        Ok(PartyId(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_names_its_scheme_and_survives_a_qr_code() {
        let scheme = SchemePrefix::new("maebashi").unwrap();
        let party = PartyId([7; 16]);
        let text = scheme.address(party);
        assert!(text.starts_with("maebashi1"));
        assert_eq!(scheme.party(&text.to_uppercase()), Ok(party));
        assert_eq!(scheme.party(&party.to_string()), Ok(party));
        let other = SchemePrefix::new("kiryu").unwrap();
        assert!(matches!(other.party(&text), Err(IdError::Prefix { .. })));
    }

    #[test]
    fn a_mistyped_character_is_caught() {
        let scheme = SchemePrefix::new("maebashi").unwrap();
        let text = scheme.address(PartyId([9; 16]));
        for position in 9..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] = if bytes[position] == b'q' { b'p' } else { b'q' };
            assert!(scheme.party(core::str::from_utf8(&bytes).unwrap()).is_err());
        }
    }

    #[test]
    fn prefixes_are_plain_words() {
        for bad in ["", "a", "party", "medium", "Maebashi", "mae1", "aaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(SchemePrefix::new(bad), Err(PrefixError));
        }
    }
}
