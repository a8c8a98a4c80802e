//! What the tasks and the handle share about one member: its queues, whether it is connected, its
//! counters.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libp2p::PeerId;
use tokio::sync::{mpsc, watch};

use super::config::{Member, NetworkConfig};
use super::frame::FRAME_BYTES_MAX;
use super::status::{ClassStatus, Counter, Counters, PeerStatus};
use super::{Class, Sent};

/// The sending end of one (member, class) queue.
#[derive(Debug)]
struct Lane {
    frames: mpsc::Sender<Vec<u8>>,
    bytes: AtomicUsize,
    bytes_max: usize,
    counters: Counters,
}

impl Lane {
    fn reserve(&self, bytes: usize) -> bool {
        let add = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= self.bytes_max);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    fn release(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        assert!(before >= bytes, "a queue gives back only bytes it has taken");
    }
}

/// The receiving end of one (member, class) queue, owned by its writer task.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) peer: Arc<Peer>,
    pub(super) class: Class,
    frames: mpsc::Receiver<Vec<u8>>,
}

impl Queue {
    /// The next frame; `None` once nobody can send any more. Loses nothing when cancelled.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.recv().await?;
        self.peer.lanes[self.class.index()].release(frame.len());
        Some(frame)
    }

    /// The next frame if one is waiting.
    pub(super) fn try_next(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.try_recv().ok()?;
        self.peer.lanes[self.class.index()].release(frame.len());
        Some(frame)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Drops what waits: the member is away, and what was meant for it is stale when it returns.
    pub(super) fn discard(&mut self) {
        while self.try_next().is_some() {
            self.counters().dropped_away.add(1);
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        self.peer.counters(self.class)
    }
}

/// One member, as every task sees it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    pub(super) peer_id: PeerId,
    pub(super) dial_failures: Counter,
    /// True while at least one connection stands; written by the swarm's task only.
    connected: watch::Sender<bool>,
    /// Nanoseconds; zero before the first ping.
    round_trip: AtomicU64,
    last_error: Mutex<Option<String>>,
    lanes: [Lane; Class::ALL.len()],
}

impl Peer {
    pub(super) fn node(&self) -> u64 {
        self.member.node
    }

    /// See [`Network::send`](super::Network::send).
    pub(super) fn offer(&self, class: Class, frame: Vec<u8>) -> Sent {
        let lane = &self.lanes[class.index()];
        let bytes = frame.len();
        if bytes > FRAME_BYTES_MAX {
            return Sent::TooLarge;
        }
        if !*self.connected.borrow() {
            lane.counters.dropped_away.add(1);
            return Sent::NotConnected;
        }
        if !lane.reserve(bytes) {
            lane.counters.dropped_full.add(1);
            return Sent::DroppedFull;
        }
        match lane.frames.try_send(frame) {
            Ok(()) => Sent::Queued,
            Err(mpsc::error::TrySendError::Full(_)) => {
                lane.release(bytes);
                lane.counters.dropped_full.add(1);
                Sent::DroppedFull
            }
            // The writer ends only with the network.
            Err(mpsc::error::TrySendError::Closed(_)) => {
                lane.release(bytes);
                lane.counters.dropped_away.add(1);
                Sent::NotConnected
            }
        }
    }

    pub(super) fn counters(&self, class: Class) -> &Counters {
        &self.lanes[class.index()].counters
    }

    pub(super) fn set_connected(&self, connected: bool) {
        self.connected.send_replace(connected);
    }

    pub(super) fn watch_connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    pub(super) fn set_round_trip(&self, round_trip: Duration) {
        let nanoseconds = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX);
        self.round_trip.store(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn set_last_error(&self, error: &dyn Display) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    pub(super) fn status(&self) -> PeerStatus {
        let round_trip = self.round_trip.load(Ordering::Relaxed);
        PeerStatus {
            node: self.member.node,
            peer: self.member.peer,
            address: self.member.address,
            connected: *self.connected.borrow(),
            round_trip: (round_trip > 0).then(|| Duration::from_nanos(round_trip)),
            dial_failures: self.dial_failures.get(),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            classes: Class::ALL.map(|class| {
                let lane = &self.lanes[class.index()];
                let queued = lane.frames.max_capacity() - lane.frames.capacity();
                ClassStatus::of(class, &lane.counters, queued, lane.bytes.load(Ordering::Relaxed))
            }),
        }
    }
}

/// The shared side of every member, and the queues for the writer tasks.
pub(super) fn peers(
    members: Vec<(Member, PeerId)>,
    config: &NetworkConfig,
) -> (BTreeMap<u64, Arc<Peer>>, Vec<Queue>) {
    let (mut peers, mut queues) = (BTreeMap::new(), Vec::new());
    for (member, peer_id) in members {
        let channels = Class::ALL.map(|_| mpsc::channel(config.queue_frames));
        let lanes = channels.each_ref().map(|(frames, _)| Lane {
            frames: frames.clone(),
            bytes: AtomicUsize::new(0),
            bytes_max: config.queue_bytes,
            counters: Counters::default(),
        });
        let peer = Arc::new(Peer {
            peer_id,
            dial_failures: Counter::default(),
            connected: watch::Sender::new(false),
            round_trip: AtomicU64::new(0),
            last_error: Mutex::new(None),
            lanes,
            member,
        });
        for (class, (_, frames)) in Class::ALL.into_iter().zip(channels) {
            queues.push(Queue { peer: Arc::clone(&peer), class, frames });
        }
        peers.insert(peer.node(), peer);
    }
    (peers, queues)
}
