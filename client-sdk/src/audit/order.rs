//! The order of entries: terms and indexes rise, and each term has one leader.

use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// The last entry's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) term: u64,
    pub(super) index: u64,
    pub(super) leader: u64,
}

impl Order {
    /// Takes the next entry's place; returns what is wrong with it.
    pub(super) fn next(&mut self, term: u64, index: u64, leader: u64) -> Option<Fault> {
        let before = std::mem::replace(self, Self { term, index, leader });
        if term < before.term || index <= before.index {
            return Some(Fault::Order { term, index });
        }
        let (first, second) = (before.leader, leader);
        (term == before.term && first != 0 && second != first).then_some(Fault::SecondLeader {
            term,
            first,
            second,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_and_indexes_rise_and_a_term_has_one_leader() {
        let mut order = Order::default();
        for (place, code) in [
            ((1, 2, 1), None),
            ((1, 3, 1), None),
            ((1, 4, 2), Some("second_leader")),
            ((3, 9, 2), None),
            ((3, 9, 2), Some("bad_order")),
            ((2, 10, 2), Some("bad_order")),
        ] {
            let fault = order.next(place.0, place.1, place.2);
            assert_eq!(fault.map(|fault| fault.code()), code, "{place:?}");
        }
    }
}
