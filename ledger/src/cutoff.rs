//! When merchants' claims are cut off and paid out: days of the month, moved to business days. Pure, of JST civil dates.

use serde::{Deserialize, Serialize};

use crate::{
    calendar::Roll,
    time::{Day, Time},
};

/// A day of some month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthDay {
    /// The day of this number, 1 to 31, or the month's last day if it has none.
    Number(u8),
    /// The last day.
    End,
}

/// A cut-off that comes every month, and when it is paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// The last day whose sales are settled.
    pub cut: MonthDay,
    /// The payout's day…
    pub pay: MonthDay,
    /// …so many months later: 0 to 12.
    pub months: u8,
}

/// When an issuer settles.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementCalendar {
    /// Its cut-offs.
    pub cycles: Vec<Cycle>,
    /// Where a payout goes that falls on a day without banks.
    pub roll: Roll,
    /// Days without banks beside Saturdays and Sundays, ascending.
    pub holidays: Vec<Day>,
}

/// One settlement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct CutOff {
    /// The last day whose sales are settled.
    pub last: Day,
    /// When it ends; exclusive.
    pub at: Time,
    /// The business day of the payout.
    pub pays: Day,
}

impl MonthDay {
    /// That day of the month in which `day` lies.
    #[must_use]
    pub fn in_month_of(self, day: Day) -> Day {
        let (year, month, _) = day.civil();
        let end = day.month_end();
        match self {
            Self::End => end,
            Self::Number(number) => Day::of_civil(year, month, u32::from(number)).unwrap_or(end),
        }
    }

    fn well_formed(self) -> bool {
        match self {
            Self::End => true,
            Self::Number(number) => (1..=31).contains(&number),
        }
    }
}

impl SettlementCalendar {
    /// Whether days and months are within bounds, holidays ascend, and nothing is paid before it is cut off.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let number = |day: MonthDay| match day {
            MonthDay::Number(number) => number,
            MonthDay::End => 31,
        };
        let follows = |c: &Cycle| c.months > 0 || number(c.cut) < number(c.pay);
        let bounded = |c: &Cycle| c.cut.well_formed() && c.pay.well_formed() && c.months <= 12;
        !self.cycles.is_empty()
            && self.cycles.iter().all(|cycle| bounded(cycle) && follows(cycle))
            && self.holidays.windows(2).all(|pair| pair[0] < pair[1])
    }

    /// The next `count` settlements whose last day is `from` or later, in order.
    #[must_use]
    pub fn next(&self, from: Day, count: usize) -> Vec<CutOff> {
        let mut found: Vec<CutOff> = Vec::new();
        let mut month = MonthDay::Number(1).in_month_of(from);
        // Every month has one of each cycle.
        while found.len() < count && !self.cycles.is_empty() && month.0 < u32::MAX {
            let mut of_month: Vec<CutOff> =
                self.cycles.iter().map(|c| self.of(*c, month)).collect();
            of_month.sort_unstable();
            of_month.dedup();
            found.extend(of_month.into_iter().filter(|cut| cut.last >= from));
            month = month.add_months(1);
        }
        found.truncate(count);
        found
    }

    /// The newest settlement that is cut off at `now`; none in the first weeks of time.
    #[must_use]
    pub fn newest(&self, now: Time) -> Option<CutOff> {
        // Every cycle comes at least once in two months, and three of them touch as many months.
        let from = Day(now.day().0.checked_sub(62)?);
        let past = self.next(from, 4 * self.cycles.len()).into_iter();
        past.take_while(|cut| cut.at <= now).last()
    }

    fn of(&self, cycle: Cycle, month: Day) -> CutOff {
        let last = cycle.cut.in_month_of(month);
        let paying = cycle.pay.in_month_of(month.add_months(u16::from(cycle.months)));
        let rolled = paying.rolled(self.roll, &self.holidays);
        // Days that are clamped or moved may fall on the cut-off, or before it: nothing is paid before it is cut off.
        let pays = match rolled > last {
            true => rolled,
            false => last.next().rolled(Roll::Next, &self.holidays),
        };
        CutOff { last, at: last.next().begin(), pays }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn calendar(roll: Roll, holidays: &[&str]) -> SettlementCalendar {
        let cycles = vec![
            Cycle { cut: MonthDay::End, pay: MonthDay::Number(15), months: 1 },
            Cycle { cut: MonthDay::Number(15), pay: MonthDay::End, months: 0 },
        ];
        SettlementCalendar { cycles, roll, holidays: holidays.iter().map(|d| day(d)).collect() }
    }

    fn days(found: &[CutOff]) -> Vec<(String, String)> {
        found.iter().map(|cut| (cut.last.to_string(), cut.pays.to_string())).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
    }

    #[test]
    fn twice_a_month_with_business_days() {
        // 31 January 2027 is a Sunday, 15 February a Monday.
        let found = calendar(Roll::Previous, &[]).next(day("2027-01-01"), 3);
        let expected = [
            ("2027-01-15", "2027-01-29"),
            ("2027-01-31", "2027-02-15"),
            ("2027-02-15", "2027-02-26"),
        ];
        assert_eq!(days(&found), pairs(&expected));
        let found = calendar(Roll::Next, &["2027-02-01", "2027-02-15"]).next(day("2027-01-15"), 2);
        assert_eq!(
            days(&found),
            pairs(&[("2027-01-15", "2027-02-02"), ("2027-01-31", "2027-02-16")])
        );
        assert_eq!(found[0].at, day("2027-01-16").begin());
    }

    #[test]
    fn a_cut_off_day_is_still_its_own() {
        let all = calendar(Roll::None, &[]);
        assert_eq!(all.next(day("2027-01-15"), 1)[0].last, day("2027-01-15"));
        assert_eq!(all.next(day("2027-01-16"), 1)[0].last, day("2027-01-31"));
    }

    #[test]
    fn the_newest_is_the_last_that_is_over() {
        let all = calendar(Roll::None, &[]);
        let newest = |now: Time| all.newest(now).unwrap().last.to_string();
        assert_eq!(newest(Time(day("2027-01-16").begin().0 - 1)), "2026-12-31");
        assert_eq!(newest(day("2027-01-16").begin()), "2027-01-15");
        assert_eq!(newest(day("2027-03-01").begin()), "2027-02-28");
        assert_eq!(all.newest(Time::ZERO), None);
        let yearly = Cycle { cut: MonthDay::Number(20), pay: MonthDay::End, months: 12 };
        let all = SettlementCalendar { cycles: vec![yearly], ..all };
        assert_eq!(all.newest(day("2027-03-20").begin()).unwrap().last, day("2027-02-20"));
    }

    #[test]
    fn short_months_are_clamped() {
        let cycle = Cycle { cut: MonthDay::Number(30), pay: MonthDay::Number(31), months: 1 };
        let all = SettlementCalendar { cycles: vec![cycle], ..calendar(Roll::None, &[]) };
        let found = all.next(day("2028-02-01"), 2);
        let expected = [("2028-02-29", "2028-03-31"), ("2028-03-30", "2028-04-30")];
        assert_eq!(days(&found), pairs(&expected));
    }

    #[test]
    fn nothing_is_paid_before_it_is_cut_off() {
        // Both days are February's last; 28 February 2027 is a Sunday.
        let cycle = Cycle { cut: MonthDay::Number(30), pay: MonthDay::End, months: 0 };
        let all = SettlementCalendar { cycles: vec![cycle], ..calendar(Roll::Previous, &[]) };
        assert_eq!(days(&all.next(day("2027-02-01"), 1)), pairs(&[("2027-02-28", "2027-03-01")]));
        // 15 May 2027 is a Saturday: the business day before it is the cut-off itself.
        let cycle = Cycle { cut: MonthDay::Number(14), pay: MonthDay::Number(15), months: 0 };
        let all = SettlementCalendar { cycles: vec![cycle], ..all };
        assert_eq!(days(&all.next(day("2027-05-01"), 1)), pairs(&[("2027-05-14", "2027-05-17")]));
    }

    #[test]
    fn what_is_no_calendar() {
        let good = calendar(Roll::Next, &["2027-01-01", "2027-01-02"]);
        assert!(good.well_formed());
        let cycle = good.cycles[0];
        let with = |cycle| SettlementCalendar { cycles: vec![cycle], ..good.clone() }.well_formed();
        assert!(!with(Cycle { cut: MonthDay::Number(0), ..cycle }));
        assert!(!with(Cycle { months: 13, ..cycle }));
        assert!(!with(Cycle { months: 0, ..cycle }), "paid before it is cut off");
        assert!(!SettlementCalendar { cycles: vec![], ..good.clone() }.well_formed());
        let turned = good.holidays.iter().rev().copied().collect();
        assert!(!SettlementCalendar { holidays: turned, ..good }.well_formed());
    }
}
