//! What clients of this node wait for: every admitted transaction until its one verdict.
//!
//! A forwarded submission can be lost with its connection or its leader, so each is sent again until it
//! is judged or has expired; that is harmless, since an id is judged once.
//!
//! Kept by id and by copy: an id covers the body alone, so whoever has a copy can strip or add signatures
//! and submit the result. A verdict is about the id and told to all who wait for it; that something is
//! void is about one copy, and told only to those who wait for exactly those bytes.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use musubi_consensus::{COPIES_MAX, RefuseReason, Submission};
use musubi_ledger::{
    execute::{Head, ItemResult},
    hash::{Hash, sha256},
    id::{PartyId, TxId},
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
    /// There is room, but not for more of this sender's.
    OverShare,
}

/// One copy that waits.
struct Waiting {
    hash: Hash,
    bytes: Vec<u8>,
    sender: PartyId,
    expires: Time,
    /// When it was last sent; none if it is to be sent again now.
    sent: Option<Instant>,
    waiters: Vec<oneshot::Sender<Fate>>,
}

/// The transactions that wait, bounded in number and in bytes, in all and by sender.
pub struct Pending {
    table: Mutex<Table>,
    max: Load,
    share: Load,
}

/// So many copies, of so many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Load {
    items: usize,
    bytes: usize,
}

#[derive(Default)]
struct Table {
    items: HashMap<TxId, Vec<Waiting>>,
    senders: HashMap<PartyId, Load>,
    all: Load,
}

impl Load {
    fn has_room(self, max: Self, bytes: usize) -> bool {
        self.items < max.items && self.bytes + bytes <= max.bytes
    }

    fn add(&mut self, bytes: usize) {
        self.items += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, bytes: usize) {
        self.items -= 1;
        self.bytes -= bytes;
    }
}

impl Table {
    /// Takes one copy out.
    fn remove_copy(&mut self, id: &TxId, hash: &Hash) -> Option<Waiting> {
        let copies = self.items.get_mut(id)?;
        let at = copies.iter().position(|copy| copy.hash == *hash)?;
        let waiting = copies.swap_remove(at);
        if copies.is_empty() {
            self.items.remove(id);
        }
        self.discharge(&waiting);
        Some(waiting)
    }

    /// Takes all copies of an id out.
    fn remove(&mut self, id: &TxId) -> Vec<Waiting> {
        let copies = self.items.remove(id).unwrap_or_default();
        copies.iter().for_each(|waiting| self.discharge(waiting));
        copies
    }

    fn charge(&mut self, sender: PartyId, bytes: usize) {
        self.all.add(bytes);
        self.senders.entry(sender).or_default().add(bytes);
    }

    fn discharge(&mut self, waiting: &Waiting) {
        self.all.remove(waiting.bytes.len());
        if let Entry::Occupied(mut load) = self.senders.entry(waiting.sender) {
            load.get_mut().remove(waiting.bytes.len());
            if load.get().items == 0 {
                load.remove();
            }
        }
    }
}

/// How long a submission may stay unanswered before it is sent again. Longer than verdicts take under full load:
/// what is sent twice costs the leader twice. With a new leader nobody waits for it.
const RESEND_AFTER: Duration = Duration::from_secs(3);
/// Clients that may wait for one copy at once.
const WAITERS_MAX: usize = 64;
/// Bytes of transactions that may wait.
const BYTES_MAX: usize = 64 << 20;
/// One sender may fill this part of the room: a sixteenth of 65,536 is a whole bulk submission, and a
/// quarter of the leader's pool.
const SENDERS_AT_LEAST: usize = 16;

impl Pending {
    /// Room for `max` transactions.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let max = Load { items: max, bytes: BYTES_MAX };
        let share = Load {
            items: max.items.div_ceil(SENDERS_AT_LEAST),
            bytes: max.bytes / SENDERS_AT_LEAST,
        };
        Self { table: Mutex::default(), max, share }
    }

    /// Admits a copy of a transaction and lets its caller wait for it.
    pub fn admit(
        &self,
        item: &Submission,
        sender: PartyId,
        expires: Time,
    ) -> (Admitted, Option<oneshot::Receiver<Fate>>) {
        let mut table = self.lock();
        let copies = table.items.get_mut(&item.id);
        let count = copies.as_ref().map_or(0, |copies| copies.len());
        let known = copies.and_then(|copies| copies.iter_mut().find(|c| c.hash == item.hash));
        if let Some(waiting) = known {
            return match wait(waiting) {
                Some(receiver) => (Admitted::Again, Some(receiver)),
                None => (Admitted::Full, None),
            };
        }
        let bytes = item.bytes.len();
        if count >= COPIES_MAX || !table.all.has_room(self.max, bytes) {
            return (Admitted::Full, None);
        }
        let load = table.senders.get(&sender).copied().unwrap_or_default();
        if !load.has_room(self.share, bytes) {
            return (Admitted::OverShare, None);
        }
        table.charge(sender, bytes);
        let (hash, bytes) = (item.hash, item.bytes.clone());
        let (sent, waiters) = (Some(Instant::now()), Vec::new());
        let mut waiting = Waiting { hash, bytes, sender, expires, sent, waiters };
        let receiver = wait(&mut waiting);
        table.items.entry(item.id).or_default().push(waiting);
        (Admitted::New, receiver)
    }

    /// Whether a transaction waits here.
    #[must_use]
    pub fn holds(&self, id: &TxId) -> bool {
        self.lock().items.contains_key(id)
    }

    /// How many copies wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().all.items
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells those who wait for the items of an executed block; `items` are its batch's.
    pub fn settle(&self, head: Head, results: &[ItemResult], items: &[Vec<u8>]) {
        let mut table = self.lock();
        for (result, bytes) in results.iter().zip(items) {
            let fate = || Fate::Ordered { head, result: result.clone() };
            if result.judged() {
                table.remove(&result.id).into_iter().for_each(|waiting| tell(waiting, &fate()));
            } else if table.items.contains_key(&result.id)
                && let Some(waiting) = table.remove_copy(&result.id, &sha256(bytes))
            {
                tell(waiting, &fate());
            }
        }
    }

    /// The replica refused a copy. Without a leader it stays and is sent again; a full pool is told at
    /// once. Returns whether it was dropped and nobody waited to hear that.
    pub fn refuse(&self, id: &TxId, hash: &Hash, why: RefuseReason) -> bool {
        if !matches!(why, RefuseReason::Busy | RefuseReason::TooLarge) {
            return false;
        }
        let Some(mut waiting) = self.lock().remove_copy(id, hash) else { return false };
        waiting.waiters.retain(|waiter| !waiter.is_closed());
        let unheard = waiting.waiters.is_empty();
        tell(waiting, &Fate::Refused(why.into()));
        unheard
    }

    /// What has waited too long since it was last sent, at most `limit`; what has expired is dropped.
    pub fn resend(&self, block_time: Time, limit: usize) -> Vec<Submission> {
        let mut table = self.lock();
        let copies = table.items.iter().flat_map(|(id, c)| c.iter().map(move |c| (id, c)));
        let expired = copies.filter(|(_, copy)| copy.expires <= block_time);
        let expired: Vec<TxId> = expired.map(|(id, _)| *id).collect();
        for id in expired {
            // Its waiters learn by the dropped sender that nothing more will come from here.
            table.remove(&id);
        }
        let now = Instant::now();
        let copies = table.items.iter_mut().flat_map(|(id, c)| c.iter_mut().map(move |c| (id, c)));
        let is_late = |sent: Option<Instant>| sent.is_none_or(|sent| now - sent >= RESEND_AFTER);
        let late = copies.filter(|(_, copy)| is_late(copy.sent));
        late.take(limit)
            .map(|(id, copy)| {
                copy.sent = Some(now);
                Submission { id: *id, hash: copy.hash, bytes: copy.bytes.clone() }
            })
            .collect()
    }

    /// There is a new leader, who may never have heard of what the last one was sent: all of it is sent again
    /// with the next [`Pending::resend`].
    pub fn send_again(&self) {
        let mut table = self.lock();
        table.items.values_mut().flatten().for_each(|copy| copy.sent = None);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets one more caller wait, if there is room.
fn wait(waiting: &mut Waiting) -> Option<oneshot::Receiver<Fate>> {
    waiting.waiters.retain(|waiter| !waiter.is_closed());
    if waiting.waiters.len() == WAITERS_MAX {
        return None;
    }
    let (sender, receiver) = oneshot::channel();
    waiting.waiters.push(sender);
    Some(receiver)
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

    const HEAD: Head = Head { height: 2, time: Time(5), size: 6 };
    const ANN: PartyId = PartyId([1; 16]);
    const BEN: PartyId = PartyId([2; 16]);

    fn copy(n: u8, bytes: &[u8]) -> Submission {
        Submission::new(TxId([n; 32]), bytes.to_vec())
    }

    fn item(n: u8) -> Submission {
        copy(n, &[n])
    }

    fn admit(pending: &Pending, item: &Submission) -> (Admitted, oneshot::Receiver<Fate>) {
        let (admitted, receiver) = pending.admit(item, PartyId([item.id.0[0]; 16]), Time(10));
        (admitted, receiver.unwrap())
    }

    fn result(n: u8, code: Code, leaf: Option<u64>) -> ItemResult {
        ItemResult { id: TxId([n; 32]), code, leaf }
    }

    #[test]
    fn every_waiter_gets_the_one_verdict() {
        let pending = Pending::new(2);
        let (first, mut a) = admit(&pending, &item(1));
        let (again, mut b) = admit(&pending, &item(1));
        assert_eq!((first, again), (Admitted::New, Admitted::Again));
        let result = result(1, Code::Applied, Some(4));
        pending.settle(HEAD, std::slice::from_ref(&result), &[vec![1]]);
        for receiver in [&mut a, &mut b] {
            let told = receiver.try_recv().unwrap();
            assert_eq!(told, Fate::Ordered { head: HEAD, result: result.clone() });
        }
        assert!(pending.is_empty());
    }

    #[test]
    fn a_void_copy_is_not_the_answer_to_the_complete_one() {
        let pending = Pending::new(100);
        let (stripped, complete) = (copy(1, b"one"), copy(1, b"one and two"));
        let (first, mut of_stripped) = admit(&pending, &stripped);
        let (second, mut of_complete) = admit(&pending, &complete);
        assert_eq!((first, second), (Admitted::New, Admitted::New));
        let void = result(1, Code::MissingConsent, None);
        pending.settle(HEAD, std::slice::from_ref(&void), std::slice::from_ref(&stripped.bytes));
        assert!(
            matches!(of_stripped.try_recv(), Ok(Fate::Ordered { result, .. }) if result == void)
        );
        assert!(of_complete.try_recv().is_err() && pending.holds(&complete.id));
        // A verdict, by whatever copy, is everybody's.
        let (_, mut of_stripped) = admit(&pending, &stripped);
        let applied = result(1, Code::Applied, Some(4));
        pending.settle(HEAD, &[applied], &[b"a third copy".to_vec()]);
        for told in [of_stripped.try_recv(), of_complete.try_recv()] {
            assert!(matches!(told, Ok(Fate::Ordered { result, .. }) if result.leaf == Some(4)));
        }
        assert!(pending.is_empty());
    }

    #[test]
    fn copies_of_one_id_are_bounded() {
        let pending = Pending::new(100);
        for n in 0..COPIES_MAX {
            assert_eq!(pending.admit(&copy(1, &[n as u8]), ANN, Time(10)).0, Admitted::New);
        }
        assert_eq!(pending.admit(&copy(1, b"one more"), ANN, Time(10)).0, Admitted::Full);
        assert_eq!(pending.admit(&copy(1, &[0]), ANN, Time(10)).0, Admitted::Again);
        assert_eq!(pending.len(), COPIES_MAX);
    }

    #[test]
    fn one_sender_fills_only_its_share() {
        let pending = Pending::new(64);
        for n in 0..4 {
            assert_eq!(pending.admit(&item(n), ANN, Time(10)).0, Admitted::New);
        }
        assert_eq!(pending.admit(&item(4), ANN, Time(10)).0, Admitted::OverShare);
        assert_eq!(pending.admit(&item(4), BEN, Time(10)).0, Admitted::New, "another's");
        // The same in bytes.
        let long = vec![7; BYTES_MAX / SENDERS_AT_LEAST];
        assert_eq!(pending.admit(&copy(5, &long), BEN, Time(10)).0, Admitted::OverShare);
        // What is settled makes room, and an idle sender costs no memory.
        let void = result(0, Code::MissingConsent, None);
        pending.settle(HEAD, &[void], &[vec![0]]);
        assert_eq!(pending.admit(&item(5), ANN, Time(10)).0, Admitted::New);
        assert!(pending.resend(Time(10), 8).is_empty());
        let table = pending.lock();
        assert_eq!((table.all, table.senders.len()), (Load::default(), 0));
    }

    #[test]
    fn room_is_bounded_and_expiry_frees_it() {
        let pending = Pending::new(2);
        assert_eq!(pending.admit(&item(1), ANN, Time(10)).0, Admitted::New);
        assert_eq!(pending.admit(&item(2), BEN, Time(99)).0, Admitted::New);
        let other = PartyId([3; 16]);
        assert_eq!(pending.admit(&item(3), other, Time(99)).0, Admitted::Full);
        assert!(pending.resend(Time(10), 8).is_empty());
        assert!(!pending.holds(&TxId([1; 32])) && pending.holds(&TxId([2; 32])));
        assert_eq!(pending.admit(&item(3), other, Time(99)).0, Admitted::New);
    }

    #[test]
    fn a_new_leader_hears_at_once_of_what_waits() {
        let pending = Pending::new(64);
        drop((admit(&pending, &item(1)), admit(&pending, &item(2))));
        assert!(pending.resend(Time(0), 8).is_empty(), "just sent");
        pending.send_again();
        let mut again = pending.resend(Time(0), 8);
        again.sort_unstable_by_key(|item| item.id);
        assert_eq!(again, [item(1), item(2)]);
        assert!(pending.resend(Time(0), 8).is_empty(), "once");
    }

    #[test]
    fn without_a_leader_it_stays_and_a_full_pool_is_told() {
        let pending = Pending::new(2);
        let (item, busy) = (item(1), RefuseReason::Busy);
        let (_, mut receiver) = admit(&pending, &item);
        assert!(!pending.refuse(&item.id, &item.hash, RefuseReason::NoLeader));
        assert!(!pending.refuse(&item.id, &[9; 32], busy), "another copy");
        assert!(pending.holds(&item.id));
        assert!(!pending.refuse(&item.id, &item.hash, busy), "somebody heard");
        assert_eq!(receiver.try_recv().unwrap(), Fate::Refused(busy.into()));
        drop(admit(&pending, &item));
        assert!(pending.refuse(&item.id, &item.hash, busy), "nobody heard");
        assert!(!pending.refuse(&item.id, &item.hash, busy), "it is not here any more");
    }
}
