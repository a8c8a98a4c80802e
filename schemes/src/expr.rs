//! What an expectation measures: integers, `+ - * / ( )` and functions of what was observed. No float, no rounding: a
//! division that leaves a rest is a mistake.

mod ask;
mod call;
mod known;
mod parse;

use core::fmt;

pub use self::ask::{Ask, Asked, Did, Flow, Has, Key};
pub(crate) use self::parse::{arithmetic, parse};

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A whole number.
    Number(i128),
    /// Something observed.
    Ask(Ask),
    /// Two expressions and what joins them.
    Join(Box<Expr>, Sign, Box<Expr>),
}

/// What joins two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Sum.
    Plus,
    /// Difference.
    Minus,
    /// Product.
    Times,
    /// Quotient, without a rest.
    Over,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// Beyond 128 bits.
    #[error("the result is out of range")]
    Range,
    /// A division that leaves a rest, or by nothing.
    #[error("{0} / {1} is not whole")]
    Rest(i128, i128),
    /// What it asks about is not there.
    #[error("{0}")]
    Absent(String),
}

impl Expr {
    /// Its value, where `answer` knows what was observed.
    ///
    /// # Errors
    /// [`NoValue`].
    pub fn value(&self, answer: &dyn Fn(&Ask) -> Result<i128, NoValue>) -> Result<i128, NoValue> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Ask(ask) => answer(ask),
            Self::Join(left, sign, right) => sign.join(left.value(answer)?, right.value(answer)?),
        }
    }

    /// Whether it depends on anything that happened.
    #[must_use]
    pub fn observes(&self) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Ask(ask) => ask.observes(),
            Self::Join(left, _, right) => left.observes() || right.observes(),
        }
    }
}

impl Sign {
    fn join(self, left: i128, right: i128) -> Result<i128, NoValue> {
        match self {
            Self::Plus => left.checked_add(right).ok_or(NoValue::Range),
            Self::Minus => left.checked_sub(right).ok_or(NoValue::Range),
            Self::Times => left.checked_mul(right).ok_or(NoValue::Range),
            Self::Over => match left.checked_rem(right) {
                Some(0) => Ok(left / right),
                _ => Err(NoValue::Rest(left, right)),
            },
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
        })
    }
}
