//! The tasks that move frames: one writer per (member, class), one acceptor per class, one reader
//! per incoming stream.
//!
//! Whoever opened a stream only writes to it, with one exception that carries no data: the writer
//! also waits for the stream's end, because libp2p-stream drops an incoming stream without a word
//! when its acceptor lags.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::io::{BufReader, ReadHalf, WriteHalf};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::{Control, IncomingStreams};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::dial::Backoff;
use super::frame::{self, FrameError};
use super::inbox::InboxSender;
use super::member::{Peer, Queue};
use super::{Class, Event, Hub, Incoming};

/// Frames are gathered into one write up to about this many bytes.
const GATHER_BYTES: usize = 64 << 10;

/// Read from the stream at once.
const READ_BYTES: usize = 32 << 10;

/// Opening a stream takes one round trip; longer means that the connection is dying.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Pauses before a stream is opened again while the member stays connected.
const REOPEN_MIN: Duration = Duration::from_millis(5);
const REOPEN_MAX: Duration = Duration::from_secs(1);

/// A stream that lived this long was a success.
const STREAM_LIFE_MIN: Duration = Duration::from_secs(2);

/// The protocol's name on the wire.
pub(super) const fn protocol(class: Class) -> StreamProtocol {
    StreamProtocol::new(match class {
        Class::Control => "/musubi/control/1",
        Class::Append => "/musubi/append/1",
        Class::Snapshot => "/musubi/snapshot/1",
        Class::Submission => "/musubi/submission/1",
    })
}

/// Starts a writer per queue.
pub(super) fn spawn_writers(hub: &Arc<Hub>, control: &Control, queues: Vec<Queue>) {
    for queue in queues {
        let writer = Writer { queue, control: control.clone(), hub: Arc::clone(hub) };
        hub.spawn(writer.run());
    }
}

/// Starts an acceptor per class.
pub(super) fn spawn_acceptors(
    hub: &Arc<Hub>,
    accepted: [IncomingStreams; Class::ALL.len()],
    senders: [InboxSender; Class::ALL.len()],
    frame_limit: Duration,
) {
    for ((class, streams), inbox) in Class::ALL.into_iter().zip(accepted).zip(senders) {
        hub.spawn(accept(Arc::clone(hub), class, streams, inbox, frame_limit));
    }
}

/// Owns one queue and, while the member is connected, the outgoing stream of that class.
struct Writer {
    queue: Queue,
    control: Control,
    hub: Arc<Hub>,
}

impl Writer {
    async fn run(mut self) {
        let mut connected = self.queue.peer.watch_connected();
        let mut pauses = Backoff::new(REOPEN_MIN, REOPEN_MAX);
        loop {
            if !*connected.borrow_and_update() {
                self.queue.discard();
                pauses.reset();
            }
            // Fails only when the sender is gone, and our own `Arc` of the peer holds it.
            if connected.wait_for(|connected| *connected).await.is_err() {
                return;
            }
            let opened = Instant::now();
            let error = match self.open().await {
                Ok(stream) => self.write(stream).await,
                Err(error) => error,
            };
            self.report(&error, *connected.borrow());
            if opened.elapsed() >= STREAM_LIFE_MIN {
                pauses.reset();
            }
            tokio::time::sleep(pauses.pause()).await;
        }
    }

    async fn open(&mut self) -> io::Result<Stream> {
        let (peer_id, class) = (self.queue.peer.peer_id, self.queue.class);
        let opening = self.control.open_stream(peer_id, protocol(class));
        let stream = tokio::time::timeout(OPEN_TIMEOUT, opening)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(io::Error::other)?;
        self.queue.counters().streams_out.add(1);
        Ok(stream)
    }

    /// Writes until the stream breaks, and returns why it did.
    async fn write(&mut self, stream: Stream) -> io::Error {
        let (mut end, mut sink) = stream.split();
        let mut buffer = Vec::with_capacity(GATHER_BYTES);
        loop {
            // Biased, so that no frame is taken from the queue for a stream already known to be
            // closed.
            let first = tokio::select! {
                biased;
                error = until_end(&mut end) => return error,
                frame = self.queue.next() => frame,
            };
            let Some(first) = first else {
                return io::Error::from(io::ErrorKind::NotConnected);
            };
            if let Err(error) = self.write_gathered(&first, &mut buffer, &mut sink).await {
                return error;
            }
        }
    }

    /// Writes `first` and what else waits; flushes once nothing waits any more.
    async fn write_gathered(
        &mut self,
        first: &[u8],
        buffer: &mut Vec<u8>,
        sink: &mut WriteHalf<Stream>,
    ) -> io::Result<()> {
        buffer.clear();
        // A huge frame must not leave each of its queues holding a huge buffer.
        buffer.shrink_to(GATHER_BYTES);
        frame::append(buffer, first);
        let (mut frames, mut bytes) = (1, first.len() as u64);
        while buffer.len() < GATHER_BYTES {
            let Some(next) = self.queue.try_next() else {
                break;
            };
            frame::append(buffer, &next);
            frames += 1;
            bytes += next.len() as u64;
        }
        let counters = self.queue.counters();
        if let Err(error) = sink.write_all(buffer).await {
            counters.dropped_away.add(frames);
            return Err(error);
        }
        counters.frames_out.add(frames);
        counters.bytes_out.add(bytes);
        if self.queue.is_empty() { sink.flush().await } else { Ok(()) }
    }

    fn report(&self, error: &io::Error, still_connected: bool) {
        let (peer, class) = (&self.queue.peer, self.queue.class);
        tracing::debug!(node = peer.node(), class = class.name(), %error, "outgoing stream ended");
        if still_connected {
            peer.set_last_error(&format_args!("{} stream to it: {error}", class.name()));
            self.hub.announce(Event::Interrupted { node: peer.node(), class });
        }
    }
}

/// Waits until the other side closes the stream. It has nothing to say on it: a byte is as good as
/// an end.
async fn until_end(end: &mut ReadHalf<Stream>) -> io::Error {
    match end.read(&mut [0]).await {
        Ok(0) => io::Error::new(io::ErrorKind::ConnectionReset, "the member closed the stream"),
        Ok(_) => io::Error::new(
            io::ErrorKind::InvalidData,
            "the member wrote to a stream that is ours to write",
        ),
        Err(error) => error,
    }
}

/// Takes the incoming streams of one class. Never waits for anything else: see the module's
/// description.
async fn accept(
    hub: Arc<Hub>,
    class: Class,
    mut streams: IncomingStreams,
    inbox: InboxSender,
    frame_limit: Duration,
) {
    let names: HashMap<PeerId, Arc<Peer>> =
        hub.members.values().map(|peer| (peer.peer_id, Arc::clone(peer))).collect();
    let mut readers: HashMap<PeerId, JoinHandle<()>> = HashMap::new();
    while let Some((peer_id, stream)) = streams.next().await {
        let Some(peer) = names.get(&peer_id) else {
            // The allow-list lets nobody else through; should it ever, the stream is dropped here.
            tracing::warn!(%peer_id, class = class.name(), "stream from a peer that is no member");
            continue;
        };
        peer.counters(class).streams_in.add(1);
        let reader = Reader { peer: Arc::clone(peer), class, inbox: inbox.clone(), frame_limit };
        let older = readers.remove(&peer_id);
        readers.insert(peer_id, hub.spawn(reader.run(stream, older)));
    }
}

/// Reads one incoming stream.
struct Reader {
    peer: Arc<Peer>,
    class: Class,
    inbox: InboxSender,
    frame_limit: Duration,
}

impl Reader {
    /// Reads until the stream ends, breaks, claims an over-long frame, leaves one unfinished for
    /// too long, or a newer one takes its place.
    async fn run(self, stream: Stream, older: Option<JoinHandle<()>>) {
        if let Some(older) = older {
            older.abort();
            // Only then nothing of the old stream can come after the first frame of the new one.
            let _ = older.await;
        }
        let (node, class) = (self.peer.node(), self.class.name());
        match self.read(stream).await {
            Ok(()) => tracing::debug!(node, class, "incoming stream ended"),
            Err(FrameError::Broken(error)) => {
                tracing::debug!(node, class, %error, "incoming stream broke")
            }
            Err(error @ (FrameError::OverLong { .. } | FrameError::Late { .. })) => {
                let counters = self.peer.counters(self.class);
                let over_long = matches!(error, FrameError::OverLong { .. });
                if over_long { &counters.over_long } else { &counters.late }.add(1);
                self.peer.set_last_error(&error);
                tracing::warn!(node, class, %error, "incoming stream closed");
            }
        }
    }

    async fn read(&self, stream: Stream) -> Result<(), FrameError> {
        let counters = self.peer.counters(self.class);
        let mut stream = BufReader::with_capacity(READ_BYTES, stream);
        while let Some(frame) = frame::read(&mut stream, self.frame_limit).await? {
            counters.frames_in.add(1);
            counters.bytes_in.add(frame.len() as u64);
            let incoming = Incoming { from: self.peer.node(), class: self.class, frame };
            // While the application lags we wait here, and the sender's window stays shut.
            if !self.inbox.put(incoming).await {
                break;
            }
        }
        Ok(())
    }
}
