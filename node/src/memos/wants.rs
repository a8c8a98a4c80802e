//! When a missing blob is asked for again: soon at first, then ever more rarely, in the end only when somebody reads.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use musubi_ledger::id::DocumentHash;

/// Between one try and the next, in seconds. After the last one the memo rests until somebody asks for it.
const BACKOFF_S: [u64; 8] = [1, 2, 10, 60, 600, 3_600, 6 * 3_600, 24 * 3_600];
/// Memos looked for at once. Others are looked for when somebody asks, or after a restart.
pub const WANTS_MAX: usize = 8_192;
/// A reader's question brings the next try forward, but no two tries closer together than this.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// What is looked for.
#[derive(Debug, Default)]
pub struct Wants(BTreeMap<DocumentHash, Want>);

#[derive(Clone, Copy, Debug)]
struct Want {
    tries: usize,
    tried: Option<Instant>,
    due: Instant,
}

/// What is to be done now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// To be asked for.
    pub ask: Vec<DocumentHash>,
    /// Nobody has them: not looked for any more.
    pub rest: Vec<DocumentHash>,
}

impl Wants {
    /// Begins to look for a memo, if there is room.
    pub fn add(&mut self, memo: DocumentHash, now: Instant) {
        if self.0.len() < WANTS_MAX {
            self.0.entry(memo).or_insert(Want { tries: 0, tried: None, due: now });
        }
    }

    /// Somebody wants to read it.
    pub fn ask(&mut self, memo: DocumentHash, now: Instant) {
        self.add(memo, now);
        if let Some(want) = self.0.get_mut(&memo) {
            let soonest = want.tried.map_or(now, |tried| now.max(tried + ASK_AGAIN));
            want.due = want.due.min(soonest);
        }
    }

    /// It came, or is not wanted any more.
    pub fn done(&mut self, memo: &DocumentHash) {
        self.0.remove(memo);
    }

    /// Up to `limit` memos that are due.
    pub fn due(&mut self, now: Instant, limit: usize) -> Due {
        let mut due = Due::default();
        for (memo, want) in self.0.iter_mut().filter(|(_, want)| want.due <= now).take(limit) {
            match BACKOFF_S.get(want.tries) {
                Some(seconds) => {
                    *want = Want {
                        tries: want.tries + 1,
                        tried: Some(now),
                        due: now + Duration::from_secs(*seconds),
                    };
                    due.ask.push(*memo);
                }
                None => due.rest.push(*memo),
            }
        }
        due.rest.iter().for_each(|memo| self.done(memo));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memo(n: usize) -> DocumentHash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(n as u64).to_be_bytes());
        DocumentHash(hash)
    }

    #[test]
    fn a_memo_is_asked_for_ever_more_rarely_and_then_rests() {
        let (mut wants, begun) = (Wants::default(), Instant::now());
        wants.add(memo(1), begun);
        let mut at = begun;
        for seconds in BACKOFF_S {
            assert_eq!(wants.due(at, 9).ask, [memo(1)]);
            let almost = at + Duration::from_secs(seconds) - Duration::from_millis(1);
            assert_eq!(wants.due(almost, 9), Due::default());
            at += Duration::from_secs(seconds);
        }
        assert_eq!(wants.due(at, 9), Due { ask: vec![], rest: vec![memo(1)] });
        assert_eq!(wants.due(at + Duration::from_secs(1 << 30), 9), Due::default());
    }

    #[test]
    fn a_reader_brings_the_next_try_forward_but_not_at_will() {
        let (mut wants, now) = (Wants::default(), Instant::now());
        wants.ask(memo(1), now);
        assert_eq!(wants.due(now, 9).ask, [memo(1)]);
        wants.ask(memo(1), now);
        assert_eq!(wants.due(now, 9), Due::default());
        assert_eq!(wants.due(now + ASK_AGAIN, 9).ask, [memo(1)]);
        wants.done(&memo(1));
        assert_eq!(wants.due(now + Duration::from_secs(60), 9), Due::default());
    }

    #[test]
    fn there_is_an_end_to_what_is_looked_for_at_once() {
        let (mut wants, now) = (Wants::default(), Instant::now());
        (0..WANTS_MAX + 5).for_each(|n| wants.add(memo(n), now));
        assert_eq!(wants.due(now, usize::MAX).ask.len(), WANTS_MAX);
        let (mut wants, mut asked) = (Wants::default(), 0);
        (0..5).for_each(|n| wants.add(memo(n), now));
        for _ in 0..3 {
            asked += wants.due(now, 2).ask.len();
        }
        assert_eq!(asked, 5, "a limit puts off, it does not forget");
    }
}
