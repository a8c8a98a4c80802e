//! Calendar arithmetic on JST civil dates, without a clock: months, weekdays, business days, cut-offs of settlements.

use serde::{Deserialize, Serialize};

use crate::time::{Day, Time};

/// A length of time in calendar units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// So many days: 1 to 3,650.
    Days(u16),
    /// So many months: 1 to 120.
    Months(u16),
}

impl Span {
    /// Whether it is within its bounds.
    #[must_use]
    pub fn well_formed(self) -> bool {
        match self {
            Self::Days(days) => (1..=3_650).contains(&days),
            Self::Months(months) => (1..=120).contains(&months),
        }
    }

    /// The exclusive instant at which something that begins at `now` and lasts so long is over: the midnight
    /// that ends its last day. The first day does not count (Civil Code art. 140), and a month ends on the day of
    /// the same number, or on the month's last day if it has none (art. 143).
    #[must_use]
    pub fn end_from(self, now: Time) -> Time {
        let last = match self {
            Self::Days(days) => Day(now.day().0.saturating_add(u32::from(days))),
            Self::Months(months) => now.day().add_months(months),
        };
        last.next().begin()
    }
}

impl Day {
    /// The day so many months later: of the same number, or the month's last day if it has none. 31 August and six
    /// months is 28 or 29 February; 29 February and twelve months is 28 February.
    #[must_use]
    pub fn add_months(self, months: u16) -> Self {
        let (year, month, day) = self.civil();
        let counted = year * 12 + (month - 1) + u32::from(months);
        let (year, month) = (counted / 12, counted % 12 + 1);
        let days = (1..=day).rev().find_map(|day| Self::of_civil(year, month, day));
        // Beyond the year 9999 there are no dates: the end of time then.
        days.unwrap_or(Self(u32::MAX))
    }

    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1 January 1970 was a Thursday.
        u8::try_from((u64::from(self.0) + 3) % 7).unwrap_or_default()
    }

    /// The number of its calendar month: the period that monthly limits count by.
    #[must_use]
    pub fn month(self) -> u32 {
        let (year, month, _) = self.civil();
        year * 12 + month - 1
    }

    /// The last day of its month.
    #[must_use]
    pub fn month_end(self) -> Self {
        let (year, month, _) = self.civil();
        let last = (28..=31).rev().find_map(|day| Self::of_civil(year, month, day));
        last.unwrap_or(self)
    }

    /// The fiscal year (年度) that it lies in: from 1 April on.
    #[must_use]
    pub fn fiscal_year(self) -> u32 {
        let (year, month, _) = self.civil();
        if month >= 4 { year } else { year.saturating_sub(1) }
    }

    /// Whether banks work: Monday to Friday, and not one of `holidays`, which ascend. Public holidays and
    /// 31 December to 3 January stand in that list, not in code.
    #[must_use]
    pub fn is_business(self, holidays: &[Day]) -> bool {
        self.weekday() < 5 && holidays.binary_search(&self).is_err()
    }

    /// This day, or the nearest business day after or before it.
    #[must_use]
    pub fn rolled(self, roll: Roll, holidays: &[Day]) -> Self {
        let mut day = self;
        while !day.is_business(holidays) {
            day = match roll {
                Roll::None => return day,
                Roll::Next => day.next(),
                Roll::Previous if day.0 == 0 => return day,
                Roll::Previous => Self(day.0 - 1),
            };
        }
        day
    }
}

/// Where a payout goes that falls on a day without banks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// It stays.
    None,
    /// To the business day before.
    Previous,
    /// To the business day after.
    Next,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_clamped_to_their_last_day() {
        for (from, months, to) in [
            ("2026-08-31", 6, "2027-02-28"),
            ("2027-08-31", 6, "2028-02-29"),
            ("2028-02-29", 12, "2029-02-28"),
            ("2026-01-31", 1, "2026-02-28"),
            ("2026-01-31", 2, "2026-03-31"),
            ("2026-12-31", 2, "2027-02-28"),
            ("2026-11-22", 120, "2036-11-22"),
        ] {
            assert_eq!(day(from).add_months(months), day(to), "{from} and {months} months");
        }
        assert_eq!(day("9999-12-31").add_months(1), Day(u32::MAX));
    }

    #[test]
    fn a_span_ends_at_the_midnight_that_ends_its_last_day() {
        let noon = Time(day("2026-08-31").begin().0 + 12 * 3_600_000);
        assert_eq!(Span::Days(1).end_from(noon), day("2026-09-02").begin());
        assert_eq!(Span::Months(6).end_from(noon), day("2027-03-01").begin());
        assert_eq!(Span::Days(10).end_from(noon), noon.end_of_day_after(10));
        let last = Time(day("2026-09-01").begin().0 - 1);
        assert_eq!(Span::Days(1).end_from(last), day("2026-09-02").begin());
        assert!(!Span::Days(0).well_formed() && !Span::Months(121).well_formed());
    }

    #[test]
    fn weeks_months_and_fiscal_years() {
        assert_eq!(day("2026-11-22").weekday(), 6, "a Sunday");
        assert_eq!(day("2026-11-23").weekday(), 0);
        assert_eq!(day("2026-12-01").month(), day("2026-11-30").month() + 1);
        assert_eq!(day("2027-01-01").month(), day("2026-12-31").month() + 1);
        assert_eq!(day("2027-03-31").fiscal_year(), 2026);
        assert_eq!(day("2027-04-01").fiscal_year(), 2027);
        assert_eq!(day("2028-02-10").month_end(), day("2028-02-29"));
        assert_eq!(day("2026-04-30").month_end(), day("2026-04-30"));
    }

    #[test]
    fn payouts_roll_over_weekends_and_holidays() {
        let holidays = [day("2026-11-23")];
        // A Saturday before a holiday on Monday.
        let saturday = day("2026-11-21");
        assert_eq!(saturday.rolled(Roll::Next, &holidays), day("2026-11-24"));
        assert_eq!(saturday.rolled(Roll::Previous, &holidays), day("2026-11-20"));
        assert_eq!(saturday.rolled(Roll::None, &holidays), saturday);
        assert_eq!(day("2026-11-24").rolled(Roll::Next, &holidays), day("2026-11-24"));
    }
}
