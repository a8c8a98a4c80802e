//! What the network is told at its start, and the check of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use libp2p::PeerId;
use thiserror::Error;

use super::frame::FRAME_BYTES_MAX;
use super::key::{PeerKey, TransportKey};

/// Members beyond ourselves, at most: each costs eight tasks and queues.
pub(super) const MEMBERS_MAX: usize = 64;

/// Another validator: the only peers we talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its Raft id, unique among the members.
    pub node: u64,
    /// Its public transport key, by which it is recognised.
    pub peer: PeerKey,
    /// Where it listens.
    pub address: SocketAddr,
}

/// How a network starts.
#[derive(Debug)]
pub struct NetworkConfig {
    /// Our secret transport key.
    pub key: TransportKey,
    /// Where we listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Everybody but ourselves.
    pub members: Vec<Member>,
    /// Frames that may wait to be sent, per (member, class).
    pub queue_frames: usize,
    /// Bytes that may wait to be sent, per (member, class); at least [`FRAME_BYTES_MAX`].
    pub queue_bytes: usize,
    /// Received frames that may wait for the application, per class.
    pub inbox_frames: usize,
    /// Received bytes that may wait for the application, per class; at least [`FRAME_BYTES_MAX`].
    pub inbox_bytes: usize,
    /// How long a member, or a stranger, may keep us waiting.
    pub timeouts: Timeouts,
}

/// How long we wait before a connection or a stream ends. Tests shorten them; whole milliseconds
/// count, from one to an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For everything from the first byte of a connection to its first stream.
    pub handshake: Duration,
    /// Between the answer to a ping and the next ping.
    pub ping_interval: Duration,
    /// For the answer to a ping.
    pub ping: Duration,
    /// For the rest of a frame whose first byte has come.
    pub frame: Duration,
}

impl Default for Timeouts {
    /// 5 s for a handshake, pings every 5 s, 10 s for their answers, and 30 s for a frame: at the
    /// longest frame that is 280 kbit/s.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            ping_interval: Duration::from_secs(5),
            ping: Duration::from_secs(10),
            frame: Duration::from_secs(30),
        }
    }
}

impl NetworkConfig {
    /// The configuration with the usual limits: queues of 1,024 frames and 8 MiB on both sides.
    #[must_use]
    pub fn new(key: TransportKey, listen: SocketAddr, members: Vec<Member>) -> Self {
        Self {
            key,
            listen,
            members,
            queue_frames: 1_024,
            queue_bytes: 8 * FRAME_BYTES_MAX,
            inbox_frames: 1_024,
            inbox_bytes: 8 * FRAME_BYTES_MAX,
            timeouts: Timeouts::default(),
        }
    }

    /// The members with the name that libp2p gives them.
    pub(super) fn check(&self) -> Result<Vec<(Member, PeerId)>, NetworkError> {
        self.check_limits()?;
        let own = self.key.public();
        let (mut nodes, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let mut named = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let node = member.node;
            if member.peer == own {
                return Err(NetworkError::MemberIsSelf { node });
            }
            if !nodes.insert(node) || !keys.insert(member.peer) {
                return Err(NetworkError::MemberRepeated { node });
            }
            let peer_id = member.peer.peer_id().ok_or(NetworkError::MemberKeyInvalid { node })?;
            named.push((member.clone(), peer_id));
        }
        Ok(named)
    }

    fn check_limits(&self) -> Result<(), NetworkError> {
        // Tokio's own ceilings on channels and semaphores; nobody means a number near them.
        const COUNT_MAX: usize = u32::MAX as usize >> 1;
        const HOUR: usize = 3_600_000;
        let millis = |time: Duration| usize::try_from(time.as_millis()).unwrap_or(usize::MAX);
        let Timeouts { handshake, ping_interval, ping, frame } = self.timeouts;
        let limits = [
            ("members", self.members.len(), 0, MEMBERS_MAX),
            ("queue_frames", self.queue_frames, 1, COUNT_MAX),
            ("queue_bytes", self.queue_bytes, FRAME_BYTES_MAX, COUNT_MAX),
            ("inbox_frames", self.inbox_frames, 1, COUNT_MAX),
            ("inbox_bytes", self.inbox_bytes, FRAME_BYTES_MAX, COUNT_MAX),
            ("timeouts.handshake", millis(handshake), 1, HOUR),
            ("timeouts.ping_interval", millis(ping_interval), 1, HOUR),
            ("timeouts.ping", millis(ping), 1, HOUR),
            ("timeouts.frame", millis(frame), 1, HOUR),
        ];
        for (name, value, least, most) in limits {
            if value < least || value > most {
                return Err(NetworkError::LimitOutOfRange { name, value, least, most });
            }
        }
        Ok(())
    }
}

/// Why a network did not start.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// A member's key is no Ed25519 public key.
    #[error("the transport key of member {node} is no Ed25519 public key; ask its owner for it")]
    MemberKeyInvalid {
        /// The member.
        node: u64,
    },
    /// Two members share a node id or a key.
    #[error("member {node} shares its id or its key with another member; list each once")]
    MemberRepeated {
        /// The second of the two.
        node: u64,
    },
    /// A member has our own key.
    #[error("member {node} has this node's own transport key; list the others only")]
    MemberIsSelf {
        /// The member.
        node: u64,
    },
    /// A limit is outside what works.
    #[error("{name} is {value}, it must be {least} to {most}")]
    LimitOutOfRange {
        /// The setting.
        name: &'static str,
        /// What was configured.
        value: usize,
        /// The least that works.
        least: usize,
        /// The most that works.
        most: usize,
    },
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}; is another process using it, and does this machine have it"
    )]
    ListenFailed {
        /// The configured address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Noise refused the transport key.
    #[error("the transport key cannot be used; generate another")]
    TransportKeyUnusable {
        /// The library's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl NetworkError {
    /// The stable code of this error, for logs and exit messages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MemberKeyInvalid { .. } => "member_key_invalid",
            Self::MemberRepeated { .. } => "member_repeated",
            Self::MemberIsSelf { .. } => "member_is_self",
            Self::LimitOutOfRange { .. } => "limit_out_of_range",
            Self::ListenFailed { .. } => "listen_failed",
            Self::TransportKeyUnusable { .. } => "transport_key_unusable",
        }
    }
}
