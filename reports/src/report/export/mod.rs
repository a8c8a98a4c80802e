//! Tables for analysis: every posting of a period and all balances at its end under pseudonyms, and daily sums. Whoever gets
//! them learns no party's id, no transaction's, no exact time; what too few have in common is suppressed.
//!
//! Pseudonyms are hashes under a key of whoever exports: the same key makes two exports linkable, another one does not.
//! They are still personal data for whoever can match them (docs/REPORTS.md).

mod cells;
mod tables;

use std::collections::BTreeMap;

use musubi_ledger::{hash::tagged, lot::OriginKind, wallet::Wallet};
use musubi_sdk::{InstrumentId, PartyId};

use super::Materials;
use crate::{
    error::ReportError,
    format::parquet::Column,
    period::Period,
    source::{
        Rows,
        check::{balances, check_sum},
    },
};

/// Fewer than so many parties are never shown together, unless another number is asked for.
pub const SMALL: u64 = 10;

/// What is wanted of an export.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which days.
    pub period: Period,
    /// What pseudonyms are made with: 32 secret bytes.
    pub key: [u8; 32],
    /// Fewer parties than this are never shown together.
    pub small: u64,
    /// Attributes that are shown of parties.
    pub attributes: Vec<String>,
    /// Daily sums and instruments alone.
    pub sums_only: bool,
}

/// Tables by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Name and columns of each.
    pub tables: Vec<(&'static str, Vec<Column>)>,
}

/// Makes the tables. The source's scope must hold the period's ends and all of its events.
///
/// # Errors
/// If the log has not reached the end of the period; if an amount is beyond 63 bits; [`ReportError::Totals`] if postings
/// and totals differ.
pub fn make(materials: Materials<'_>, wanted: &Wanted) -> Result<Export, ReportError> {
    let source = materials.source;
    if !source.reaches(wanted.period.until()) {
        let what = format!("the log ends at {}, before the period does", source.basis.time);
        return Err(ReportError::asked("too_early", what, "ask again when it is over"));
    }
    check(materials, wanted.period)?;
    let mut tables = vec![
        ("instruments", tables::instruments(materials, wanted)),
        ("daily", tables::daily(materials, wanted)?),
    ];
    if !wanted.sums_only {
        tables.push(("postings", tables::postings(materials, wanted)?));
        tables.push(("balances", tables::balances(materials, wanted)?));
        tables.push(("parties", tables::parties(materials, wanted)));
    }
    Ok(Export { tables })
}

/// What a party is called in an export: 16 hexadecimal digits.
#[must_use]
pub fn pseudonym(key: &[u8; 32], party: PartyId) -> String {
    let hash = tagged("musubi/v1/export", &[key, &party.0]);
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What all wallets hold of each origin.
fn held(rows: &Rows) -> BTreeMap<(InstrumentId, OriginKind), i128> {
    let mut sums = BTreeMap::new();
    let all = rows.wallets().flat_map(|(_, wallet): (PartyId, &Wallet)| balances(Some(wallet)));
    for ((lot, _), sum) in all {
        *sums.entry((lot.instrument, lot.origin)).or_default() += sum;
    }
    sums
}

/// The postings of the period lead from what all wallets held before to what they hold afterwards.
fn check(materials: Materials<'_>, period: Period) -> Result<(), ReportError> {
    let source = materials.source;
    let mut sums = held(source.at(period.from()));
    for event in source.events.iter().filter(|event| period.holds(event.time)) {
        for posting in event.postings.iter().filter(|posting| tables::holder(posting).is_some()) {
            let key = (posting.lot.instrument, posting.lot.origin);
            *sums.entry(key).or_default() += posting.signed();
        }
    }
    let after = held(source.at(period.until()));
    for key in sums.keys().chain(after.keys()) {
        let of = |sums: &BTreeMap<_, i128>| sums.get(key).copied().unwrap_or_default();
        check_sum("postings", key.0, of(&sums), of(&after))?;
    }
    Ok(())
}
