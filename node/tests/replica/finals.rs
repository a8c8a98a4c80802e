//! Final checkpoints: which are taken, which are lies.

use musubi_ledger::{
    batch::NodeId,
    hash::Hash,
    policy::{PolicyChain, cosigner_name},
    tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey},
};
use musubi_node::follow::{
    finals::{Lie, Offer, OwnLog, judge},
    refused::Wrong,
};

use crate::follow::{genesis, key};

/// A log of five blocks with two leaves each; the root at size n is n times n.
struct Log;

impl OwnLog for Log {
    fn end(&self) -> (u64, u64) {
        (4, 10)
    }

    fn root_at(&self, size: u64) -> Option<Hash> {
        (1..=10).contains(&size).then(|| root(size))
    }
}

fn root(size: u64) -> Hash {
    [u8::try_from(size).unwrap(); 32]
}

/// A note that node 1 signs as the log, and nodes of `cosigners` cosign.
pub(crate) fn note(origin: &str, size: u64, root: Hash, cosigners: &[u8]) -> String {
    let checkpoint = Checkpoint::new(origin, size, root).unwrap();
    let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
    let text = note.text().to_owned();
    let log = VerifierKey::new(origin, Algorithm::Ed25519, &key(1).public().0).unwrap();
    note.add(NoteSignature::sign(&text, &log, |message| key(1).sign(message).0)).unwrap();
    for node in cosigners {
        let own = key(20 + node);
        let name = cosigner_name(&genesis(), NodeId((*node).into()));
        let cosigner = VerifierKey::new(&name, Algorithm::CosignatureV1, &own.public().0).unwrap();
        let sign = |message: &[u8]| own.sign(message).0;
        note.add(NoteSignature::cosign(&text, &cosigner, 1_775_001_700, sign)).unwrap();
    }
    note.to_string()
}

fn offered(note: &str, kept: u64) -> Result<Offer, Lie> {
    judge(&PolicyChain::of_genesis(&genesis()), note.as_bytes(), &Log, kept)
}

#[test]
fn what_is_final_and_true_is_taken_once() {
    let origin = genesis().origin();
    let true_note = note(&origin, 8, root(8), &[2]);
    let Offer::Newer(found) = offered(&true_note, 6).unwrap() else { panic!("it is newer") };
    assert_eq!((found.checkpoint.size(), *found.checkpoint.root()), (8, root(8)));
    assert_eq!(offered(&true_note, 8).unwrap(), Offer::Known);
    // About leaves that are not here yet it says nothing, whatever it says.
    assert_eq!(offered(&note(&origin, 11, [0; 32], &[1, 2]), 8).unwrap(), Offer::Ahead(11));
    // One organisation's log key alone is no quorum, and no lie.
    assert_eq!(offered(&note(&origin, 8, root(8), &[]), 6).unwrap(), Offer::NotFinal);
}

#[test]
fn what_a_quorum_signed_and_was_not_executed_here_is_a_contradiction() {
    // Older than what is kept, or newer: no final checkpoint may say otherwise.
    for kept in [0, 8, 10] {
        let lie = note(&genesis().origin(), 8, root(7), &[1]);
        let Lie::Contradiction(refused) = offered(&lie, kept).unwrap_err() else {
            panic!("it verifies")
        };
        assert_eq!((refused.height, refused.leaf), (4, Some(7)));
        assert_eq!(refused.wrong.code(), "checkpoint_conflict");
        let Wrong::Checkpoint { size: 8, theirs, ours } = refused.wrong else { panic!("so it is") };
        assert_eq!((theirs, ours), (hex::encode(root(7)), hex::encode(root(8))));
    }
}

#[test]
fn what_nobody_signed_is_forged() {
    let origin = genesis().origin();
    let whole = note(&origin, 8, root(8), &[2]);
    let other_root = note(&origin, 8, root(7), &[2]);
    let (text, _) = other_root.split_once("\n\n").unwrap();
    let (_, signatures) = whole.split_once("\n\n").unwrap();
    let moved = format!("{text}\n\n{signatures}");
    let elsewhere = note("another.example/1", 8, root(8), &[2]);
    for (what, note) in [("moved", moved), ("elsewhere", elsewhere), ("none", "no note".into())] {
        let lie = offered(&note, 0).expect_err(what);
        assert_eq!(lie.code(), "bad_checkpoint", "{what}: {lie}");
    }
}
