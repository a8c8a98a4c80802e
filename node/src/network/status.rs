//! What an operator sees of the network: counters, and the snapshot taken of them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Class;
use super::key::PeerKey;

/// One number that only grows. Relaxed: each is read by itself, for display only.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    /// Returns the new value.
    pub(super) fn add(&self, count: u64) -> u64 {
        self.0.fetch_add(count, Ordering::Relaxed) + count
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is counted per (member, class).
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) frames_out: Counter,
    pub(super) bytes_out: Counter,
    pub(super) frames_in: Counter,
    pub(super) bytes_in: Counter,
    pub(super) dropped_full: Counter,
    pub(super) dropped_away: Counter,
    pub(super) over_long: Counter,
    pub(super) late: Counter,
    pub(super) streams_out: Counter,
    pub(super) streams_in: Counter,
}

/// A member as it stands now. Counters run since the start of the network.
#[derive(Debug, Clone)]
pub struct PeerStatus {
    /// Its node id.
    pub node: u64,
    /// Its public transport key.
    pub peer: PeerKey,
    /// Where it is dialled.
    pub address: SocketAddr,
    /// Whether at least one connection stands.
    pub connected: bool,
    /// The last ping's round trip; `None` before the first.
    pub round_trip: Option<Duration>,
    /// Attempts to connect that failed.
    pub dial_failures: u64,
    /// The last thing that went wrong with this member, in the library's words; kept after
    /// recovery.
    pub last_error: Option<String>,
    /// In the order of [`Class::ALL`].
    pub classes: [ClassStatus; Class::ALL.len()],
}

/// One class of one member. Bytes are those of frames, without lengths and encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassStatus {
    /// The class.
    pub class: Class,
    /// Frames waiting to be sent.
    pub queued_frames: usize,
    /// Bytes waiting to be sent.
    pub queued_bytes: usize,
    /// Frames written to a stream.
    pub frames_out: u64,
    /// Bytes written to a stream.
    pub bytes_out: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Frames dropped because the queue was full.
    pub dropped_full: u64,
    /// Frames dropped because the member was not connected or its stream broke.
    pub dropped_away: u64,
    /// Incoming streams closed because a frame claimed to be over-long.
    pub over_long: u64,
    /// Incoming streams closed because a frame did not end in time.
    pub late: u64,
    /// Outgoing streams opened.
    pub streams_out: u64,
    /// Incoming streams accepted.
    pub streams_in: u64,
}

impl ClassStatus {
    pub(super) fn of(
        class: Class,
        counters: &Counters,
        queued_frames: usize,
        queued_bytes: usize,
    ) -> Self {
        Self {
            class,
            queued_frames,
            queued_bytes,
            frames_out: counters.frames_out.get(),
            bytes_out: counters.bytes_out.get(),
            frames_in: counters.frames_in.get(),
            bytes_in: counters.bytes_in.get(),
            dropped_full: counters.dropped_full.get(),
            dropped_away: counters.dropped_away.get(),
            over_long: counters.over_long.get(),
            late: counters.late.get(),
            streams_out: counters.streams_out.get(),
            streams_in: counters.streams_in.get(),
        }
    }
}
