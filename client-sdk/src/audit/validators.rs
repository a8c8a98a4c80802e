//! What the validators signed, against what was recomputed.

use musubi_ledger::{
    genesis::Genesis,
    hash::Hash,
    tlog::{Algorithm, Checkpoint, CheckpointError, VerifierKey},
};

use super::{
    finding::{Fault, Finding, Part},
    report::Agreement,
};

/// The roots at each block's end: (size, height, root), ascending.
pub(super) type Roots = [(u64, u64, Hash)];

/// Checks every note; each validator must have signed at least one.
///
/// # Errors
/// The first note that is wrong, or a validator without one.
pub(super) fn agreed(
    genesis: &Genesis,
    roots: &Roots,
    notes: &[(u64, String)],
) -> Result<Vec<Agreement>, Finding> {
    let mut agreements: Vec<Agreement> = Vec::new();
    for (node, note) in notes {
        let agreement = agreement(genesis, roots, *node, note)
            .map_err(|fault| Finding::new(Part::Checkpoint, fault))?;
        // Of several by one validator, the newest counts.
        match agreements.iter_mut().find(|a| a.node == *node) {
            Some(known) if known.size < agreement.size => *known = agreement,
            Some(_) => {}
            None => agreements.push(agreement),
        }
    }
    let signed = |id: u64| agreements.iter().any(|a| a.node == id);
    match genesis.nodes.iter().find(|node| !signed(node.id.0)) {
        Some(silent) => Err(Finding::new(Part::Checkpoint, Fault::Silent(silent.id.0))),
        None => {
            agreements.sort_by_key(|a| a.node);
            Ok(agreements)
        }
    }
}

fn agreement(genesis: &Genesis, roots: &Roots, id: u64, note: &str) -> Result<Agreement, Fault> {
    let node = genesis.nodes.iter().find(|node| node.id.0 == id);
    let node = node.ok_or(Fault::UnknownValidator(id))?;
    let origin = genesis.origin();
    let checkpoint =
        open(note, &origin, &node.node.0).map_err(|cause| Fault::Checkpoint { node: id, cause })?;
    let size = checkpoint.size();
    let Ok(at) = roots.binary_search_by_key(&size, |(size, ..)| *size) else {
        return Err(Fault::OtherSize {
            node: id,
            size,
            ours: roots.last().map_or(0, |(size, ..)| *size),
        });
    };
    let (_, height, root) = &roots[at];
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
