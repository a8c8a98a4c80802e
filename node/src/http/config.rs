//! The API's limits, each with the reason for its default.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{auth::ReaderToken, rate::Rate};

/// What the API is started with.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where to listen. Loopback unless an operator configured otherwise: the API speaks no TLS.
    pub listen: SocketAddr,
    /// Who may read about parties. With none, nobody may.
    pub tokens: Vec<ReaderToken>,
    /// Limits.
    pub limits: HttpLimits,
}

/// Limits. All have defaults that suit a node behind an organisation's own gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Milliseconds in which a request's head must arrive; an idle kept-alive connection is closed
    /// after the same time.
    pub header_timeout_ms: u64,
    /// Milliseconds in which a request's body must arrive.
    pub body_timeout_ms: u64,
    /// Milliseconds for which a client may leave an answer unread before it is cut off.
    pub write_stall_ms: u64,
    /// Milliseconds that open requests get to end when the node stops.
    pub drain_ms: u64,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_ip: usize,
    /// Event feeds at once.
    pub feeds: usize,
    /// Reads of the store at once by readers; further ones wait.
    pub reads: usize,
    /// The same by anyone, so that the public cannot keep readers waiting.
    pub public_reads: usize,
    /// Milliseconds that a read may wait for its turn before it is refused as busy.
    pub read_wait_ms: u64,
    /// Bytes of request bodies in memory on their way in; beyond it, submissions are refused as busy.
    pub body_bytes: usize,
    /// Submitted bytes waiting for their signature checks; beyond it, submissions are refused as busy.
    pub door_bytes: usize,
    /// Submissions from one address.
    pub per_ip: Option<Rate>,
    /// Submissions that one key signed, counted once its signatures were verified.
    pub per_key: Option<Rate>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            header_timeout_ms: 5_000,
            body_timeout_ms: 10_000,
            write_stall_ms: 30_000,
            drain_ms: 5_000,
            connections: 1_024,
            connections_per_ip: 256,
            feeds: 256,
            reads: 32,
            public_reads: 16,
            read_wait_ms: 2_000,
            // A hundred whole bulk submissions: what the allowed connections could otherwise send at once
            // is eight times as much.
            body_bytes: 64 * 1024 * 1024,
            door_bytes: 16 * 1024 * 1024,
            // An app's backend submits for all of its users from one address.
            per_ip: Some(Rate { per_second: 20_000, burst: 40_000 }),
            // An issuer's automated key tops up wallets by the thousand; a person's phone never comes near.
            per_key: Some(Rate { per_second: 5_000, burst: 40_000 }),
        }
    }
}

impl HttpLimits {
    pub(super) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    pub(super) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(super) fn write_stall(&self) -> Duration {
        Duration::from_millis(self.write_stall_ms)
    }

    pub(super) fn read_wait(&self) -> Duration {
        Duration::from_millis(self.read_wait_ms)
    }

    pub(super) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}
