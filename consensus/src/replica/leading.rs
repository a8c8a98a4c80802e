//! What a leader does besides Raft: keeps the pool, cuts batches, and hands over when it no longer
//! leads.

use musubi_ledger::batch::Batch;

use super::Replica;
use crate::{Effect, Role, Submission, Via, cutter::Waiting};

impl Replica {
    /// Takes submissions into the pool. They wait there while this leader has not executed an entry
    /// of its own term yet.
    pub(super) fn admit(&mut self, items: Vec<Submission>) {
        for item in items {
            let (id, hash) = item.copy();
            match self.pool.admit(item) {
                Ok(()) => self.cutter.admitted(self.now),
                Err(why) => self.effects.push_back(Effect::Refuse { id, hash, why }),
            }
        }
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting { items: self.pool.len(), bytes: self.pool.encoded_bytes() }
    }

    /// Whether this node orders: it leads, knows all that was committed, and its disk works.
    pub(super) fn may_cut(&self) -> bool {
        self.core.may_propose() && !self.is_stalled()
    }

    /// Cuts and proposes as many batches as are due and allowed.
    pub(super) fn propose_due(&mut self) {
        while self.may_cut()
            && self.core.fault().is_none()
            && self.cutter.cuts(self.now, self.waiting(), self.core.commit())
        {
            if !self.propose() {
                break;
            }
            self.drain_turns();
        }
    }

    fn propose(&mut self) -> bool {
        let items = self.pool.take(self.cutter.room(), self.cutter.items_max());
        let place = self.core.next_position();
        let stamp = self.cutter.stamp(self.now);
        let batch = Batch::sign(
            self.config.chain,
            (place.term, place.index),
            stamp,
            items.iter().map(|item| item.bytes.clone()).collect(),
            (self.config.me, &self.config.batch_key),
        );
        if self.core.propose(batch.encode()).is_err() {
            self.pool.put_back(items);
            return false;
        }
        let copies = items.iter().map(Submission::copy).collect();
        let left = self.pool.len() > 0;
        self.cutter.proposed((self.now, stamp), place.index, copies, left);
        true
    }

    /// Reports a change of role, term or leader, after acting on it.
    pub(super) fn report_standing(&mut self) {
        let (before, standing) = (self.standing, self.core.standing());
        if before == standing {
            return;
        }
        self.standing = standing;
        let led = before.role == Role::Leader;
        let leads = standing.role == Role::Leader;
        if led && (!leads || before.term != standing.term) {
            self.resign();
        }
        if leads && (!led || before.term != standing.term) {
            self.cutter.lead(self.now);
        }
        self.effects.push_back(Effect::Standing(standing));
    }

    /// Batches under way may still commit under the next leader, or vanish: their clients ask again
    /// by id, and an id is judged at most once. What only waited goes to the next leader, if it is
    /// known.
    fn resign(&mut self) {
        self.cutter.resign();
        let waiting = self.pool.drain();
        if !waiting.is_empty() {
            self.pass_on(Via::Door, waiting);
        }
    }
}
