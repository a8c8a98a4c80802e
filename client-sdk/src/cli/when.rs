//! Times on the command line: `30d` from now, or the end of a day in Japan.

use std::str::FromStr;

use musubi_sdk::Time;

/// A point in time as somebody types it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// That many milliseconds from block time.
    In(u64),
    /// Exactly then.
    At(Time),
}

impl When {
    /// The instant, seen from `now`.
    pub(crate) fn from(self, now: Time) -> Time {
        match self {
            Self::In(ms) => now.plus(ms),
            Self::At(time) => time,
        }
    }
}

/// A length of time as somebody types it, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span(pub(crate) u64);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(When::In(ms)) => Ok(Self(ms)),
            _ => Err("expected 30d, 12h, 45m or 90s".into()),
        }
    }
}

const HELP: &str = "expected 30d, 12h, 45m, or a last day such as 2027-03-31 (in Japan)";

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let duration = || {
            let unit = match text.chars().last()? {
                'd' => 86_400_000,
                'h' => 3_600_000,
                'm' => 60_000,
                's' => 1_000,
                _ => return None,
            };
            let digits = &text[..text.len() - 1];
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let number: u64 = plain.then(|| digits.parse().ok()).flatten()?;
            number.checked_mul(unit).map(Self::In)
        };
        let found = duration().or_else(|| end_of_day(text).map(Self::At));
        found.ok_or_else(|| HELP.into())
    }
}

/// The exclusive end of a Japanese day written `2027-03-31`.
fn end_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split('-');
    let mut number = |width: usize| {
        let part = parts.next()?;
        let plain = part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| part.parse::<u64>().ok()).flatten()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() || !(1970..=9999).contains(&year) {
        return None;
    }
    // No calendar table of our own: the ledger's, searched. A date it never prints does not exist.
    let wanted = (year, month, day);
    let civil = |days: u64| {
        let noon = Time(days * 86_400_000 + 3 * 3_600_000);
        let (y, m, d) = noon.day().civil();
        ((u64::from(y), u64::from(m), u64::from(d)), noon)
    };
    let (mut low, mut high) = (0, (year - 1969) * 366);
    while low < high {
        let middle = (low + high) / 2;
        if civil(middle).0 < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let (found, noon) = civil(low);
    (found == wanted).then(|| noon.end_of_day_after(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_count_from_block_time() {
        let at = |text: &str| text.parse::<When>().unwrap().from(Time(1_000));
        assert_eq!(at("2d"), Time(1_000 + 172_800_000));
        assert_eq!(at("90m"), Time(1_000 + 5_400_000));
        assert_eq!("12h".parse(), Ok(Span(43_200_000)));
        assert!("2026-11-22".parse::<Span>().is_err(), "a day is no length of time");
    }

    #[test]
    fn a_date_means_the_end_of_that_day_in_japan() {
        let at = |text: &str| text.parse::<When>().map(|when| when.from(Time::ZERO));
        assert_eq!(at("2026-11-22"), Ok(Time(1_795_359_600_000)));
        assert_eq!(at("2024-02-29"), Ok(Time(1_709_132_400_000 + 86_400_000)));
        let eve = Time(at("2027-03-31").unwrap().0 - 1).day().civil();
        assert_eq!(eve, (2027, 3, 31));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "d", "5", "-3d", "2025-02-29", "2026-13-01", "2026-1-1", "tomorrow", "５d"]
        {
            assert!(bad.parse::<When>().is_err(), "{bad}");
        }
    }
}
