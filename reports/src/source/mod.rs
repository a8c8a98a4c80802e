//! Where reports come from: a record that the audit has executed again, block by block.

pub mod check;
mod collect;
mod event;
mod rows;

use std::collections::BTreeMap;

use musubi_ledger::{genesis::Genesis, id::ChainId, instrument::Terms, party::Party};
use musubi_sdk::{
    InstrumentId, PartyId, Time,
    audit::{self, Options, Progress},
};
use serde::Serialize;

pub use self::{
    collect::{Collector, Scope},
    event::{Approval, Cash, Event, Moved, Redeemed, Undone, What},
    rows::Rows,
};
use crate::error::ReportError;

/// What a report rests on: printed on each, so that its reader can have the same record audited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// The chain.
    pub chain: ChainId,
    /// Whether whoever asked named the chain; otherwise the record itself said which it is.
    pub pinned: bool,
    /// Origin of its checkpoints.
    pub origin: String,
    /// Height of the last block that was executed.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// Leaves up to there.
    pub size: u64,
    /// Root of the log at that size, hex.
    pub root: String,
    /// Height up to which a majority of the validators has signed.
    pub signed_height: u64,
    /// Time of that block.
    pub signed_time: Time,
}

/// A record after its audit, as far as it was asked for.
#[derive(Clone, Debug)]
pub struct Source {
    /// The document that opened the chain.
    pub genesis: Genesis,
    /// What it rests on.
    pub basis: Basis,
    /// Applied events of the scope, in the log's order.
    pub events: Vec<Event>,
    /// The state at the instants of the scope.
    at: BTreeMap<Time, Rows>,
    /// The state behind the last block.
    end: Rows,
}

impl Source {
    /// Audits a record and keeps what the scope asks for.
    ///
    /// # Errors
    /// [`ReportError::Audit`] if the record does not hold or cannot be read, also behind the scope's last block; `no_block` if it
    /// has no such block; [`ReportError::Totals`] if postings and state differ.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn read(
        source: audit::Source,
        options: Options,
        scope: Scope,
        progress: impl FnMut(&Progress),
    ) -> Result<Self, ReportError> {
        let asked = scope.height;
        let collector = Collector::new(scope);
        let (report, collector) = audit::replay(source, options, collector, progress).await?;
        if let Some(height) = asked.filter(|height| *height > report.height) {
            let what = format!("the log ends with block {}, before {height}", report.height);
            let next = "download the record again, or name an earlier block";
            return Err(ReportError::asked("no_block", what, next));
        }
        let basis = Basis {
            chain: report.chain,
            pinned: report.pinned,
            origin: report.origin,
            height: report.height,
            time: report.time,
            size: report.size,
            root: report.root,
            signed_height: report.covered_by_majority.height,
            signed_time: report.covered_by_majority.time,
        };
        Ok(collector.finish(basis)?)
    }

    /// The state just before an instant that the scope named; behind the last block if the log has not reached it.
    ///
    /// # Panics
    /// If the scope did not name the instant.
    #[must_use]
    pub fn at(&self, instant: Time) -> &Rows {
        if instant > self.basis.time {
            return &self.end;
        }
        self.at.get(&instant).expect("a report names its instants in its scope")
    }

    /// The state behind the last block.
    #[must_use]
    pub fn end(&self) -> &Rows {
        &self.end
    }

    /// Whether the log has reached an instant, so that nothing more can happen before it.
    #[must_use]
    pub fn reaches(&self, instant: Time) -> bool {
        self.basis.time >= instant
    }

    /// The newest terms of an instrument.
    ///
    /// # Panics
    /// If there is no such instrument: lots name only such that exist.
    #[must_use]
    pub fn terms(&self, instrument: InstrumentId) -> &Terms {
        let found = self.end.instrument(instrument).expect("lots are of instruments that exist");
        &found.terms
    }

    /// A party as it is now.
    ///
    /// # Errors
    /// If there is none.
    pub fn party(&self, party: PartyId) -> Result<&Party, ReportError> {
        self.end.party(party).ok_or_else(|| {
            let what = format!("{party} is not on this ledger");
            ReportError::asked("unknown_party", what, "check the address and the chain")
        })
    }
}
