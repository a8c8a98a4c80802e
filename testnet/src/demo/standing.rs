//! Where the nodes stand when the day is over: at one height, having signed one root, or apart.

use std::time::{Duration, Instant};

use anyhow::Context;
use musubi_ledger::{
    genesis::Genesis,
    hash::Hash,
    tlog::{Algorithm, Checkpoint, VerifierKey},
};

use crate::network::Network;

/// How long the nodes may take to stand at one height; an idle leader makes a block every 10 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where all nodes stand, by their own signed checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Leaves that every node's log has.
    pub(super) size: u64,
    /// The root that all signed, if they agree; the first node's otherwise.
    pub(super) root: Hash,
    /// Why they do not stand at one height with one root, if they do not.
    pub(super) apart: Option<String>,
}

/// What one node has signed, and how high it is.
#[derive(Clone, Debug)]
struct Signed {
    node: u64,
    size: u64,
    root: Hash,
    height: u64,
    /// Why the checkpoint is none, if it is none.
    fault: Option<String>,
}

/// Waits until all nodes have signed one and the same checkpoint of all there is, or until it is certain
/// or long overdue that they will not.
///
/// # Errors
/// If a node cannot be asked.
pub(super) async fn standing(network: &Network) -> anyhow::Result<Standing> {
    let begun = Instant::now();
    loop {
        let signed = look(network).await?;
        if let Some(standing) = judge(&signed, begun.elapsed() > PATIENCE) {
            return Ok(standing);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn look(network: &Network) -> anyhow::Result<Vec<Signed>> {
    let mut all = Vec::new();
    for (at, validator) in network.validators().iter().enumerate() {
        let node = validator.node;
        let client = network.client_of(at)?;
        let info = client.info().await?;
        let note = client.log_checkpoint().await?;
        let (size, root, fault) = match open(network.genesis(), at, &note) {
            Ok(opened) => (opened.size(), *opened.root(), None),
            Err(error) => {
                (info.size, [0; 32], Some(format!("node {node}'s checkpoint: {error:#}")))
            }
        };
        // A checkpoint may be behind the node for a moment: then it is not all there is.
        let height = if size == info.size { info.height } else { u64::MAX };
        all.push(Signed { node, size, root, height, fault });
    }
    Ok(all)
}

fn open(genesis: &Genesis, at: usize, note: &str) -> anyhow::Result<Checkpoint> {
    let origin = genesis.origin();
    let key = genesis.nodes.get(at).context("the node is in the genesis document")?.node;
    let key = [VerifierKey::new(&origin, Algorithm::Ed25519, &key.0)?];
    Ok(Checkpoint::open(note.as_bytes(), &origin, &key)?.checkpoint)
}

/// What follows from what the nodes signed; none if they may still meet.
fn judge(all: &[Signed], overdue: bool) -> Option<Standing> {
    let first = all.first()?;
    let size = all.iter().map(|s| s.size).min()?;
    let stand = |apart| Some(Standing { size, root: first.root, apart });
    if let Some(fault) = all.iter().find_map(|s| s.fault.clone()) {
        return stand(Some(fault));
    }
    for one in all {
        let other = all.iter().find(|s| s.size == one.size && s.root != one.root);
        if let Some(other) = other {
            let (one, other, size) = (one.node, other.node, one.size);
            let apart = format!("nodes {one} and {other} signed different roots of {size} leaves");
            return stand(Some(apart));
        }
    }
    let met = |s: &Signed| (s.size, s.height) == (first.size, first.height);
    if all.iter().all(met) && first.height != u64::MAX {
        return stand(None);
    }
    let sizes: Vec<String> = all.iter().map(|s| format!("node {}: {}", s.node, s.size)).collect();
    let apart = format!("not at one height after {PATIENCE:?}; leaves: {}", sizes.join(", "));
    if overdue { stand(Some(apart)) } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn signed(node: u64, size: u64, root: u8, height: u64) -> Signed {
        Signed { node, size, root: [root; 32], height, fault: None }
    }

    #[test]
    fn nodes_meet_or_stand_apart() {
        let together = [signed(1, 9, 1, 3), signed(2, 9, 1, 3), signed(3, 9, 1, 3)];
        let standing = judge(&together, false).unwrap();
        assert_eq!(standing, Standing { size: 9, root: [1; 32], apart: None });

        let behind = [signed(1, 9, 1, 3), signed(2, 7, 2, 2), signed(3, 9, 1, 3)];
        assert_eq!(judge(&behind, false), None);
        let late = judge(&behind, true).unwrap();
        assert_eq!(late.size, 7);
        assert!(late.apart.unwrap().contains("node 2: 7"));

        // Two roots of one size cannot be waited away.
        let torn = [signed(1, 9, 1, 3), signed(2, 7, 2, 2), signed(3, 9, 8, 3)];
        let apart = judge(&torn, false).unwrap().apart.unwrap();
        assert!(apart.starts_with("nodes 1 and 3 signed different roots"), "{apart}");

        let mut forged = together.clone();
        forged[1].fault = Some("node 2's checkpoint: no".into());
        assert_eq!(judge(&forged, false).unwrap().apart.unwrap(), "node 2's checkpoint: no");

        // All have signed something older than what they stand at.
        let stale = [1, 2, 3].map(|node| signed(node, 9, 1, u64::MAX));
        assert_eq!(judge(&stale, false), None);
        assert!(judge(&stale, true).unwrap().apart.is_some());
    }
}
