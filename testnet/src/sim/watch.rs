//! Evidence in the simulator: each node has the room that a node in production has, and talks to the others
//! through the simulated network. With or without a liar, nobody honest may ever be named.

use std::{path::PathBuf, sync::Arc};

use musubi_consensus::Position;
use musubi_ledger::{batch::Batch, evidence::Finding, execute::Block, hash::sha256};
use musubi_node::{
    core::evidence::{Room, Talk, Tell, Work},
    metrics::Metrics,
};
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;

use super::{
    checker::{Holds, Violation, broken},
    malice::{LIAR, Malice},
    node::Process,
    schedule::Frame,
    world::World,
};

/// What a run watches for.
pub(crate) struct Watch {
    pub(crate) malice: Option<Malice>,
    /// Where the nodes' evidence files lie.
    folder: TempDir,
    metrics: Arc<Metrics>,
}

/// A node's room, with what waits in it.
pub(crate) struct Desk {
    room: Room,
    work: Receiver<Work>,
}

/// A file that a node keeps.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who keeps it.
    pub by: u64,
    /// What it shows.
    pub finding: Finding,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Watch {
    pub(crate) fn new(malice: Option<Malice>) -> std::io::Result<Self> {
        Ok(Self { malice, folder: tempfile::tempdir()?, metrics: Arc::new(Metrics::new()) })
    }

    fn data(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("node-{}", node + 1))
    }

    /// Opens the room of a process that starts; it finds the files of its earlier lives.
    pub(crate) fn open(&self, node: usize, process: &mut Process) -> Holds {
        let (store, metrics) = (Arc::clone(&process.store), Arc::clone(&self.metrics));
        let opened = Room::open(&self.data(node), store, metrics);
        let (room, work) = opened.map_err(|error| Violation {
            invariant: "I15 recovery",
            seen: format!("node {}: {error}", node + 1),
        })?;
        process.desk = Some(Desk { room, work });
        Ok(())
    }
}

impl World<'_> {
    pub(crate) fn malice(&self) -> Option<Malice> {
        self.watch.as_ref().and_then(|watch| watch.malice)
    }

    /// An accusation goes to the node's room.
    pub(crate) fn accused(
        &mut self,
        node: usize,
        accusation: &musubi_consensus::Accusation,
    ) -> Holds {
        if let Some(desk) = self.desk(node) {
            desk.room.accused(accusation);
        }
        self.clear_desk(node)
    }

    fn desk(&mut self, node: usize) -> Option<&mut Desk> {
        self.nodes[node].process.as_mut()?.desk.as_mut()
    }

    /// A node has executed an entry.
    pub(crate) fn executed_watched(
        &mut self,
        node: usize,
        entry: Position,
        executed: Option<(&Batch, &Block)>,
    ) -> Holds {
        if let Some(desk) = self.desk(node) {
            let data = executed.map(|(batch, _)| batch.encode()).unwrap_or_default();
            desk.room.executed(entry, sha256(&data), executed);
        }
        self.clear_desk(node)
    }

    /// A checkpoint arrives.
    pub(crate) fn hear_watched_note(&mut self, to: usize, note: &str) -> Holds {
        if let Some(desk) = self.desk(to) {
            desk.room.note(note);
        }
        self.clear_desk(to)
    }

    /// Talk about evidence arrives.
    pub(crate) fn hear_watched(&mut self, from: usize, to: usize, talk: Vec<u8>) -> Holds {
        if let Some(desk) = self.desk(to) {
            desk.room.heard(from as u64 + 1, talk);
        }
        self.clear_desk(to)
    }

    /// Now and then a node tells what it has executed.
    pub(crate) fn tell_watched(&mut self, node: usize) -> Holds {
        let tells = self.desk(node).map(|desk| desk.room.due()).unwrap_or_default();
        self.tell(node, tells);
        self.nobody_honest_is_named(node)
    }

    /// Looks at all that waits in a node's room.
    fn clear_desk(&mut self, node: usize) -> Holds {
        let mut tells = Vec::new();
        let Some(desk) = self.desk(node) else { return Ok(()) };
        while let Ok(work) = desk.work.try_recv() {
            tells.extend(desk.room.look(work));
        }
        if tells.is_empty() {
            return Ok(());
        }
        self.tell(node, tells);
        self.nobody_honest_is_named(node)
    }

    fn tell(&mut self, node: usize, tells: Vec<Tell>) {
        for tell in tells {
            let (to, talk): (Vec<usize>, Talk) = match tell {
                Tell::All(talk) => ((0..self.nodes.len()).filter(|to| *to != node).collect(), talk),
                Tell::One(to, talk) => (vec![to as usize - 1], talk),
            };
            for to in to {
                self.post(node, to, Frame::Talk(talk.encode()));
            }
        }
    }

    /// I26: a file names the liar, if there is one, and nobody else.
    fn nobody_honest_is_named(&mut self, node: usize) -> Holds {
        let liar = self.malice().map(|_| LIAR as u64 + 1);
        let Some(desk) = self.desk(node) else { return Ok(()) };
        for (name, kept) in desk.room.files() {
            if kept.finding.who.node.map(|named| named.0) != liar {
                let seen = format!("node {} keeps {name}: {}", node + 1, kept.finding);
                return broken("I26 evidence names nobody honest", seen);
            }
        }
        Ok(())
    }

    /// Whether every honest node that is up keeps evidence.
    pub(crate) fn all_know(&self) -> bool {
        let knows = |at: usize| {
            let desk = self.nodes[at].process.as_ref().and_then(|p| p.desk.as_ref());
            desk.is_none_or(|desk| !desk.room.files().is_empty())
        };
        let up = self.nodes.iter().filter(|node| node.is_up()).count();
        up == self.nodes.len() && (0..self.nodes.len()).filter(|at| *at != LIAR).all(knows)
    }

    /// All files that honest nodes keep.
    pub(crate) fn found(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for (at, node) in self.nodes.iter().enumerate().filter(|(at, _)| *at != LIAR) {
            let Some(desk) = node.process.as_ref().and_then(|p| p.desk.as_ref()) else { continue };
            for (name, kept) in desk.room.files() {
                let bytes = desk.room.file(&name).ok().flatten().unwrap_or_default();
                found.push(Found { by: at as u64 + 1, finding: kept.finding, bytes });
            }
        }
        found
    }
}
