//! Which leaders are unheard, and for how long.

use std::collections::BTreeMap;

use musubi_ledger::batch::NodeId;

/// Leaders that wanted something false persisted. At most one lapse of trust per member is kept, the
/// newest.
#[derive(Default)]
pub(super) struct Trust {
    lost: BTreeMap<NodeId, Lapse>,
}

struct Lapse {
    term: u64,
    /// Ticks until it is heard again; `None`: never in this term.
    left: Option<usize>,
}

impl Trust {
    pub(super) fn lose(&mut self, leader: NodeId, term: u64, ticks: Option<usize>) {
        self.lost.insert(leader, Lapse { term, left: ticks });
    }

    pub(super) fn is_lost(&self, leader: NodeId, term: u64) -> bool {
        self.lost.get(&leader).is_some_and(|lapse| lapse.term == term)
    }

    pub(super) fn tick(&mut self) {
        self.lost.retain(|_, lapse| {
            lapse.left = lapse.left.map(|left| left.saturating_sub(1));
            lapse.left != Some(0)
        });
    }
}
