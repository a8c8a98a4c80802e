//! Whom to ask, and when: fail-over with back-off, and no second question to who lied. No I/O, no clock:
//! moments are milliseconds of whatever steady clock the caller has.

/// Wait after the first failure; doubles with each further one.
const BACKOFF_MS: u64 = 200;
/// Longest wait between two questions to one upstream.
const BACKOFF_MS_MAX: u64 = 10_000;
/// How long the others may take to give the block that one upstream lied about, before the replica halts.
const DOUBT_MS_MAX: u64 = 60_000;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask this one.
    Ask(usize),
    /// Nobody may be asked before this moment.
    Wait(u64),
    /// Nobody is left who did not lie, or could say otherwise in time.
    Halt,
}

#[derive(Clone, Copy, Debug, Default)]
struct Upstream {
    failures: u32,
    not_before: u64,
    lied: bool,
}

/// The upstreams by their place in the configuration.
#[derive(Clone, Debug)]
pub struct Upstreams {
    all: Vec<Upstream>,
    current: usize,
    /// Since when a block is contested that no other upstream has confirmed yet.
    doubt: Option<u64>,
}

impl Upstreams {
    /// As many as are configured, the first to be asked first.
    ///
    /// # Panics
    /// If there are none: the configuration was checked.
    #[must_use]
    pub fn new(count: usize) -> Self {
        assert!(count > 0, "a replica has an upstream");
        Self { all: vec![Upstream::default(); count], current: 0, doubt: None }
    }

    /// Whom to ask now. Whoever works is asked again; then the others in their order.
    #[must_use]
    pub fn next(&mut self, now: u64) -> Next {
        if self.doubt.is_some_and(|since| now.saturating_sub(since) >= DOUBT_MS_MAX) {
            return Next::Halt;
        }
        let count = self.all.len();
        let order = (0..count).map(|step| (self.current + step) % count);
        let mut earliest = None;
        for at in order.filter(|at| !self.all[*at].lied) {
            if self.all[at].not_before <= now {
                self.current = at;
                return Next::Ask(at);
            }
            let wait = self.all[at].not_before;
            earliest = Some(earliest.map_or(wait, |earliest: u64| earliest.min(wait)));
        }
        earliest.map_or(Next::Halt, Next::Wait)
    }

    /// It gave a block that adds up.
    pub fn worked(&mut self, at: usize) {
        self.all[at].failures = 0;
        self.doubt = None;
    }

    /// It has had nothing new for long: perhaps another has. It has not confirmed a contested block either, but it
    /// answers: whoever lied about the future does not halt a replica that others can still be followed by.
    pub fn idle(&mut self, at: usize) {
        self.all[at].failures = 0;
        self.doubt = None;
        self.current = (at + 1) % self.all.len();
    }

    /// It gave no answer, or none that helps.
    pub fn failed(&mut self, at: usize, now: u64) {
        let upstream = &mut self.all[at];
        let wait = BACKOFF_MS << upstream.failures.min(16);
        upstream.failures += 1;
        upstream.not_before = now.saturating_add(wait.min(BACKOFF_MS_MAX));
        self.current = (at + 1) % self.all.len();
    }

    /// It gave a snapshot that does not add up: it is not asked again while this process runs. Nothing is contested
    /// by that: what another serves is checked as well.
    pub fn exclude(&mut self, at: usize) {
        self.all[at].lied = true;
        self.current = (at + 1) % self.all.len();
    }

    /// It gave a block that does not add up. It is not asked again while this process runs.
    pub fn lied(&mut self, at: usize, now: u64) {
        self.all[at].lied = true;
        self.doubt.get_or_insert(now);
        self.current = (at + 1) % self.all.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_is_asked_again() {
        let mut upstreams = Upstreams::new(2);
        for now in 0..3 {
            assert_eq!(upstreams.next(now), Next::Ask(0));
            upstreams.worked(0);
        }
    }

    #[test]
    fn who_has_nothing_new_is_followed_by_the_next() {
        let mut upstreams = Upstreams::new(2);
        upstreams.idle(0);
        assert_eq!(upstreams.next(0), Next::Ask(1));
        upstreams.idle(1);
        assert_eq!(upstreams.next(0), Next::Ask(0), "at once: it did not fail");
    }

    #[test]
    fn who_fails_waits_longer_each_time_while_others_are_asked() {
        let mut upstreams = Upstreams::new(2);
        upstreams.failed(0, 0);
        assert_eq!(upstreams.next(0), Next::Ask(1));
        upstreams.failed(1, 0);
        assert_eq!(upstreams.next(0), Next::Wait(200));
        assert_eq!(upstreams.next(200), Next::Ask(0));
        upstreams.failed(0, 200);
        assert_eq!(upstreams.next(200), Next::Ask(1));
        upstreams.worked(1);
        // Whoever took over stays.
        assert_eq!(upstreams.next(700), Next::Ask(1));
        let mut alone = Upstreams::new(1);
        for _ in 0..70 {
            alone.failed(0, 0);
        }
        assert_eq!(alone.next(0), Next::Wait(BACKOFF_MS_MAX), "and never longer than that");
    }

    #[test]
    fn who_lied_is_not_asked_again() {
        let mut upstreams = Upstreams::new(3);
        upstreams.lied(0, 5);
        assert_eq!(upstreams.next(5), Next::Ask(1));
        upstreams.worked(1);
        upstreams.failed(1, 6);
        assert_eq!(upstreams.next(6), Next::Ask(2));
        upstreams.failed(2, 6);
        assert_eq!(upstreams.next(6), Next::Wait(206), "the liar is nobody's substitute");
    }

    #[test]
    fn who_served_a_bad_snapshot_is_left_out_and_nothing_is_contested() {
        let mut upstreams = Upstreams::new(2);
        upstreams.exclude(0);
        upstreams.failed(1, 0);
        assert_eq!(upstreams.next(DOUBT_MS_MAX), Next::Ask(1), "however long that takes");
        upstreams.exclude(1);
        assert_eq!(upstreams.next(DOUBT_MS_MAX), Next::Halt);
    }

    #[test]
    fn when_nobody_is_left_the_replica_halts() {
        let mut upstreams = Upstreams::new(2);
        upstreams.lied(0, 0);
        upstreams.lied(1, 1);
        assert_eq!(upstreams.next(2), Next::Halt);
    }

    #[test]
    fn a_contested_block_that_nobody_confirms_in_time_halts_it() {
        let mut upstreams = Upstreams::new(2);
        upstreams.lied(0, 1_000);
        upstreams.failed(1, 1_000);
        assert_eq!(upstreams.next(1_000), Next::Wait(1_200));
        assert_eq!(upstreams.next(1_000 + DOUBT_MS_MAX), Next::Halt);
        // Confirmed in time, it goes on for ever.
        let mut upstreams = Upstreams::new(2);
        upstreams.lied(0, 1_000);
        upstreams.worked(1);
        assert_eq!(upstreams.next(1_000 + DOUBT_MS_MAX), Next::Ask(1));
        // And if another answers that it has no such block yet.
        let mut upstreams = Upstreams::new(2);
        upstreams.lied(0, 1_000);
        upstreams.idle(1);
        assert_eq!(upstreams.next(1_000 + DOUBT_MS_MAX), Next::Ask(1));
    }
}
