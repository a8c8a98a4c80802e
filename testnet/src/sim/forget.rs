//! Disks that lose their past: an old backup put back, a disk wiped and formatted, another node's disk.
//!
//! # What is asked of the network
//!
//! Such a node is refused by whoever remembers more of it than it shows. So a fault waits until every other
//! node remembers more, durably: then nobody may ever believe it, whatever else goes wrong meanwhile, and the
//! oracle holds that to the letter. At most a minority loses its past: more is no failure that Raft survives.

use std::collections::BTreeMap;

use musubi_consensus::{Effect, PeerMessage, Remember, pledge::Durable, pledge::Pledge};
use musubi_ledger::batch::NodeId;
use musubi_storage::{
    OpenSettings, Store,
    memory::{Loss, MemoryDisk},
};

use super::{
    checker::{Holds, broken},
    trace::Fact,
    world::World,
};

const PROMISES_NOTHING: &str = "I25 who has forgotten promises nothing";
const HONEST_STAYS: &str = "I25 nobody is refused who has not forgotten";

/// A node's memory of others as its disk holds it at least, and what became of its own.
#[derive(Default)]
pub(crate) struct Past {
    /// Written, not synced.
    staged: Vec<Pledge>,
    /// The newest pledge of each other node that a power cut leaves.
    remembers: BTreeMap<NodeId, Pledge>,
    /// A copy of its disk, and the last write in it.
    backup: Option<(MemoryDisk, u64)>,
    /// Its disk was replaced by one that knows less.
    pub(crate) lost: bool,
    /// It noticed, and stopped.
    pub(crate) noticed: bool,
}

impl Past {
    pub(crate) fn staged(&mut self, remember: &Remember) {
        self.staged.push(remember.pledge.pledge);
    }

    pub(crate) fn synced(&mut self) {
        for pledge in self.staged.drain(..) {
            self.remembers.insert(pledge.node, pledge);
        }
    }

    pub(crate) fn crashed(&mut self) {
        self.staged.clear();
    }
}

impl World<'_> {
    /// A backup is taken of a node's disk, or a disk loses its past.
    pub(crate) fn forget(&mut self, node: usize) {
        if self.nodes[node].past.lost {
            return;
        }
        let lost = self.nodes.iter().filter(|node| node.past.lost).count();
        let most = (self.nodes.len() - 1) / 2 - lost;
        let choice = self.dice.below(8);
        let no_backup = self.nodes[node].past.backup.is_none();
        match choice {
            0 => self.back_up(node),
            1..6 if no_backup => self.back_up(node),
            1..6 if most >= 1 => self.put_back(node),
            6 if most >= 1 && self.is_remembered(node, None) => self.wipe(node),
            7 if most >= 1 && self.is_remembered(node, None) => self.swap(node, most >= 2),
            _ => {}
        }
    }

    fn back_up(&mut self, node: usize) {
        let seed = self.dice.next();
        let copy = self.nodes[node].disk.copy(seed);
        // A snapshot of the medium: what is not synced is not on it.
        copy.crash(Loss::Everything);
        let opened = self.opened(&copy);
        let write = opened.store.promised().0.write;
        drop(opened);
        self.nodes[node].past.backup = Some((copy, write));
        self.note_past(node, "backed up", &[("write", write)]);
    }

    /// Opens a copy of a disk as it is, without counting a boot on it.
    fn opened(&self, disk: &MemoryDisk) -> musubi_storage::Opened {
        let settings = OpenSettings { chain: Some(self.town.chain), ..OpenSettings::default() };
        let directory = disk.copy(1).open().expect("nobody else has the copy");
        Store::open(directory, &settings).expect("what was synced is whole")
    }

    /// Whether every other node that has its past remembers this one, durably, and beyond `write`.
    fn is_remembered(&self, node: usize, write: Option<u64>) -> bool {
        let id = NodeId(node as u64 + 1);
        let others =
            self.nodes.iter().enumerate().filter(|(at, other)| *at != node && !other.past.lost);
        let mut others = others.map(|(_, other)| other.past.remembers.get(&id));
        others.all(|known| known.is_some_and(|known| write.is_none_or(|w| w < known.kept.write)))
    }

    fn put_back(&mut self, node: usize) {
        let Some((disk, write)) = self.nodes[node].past.backup.take() else {
            return;
        };
        if !self.is_remembered(node, Some(write)) {
            self.nodes[node].past.backup = Some((disk, write));
            return;
        }
        self.stats.put_back += 1;
        self.replace(node, disk, "put back");
    }

    fn wipe(&mut self, node: usize) {
        let seed = self.dice.next();
        let disk = MemoryDisk::new(seed);
        let directory = seed.to_le_bytes().repeat(2).try_into().expect("two words");
        let open = disk.open().expect("a new disk");
        let settings = OpenSettings::default();
        drop(Store::create(open, &self.town.genesis, directory, &settings).expect("a good disk"));
        self.stats.wiped += 1;
        self.replace(node, disk, "wiped");
    }

    /// Two nodes get each other's disk, or one gets a copy of the other's.
    fn swap(&mut self, node: usize, both: bool) {
        let other = (node + 1 + self.dice.place(self.nodes.len() - 1)) % self.nodes.len();
        let both = both && !self.nodes[other].past.lost && self.is_remembered(other, None);
        let seed = self.dice.next();
        let [mine, theirs] = [node, other].map(|at| {
            let copy = self.nodes[at].disk.copy(seed ^ at as u64);
            copy.crash(Loss::Everything);
            copy
        });
        self.stats.swapped += 1;
        self.replace(node, theirs, "swapped");
        if both {
            self.replace(other, mine, "swapped");
        }
    }

    /// The machine stops, and starts again on another disk.
    fn replace(&mut self, node: usize, disk: MemoryDisk, how: &'static str) {
        self.note_past(node, how, &[]);
        if self.nodes[node].is_up() {
            self.crash(node);
        }
        self.nodes[node].disk = disk;
        self.nodes[node].past.lost = true;
        self.checker.forgot(node);
    }

    fn note_past(&mut self, node: usize, what: &'static str, facts: &[Fact]) {
        self.trace.note(self.schedule.now(), node + 1, what, facts);
    }

    /// A node stops because it has forgotten. Its operator may try once more.
    pub(crate) fn noticed(&mut self, node: usize, seen: &str) -> Holds {
        if !self.nodes[node].past.lost {
            return broken(HONEST_STAYS, format!("node {} stops: {seen}", node + 1));
        }
        self.stats.noticed += u64::from(!self.nodes[node].past.noticed);
        self.nodes[node].past.noticed = true;
        self.halt(node);
        Ok(())
    }

    /// A node drops what another says because that one has forgotten.
    pub(crate) fn refuses(&self, node: usize, from: NodeId) -> Holds {
        if self.nodes[from.0 as usize - 1].past.lost {
            return Ok(());
        }
        broken(HONEST_STAYS, format!("node {} refuses node {}", node + 1, from.0))
    }

    /// I25: of a node that has forgotten come pledges and nothing else. I14: and of every node pledges say no
    /// more than is durable.
    pub(crate) fn look_at_promise(&self, node: usize, effect: &Effect) -> Holds {
        let Effect::Send { bytes, .. } = effect else {
            return Ok(());
        };
        let Ok(message) = PeerMessage::decode(bytes) else {
            return broken("I21 messages decode", format!("node {}", node + 1));
        };
        let musubi_consensus::Body::Pledges(told) = &message.body else {
            return match self.nodes[node].past.lost {
                true => broken(PROMISES_NOTHING, format!("node {} sends {message:?}", node + 1)),
                false => Ok(()),
            };
        };
        let durable = self.nodes[node].process.as_ref().map(|process| process.store.promised().0);
        let kept = told.own.pledge.kept;
        if durable.is_none_or(|durable: Durable| durable.follows(&kept)) {
            return Ok(());
        }
        let seen = format!("node {} pledges {kept:?}, durable is {durable:?}", node + 1);
        broken("I14 nothing sent rests on what is not durable", seen)
    }
}
