//! Registration numbers of issuers of qualified invoices.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// `T` and thirteen digits (登録番号). Its form is checked, not whether the tax office gave it: that is public, and off the
/// ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RegistrationNumber(u64);

const DIGITS: usize = 13;
const END: u64 = 10_000_000_000_000;

impl RegistrationNumber {
    fn new(number: u64) -> Option<Self> {
        (number < END).then_some(Self(number))
    }
}

impl fmt::Display for RegistrationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{:013}", self.0)
    }
}

/// A text that is no registration number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotARegistrationNumber;

impl fmt::Display for NotARegistrationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a registration number is T and thirteen digits")
    }
}

impl core::error::Error for NotARegistrationNumber {}

impl FromStr for RegistrationNumber {
    type Err = NotARegistrationNumber;

    fn from_str(text: &str) -> Result<Self, NotARegistrationNumber> {
        let digits = text.strip_prefix('T').ok_or(NotARegistrationNumber)?;
        let plain = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = if plain { digits.parse().ok() } else { None };
        number.and_then(Self::new).ok_or(NotARegistrationNumber)
    }
}

impl Serialize for RegistrationNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for RegistrationNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            let number = u64::deserialize(deserializer)?;
            Self::new(number).ok_or_else(|| D::Error::custom(NotARegistrationNumber))
        }
    }
}
