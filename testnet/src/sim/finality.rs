//! Cosigning rounds: events on their way to a node's cosigner, and its acts carried out. What it signs goes to
//! the disk like everything else; what it sends travels like everything else.

use musubi_consensus::cosigner::{Act, Event as Told};
use musubi_ledger::{batch::NodeId, execute::Block, policy::FinalCheckpoint};
use musubi_node::core::cosigning;

use super::{
    checker::{Holds, broken},
    disk::Job,
    malice::LIAR,
    node::Node,
    planted::Bug,
    schedule::{Event, Frame},
    trace::digest,
    world::World,
};

impl World<'_> {
    /// Something for a node's cosigner.
    pub(crate) fn tell_cosigner(&mut self, node: usize, told: Told) {
        if let Some(process) = &mut self.nodes[node].process {
            process.cosigner.push(told);
        }
        self.wake_cosigner(node);
    }

    /// A node has recorded a block.
    pub(crate) fn recorded_for_cosigner(&mut self, node: usize, block: &Block) {
        let Some(process) = &self.nodes[node].process else { return };
        let mut told = cosigning::executed(block);
        Bug::before_cosigning(self.bug, &process.store, &mut told);
        self.tell_cosigner(node, told);
    }

    /// Another's checkpoint arrives. Who has forgotten what it signed may sign against it: it is not heard.
    pub(crate) fn hear_checkpoint(&mut self, from: usize, to: usize, note: String) -> Holds {
        let from = NodeId(from as u64 + 1);
        let Some(process) = &self.nodes[to].process else { return Ok(()) };
        let believed = self.bug == Some(Bug::BelieveTheForgetful);
        if !believed && process.replica.refused().contains(&from) {
            return Ok(());
        }
        self.hear_watched_note(to, &note)?;
        self.tell_cosigner(to, Told::Note { from: Some(from), note });
        Ok(())
    }

    /// Schedules the cosigner's next step, if it has one.
    pub(crate) fn wake_cosigner(&mut self, node: usize) {
        let slow = if self.foul { self.options.execute_ms } else { 2 };
        let Node { life, process, .. } = &mut self.nodes[node];
        if let Some(process) = process
            && !process.cosigner.busy
            && process.cosigner.has_work()
        {
            process.cosigner.busy = true;
            let delay = self.dice.below(slow + 1);
            self.schedule.after(delay, Event::Cosigner { node, life: *life });
        }
    }

    /// The cosigner's next step. A crash behind any of its acts leaves what is on disk.
    pub(crate) fn cosigner(&mut self, node: usize) -> Holds {
        let Node { life, clock, process: Some(process), .. } = &mut self.nodes[node] else {
            return Ok(());
        };
        let (life, now) = (*life, clock.read(self.schedule.now()).0);
        process.cosigner.busy = false;
        let awake = process.replica.status().awake;
        let acts = process.cosigner.step(now, awake, &process.store);
        for act in acts.into_iter().flatten() {
            self.carry_out_act(node, act)?;
            if !self.lives(node, life) || self.dies_here(node, 20) {
                return Ok(());
            }
        }
        self.wake_cosigner(node);
        self.set_cosigner_wake(node);
        Ok(())
    }

    /// Schedules the wake that a node's cosigner asks for, by its own clock.
    fn set_cosigner_wake(&mut self, node: usize) {
        let now = self.schedule.now();
        let Node { life, clock, process: Some(process), .. } = &mut self.nodes[node] else {
            return;
        };
        let Some(wake) = process.cosigner.next_wake() else { return };
        // As in production: a clock may be set back meanwhile.
        let after = wake.saturating_sub(clock.read(now).0).clamp(1, LOOK_AGAIN_MS);
        if process.cosigner.wake_at.is_none_or(|before| now + after < before) {
            process.cosigner.wake_at = Some(now + after);
            self.schedule.after(after, Event::CosignerWake { node, life: *life });
        }
    }

    /// The time has come that a cosigner waited for.
    pub(crate) fn cosigner_wakes(&mut self, node: usize) {
        if let Some(process) = &mut self.nodes[node].process {
            process.cosigner.wake_at = None;
        }
        self.tell_cosigner(node, Told::Wake);
    }

    fn carry_out_act(&mut self, node: usize, act: Act) -> Holds {
        let Some(process) = &mut self.nodes[node].process else { return Ok(()) };
        let now = self.schedule.now();
        match act {
            Act::Persist { size, root, note } => {
                let facts = [("size", size), ("note", digest(note.as_bytes()))];
                self.trace.note(now, node + 1, "signs", &facts);
                self.checker.signs(node, size, root)?;
                process.disk.push(Job::Checkpoint { size, note });
                self.wake_disk(node);
                if self.bug == Some(Bug::CosignBeforePersist) {
                    self.tell_cosigner(node, Told::Durable { size });
                }
            }
            Act::Send { note } => {
                self.trace.note(now, node + 1, "cosigns", &[("note", digest(note.as_bytes()))]);
                let lost = self.nodes[node].past.lost;
                self.checker.cosigns(node, &note, lost)?;
                self.send_checkpoint(node, &note);
            }
            Act::Retell { note } => self.send_checkpoint(node, &note),
            Act::Final(found) => return self.keep_final(node, &found),
            Act::Settled { policies, note } => {
                if let Err(error) = process.store.stage_final(&note, &policies) {
                    self.disk_failed(node, &error);
                }
            }
            // What a lie leads to is not looked at, but for whom the evidence names.
            Act::Contradiction { .. } | Act::Dropped { .. } if self.malice().is_some() => {}
            Act::Contradiction { from, size, .. } => {
                let seen = format!("node {}'s cosigner: {from:?} lies at {size}", node + 1);
                return broken("I12 no honest node is accused", seen);
            }
            Act::Dropped { from, why } => {
                let seen = format!("node {}'s cosigner drops a note of {from:?}: {why}", node + 1);
                return broken("I12 no honest node is accused", seen);
            }
        }
        Ok(())
    }

    /// A checkpoint sets out to every other node; a liar's is changed on the way.
    fn send_checkpoint(&mut self, node: usize, note: &str) {
        let malice = self.malice().filter(|_| node == LIAR);
        for to in (0..self.nodes.len()).filter(|to| *to != node) {
            let told = malice.and_then(|malice| malice.checkpoint(self.town, to, note));
            self.post(node, to, Frame::Note(told.unwrap_or_else(|| note.to_owned())));
        }
    }

    /// A crash right behind the write, or before it is synced, loses what is heard of again.
    fn keep_final(&mut self, node: usize, found: &FinalCheckpoint) -> Holds {
        let Some(process) = &mut self.nodes[node].process else { return Ok(()) };
        let (size, note) = (found.checkpoint.size(), found.note.to_string());
        let facts = [("size", size), ("note", digest(note.as_bytes()))];
        self.trace.note(self.schedule.now(), node + 1, "final", &facts);
        if let Err(error) = process.store.stage_final(&note, &[]) {
            self.disk_failed(node, &error);
            return Ok(());
        }
        process.cosigner.last_final = size;
        self.checker.is_final(node, found)
    }
}

/// How often a cosigner that waits looks again, in milliseconds: as in production.
const LOOK_AGAIN_MS: u64 = 200;
