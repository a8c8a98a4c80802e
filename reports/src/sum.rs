//! Sums with a sign: what reports add up, in 128 bits.

use core::{
    fmt,
    iter::Sum as Adds,
    ops::{Add, AddAssign, Neg, Sub},
};

use musubi_ledger::amount::Amount;
use serde::{Serialize, Serializer};

/// A sum in an instrument's smallest unit. In JSON a string, as amounts are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Sum(pub i128);

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// What of it is above nothing.
    #[must_use]
    pub fn above_zero(self) -> Self {
        Self(self.0.max(0))
    }

    /// What of it is below nothing, without its sign.
    #[must_use]
    pub fn below_zero(self) -> Self {
        Self((-self.0).max(0))
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// With decimal places and thousands separated: 1234567 with 2 is `12,345.67`.
    #[must_use]
    pub fn grouped(self, decimals: u8) -> String {
        let plain = self.plain(decimals);
        let (sign, plain) =
            plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, fraction) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
        let mut text = String::from(sign);
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text + fraction
    }

    /// With decimal places, without separators: what programs read.
    #[must_use]
    pub fn plain(self, decimals: u8) -> String {
        let places = usize::from(decimals);
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.0.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self(amount.0.into())
    }
}

impl Add for Sum {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Sum {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Sum {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Adds for Sum {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_written_with_their_places() {
        for (sum, decimals, plain, grouped) in [
            (0, 0, "0", "0"),
            (1_234_567, 0, "1234567", "1,234,567"),
            (1_234_567, 2, "12345.67", "12,345.67"),
            (-1_000, 0, "-1000", "-1,000"),
            (-5, 2, "-0.05", "-0.05"),
            (-100_000, 0, "-100000", "-100,000"),
        ] {
            assert_eq!(Sum(sum).plain(decimals), plain);
            assert_eq!(Sum(sum).grouped(decimals), grouped);
        }
    }
}
