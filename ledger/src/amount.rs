//! Money as integers of an instrument's smallest unit. Strings in JSON; decimals only at the edge.

use core::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

/// A non-negative amount in the smallest unit of its instrument.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(pub u64);

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Empty, signed, spaced, zero-led, fractional, exponential, or not a number.
    #[error("an amount is a whole number without sign, spaces or leading zeros")]
    Malformed,
    /// Above 2^64 − 1, or more decimal places than the instrument's unit has.
    #[error("an amount beyond what this instrument can hold")]
    Range,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, unless it leaves the range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The smaller of two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Whether this is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount with `decimals` places: 1234 with 2 is 12.34. For people; never for arithmetic.
    #[must_use]
    pub fn to_decimal(self, decimals: u8) -> Decimal {
        Decimal::from_i128_with_scale(i128::from(self.0), u32::from(decimals))
    }

    /// Reads a decimal of an instrument with `decimals` places.
    ///
    /// # Errors
    /// [`AmountError::Range`] if it is negative, has more places, or is too large.
    pub fn from_decimal(value: Decimal, decimals: u8) -> Result<Self, AmountError> {
        let value = value.normalize();
        let places = u32::from(decimals);
        let missing = places.checked_sub(value.scale()).ok_or(AmountError::Range)?;
        let factor = 10_i128.checked_pow(missing).ok_or(AmountError::Range)?;
        let units = value.mantissa().checked_mul(factor).ok_or(AmountError::Range)?;
        u64::try_from(units).map(Self).map_err(|_| AmountError::Range)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Amount {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits || (text.len() > 1 && text.starts_with('0')) {
            return Err(AmountError::Malformed);
        }
        text.parse().map(Self).map_err(|_| AmountError::Range)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&self.0)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            u64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_plain_whole_numbers_are_amounts() {
        for bad in ["", "-1", "+1", "1e3", "1.0", "01", " 1", "1 ", "１"] {
            assert_eq!(bad.parse::<Amount>(), Err(AmountError::Malformed), "{bad}");
        }
        assert_eq!("18446744073709551616".parse::<Amount>(), Err(AmountError::Range));
        assert_eq!("18446744073709551615".parse::<Amount>(), Ok(Amount(u64::MAX)));
        assert_eq!("0".parse::<Amount>(), Ok(Amount::ZERO));
    }

    #[test]
    fn decimals_round_trip_and_never_round() {
        assert_eq!(Amount(1234).to_decimal(2).to_string(), "12.34");
        for (text, decimals, units) in [("12.34", 2, 1234), ("12.3400", 2, 1234), ("5", 0, 5)] {
            let value: Decimal = text.parse().unwrap();
            assert_eq!(Amount::from_decimal(value, decimals), Ok(Amount(units)));
        }
        for text in ["0.001", "-1"] {
            let value: Decimal = text.parse().unwrap();
            assert_eq!(Amount::from_decimal(value, 2), Err(AmountError::Range));
        }
    }
}
