//! Runs as files: a list of who is granted how much, or of old balances ([`old`]), becomes a plan with random salts, which is kept beside the ledger until
//! every line is applied.
//!
//! The list is CSV, `party,amount` a line; the plan's file has a third column, five where balances are taken over, and amounts in the
//! smallest unit. The last comma of a list's line separates, so names need no quotes.

pub mod old;

use musubi_ledger::{
    amount::Amount,
    id::PartyId,
    limits,
    run::{
        OldBalance, RunLine,
        plan::{PlanError, RunPlan},
    },
    time::Time,
};
use thiserror::Error;

use crate::entropy;

/// The first line of a plan's file.
const HEADER: &str = "party,units,salt";
/// That of old balances.
const OLD_HEADER: &str = "party,units,salt,reference,expiry";

/// Bytes of a file at most: more than the longest plan takes.
pub const RUN_FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Why a file is no run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RunFileError {
    /// A line that does not say what it should.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Another file.
    #[error("this is no run's file: it begins with `{HEADER}`; `musubi run plan` writes one")]
    Header,
    /// Too many lines, or none.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl RunFileError {
    /// A line that does not say what it should.
    pub fn line(line: usize, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }
}

/// One entry of a list as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The line it stands on, from 1.
    pub line: usize,
    /// Who.
    pub party: &'t str,
    /// How much, in the instrument's own unit.
    pub amount: &'t str,
}

/// The entries of a list. A heading, empty lines and those that begin with `#` are left out.
///
/// # Errors
/// [`RunFileError::Line`] for a line without a comma.
pub fn entries(text: &str) -> Result<Vec<Entry<'_>>, RunFileError> {
    let told = listed(text).map(|(at, line)| {
        let (party, amount) = line
            .rsplit_once(',')
            .ok_or_else(|| RunFileError::line(at, "expected `party,amount`"))?;
        Ok(Entry {
            line: at,
            party: party.trim().trim_matches('"'),
            amount: amount.trim().trim_matches('"'),
        })
    });
    told.collect()
}

/// The lines of a list that say something, numbered from 1.
fn listed(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(at, line)| {
        let heading = *at == 1 && line.to_ascii_lowercase().starts_with("party,");
        !line.is_empty() && !line.starts_with('#') && !heading
    })
}

/// Plans a run of these grants, in this order, each with a fresh salt.
///
/// # Errors
/// [`RunFileError::Plan`] if they are none or too many, or their sum leaves the range.
pub fn plan(grants: impl IntoIterator<Item = (PartyId, Amount)>) -> Result<RunPlan, RunFileError> {
    let line = |(to, amount)| RunLine { to, amount, salt: entropy::salt(), old: None };
    Ok(RunPlan::new(grants.into_iter().map(line).collect())?)
}

/// A plan's file.
#[must_use]
pub fn write(plan: &RunPlan) -> String {
    let mut text = format!("{}\n", if is_import(plan) { OLD_HEADER } else { HEADER });
    for RunLine { to, amount, salt, old } in plan.lines() {
        text += &format!("{to},{},{salt}", amount.0);
        if let Some(OldBalance { reference, use_expiry }) = old {
            let expiry = use_expiry.map(|end| end.0.to_string()).unwrap_or_default();
            text += &format!(",{reference},{expiry}");
        }
        text.push('\n');
    }
    text
}

/// Whether a plan is of old balances.
#[must_use]
pub fn is_import(plan: &RunPlan) -> bool {
    plan.lines().iter().all(|line| line.old.is_some())
}

/// Reads a plan's file back: the same lines in the same order, so the same root.
///
/// # Errors
/// [`RunFileError`].
pub fn read(text: &str) -> Result<RunPlan, RunFileError> {
    let mut lines = text.lines().enumerate();
    let header = lines.next().map(|(_, header)| header);
    let old = header == Some(OLD_HEADER);
    if !old && header != Some(HEADER) {
        return Err(RunFileError::Header);
    }
    let mut all = Vec::new();
    for (at, line) in lines {
        if all.len() == limits::RUN_LINES_MAX as usize {
            return Err(PlanError::Count.into());
        }
        all.push(read_line(line, old).ok_or_else(|| {
            let header = if old { OLD_HEADER } else { HEADER };
            RunFileError::line(at + 1, format!("expected `{header}` of a line"))
        })?);
    }
    Ok(RunPlan::new(all)?)
}

fn read_line(line: &str, old: bool) -> Option<RunLine> {
    let mut fields = line.split(',');
    let to = fields.next()?.parse().ok()?;
    let amount = Amount(number(fields.next()?)?);
    let salt = fields.next()?.parse().ok()?;
    let old = match old {
        false => None,
        true => {
            let reference = fields.next()?.parse().ok()?;
            let use_expiry = match fields.next()? {
                "" => None,
                end => Some(Time(number(end)?)),
            };
            Some(OldBalance { reference, use_expiry })
        }
    };
    fields.next().is_none().then_some(RunLine { to, amount, salt, old })
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_plan_is_read_back_as_it_was_written() {
        let grants = (0..130_u8).map(|at| (PartyId([at; 16]), Amount(u64::from(at) + 1)));
        let plan = plan(grants).unwrap();
        let text = write(&plan);
        let again = read(&text).unwrap();
        assert_eq!((again.lines(), again.root()), (plan.lines(), plan.root()));
        assert_eq!((again.count(), again.total()), (130, Amount((1..=130).sum())));
        let salts: std::collections::BTreeSet<_> = plan.lines().iter().map(|l| l.salt).collect();
        assert_eq!(salts.len(), 130);
        for broken in ["+1,", "1.5,", "x,"] {
            let text = text.replacen(",1,", &format!(",{broken}"), 1);
            assert!(matches!(read(&text), Err(RunFileError::Line { line: 2, .. })), "{broken}");
        }
        assert_eq!(read("party,amount\n").unwrap_err(), RunFileError::Header);
        assert_eq!(read("party,units,salt\n").unwrap_err(), PlanError::Count.into());
    }

    #[test]
    fn lists_are_read_as_spreadsheets_write_them() {
        let text = "\u{feff}party,amount\r\nhanako,500\r\n\r\n# later\r\n\"taro\",\"12.50\"\r\n";
        let found = entries(text).unwrap();
        let told: Vec<_> = found.iter().map(|e| (e.line, e.party, e.amount)).collect();
        assert_eq!(told, [(2, "hanako", "500"), (5, "taro", "12.50")]);
        assert_eq!(
            entries("hanako 500").unwrap_err(),
            RunFileError::line(1, "expected `party,amount`")
        );
    }
}
