//! What a node's answer says about an item: where it ended, or that it must be sent again.

use musubi_ledger::{
    api::{Stage, Status},
    code::{Code, Standing},
};
use musubi_sdk::BulkResult;

/// Refusals after which the same bytes are sent again.
const BUSY: [&str; 5] = ["busy", "no_leader", "stopping", "rate_limited", "internal"];

/// Where an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A verdict: it took effect.
    Applied,
    /// A verdict: it did not.
    Rejected,
    /// Ordered, and void.
    Void,
    /// Turned away at the door.
    Door,
}

/// How an item ended, with its code if that is one of the ledger's; or why it must be sent again.
pub(super) fn result(result: &BulkResult) -> Result<(String, Place, Option<Code>), String> {
    match result {
        BulkResult::Problem(problem) if BUSY.contains(&problem.code.as_str()) => {
            Err(problem.detail.clone())
        }
        BulkResult::Problem(problem) => Ok((problem.code.clone(), Place::Door, None)),
        BulkResult::Status(status) => {
            let (code, place) = ended(status).ok_or("still pending")?;
            Ok((code.name().into(), place, Some(code)))
        }
    }
}

/// Where a transaction ended, by its status: none while it has no result.
#[must_use]
pub fn ended(status: &Status) -> Option<(Code, Place)> {
    let place = match (status.stage, status.code?) {
        (Stage::Judged, code) if code.standing() == Standing::Applied => Place::Applied,
        (Stage::Judged, _) => Place::Rejected,
        (Stage::Void, _) => Place::Void,
        (Stage::Unknown | Stage::Pending, _) => return None,
    };
    Some((status.code?, place))
}

/// The ledger's code of a name, such as a refusal bears; none for a code of the door's own.
#[must_use]
pub fn code_named(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.name() == name)
}
