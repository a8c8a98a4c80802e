//! The deterministic simulator: several validators, their disks, clocks, network and clients in one
//! thread and in virtual time, with everything going wrong that one seed decides.
//!
//! What runs is what production runs: `Replica` of consensus, `Store` of storage over its memory disk,
//! the executor of the ledger, real signed transactions. What is simulated is only what the threads,
//! sockets and disks of a node would do. A run is a pure function of its seed: no clock, no thread, no
//! other source of chance, so a violation comes with the one number that repeats it.
//!
//! # Rooms
//!
//! - [`Options`] are what a seed decides up front; `random`, `schedule` and `trace` drive a run;
//! - `town`, `genesis`, `opening`, `script` and `governance` make the ledger and what clients will do with it, once
//!   per process;
//! - `node` is a machine; `disk`, `executor`, `cosigner` and `door` its threads, cut into steps; `clock` its clock;
//! - `world` carries events to nodes, `effects` what replicas ask for, `threads` the steps of disk and
//!   executor, `finality` the cosigner's, `front` what clients do; `fault` breaks things, `forget` takes disks their past, `liveness`
//!   mends what can be mended;
//! - `watch` gives nodes their rooms of evidence, and [`Malice`] makes one of them lie;
//! - `checker` is the oracle; [`Bug`] what it is tested with; `command` the command line.
//!
//! # Two phases
//!
//! First anything may fail, and the invariants hold after every step. Then all is mended, and within
//! simulated 60 s every node must stand at the same height and every client must know its verdicts.

mod checker;
mod client;
mod clock;
pub mod command;
mod cosigner;
mod disk;
mod door;
mod effects;
mod executor;
mod fault;
mod finality;
mod forget;
mod front;
mod genesis;
mod governance;
mod liars;
mod liveness;
mod malice;
mod network;
mod node;
mod opening;
mod options;
mod panics;
mod planted;
mod random;
mod report;
mod schedule;
mod script;
mod threads;
mod town;
mod trace;
mod watch;
mod world;

use std::{cell::OnceCell, io::Write};

use musubi_ledger::evidence::Suspects;

pub use self::{
    checker::Violation,
    malice::Malice,
    options::{Options, STEPS},
    planted::Bug,
    report::Stats,
    watch::Found,
};
use self::{town::Town, trace::Trace, watch::Watch, world::World};

/// Runs seeds. Holds what all of them share: the towns, each made when it is first needed.
#[derive(Default)]
pub struct Simulator {
    three: OnceCell<Town>,
    five: OnceCell<Town>,
}

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the seed decided.
    pub options: Options,
    /// What happened, up to the violation if there is one.
    pub stats: Stats,
    /// Stands for the whole run: two runs with one hash are the same.
    pub trace_hash: u64,
    /// The first broken invariant.
    pub violation: Option<Violation>,
    /// Evidence that nodes keep at the end, in watched runs.
    pub found: Vec<Found>,
}

impl Simulator {
    /// A simulator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs one seed, `steps` events of it in foul weather. `sink` gets the trace as text.
    ///
    /// # Errors
    /// Only if the trace cannot be written.
    ///
    /// # Panics
    /// If `bug` is given in a build without the feature `planted-bugs`.
    pub fn run(
        &self,
        seed: u64,
        steps: u64,
        bug: Option<Bug>,
        sink: Option<Box<dyn Write>>,
    ) -> std::io::Result<Run> {
        self.go(seed, steps, bug, None, sink)
    }

    /// Runs one seed in which every node keeps evidence as it does in production, and node 1 lies in this
    /// way, if in any: then the run ends when all others know.
    ///
    /// # Errors
    /// If there is no place for the nodes' files.
    pub fn run_watched(
        &self,
        seed: u64,
        steps: u64,
        malice: Option<Malice>,
    ) -> std::io::Result<Run> {
        self.go(seed, steps, None, Some(Watch::new(malice)?), None)
    }

    /// Whose keys evidence may name in runs of so many validators.
    #[must_use]
    pub fn suspects(&self, validators: usize) -> Suspects {
        Suspects::of_genesis(&self.town(validators).genesis)
    }

    fn go(
        &self,
        seed: u64,
        steps: u64,
        bug: Option<Bug>,
        watch: Option<Watch>,
        sink: Option<Box<dyn Write>>,
    ) -> std::io::Result<Run> {
        let options = Options::draw(seed, steps);
        let town = self.town(options.validators);
        let mut trace = Trace::new(sink);
        let (mut stats, mut violation, mut found) = (Stats::default(), None, Vec::new());
        let run = || -> Result<(), Violation> {
            let mut world = World::new(town, options.clone(), bug, watch, &mut trace)?;
            let holds = world.run();
            stats = world.stats;
            found = world.found();
            holds
        };
        match panics::caught(run) {
            Ok(Ok(())) => {}
            Ok(Err(broken)) => violation = Some(broken),
            Err(seen) => violation = Some(Violation { invariant: "I21 no panic", seen }),
        }
        stats.seeds = 1;
        trace.finish()?;
        Ok(Run { options, stats, trace_hash: trace.hash(), violation, found })
    }

    fn town(&self, validators: usize) -> &Town {
        let cell = if validators == 3 { &self.three } else { &self.five };
        cell.get_or_init(|| Town::new(validators))
    }
}
