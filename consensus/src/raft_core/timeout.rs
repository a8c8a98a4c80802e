//! Election timeouts from the run's seed. raft-rs draws them from the thread's generator, the one
//! hole in its determinism; this file's value overwrites that one after every call that may have
//! drawn.

/// Draws a timeout per (seed, node, term, campaign): fresh for each campaign, else ties would
/// repeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeout {
    seed: u64,
    node: u64,
    election_ticks: usize,
    campaigns: u64,
}

impl Timeout {
    pub(super) fn new(seed: u64, node: u64, election_ticks: usize) -> Self {
        Self { seed, node, election_ticks, campaigns: 0 }
    }

    /// Another campaign has begun.
    pub(super) fn campaigned(&mut self) {
        self.campaigns += 1;
    }

    /// Ticks in `[election_ticks, 2 * election_ticks)`.
    pub(super) fn ticks(&self, term: u64) -> usize {
        let words = [self.node, term, self.campaigns];
        let draw = words.iter().fold(mix(self.seed), |state, &word| mix(state ^ mix(word)));
        self.election_ticks + (draw % self.election_ticks as u64) as usize
    }
}

/// The finaliser of splitmix64: every input bit moves every output bit.
fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_repeat_by_seed_and_differ_by_node_term_and_campaign() {
        let timeouts = |seed, node| {
            let mut timeout = Timeout::new(seed, node, 1_000);
            let mut drawn = vec![timeout.ticks(1), timeout.ticks(2)];
            timeout.campaigned();
            drawn.push(timeout.ticks(2));
            drawn
        };
        assert_eq!(timeouts(5, 1), timeouts(5, 1));
        let mut all: Vec<usize> = [timeouts(5, 1), timeouts(5, 2), timeouts(6, 1)].concat();
        assert!(all.iter().all(|ticks| (1_000..2_000).contains(ticks)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9);
    }
}
