//! The door of a node: what clients wait for there, each transaction until its verdict or its expiry.
//!
//! As in production (`musubi-node`, `core/pending.rs`): a submission can be lost with its way or its leader, so
//! it is sent again until it is judged, after a while and at once to a new leader; an id is judged once,
//! however often it is ordered.

use std::collections::BTreeMap;

use musubi_consensus::Submission;
use musubi_ledger::{execute::ItemResult, id::TxId, time::Time};

/// How long a submission may stay unanswered before it is sent again: as long as in production.
const RESEND_AFTER_MS: u64 = 3_000;

/// The transactions that wait here.
#[derive(Default)]
pub(crate) struct Door {
    waiting: BTreeMap<TxId, Waiting>,
}

struct Waiting {
    item: Submission,
    expires: Time,
    /// When it was last sent; none if it is to be sent again now.
    sent: Option<u64>,
    clients: Vec<usize>,
}

impl Door {
    /// Lets a client wait for a transaction. Gives it if it is new here.
    pub(crate) fn admit(
        &mut self,
        now: u64,
        item: Submission,
        expires: Time,
        client: Option<usize>,
    ) -> Option<Submission> {
        let id = item.id;
        let new = !self.waiting.contains_key(&id);
        let waiting = self.waiting.entry(id).or_insert_with(|| Waiting {
            item: item.clone(),
            expires,
            sent: Some(now),
            clients: Vec::new(),
        });
        waiting.clients.extend(client);
        new.then_some(item)
    }

    /// The clients who waited for an executed item.
    pub(crate) fn settle(&mut self, result: &ItemResult) -> Vec<usize> {
        self.waiting.remove(&result.id).map(|waiting| waiting.clients).unwrap_or_default()
    }

    /// A full pool is told at once, to these clients; all else stays and is sent again.
    pub(crate) fn refuse(&mut self, id: &TxId) -> Vec<usize> {
        self.waiting.remove(id).map(|waiting| waiting.clients).unwrap_or_default()
    }

    /// Who waits for what has expired by now: it will never be applied.
    pub(crate) fn expire(&mut self, block_time: Time) -> Vec<(TxId, Vec<usize>)> {
        let over = |(_, waiting): &(&TxId, &mut Waiting)| waiting.expires <= block_time;
        let expired: Vec<TxId> = self.waiting.iter_mut().filter(over).map(|(id, _)| *id).collect();
        expired.into_iter().map(|id| (id, self.refuse(&id))).collect()
    }

    /// What has waited too long since it was last sent.
    pub(crate) fn resend(&mut self, now: u64) -> Vec<Submission> {
        let late =
            |waiting: &&mut Waiting| waiting.sent.is_none_or(|sent| now >= sent + RESEND_AFTER_MS);
        let mut items = Vec::new();
        for waiting in self.waiting.values_mut().filter(late) {
            waiting.sent = Some(now);
            items.push(waiting.item.clone());
        }
        items
    }

    /// There is a new leader: all that waits is sent again with the next [`Door::resend`].
    pub(crate) fn send_again(&mut self) {
        self.waiting.values_mut().for_each(|waiting| waiting.sent = None);
    }
}
