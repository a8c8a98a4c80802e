//! Changes of the witness policy that a final checkpoint has confirmed, and when that is told again.
//!
//! Whoever missed the round that confirmed a change cannot make up for it: the others have stopped signing with
//! the keys of the policy before, and nothing would ever be final there. So every member tells the proof now and
//! then, and whoever lacks it takes it ([`super::Act::Retell`]).

use std::collections::VecDeque;

/// Between two tellings, in milliseconds.
const RETELL_MS: u64 = 5_000;
/// Proofs told: of the newest changes. Who has missed more of them is for an operator.
const TOLD_MAX: usize = 32;

/// The proofs, oldest first.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    notes: VecDeque<String>,
    told_at: u64,
}

impl Confirmed {
    /// What the disk has of earlier runs, oldest first.
    pub(super) fn new(notes: Vec<String>) -> Self {
        let mut confirmed = Self::default();
        notes.into_iter().for_each(|note| confirmed.keep(note));
        confirmed
    }

    /// Keeps a final note that confirmed a change.
    pub(super) fn keep(&mut self, note: String) {
        // One note may confirm several changes.
        if self.notes.contains(&note) {
            return;
        }
        if self.notes.len() == TOLD_MAX {
            self.notes.pop_front();
        }
        self.notes.push_back(note);
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now: u64) -> Vec<String> {
        if !waited(now, self.told_at, RETELL_MS) {
            return Vec::new();
        }
        self.told_at = now;
        self.notes.iter().cloned().collect()
    }
}

/// Whether so many milliseconds have passed since, or the clock was set back: then nobody knows.
pub(super) fn waited(now: u64, since: u64, ms: u64) -> bool {
    now.checked_sub(since).is_none_or(|passed| passed >= ms)
}
