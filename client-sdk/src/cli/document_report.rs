//! What a report's own file says about itself, as `musubi report` wrote it: which report it is, its days, and the record that it
//! rests on. Nothing of it is asked of whoever signs.

use std::path::Path;

use musubi_sdk::{
    ChainId, Day, DocumentHash,
    ledger::{
        document::{DocumentKind, Report, ReportKind},
        hash::sha256,
        id::MerkleHash,
    },
};
use serde::Deserialize;

use super::{error::CliError, files, session::Session};

/// The longest file that is read as a report.
const REPORT_MAX: u64 = 256 * 1024 * 1024;

/// What of a report is read. Which it is, its fields tell.
#[derive(Debug, Deserialize)]
struct Made {
    rest: Rest,
    /// Of key figures, accounts, statements.
    period: Option<Days>,
    /// Of an unused balance.
    base_date: Option<String>,
    /// Of a settlement.
    which: Option<Which>,
    /// Of key figures.
    group_moves: Option<serde::de::IgnoredAny>,
    /// Of a group's accounts.
    accounts: Option<serde::de::IgnoredAny>,
    /// Of a statement.
    owes: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Rest {
    basis: Basis,
    complete: bool,
}

#[derive(Debug, Deserialize)]
struct Basis {
    chain: ChainId,
    pinned: bool,
    height: u64,
    size: u64,
    root: MerkleHash,
    signed_height: u64,
}

#[derive(Debug, Deserialize)]
struct Days {
    first: String,
    last: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    Waiting { cut_off: String },
    Paid(Days),
    Settlement {},
}

/// Reads a report's file, once: its hash, and what it says about itself.
pub(super) async fn read(
    path: &Path,
    session: &mut Session,
) -> Result<(DocumentHash, DocumentKind), CliError> {
    let bytes = files::read_input(path, REPORT_MAX)?;
    let chain = session.composer().await?.chain;
    let report = of(&bytes, chain)?;
    Ok((DocumentHash(sha256(&bytes)), DocumentKind::Report(report)))
}

/// The fields of a report about `chain`.
fn of(bytes: &[u8], chain: ChainId) -> Result<Report, CliError> {
    let made: Made = serde_json::from_slice(bytes).map_err(|error| no_report(error.to_string()))?;
    let (what, from, to) = made.days()?;
    let Basis { height, size, root, .. } = made.rest.basis;
    made.rest.check(chain)?;
    Ok(Report { what, from, to, height, size, root })
}

fn no_report(what: impl Into<String>) -> CliError {
    let next = "give the file that `musubi report unused|kpi|accounts|settlement|statement --format json` wrote, as it is";
    CliError::usage("no_report", what).next(next)
}

fn day(text: &str) -> Result<Day, CliError> {
    text.parse().map_err(|_| no_report(format!("`{text}` is no day")))
}

impl Made {
    /// Which report, its first day if it has one, and its last.
    fn days(&self) -> Result<(ReportKind, Option<Day>, Day), CliError> {
        if let Some(date) = &self.base_date {
            return Ok((ReportKind::Unused, None, day(date)?));
        }
        if let Some(which) = &self.which {
            let (from, to) = match which {
                Which::Waiting { cut_off } => (None, day(cut_off)?),
                Which::Paid(days) => days.span()?,
                Which::Settlement {} => {
                    let what = "what waits of one settlement is about no day: it changes with every answer";
                    return Err(no_report(what));
                }
            };
            return Ok((ReportKind::Settlement, from, to));
        }
        let kinds = [
            (&self.group_moves, ReportKind::Kpi),
            (&self.accounts, ReportKind::Accounts),
            (&self.owes, ReportKind::Statement),
        ];
        let what = kinds.iter().find(|(field, _)| field.is_some()).map(|(_, what)| *what);
        let (Some(what), Some(period)) = (what, &self.period) else {
            return Err(no_report("it is none of the reports that are signed"));
        };
        let (from, to) = period.span()?;
        Ok((what, from, to))
    }
}

impl Days {
    fn span(&self) -> Result<(Option<Day>, Day), CliError> {
        Ok((Some(day(&self.first)?), day(&self.last)?))
    }
}

impl Rest {
    /// Whether anybody who makes it again gets the same bytes: its days are over, and nothing in it is about how far
    /// signatures reached when it was made.
    fn check(&self, chain: ChainId) -> Result<(), CliError> {
        let Basis { height, signed_height, .. } = self.basis;
        if self.basis.chain != chain {
            let what = format!("the report is about chain {}, not {chain}", self.basis.chain);
            let next = "make it from a node of the network that you sign for";
            return Err(CliError::usage("wrong_chain", what).next(next));
        }
        if !self.basis.pinned {
            let what = "the report was made without naming the chain";
            return Err(CliError::usage("not_pinned", what).next("make it again with --chain"));
        }
        if !self.complete {
            let what = "the report's last day was not over on the record that it rests on";
            return Err(CliError::usage("too_early", what).next("make it again when it is over"));
        }
        if signed_height != height {
            let what = format!(
                "a majority of the validators has signed up to block {signed_height}, not up to {height}"
            );
            let next =
                "make it again in a moment, or with --height of a block that they have signed";
            return Err(CliError::usage("not_signed", what).next(next));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CHAIN: ChainId = ChainId([1; 32]);

    fn file(fields: &str, pinned: bool, signed: u64) -> Vec<u8> {
        format!(
            r#"{{ {fields}, "rest": {{ "basis": {{ "chain": "{CHAIN}", "pinned": {pinned}, "origin": "x/1",
            "height": 9, "time": 5, "size": 30, "root": "{}", "signed_height": {signed}, "signed_time": 5 }},
            "complete": true, "signed": true }} }}"#,
            MerkleHash([7; 32])
        )
        .into_bytes()
    }

    #[test]
    fn a_report_says_what_it_is() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let period = r#""period": { "first": "2026-04-01", "last": "2026-04-30" }"#;
        let april = (Some(day("2026-04-01")), day("2026-04-30"));
        for (fields, what, (from, to)) in [
            (r#""base_date": "2027-03-31""#.into(), ReportKind::Unused, (None, day("2027-03-31"))),
            (format!(r#"{period}, "group_moves": {{}}"#), ReportKind::Kpi, april),
            (format!(r#"{period}, "accounts": []"#), ReportKind::Accounts, april),
            (format!(r#"{period}, "owes": []"#), ReportKind::Statement, april),
            (
                r#""which": { "waiting": { "cut_off": "2026-04-15" } }"#.into(),
                ReportKind::Settlement,
                (None, day("2026-04-15")),
            ),
            (
                r#""which": { "paid": { "first": "2026-04-01", "last": "2026-04-30" } }"#.into(),
                ReportKind::Settlement,
                april,
            ),
        ] {
            let root = MerkleHash([7; 32]);
            let expected = Report { what, from, to, height: 9, size: 30, root };
            assert_eq!(of(&file(&fields, true, 9), CHAIN).unwrap(), expected, "{fields}");
        }
    }

    #[test]
    fn what_nobody_could_make_again_is_not_signed() {
        let unused = r#""base_date": "2027-03-31""#;
        let code = |bytes: &[u8], chain| of(bytes, chain).unwrap_err().code;
        assert_eq!(code(&file(unused, true, 9), ChainId([2; 32])), "wrong_chain");
        assert_eq!(code(&file(unused, false, 9), CHAIN), "not_pinned");
        assert_eq!(code(&file(unused, true, 8), CHAIN), "not_signed");
        let early = String::from_utf8(file(unused, true, 9)).unwrap();
        let early = early.replace("\"complete\": true", "\"complete\": false");
        assert_eq!(code(early.as_bytes(), CHAIN), "too_early");
        let settlement = format!(r#""which": {{ "settlement": {{ "id": "{CHAIN}" }} }}"#);
        assert_eq!(code(&file(&settlement, true, 9), CHAIN), "no_report");
        assert_eq!(code(&file(r#""receipt": 1"#, true, 9), CHAIN), "no_report");
        assert_eq!(code(b"%PDF-1.7", CHAIN), "no_report");
    }
}
