//! The validators' private network: authenticated, bounded byte frames between the members of one
//! chain.
//!
//! TCP, Noise and Yamux by libp2p, and nothing else of libp2p: no discovery, no gossip, no name
//! service. This folder is the only place of the workspace that names libp2p; nothing of it shows
//! in the types below. It knows no ledger type either: a frame is opaque bytes.
//!
//! Who owns what:
//! - `behaviour`: who may connect, the limits, the transport; `guard`: what a member may do to that
//!   transport before its connection ends;
//! - `swarm`: the one task that owns all that, dials members again, settles duplicate connections
//!   (by `dial`), ends silent ones (by `liveness`) and announces changes;
//! - `streams`: for each (member, [`Class`]) one *writer* task that owns the queue and the outgoing
//!   stream, and one *reader* task per incoming stream; for each class one *acceptor* task;
//! - `member`: what those tasks and the handle share about one member: queues, link state,
//!   counters;
//! - `inbox`: what the application reads from, bounded in frames and in bytes.
//!
//! Why streams have one direction: two ends that both write and do not read block each other for
//! ever once both Yamux windows are full. Here whoever opened a stream only writes to it, so an
//! application that does not read one class slows the senders of that class down and nothing else.
//!
//! **Delivery** is at most once and in order per (sender, class). A frame that was [`Sent::Queued`]
//! can still be lost when its stream or connection breaks, which [`Event::Interrupted`] or
//! [`Event::Disconnected`] says; whoever needs more (Raft does it by itself) sends again.

mod behaviour;
mod config;
mod dial;
mod frame;
mod guard;
mod inbox;
mod key;
mod liveness;
mod member;
mod status;
mod streams;
mod swarm;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use config::{Member, NetworkConfig, NetworkError, Timeouts};
pub use frame::FRAME_BYTES_MAX;
pub use inbox::{Frames, Inbox, Incoming};
pub use key::{PeerKey, TransportKey};
use status::Counter;
pub use status::{ClassStatus, PeerStatus};

/// Events kept for a subscriber that lags; older ones are lost and it learns how many.
const EVENTS_MAX: usize = 1_024;

/// What a frame is about. Each class has streams, queues and back-pressure of its own, so that a
/// snapshot never delays a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Votes, heartbeats and everything else that is small and must be quick.
    Control,
    /// Log replication.
    Append,
    /// Chunks of a state snapshot.
    Snapshot,
    /// Transactions on their way to the leader, and the answers.
    Submission,
}

impl Class {
    /// Every class, in the order of [`Class::index`].
    pub const ALL: [Self; 4] = [Self::Control, Self::Append, Self::Snapshot, Self::Submission];

    /// Position in [`Class::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Name for logs and metrics, also the middle of the protocol's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Append => "append",
            Self::Snapshot => "snapshot",
            Self::Submission => "submission",
        }
    }
}

/// What became of a frame given to [`Network::send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Sent {
    /// In the queue of its (member, class); delivered unless the link breaks first.
    Queued,
    /// That queue is full, in frames or in bytes; dropped and counted.
    DroppedFull,
    /// No connection to that member now, or it is no member at all, or the network is shut down;
    /// dropped and counted.
    NotConnected,
    /// Longer than [`FRAME_BYTES_MAX`]; dropped.
    TooLarge,
}

/// What changed between us and a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The first connection to this member stands; frames can be sent.
    Connected {
        /// The member.
        node: u64,
    },
    /// The last connection to this member is gone; frames on their way may be lost.
    Disconnected {
        /// The member.
        node: u64,
    },
    /// An attempt to connect failed; the next follows within a second.
    Unreachable {
        /// The member.
        node: u64,
    },
    /// The outgoing stream of one class broke while the member stayed connected; frames on their
    /// way may be lost.
    Interrupted {
        /// The member.
        node: u64,
        /// The class whose stream broke.
        class: Class,
    },
}

/// What every task of the network may look at.
#[derive(Debug)]
struct Hub {
    members: BTreeMap<u64, Arc<member::Peer>>,
    events: broadcast::Sender<Event>,
    /// Connections turned away: strangers, and members beyond a limit.
    refused: Counter,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Hub {
    fn announce(&self, event: Event) {
        // Nobody listening is fine: `Network::peers` tells the same.
        let _ = self.events.send(event);
    }

    /// Runs `task` until it ends or the network stops; [`Network::shutdown`] waits for it.
    fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _ = stop.run_until_cancelled(task).await;
        })
    }
}

/// The handle of a running network. Dropping it stops the network without waiting.
#[derive(Debug)]
pub struct Network {
    hub: Arc<Hub>,
    key: PeerKey,
    listen: SocketAddr,
    _stop_on_drop: DropGuard,
}

impl Network {
    /// Listens, starts dialling every member, and returns the handle and the receiving side. Needs
    /// a tokio runtime.
    ///
    /// # Errors
    /// [`NetworkError`]: the member list or a limit makes no sense, or the address cannot be
    /// listened on.
    pub async fn start(config: NetworkConfig) -> Result<(Self, Inbox), NetworkError> {
        let members = config.check()?;
        let key = config.key.public();
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let (senders, inbox) = inbox::channels(config.inbox_frames, config.inbox_bytes);
        let (peers, queues) = member::peers(members, &config);
        let hub = Arc::new(Hub {
            members: peers,
            events,
            refused: Counter::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        // From here on every early return must stop what libp2p has spawned: the guard does.
        let stop_on_drop = hub.stop.clone().drop_guard();
        let swarm::Listening { driver, control, accepted, address: listen } =
            swarm::Driver::listen(&config, Arc::clone(&hub)).await?;
        streams::spawn_acceptors(&hub, accepted, senders, config.timeouts.frame);
        streams::spawn_writers(&hub, &control, queues);
        hub.spawn(driver.run());
        tracing::info!(%key, %listen, members = hub.members.len(), "network listens");
        Ok((Self { hub, key, listen, _stop_on_drop: stop_on_drop }, inbox))
    }

    /// Puts a frame into the queue of (`to`, `class`). Never blocks, never waits.
    pub fn send(&self, to: u64, class: Class, frame: Vec<u8>) -> Sent {
        match self.hub.members.get(&to) {
            Some(peer) => peer.offer(class, frame),
            None => Sent::NotConnected,
        }
    }

    /// The address really listened on (with the port that the system chose, where the configuration
    /// said 0).
    #[must_use]
    pub fn listen_address(&self) -> SocketAddr {
        self.listen
    }

    /// Our own public transport key, as the other members must list it.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// State and counters of every member, by node.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.hub.members.values().map(|peer| peer.status()).collect()
    }

    /// Connections turned away since the start: strangers, and members beyond a limit.
    #[must_use]
    pub fn refused_connections(&self) -> u64 {
        self.hub.refused.get()
    }

    /// Changes from now on. A subscriber that falls more than 1,024 events behind is told so and
    /// reads [`Network::peers`] instead.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.hub.events.subscribe()
    }

    /// Closes every connection and waits until all tasks have ended; the port is free again
    /// afterwards. Queued frames are not flushed. May be called more than once.
    pub async fn shutdown(&self) {
        self.hub.stop.cancel();
        self.hub.tasks.close();
        self.hub.tasks.wait().await;
    }
}
