//! One turn of raft-rs in our own words.

use raft::Ready;

use super::convert;
use crate::{HardState, LogEntry, PeerMessage};

/// What one turn of raft-rs wants done.
pub(crate) struct Turn {
    /// Ascending; persisted in order.
    pub(crate) number: u64,
    /// To send.
    pub(crate) messages: Vec<PeerMessage>,
    /// Whether `messages` must wait until `number` is persisted.
    pub(crate) withheld: bool,
    /// Remove entries from here on before appending.
    pub(crate) truncate_from: Option<u64>,
    /// To append.
    pub(crate) entries: Vec<LogEntry>,
    /// To write.
    pub(crate) hard_state: Option<HardState>,
    /// Whether the write must be synced.
    pub(crate) must_sync: bool,
    /// To execute.
    pub(crate) committed: Vec<LogEntry>,
}

impl Turn {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.committed.is_empty() && !self.persists()
    }

    /// Whether there is anything to write.
    pub(crate) fn persists(&self) -> bool {
        !self.entries.is_empty() || self.hard_state.is_some()
    }

    /// Takes everything out of `ready` but the number, which raft-rs wants back.
    pub(super) fn take(ready: &mut Ready) -> Self {
        let withheld = !ready.persisted_messages().is_empty();
        let mut messages = ready.take_messages();
        messages.append(&mut ready.take_persisted_messages());
        Self {
            number: ready.number(),
            messages: messages.into_iter().map(convert::from_raft).collect(),
            withheld,
            truncate_from: None,
            entries: ready.take_entries().into_iter().map(convert::from_entry).collect(),
            hard_state: ready.hs().map(convert::from_hard_state),
            must_sync: ready.must_sync(),
            committed: ready
                .take_committed_entries()
                .into_iter()
                .map(convert::from_entry)
                .collect(),
        }
    }
}
