//! How the swarm is made: who may connect, within which limits, over which transport.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, SwarmBuilder, noise, ping, tcp, yamux};
use tokio_util::task::TaskTracker;

use super::Hub;
use super::config::{NetworkConfig, NetworkError};
use super::guard::GuardedYamux;

/// Handshakes of strangers and members alike that may be under way at once; members also dial
/// outwards, so strangers that fill these places do not cut a node off.
const PENDING_INCOMING_MAX: u32 = 32;

/// Connections per member: the one in use, and the one that replaces it.
const CONNECTIONS_PER_PEER_MAX: u32 = 2;

/// Streams that one connection may be negotiating at once (it needs five: the classes and the
/// ping).
const NEGOTIATING_STREAMS_MAX: usize = 16;

/// Bounds memory, by a detour. Yamux gives each stream a window of 256 KiB and lets windows grow
/// into what is left of 1 GiB per connection after 256 KiB for each stream that is *allowed*; only
/// this number can be set. 4,032 leaves 16 MiB for growth, where the usual 64 would leave 1,008
/// MiB. Streams that really live stay few: the guard ends a connection beyond 32 incoming ones. So
/// a connection holds at most 32 · 256 KiB + 16 MiB = 24 MiB of unread bytes, and a member, by its
/// two connections, 48 MiB.
const YAMUX_STREAMS_MAX: usize = 4_032;

/// The order matters: what stands first refuses first, so a stranger never reaches the limits'
/// books or the streams.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub(super) streams: libp2p_stream::Behaviour,
}

/// Lets [`Network::shutdown`](super::Network::shutdown) wait for libp2p's own tasks too.
struct Tracked(TaskTracker);

impl libp2p::swarm::Executor for Tracked {
    fn exec(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.spawn(task);
    }
}

/// The swarm, not yet listening.
pub(super) fn swarm(config: &NetworkConfig, hub: &Hub) -> Result<Swarm<Behaviour>, NetworkError> {
    let mut allowed = allow_block_list::Behaviour::<AllowedPeers>::default();
    for peer in hub.members.values() {
        allowed.allow_peer(peer.peer_id);
    }
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_INCOMING_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
    let behaviour = Behaviour {
        allowed,
        limits: connection_limits::Behaviour::new(limits),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(config.timeouts.ping_interval)
                .with_timeout(config.timeouts.ping),
        ),
        streams: libp2p_stream::Behaviour::new(),
    };
    let executor = Tracked(hub.tasks.clone());
    let swarm = SwarmBuilder::with_existing_identity(config.key.identity())
        .with_tokio()
        .with_tcp(tcp::Config::new().nodelay(true), noise::Config::new, yamux)
        .map_err(|source| NetworkError::TransportKeyUnusable { source: Box::new(source) })?
        .with_behaviour(|_| behaviour)
        .unwrap_or_else(|never| match never {})
        .with_swarm_config(|_| {
            libp2p::swarm::Config::with_executor(executor)
                .with_idle_connection_timeout(Duration::MAX)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX)
        })
        .with_connection_timeout(config.timeouts.handshake)
        .build();
    Ok(swarm)
}

fn yamux() -> GuardedYamux {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(YAMUX_STREAMS_MAX);
    GuardedYamux(config)
}

/// `/ip4/…/tcp/…` or `/ip6/…/tcp/…`: no names, so nothing is resolved.
pub(super) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(address.ip().into()).with(Protocol::Tcp(address.port()))
}
