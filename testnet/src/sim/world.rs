//! The world: carries every event to whom it concerns, and everything that nodes ask for on its way.
//! The oracle looks on at each step.

use musubi_consensus::{Input, Submission, Via};
use musubi_ledger::batch::NodeId;

use super::{
    checker::{Checker, Holds, Violation, broken},
    client::{self, Client},
    clock::Clock,
    network::Network,
    node::Node,
    options::Options,
    planted::Bug,
    random::Dice,
    report::Stats,
    schedule::{Event, Frame, Schedule},
    town::{BEGIN, Town},
    trace::{Trace, digest},
    watch::Watch,
};

/// Between two ticks of Raft's clock.
const TICK_MS: u64 = 50;
/// Between two looks at what waits at the door: as in production.
const RESEND_MS: u64 = 200;

/// One simulated network.
pub(crate) struct World<'t> {
    pub(crate) town: &'t Town,
    pub(crate) options: Options,
    pub(crate) bug: Option<Bug>,
    /// In watched runs.
    pub(crate) watch: Option<Watch>,
    pub(crate) dice: Dice,
    pub(crate) schedule: Schedule,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) clients: Vec<Client>,
    pub(crate) checker: Checker,
    pub(crate) trace: &'t mut Trace,
    pub(crate) stats: Stats,
    /// Anything may fail.
    pub(crate) foul: bool,
}

impl<'t> World<'t> {
    pub(crate) fn new(
        town: &'t Town,
        options: Options,
        bug: Option<Bug>,
        watch: Option<Watch>,
        trace: &'t mut Trace,
    ) -> Result<Self, Violation> {
        let mut dice = Dice::new(options.seed.wrapping_mul(2).wrapping_add(1));
        let nodes = (0..options.validators).map(|at| {
            let clock = Clock::new(&mut dice, BEGIN, options.clock_ms, options.drift_ppm);
            Node::new(town, at, &options, clock, bug)
        });
        let nodes = nodes.collect();
        Ok(Self {
            clients: client::all(town, &options, &mut dice),
            network: Network::new(&options),
            checker: Checker::new(town, watch.as_ref().is_some_and(|w| w.malice.is_some()))?,
            schedule: Schedule::new(BEGIN),
            stats: Stats::default(),
            foul: true,
            town,
            options,
            bug,
            watch,
            dice,
            nodes,
            trace,
        })
    }

    /// Foul weather, then fair until all is settled.
    pub(crate) fn run(&mut self) -> Holds {
        let holds = self.both_phases();
        self.sum_up();
        holds
    }

    fn both_phases(&mut self) -> Holds {
        for node in 0..self.nodes.len() {
            self.start(node)?;
        }
        for client in 0..self.clients.len() {
            let after = self.dice.below(300);
            self.schedule.after(after, Event::Client { client, attempt: 0 });
        }
        self.schedule_faults();
        let lies = self.malice().is_some();
        for _ in 0..self.options.steps {
            self.step()?;
            if lies && self.all_know() {
                break;
            }
        }
        // What a lie has parted does not settle.
        if lies { Ok(()) } else { self.recover() }
    }

    fn sum_up(&mut self) {
        let (blocks, items) = self.checker.counts();
        self.stats.blocks = blocks - self.town.blocks.len() as u64;
        [self.stats.applied, self.stats.rejected, self.stats.void] = items;
        self.stats.applied -=
            self.town.blocks.iter().map(|block| block.items.len() as u64).sum::<u64>();
        [self.stats.cosignatures, self.stats.finals, self.stats.policies] = self.checker.cosigned();
        self.stats.leaders = self.checker.leaders() as u64;
        self.stats.simulated_ms = self.schedule.now() - BEGIN;
        self.stats.events = self.trace.events();
    }

    /// One event.
    pub(crate) fn step(&mut self) -> Holds {
        let Some(event) = self.schedule.next() else {
            return broken("I24 the simulation goes on", "nothing is left to happen");
        };
        match event {
            Event::Frame { from, to, frame } => self.arrives(from, to, frame),
            Event::Tick { node, life } if self.lives(node, life) => {
                self.schedule.after(TICK_MS, Event::Tick { node, life });
                self.input(node, "tick", 0, Input::Tick)
            }
            Event::Wake { node, life } if self.lives(node, life) => {
                if let Some(process) = &mut self.nodes[node].process {
                    process.wake_at = None;
                }
                self.input(node, "wake", 0, Input::Wake)
            }
            Event::Disk { node, life } if self.lives(node, life) => self.disk(node),
            Event::Executor { node, life } if self.lives(node, life) => self.executor(node),
            Event::Cosigner { node, life } if self.lives(node, life) => self.cosigner(node),
            Event::CosignerWake { node, life } if self.lives(node, life) => {
                self.cosigner_wakes(node);
                Ok(())
            }
            Event::Resend { node, life } if self.lives(node, life) => {
                self.schedule.after(RESEND_MS, Event::Resend { node, life });
                self.tell_watched(node)?;
                if let Some(forged) = self.forgery(node) {
                    self.submit(node, vec![forged])?;
                }
                self.resend(node)
            }
            Event::Unreachable { node, life, peer } if self.lives(node, life) => {
                let input = Input::PeerUnreachable { node: NodeId(peer as u64 + 1) };
                self.input(node, "unreachable", peer as u64 + 1, input)
            }
            Event::Request { node, client, item, expires } => {
                self.request(node, client, item, expires)
            }
            Event::Answer { client, id, reply } => self.answer(client, id, reply),
            Event::Client { client, attempt } => {
                self.client(client, attempt);
                Ok(())
            }
            Event::Fault(fault) if self.foul => {
                self.fault(fault);
                Ok(())
            }
            Event::Heal { partition } => {
                self.trace.note(self.schedule.now(), 0, "heal", &[("partition", partition)]);
                self.network.end(partition);
                Ok(())
            }
            Event::Resume { node } if self.foul => {
                self.resume_disk(node);
                Ok(())
            }
            Event::Start { node } if !self.nodes[node].is_up() => self.start(node),
            // Of an earlier life, or of the foul phase.
            _ => Ok(()),
        }
    }

    pub(crate) fn lives(&self, node: usize, life: u64) -> bool {
        self.nodes[node].life == life
    }

    fn arrives(&mut self, from: usize, to: usize, frame: Frame) -> Holds {
        if self.network.is_cut(from, to) || !self.nodes[to].is_up() {
            self.stats.dropped += 1;
            return Ok(());
        }
        match frame {
            Frame::Raft(bytes) => {
                let fact = digest(&bytes);
                let from = NodeId(from as u64 + 1);
                self.input(to, "message", fact, Input::Message { from, bytes })
            }
            Frame::Note(note) => self.hear_checkpoint(from, to, note),
            Frame::Talk(talk) => self.hear_watched(from, to, talk),
            Frame::Submissions(items) => {
                let fact = items.len() as u64;
                self.input(to, "forwarded", fact, Input::Submit { via: Via::Peer, items })
            }
        }
    }

    /// Gives a replica an input, and carries out what it asks for; the machine may die in between.
    pub(crate) fn input(
        &mut self,
        node: usize,
        what: &'static str,
        fact: u64,
        input: Input,
    ) -> Holds {
        let now = self.schedule.now();
        self.trace.note(now, node + 1, what, &[("fact", fact)]);
        let life = self.nodes[node].life;
        for effect in self.nodes[node].handle(now, input) {
            if let Some(process) = &self.nodes[node].process {
                let term = process.replica.status().standing.term;
                self.checker.effect(node, &effect, &process.store, term)?;
                self.look_at_promise(node, &effect)?;
            }
            self.carry_out(node, effect)?;
            if self.dies_here(node, 1) {
                break;
            }
        }
        if self.lives(node, life) {
            self.set_wake(node);
        }
        Ok(())
    }

    /// Hands transactions to a node's replica.
    pub(crate) fn submit(&mut self, node: usize, items: Vec<Submission>) -> Holds {
        let fact = items.len() as u64;
        self.input(node, "submit", fact, Input::Submit { via: Via::Door, items })
    }
}
