//! What clients of this node wait for: every admitted transaction until its one verdict.
//!
//! A forwarded submission can be lost with its connection or its leader, so each is sent again until it
//! is judged or has expired; that is harmless, since an id is judged once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use musubi_consensus::{RefuseReason, Submission};
use musubi_ledger::{
    execute::{Head, ItemResult},
    id::TxId,
    time::Time,
};
use tokio::sync::oneshot;

use crate::http::Fate;

/// What became of an attempt to admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It waits from now on.
    New,
    /// It waited already.
    Again,
    /// No room.
    Full,
}

struct Waiting {
    bytes: Vec<u8>,
    expires: Time,
    sent: Instant,
    waiters: Vec<oneshot::Sender<Fate>>,
}

/// The transactions that wait, bounded in number and in bytes.
pub struct Pending {
    table: Mutex<Table>,
    max: usize,
}

#[derive(Default)]
struct Table {
    items: HashMap<TxId, Waiting>,
    bytes: usize,
}

impl Table {
    fn remove(&mut self, id: &TxId) -> Option<Waiting> {
        let waiting = self.items.remove(id)?;
        self.bytes -= waiting.bytes.len();
        Some(waiting)
    }
}

/// How long a submission may stay unanswered before it is sent again.
const RESEND_AFTER: Duration = Duration::from_millis(700);
/// Clients that may wait for one id at once.
const WAITERS_MAX: usize = 64;
/// Bytes of transactions that may wait.
const BYTES_MAX: usize = 64 << 20;

impl Pending {
    /// Room for `max` transactions.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { table: Mutex::default(), max }
    }

    /// Admits a transaction and lets its caller wait for it.
    pub fn admit(
        &self,
        item: &Submission,
        expires: Time,
    ) -> (Admitted, Option<oneshot::Receiver<Fate>>) {
        let mut table = self.lock();
        let known = table.items.contains_key(&item.id);
        let room = table.items.len() < self.max && table.bytes + item.bytes.len() <= BYTES_MAX;
        if !known && !room {
            return (Admitted::Full, None);
        }
        if !known {
            table.bytes += item.bytes.len();
        }
        let waiting = table.items.entry(item.id).or_insert_with(|| Waiting {
            bytes: item.bytes.clone(),
            expires,
            sent: Instant::now(),
            waiters: Vec::new(),
        });
        waiting.waiters.retain(|waiter| !waiter.is_closed());
        if waiting.waiters.len() == WAITERS_MAX {
            return (Admitted::Full, None);
        }
        let (sender, receiver) = oneshot::channel();
        waiting.waiters.push(sender);
        (if known { Admitted::Again } else { Admitted::New }, Some(receiver))
    }

    /// Whether a transaction waits here.
    #[must_use]
    pub fn holds(&self, id: &TxId) -> bool {
        self.lock().items.contains_key(id)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells everyone who waits for the items of an executed block.
    pub fn settle(&self, head: Head, results: &[ItemResult]) {
        let mut table = self.lock();
        for result in results {
            if let Some(waiting) = table.remove(&result.id) {
                tell(waiting, &Fate::Ordered { head, result: result.clone() });
            }
        }
    }

    /// The replica refused. Without a leader it stays and is sent again; a full pool is told at once.
    pub fn refuse(&self, id: &TxId, why: RefuseReason) {
        if matches!(why, RefuseReason::Busy | RefuseReason::TooLarge) {
            let removed = self.lock().remove(id);
            if let Some(waiting) = removed {
                tell(waiting, &Fate::Refused(why.into()));
            }
        }
    }

    /// What has waited too long since it was last sent, at most `limit`; what has expired is dropped.
    pub fn resend(&self, block_time: Time, limit: usize) -> Vec<Submission> {
        let mut table = self.lock();
        let expired: Vec<TxId> = table
            .items
            .iter()
            .filter(|(_, w)| w.expires <= block_time)
            .map(|(id, _)| *id)
            .collect();
        for id in expired {
            // Its waiters learn by the dropped sender that nothing more will come from here.
            table.remove(&id);
        }
        let now = Instant::now();
        let late = table.items.iter_mut().filter(|(_, w)| now - w.sent >= RESEND_AFTER);
        late.take(limit)
            .map(|(id, waiting)| {
                waiting.sent = now;
                Submission { id: *id, bytes: waiting.bytes.clone() }
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(waiting: Waiting, fate: &Fate) {
    for waiter in waiting.waiters {
        // A client that went away is no error.
        let _ = waiter.send(fate.clone());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::code::Code;

    use super::*;

    fn item(n: u8) -> Submission {
        Submission { id: TxId([n; 32]), bytes: vec![n] }
    }

    #[test]
    fn every_waiter_gets_the_one_verdict() {
        let pending = Pending::new(2);
        let (first, mut a) = pending.admit(&item(1), Time(10));
        let (again, mut b) = pending.admit(&item(1), Time(10));
        assert_eq!((first, again), (Admitted::New, Admitted::Again));
        let result = ItemResult { id: TxId([1; 32]), code: Code::Applied, leaf: Some(4) };
        let head = Head { height: 2, time: Time(5), size: 6 };
        pending.settle(head, std::slice::from_ref(&result));
        for receiver in [&mut a, &mut b] {
            let told = receiver.as_mut().unwrap().try_recv().unwrap();
            assert_eq!(told, Fate::Ordered { head, result: result.clone() });
        }
        assert!(pending.is_empty());
    }

    #[test]
    fn room_is_bounded_and_expiry_frees_it() {
        let pending = Pending::new(2);
        assert_eq!(pending.admit(&item(1), Time(10)).0, Admitted::New);
        assert_eq!(pending.admit(&item(2), Time(99)).0, Admitted::New);
        assert_eq!(pending.admit(&item(3), Time(99)).0, Admitted::Full);
        assert!(pending.resend(Time(10), 8).is_empty());
        assert!(!pending.holds(&TxId([1; 32])) && pending.holds(&TxId([2; 32])));
        assert_eq!(pending.admit(&item(3), Time(99)).0, Admitted::New);
    }

    #[test]
    fn without_a_leader_it_stays_and_a_full_pool_is_told() {
        let pending = Pending::new(2);
        let (_, receiver) = pending.admit(&item(1), Time(10));
        pending.refuse(&TxId([1; 32]), RefuseReason::NoLeader);
        assert!(pending.holds(&TxId([1; 32])));
        pending.refuse(&TxId([1; 32]), RefuseReason::Busy);
        let told = receiver.unwrap().try_recv().unwrap();
        assert_eq!(told, Fate::Refused(RefuseReason::Busy.into()));
    }
}
