//! Latencies as figures.

use std::{str::FromStr, time::Duration};

use serde::Serialize;
use serde_json::Number;

use super::Delivered;

/// Percentiles of a latency, in milliseconds: of acknowledgements, or of finality.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Half of all items.
    pub p50: Number,
    /// All but one in a hundred.
    pub p99: Number,
}

/// Milliseconds with one decimal, from microseconds: without floating-point arithmetic.
///
/// # Panics
/// Never: what is written is a number.
#[must_use]
pub fn tenths(microseconds: u128) -> Number {
    let tenths = microseconds / 100;
    let text = format!("{}.{}", tenths / 10, tenths % 10);
    Number::from_str(&text).expect("digits, a point and a digit")
}

/// What so many per cent of all durations stay below; zero if there are none.
#[must_use]
pub fn rank(mut all: Vec<Duration>, per_cent: usize) -> Duration {
    all.sort_unstable();
    let place = (all.len() * per_cent / 100).min(all.len().saturating_sub(1));
    all.get(place).copied().unwrap_or_default()
}

/// The latency that so many per cent of all items stay below; zero if there are none.
#[must_use]
pub fn percentile(delivered: &[Delivered], per_cent: usize) -> Duration {
    rank(delivered.iter().map(|d| d.answer.latency).collect(), per_cent)
}

/// Percentiles of latencies.
#[must_use]
pub fn latency(delivered: &[Delivered]) -> Latency {
    percentiles(&delivered.iter().map(|d| d.answer.latency).collect::<Vec<_>>())
}

/// Percentiles of durations.
#[must_use]
pub fn percentiles(all: &[Duration]) -> Latency {
    let at = |per_cent| tenths(rank(all.to_vec(), per_cent).as_micros());
    Latency { p50: at(50), p99: at(99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_keep_one_decimal() {
        assert_eq!(tenths(12_345).to_string(), "12.3");
        assert_eq!(tenths(40).to_string(), "0.0");
    }
}
