//! `musubi settle days`: when is cut off and paid, by a calendar of days of the month and business days.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, ValueEnum};
use musubi_sdk::ledger::{
    calendar::Roll,
    cutoff::{Cycle, MonthDay, SettlementCalendar},
    time::Day,
};

use super::{
    error::{CliError, file_error},
    table::{self, Align, Report},
};

#[derive(Debug, Args)]
pub(crate) struct Days {
    /// A cut-off and its payout: 15=end, end=15+1 (one month later); repeat for several
    #[arg(long = "cycle", value_name = "DAY=DAY[+MONTHS]", required = true)]
    cycles: Vec<CycleArg>,
    /// Where a payout goes that falls on a day without banks
    #[arg(long, value_enum, default_value = "next")]
    roll: RollArg,
    /// Days without banks beside Saturdays and Sundays: a date such as 2027-01-11 on each line
    #[arg(long, value_name = "FILE")]
    holidays: Option<PathBuf>,
    /// From which day on
    #[arg(long, value_name = "DATE")]
    from: Day,
    /// How many
    #[arg(long, default_value_t = 6)]
    count: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum RollArg {
    /// It stays
    Stays,
    /// To the business day before
    Previous,
    /// To the business day after
    Next,
}

/// A cycle as it is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct CycleArg(Cycle);

impl FromStr for CycleArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected 15=end, or end=15+1 for a month later".to_owned();
        let day = |text: &str| match text {
            "end" => Some(MonthDay::End),
            number => number.parse().ok().map(MonthDay::Number),
        };
        let (cut, pay) = text.split_once('=').ok_or_else(wrong)?;
        let (pay, months) = pay.split_once('+').unwrap_or((pay, "0"));
        let (cut, pay) = (day(cut).ok_or_else(wrong)?, day(pay).ok_or_else(wrong)?);
        Ok(Self(Cycle { cut, pay, months: months.parse().map_err(|_| wrong())? }))
    }
}

pub(crate) fn days(args: &Days) -> Result<Report, CliError> {
    let calendar = SettlementCalendar {
        cycles: args.cycles.iter().map(|cycle| cycle.0).collect(),
        roll: match args.roll {
            RollArg::Stays => Roll::None,
            RollArg::Previous => Roll::Previous,
            RollArg::Next => Roll::Next,
        },
        holidays: args.holidays.as_deref().map(holidays).transpose()?.unwrap_or_default(),
    };
    if !calendar.well_formed() {
        let what = "a payout comes after its cut-off, on days 1 to 31, at most 12 months later";
        return Err(CliError::usage("bad_calendar", what));
    }
    let found = calendar.next(args.from, usize::from(args.count));
    let row = |cut: &musubi_sdk::ledger::cutoff::CutOff| {
        vec![cut.last.to_string(), table::time(cut.at), cut.pays.to_string()]
    };
    let columns = [("Last day", Align::Left), ("Cut off", Align::Left), ("Paid on", Align::Left)];
    let text = table::table(&columns, found.iter().map(row).collect(), "None.");
    Report::new(&found, text)
}

fn holidays(path: &Path) -> Result<Vec<Day>, CliError> {
    let text = fs::read_to_string(path).map_err(|cause| file_error(path, cause))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let day = |line: &str| {
        let what = format!("{}: `{line}` is no date", path.display());
        line.parse().map_err(|_| CliError::usage("bad_date", what).next("write it 2027-01-11"))
    };
    let mut days = lines.map(day).collect::<Result<Vec<Day>, CliError>>()?;
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cycles_are_read_as_they_are_typed() {
        let cycle = |text: &str| text.parse::<CycleArg>().map(|cycle| cycle.0);
        let end = Cycle { cut: MonthDay::End, pay: MonthDay::Number(15), months: 1 };
        assert_eq!(cycle("end=15+1"), Ok(end));
        let mid = Cycle { cut: MonthDay::Number(15), pay: MonthDay::End, months: 0 };
        assert_eq!(cycle("15=end"), Ok(mid));
        for wrong in ["15", "15=", "x=end", "15=end+x"] {
            assert!(cycle(wrong).is_err(), "{wrong}");
        }
    }
}
