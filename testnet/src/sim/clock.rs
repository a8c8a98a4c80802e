//! Clocks that are wrong: each node's differs from true time by an offset that drifts and jumps.

use musubi_ledger::time::Time;

use super::random::Dice;

/// One node's clock.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    offset_ms: i64,
    drift_ppm: i64,
    /// When the offset was set.
    since: u64,
    bound_ms: i64,
}

/// In `[-bound, bound]`.
fn either_way(dice: &mut Dice, bound: u64) -> i64 {
    dice.between(0, 2 * bound) as i64 - bound as i64
}

impl Clock {
    pub(crate) fn new(dice: &mut Dice, now: u64, bound_ms: u64, drift_ppm: u64) -> Self {
        let offset_ms = either_way(dice, bound_ms);
        let drift_ppm = either_way(dice, drift_ppm);
        Self { offset_ms, drift_ppm, since: now, bound_ms: bound_ms as i64 }
    }

    /// What it shows at true time `now`: never more than its bound away from it.
    pub(crate) fn read(&self, now: u64) -> Time {
        let drifted = (now - self.since) as i64 * self.drift_ppm / 1_000_000;
        let offset = (self.offset_ms + drifted).clamp(-self.bound_ms, self.bound_ms);
        Time(now.saturating_add_signed(offset))
    }

    /// Somebody sets it, wrongly; also back.
    pub(crate) fn jump(&mut self, dice: &mut Dice, now: u64) {
        self.offset_ms = either_way(dice, self.bound_ms.unsigned_abs());
        self.since = now;
    }

    /// It is set right, but for what network time leaves.
    pub(crate) fn mend(&mut self, dice: &mut Dice, now: u64) {
        *self = Self::new(dice, now, 200, 50);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stays_within_its_bound_and_is_wrong() {
        let mut dice = Dice::new(5);
        let mut clock = Clock::new(&mut dice, 1_000_000, 3_000, 1_000);
        let mut furthest = 0;
        for now in (1_000_000..9_000_000).step_by(100_000) {
            if dice.hits(200) {
                clock.jump(&mut dice, now);
            }
            furthest = furthest.max(clock.read(now).0.abs_diff(now));
        }
        assert!((1_000..=3_000).contains(&furthest), "{furthest}");
        clock.mend(&mut dice, 9_000_000);
        assert!(clock.read(9_500_000).0.abs_diff(9_500_000) <= 200);
    }
}
