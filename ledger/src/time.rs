//! Block time and JST civil dates derived from it. No clock is read here or anywhere in this crate.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, as stamped by blocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A JST civil date, as days since 1970-01-01 in Japan (UTC+9, no summer time).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(pub u32);

const DAY_MS: u64 = 86_400_000;
const JST_MS: u64 = 9 * 3_600_000;

impl Time {
    /// Before everything.
    pub const ZERO: Self = Self(0);

    /// This time and `ms` milliseconds, saturating at the end of time.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The JST date of this instant.
    #[must_use]
    pub fn day(self) -> Day {
        Day(u32::try_from(self.0.saturating_add(JST_MS) / DAY_MS).unwrap_or(u32::MAX))
    }

    /// The exclusive end of the JST day that lies `days` days after this instant's own: with 0,
    /// tonight's midnight. This is how "valid for n days" becomes an instant.
    #[must_use]
    pub fn end_of_day_after(self, days: u16) -> Self {
        let day = u64::from(self.day().0).saturating_add(u64::from(days)).saturating_add(1);
        Self(day.saturating_mul(DAY_MS).saturating_sub(JST_MS))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in JST, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.day().civil();
        let ms = self.0.saturating_add(JST_MS) % DAY_MS;
        let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
        let (seconds, rest) = (ms / 1_000 % 60, ms % 1_000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{rest:03}+09:00"
        )
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Day {
    /// Year, month 1 to 12, day 1 to 31 (proleptic Gregorian).
    #[must_use]
    pub fn civil(self) -> (u32, u32, u32) {
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days, for days ≥ 0.
        let z = u64::from(self.0) + 719_468;
        let era = z / 146_097;
        let day_of_era = z % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let narrow = |v: u64| u32::try_from(v).unwrap_or(u32::MAX);
        (narrow(year), narrow(month), narrow(day))
    }
}

impl Day {
    /// The date of a year, month and day of the (proleptic Gregorian) calendar, from 1970 on; none if there is
    /// no such day.
    #[must_use]
    pub fn of_civil(year: u32, month: u32, day: u32) -> Option<Self> {
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        // Howard Hinnant, days_from_civil: years begin in March.
        let shifted = u64::from((month + 9) % 12);
        let year = u64::from(year) - u64::from(month <= 2);
        let day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100
            + (153 * shifted + 2) / 5
            + u64::from(day)
            - 1;
        let days = year / 400 * 146_097 + day_of_era;
        let found = Self(u32::try_from(days.checked_sub(719_468)?).ok()?);
        // A day that the month does not have comes out as one of the next month.
        (found.civil().2 == day).then_some(found)
    }

    /// Its first instant: midnight in Japan.
    #[must_use]
    pub fn begin(self) -> Time {
        Time((u64::from(self.0) * DAY_MS).saturating_sub(JST_MS))
    }

    /// The next day.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Not a date in the form `YYYY-MM-DD`, or not one of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is written as 2026-04-01")]
pub struct DateError;

impl core::str::FromStr for Day {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let digits = |part: &str, length| {
            let plain = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
            if plain { part.parse().map_err(|_| DateError) } else { Err(DateError) }
        };
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(DateError);
        let (year, month, day) = (digits(part()?, 4)?, digits(part()?, 2)?, digits(part()?, 2)?);
        Self::of_civil(year, month, day).ok_or(DateError)
    }
}

impl fmt::Display for Day {
    /// `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_turn_at_japanese_midnight() {
        // 2026-11-22T15:00:00Z is 2026-11-23T00:00:00 in Japan.
        let midnight = Time(1_795_359_600_000);
        assert_eq!(midnight.day().civil(), (2026, 11, 23));
        assert_eq!(Time(midnight.0 - 1).day().civil(), (2026, 11, 22));
        assert_eq!(Time(midnight.0 - 1).end_of_day_after(0), midnight);
        assert_eq!(midnight.end_of_day_after(0), Time(midnight.0 + DAY_MS));
        assert_eq!(midnight.to_string(), "2026-11-23T00:00:00.000+09:00");
    }

    #[test]
    fn every_date_is_read_back_and_no_other() {
        for days in 0..60_000 {
            let (year, month, day) = Day(days).civil();
            assert_eq!(Day::of_civil(year, month, day), Some(Day(days)));
            assert_eq!(Day(days).to_string().parse(), Ok(Day(days)));
            assert!(Day(days).begin().day() == Day(days) || days == 0);
        }
        for bad in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2026-4-1",
            "1969-12-31",
            "2026-04-01 ",
            "",
            "2026",
            "+026-04-01",
            "2026-04-01-",
            "2026-04-00",
            "2100-02-29",
        ] {
            assert_eq!(bad.parse::<Day>(), Err(DateError), "{bad}");
        }
        assert_eq!("2026-11-23".parse::<Day>().map(Day::begin), Ok(Time(1_795_359_600_000)));
    }

    #[test]
    fn leap_days_exist() {
        assert_eq!(Time(1_709_132_400_000).day().civil(), (2024, 2, 29));
        assert_eq!(Day(0).civil(), (1970, 1, 1));
    }
}
