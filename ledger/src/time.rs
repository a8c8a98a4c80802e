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
    fn leap_days_exist() {
        assert_eq!(Time(1_709_132_400_000).day().civil(), (2024, 2, 29));
        assert_eq!(Day(0).civil(), (1970, 1, 1));
    }
}
