//! What each key has signed lately: notices when one contradicts itself.
//!
//! Sans-IO and bounded. Of every key the newest notes are kept, and apart from them the first ones that
//! contradict this node's own log: with any later note of the same key that agrees with the log,
//! such a note is evidence, and the own log gives the proof. So nobody need remember every note to catch a
//! key that told one thing here and another there.

use std::collections::VecDeque;

use super::{Evidence, note::Cut, suspects::Suspects};
use crate::{hash::Hash, tlog::note::SignedNote};

/// Notes kept of each key.
const NEWEST_MAX: usize = 32;
/// And of those that contradict the own log.
const ODD_MAX: usize = 8;

/// The log that whoever remembers has itself executed.
pub trait OwnLog {
    /// The root at a size; `None` beyond its end.
    fn root_at(&self, size: u64) -> Option<Hash>;
    /// A proof of consistency between two sizes of it.
    fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>>;
}

/// One key's notes.
#[derive(Clone, Debug, Default)]
struct Signed {
    newest: VecDeque<Kept>,
    odd: Vec<Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    size: u64,
    root: Hash,
    note: String,
    /// Whether the own log has this root; unknown beyond its end.
    agrees: Option<bool>,
    /// Evidence was made of it already.
    told: bool,
}

/// What each key has signed lately.
#[derive(Clone, Debug)]
pub struct Memory {
    origin: String,
    suspects: Suspects,
    /// One per suspect.
    signed: Vec<Signed>,
}

/// What came of a note.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Evidence that it makes with what was signed before.
    pub evidence: Vec<Evidence>,
    /// Somebody signed another root than the own log has: others should see this note.
    pub contradicts: bool,
}

impl Memory {
    /// Remembers what these keys sign about the log `origin`.
    #[must_use]
    pub fn new(origin: String, suspects: Suspects) -> Self {
        let signed = vec![Signed::default(); suspects.list().len()];
        Self { origin, suspects, signed }
    }

    /// The keys.
    #[must_use]
    pub fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// Knows more keys from now on: those that a later policy names.
    ///
    /// # Panics
    /// If a key is known no more, which is a bug: every policy there has been counts.
    pub fn learn(&mut self, origin: &str, suspects: Suspects) {
        let known = suspects.list().starts_with(self.suspects.list());
        assert!(known, "who has signed once answers for it for ever");
        if self.origin != origin {
            // Another epoch's log: what was signed about the one before contradicts nothing in it.
            self.origin = origin.into();
            self.signed.clear();
        }
        self.signed.resize(suspects.list().len(), Signed::default());
        self.suspects = suspects;
    }

    /// Takes a note, with any signatures. What is no checkpoint of this log, or signed by none of the keys,
    /// is forgotten at once.
    pub fn take(&mut self, note: &str, own: &impl OwnLog) -> Taken {
        let mut taken = Taken::default();
        let Ok(parsed) = note.parse::<SignedNote>() else { return taken };
        for at in 0..self.suspects.list().len() {
            let suspect = &self.suspects.list()[at];
            let claims = suspect.cosigns_as.as_deref().unwrap_or(&self.origin);
            if !parsed.signatures().iter().any(|line| line.name() == claims) {
                continue;
            }
            let Some(cut) = Cut::of(suspect, note) else { continue };
            if cut.checkpoint.origin() != self.origin {
                continue;
            }
            let (size, root) = (cut.checkpoint.size(), *cut.checkpoint.root());
            self.keep(
                at,
                Kept { size, root, note: cut.text, agrees: None, told: false },
                own,
                &mut taken,
            );
        }
        taken
    }

    /// Looks again at notes that came before their leaves.
    pub fn look_again(&mut self, own: &impl OwnLog) -> Taken {
        let mut taken = Taken::default();
        for at in 0..self.signed.len() {
            self.settle(at, own, &mut taken);
        }
        taken
    }

    fn keep(&mut self, at: usize, kept: Kept, own: &impl OwnLog, taken: &mut Taken) {
        let signed = &mut self.signed[at];
        let known = |k: &Kept| (k.size, k.root) == (kept.size, kept.root);
        if signed.newest.iter().chain(&signed.odd).any(known) {
            return;
        }
        let suspect = &self.suspects.list()[at];
        let same_size = signed.newest.iter().chain(&signed.odd).find(|k| k.size == kept.size);
        let two = same_size.and_then(|k| Evidence::two_roots(suspect, &k.note, &kept.note));
        taken.evidence.extend(two);
        if signed.newest.len() == NEWEST_MAX {
            signed.newest.pop_front();
        }
        signed.newest.push_back(kept);
        self.settle(at, own, taken);
    }

    /// Compares with the own log what was beyond its end until now; then odd notes with those that agree.
    fn settle(&mut self, at: usize, own: &impl OwnLog, taken: &mut Taken) {
        let signed = &mut self.signed[at];
        let mut changed = false;
        for kept in signed.newest.iter_mut().filter(|kept| kept.agrees.is_none()) {
            let root = own.root_at(kept.size);
            kept.agrees = root.map(|root| root == kept.root);
            changed |= root.is_some();
        }
        if !changed {
            return;
        }
        let odd = signed.newest.iter().filter(|kept| kept.agrees == Some(false));
        for kept in odd.cloned().collect::<Vec<_>>() {
            taken.contradicts = true;
            signed.newest.retain(|other| (other.size, other.root) != (kept.size, kept.root));
            if signed.odd.len() < ODD_MAX {
                signed.odd.push(kept);
            }
        }
        let suspect = &self.suspects.list()[at];
        for odd in signed.odd.iter_mut().filter(|odd| !odd.told) {
            let agrees = |k: &&Kept| k.agrees == Some(true) && k.size > odd.size;
            let Some(later) = signed.newest.iter().find(agrees) else { continue };
            let (Some(root), Some(proof)) =
                (own.root_at(odd.size), own.consistency(odd.size, later.size))
            else {
                continue;
            };
            let evidence = Evidence::rewritten(suspect, &odd.note, &later.note, (root, proof));
            odd.told = evidence.is_some();
            taken.evidence.extend(evidence);
        }
    }
}
