//! The one task that owns the swarm: who is dialled, which connection stays, what is announced.
//! Frames do not pass through here; a busy swarm does not delay them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{PeerId, Swarm, TransportError, ping};
use libp2p_stream::{Control, IncomingStreams};
use tokio::time::Instant;

use super::behaviour::{self, Behaviour, BehaviourEvent};
use super::config::{NetworkConfig, NetworkError};
use super::dial::{Connection, Dialling};
use super::liveness::Liveness;
use super::member::Peer;
use super::streams::protocol;
use super::{Class, Event, Hub};

/// A member and the state of our connections to it.
struct Known {
    peer: Arc<Peer>,
    dialling: Dialling<ConnectionId>,
    /// Our attempt to connect that is under way, or the last one.
    attempt: Option<ConnectionId>,
}

/// What [`Driver::listen`] leaves behind.
pub(super) struct Listening {
    pub(super) driver: Driver,
    pub(super) control: Control,
    /// In the order of [`Class::ALL`].
    pub(super) accepted: [IncomingStreams; Class::ALL.len()],
    pub(super) address: SocketAddr,
}

/// Owns the swarm.
pub(super) struct Driver {
    hub: Arc<Hub>,
    swarm: Swarm<Behaviour>,
    known: BTreeMap<PeerId, Known>,
    liveness: Liveness<ConnectionId>,
}

impl Driver {
    /// Builds the swarm and waits until it listens. Nobody is dialled before [`Driver::run`].
    pub(super) async fn listen(
        config: &NetworkConfig,
        hub: Arc<Hub>,
    ) -> Result<Listening, NetworkError> {
        let swarm = behaviour::swarm(config, &hub)?;
        let mut control = swarm.behaviour().streams.new_control();
        // Before the first connection: each learns at its birth which protocols there are.
        let accepted = Class::ALL.map(|class| {
            control.accept(protocol(class)).expect("each class registers its protocol once")
        });
        let own = *swarm.local_peer_id();
        let now = Instant::now();
        let known = hub.members.values().map(|peer| {
            let dialling = Dialling::new(now, own < peer.peer_id);
            (peer.peer_id, Known { peer: Arc::clone(peer), dialling, attempt: None })
        });
        let known = known.collect();
        let silence_max = config.timeouts.ping_interval + config.timeouts.ping;
        let mut driver = Self { hub, swarm, known, liveness: Liveness::new(silence_max) };
        let port = driver
            .listen_on(config.listen)
            .await
            .map_err(|source| NetworkError::ListenFailed { address: config.listen, source })?;
        let address = SocketAddr::new(config.listen.ip(), port);
        Ok(Listening { driver, control, accepted, address })
    }

    /// Returns the port.
    async fn listen_on(&mut self, address: SocketAddr) -> std::io::Result<u16> {
        self.swarm.listen_on(behaviour::multiaddr(address)).map_err(|error| match error {
            TransportError::Other(error) => error,
            TransportError::MultiaddrNotSupported(_) => std::io::ErrorKind::Unsupported.into(),
        })?;
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => {
                    let port = address.iter().find_map(|part| match part {
                        Protocol::Tcp(port) => Some(port),
                        _ => None,
                    });
                    return Ok(port.expect("the only transport is tcp"));
                }
                SwarmEvent::ListenerError { error, .. } => return Err(error),
                SwarmEvent::ListenerClosed { reason, .. } => {
                    return Err(reason
                        .err()
                        .unwrap_or_else(|| std::io::ErrorKind::NotConnected.into()));
                }
                // Members may be quicker than the news about the address.
                event => self.handle(event),
            }
        }
    }

    /// Runs until dropped.
    pub(super) async fn run(mut self) {
        loop {
            let due = self.known.values().filter_map(|known| known.dialling.due()).min();
            let silent = self.liveness.due();
            tokio::select! {
                event = self.swarm.select_next_some() => self.handle(event),
                () = until(due) => self.dial_due(),
                () = until(silent) => self.close_silent(),
            }
        }
    }

    fn dial_due(&mut self) {
        let now = Instant::now();
        let Self { hub, swarm, known, .. } = self;
        for (peer_id, Known { peer, dialling, attempt }) in known {
            if dialling.due().is_none_or(|due| due > now) {
                continue;
            }
            dialling.on_dialling();
            // A new port: dialling from the port listened on could meet the member's own dial half
            // way (TCP's simultaneous open), and after a restart that pair of ports may still be
            // closing.
            let dial = DialOpts::peer_id(*peer_id)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![behaviour::multiaddr(peer.member.address)])
                .allocate_new_port()
                .build();
            *attempt = Some(dial.connection_id());
            if let Err(error) = swarm.dial(dial) {
                on_dial_failed(hub, peer, dialling, &error);
            }
        }
    }

    fn close_silent(&mut self) {
        for id in self.liveness.take_silent(Instant::now()) {
            tracing::warn!(connection = %id, "no answer to pings; connection closed");
            self.swarm.close_connection(id);
        }
    }

    fn handle(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                self.liveness.on_closed(connection_id);
                let Some(Known { peer, dialling, .. }) = self.known.get_mut(&peer_id) else {
                    return;
                };
                if let Some(cause) = &cause {
                    peer.set_last_error(cause);
                }
                if dialling.on_closed(connection_id, Instant::now()) {
                    let node = peer.node();
                    peer.set_connected(false);
                    self.hub.announce(Event::Disconnected { node });
                    tracing::info!(
                        node,
                        cause = cause.map(|cause| cause.to_string()),
                        "member disconnected"
                    );
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                // By the attempt, not by the peer: libp2p names who answered, and at a wrong
                // address that can be ourselves.
                let is_tried = |known: &&mut Known| known.attempt == Some(connection_id);
                if let Some(Known { peer, dialling, .. }) = self.known.values_mut().find(is_tried) {
                    on_dial_failed(&self.hub, peer, dialling, &error);
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, peer_id, .. } => {
                self.on_refused(&send_back_addr, &error, peer_id);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.on_ping(event),
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "cannot accept"),
            SwarmEvent::ListenerClosed { reason, .. } => {
                // The members' addresses of us are dead now, but we still reach them: loud, not
                // fatal.
                tracing::error!(?reason, "the listener closed; members cannot dial this node");
            }
            _ => {}
        }
    }

    fn on_established(&mut self, peer_id: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(Known { peer, dialling, .. }) = self.known.get_mut(&peer_id) else {
            tracing::error!(%peer_id, "connection to a peer that is no member");
            self.swarm.close_connection(id);
            return;
        };
        self.liveness.on_established(id, Instant::now());
        let first = !dialling.is_connected();
        let dialled_by_us = endpoint.is_dialer();
        let connection = Connection { id, dialled_by_us, since: Instant::now(), closing: false };
        if let Some(surplus) = dialling.on_established(connection) {
            self.swarm.close_connection(surplus);
        }
        if first {
            let node = peer.node();
            peer.set_connected(true);
            self.hub.announce(Event::Connected { node });
            tracing::info!(node, dialled_by_us, "member connected");
        }
    }

    fn on_refused(&self, from: &Multiaddr, error: &ListenError, peer_id: Option<PeerId>) {
        let ListenError::Denied { .. } = error else {
            tracing::debug!(%from, %error, "incoming handshake failed");
            return;
        };
        let count = self.hub.refused.add(1);
        // Strangers choose how often they knock; they must not choose how much is logged.
        if count.is_power_of_two() {
            let peer_id = peer_id.map(|peer_id| peer_id.to_string());
            tracing::warn!(%from, peer_id, %error, count, "connection refused");
        }
    }

    fn on_ping(&mut self, event: ping::Event) {
        let Some(known) = self.known.get(&event.peer) else {
            return;
        };
        match event.result {
            Ok(round_trip) => {
                known.peer.set_round_trip(round_trip);
                self.liveness.on_answer(event.connection, Instant::now());
            }
            // What ends the connection is the silence that follows.
            Err(error) => known.peer.set_last_error(&error),
        }
    }
}

fn on_dial_failed(
    hub: &Hub,
    peer: &Peer,
    dialling: &mut Dialling<ConnectionId>,
    error: &DialError,
) {
    if !dialling.on_failed(Instant::now()) || matches!(error, DialError::DialPeerConditionFalse(_))
    {
        return;
    }
    let node = peer.node();
    peer.dial_failures.add(1);
    peer.set_last_error(error);
    hub.announce(Event::Unreachable { node });
    tracing::debug!(node, address = %peer.member.address, %error, "member unreachable");
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
