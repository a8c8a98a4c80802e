//! When a leader cuts a batch, and how many may be under way. Holds no items.

use std::collections::VecDeque;

use musubi_ledger::{limits, time::Time};

use crate::{CutPolicy, input::CopyId};

/// What is in the pool now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

pub(crate) struct Cutter {
    policy: CutPolicy,
    unexecuted_max: usize,
    /// Own batches that are not yet executed: index and items, oldest first.
    under_way: VecDeque<(u64, Vec<CopyId>)>,
    /// When the oldest waiting item came, or the last cut left it waiting.
    waiting_since: Option<Time>,
    /// When something was last proposed.
    proposed_at: Time,
    /// The last stamp given or executed.
    last_stamp: Time,
    /// When the next deadline in the state falls due.
    due: Option<Time>,
}

impl Cutter {
    pub(crate) fn new(
        policy: CutPolicy,
        unexecuted_max: u64,
        time: Time,
        due: Option<Time>,
    ) -> Self {
        Self {
            policy,
            unexecuted_max: usize::try_from(unexecuted_max).unwrap_or(usize::MAX),
            under_way: VecDeque::new(),
            waiting_since: None,
            proposed_at: Time::ZERO,
            last_stamp: time,
            due,
        }
    }

    /// This node began to lead.
    pub(crate) fn lead(&mut self, now: Time) {
        self.proposed_at = now;
        self.waiting_since = None;
    }

    /// This node no longer leads: batches under way are the next leader's business.
    pub(crate) fn resign(&mut self) {
        self.waiting_since = None;
        self.under_way.clear();
    }

    /// An item came into the pool.
    pub(crate) fn admitted(&mut self, now: Time) {
        self.waiting_since.get_or_insert(now);
    }

    /// Whether to cut a batch now. `commit` is Raft's commit index.
    pub(crate) fn cuts(&mut self, now: Time, waiting: Waiting, commit: u64) -> bool {
        // A clock that was set back must not delay anything.
        self.proposed_at = self.proposed_at.min(now);
        self.waiting_since = self.waiting_since.map(|since| since.min(now));
        if self.is_full(commit) {
            return false;
        }
        if waiting.items == 0 {
            return self.under_way.is_empty() && self.idle_at() <= now;
        }
        self.uncommitted(commit) == 0
            || waiting.items >= self.policy.items
            || waiting.bytes + BATCH_HEAD_BYTES >= self.policy.bytes
            || self.waiting_since.is_some_and(|since| since.plus(self.policy.max_age_ms) <= now)
    }

    fn uncommitted(&self, commit: u64) -> usize {
        self.under_way.iter().filter(|(index, _)| *index > commit).count()
    }

    /// Whether as many batches are under way as may be.
    fn is_full(&self, commit: u64) -> bool {
        self.uncommitted(commit) >= self.policy.max_in_flight
            || self.under_way.len() >= self.unexecuted_max
    }

    /// Bytes of items that a batch has room for.
    pub(crate) fn room(&self) -> usize {
        self.policy.bytes - BATCH_HEAD_BYTES
    }

    /// Items that a batch has room for.
    pub(crate) fn items_max(&self) -> usize {
        self.policy.items
    }

    /// The next batch's stamp: this clock, but always after the one before.
    pub(crate) fn stamp(&self, now: Time) -> Time {
        now.max(self.last_stamp.plus(1))
    }

    /// A batch was proposed at `index`; `left` says whether items still wait.
    pub(crate) fn proposed(
        &mut self,
        (now, stamp): (Time, Time),
        index: u64,
        items: Vec<CopyId>,
        left: bool,
    ) {
        self.under_way.push_back((index, items));
        self.proposed_at = now;
        self.last_stamp = stamp;
        self.waiting_since = left.then_some(now);
    }

    /// An entry was executed. Gives the items, if it was an own batch.
    pub(crate) fn executed(&mut self, index: u64, time: Time, due: Option<Time>) -> Vec<CopyId> {
        self.last_stamp = self.last_stamp.max(time);
        self.due = due;
        let own = self.under_way.pop_front_if(|(under_way, _)| *under_way == index);
        own.map_or(Vec::new(), |(_, items)| items)
    }

    /// When an idle leader proposes an empty batch: after a while, or when a deadline is due.
    fn idle_at(&self) -> Time {
        let idle = self.proposed_at.plus(limits::IDLE_BATCH_MS);
        self.due.map_or(idle, |due| due.min(idle))
    }

    /// When [`Cutter::cuts`] may next change its mind by itself. At the limits only an input lets it.
    pub(crate) fn next_wake(&self, waiting: Waiting, commit: u64) -> Option<Time> {
        if self.is_full(commit) {
            return None;
        }
        match self.waiting_since.filter(|_| waiting.items > 0) {
            Some(since) => Some(since.plus(self.policy.max_age_ms)),
            None => self.under_way.is_empty().then(|| self.idle_at()),
        }
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

/// An empty batch's canonical bytes: version, chain, term, index, time, leader, item count,
/// signature.
const BATCH_HEAD_BYTES: usize = 1 + 32 + 8 + 8 + 8 + 8 + 8 + 64;

#[cfg(test)]
mod tests {
    use musubi_ledger::{
        batch::{Batch, NodeId},
        id::{ChainId, TxId},
        keys::SecretKey,
    };

    use super::*;

    const NONE: Waiting = Waiting { items: 0, bytes: 0 };
    const ONE: Waiting = Waiting { items: 1, bytes: 100 };

    fn cutter() -> Cutter {
        let policy = CutPolicy { bytes: 40_000, items: 10, max_age_ms: 5, max_in_flight: 2 };
        let mut cutter = Cutter::new(policy, 3, Time(50), None);
        cutter.lead(Time(1_000));
        cutter
    }

    fn item(index: u64) -> CopyId {
        (TxId([index as u8; 32]), [index as u8; 32])
    }

    fn propose(cutter: &mut Cutter, now: u64, index: u64) {
        let stamp = cutter.stamp(Time(now));
        cutter.proposed((Time(now), stamp), index, vec![item(index)], false);
    }

    #[test]
    fn the_head_is_what_the_codec_makes_of_it() {
        let key = SecretKey::from_seed(&[1; 32]);
        let batch = Batch::sign(ChainId([0; 32]), (1, 1), Time(0), vec![], (NodeId(1), &key));
        assert_eq!(batch.encode().len(), BATCH_HEAD_BYTES);
    }

    #[test]
    fn with_nothing_uncommitted_an_item_goes_at_once() {
        let mut cutter = cutter();
        cutter.admitted(Time(1_001));
        assert!(cutter.cuts(Time(1_001), ONE, 0));
    }

    #[test]
    fn with_something_in_flight_size_count_or_age_cut() {
        let mut cutter = cutter();
        propose(&mut cutter, 1_000, 7);
        cutter.admitted(Time(1_001));
        assert!(!cutter.cuts(Time(1_005), ONE, 6));
        assert_eq!(cutter.next_wake(ONE, 6), Some(Time(1_006)));
        assert!(cutter.cuts(Time(1_006), ONE, 6), "age");
        assert!(cutter.cuts(Time(1_002), Waiting { items: 10, bytes: 100 }, 6), "count");
        assert!(cutter.cuts(Time(1_002), Waiting { items: 2, bytes: 39_900 }, 6), "size");
        assert!(cutter.cuts(Time(1_002), ONE, 7), "committed meanwhile");
    }

    #[test]
    fn it_runs_away_neither_from_the_quorum_nor_from_execution() {
        let mut cutter = cutter();
        cutter.admitted(Time(1_000));
        propose(&mut cutter, 1_000, 7);
        propose(&mut cutter, 1_000, 8);
        assert!(!cutter.cuts(Time(9_000), ONE, 6), "two uncommitted");
        assert_eq!(cutter.next_wake(ONE, 6), None, "time alone changes nothing");
        assert!(cutter.cuts(Time(9_000), ONE, 8));
        propose(&mut cutter, 1_000, 9);
        assert!(!cutter.cuts(Time(9_000), ONE, 9), "three unexecuted");
        assert_eq!(cutter.next_wake(ONE, 9), None);
        assert_eq!(cutter.executed(7, Time(1_000), None), [item(7)]);
        assert!(cutter.cuts(Time(9_000), ONE, 9));
    }

    #[test]
    fn an_idle_leader_cuts_after_a_while_and_when_a_deadline_is_due() {
        let mut cutter = cutter();
        assert!(!cutter.cuts(Time(10_999), NONE, 0));
        assert_eq!(cutter.next_wake(NONE, 0), Some(Time(11_000)));
        assert!(cutter.cuts(Time(11_000), NONE, 0));
        cutter.executed(3, Time(900), Some(Time(1_500)));
        assert!(!cutter.cuts(Time(1_499), NONE, 0));
        assert_eq!(cutter.next_wake(NONE, 0), Some(Time(1_500)));
        assert!(cutter.cuts(Time(1_500), NONE, 0));
        propose(&mut cutter, 1_500, 4);
        assert!(!cutter.cuts(Time(1_500), NONE, 4), "one is under way and will reach the deadline");
    }

    #[test]
    fn stamps_rise_whatever_the_clock_does() {
        let mut cutter = cutter();
        assert_eq!(cutter.stamp(Time(1_000)), Time(1_000));
        propose(&mut cutter, 1_000, 1);
        assert_eq!(cutter.stamp(Time(1_000)), Time(1_001));
        assert_eq!(cutter.stamp(Time(3)), Time(1_001), "the clock was set back");
        cutter.executed(1, Time(7_000), None);
        assert_eq!(cutter.stamp(Time(1_000)), Time(7_001));
    }

    #[test]
    fn a_clock_set_back_does_not_delay_the_next_batch() {
        let mut cutter = cutter();
        cutter.admitted(Time(5_000));
        propose(&mut cutter, 1_000, 1);
        cutter.admitted(Time(5_000));
        assert!(!cutter.cuts(Time(100), ONE, 0));
        assert!(cutter.cuts(Time(105), ONE, 0));
    }
}
