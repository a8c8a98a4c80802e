//! When a member is dialled again, and which of two connections to it stays. Pure: time is an
//! argument.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest pause before dialling again.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest: a member that returns is connected to within about a second.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A connection that lived this long was a success; a shorter one counts as a failure, so that a
/// member that accepts and hangs up (its list may lack us) is not dialled in a hot loop.
const LIFE_MIN: Duration = Duration::from_secs(2);

/// How much later than the other side we first dial, when the other side's turn comes first: then
/// two nodes rarely dial each other at the same moment.
const COURTESY: Duration = Duration::from_millis(200);

/// Two connections opposite in direction and established within this time were dialled at the same
/// moment.
const SIMULTANEOUS: Duration = Duration::from_secs(2);

/// A pause that doubles up to a cap.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, next: min }
    }

    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.max);
        pause
    }

    pub(super) fn reset(&mut self) {
        self.next = self.min;
    }
}

/// One connection to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connection<Id> {
    pub(super) id: Id,
    pub(super) dialled_by_us: bool,
    pub(super) since: Instant,
    /// We have asked for it to be closed.
    pub(super) closing: bool,
}

/// The dialling state of one member. Generic over the connection's id so that tests need no
/// network.
#[derive(Debug)]
pub(super) struct Dialling<Id> {
    /// When to dial; `None` while connected or while an attempt is under way.
    due: Option<Instant>,
    pauses: Backoff,
    /// Whether, of two simultaneous connections, the one that we dialled stays. Each pair of nodes
    /// agrees on it: the lower peer id goes first.
    we_go_first: bool,
    connections: Vec<Connection<Id>>,
}

impl<Id: Copy + PartialEq> Dialling<Id> {
    pub(super) fn new(now: Instant, we_go_first: bool) -> Self {
        let due = if we_go_first { now } else { now + COURTESY };
        let pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        Self { due: Some(due), pauses, we_go_first, connections: Vec::new() }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn is_connected(&self) -> bool {
        !self.connections.is_empty()
    }

    /// An attempt starts now.
    pub(super) fn on_dialling(&mut self) {
        self.due = None;
    }

    /// An attempt failed. Says whether the member is unreachable, which it is not if it connected
    /// to us meanwhile.
    pub(super) fn on_failed(&mut self, now: Instant) -> bool {
        if self.is_connected() {
            return false;
        }
        self.due = Some(now + self.pauses.pause());
        true
    }

    /// A connection stands. Returns the one to close, if there are two now.
    pub(super) fn on_established(&mut self, new: Connection<Id>) -> Option<Id> {
        self.due = None;
        let surplus = self.connections.iter_mut().find(|old| !old.closing).map(|old| {
            let crossed = old.dialled_by_us != new.dialled_by_us;
            let simultaneous = new.since.duration_since(old.since) < SIMULTANEOUS;
            if crossed && simultaneous && new.dialled_by_us != self.we_go_first {
                // Both sides see the same two, so both close the same one.
                new.id
            } else {
                // Crossed: as above. Otherwise the member would not have dialled, nor we, had the
                // old one still been alive on both sides.
                old.closing = true;
                old.id
            }
        });
        self.connections.push(Connection { closing: surplus == Some(new.id), ..new });
        surplus
    }

    /// A connection is gone. Says whether it was the last.
    pub(super) fn on_closed(&mut self, id: Id, now: Instant) -> bool {
        let Some(position) = self.connections.iter().position(|known| known.id == id) else {
            return false;
        };
        let gone = self.connections.swap_remove(position);
        if self.is_connected() {
            return false;
        }
        if now.duration_since(gone.since) >= LIFE_MIN {
            self.pauses.reset();
        }
        let courtesy = if self.we_go_first { Duration::ZERO } else { COURTESY };
        self.due = Some(now + self.pauses.pause() + courtesy);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(id: u8, dialled_by_us: bool, since: Instant) -> Connection<u8> {
        Connection { id, dialled_by_us, since, closing: false }
    }

    #[test]
    fn pauses_double_to_the_cap() {
        let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        let taken: Vec<_> = (0..7).map(|_| pauses.pause().as_millis()).collect();
        assert_eq!(taken, [50, 100, 200, 400, 800, 1_000, 1_000]);
        pauses.reset();
        assert_eq!(pauses.pause(), PAUSE_MIN);
    }

    #[test]
    fn simultaneous_dials_leave_the_same_one_on_both_sides_in_any_order() {
        let now = Instant::now();
        // Connection 1 was dialled by the side that goes first, connection 2 by the other.
        for (first_sees, second_sees) in
            [([1, 2], [1, 2]), ([1, 2], [2, 1]), ([2, 1], [1, 2]), ([2, 1], [2, 1])]
        {
            for (we_go_first, order) in [(true, first_sees), (false, second_sees)] {
                let mut side = Dialling::new(now, we_go_first);
                let closed: Vec<_> = order
                    .into_iter()
                    .filter_map(|id| {
                        side.on_established(connection(id, (id == 1) == we_go_first, now))
                    })
                    .collect();
                assert_eq!(closed, [2], "{we_go_first} {order:?}");
                assert!(!side.on_closed(2, now) && side.is_connected());
            }
        }
    }

    #[test]
    fn a_restarted_member_replaces_its_dead_connection() {
        let start = Instant::now();
        let later = start + Duration::from_secs(60);
        for (we_go_first, old_by_us) in [(true, true), (true, false), (false, true), (false, false)]
        {
            let mut side = Dialling::new(start, we_go_first);
            assert_eq!(side.on_established(connection(1, old_by_us, start)), None);
            assert_eq!(side.on_established(connection(2, false, later)), Some(1));
            assert!(!side.on_closed(1, later));
            assert_eq!(side.due(), None);
        }
    }

    #[test]
    fn a_member_that_hangs_up_at_once_is_dialled_ever_more_slowly() {
        let mut now = Instant::now();
        let mut side = Dialling::new(now, true);
        for id in 0..5 {
            side.on_dialling();
            assert_eq!(side.on_established(connection(id, true, now)), None);
            assert!(side.on_closed(id, now));
            let due = side.due().expect("a disconnected member is dialled again");
            assert_eq!(due.duration_since(now), PAUSE_MIN * (1 << id));
            now = due;
        }
        assert_eq!(side.on_established(connection(9, true, now)), None);
        now += LIFE_MIN;
        assert!(side.on_closed(9, now));
        assert_eq!(side.due(), Some(now + PAUSE_MIN));
    }

    #[test]
    fn a_failed_dial_while_connected_is_no_news() {
        let now = Instant::now();
        let mut side = Dialling::new(now, true);
        side.on_dialling();
        assert_eq!(side.on_established(connection(1, false, now)), None);
        assert!(!side.on_failed(now));
        assert_eq!(side.due(), None);
        assert!(side.on_closed(1, now));
        assert!(side.on_failed(now));
    }
}
