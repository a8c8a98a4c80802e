//! The leader's pool: verified transactions waiting for a batch, in order of arrival, each id once.

use std::collections::{BTreeMap, VecDeque};

use musubi_ledger::{id::TxId, limits};

use crate::{PoolLimits, RefuseReason, Submission};

pub(crate) struct Pool {
    limits: PoolLimits,
    waiting: VecDeque<Submission>,
    bytes: usize,
    known: BTreeMap<TxId, Stage>,
}

/// Where an id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// In `waiting`.
    Waiting,
    /// In a batch that is not executed yet.
    Proposed,
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self { limits, waiting: VecDeque::new(), bytes: 0, known: BTreeMap::new() }
    }

    /// Takes a submission. One whose id is already here is taken care of, whatever its bytes.
    pub(crate) fn admit(&mut self, item: Submission) -> Result<(), RefuseReason> {
        if self.known.contains_key(&item.id) {
            return Ok(());
        }
        if item.bytes.len() > limits::TRANSACTION_BYTES_MAX {
            return Err(RefuseReason::TooLarge);
        }
        if self.waiting.len() >= self.limits.items
            || self.bytes + item.bytes.len() > self.limits.bytes
        {
            return Err(RefuseReason::Busy);
        }
        self.bytes += item.bytes.len();
        self.known.insert(item.id, Stage::Waiting);
        self.waiting.push_back(item);
        Ok(())
    }

    /// Takes the oldest items whose encoded sizes fit `bytes`, at most `items`. Their ids stay
    /// known.
    pub(crate) fn take(&mut self, bytes: usize, items: usize) -> Vec<Submission> {
        let mut room = bytes;
        let mut taken = Vec::new();
        while taken.len() < items
            && let Some(item) = self.waiting.pop_front_if(|item| item_size(item) <= room)
        {
            room -= item_size(&item);
            self.bytes -= item.bytes.len();
            self.known.insert(item.id, Stage::Proposed);
            taken.push(item);
        }
        taken
    }

    /// Puts back what was taken last.
    pub(crate) fn put_back(&mut self, items: Vec<Submission>) {
        for item in items.into_iter().rev() {
            self.bytes += item.bytes.len();
            self.known.insert(item.id, Stage::Waiting);
            self.waiting.push_front(item);
        }
    }

    /// These ids have a verdict, or a batch with them was lost.
    pub(crate) fn forget(&mut self, ids: &[TxId]) {
        let mut judged_elsewhere = false;
        for id in ids {
            judged_elsewhere |= self.known.remove(id) == Some(Stage::Waiting);
        }
        // A batch's own ids left `waiting` when it was cut, so this walk is rare.
        if judged_elsewhere {
            let known = &self.known;
            let bytes = &mut self.bytes;
            self.waiting.retain(|item| {
                let keep = known.contains_key(&item.id);
                *bytes -= if keep { 0 } else { item.bytes.len() };
                keep
            });
        }
    }

    /// Empties the pool.
    pub(crate) fn drain(&mut self) -> Vec<Submission> {
        self.known.clear();
        self.bytes = 0;
        std::mem::take(&mut self.waiting).into()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the waiting items as a batch encodes them.
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.bytes + self.waiting.len() * ITEM_HEAD_BYTES
    }
}

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
        Submission { id: TxId([id; 32]), bytes: vec![id; bytes] }
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
    fn an_id_is_held_once_until_it_is_judged() {
        let mut pool = pool();
        pool.admit(item(1, 10)).unwrap();
        pool.admit(item(1, 20)).unwrap();
        assert_eq!((pool.len(), pool.bytes()), (1, 10));
        assert_eq!(ids(&pool.take(1_000, 10)), [1]);
        pool.admit(item(1, 10)).unwrap();
        assert_eq!(pool.len(), 0, "in flight: not proposed again");
        pool.forget(&[TxId([1; 32])]);
        pool.admit(item(1, 10)).unwrap();
        assert_eq!(pool.len(), 1);
    }

    #[test]
    fn what_another_leader_had_judged_leaves() {
        let mut pool = pool();
        for id in 1..=3 {
            pool.admit(item(id, 10)).unwrap();
        }
        pool.forget(&[TxId([2; 32]), TxId([9; 32])]);
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
