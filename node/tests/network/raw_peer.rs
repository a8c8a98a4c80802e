//! A libp2p peer without manners: it speaks the transport and the stream protocols, but writes any
//! bytes it likes.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, identity, noise, ping, tcp,
    yamux,
};
use libp2p_stream::Control;
use tokio::task::JoinHandle;

/// A connected peer whose swarm runs until it is dropped.
pub(crate) struct RawPeer {
    target: PeerId,
    control: Control,
    swarm: JoinHandle<()>,
}

impl RawPeer {
    /// Dials `address`, whose owner has the public key `target`, and waits for the handshake.
    pub(crate) async fn connect(
        mut secret: [u8; 32],
        target: [u8; 32],
        address: SocketAddr,
    ) -> Result<Self, String> {
        let mut swarm = build(identity::Keypair::ed25519_from_bytes(&mut secret).unwrap());
        let target = identity::ed25519::PublicKey::try_from_bytes(&target).unwrap();
        let target = identity::PublicKey::from(target).to_peer_id();
        let address =
            Multiaddr::empty().with(address.ip().into()).with(Protocol::Tcp(address.port()));
        swarm.dial(DialOpts::peer_id(target).addresses(vec![address]).build()).unwrap();
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => break,
                SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.to_string()),
                _ => {}
            }
        }
        let control = swarm.behaviour().streams.new_control();
        let swarm = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        Ok(Self { target, control, swarm })
    }

    /// Opens a stream of this protocol.
    pub(crate) async fn open(&mut self, protocol: &'static str) -> Result<RawStream, String> {
        let opening = self.control.open_stream(self.target, StreamProtocol::new(protocol));
        match tokio::time::timeout(Duration::from_secs(5), opening).await {
            Ok(stream) => stream.map(RawStream).map_err(|error| error.to_string()),
            Err(_) => Err("the stream did not open within 5 s".to_owned()),
        }
    }
}

impl Drop for RawPeer {
    fn drop(&mut self) {
        self.swarm.abort();
    }
}

/// A stream to write anything to.
pub(crate) struct RawStream(Stream);

impl RawStream {
    /// Writes these bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let writing = async {
            self.0.write_all(bytes).await?;
            self.0.flush().await
        };
        writing.await.map_err(|error| error.to_string())
    }

    /// Whether the other side closes the stream within 5 s, having written nothing.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.ends_within(Duration::from_secs(5)).await
    }

    /// Whether the other side closes the stream within this time, having written nothing.
    pub(crate) async fn ends_within(&mut self, time: Duration) -> bool {
        let mut byte = [0];
        let end = tokio::time::timeout(time, self.0.read(&mut byte)).await;
        matches!(end, Ok(Ok(0) | Err(_)))
    }
}

/// Answers pings: a node leaves no connection open that does not.
#[derive(NetworkBehaviour)]
struct Behaviour {
    ping: ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

fn build(key: identity::Keypair) -> Swarm<Behaviour> {
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Behaviour {
            ping: ping::Behaviour::default(),
            streams: libp2p_stream::Behaviour::new(),
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}
