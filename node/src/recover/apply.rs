//! `musubi-node recover apply`: the recovery becomes the next entry of the surviving log.
//!
//! Only its opener has anything to write: one entry and the first term of the new epoch, in one synced write. A crash
//! before it leaves the directory as it was, one behind it leaves it applied, and the same again changes nothing. It
//! is committed later, when the new validators have it.

use anyhow::{Context, bail, ensure};
use musubi_consensus::{HardState, LogEntry, Persist, Position};
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    epoch::first_term,
    policy::Recovery,
};
use musubi_storage::Opened;

use super::{RecoveryFile, replay::Replayed};
use crate::{config::Loaded, directory};

/// What came of applying a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is in the log now.
    Now,
    /// It was there before.
    Before,
    /// This node is not its opener: it gets the recovery with the log.
    NotHere,
}

/// Applies the recovery that the configuration names to the node's directory.
///
/// # Errors
/// If none is named, the directory is refused, or it is not the log from which the recovery goes on.
pub fn apply(loaded: &Loaded) -> anyhow::Result<Applied> {
    let (Some(recovery), Some(file)) = (loaded.recoveries.list.last(), &loaded.recoveries.file)
    else {
        bail!(
            "the configuration names no recovery: set `recovery = \"FILE\"`, and the new validators"
        );
    };
    if recovery.begins.opener != NodeId(loaded.config.node) {
        return Ok(Applied::NotHere);
    }
    let opened = directory::open(loaded)?;
    if is_applied(&opened, recovery)? {
        return Ok(Applied::Before);
    }
    let entry = entry(loaded, &opened, recovery, file)?;
    let commit = opened.recovered.hard_state.commit;
    let hard_state = HardState { term: entry.term, vote: None, commit };
    let persist = Persist {
        number: 1,
        truncate_from: None,
        entries: vec![entry],
        hard_state: Some(hard_state),
        must_sync: true,
    };
    opened.store.stage(&persist)?;
    opened.store.sync()?;
    Ok(Applied::Now)
}

/// Refuses to run the opener's node before it has applied its recovery.
///
/// # Errors
/// If it has not.
pub fn check_applied(loaded: &Loaded, opened: &Opened) -> anyhow::Result<()> {
    let own = |recovery: &&Recovery| recovery.begins.opener == NodeId(loaded.config.node);
    let Some(recovery) = loaded.recoveries.list.last().filter(own) else { return Ok(()) };
    ensure!(
        is_applied(opened, recovery)?,
        "this node's log opens epoch {}, and the recovery is not in it yet: run `musubi-node recover apply` first",
        recovery.begins.epoch
    );
    Ok(())
}

/// Whether the log holds a recovery at that place. Which one it is, is checked like every entry of the log.
fn is_applied(opened: &Opened, recovery: &Recovery) -> anyhow::Result<bool> {
    let at = recovery.begins.last_index + 1;
    let found = opened.store.log_position(at)?;
    if found.is_none_or(|found| found.term != first_term(recovery.begins.epoch)) {
        return Ok(false);
    }
    let entry =
        opened.store.log_entries(at, at + 1, u64::MAX)?.pop().context("the log has a gap")?;
    let batch = Batch::decode(&entry.data).context("the first entry of the epoch")?;
    let item = batch.items.first().context("the first entry of the epoch is empty")?;
    let there = musubi_ledger::transaction::Transaction::decode(item)?.body.id();
    ensure!(
        there == recovery.id,
        "this directory was recovered by {there} before, and its node has signed that: another recovery of the same \
         epoch cannot follow it"
    );
    Ok(true)
}

/// The entry, once the directory fits and execution says that the recovery takes effect.
fn entry(
    loaded: &Loaded,
    opened: &Opened,
    recovery: &Recovery,
    file: &RecoveryFile,
) -> anyhow::Result<LogEntry> {
    let begins = &recovery.begins;
    let last = Position { index: begins.last_index, term: begins.last_term };
    ensure!(
        opened.recovered.last == last,
        "this log ends at entry {} of term {}, the recovery goes on from entry {} of term {}: it was drafted from \
         another directory, or this node has run since",
        opened.recovered.last.index,
        opened.recovered.last.term,
        last.index,
        last.term
    );
    recovery.follows(&opened.store.policies()?)?;
    let mut replayed = Replayed::new(opened)?;
    if let Some(known) = &recovery.last_final
        && let Some(own) = opened.store.root_at(known.size())
    {
        ensure!(own == *known.root(), "the final checkpoint that it names is not of this log");
    }
    let (term, index) = (first_term(begins.epoch), last.index + 1);
    let items = vec![file.recovery.encode()];
    let signer = (NodeId(loaded.config.node), &loaded.keys().node);
    let batch = Batch::sign(loaded.genesis.chain(), (term, index), file.time, items, signer);
    let data = batch.encode();
    let block = replayed.execute(&batch, &data);
    let code = block.items.first().map_or(Code::Malformed, |item| item.code);
    ensure!(
        code == Code::Applied,
        "the recovery would not take effect on this log ({code}): {}",
        code.sentence()
    );
    Ok(LogEntry { index, term, data })
}
