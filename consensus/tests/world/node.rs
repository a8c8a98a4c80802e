//! One machine: a replica, its disk, its clock, its executor.

use std::collections::{BTreeSet, VecDeque};

use musubi_consensus::{
    Config, Effect, Execute, Executed, Input, Recovered, Replica, Submission, Via,
};
use musubi_ledger::{batch::NodeId, id::TxId, time::Time};

use super::{Disk, Outcome};

pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) replica: Option<Replica>,
    pub(crate) disk: Disk,
    pub(crate) to_execute: VecDeque<Execute>,
    /// Ids that this node's state has a verdict for.
    pub(crate) judged: BTreeSet<TxId>,
    /// Last entry executed by this incarnation or found at its start.
    pub(crate) executed: u64,
    block_time: Time,
    skew: u64,
    ticked: u64,
}

impl Node {
    pub(crate) fn new(config: Config, seed: u64, skew: u64) -> Outcome<Self> {
        let mut node = Self {
            config,
            replica: None,
            disk: Disk::default(),
            to_execute: VecDeque::new(),
            judged: BTreeSet::new(),
            executed: 0,
            block_time: Time::ZERO,
            skew,
            ticked: 0,
        };
        node.start(seed)?;
        Ok(node)
    }

    pub(crate) fn start(&mut self, seed: u64) -> Outcome<()> {
        let recovered: Recovered = self.disk.recover()?;
        self.executed = recovered.applied_index;
        self.block_time = recovered.applied_time;
        let executed = self.disk.image.lock().unwrap().executed.clone();
        self.judged = executed.values().flat_map(|data| ids_of(data)).collect();
        self.replica = Some(super::start(self.config.clone(), &self.disk, seed)?);
        Ok(())
    }

    pub(crate) fn crash(&mut self, kept: u64) -> u64 {
        self.replica = None;
        self.to_execute.clear();
        self.disk.crash(kept)
    }

    pub(crate) fn idle(&self) -> bool {
        self.disk.idle() && self.to_execute.is_empty()
    }

    fn handle(&mut self, now: u64, input: Input) {
        let clock = Time(now + self.skew);
        if let Some(replica) = &mut self.replica {
            replica.handle(clock, input);
        }
    }

    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        let Some(replica) = &mut self.replica else {
            return Vec::new();
        };
        std::iter::from_fn(|| replica.poll()).collect()
    }

    pub(crate) fn pass_time(&mut self, now: u64) {
        if now >= self.ticked + 50 {
            self.ticked = now;
            self.handle(now, Input::Tick);
        }
        let wake = self.replica.as_ref().and_then(Replica::next_wake);
        if wake.is_some_and(|at| at.0 <= now + self.skew) {
            self.handle(now, Input::Wake);
        }
    }

    pub(crate) fn receive(&mut self, now: u64, from: u64, bytes: Vec<u8>) {
        self.handle(now, Input::Message { from: NodeId(from), bytes });
    }

    pub(crate) fn submit(&mut self, now: u64, ids: Vec<TxId>) {
        let items = ids.into_iter().map(|id| Submission::new(id, id.0.to_vec())).collect();
        self.handle(now, Input::Submit { via: Via::Door, items });
    }

    pub(crate) fn forwarded(&mut self, now: u64, items: Vec<Submission>) {
        self.handle(now, Input::Submit { via: Via::Peer, items });
    }

    pub(crate) fn sync(&mut self, now: u64, persists: usize) {
        if let Some(number) = self.disk.sync(persists) {
            self.handle(now, Input::Persisted { number });
        }
    }

    pub(crate) fn execute_one(&mut self, now: u64) {
        let Some(Execute { entry, batch }) = self.to_execute.pop_front() else {
            return;
        };
        if let Some(batch) = &batch {
            self.block_time = batch.time.max(self.block_time.plus(1));
        }
        let judged = ids_of(&entry.data);
        self.judged.extend(judged.iter().copied());
        self.executed = entry.index;
        let index = entry.index;
        self.disk.record(entry, self.block_time);
        let executed = Executed { index, time: self.block_time, judged, due: None };
        self.handle(now, Input::Executed(executed));
    }
}

/// A transaction's bytes are its id, here.
fn ids_of(data: &[u8]) -> Vec<TxId> {
    let Ok(batch) = musubi_ledger::batch::Batch::decode(data) else {
        return Vec::new();
    };
    batch.items.iter().map(|item| TxId(item.as_slice().try_into().unwrap())).collect()
}
