//! The cosigner's thread: what waits for it, and what of the disk it begins with. The cosigner is the one that
//! production runs, taken up by the same function.

use std::collections::VecDeque;

use musubi_consensus::cosigner::{Act, Cosigner, CosignerKeys, Event, Remembered};
use musubi_ledger::batch::NodeId;
use musubi_node::{core::cosigning, recover::Recoveries};
use musubi_storage::Store;

use super::{
    planted::Bug,
    town::{POLICIES, cosigner_key, node_key},
};

/// Its queue, and what it has told.
pub(crate) struct CosignerThread {
    cosigner: Cosigner,
    events: VecDeque<Event>,
    /// A step is under way.
    pub(crate) busy: bool,
    /// For when a wake is scheduled.
    pub(crate) wake_at: Option<u64>,
    /// Size of the newest final checkpoint that the store has been given.
    pub(crate) last_final: u64,
}

impl CosignerThread {
    /// Takes up the cosigner of a validator where the disk left it.
    ///
    /// # Errors
    /// Why the directory is not the one that it signed from.
    pub(crate) fn resume(store: &Store, at: usize, bug: Option<Bug>) -> Result<Self, String> {
        let keys = CosignerKeys {
            log: node_key(at + 1),
            cosigners: (1..=POLICIES).map(|policy| cosigner_key(at + 1, policy)).collect(),
        };
        let mut cosigner = match bug {
            Some(Bug::CosignForgotten) => forgetful(store, at, keys)?,
            _ => cosigning::resume(store, at as u64 + 1, keys, &Recoveries::default())
                .map_err(|why| format!("{why:#}"))?,
        };
        Bug::in_cosigner(bug, &mut cosigner);
        let last_final = store.final_size().map_err(|error| error.to_string())?;
        let (head, root) = store.head();
        let begins = Event::Executed { size: head.size, root, policies: Vec::new() };
        let events = VecDeque::from([begins]);
        Ok(Self { cosigner, events, busy: false, wake_at: None, last_final })
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.events.is_empty()
    }

    pub(crate) fn is_idle(&self) -> bool {
        !self.busy && self.events.is_empty()
    }

    /// Takes the next event, and gives all that it leads to; `None` if none waits. `now` is what the node's
    /// clock shows; `awake` whether others vouch for this process: until then it answers no name.
    pub(crate) fn step(&mut self, now: u64, awake: bool, store: &Store) -> Option<Vec<Act>> {
        let event = self.events.pop_front()?;
        if awake || !matches!(event, Event::Note { .. }) {
            self.cosigner.handle(now, event, &|size| store.seal_root_at(size));
        }
        Some(std::iter::from_fn(|| self.cosigner.poll()).collect())
    }

    /// When the node's clock must show what for it to be woken.
    pub(crate) fn next_wake(&self) -> Option<u64> {
        self.cosigner.next_wake()
    }
}

/// A planted bug: nobody asks what was signed before.
fn forgetful(store: &Store, at: usize, keys: CosignerKeys) -> Result<Cosigner, String> {
    let policies = store.policies().map_err(|error| error.to_string())?;
    let last_final = store.final_checkpoint().map_err(|error| error.to_string())?;
    let remembered = Remembered { last_final, ..Remembered::default() };
    Cosigner::new(NodeId(at as u64 + 1), keys, policies, remembered)
}
