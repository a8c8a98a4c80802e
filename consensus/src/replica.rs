//! The replica: owns the parts and lets inputs flow through them in one fixed order.
//!
//! Per input: guard and entry check rule, raft-rs steps, its turns are drained into effects, then a
//! leader may cut batches, and only then is the standing reported. If anything failed on the way,
//! the effects of this input are discarded and a halt takes their place: nothing rests on half a
//! step.

mod leading;
mod peers;
mod pledging;
mod turns;

use std::collections::VecDeque;

use musubi_ledger::{
    batch::NodeId,
    epoch::{epoch_of, first_term},
    time::Time,
};

use crate::{
    Accusation, Config, Effect, Executed, HaltReason, Input, LogReader, RecoverError, Recovered,
    Refusal, RefuseReason, Role, Standing, Submission, Via, amnesia::Amnesia, cutter::Cutter,
    guard::Guard, outbox::Outbox, pool::Pool, raft_core::RaftCore,
};

/// One member's replica of the log.
pub struct Replica {
    config: Config,
    core: RaftCore,
    guard: Guard,
    amnesia: Option<Amnesia>,
    outbox: Outbox,
    pool: Pool,
    cutter: Cutter,
    effects: VecDeque<Effect>,
    now: Time,
    /// As last reported.
    standing: Standing,
    /// Last entry handed to execution.
    fed: u64,
    /// Last entry executed.
    executed: u64,
    halted: bool,
}

/// A replica's figures, for metrics and readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Term, leader and role.
    pub standing: Standing,
    /// Leads and may propose.
    pub proposing: bool,
    /// Last entry of the log.
    pub last_index: u64,
    /// Raft's commit index.
    pub commit: u64,
    /// Last entry executed.
    pub executed: u64,
    /// Transactions waiting in the pool.
    pub pool_items: usize,
    /// Their bytes.
    pub pool_bytes: usize,
    /// Own batches proposed and not yet executed.
    pub in_flight: usize,
    /// Whether anything is being persisted.
    pub persisting: bool,
    /// The disk hangs: a leader is silent meanwhile, so that others elect.
    pub stalled: bool,
    /// Messages since the start of which only a step towards their far term was heard. It grows while
    /// terms have parted; if it keeps growing, a member lies.
    pub far_terms: u64,
    /// Bytes of the log's tail in memory.
    pub tail_bytes: usize,
    /// Enough others vouch for it: until then it promises nothing.
    pub awake: bool,
    /// Others that have recorded this run of it.
    pub vouching: usize,
    /// Others that refuse it, and have not shown why by its own signature.
    pub doubting: usize,
    /// Nothing more comes from this replica.
    pub halted: bool,
}

impl Replica {
    /// A replica that goes on from what storage found. `seed` decides its election timeouts and
    /// nothing else.
    ///
    /// # Errors
    /// [`RecoverError`] if configuration, recovered state or log contradict themselves or each
    /// other: the node must not start.
    pub fn new(
        config: Config,
        recovered: Recovered,
        reader: Box<dyn LogReader + Send>,
        seed: u64,
    ) -> Result<Self, RecoverError> {
        config.check()?;
        recovered.check()?;
        check_against(&config, &recovered, &*reader)?;
        let recovered = in_epoch(&config, recovered)?;
        let core = RaftCore::new(&config, &recovered, reader, seed)?;
        let standing = core.standing();
        let Recovered { applied_index, applied_time, due, .. } = recovered;
        Ok(Self {
            guard: Guard::new(config.me, config.members.iter().map(|member| member.node))
                .in_epoch(config.epoch()),
            amnesia: None,
            outbox: Outbox::new(config.raft.held_messages),
            pool: Pool::new(config.pool),
            cutter: Cutter::new(config.cut, config.raft.unexecuted_max, applied_time, due),
            effects: VecDeque::new(),
            now: Time::ZERO,
            standing,
            fed: applied_index,
            executed: applied_index,
            halted: false,
            core,
            config,
        })
    }

    /// Takes one input. `now` is this node's clock; it may jump, nothing but stamps and waiting
    /// rests on it.
    ///
    /// # Panics
    /// If the caller breaks its side: reports a persist or an execution that is not under way.
    pub fn handle(&mut self, now: Time, input: Input) {
        if self.halted {
            return;
        }
        let before = self.effects.len();
        self.now = now;
        match input {
            Input::Tick => self.tick(),
            Input::Wake => (),
            Input::Message { from, bytes } => self.receive(from, &bytes),
            Input::Submit { via, items } => self.submit(via, items),
            Input::Persisted { number } => self.persisted(number),
            Input::Executed(executed) => self.executed(executed),
            Input::PeerUnreachable { node } => self.core.unreachable(node),
            Input::PeerConnected { node } => self.peer_connected(node),
            Input::Durable { kept, cosigned } => self.durable(kept, cosigned),
            Input::Recorded { number } => self.recorded(number),
        }
        self.drain_turns();
        self.report_standing();
        self.propose_due();
        if let Some(reason) = self.core.fault().cloned() {
            self.effects.truncate(before);
            self.halt(reason);
        }
    }

    /// The next effect, in the order in which they must take hold; `None` until the next input.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When this replica wants an [`Input::Wake`] if nothing else happens before. Only a proposing
    /// leader asks for one.
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        if self.halted || !self.may_cut() {
            return None;
        }
        self.cutter.next_wake(self.waiting(), self.core.commit())
    }

    /// Its figures now.
    #[must_use]
    pub fn status(&self) -> Status {
        let (vouching, doubting) = self.amnesia.as_ref().map_or((0, 0), Amnesia::standing);
        Status {
            standing: self.core.standing(),
            proposing: self.core.may_propose(),
            last_index: self.core.last().index,
            commit: self.core.commit(),
            executed: self.executed,
            pool_items: self.pool.len(),
            pool_bytes: self.pool.bytes(),
            in_flight: self.cutter.under_way(),
            persisting: self.outbox.is_writing(),
            stalled: self.is_stalled(),
            far_terms: self.guard.far_terms(),
            tail_bytes: self.core.tail_bytes(),
            awake: self.is_awake(),
            vouching,
            doubting,
            halted: self.halted,
        }
    }

    fn tick(&mut self) {
        self.outbox.tick();
        self.guard.tick();
        self.tick_pledges();
        if !self.is_awake() {
            return;
        }
        // Without ticks a leader sends no heartbeats: the followers' patience runs out, and they elect
        // one whose disk works. They would follow this one for ever, for its messages rest on nothing
        // that its disk must still do; yet it executes nothing, so soon cuts nothing.
        if self.core.standing().role != Role::Leader || !self.is_stalled() {
            // Who has not the recovery that began this epoch has not the log that it goes on with: it waits for one
            // who has, and never campaigns.
            let may_campaign = self.core.last().term >= first_term(self.config.epoch());
            if may_campaign { self.core.tick() } else { self.core.wait() }
        }
    }

    /// Whether the oldest write that must be synced has been under way for longer than any election
    /// takes.
    fn is_stalled(&self) -> bool {
        #[cfg(feature = "planted-bugs")]
        if self.config.planted == Some(crate::Planted::LeadWithHungDisk) {
            return false;
        }
        self.outbox.waiting_ticks() > 2 * self.config.raft.election_ticks as u64
    }

    fn executed(&mut self, executed: Executed) {
        let Executed { index, time, judged, due } = executed;
        assert!(
            index == self.executed + 1 && index <= self.fed,
            "entry {index} was reported executed, but {} is next of {} handed out",
            self.executed + 1,
            self.fed
        );
        self.executed = index;
        self.core.executed(index);
        let own = self.cutter.executed(index, time, due);
        // Of its own batch every copy; of what has a verdict now, whatever copies still wait.
        self.pool.forget(&own);
        self.pool.forget_ids(&judged);
    }

    fn submit(&mut self, via: Via, items: Vec<Submission>) {
        let Standing { leader, .. } = self.core.standing();
        if leader == Some(self.config.me) {
            return self.admit(items);
        }
        self.pass_on(via, items);
    }

    /// Hands on to the leader what this node does not order itself, or refuses it.
    fn pass_on(&mut self, via: Via, items: Vec<Submission>) {
        let Standing { leader, term, .. } = self.core.standing();
        let leader = leader.filter(|&leader| leader != self.config.me);
        match (leader.filter(|&leader| !self.guard.distrusts(leader, term)), via) {
            (Some(to), Via::Door) => self.effects.push_back(Effect::Forward { to, items }),
            // Forwarded once and no more: two nodes that take each other for the leader would
            // otherwise play it back and forth.
            (Some(_), Via::Peer) => self.refuse(items, RefuseReason::NotLeader),
            (None, _) => self.refuse(items, RefuseReason::NoLeader),
        }
    }

    fn refuse(&mut self, items: Vec<Submission>, why: RefuseReason) {
        let refuse = |item: Submission| Effect::Refuse { id: item.id, hash: item.hash, why };
        self.effects.extend(items.into_iter().map(refuse));
    }

    fn drop_message(&mut self, from: NodeId, why: Refusal) {
        self.effects.push_back(Effect::Dropped { from, why });
    }

    fn accuse(&mut self, from: NodeId, accusation: Accusation) {
        self.effects.push_back(Effect::Evidence { from, accusation: Box::new(accusation) });
    }

    fn halt(&mut self, reason: HaltReason) {
        self.halted = true;
        self.effects.push_back(Effect::Halt { reason });
    }
}

/// An epoch begins at its first term: whatever term a directory knows from before, this replica starts no lower. Not
/// written now: whatever it promises in a term of the epoch is written with that term.
fn in_epoch(config: &Config, mut recovered: Recovered) -> Result<Recovered, RecoverError> {
    let (epoch, first) = (config.epoch(), first_term(config.epoch()));
    let found = epoch_of(recovered.hard_state.term);
    if found > epoch {
        return Err(RecoverError::Epoch { found, configured: epoch });
    }
    if recovered.hard_state.term < first {
        (recovered.hard_state.term, recovered.hard_state.vote) = (first, None);
    }
    Ok(recovered)
}

/// What `Recovered::check` cannot see: the members, and the log itself.
fn check_against(
    config: &Config,
    recovered: &Recovered,
    reader: &dyn LogReader,
) -> Result<(), RecoverError> {
    if let Some(vote) = recovered.hard_state.vote
        && config.key_in(epoch_of(recovered.hard_state.term), vote).is_none()
    {
        return Err(RecoverError::Vote(vote.0));
    }
    let last = recovered.last;
    if last.index >= recovered.first_index {
        let found = reader.term(last.index)?;
        if found != Some(last.term) {
            let text = format!(
                "its last entry {} should be of term {}, found {found:?}",
                last.index, last.term
            );
            return Err(crate::LogFault(text).into());
        }
    }
    Ok(())
}
