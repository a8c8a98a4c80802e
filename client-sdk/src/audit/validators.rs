//! What the validators signed, against what was recomputed.

use musubi_ledger::{
    genesis::Genesis,
    hash::Hash,
    time::Time,
    tlog::{Algorithm, Checkpoint, CheckpointError, VerifierKey},
};

use super::{
    finding::{Fault, Finding, Part},
    report::Agreement,
};

/// Where a block ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Leaves in the log.
    pub(super) size: u64,
    pub(super) height: u64,
    pub(super) time: Time,
    /// Merkle root at that size.
    pub(super) root: Hash,
}

/// Checks every note against the ends of all blocks, ascending; of several by one validator, the newest
/// counts. Returns who agrees, by node id; [`super::coverage`] says whether they are enough.
///
/// # Errors
/// The first note that is wrong.
pub(super) fn agreed(
    genesis: &Genesis,
    ends: &[End],
    notes: &[(u64, String)],
) -> Result<Vec<Agreement>, Finding> {
    let mut agreements: Vec<Agreement> = Vec::new();
    for (node, note) in notes {
        let agreement = agreement(genesis, ends, *node, note)
            .map_err(|fault| Finding::new(Part::Checkpoint, fault))?;
        match agreements.iter_mut().find(|a| a.node == *node) {
            Some(known) if known.size < agreement.size => *known = agreement,
            Some(_) => {}
            None => agreements.push(agreement),
        }
    }
    agreements.sort_by_key(|a| a.node);
    Ok(agreements)
}

fn agreement(genesis: &Genesis, ends: &[End], id: u64, note: &str) -> Result<Agreement, Fault> {
    let node = genesis.nodes.iter().find(|node| node.id.0 == id);
    let node = node.ok_or(Fault::UnknownValidator(id))?;
    let origin = genesis.origin();
    let checkpoint =
        open(note, &origin, &node.node.0).map_err(|cause| Fault::Checkpoint { node: id, cause })?;
    let size = checkpoint.size();
    let Ok(at) = ends.binary_search_by_key(&size, |end| end.size) else {
        let ours = ends.last().map_or(0, |end| end.size);
        return Err(Fault::OtherSize { node: id, size, ours });
    };
    let End { height, root, .. } = &ends[at];
    if checkpoint.root() != root {
        return Err(Fault::OtherRoot {
            node: id,
            size,
            theirs: hex::encode(checkpoint.root()),
            ours: hex::encode(root),
        });
    }
    let organisation = genesis.organisation(&node.organisation);
    Ok(Agreement {
        node: id,
        organisation: organisation.map_or_else(String::new, |o| o.name.clone()),
        size,
        height: *height,
    })
}

fn open(note: &str, origin: &str, key: &[u8; 32]) -> Result<Checkpoint, CheckpointError> {
    let key = VerifierKey::new(origin, Algorithm::Ed25519, key)
        .expect("a checked genesis document has usable node keys and a usable origin");
    let keys = [key];
    Ok(Checkpoint::open(note.as_bytes(), origin, &keys)?.checkpoint)
}
