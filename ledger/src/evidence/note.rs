//! Evidence about signed checkpoints: two roots at one size, or a history that was rewritten.
//!
//! Of a note a file keeps the text and the one signature line of the accused: other signers, and when they
//! signed, are nobody's business, and one fact has one file.

use serde::{Deserialize, Serialize};

use super::{
    Evidence,
    error::EvidenceError,
    finding::{Finding, Kind, Place},
    suspects::{Suspect, Suspects},
};
use crate::{
    hash::Hash,
    tlog::{
        checkpoint::{Checkpoint, CheckpointError},
        note::{NoteError, SignedNote},
        proof::verify_consistency,
        vkey::VerifierKey,
    },
};

/// Two checkpoints of one log and size with different roots, signed by one key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TwoRoots {
    /// The note with the smaller root; its only signature is the accused's.
    pub first: String,
    /// The other.
    pub second: String,
}

/// Two checkpoints of one log, signed by one key, of which the later does not contain the earlier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rewritten {
    /// The note of the smaller size.
    pub earlier: String,
    /// The note of the larger size.
    pub later: String,
    /// The root that the later tree has at the earlier size.
    pub root: Hash,
    /// Proof of consistency (RFC 6962 section 2.1.2) from `root` to the later root.
    pub proof: Vec<Hash>,
}

/// A note with one signature, read but not believed.
struct Said {
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl Said {
    fn read(text: &str, suspects: &Suspects) -> Result<Self, EvidenceError> {
        let note: SignedNote = text.parse().map_err(CheckpointError::Note)?;
        let checkpoint: Checkpoint = note.text().parse()?;
        if note.signatures().len() != 1 {
            return Err(EvidenceError::NotCanonical);
        }
        if !suspects.is_origin(checkpoint.origin()) {
            return Err(EvidenceError::OtherLog(checkpoint.origin().to_owned()));
        }
        Ok(Self { note, checkpoint })
    }

    fn is_by(&self, suspect: &Suspect) -> bool {
        let key = suspect.verifier_key(self.checkpoint.origin());
        key.is_some_and(|key| self.note.verify(std::slice::from_ref(&key)).is_ok())
    }
}

/// The one key that signed both; the line of each names its key, the signature decides.
fn signer<'s>(
    one: &Said,
    other: &Said,
    suspects: &'s Suspects,
) -> Result<&'s Suspect, EvidenceError> {
    if one.checkpoint.origin() != other.checkpoint.origin() {
        return Err(EvidenceError::OtherPlace);
    }
    let by_one = suspects.list().iter().filter(|suspect| one.is_by(suspect));
    let mut known = false;
    for suspect in by_one {
        known = true;
        if other.is_by(suspect) {
            return Ok(suspect);
        }
    }
    Err(if known { EvidenceError::NotSigned } else { EvidenceError::UnknownKey })
}

impl TwoRoots {
    pub(super) fn verify(&self, suspects: &Suspects) -> Result<Finding, EvidenceError> {
        let first = Said::read(&self.first, suspects)?;
        let second = Said::read(&self.second, suspects)?;
        let who = signer(&first, &second, suspects)?;
        let size = first.checkpoint.size();
        if second.checkpoint.size() != size {
            return Err(EvidenceError::OtherPlace);
        }
        match first.checkpoint.root().cmp(second.checkpoint.root()) {
            core::cmp::Ordering::Less => {}
            core::cmp::Ordering::Equal => return Err(EvidenceError::Same),
            core::cmp::Ordering::Greater => return Err(EvidenceError::NotCanonical),
        }
        let origin = first.checkpoint.origin().to_owned();
        let place = Place::Log { origin, size, later: None };
        Ok(Finding { kind: Kind::TwoRoots, who: who.clone(), place })
    }
}

impl Rewritten {
    pub(super) fn verify(&self, suspects: &Suspects) -> Result<Finding, EvidenceError> {
        let earlier = Said::read(&self.earlier, suspects)?;
        let later = Said::read(&self.later, suspects)?;
        let who = signer(&earlier, &later, suspects)?;
        let (size, larger) = (earlier.checkpoint.size(), later.checkpoint.size());
        // At one size it would be two roots; and every tree begins with the empty one.
        if size == 0 || size >= larger {
            return Err(EvidenceError::OtherPlace);
        }
        verify_consistency(size, &self.root, larger, later.checkpoint.root(), &self.proof)?;
        if self.root == *earlier.checkpoint.root() {
            return Err(EvidenceError::Same);
        }
        let origin = earlier.checkpoint.origin().to_owned();
        let place = Place::Log { origin, size, later: Some(larger) };
        Ok(Finding { kind: Kind::Rewritten, who: who.clone(), place })
    }
}

/// The note with `key`'s line alone, if that line is there and verifies.
pub(super) fn cut(note: &SignedNote, key: &VerifierKey) -> Option<String> {
    let lines = note.signatures().iter();
    lines.map(|line| alone(note, line)).find_map(|cut| {
        let cut = cut.ok()?;
        cut.verify(std::slice::from_ref(key)).is_ok().then(|| cut.to_string())
    })
}

fn alone(note: &SignedNote, line: &crate::tlog::NoteSignature) -> Result<SignedNote, NoteError> {
    let mut cut = SignedNote::new(note.text().to_owned())?;
    cut.add(line.clone())?;
    Ok(cut)
}

impl Evidence {
    /// Of two notes that `suspect` signed at one size, with whoever else signed them. `None` unless it did,
    /// and the roots differ.
    #[must_use]
    pub fn two_roots(suspect: &Suspect, one: &str, other: &str) -> Option<Self> {
        let (one, other) = (Cut::of(suspect, one)?, Cut::of(suspect, other)?);
        let place = |cut: &Cut| (cut.checkpoint.origin().to_owned(), cut.checkpoint.size());
        if place(&one) != place(&other) {
            return None;
        }
        let (first, second) = match one.checkpoint.root().cmp(other.checkpoint.root()) {
            core::cmp::Ordering::Less => (one.text, other.text),
            core::cmp::Ordering::Equal => return None,
            core::cmp::Ordering::Greater => (other.text, one.text),
        };
        Some(Self::TwoRoots(TwoRoots { first, second }))
    }

    /// Of two notes that `suspect` signed, the root that the later one's tree has at the earlier size, and the
    /// proof of that. `None` unless it signed both, and that root is not the earlier note's.
    #[must_use]
    pub fn rewritten(
        suspect: &Suspect,
        earlier: &str,
        later: &str,
        (root, proof): (Hash, Vec<Hash>),
    ) -> Option<Self> {
        let (earlier, later) = (Cut::of(suspect, earlier)?, Cut::of(suspect, later)?);
        let contradicts = *earlier.checkpoint.root() != root;
        let evidence = Rewritten { earlier: earlier.text, later: later.text, root, proof };
        contradicts.then_some(Self::Rewritten(evidence))
    }
}

/// A note cut down to one signer's line.
pub(super) struct Cut {
    pub(super) checkpoint: Checkpoint,
    pub(super) text: String,
}

impl Cut {
    pub(super) fn of(suspect: &Suspect, note: &str) -> Option<Self> {
        let note: SignedNote = note.parse().ok()?;
        let checkpoint: Checkpoint = note.text().parse().ok()?;
        let key = suspect.verifier_key(checkpoint.origin())?;
        Some(Self { text: cut(&note, &key)?, checkpoint })
    }
}
