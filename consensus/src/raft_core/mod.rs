//! The only room that names raft-rs: one `RawNode`, driven by its asynchronous ready.
//!
//! Why asynchronous: several persists may then be under way, so that one fsync covers many, while a
//! leader sends its appends in parallel with its own disk. What makes it safe does not rest on
//! raft-rs alone:
//!
//! - each raft call is followed by a full drain ([`RaftCore::ready`] until empty), so a turn's
//!   messages were all made in one role; raft-rs hands a leader's out at once and withholds
//!   everybody else's;
//! - the caller withholds by number (`outbox`), and numbers are persisted in order;
//! - entries go to execution only below the first unpersisted index as *we* count it
//!   ([`LogView::feed_until`]): raft-rs's own mark can run ahead when an entry is replaced and
//!   comes back while writes are under way.
//!
//! raft-rs panics (`fatal!`) on states it holds to be impossible. The guard keeps peers from
//! causing one; should one happen, it is caught here, everything of that call is discarded and the
//! replica halts.

mod convert;
#[cfg(test)]
mod dangers;
mod settings;
mod storage;
mod timeout;
mod turn;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use musubi_ledger::batch::NodeId;
use raft::{RawNode, StateRole};

pub(crate) use self::turn::Turn;
use self::{settings::settings, storage::LogView, timeout::Timeout};
use crate::{
    Config, HaltReason, LogEntry, LogReader, PeerMessage, Position, RecoverError, Recovered, Role,
    Standing,
};

pub(crate) struct RaftCore {
    node: RawNode<LogView>,
    timeout: Timeout,
    fault: Option<HaltReason>,
}

impl RaftCore {
    pub(crate) fn new(
        config: &Config,
        recovered: &Recovered,
        reader: Box<dyn LogReader + Send>,
        seed: u64,
    ) -> Result<Self, RecoverError> {
        let mut voters: Vec<u64> = config.members.iter().map(|member| member.node.0).collect();
        voters.sort_unstable();
        let view = LogView::new(voters, recovered, reader);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let settings = settings(config, recovered);
        let started = catch_unwind(AssertUnwindSafe(|| RawNode::new(&settings, view, &logger)));
        let node = match started {
            Ok(Ok(node)) => node,
            Ok(Err(error)) => return Err(RecoverError::Raft(error.to_string())),
            Err(panic) => return Err(RecoverError::Raft(text_of(&*panic))),
        };
        if let Some(fault) = node.store().take_fault() {
            return Err(fault.into());
        }
        let timeout = Timeout::new(seed, config.me.0, config.raft.election_ticks);
        let mut core = Self { node, timeout, fault: None };
        core.redraw_timeout();
        Ok(core)
    }

    /// Calls into raft-rs; `None` once anything went wrong.
    fn call<R>(&mut self, act: impl FnOnce(&mut RawNode<LogView>) -> R) -> Option<R> {
        if self.fault.is_some() {
            return None;
        }
        let node = &mut self.node;
        let result = catch_unwind(AssertUnwindSafe(|| act(node)));
        // An unreadable log first: it may be what raft-rs stumbled over.
        if let Some(fault) = self.node.store().take_fault() {
            self.fault = Some(fault.into());
            return None;
        }
        match result {
            Ok(result) => {
                self.redraw_timeout();
                Some(result)
            }
            Err(panic) => {
                self.fault = Some(HaltReason::Raft(text_of(&*panic)));
                None
            }
        }
    }

    fn redraw_timeout(&mut self) {
        let ticks = self.timeout.ticks(self.node.raft.term);
        self.node.raft.set_randomized_election_timeout(ticks);
    }

    /// What stopped raft-rs, if anything did: all results since are to be discarded.
    pub(crate) fn fault(&self) -> Option<&HaltReason> {
        self.fault.as_ref()
    }

    /// Stops for a reason found outside.
    pub(crate) fn stop(&mut self, reason: HaltReason) {
        self.fault.get_or_insert(reason);
    }

    pub(crate) fn tick(&mut self) {
        let led = self.node.raft.state == StateRole::Leader;
        // A tick that does anything on a non-leader is an election timeout.
        if self.call(RawNode::tick) == Some(true) && !led {
            self.timeout.campaigned();
            self.redraw_timeout();
        }
    }

    /// Time passes, and this node does not campaign: only a leader that is not heard loses its lease here.
    pub(crate) fn wait(&mut self) {
        self.call(|node| {
            node.raft.election_elapsed = node.raft.election_elapsed.saturating_add(1);
        });
    }

    /// Steps a message that the guard let pass.
    pub(crate) fn step(&mut self, message: PeerMessage) {
        let message = convert::to_raft(message);
        // Errors here mean "ignored": a sender that raft-rs does not know. The guard knows better.
        let _ = self.call(|node| node.step(message));
    }

    pub(crate) fn unreachable(&mut self, node: NodeId) {
        self.call(|raft| raft.report_unreachable(node.0));
    }

    /// Proposes at [`RaftCore::next_position`].
    ///
    /// # Errors
    /// Gives `data`'s fate back as `Err` when raft-rs has no room for it now.
    pub(crate) fn propose(&mut self, data: Vec<u8>) -> Result<(), ()> {
        let expected = self.next_position();
        match self.call(|node| node.propose(Vec::new(), data)) {
            Some(Ok(())) => {
                let log = &self.node.raft.raft_log;
                let placed = Position { index: log.last_index(), term: log.last_term() };
                assert!(
                    placed == expected,
                    "raft placed a batch at {placed:?}, it says {expected:?}"
                );
                Ok(())
            }
            Some(Err(_)) | None => Err(()),
        }
    }

    /// Everything up to this number is persisted, and everything below `unpersisted_from` with it.
    pub(crate) fn persisted(&mut self, number: u64, unpersisted_from: u64, tail_budget: usize) {
        self.call(|node| {
            node.on_persist_ready(number);
            node.mut_store().shrink(tail_budget, unpersisted_from);
        });
    }

    /// Entries up to `index` are executed.
    pub(crate) fn executed(&mut self, index: u64) {
        self.call(|node| node.advance_apply_to(index));
    }

    /// The next turn. One that [asks for nothing](Turn::is_empty) ends the drain.
    pub(crate) fn ready(&mut self, feed_until: u64) -> Option<Turn> {
        self.call(|node| {
            node.mut_store().feed_until = feed_until;
            let mut ready = node.ready();
            // Readable before `advance_append_async`, as raft-rs requires.
            let truncate_from = node.mut_store().append(ready.entries());
            let turn = Turn { truncate_from, ..Turn::take(&mut ready) };
            node.advance_append_async(ready);
            turn
        })
    }

    pub(crate) fn standing(&self) -> Standing {
        let raft = &self.node.raft;
        let leader = (raft.leader_id != raft::INVALID_ID).then_some(NodeId(raft.leader_id));
        let role = match raft.state {
            StateRole::Follower => Role::Follower,
            StateRole::PreCandidate => Role::PreCandidate,
            StateRole::Candidate => Role::Candidate,
            StateRole::Leader => Role::Leader,
        };
        Standing { term: raft.term, leader, role }
    }

    /// Whether this node leads and has executed an entry of its own term: until then its state may
    /// be behind what earlier leaders committed.
    pub(crate) fn may_propose(&self) -> bool {
        self.node.raft.state == StateRole::Leader && self.node.raft.apply_to_current_term()
    }

    /// Where the next proposal will stand.
    pub(crate) fn next_position(&self) -> Position {
        let raft = &self.node.raft;
        Position { index: raft.raft_log.last_index() + 1, term: raft.term }
    }

    pub(crate) fn commit(&self) -> u64 {
        self.node.raft.raft_log.committed
    }

    /// The end of the log. Between calls nothing is unstable: every turn is drained.
    pub(crate) fn last(&self) -> Position {
        self.node.store().last()
    }

    pub(crate) fn tail_bytes(&self) -> usize {
        self.node.store().tail_bytes()
    }

    /// How far this follower has acknowledged our log in this term.
    pub(crate) fn acknowledged(&self, node: NodeId) -> u64 {
        self.node.raft.prs().get(node.0).map_or(0, |progress| progress.matched)
    }

    pub(crate) fn term_at(&self, index: u64) -> Option<u64> {
        self.node.store().term_at(index)
    }

    pub(crate) fn entry_at(&self, index: u64) -> Option<LogEntry> {
        self.node.store().entry_at(index).map(convert::from_entry)
    }

    /// Looks for an unreadable log after the readers above.
    pub(crate) fn check_reads(&mut self) {
        self.call(|_| ());
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}
