//! What breaks, and how it is mended: machines, disks, network, clocks.

use musubi_consensus::{Accusation, EntryFault};
use musubi_storage::{OpenError, StoreError, memory::Loss};

use super::{
    checker::{Holds, broken},
    planted::Bug,
    schedule::{Event, Fault},
    trace::digest,
    world::World,
};

impl World<'_> {
    /// Schedules the first of each kind of fault that this seed has.
    pub(crate) fn schedule_faults(&mut self) {
        for fault in [Fault::Crash, Fault::Partition, Fault::Disk, Fault::Jump, Fault::Forget] {
            self.schedule_fault(fault);
        }
    }

    fn schedule_fault(&mut self, fault: Fault) {
        let mean = match fault {
            Fault::Crash => self.options.crash_ms,
            Fault::Partition => self.options.partition_ms,
            Fault::Disk => self.options.disk_fault_ms,
            Fault::Jump => self.options.jump_ms,
            Fault::Forget => self.options.forget_ms,
        };
        if let Some(mean) = mean {
            let after = self.dice.below(2 * mean);
            self.schedule.after(after, Event::Fault(fault));
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.schedule_fault(fault);
        let now = self.schedule.now();
        let node = self.dice.place(self.nodes.len());
        match fault {
            Fault::Crash if self.nodes[node].is_up() => self.crash(node),
            Fault::Crash => {}
            Fault::Partition => {
                let one_way = self.dice.hits(self.options.one_way);
                let partition = self.network.part(&mut self.dice, one_way);
                self.trace.note(now, 0, "part", &[("partition", partition)]);
                self.stats.partitions += 1;
                let lasts = self.dice.between(200, 5_000);
                self.schedule.after(lasts, Event::Heal { partition });
            }
            Fault::Disk => self.break_disk(node),
            Fault::Forget => self.forget(node),
            Fault::Jump => {
                self.trace.note(now, node + 1, "clock jumps", &[]);
                self.stats.clock_jumps += 1;
                self.nodes[node].clock.jump(&mut self.dice, now);
            }
        }
    }

    /// A disk is full, or fails its syncs, or takes seconds for one.
    fn break_disk(&mut self, node: usize) {
        self.trace.note(self.schedule.now(), node + 1, "disk breaks", &[]);
        match self.dice.below(10) {
            0..3 => self.nodes[node].disk.fail_writes(true),
            3..6 => self.nodes[node].disk.fail_syncs(true),
            _ => {
                self.nodes[node].hangs = true;
                let lasts = self.dice.between(500, 6_000);
                self.schedule.after(lasts, Event::Resume { node });
            }
        }
    }

    /// Whether the machine dies behind the step just done; `weight` makes some steps likelier.
    pub(crate) fn dies_here(&mut self, node: usize, weight: u64) -> bool {
        let dies = self.foul
            && self.nodes[node].is_up()
            && self.dice.below(100_000) < self.options.seam_crash * weight;
        if dies {
            self.stats.seam_crashes += 1;
            self.crash(node);
        }
        dies
    }

    /// A machine stops at once: the process alone, or the power.
    pub(crate) fn crash(&mut self, node: usize) {
        let loss = match self.dice.below(10) {
            0..3 => Loss::Nothing,
            3..8 => Loss::Seeded,
            _ => Loss::Everything,
        };
        self.stop(node, loss);
        self.stats.crashes += 1;
    }

    /// A write or sync failed: what is durable is unknown, so the process ends, as in production.
    pub(crate) fn disk_failed(&mut self, node: usize, error: &StoreError) {
        self.stats.disk_failures += 1;
        let facts = [("code", digest(error.code().as_bytes()))];
        self.trace.note(self.schedule.now(), node + 1, "disk failed", &facts);
        let loss = if self.dice.hits(500) { Loss::Seeded } else { Loss::Nothing };
        self.stop(node, loss);
    }

    /// The process ends by itself. Its operator tries again, once in a while.
    pub(crate) fn halt(&mut self, node: usize) {
        self.nodes[node].stop();
        self.nodes[node].disk.crash(Loss::Nothing);
        if self.foul && self.dice.hits(300) {
            self.schedule.after(2_000, Event::Start { node });
        }
    }

    fn stop(&mut self, node: usize, loss: Loss) {
        self.nodes[node].stop();
        let lost = self.nodes[node].disk.crash(loss);
        self.stats.lost_writes += lost.write_sets as u64;
        let facts = [("unsynced", lost.unsynced as u64), ("lost", lost.write_sets as u64)];
        self.trace.note(self.schedule.now(), node + 1, "stops", &facts);
        let down = self.dice.scaled(50, 3_000);
        self.schedule.after(down, Event::Start { node });
    }

    /// A start of the process: the store checks its directory, the replica what the store found.
    pub(crate) fn start(&mut self, node: usize) -> Holds {
        if !self.foul || self.dice.hits(700) {
            self.nodes[node].disk.fail_writes(false);
            self.nodes[node].disk.fail_syncs(false);
        }
        let mut opened = match self.nodes[node].open(self.town) {
            Ok(opened) => opened,
            // The disk still fails: a safe stop, and an operator who tries again.
            Err(OpenError::Store(StoreError::Backend(_) | StoreError::Watermark(_)))
                if self.foul =>
            {
                self.schedule.after(1_000, Event::Start { node });
                return Ok(());
            }
            Err(error) => {
                return broken("I15 recovery", format!("node {}: {error}", node + 1));
            }
        };
        self.trace.note(
            self.schedule.now(),
            node + 1,
            "starts",
            &[("applied", opened.recovered.applied_index), ("last", opened.recovered.last.index)],
        );
        self.stats.starts += 1;
        self.checker.started(node, &opened, self.nodes[node].past.lost)?;
        Bug::at_start(self.bug, &mut opened);
        let seed = self.dice.next();
        if let Err(error) = self.nodes[node].start(opened, seed) {
            return broken("I15 recovery", format!("node {}: {error}", node + 1));
        }
        if let (Some(watch), Some(process)) = (&self.watch, &mut self.nodes[node].process) {
            watch.open(node, process)?;
        }
        self.wake_cosigner(node);
        let life = self.nodes[node].life;
        let first = self.dice.below(50);
        self.schedule.after(first, Event::Tick { node, life });
        self.schedule.after(first + 1, Event::Resend { node, life });
        Ok(())
    }

    /// Whether clocks alone explain why an honest leader was accused: it stamped too far ahead.
    pub(crate) fn clock_explains(&self, accusation: &Accusation) -> bool {
        let stamp =
            matches!(accusation, Accusation::Entry { fault: EntryFault::StampAhead { .. }, .. });
        // Two clocks that are wrong by no more than this never differ by more than the limit.
        stamp && 2 * self.options.clock_ms > musubi_ledger::limits::STAMP_AHEAD_MS_MAX
    }
}
