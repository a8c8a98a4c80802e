//! Signed reports: whose report it is, about which days, and on which record it rests. Whoever has that record makes the
//! report again, and compares its hash with the document's.

use serde::{Deserialize, Serialize};

use crate::{id::MerkleHash, time::Day};

/// Which of the reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// The unused balance of a base date, and what must be secured of it.
    Unused,
    /// Key figures of a period.
    Kpi,
    /// A group's accounts of a period.
    Accounts,
    /// What merchants are to be paid at a cut-off, or were in a period.
    Settlement,
    /// Everything that happened to one wallet in a period.
    Statement,
}

/// A report's fields. Its own hash is the document's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which report.
    pub what: ReportKind,
    /// The first JST day that it is about; none where it is about the end of one day.
    pub from: Option<Day>,
    /// The last day, included, to 24:00.
    pub to: Day,
    /// The block up to which, and with which, the record was read.
    pub height: u64,
    /// Leaves of the log up to there.
    pub size: u64,
    /// Root of the log at that size.
    pub root: MerkleHash,
}

impl Report {
    /// Whether its days are in order, and its log has at least a seal for every block.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        self.from.is_none_or(|from| from <= self.to) && self.size > self.height
    }

    /// Whether another one is the same report of the same days, on whatever record.
    #[must_use]
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        (self.what, self.from, self.to) == (other.what, other.from, other.to)
    }
}
