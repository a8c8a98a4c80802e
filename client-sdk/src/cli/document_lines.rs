//! A rate's total as it is typed: `10=315`, `8r=1080:86`.

use std::str::FromStr;

use musubi_sdk::{
    Amount,
    ledger::document::tax::{TaxLine, TaxRule, lines_well_formed},
};

use super::error::CliError;

/// A rate, its total, and its tax if somebody said it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    rate: u16,
    reduced: bool,
    total: Amount,
    tax: Option<Amount>,
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || -> String {
            "expected RATE=TOTAL in per cent and yen, such as 10=315 or 8r=1080:86".into()
        };
        let (rate, sums) = text.split_once('=').ok_or_else(wrong)?;
        let reduced = rate.ends_with('r');
        let rate = thousandths(rate.trim_end_matches('r')).ok_or_else(wrong)?;
        let yen = |text: &str| text.replace(',', "").parse().map(Amount).ok();
        let (total, tax) = match sums.split_once(':') {
            Some((total, tax)) => (yen(total), Some(yen(tax).ok_or_else(wrong)?)),
            None => (yen(sums), None),
        };
        Ok(Self { rate, reduced, total: total.ok_or_else(wrong)?, tax })
    }
}

/// `10` and `7.8`, in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(tenth) || tenth.len() != 1 {
        return None;
    }
    let rate = whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)?;
    (rate <= 1_000).then_some(rate)
}

/// Lines as the ledger wants them; tax that nobody said is reckoned.
pub(crate) fn lines_of(typed: &[Line], rule: TaxRule) -> Result<Vec<TaxLine>, CliError> {
    let line = |line: &Line| {
        let Line { rate, reduced, total, .. } = *line;
        TaxLine { rate, reduced, total, tax: line.tax.unwrap_or_else(|| rule.tax(rate, total)) }
    };
    let mut lines: Vec<TaxLine> = typed.iter().map(line).collect();
    lines.sort_unstable_by_key(TaxLine::of);
    if !lines_well_formed(&lines) {
        let what = "a document has one to eight lines, each of another rate and of something";
        return Err(CliError::usage("bad_lines", what).next("sum up what has the same rate"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_sdk::ledger::{document::tax::Basis, rule::formula::Rounding};

    use super::*;

    #[test]
    fn lines_are_sorted_and_their_tax_is_reckoned_once() {
        let rule = TaxRule { basis: Basis::Net, rounding: Rounding::Floor };
        let typed = ["10=315", "8r=1,080:86", "7.8=100"].map(|text| text.parse().unwrap());
        let lines = lines_of(&typed, rule).unwrap();
        let told: Vec<(u16, u64, u64)> =
            lines.iter().map(|l| (l.rate, l.total.0, l.tax.0)).collect();
        assert_eq!(told, [(78, 100, 7), (80, 1_080, 86), (100, 315, 31)]);
        assert!(lines[1].reduced && !lines[2].reduced);
        for bad in ["10", "10=", "=5", "10=5:", "ten=5", "101=5", "1.25=5", "10=-5"] {
            assert!(bad.parse::<Line>().is_err(), "{bad}");
        }
        assert!(lines_of(&["10=1".parse().unwrap(), "10=2".parse().unwrap()], rule).is_err());
    }
}
