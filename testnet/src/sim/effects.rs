//! What replicas ask for, carried out: frames set out, work goes to the node's threads.

use musubi_consensus::{Effect, Execute, HaltReason, Refusal, RefuseReason, Role, cosigner};

use super::{
    checker::{Holds, broken},
    disk::Job,
    malice::LIAR,
    node::Node,
    schedule::{Event, Frame},
    trace::{Fact, digest},
    world::World,
};

impl World<'_> {
    /// Carries out what a node's replica asks for.
    pub(crate) fn carry_out(&mut self, node: usize, effect: Effect) -> Holds {
        let (what, facts) = facts(&effect);
        self.trace.note(self.schedule.now(), node + 1, what, &facts);
        match effect {
            Effect::Send { to, bytes, .. } => {
                let bytes = match self.malice() {
                    Some(malice) if node == LIAR => malice.message(to, bytes),
                    _ => bytes,
                };
                self.post(node, to.0 as usize - 1, Frame::Raft(bytes));
            }
            Effect::Forward { to, items } => {
                self.post(node, to.0 as usize - 1, Frame::Submissions(items));
            }
            Effect::Persist(persist) => {
                self.stats.truncations += u64::from(persist.truncate_from.is_some());
                if let Some(process) = &mut self.nodes[node].process {
                    process.disk.push(Job::Persist(persist));
                }
                self.wake_disk(node);
            }
            Effect::Remember(remember) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.disk.push(Job::Remember(remember));
                }
                self.wake_disk(node);
            }
            Effect::Execute(execute) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.executor.push(execute);
                }
                self.wake_executor(node);
            }
            // All else stays at the door and is sent again.
            Effect::Refuse { id, why: RefuseReason::Busy | RefuseReason::TooLarge, .. } => {
                self.refused(node, &id);
            }
            Effect::Refuse { .. } => {}
            Effect::Standing(standing) => {
                if standing.leader.is_some() {
                    self.send_again(node);
                }
                let leads = standing.role == Role::Leader;
                self.tell_cosigner(node, cosigner::Event::Leading(leads));
            }
            Effect::Evidence { accusation, .. } if self.malice().is_some() => {
                self.accused(node, &accusation)?;
            }
            // What a lie leads to is not looked at, but for whom the evidence names.
            Effect::Dropped { .. } | Effect::Halt { .. } if self.malice().is_some() => {}
            Effect::Evidence { accusation, .. } if self.clock_explains(&accusation) => {
                self.stats.distrusts += 1;
            }
            Effect::Evidence { from, accusation } => {
                let seen = format!("node {} accuses {}: {accusation}", node + 1, from.0);
                return broken("I12 no honest node is accused", seen);
            }
            Effect::Dropped { from, why: Refusal::Amnesia } => return self.refuses(node, from),
            Effect::Dropped { from, why } => {
                let seen = format!("node {} drops a message of {}: {why}", node + 1, from.0);
                return broken("I12 no honest node is accused", seen);
            }
            Effect::Halt { reason: HaltReason::Amnesia(forgotten) } => {
                return self.noticed(node, &forgotten.to_string());
            }
            Effect::Halt { reason } => {
                let seen = format!("node {} halts: {reason}", node + 1);
                return broken("I21 only known safe stops", seen);
            }
        }
        Ok(())
    }

    /// A frame sets out.
    pub(crate) fn post(&mut self, from: usize, to: usize, frame: Frame) {
        self.stats.frames += 1;
        if self.network.is_cut(from, to) {
            self.stats.dropped += 1;
            // A sender on a connection that is gone may notice.
            if self.dice.hits(250) {
                let life = self.nodes[from].life;
                self.schedule.after(1, Event::Unreachable { node: from, life, peer: to });
            }
            return;
        }
        let delays = self.network.delays(&mut self.dice);
        match delays.len() {
            0 => self.stats.dropped += 1,
            1 => {}
            _ => self.stats.duplicated += 1,
        }
        for delay in delays {
            self.schedule.after(delay, Event::Frame { from, to, frame: frame.clone() });
        }
    }

    /// Schedules the wake that a node's replica asks for, by its own clock.
    pub(crate) fn set_wake(&mut self, node: usize) {
        let now = self.schedule.now();
        let Node { life, clock, process, .. } = &mut self.nodes[node];
        let Some(process) = process else {
            return;
        };
        let Some(wake) = process.replica.next_wake() else {
            return;
        };
        let at = now + wake.0.saturating_sub(clock.read(now).0).max(1);
        if process.wake_at.is_none_or(|before| at < before) {
            process.wake_at = Some(at);
            self.schedule.after(at - now, Event::Wake { node, life: *life });
        }
    }
}

/// An effect as the trace notes it.
fn facts(effect: &Effect) -> (&'static str, Vec<Fact>) {
    match effect {
        Effect::Send { to, bytes, .. } => ("send", vec![("to", to.0), ("bytes", digest(bytes))]),
        Effect::Forward { to, items } => {
            ("forward", vec![("to", to.0), ("items", items.len() as u64)])
        }
        Effect::Persist(persist) => {
            let last = persist.entries.last().map_or(0, |entry| entry.index);
            let cut = persist.truncate_from.unwrap_or(0);
            ("persist", vec![("number", persist.number), ("last", last), ("cut", cut)])
        }
        Effect::Execute(Execute { entry, .. }) => {
            ("execute", vec![("index", entry.index), ("data", digest(&entry.data))])
        }
        Effect::Refuse { id, .. } => ("refuse", vec![("id", digest(&id.0))]),
        Effect::Standing(standing) => {
            let leader = standing.leader.map_or(0, |leader| leader.0);
            ("standing", vec![("term", standing.term), ("leader", leader)])
        }
        Effect::Dropped { from, .. } => ("drop", vec![("from", from.0)]),
        Effect::Evidence { from, .. } => ("accuse", vec![("from", from.0)]),
        Effect::Halt { .. } => ("halt", Vec::new()),
        Effect::Remember(remember) => {
            ("remember", vec![("of", remember.node.0), ("life", remember.pledge.pledge.life)])
        }
    }
}
