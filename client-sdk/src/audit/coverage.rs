//! How far the validators' signatures reach, and whether that is as far as the caller demands.
//!
//! Every note that agrees proves only that its validator once stood there. A record that was cut off
//! passes with old notes, and one validator can append blocks that it alone has signed: so the report
//! says up to which block a majority and all of them have signed, and what lies beyond.

use musubi_ledger::{genesis::Genesis, time::Time};
use serde::Serialize;

use super::{
    ends::Ends,
    fault::Fault,
    finding::{Finding, Part},
    lacking::{Lacking, Quorum},
    report::Agreement,
};

/// What a caller demands of the validators' signatures. The default takes any majority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// The block that they must have signed at least, by height.
    pub min_height: Option<u64>,
    /// The time of the newest block that they signed must be this one or later.
    pub not_before: Option<Time>,
    /// Demand it of every validator, and a checkpoint from each, where a majority is enough otherwise.
    pub all_validators: bool,
}

/// Up to where enough validators have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Leaves in the log there.
    pub size: u64,
    /// The block that ends there.
    pub height: u64,
    /// That block's time.
    pub time: Time,
    /// Blocks of the record behind it, which too few have signed.
    pub blocks_beyond: u64,
}

/// How far the signatures reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coverage {
    pub(super) by_majority: Covered,
    pub(super) by_all: Option<Covered>,
    /// Validators without a checkpoint, by node id.
    pub(super) silent: Vec<u64>,
}

/// Finds out how far `agreements` reach, and holds that against what is demanded.
///
/// # Errors
/// [`Fault::Silent`] or [`Fault::NotCovered`].
pub(super) fn coverage(
    genesis: &Genesis,
    ends: &Ends,
    agreements: &[Agreement],
    demands: &Demands,
) -> Result<Coverage, Finding> {
    let find = |fault: Fault| Finding::new(Part::Checkpoint, fault);
    let signed = |id: u64| agreements.iter().any(|a| a.node == id);
    let nodes = genesis.nodes.iter().map(|node| node.id.0);
    let silent: Vec<u64> = nodes.filter(|id| !signed(*id)).collect();
    if let (true, Some(first)) = (demands.all_validators, silent.first()) {
        return Err(find(Fault::Silent(*first)));
    }
    let validators = genesis.nodes.len();
    let reached_by = |count: usize| reached_by(count, ends, agreements);
    let by_majority = reached_by(validators / 2 + 1).ok_or_else(|| {
        let lacking = Lacking::Majority { signed: agreements.len(), validators };
        find(lacking.into())
    })?;
    let by_all = reached_by(validators);
    let (whom, covered) = match by_all.filter(|_| demands.all_validators) {
        Some(all) => (Quorum::All, all),
        None => (Quorum::Majority, by_majority),
    };
    check(demands, whom, &covered).map_err(|lacking| find(lacking.into()))?;
    Ok(Coverage { by_majority, by_all, silent })
}

/// The end that at least `count` validators have reached with their newest checkpoints.
fn reached_by(count: usize, ends: &Ends, agreements: &[Agreement]) -> Option<Covered> {
    let mut heights: Vec<u64> = agreements.iter().map(|a| a.height).collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    let height = *heights.get(count.checked_sub(1)?)?;
    let end = ends.at_height(height)?;
    let last = ends.last().height;
    let blocks_beyond = last - height;
    Some(Covered { size: end.size, height, time: end.time, blocks_beyond })
}

fn check(demands: &Demands, whom: Quorum, reached: &Covered) -> Result<(), Lacking> {
    if let Some(wanted) = demands.min_height.filter(|wanted| reached.height < *wanted) {
        return Err(Lacking::Height { whom, covered: reached.height, wanted });
    }
    match demands.not_before.filter(|wanted| reached.time < *wanted) {
        Some(wanted) => Err(Lacking::Time { whom, covered: reached.time, wanted }),
        None => Ok(()),
    }
}
