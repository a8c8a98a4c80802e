//! What one seed decides before the first event: how many validators, and how foul the weather is.
//!
//! Swarm testing: each class of faults is on in about half of the seeds, at an intensity of its own, so
//! that rare faults are also met alone and not always in the noise of all others.

use std::fmt;

use super::random::Dice;

/// Everything that a seed decides up front. Rates are per mille, durations milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The seed.
    pub seed: u64,
    /// Validators.
    pub validators: usize,
    /// Clients.
    pub clients: usize,
    /// Events of the foul phase.
    pub steps: u64,
    /// Frames lost.
    pub loss: u64,
    /// Frames delivered twice.
    pub duplication: u64,
    /// Longest ordinary delay of a frame.
    pub delay_ms: u64,
    /// Frames that come twenty times later, and so out of order.
    pub late: u64,
    /// Mean time between partitions; none if absent.
    pub partition_ms: Option<u64>,
    /// Partitions that cut one direction only.
    pub one_way: u64,
    /// Mean time between crashes at any moment; none if absent.
    pub crash_ms: Option<u64>,
    /// Crashes right behind an effect of the replica, per 100,000; behind a step of disk or executor
    /// twenty times as likely.
    pub seam_crash: u64,
    /// Mean time between failing disks; none if absent.
    pub disk_fault_ms: Option<u64>,
    /// Longest time that a sync takes.
    pub sync_ms: u64,
    /// Persists that one sync covers at most.
    pub group: u64,
    /// Longest time that executing or recording a block takes.
    pub execute_ms: u64,
    /// Clocks differ from true time by at most this much.
    pub clock_ms: u64,
    /// Clocks run wrong by at most this much, in parts of a million.
    pub drift_ppm: u64,
    /// Mean time between jumps of a clock; none if absent.
    pub jump_ms: Option<u64>,
    /// Clients that give up instead of asking again.
    pub give_up: u64,
    /// Items that are sent again after their verdict.
    pub replay: u64,
    /// Entries handed to execution and not yet executed.
    pub unexecuted_max: u64,
    /// Bytes of the log's tail that a replica keeps in memory.
    pub tail_bytes: usize,
    /// Mean time between backups, and disks put back, wiped or swapped; none if absent.
    pub forget_ms: Option<u64>,
    /// Whether the organisations change the witness policy.
    pub policies: bool,
}

/// Events of the foul phase, if the caller does not say otherwise.
pub const STEPS: u64 = 8_000;

impl Options {
    /// What `seed` decides. `steps` is the length of the foul phase in events.
    #[must_use]
    pub fn draw(seed: u64, steps: u64) -> Self {
        let mut dice = Dice::new(seed);
        let dice = &mut dice;
        let some = |dice: &mut Dice, least, most| {
            let drawn = dice.scaled(least, most);
            dice.hits(600).then_some(drawn)
        };
        let rate = |dice: &mut Dice, most| some(dice, 1, most).unwrap_or(0);
        Self {
            seed,
            validators: if dice.hits(300) { 5 } else { 3 },
            clients: dice.between(3, 9) as usize,
            steps,
            loss: rate(dice, 200),
            duplication: rate(dice, 150),
            delay_ms: dice.scaled(1, 120),
            late: rate(dice, 40),
            partition_ms: some(dice, 1_000, 8_000),
            one_way: dice.below(600),
            crash_ms: some(dice, 800, 6_000),
            seam_crash: some(dice, 1, 40).unwrap_or(1),
            disk_fault_ms: some(dice, 3_000, 20_000),
            sync_ms: dice.scaled(1, 60),
            group: dice.between(1, 8),
            execute_ms: dice.scaled(1, 40),
            clock_ms: if dice.hits(200) { 6_000 } else { dice.scaled(1, 2_200) },
            drift_ppm: rate(dice, 1_000),
            jump_ms: some(dice, 2_000, 10_000),
            give_up: rate(dice, 150),
            replay: dice.below(100),
            unexecuted_max: dice.between(1, 8),
            tail_bytes: dice.scaled(2_000, 200_000) as usize,
            forget_ms: some(dice, 500, 4_000),
            policies: dice.hits(600),
        }
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = |mean: Option<u64>| mean.map_or("never".into(), |ms| format!("every {ms} ms"));
        writeln!(
            f,
            "validators     {}, clients {}, steps {}",
            self.validators, self.clients, self.steps
        )?;
        writeln!(
            f,
            "network        loss {} ‰, duplication {} ‰, delay {} ms, late {} ‰, partitions {} ({} ‰ one-way)",
            self.loss,
            self.duplication,
            self.delay_ms,
            self.late,
            every(self.partition_ms),
            self.one_way
        )?;
        writeln!(
            f,
            "machines       crashes {}, at seams {} of 100,000 effects",
            every(self.crash_ms),
            self.seam_crash
        )?;
        writeln!(
            f,
            "disks          faults {}, past lost {}, sync {} ms, {} persists per sync, execution {} ms",
            every(self.disk_fault_ms),
            every(self.forget_ms),
            self.sync_ms,
            self.group,
            self.execute_ms
        )?;
        writeln!(
            f,
            "clocks         off by {} ms, drift {} ppm, jumps {}",
            self.clock_ms,
            self.drift_ppm,
            every(self.jump_ms)
        )?;
        writeln!(f, "clients        give up {} ‰, replay {} ‰", self.give_up, self.replay)?;
        let policies = if self.policies { "change twice" } else { "stay" };
        writeln!(f, "policies       {policies}")?;
        write!(
            f,
            "replicas       {} entries unexecuted, {} bytes of tail",
            self.unexecuted_max, self.tail_bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_and_each_fault_is_on_in_some_and_off_in_others() {
        let drawn: Vec<Options> = (1..=200).map(|seed| Options::draw(seed, STEPS)).collect();
        let share = |of: fn(&Options) -> bool| drawn.iter().filter(|o| of(o)).count();
        for on in [
            share(|o| o.loss > 0),
            share(|o| o.duplication > 0),
            share(|o| o.crash_ms.is_some()),
            share(|o| o.partition_ms.is_some()),
            share(|o| o.disk_fault_ms.is_some()),
            share(|o| o.jump_ms.is_some()),
            share(|o| o.forget_ms.is_some()),
        ] {
            assert!((80..160).contains(&on), "{on} of 200");
        }
        assert!((30..100).contains(&share(|o| o.validators == 5)));
        assert_eq!(share(|o| o.validators == 3) + share(|o| o.validators == 5), 200);
        assert_eq!(Options::draw(9, STEPS), Options::draw(9, STEPS));
    }
}
