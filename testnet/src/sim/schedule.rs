//! Virtual time: events in the order of their moments, equal moments in the order of their making.

use std::collections::BTreeMap;

use musubi_consensus::Submission;
use musubi_ledger::{id::TxId, time::Time};

use super::client::Reply;

/// Something that will happen. Of a node that has died since (`life`), nothing happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A frame arrives.
    Frame { from: usize, to: usize, frame: Frame },
    /// A tick of Raft's clock.
    Tick { node: usize, life: u64 },
    /// The replica asked to be woken.
    Wake { node: usize, life: u64 },
    /// The disk thread's next step is done.
    Disk { node: usize, life: u64 },
    /// The executor's next step is done.
    Executor { node: usize, life: u64 },
    /// The cosigner's next step is done.
    Cosigner { node: usize, life: u64 },
    /// The cosigner asked to be woken.
    CosignerWake { node: usize, life: u64 },
    /// What waits at the door is looked through.
    Resend { node: usize, life: u64 },
    /// A sender notices that a connection is gone.
    Unreachable { node: usize, life: u64, peer: usize },
    /// A client's request arrives; nobody waits for the answer to a replay.
    Request { node: usize, client: Option<usize>, item: Submission, expires: Time },
    /// An answer arrives at a client.
    Answer { client: usize, id: TxId, reply: Reply },
    /// A client begins its next step, or loses patience with the attempt of this number.
    Client { client: usize, attempt: u64 },
    /// Something breaks.
    Fault(Fault),
    /// A disk that hangs goes on.
    Resume { node: usize },
    /// A node that is down starts.
    Start { node: usize },
    /// A partition ends.
    Heal { partition: u64 },
}

/// What goes between nodes.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// A consensus message.
    Raft(Vec<u8>),
    /// Transactions on their way to the leader.
    Submissions(Vec<Submission>),
    /// A signed checkpoint.
    Note(String),
    /// Talk about evidence, in watched runs.
    Talk(Vec<u8>),
}

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A machine.
    Crash,
    /// The network.
    Partition,
    /// A disk.
    Disk,
    /// A clock.
    Jump,
    /// A disk's past.
    Forget,
}

/// The events to come.
pub(crate) struct Schedule {
    now: u64,
    made: u64,
    events: BTreeMap<(u64, u64), Event>,
}

impl Schedule {
    pub(crate) fn new(now: u64) -> Self {
        Self { now, made: 0, events: BTreeMap::new() }
    }

    /// True time, in milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn after(&mut self, ms: u64, event: Event) {
        self.made += 1;
        self.events.insert((self.now + ms, self.made), event);
    }

    /// The next event; time moves to its moment.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let ((at, _), event) = self.events.pop_first()?;
        self.now = at;
        Some(event)
    }
}
