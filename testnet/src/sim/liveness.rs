//! The second phase: everything is mended but the leader's disk, which hangs, and within a bound all
//! clients must know; then that disk too, and all nodes must agree. Nobody restarts what runs.

use musubi_consensus::Role;

use super::{
    checker::{Holds, broken},
    schedule::Event,
    world::World,
};

/// Simulated time within which a mended network must settle.
const SETTLES_WITHIN_MS: u64 = 60_000;

impl World<'_> {
    /// Mends everything, waits until all is settled, and looks at every node's store.
    pub(crate) fn recover(&mut self) -> Holds {
        self.mend();
        let lost = self.nodes.iter().filter(|node| node.past.lost).count();
        // Of those that still have their past, one may hang if the others are a majority.
        let spare = self.nodes.len() - lost > self.nodes.len() / 2 + 1;
        if let Some(leader) = self.leader().filter(|_| spare) {
            self.nodes[leader].hangs = true;
            self.settle_without(Some(leader))?;
            self.resume_disk(leader);
        }
        self.settle_without(None)?;
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(process) = node.process.as_ref().filter(|_| !node.past.lost) {
                self.checker.finally(at, &process.store)?;
            }
        }
        Ok(())
    }

    /// Waits until all is settled, at all nodes but one whose disk hangs.
    fn settle_without(&mut self, hung: Option<usize>) -> Holds {
        let end = self.schedule.now() + SETTLES_WITHIN_MS;
        while !self.is_settled(hung) {
            if self.schedule.now() > end {
                return broken("I24 a mended network settles", self.describe());
            }
            self.step()?;
        }
        Ok(())
    }

    /// Who leads in the newest term.
    fn leader(&self) -> Option<usize> {
        let standing = |at: &usize| {
            let process = self.nodes[*at].process.as_ref()?;
            Some(process.replica.status().standing)
        };
        let leads = |at: &usize| standing(at).is_some_and(|standing| standing.role == Role::Leader);
        (0..self.nodes.len()).filter(leads).max_by_key(|at| standing(at).map(|s| s.term))
    }

    fn mend(&mut self) {
        let now = self.schedule.now();
        self.trace.note(now, 0, "fair", &[]);
        self.foul = false;
        self.network.clear();
        for client in &mut self.clients {
            client.close();
        }
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            node.disk.fail_writes(false);
            node.disk.fail_syncs(false);
            node.clock.mend(&mut self.dice, now);
            if !node.is_up() {
                self.schedule.after(100, Event::Start { node: at });
            }
            self.resume_disk(at);
        }
    }

    /// Every client knows all it asked for, every node but `hung` has executed and recorded all there is and holds
    /// it for final, and whoever lost its past has noticed and stopped.
    fn is_settled(&self, hung: Option<usize>) -> bool {
        let committed = self.checker.committed();
        let caught_up = |at: usize| {
            let process = self.nodes[at].process.as_ref();
            process.is_some_and(|p| {
                p.is_idle()
                    && p.store.applied().index == committed
                    && p.cosigner.last_final == p.store.head().0.size
            })
        };
        let settled = |at: usize| match &self.nodes[at].past {
            past if past.lost => past.noticed && !self.nodes[at].is_up(),
            _ => caught_up(at),
        };
        self.clients.iter().all(super::client::Client::is_done)
            && (0..self.nodes.len()).all(|at| Some(at) == hung || settled(at))
    }

    fn describe(&self) -> String {
        let committed = self.checker.committed();
        let mut lines = vec![format!("entry {committed} is the last committed one")];
        for (at, node) in self.nodes.iter().enumerate() {
            lines.push(match &node.process {
                Some(process) => format!(
                    "node {}: head {}, final {}, {:?}",
                    at + 1,
                    process.store.head().0.size,
                    process.cosigner.last_final,
                    process.replica.status()
                ),
                None => format!("node {} is down", at + 1),
            });
        }
        for (at, client) in self.clients.iter().enumerate() {
            if let Some(step) = client.waits_for(&self.town.scripts) {
                lines.push(format!("client {at} waits for {}", step.id));
            }
        }
        lines.join("\n  ")
    }
}
