//! Who waits for which transaction, and which transactions are on their way.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use musubi_ledger::{
    execute::{Head, ItemResult},
    id::TxId,
    time::Time,
};
use tokio::sync::oneshot;

use super::access::{Fate, Refusal};

/// Transactions on their way that are remembered; beyond it, those that expire soonest are forgotten
/// (their clients get no answer here and ask for the status).
const ENTRIES_MAX: usize = 1 << 17;

/// The transactions that were admitted here and have no result yet, with those who follow them.
///
/// Memory only: after a crash nobody waits any more, and clients ask for the status by id.
#[derive(Debug, Default)]
pub struct Waiters(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<TxId, OnTheWay>,
    /// The same ids by expiry: what is lost on its way to the leader goes when it can apply no more.
    by_expiry: BTreeSet<(Time, TxId)>,
}

#[derive(Debug)]
struct OnTheWay {
    expires: Time,
    /// Submissions of the same id under way.
    copies: usize,
    followers: Vec<oneshot::Sender<Fate>>,
}

impl Waiters {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A submission is about to be handed over. To be called before that, so that its result cannot
    /// come first; [`Waiters::withdraw`] takes it back.
    pub fn admit(&self, id: TxId, expires: Time, follow: bool) -> Option<oneshot::Receiver<Fate>> {
        let mut table = self.lock();
        let entry = table.entries.entry(id).or_insert_with(|| OnTheWay {
            expires,
            copies: 0,
            followers: Vec::new(),
        });
        entry.copies += 1;
        let receiver = follow.then(|| {
            let (sender, receiver) = oneshot::channel();
            entry.followers.retain(|follower| !follower.is_closed());
            entry.followers.push(sender);
            receiver
        });
        table.by_expiry.insert((expires, id));
        if table.entries.len() > ENTRIES_MAX
            && let Some((_, oldest)) = table.by_expiry.pop_first()
        {
            table.entries.remove(&oldest);
        }
        receiver
    }

    /// A submission could not be handed over after all. Earlier ones of the same id stay.
    pub fn withdraw(&self, id: &TxId) {
        let mut table = self.lock();
        if let Some(entry) = table.entries.get_mut(id) {
            entry.copies = entry.copies.saturating_sub(1);
            if entry.copies == 0 {
                table.take(id);
            }
        }
    }

    /// A block was executed and recorded: its results go to whoever follows them, and what has expired
    /// by its time is forgotten.
    pub fn settle(&self, head: Head, results: &[ItemResult]) {
        let mut table = self.lock();
        for result in results {
            if let Some(entry) = table.take(&result.id) {
                let fate = Fate::Ordered { head, result: result.clone() };
                entry.tell(fate);
            }
        }
        // Dropping an entry's senders tells its followers that nothing is known.
        while let Some(&(expires, id)) = table.by_expiry.first()
            && expires < head.time
        {
            table.take(&id);
        }
    }

    /// The leader did not take a submission.
    pub fn refuse(&self, id: &TxId, why: Refusal) {
        if let Some(entry) = self.lock().take(id) {
            entry.tell(Fate::Refused(why));
        }
    }

    /// Whether a submission of this id is on its way.
    #[must_use]
    pub fn pending(&self, id: &TxId) -> bool {
        self.lock().entries.contains_key(id)
    }

    /// How many ids are on their way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn take(&mut self, id: &TxId) -> Option<OnTheWay> {
        let entry = self.entries.remove(id)?;
        self.by_expiry.remove(&(entry.expires, *id));
        Some(entry)
    }
}

impl OnTheWay {
    fn tell(self, fate: Fate) {
        for follower in self.followers {
            // Whoever went away needs no answer.
            let _ = follower.send(fate.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::code::Code;

    use super::*;

    fn head(time: u64) -> Head {
        Head { height: 1, time: Time(time), size: 3 }
    }

    fn applied(id: TxId) -> ItemResult {
        ItemResult { id, code: Code::Applied, leaf: Some(1) }
    }

    #[test]
    fn every_follower_of_an_id_hears_its_result_once() {
        let waiters = Waiters::new();
        let id = TxId([1; 32]);
        let mut first = waiters.admit(id, Time(100), true).unwrap();
        let mut second = waiters.admit(id, Time(100), true).unwrap();
        assert!(waiters.pending(&id));
        waiters.settle(head(5), &[applied(id)]);
        let expected = Fate::Ordered { head: head(5), result: applied(id) };
        assert_eq!(first.try_recv(), Ok(expected.clone()));
        assert_eq!(second.try_recv(), Ok(expected));
        assert!(waiters.is_empty());
    }

    #[test]
    fn withdrawing_one_copy_leaves_the_other() {
        let waiters = Waiters::new();
        let id = TxId([2; 32]);
        waiters.admit(id, Time(100), false);
        let mut follower = waiters.admit(id, Time(100), true).unwrap();
        waiters.withdraw(&id);
        assert!(waiters.pending(&id));
        waiters.refuse(&id, Refusal::Busy);
        assert_eq!(follower.try_recv(), Ok(Fate::Refused(Refusal::Busy)));
        waiters.withdraw(&id);
        assert!(waiters.is_empty());
    }

    #[test]
    fn what_is_lost_is_forgotten_when_it_expires() {
        let waiters = Waiters::new();
        let mut lost = waiters.admit(TxId([3; 32]), Time(100), true).unwrap();
        waiters.settle(head(100), &[]);
        assert!(lost.try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Empty));
        waiters.settle(head(101), &[]);
        assert_eq!(lost.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(waiters.is_empty());
    }
}
