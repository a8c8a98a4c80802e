//! What the validators signed, against what was recomputed.

use std::collections::BTreeMap;

use musubi_ledger::{
    genesis::Genesis,
    hash::Hash,
    tlog::{Algorithm, Checkpoint, CheckpointError, VerifierKey},
};

use super::{
    ends::{End, Ends},
    fault::Fault,
    finding::{Finding, Part, Signer},
    report::Agreement,
};

/// Checks every note against the ends of the blocks; of several by one validator, the newest counts.
/// Returns who agrees, by node id, and every note that is wrong; [`super::coverage`] says whether those who
/// agree are enough. Where execution stopped early (`cut`), nothing can be said of what lies beyond.
pub(super) fn agreed(
    (genesis, origin): (&Genesis, &str),
    ends: &Ends,
    cut: bool,
    notes: &[(u64, String)],
) -> (Vec<Agreement>, Vec<Finding>) {
    let mut agreements: Vec<Agreement> = Vec::new();
    let mut findings = Vec::new();
    for (node, note) in notes {
        let agreement = match agreement((genesis, origin), ends, *node, note) {
            Ok(agreement) => agreement,
            Err(Fault::OtherSize { size, .. }) if cut && size > ends.last().size => continue,
            Err(fault) => {
                let signer = signer(genesis, *node, "signed it");
                // A signature that does not hold is nobody's.
                let by = signer.filter(|_| !matches!(fault, Fault::Checkpoint { .. }));
                findings.push(Finding::new(Part::Checkpoint, fault).signed(by));
                continue;
            }
        };
        agreements.push(agreement);
    }
    (newest(agreements), findings)
}

/// The newest of each node's agreements, by node id.
pub(super) fn newest(agreements: Vec<Agreement>) -> Vec<Agreement> {
    let mut newest: BTreeMap<u64, Agreement> = BTreeMap::new();
    for agreement in agreements {
        match newest.get(&agreement.node) {
            Some(known) if known.size >= agreement.size => {}
            _ => {
                newest.insert(agreement.node, agreement);
            }
        }
    }
    newest.into_values().collect()
}

/// A node as somebody who did something.
pub(super) fn signer(genesis: &Genesis, id: u64, did: &str) -> Option<Signer> {
    let node = genesis.nodes.iter().find(|node| node.id.0 == id)?;
    let organisation = genesis.organisation(&node.organisation);
    let organisation = organisation.map_or_else(String::new, |o| o.name.clone());
    Some(Signer { node: Some(id), organisation, did: did.to_owned() })
}

fn agreement(
    (genesis, origin): (&Genesis, &str),
    ends: &Ends,
    id: u64,
    note: &str,
) -> Result<Agreement, Fault> {
    let node = genesis.nodes.iter().find(|node| node.id.0 == id);
    let node = node.ok_or(Fault::UnknownValidator(id))?;
    let checkpoint =
        open(note, origin, &node.node.0).map_err(|cause| Fault::Checkpoint { node: id, cause })?;
    let size = checkpoint.size();
    let Some(End { height, root, .. }) = ends.at_size(size) else {
        return Err(Fault::OtherSize { node: id, size, ours: ends.last().size });
    };
    if checkpoint.root() != root {
        let (theirs, ours) = (hex(checkpoint.root()), hex(root));
        return Err(Fault::OtherRoot { node: id, size, theirs, ours });
    }
    agreement_of(genesis, id, size, *height).ok_or(Fault::UnknownValidator(id))
}

/// That a node signed what we have at a size.
pub(super) fn agreement_of(
    genesis: &Genesis,
    id: u64,
    size: u64,
    height: u64,
) -> Option<Agreement> {
    let organisation = signer(genesis, id, "")?.organisation;
    Some(Agreement { node: id, organisation, size, height })
}

fn hex(hash: &Hash) -> String {
    hex::encode(hash)
}

fn open(note: &str, origin: &str, key: &[u8; 32]) -> Result<Checkpoint, CheckpointError> {
    let key = VerifierKey::new(origin, Algorithm::Ed25519, key)
        .expect("a checked genesis document has usable node keys and a usable origin");
    let keys = [key];
    Ok(Checkpoint::open(note.as_bytes(), origin, &keys)?.checkpoint)
}
