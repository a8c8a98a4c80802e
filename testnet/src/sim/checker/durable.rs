//! What each disk must hold: the Raft log as far as it was synced, and what was written since.

use std::collections::VecDeque;

use musubi_consensus::{LogEntry, Persist};

use super::{Holds, broken};
use crate::sim::trace::digest;

/// One node's log.
pub(crate) struct DurableLog {
    /// Fingerprints of the synced entries, from index 1.
    entries: Vec<u64>,
    staged: VecDeque<Write>,
}

struct Write {
    truncate_from: Option<u64>,
    entries: Vec<u64>,
}

/// What tells entries apart.
pub(crate) fn fingerprint(entry: &LogEntry) -> u64 {
    digest(&entry.data) ^ entry.term.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl DurableLog {
    pub(crate) fn new(entries: &[LogEntry]) -> Self {
        Self { entries: entries.iter().map(fingerprint).collect(), staged: VecDeque::new() }
    }

    pub(crate) fn stage(&mut self, persists: &[Persist]) {
        self.staged.extend(persists.iter().map(|persist| Write {
            truncate_from: persist.truncate_from,
            entries: persist.entries.iter().map(fingerprint).collect(),
        }));
    }

    pub(crate) fn sync(&mut self) {
        while self.keep_next() {}
    }

    /// Whether the entry at `index` is this one, durably.
    pub(crate) fn holds(&self, index: u64, fingerprint: u64) -> bool {
        self.entries.get(index as usize - 1) == Some(&fingerprint)
    }

    /// The directory was opened: all that was synced is there, and a prefix of the rest.
    pub(crate) fn recovered(&mut self, node: usize, found: &[LogEntry]) -> Holds {
        let found: Vec<u64> = found.iter().map(fingerprint).collect();
        while self.entries != found {
            if !self.keep_next() {
                let seen = format!(
                    "node {} finds {} entries that are not what it wrote",
                    node + 1,
                    found.len()
                );
                return broken("I15 synced writes survive, the rest as a prefix", seen);
            }
        }
        self.staged.clear();
        Ok(())
    }

    fn keep_next(&mut self) -> bool {
        let Some(write) = self.staged.pop_front() else {
            return false;
        };
        if let Some(from) = write.truncate_from {
            self.entries.truncate(from as usize - 1);
        }
        self.entries.extend(write.entries);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(index: u64, term: u64) -> LogEntry {
        LogEntry { index, term, data: vec![term as u8; 9] }
    }

    fn persist(truncate_from: Option<u64>, entries: Vec<LogEntry>) -> Persist {
        Persist { number: 1, truncate_from, entries, hard_state: None, must_sync: true }
    }

    fn log() -> DurableLog {
        let mut log = DurableLog::new(&[entry(1, 1)]);
        log.stage(&[persist(None, vec![entry(2, 1), entry(3, 1)])]);
        log.sync();
        log.stage(&[persist(Some(3), vec![entry(3, 2)]), persist(None, vec![entry(4, 2)])]);
        log
    }

    #[test]
    fn what_was_synced_and_any_prefix_of_the_rest_may_be_found() {
        let synced = vec![entry(1, 1), entry(2, 1), entry(3, 1)];
        let replaced = vec![entry(1, 1), entry(2, 1), entry(3, 2)];
        let all = [replaced.clone(), vec![entry(4, 2)]].concat();
        for found in [synced, replaced, all] {
            log().recovered(0, &found).unwrap();
        }
    }

    #[test]
    fn less_than_was_synced_or_a_gap_is_noticed() {
        let lost = vec![entry(1, 1), entry(2, 1)];
        let gap = vec![entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 2)];
        for found in [lost, gap, Vec::new()] {
            assert!(log().recovered(0, &found).is_err(), "{found:?}");
        }
        assert!(log().holds(3, fingerprint(&entry(3, 1))));
        assert!(!log().holds(3, fingerprint(&entry(3, 2))), "staged is not durable");
    }
}
