//! What is no fault of the record, but must be known to whoever relies on the audit.

use musubi_ledger::time::Time;
use serde::Serialize;

use super::coverage::{Coverage, Covered};

/// Block time that may pass between checkpoints without a word: an idle leader proposes a block every
/// ten seconds, and each node signs what it has executed.
const LAG_MS: u64 = 60_000;

/// Something to heed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable, snake case: `chain_not_pinned`, `validator_silent`, `validator_behind`, `unsigned_tail`.
    pub code: &'static str,
    /// What it means, and what to do.
    pub detail: String,
}

fn warning(code: &'static str, detail: impl Into<String>) -> Warning {
    Warning { code, detail: detail.into() }
}

/// All warnings about a record that ends at `end`; `pinned` says whether the caller knew the chain.
pub(super) fn warnings(pinned: bool, coverage: &Coverage, end: Time) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !pinned {
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
