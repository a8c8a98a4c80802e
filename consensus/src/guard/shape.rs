//! The form of an append, and whether it contradicts what this replica holds.

use musubi_ledger::limits;

use super::{Accusation, Facts, INDEX_MAX, LogFacts, Refusal};
use crate::{LogEntry, Position, config::ENTRIES_PER_APPEND_MAX};

/// Lengths, contiguity, terms that never fall: raft-rs checks none of them and panics on some.
pub(super) fn check_shape(
    term: u64,
    previous: Position,
    commit: u64,
    entries: &[LogEntry],
) -> Result<(), Refusal> {
    if previous.index > INDEX_MAX || commit > INDEX_MAX {
        return Err(Refusal::Index);
    }
    if (previous.index == 0) != (previous.term == 0) || previous.term > term {
        return Err(Refusal::EntryTerm);
    }
    if entries.len() > ENTRIES_PER_APPEND_MAX {
        return Err(Refusal::TooManyEntries);
    }
    let mut before = previous;
    for entry in entries {
        if entry.index != before.index + 1 {
            return Err(Refusal::Gap);
        }
        if entry.term < before.term || entry.term == 0 || entry.term > term {
            return Err(Refusal::EntryTerm);
        }
        if entry.data.len() > limits::BATCH_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        before = entry.position();
    }
    Ok(())
}

/// What makes raft-rs look for the place where two logs part reads one term per entry, downwards to
/// `previous`'s term. An honest leader holds what is committed here, so its terms behind that are no
/// lower, and the search ends in the uncommitted tail.
pub(super) fn check_previous(
    previous: Position,
    facts: &Facts,
    log: &impl LogFacts,
) -> Result<(), Refusal> {
    let parts = previous.index > facts.commit
        && log.term_at(previous.index) != Some(previous.term)
        && log.term_at(facts.commit).is_some_and(|committed| previous.term < committed);
    if parts { Err(Refusal::EntryTerm) } else { Ok(()) }
}

/// G5: an entry that contradicts a committed one, or differs from ours at the same index *and*
/// term.
pub(super) fn contradiction(
    previous: Position,
    entries: &[LogEntry],
    facts: &Facts,
    log: &impl LogFacts,
) -> Option<Accusation> {
    if previous.index <= facts.commit
        && log.term_at(previous.index).is_some_and(|ours| ours != previous.term)
    {
        let ours = log.entry_at(previous.index).map(|entry| entry.position());
        return Some(Accusation::PreviousContradictsCommitted { ours, theirs: previous });
    }
    for theirs in entries.iter().take_while(|entry| entry.index <= facts.last.index) {
        let Some(ours) = log.entry_at(theirs.index) else {
            continue;
        };
        if ours.term == theirs.term && ours.data != theirs.data {
            return Some(Accusation::TwoEntries { ours, theirs: theirs.clone() });
        }
        if ours.term != theirs.term && theirs.index <= facts.commit {
            return Some(Accusation::ContradictsCommitted { ours, theirs: theirs.clone() });
        }
        if ours.term != theirs.term {
            // Ours was never committed and gives way, with all that follows it.
            break;
        }
    }
    None
}
