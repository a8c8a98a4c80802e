//! The steps of a node's disk thread and executor, each with what the oracle must know about it.

use musubi_consensus::{Input, cosigner};

use super::{
    checker::Holds,
    disk::{DiskStep, Job, Numbers},
    executor::{Bench, ExecutorStep},
    node::Node,
    planted::{Bug, Spot},
    schedule::Event,
    trace::digest,
    world::World,
};

impl World<'_> {
    /// Schedules the disk thread's next step, if it has one.
    pub(crate) fn wake_disk(&mut self, node: usize) {
        let slow = if self.foul { self.options.sync_ms } else { 2 };
        let Node { life, process, .. } = &mut self.nodes[node];
        if let Some(process) = process
            && !process.disk.busy
            && process.disk.has_work()
        {
            process.disk.busy = true;
            let delay = self.dice.below(slow + 1);
            self.schedule.after(delay, Event::Disk { node, life: *life });
        }
    }

    /// The disk thread's next step. A crash behind it leaves what was written, or a part of it.
    pub(crate) fn disk(&mut self, node: usize) -> Holds {
        let group = self.options.group as usize;
        let lies = self.bug == Some(Bug::ReportBeforeSync);
        let Node { hangs, process: Some(process), .. } = &mut self.nodes[node] else {
            return Ok(());
        };
        if *hangs && process.disk.syncs_next() {
            process.disk.hung = true;
            self.stats.disk_hangs += 1;
            self.trace.note(self.schedule.now(), node + 1, "disk hangs", &[]);
            return Ok(());
        }
        process.disk.busy = false;
        let step = process.disk.step(&process.store, group, lies);
        let now = self.schedule.now();
        match step {
            Err(error) => {
                self.disk_failed(node, &error);
                return Ok(());
            }
            Ok(DiskStep::Nothing | DiskStep::Skipped) => {}
            Ok(DiskStep::Staged(jobs)) => {
                self.trace.note(now, node + 1, "staged", &[("jobs", jobs.len() as u64)]);
                for job in &jobs {
                    match job {
                        Job::Persist(persist) => self.checker.staged(node, persist),
                        Job::Remember(remember) => self.nodes[node].past.staged(remember),
                        Job::Checkpoint { size, .. } => self.checker.checkpoint_staged(node, *size),
                    }
                }
            }
            Ok(DiskStep::Synced) => {
                self.trace.note(now, node + 1, "synced", &[]);
                self.stats.syncs += 1;
                self.checker.synced(node);
                self.nodes[node].past.synced();
            }
            Ok(DiskStep::Done(numbers)) => self.done(node, numbers)?,
        }
        if !self.dies_here(node, 20) {
            self.wake_disk(node);
        }
        Ok(())
    }

    /// Tells replica and cosigner what the disk thread has done, as production does: first how much is durable.
    fn done(&mut self, node: usize, numbers: Numbers) -> Holds {
        let Numbers { persisted, recorded, checkpoint } = numbers;
        let Some(process) = &self.nodes[node].process else {
            return Ok(());
        };
        let (kept, cosigned) = process.store.promised();
        let life = self.nodes[node].life;
        let told = [
            Some(("durable", kept.write, Input::Durable { kept, cosigned })),
            recorded.map(|number| ("recorded", number, Input::Recorded { number })),
            persisted.map(|number| ("persisted", number, Input::Persisted { number })),
        ];
        for (what, fact, input) in told.into_iter().flatten() {
            if self.lives(node, life) {
                self.input(node, what, fact, input)?;
            }
        }
        if let Some(size) = checkpoint.filter(|_| self.lives(node, life)) {
            self.tell_cosigner(node, cosigner::Event::Durable { size });
        }
        Ok(())
    }

    /// A disk that hung goes on, with the sync that was under way.
    pub(crate) fn resume_disk(&mut self, node: usize) {
        let Node { life, process, hangs, .. } = &mut self.nodes[node];
        *hangs = false;
        if let Some(process) = process
            && std::mem::take(&mut process.disk.hung)
        {
            self.schedule.after(1, Event::Disk { node, life: *life });
        }
    }

    /// Schedules the executor's next step, if it has one.
    pub(crate) fn wake_executor(&mut self, node: usize) {
        let slow = if self.foul { self.options.execute_ms } else { 2 };
        let Node { life, process, .. } = &mut self.nodes[node];
        if let Some(process) = process
            && !process.executor.busy
            && process.executor.has_work()
        {
            process.executor.busy = true;
            let delay = self.dice.below(slow + 1);
            self.schedule.after(delay, Event::Executor { node, life: *life });
        }
    }

    /// The executor's next step. A crash before the record executes the entry again, to the same block.
    pub(crate) fn executor(&mut self, node: usize) -> Holds {
        let now = self.schedule.now();
        let spot = Spot { node, clock: self.nodes[node].clock.read(now), chance: self.dice.next() };
        let Some(process) = &mut self.nodes[node].process else {
            return Ok(());
        };
        process.executor.busy = false;
        let (store, chain) = (&*process.store, &mut process.chain);
        let bench = Bench { town: self.town, store, chain, bug: self.bug, spot };
        match process.executor.step(bench) {
            Err(error) => {
                self.disk_failed(node, &error);
                return Ok(());
            }
            Ok(ExecutorStep::Nothing) => {}
            Ok(ExecutorStep::Executed(entry, None)) => self.executed_watched(node, entry, None)?,
            Ok(ExecutorStep::Executed(entry, Some((batch, block)))) => {
                let facts = [("height", block.head.height), ("root", digest(&block.root))];
                self.trace.note(now, node + 1, "executed", &facts);
                self.checker.executed(node, entry, &batch, &block)?;
                self.executed_watched(node, entry, Some((&batch, &block)))?;
            }
            Ok(ExecutorStep::Recorded(entry, block)) => {
                self.trace.note(now, node + 1, "recorded", &[("index", entry.index)]);
                self.checker.recorded(node, entry, &process.store)?;
                let Some(block) = block else {
                    return self.next_execution(node);
                };
                self.checker.audit_newest(block.head.height, &process.store)?;
                self.settle(node, &block);
                self.recorded_for_cosigner(node, &block);
            }
            Ok(ExecutorStep::Report(executed)) => {
                let index = executed.index;
                self.input(node, "reported", index, Input::Executed(executed))?;
            }
        }
        self.next_execution(node)
    }

    fn next_execution(&mut self, node: usize) -> Holds {
        if !self.dies_here(node, 20) {
            self.wake_executor(node);
        }
        Ok(())
    }
}
