//! What happened, counted, so that a reader sees that the faults took place.

use comfy_table::{Cell, CellAlignment, Table, presets};

/// Counts of one run, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs.
    pub seeds: u64,
    /// Simulated time, in milliseconds.
    pub simulated_ms: u64,
    /// Events noted in the trace.
    pub events: u64,
    /// Machines that stopped at once, also right behind a step of disk, executor or replica.
    pub crashes: u64,
    /// Of these, those right behind a step.
    pub seam_crashes: u64,
    /// Processes that ended because a write or sync failed.
    pub disk_failures: u64,
    /// Syncs that took seconds.
    pub disk_hangs: u64,
    /// Write sets that were not synced and are gone.
    pub lost_writes: u64,
    /// Starts of processes, the first ones included.
    pub starts: u64,
    /// Synced groups of persists.
    pub syncs: u64,
    /// Conflicting tails of logs that were replaced.
    pub truncations: u64,
    /// Terms that had a leader.
    pub leaders: u64,
    /// Frames sent between nodes.
    pub frames: u64,
    /// Frames lost, also in partitions and at nodes that were down.
    pub dropped: u64,
    /// Frames delivered twice.
    pub duplicated: u64,
    /// Partitions.
    pub partitions: u64,
    /// Jumps of clocks.
    pub clock_jumps: u64,
    /// Leaders that were not believed because of a wrong clock.
    pub distrusts: u64,
    /// Old backups that were put back.
    pub put_back: u64,
    /// Disks that were wiped and formatted.
    pub wiped: u64,
    /// Disks replaced by another node's.
    pub swapped: u64,
    /// Nodes that noticed that they had forgotten, and stopped.
    pub noticed: u64,
    /// Requests of clients.
    pub submissions: u64,
    /// Verdicts that clients were told.
    pub acknowledged: u64,
    /// Blocks.
    pub blocks: u64,
    /// Transactions applied.
    pub applied: u64,
    /// Transactions rejected.
    pub rejected: u64,
    /// Items that were void.
    pub void: u64,
    /// Cosignatures sent.
    pub cosignatures: u64,
    /// Checkpoints that became final somewhere.
    pub finals: u64,
    /// Changes of the witness policy that became final.
    pub policies: u64,
}

impl Stats {
    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        macro_rules! sum {
            ($($field:ident)+) => { $( self.$field += other.$field; )+ };
        }
        sum!(seeds simulated_ms events crashes seam_crashes disk_failures disk_hangs lost_writes starts syncs
            truncations leaders frames dropped duplicated partitions clock_jumps distrusts
            put_back wiped swapped noticed submissions acknowledged blocks applied rejected void cosignatures
            finals policies);
    }

    /// Terms that had a leader, beyond each run's first.
    #[must_use]
    pub fn leader_changes(&self) -> u64 {
        self.leaders.saturating_sub(self.seeds)
    }

    /// What must have happened for a set of runs to prove anything, and did not.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let needed = [
            ("crashes", self.crashes),
            ("lost unsynced writes", self.lost_writes),
            ("leader changes", self.leader_changes()),
            ("commits", self.blocks.min(self.applied)),
            ("final checkpoints", self.finals),
        ];
        needed.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect()
    }

    /// The counts as a table.
    #[must_use]
    pub fn table(&self) -> Table {
        let time = {
            let seconds = self.simulated_ms / 1_000;
            format!("{} h {:02} min {:02} s", seconds / 3_600, seconds / 60 % 60, seconds % 60)
        };
        let number = |count: u64| count.to_string();
        let rows = [
            ("seeds", number(self.seeds)),
            ("simulated time", time),
            ("events", number(self.events)),
            ("crashes (right behind a step)", format!("{} ({})", self.crashes, self.seam_crashes)),
            (
                "stops by failing disks / hung syncs",
                format!("{} / {}", self.disk_failures, self.disk_hangs),
            ),
            ("lost unsynced writes", number(self.lost_writes)),
            ("starts", number(self.starts)),
            ("synced groups / replaced tails", format!("{} / {}", self.syncs, self.truncations)),
            ("leader changes", number(self.leader_changes())),
            ("partitions", number(self.partitions)),
            ("frames sent", number(self.frames)),
            ("frames dropped / duplicated", format!("{} / {}", self.dropped, self.duplicated)),
            (
                "clock jumps / leaders not believed",
                format!("{} / {}", self.clock_jumps, self.distrusts),
            ),
            (
                "disks put back / wiped / swapped, noticed",
                format!("{} / {} / {}, {}", self.put_back, self.wiped, self.swapped, self.noticed),
            ),
            ("requests / verdicts told", format!("{} / {}", self.submissions, self.acknowledged)),
            ("commits: blocks", number(self.blocks)),
            (
                "applied / rejected / void",
                format!("{} / {} / {}", self.applied, self.rejected, self.void),
            ),
            (
                "cosignatures / checkpoints final",
                format!("{} / {}", self.cosignatures, self.finals),
            ),
            ("changes of policy final", number(self.policies)),
        ];
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        for (name, value) in rows {
            table.add_row([Cell::new(name), Cell::new(value).set_alignment(CellAlignment::Right)]);
        }
        table
    }
}
