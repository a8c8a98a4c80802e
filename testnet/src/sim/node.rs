//! One validator: a machine with a disk and a clock, and on it, while it runs, the process.
//!
//! The process is what production runs, thread by thread: the replica, the disk thread
//! ([`super::disk`]), the executor ([`super::executor`]), the cosigner ([`super::cosigner`]) and the door
//! ([`super::door`]). Each thread's
//! work is cut into steps with virtual time between them, so that the machine can die between any two.

use std::sync::Arc;

use musubi_consensus::{Config, Effect, Identity, Input, Replica};
use musubi_ledger::{batch::NodeId, execute::Chain};
use musubi_storage::{LogView, OpenError, OpenSettings, Opened, Store, memory::MemoryDisk};

use super::{
    clock::Clock, cosigner::CosignerThread, disk::DiskThread, door::Door, executor::Executor,
    forget::Past, options::Options, planted::Bug, town::Town, watch::Desk,
};

/// A validator, up or down.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) disk: MemoryDisk,
    pub(crate) clock: Clock,
    /// Grows with every start and stop: events for an earlier life are dead.
    pub(crate) life: u64,
    pub(crate) process: Option<Process>,
    /// Its disk takes no sync to its end.
    pub(crate) hangs: bool,
    /// What its disk remembers of others, and whether it still is the disk of this node's past.
    pub(crate) past: Past,
    bug: Option<Bug>,
    at: usize,
}

/// What runs on the machine.
pub(crate) struct Process {
    pub(crate) replica: Replica,
    pub(crate) store: Arc<Store>,
    pub(crate) chain: Chain,
    pub(crate) disk: DiskThread,
    pub(crate) executor: Executor,
    pub(crate) door: Door,
    pub(crate) cosigner: CosignerThread,
    /// Its room of evidence, in watched runs.
    pub(crate) desk: Option<Desk>,
    /// For when a wake is scheduled.
    pub(crate) wake_at: Option<u64>,
}

impl Node {
    pub(crate) fn new(
        town: &Town,
        at: usize,
        options: &Options,
        clock: Clock,
        bug: Option<Bug>,
    ) -> Self {
        Self {
            config: config(town, at, options, bug),
            disk: town.disks[at].copy(options.seed.rotate_left(7) ^ at as u64),
            clock,
            life: 0,
            process: None,
            hangs: false,
            past: Past::default(),
            bug,
            at,
        }
    }

    /// Opens the directory, as a start of the process does.
    ///
    /// # Errors
    /// Why the store refuses it.
    pub(crate) fn open(&self, town: &Town) -> Result<Opened, OpenError> {
        let settings = OpenSettings { chain: Some(town.chain), ..OpenSettings::default() };
        Store::open(self.disk.open()?, &settings)
    }

    /// Starts the process on an opened directory. `seed` decides its election timeouts.
    ///
    /// # Errors
    /// Why the replica refuses what storage found.
    pub(crate) fn start(&mut self, opened: Opened, seed: u64) -> Result<(), String> {
        let (found, cosigned) = opened.store.promised();
        let identity = Identity {
            directory: opened.directory,
            boot: opened.boot,
            life: (seed ^ 0x9e37_79b9_7f4a_7c15).max(1),
            found,
            cosigned,
            remembered: opened.store.pledges().map_err(|error| error.to_string())?,
        };
        let cosigner = CosignerThread::resume(&opened.store, self.at, self.bug)?;
        let store = Arc::new(opened.store);
        let reader = Box::new(LogView(Arc::clone(&store)));
        let replica = Replica::new(self.config.clone(), opened.recovered, reader, seed)
            .map_err(|error| error.to_string())?
            .with_identity(identity);
        self.life += 1;
        self.process = Some(Process {
            replica,
            store,
            chain: opened.chain,
            disk: DiskThread::default(),
            executor: Executor::default(),
            door: Door::default(),
            cosigner,
            desk: None,
            wake_at: None,
        });
        Ok(())
    }

    /// The process ends; what it held in memory is gone.
    pub(crate) fn stop(&mut self) {
        self.life += 1;
        self.process = None;
        self.hangs = false;
        self.past.crashed();
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Gives the replica an input and takes all its effects.
    pub(crate) fn handle(&mut self, now: u64, input: Input) -> Vec<Effect> {
        let clock = self.clock.read(now);
        let Some(process) = &mut self.process else {
            return Vec::new();
        };
        process.replica.handle(clock, input);
        std::iter::from_fn(|| process.replica.poll()).collect()
    }
}

impl Process {
    /// Whether nothing is under way between its threads.
    pub(crate) fn is_idle(&self) -> bool {
        self.disk.is_idle() && self.executor.is_idle() && self.cosigner.is_idle()
    }
}

/// A validator's configuration, with limits small enough to be met.
fn config(town: &Town, at: usize, options: &Options, bug: Option<Bug>) -> Config {
    let id = NodeId(at as u64 + 1);
    let key = super::town::node_key(at + 1);
    let mut config = Config::new(town.chain, id, town.members.clone(), key);
    config.raft.unexecuted_max = options.unexecuted_max;
    config.raft.tail_bytes = options.tail_bytes;
    config.raft.append_window = 8;
    config.cut.max_in_flight = 3;
    config.cut.max_age_ms = 20;
    #[cfg(feature = "planted-bugs")]
    {
        config.planted = bug.and_then(Bug::of_consensus);
    }
    #[cfg(not(feature = "planted-bugs"))]
    assert!(bug.is_none(), "bugs are planted in builds for that alone");
    config
}
