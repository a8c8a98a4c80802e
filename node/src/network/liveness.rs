//! Which connections still answer. Pure: time is an argument.
//!
//! libp2p's ping forgives a first failure, gives the negotiation ten seconds of its own, and leaves
//! a member alone that says it knows no ping. So its failures only add detail; what counts is how
//! long ago a connection last answered.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// When each connection last answered. Generic over its id so that tests need no network.
#[derive(Debug)]
pub(super) struct Liveness<Id> {
    silence_max: Duration,
    answered: BTreeMap<Id, Instant>,
}

impl<Id: Copy + Ord> Liveness<Id> {
    pub(super) fn new(silence_max: Duration) -> Self {
        Self { silence_max, answered: BTreeMap::new() }
    }

    /// A connection stands: its handshake was an answer.
    pub(super) fn on_established(&mut self, id: Id, now: Instant) {
        self.answered.insert(id, now);
    }

    /// A ping came back.
    pub(super) fn on_answer(&mut self, id: Id, now: Instant) {
        if let Some(answered) = self.answered.get_mut(&id) {
            *answered = now;
        }
    }

    /// A connection is gone.
    pub(super) fn on_closed(&mut self, id: Id) {
        self.answered.remove(&id);
    }

    /// When the next connection will have been silent for too long.
    pub(super) fn due(&self) -> Option<Instant> {
        self.answered.values().min().map(|answered| *answered + self.silence_max)
    }

    /// The connections that have been silent for too long; each is named once.
    pub(super) fn take_silent(&mut self, now: Instant) -> Vec<Id> {
        let silence_max = self.silence_max;
        self.answered
            .extract_if(.., |_, answered| now.duration_since(*answered) >= silence_max)
            .map(|(id, _)| id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_counted_from_the_last_answer() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut liveness = Liveness::new(Duration::from_secs(15));
        assert_eq!(liveness.due(), None);
        liveness.on_established(1, at(0));
        liveness.on_established(2, at(1));
        liveness.on_established(3, at(2));
        liveness.on_answer(1, at(10));
        liveness.on_closed(2);
        // An answer on its way when the connection closed brings nothing back.
        liveness.on_answer(2, at(10));
        assert_eq!(liveness.due(), Some(at(17)));
        assert!(liveness.take_silent(at(16)).is_empty());
        assert_eq!(liveness.take_silent(at(17)), [3]);
        assert!(liveness.take_silent(at(24)).is_empty());
        assert_eq!(liveness.take_silent(at(25)), [1]);
        assert_eq!(liveness.due(), None);
    }
}
