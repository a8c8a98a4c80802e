//! The leader's pool: verified transactions waiting for a batch, in order of arrival, each copy once.

use std::collections::{BTreeMap, VecDeque};

use musubi_ledger::{id::TxId, limits};

use crate::{
    PoolLimits, RefuseReason, Submission,
    input::{COPIES_MAX, CopyId},
};

pub(crate) struct Pool {
    limits: PoolLimits,
    /// Those of them count that `known` has as waiting; the others were judged meanwhile.
    queue: VecDeque<Submission>,
    waiting: usize,
    bytes: usize,
    known: BTreeMap<CopyId, Stage>,
}

/// Where a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// In `queue`, so many bytes long.
    Waiting(usize),
    /// In a batch that is not executed yet.
    Proposed,
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self { limits, queue: VecDeque::new(), waiting: 0, bytes: 0, known: BTreeMap::new() }
    }

    /// Takes a submission. Of one id it holds a few copies, so that nobody's stripped or padded copy keeps
    /// the complete one out; a copy that is already here is taken care of.
    pub(crate) fn admit(&mut self, item: Submission) -> Result<(), RefuseReason> {
        let mut copies = 0;
        for (_, hash) in self.copies_of(item.id) {
            if hash == item.hash {
                return Ok(());
            }
            copies += 1;
        }
        if item.bytes.len() > limits::TRANSACTION_BYTES_MAX {
            return Err(RefuseReason::TooLarge);
        }
        if copies >= COPIES_MAX
            || self.waiting >= self.limits.items
            || self.bytes + item.bytes.len() > self.limits.bytes
        {
            return Err(RefuseReason::Busy);
        }
        self.wait(&item);
        self.queue.push_back(item);
        Ok(())
    }

    /// Takes the oldest items whose encoded sizes fit `bytes`, at most `items`. Their copies stay
    /// known.
    pub(crate) fn take(&mut self, bytes: usize, items: usize) -> Vec<Submission> {
        let mut room = bytes;
        let mut taken = Vec::new();
        while taken.len() < items
            && let Some(item) = self.queue.pop_front()
        {
            if !self.waits(&item) {
                continue;
            }
            if item_size(&item) > room {
                self.queue.push_front(item);
                break;
            }
            room -= item_size(&item);
            self.waiting -= 1;
            self.bytes -= item.bytes.len();
            self.known.insert(item.copy(), Stage::Proposed);
            taken.push(item);
        }
        taken
    }

    /// Puts back what was taken last.
    pub(crate) fn put_back(&mut self, items: Vec<Submission>) {
        for item in items.into_iter().rev() {
            self.wait(&item);
            self.queue.push_front(item);
        }
    }

    /// These copies were ordered, or a batch with them was lost.
    pub(crate) fn forget(&mut self, copies: &[CopyId]) {
        for copy in copies {
            if let Some(Stage::Waiting(bytes)) = self.known.remove(copy) {
                self.waiting -= 1;
                self.bytes -= bytes;
            }
        }
        // What was judged while it waited stays in the queue until its turn; but never more of that
        // than of what waits, so that memory stays bounded and this walk costs little per item.
        if self.queue.len() > 2 * self.waiting + QUEUE_SLACK {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|item| self.waits(item));
            self.queue = queue;
        }
    }

    /// These ids have a verdict: no copy of theirs is wanted any more.
    pub(crate) fn forget_ids(&mut self, ids: &[TxId]) {
        let copies: Vec<CopyId> = ids.iter().flat_map(|id| self.copies_of(*id)).collect();
        self.forget(&copies);
    }

    /// Empties the pool.
    pub(crate) fn drain(&mut self) -> Vec<Submission> {
        let mut known = std::mem::take(&mut self.known);
        (self.waiting, self.bytes) = (0, 0);
        let waited =
            |item: &Submission| matches!(known.remove(&item.copy()), Some(Stage::Waiting(_)));
        std::mem::take(&mut self.queue).into_iter().filter(waited).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the waiting items as a batch encodes them.
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.bytes + self.waiting * ITEM_HEAD_BYTES
    }

    fn copies_of(&self, id: TxId) -> impl Iterator<Item = CopyId> + '_ {
        self.known.range((id, [0; 32])..=(id, [0xff; 32])).map(|(copy, _)| *copy)
    }

    fn waits(&self, item: &Submission) -> bool {
        matches!(self.known.get(&item.copy()), Some(Stage::Waiting(_)))
    }

    fn wait(&mut self, item: &Submission) {
        self.waiting += 1;
        self.bytes += item.bytes.len();
        self.known.insert(item.copy(), Stage::Waiting(item.bytes.len()));
    }
}

/// Judged items that may stand in the queue beyond one per waiting item.
const QUEUE_SLACK: usize = 64;
/// An item's length prefix in a batch.
const ITEM_HEAD_BYTES: usize = 8;

fn item_size(item: &Submission) -> usize {
    item.bytes.len() + ITEM_HEAD_BYTES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn item(id: u8, bytes: usize) -> Submission {
        Submission::new(TxId([id; 32]), vec![id; bytes])
    }

    fn ids(items: &[Submission]) -> Vec<u8> {
        items.iter().map(|item| item.id.0[0]).collect()
    }

    fn pool() -> Pool {
        Pool::new(PoolLimits { items: 3, bytes: 1_000 })
    }

    #[test]
    fn it_is_bounded_by_count_and_by_bytes() {
        let mut pool = pool();
        pool.admit(item(1, 900)).unwrap();
        assert_eq!(pool.admit(item(2, 101)), Err(RefuseReason::Busy));
        pool.admit(item(3, 50)).unwrap();
        pool.admit(item(4, 50)).unwrap();
        assert_eq!(pool.admit(item(5, 0)), Err(RefuseReason::Busy));
        let long = item(6, limits::TRANSACTION_BYTES_MAX + 1);
        assert_eq!(pool.admit(long), Err(RefuseReason::TooLarge));
    }

    #[test]
    fn a_copy_is_held_once_until_it_is_ordered() {
        let mut pool = pool();
        pool.admit(item(1, 10)).unwrap();
        pool.admit(item(1, 10)).unwrap();
        assert_eq!((pool.len(), pool.bytes()), (1, 10));
        assert_eq!(ids(&pool.take(1_000, 10)), [1]);
        pool.admit(item(1, 10)).unwrap();
        assert_eq!(pool.len(), 0, "in flight: not proposed again");
        pool.forget(&[item(1, 10).copy()]);
        pool.admit(item(1, 10)).unwrap();
        assert_eq!(pool.len(), 1);
    }

    #[test]
    fn a_stripped_copy_does_not_keep_the_complete_one_out() {
        let mut pool = Pool::new(PoolLimits { items: 100, bytes: 1_000 });
        let (stripped, complete) = (item(1, 10), item(1, 20));
        pool.admit(stripped.clone()).unwrap();
        assert_eq!(pool.take(1_000, 10), std::slice::from_ref(&stripped));
        // In flight, waiting anew, or just found void: the complete one has its own place.
        pool.admit(complete.clone()).unwrap();
        pool.forget(&[stripped.copy()]);
        pool.admit(stripped.clone()).unwrap();
        assert_eq!(pool.take(1_000, 1), [complete]);
        // A verdict ends all copies of its id, and of no other.
        pool.admit(item(2, 5)).unwrap();
        pool.forget_ids(&[TxId([1; 32])]);
        assert_eq!((pool.len(), pool.bytes()), (1, 5));
        pool.admit(stripped.clone()).unwrap();
        assert_eq!(ids(&pool.take(1_000, 10)), [1, 2], "each once, though the queue had one twice");
        assert_eq!((pool.len(), pool.bytes(), pool.encoded_bytes()), (0, 0, 0));
    }

    #[test]
    fn copies_of_one_id_are_bounded() {
        let mut pool = Pool::new(PoolLimits { items: 100, bytes: 10_000 });
        for copy in 1..=COPIES_MAX {
            pool.admit(item(1, copy)).unwrap();
        }
        assert_eq!(pool.admit(item(1, 100)), Err(RefuseReason::Busy));
        assert_eq!(pool.admit(item(1, COPIES_MAX)), Ok(()), "known");
        assert_eq!(pool.admit(item(2, 1)), Ok(()), "another id");
        pool.forget(&[item(1, 1).copy()]);
        assert_eq!(pool.admit(item(1, 100)), Ok(()));
    }

    #[test]
    fn what_was_judged_while_it_waited_does_not_pile_up() {
        let mut pool = Pool::new(PoolLimits { items: 100, bytes: 1_000 });
        pool.admit(item(0, 1)).unwrap();
        for round in 1..=200_u8 {
            pool.admit(item(round, 1)).unwrap();
            pool.forget_ids(&[TxId([round; 32])]);
        }
        assert!(pool.queue.len() <= 2 + QUEUE_SLACK, "{}", pool.queue.len());
        assert_eq!(ids(&pool.drain()), [0]);
        assert_eq!((pool.len(), pool.bytes()), (0, 0));
    }

    #[test]
    fn what_another_leader_had_judged_leaves() {
        let mut pool = pool();
        for id in 1..=3 {
            pool.admit(item(id, 10)).unwrap();
        }
        pool.forget_ids(&[TxId([2; 32]), TxId([9; 32])]);
        assert_eq!((pool.len(), pool.bytes()), (2, 20));
        assert_eq!(ids(&pool.take(1_000, 10)), [1, 3]);
    }

    #[test]
    fn items_are_taken_in_order_by_size_and_count_and_can_go_back() {
        let mut pool = pool();
        for id in 1..=3 {
            pool.admit(item(id, 10)).unwrap();
        }
        let taken = pool.take(36, 10);
        assert_eq!(ids(&taken), [1, 2]);
        pool.put_back(taken);
        assert_eq!(pool.encoded_bytes(), 54);
        assert_eq!(ids(&pool.take(1_000, 1)), [1]);
        assert_eq!(ids(&pool.drain()), [2, 3]);
        assert_eq!((pool.len(), pool.bytes()), (0, 0));
    }
}
