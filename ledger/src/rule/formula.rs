//! What a rule gives for a base: integers alone, products in 128 bits, every rounding declared.

use serde::{Deserialize, Serialize};

use crate::{amount::Amount, limits};

/// How a quotient becomes whole units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Down.
    Floor,
    /// Up.
    Ceil,
    /// To the nearest, halves up.
    HalfUp,
}

/// What is given for a base. Nothing for a base of nothing, and never less for more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// base × num / den.
    Rate(Rate),
    /// So much, whatever the base.
    Fixed(Amount),
    /// So much for each whole step of the base: premium sets, 50 miles for 500 points.
    Steps(Steps),
    /// What the last reached threshold gives; nothing below the first. One to sixteen; both columns ascend.
    Table(Vec<Threshold>),
}

/// A rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Numerator.
    pub num: u32,
    /// Denominator; not zero.
    pub den: u32,
    /// How the quotient becomes whole.
    pub rounding: Rounding,
    /// Whether what is rounded away is kept for the same payer's next time; only with [`Rounding::Floor`].
    pub carry: bool,
}

/// So much for each whole step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// The step; not zero.
    pub every: Amount,
    /// For each.
    pub give: Amount,
}

/// A line of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// From this base on.
    pub from: Amount,
    /// So much.
    pub give: Amount,
}

/// What a formula says of a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worth {
    /// Whole units.
    pub given: Amount,
    /// What is carried from now on, in parts of the rate's denominator. Below zero where refunds took back less than
    /// was due: the next times make up for that first.
    pub carry: i64,
}

/// A part of something, rounded down, also below zero: all of it for all of the base, nothing for nothing.
fn part_of(whole: i128, left: Amount, base: Amount) -> i128 {
    if base.is_zero() {
        return 0;
    }
    (whole * i128::from(left.0)).div_euclid(i128::from(base.0))
}

/// What stays of `given` when only `left` of the base is left: in proportion, rounded down.
#[must_use]
pub fn in_proportion(given: Amount, base: Amount, left: Amount) -> Amount {
    let part = part_of(i128::from(given.0), left, base);
    u64::try_from(part).map_or(Amount::ZERO, Amount).min(given)
}

fn whole(amount: u128) -> Option<Amount> {
    u64::try_from(amount).ok().map(Amount)
}

impl Rate {
    /// Rounded down, nothing carried.
    #[must_use]
    pub const fn floor(num: u32, den: u32) -> Self {
        Self { num, den, rounding: Rounding::Floor, carry: false }
    }

    /// The exact product, in parts of the denominator: below 2^96.
    fn exact(&self, base: Amount) -> u128 {
        u128::from(base.0) * u128::from(self.num)
    }

    fn of(&self, base: Amount) -> u128 {
        let (exact, den) = (self.exact(base), u128::from(self.den));
        match self.rounding {
            Rounding::Floor => exact / den,
            Rounding::Ceil => exact.div_ceil(den),
            Rounding::HalfUp => (2 * exact + den) / (2 * den),
        }
    }

    fn with_carry(&self, base: Amount, carried: i64) -> Option<Worth> {
        let sum = i128::try_from(self.exact(base)).ok()? + i128::from(carried);
        let den = i128::from(self.den);
        let given = sum.max(0) / den;
        let carry = i64::try_from(sum - given * den).ok()?;
        Some(Worth { given: whole(u128::try_from(given).ok()?)?, carry })
    }
}

impl Formula {
    /// Whether every part is within its bounds, and more is never given for less.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        match self {
            Self::Rate(rate) => rate.den > 0 && (!rate.carry || rate.rounding == Rounding::Floor),
            Self::Fixed(_) => true,
            Self::Steps(steps) => !steps.every.is_zero(),
            Self::Table(lines) => {
                let ascend = |pair: &[Threshold]| {
                    pair[0].from < pair[1].from && pair[0].give <= pair[1].give
                };
                (1..=limits::RULE_TABLE_MAX).contains(&lines.len()) && lines.windows(2).all(ascend)
            }
        }
    }

    /// Whether what is rounded away is kept for the next time.
    #[must_use]
    pub fn carries(&self) -> bool {
        matches!(self, Self::Rate(Rate { carry: true, .. }))
    }

    /// What is given for `base`, with what was carried. `None` if it leaves the range.
    #[must_use]
    pub fn worth(&self, base: Amount, carried: i64) -> Option<Worth> {
        let given = match self {
            _ if base.is_zero() => 0,
            Self::Rate(rate) if rate.carry => return rate.with_carry(base, carried),
            Self::Rate(rate) => rate.of(base),
            Self::Fixed(amount) => u128::from(amount.0),
            Self::Steps(steps) => u128::from(base.0 / steps.every.0) * u128::from(steps.give.0),
            Self::Table(lines) => {
                let reached = lines.iter().rev().find(|line| line.from <= base);
                reached.map_or(0, |line| u128::from(line.give.0))
            }
        };
        Some(Worth { given: whole(given)?, carry: carried })
    }

    /// How much of what was `given` for `base` stays given when only `left` of the base is left: what the formula gives for
    /// that, and never more than was given. So refunds in parts take back as much as one refund of all of them. Where
    /// the base alone does not tell (carried rests), in proportion, rounded down.
    #[must_use]
    pub fn keeps(&self, given: Amount, base: Amount, left: Amount) -> Amount {
        if self.carries() {
            return in_proportion(given, base, left);
        }
        self.worth(left, 0).map_or(given, |worth| worth.given.min(given))
    }

    /// How much of what an event `carried` on stays so when only `left` of its base is left.
    ///
    /// # Panics
    /// Never: a part is not larger than the whole.
    #[must_use]
    pub fn keeps_carried(carried: i64, base: Amount, left: Amount) -> i64 {
        let part = part_of(i128::from(carried), left, base);
        i64::try_from(part).expect("a part is not larger than the whole")
    }
}
