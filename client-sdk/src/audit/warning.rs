//! What is no fault of the record, but must be known to whoever relies on the audit.

use musubi_ledger::{limits::STAMP_AHEAD_MS_MAX, time::Time};
use serde::Serialize;

use super::coverage::{Coverage, Covered};

/// Block time that may pass between checkpoints without a word: an idle leader proposes a block every
/// ten seconds, and each node signs what it has executed.
const LAG_MS: u64 = 60_000;

/// Something to heed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable, snake case: `chain_not_pinned`, `validator_silent`, `validator_behind`, `unsigned_tail`,
    /// `stamped_late`, `time_ahead`, `policy_not_final`, `driven_time`.
    pub code: &'static str,
    /// What it means, and what to do.
    pub detail: String,
}

fn warning(code: &'static str, detail: impl Into<String>) -> Warning {
    Warning { code, detail: detail.into() }
}

/// What warnings rest on, beside how far signatures reach.
#[derive(Debug)]
pub(super) struct Beside {
    /// Whether the caller knew the chain.
    pub(super) pinned: bool,
    /// Whether a test sets the chain's clocks.
    pub(super) driven: bool,
    /// Time of the last block.
    pub(super) end: Time,
    /// The auditor's clock, if it has one.
    pub(super) now: Option<Time>,
    /// Batches stamped no later than the block before: how many; the first one's height and leader.
    pub(super) late: (u64, Option<(u64, u64)>),
    /// Witness policies that no final checkpoint of the record covers.
    pub(super) unsettled: Vec<u32>,
}

/// All warnings about a record.
pub(super) fn warnings(beside: &Beside, coverage: &Coverage) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let end = beside.end;
    if beside.driven {
        let text = "by its genesis document this is a test's chain, whose operators set its clocks: no time in it is to be \
                    believed";
        warnings.push(warning("driven_time", text));
    }
    if let (late, Some((height, leader))) = beside.late {
        let text = format!(
            "{late} batches are stamped no later than the block before them, the first at height \
             {height} by node {leader}: their leaders' clocks were behind, or their stamps back-dated"
        );
        warnings.push(warning("stamped_late", text));
    }
    if let Some(now) = beside.now.filter(|now| end.0 > now.0.saturating_add(STAMP_AHEAD_MS_MAX)) {
        let text = format!(
            "the last block is of {end}, and this machine's clock says {now}: one of them is wrong"
        );
        warnings.push(warning("time_ahead", text));
    }
    for number in &beside.unsettled {
        let text = format!(
            "witness policy {number} is covered by no final checkpoint here: ask for a newer one"
        );
        warnings.push(warning("policy_not_final", text));
    }
    if !beside.pinned {
        let text = "the chain was not pinned: compare its id with one known by other means";
        warnings.push(warning("chain_not_pinned", text));
    }
    for node in &coverage.silent {
        let text = format!("node {node} has signed no checkpoint that is here; a majority has");
        warnings.push(warning("validator_silent", text));
    }
    let majority = &coverage.by_majority;
    if let Some(all) = coverage.by_all.filter(|all| lags(all, majority.time)) {
        let text = format!(
            "not every validator has signed beyond block {} of {}: ask the one that stays behind",
            all.height, all.time
        );
        warnings.push(warning("validator_behind", text));
    }
    if lags(majority, end) {
        let text = format!(
            "the last {} blocks, since {}, are signed by no majority: do not rely on them",
            majority.blocks_beyond, majority.time
        );
        warnings.push(warning("unsigned_tail", text));
    }
    warnings
}

fn lags(covered: &Covered, behind: Time) -> bool {
    behind.0.saturating_sub(covered.time.0) > LAG_MS
}
