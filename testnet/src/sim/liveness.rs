//! The second phase: everything is mended, and within a bound all nodes must agree and all clients know.

use musubi_storage::memory::Loss;

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
        let end = self.schedule.now() + SETTLES_WITHIN_MS;
        while !self.is_settled() {
            if self.schedule.now() > end {
                return broken("I24 a mended network settles", self.describe());
            }
            self.step()?;
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(process) = &node.process {
                self.checker.finally(at, &process.store)?;
            }
        }
        Ok(())
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
            // A leader once taken for a liar is unheard for the rest of its term. An operator who sets
            // a clock right restarts the node.
            if node.is_up() && node.distrusts {
                node.stop();
                node.disk.crash(Loss::Nothing);
            }
            if !node.is_up() {
                self.schedule.after(100, Event::Start { node: at });
            }
        }
    }

    /// Every client knows all it asked for, and every node has executed and recorded all there is.
    fn is_settled(&self) -> bool {
        let committed = self.checker.committed();
        let caught_up = |node: &super::node::Node| {
            node.process
                .as_ref()
                .is_some_and(|p| p.is_idle() && p.store.applied().index == committed)
        };
        self.clients.iter().all(super::client::Client::is_done) && self.nodes.iter().all(caught_up)
    }

    fn describe(&self) -> String {
        let committed = self.checker.committed();
        let mut lines = vec![format!("entry {committed} is the last committed one")];
        for (at, node) in self.nodes.iter().enumerate() {
            lines.push(match &node.process {
                Some(process) => format!("node {}: {:?}", at + 1, process.replica.status()),
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
