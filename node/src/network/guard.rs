//! What Yamux leaves open against a member that breaks its rules: three guards around the library.
//!
//! - Yamux answers a breach (more data than a window, a stream opened twice, too many of them) with
//!   a "go away" frame, and then goes on listening to whoever ignores it. [`Watched`] sees that
//!   frame pass on its way out and ends the connection.
//! - libp2p keeps 256 incoming streams waiting before it drops any, and each may hold a whole window
//!   of 256 KiB. [`Guarded`] counts the incoming streams that live, and ends the connection at the
//!   first beyond [`INCOMING_STREAMS_MAX`].
//! - To close, Yamux waits until the member has read its last frames, however long it takes.
//!   [`Guarded`] waits [`CLOSE_TIMEOUT`] and hangs up.
//!
//! To end a connection costs an honest member nothing: it never does such things.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::{MapOk, Ready};
use futures::{AsyncRead, AsyncWrite, TryFutureExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::yamux;
use thiserror::Error;
use tokio::time::Sleep;

/// Incoming streams of one connection that may live at once: waiting, under negotiation or read.
/// An honest member needs five, and a few more while it replaces some.
const INCOMING_STREAMS_MAX: usize = 32;

/// For the last frames of a connection that we close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Yamux, with both guards around each connection.
#[derive(Clone)]
pub(super) struct GuardedYamux(pub(super) yamux::Config);

impl UpgradeInfo for GuardedYamux {
    type Info = &'static str;
    type InfoIter = std::iter::Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.protocol_info()
    }
}

/// How Yamux hands over a connection, and what is put around it then.
type Guarding<C> =
    MapOk<Ready<io::Result<yamux::Muxer<Watched<C>>>>, fn(yamux::Muxer<Watched<C>>) -> Guarded<C>>;

impl<C> InboundConnectionUpgrade<C> for GuardedYamux
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = Guarded<C>;
    type Error = io::Error;
    type Future = Guarding<C>;

    fn upgrade_inbound(self, io: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_inbound(Watched::new(io), info).map_ok(Guarded::new)
    }
}

impl<C> OutboundConnectionUpgrade<C> for GuardedYamux
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = Guarded<C>;
    type Error = io::Error;
    type Future = Guarding<C>;

    fn upgrade_outbound(self, io: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_outbound(Watched::new(io), info).map_ok(Guarded::new)
    }
}

/// Why a connection ended.
#[derive(Debug, Error)]
pub(super) enum GuardError {
    #[error(transparent)]
    Yamux(#[from] yamux::Error),
    #[error("the member holds more than {INCOMING_STREAMS_MAX} streams open")]
    TooManyStreams,
    #[error("the member did not read the last frames of the closing connection")]
    CloseTimeout,
}

/// A Yamux connection whose incoming streams are counted.
pub(super) struct Guarded<C> {
    muxer: yamux::Muxer<Watched<C>>,
    /// Streams that nobody has asked for yet.
    waiting: VecDeque<Counted<yamux::Stream>>,
    /// Whoever asked while none was waiting.
    waker: Option<Waker>,
    /// Each living incoming stream holds a clone.
    living: Arc<()>,
    /// Set once we have begun to close.
    closing: Option<Pin<Box<Sleep>>>,
}

impl<C> Guarded<C>
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    fn new(muxer: yamux::Muxer<Watched<C>>) -> Self {
        let (waiting, living) = (VecDeque::new(), Arc::new(()));
        Self { muxer, waiting, waker: None, living, closing: None }
    }

    /// Drives the connection, and takes over every stream that came in before the library's own
    /// buffer can.
    fn take_incoming(&mut self, context: &mut Context<'_>) -> Result<(), GuardError> {
        while let Poll::Ready(stream) = Pin::new(&mut self.muxer).poll_inbound(context) {
            let stream = stream?;
            // The connection itself holds one.
            if Arc::strong_count(&self.living) > INCOMING_STREAMS_MAX {
                return Err(GuardError::TooManyStreams);
            }
            self.waiting.push_back(Counted { stream, _living: Some(Arc::clone(&self.living)) });
        }
        Ok(())
    }
}

impl<C> StreamMuxer for Guarded<C>
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Substream = Counted<yamux::Stream>;
    type Error = GuardError;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        if self.waiting.is_empty() {
            self.take_incoming(context)?;
        }
        match self.waiting.pop_front() {
            Some(stream) => Poll::Ready(Ok(stream)),
            None => {
                self.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        let opened = Pin::new(&mut self.muxer).poll_outbound(context)?;
        opened.map(|stream| Ok(Counted { stream, _living: None }))
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>> {
        if let Poll::Ready(closed) = Pin::new(&mut self.muxer).poll_close(context) {
            return Poll::Ready(closed.map_err(GuardError::from));
        }
        let begin = || Box::pin(tokio::time::sleep(CLOSE_TIMEOUT));
        let deadline = self.closing.get_or_insert_with(begin);
        deadline.as_mut().poll(context).map(|()| Err(GuardError::CloseTimeout))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        self.take_incoming(context)?;
        if !self.waiting.is_empty()
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
        Poll::Pending
    }
}

/// A stream; an incoming one counts as long as it lives.
pub(super) struct Counted<S> {
    stream: S,
    _living: Option<Arc<()>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

/// The bytes below Yamux. Once our side has said "go away" for a reason, nothing is read any more.
pub(super) struct Watched<C> {
    io: C,
    outgoing: Outgoing,
}

impl<C> Watched<C> {
    fn new(io: C) -> Self {
        Self { io, outgoing: Outgoing::default() }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Watched<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.said_go_away {
            let text = "the member broke the rules of the stream protocol";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
        }
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Watched<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.outgoing.observe(&bytes[..count]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(context)
    }
}

/// Bytes of a frame's header: version, type, flags (2), stream (4), length (4), all big-endian.
const HEADER_BYTES: usize = 12;

/// The types that matter here, from Yamux's specification.
const DATA: u8 = 0;
const GO_AWAY: u8 = 3;

/// Follows the frames that we write ourselves, so it need not doubt them.
#[derive(Default)]
struct Outgoing {
    header: [u8; HEADER_BYTES],
    /// Bytes of the header seen so far.
    seen: usize,
    /// Bytes of the data frame's body still to pass.
    body: usize,
    said_go_away: bool,
}

impl Outgoing {
    fn observe(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.body > 0 {
                let passed = self.body.min(bytes.len());
                self.body -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            let part = (HEADER_BYTES - self.seen).min(bytes.len());
            self.header[self.seen..self.seen + part].copy_from_slice(&bytes[..part]);
            self.seen += part;
            bytes = &bytes[part..];
            if self.seen == HEADER_BYTES {
                self.seen = 0;
                self.on_header();
            }
        }
    }

    fn on_header(&mut self) {
        let [_, kind, _, _, _, _, _, _, length @ ..] = self.header;
        let length = u32::from_be_bytes(length);
        match kind {
            DATA => self.body = length as usize,
            // Here the length is a code, and zero says that we leave in peace.
            GO_AWAY => self.said_go_away |= length != 0,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: u8, length: u32) -> Vec<u8> {
        let mut header = vec![0, kind, 0, 1, 0, 0, 0, 3];
        header.extend(length.to_be_bytes());
        header
    }

    #[test]
    fn a_go_away_is_seen_between_any_cuts_and_only_where_a_frame_starts() {
        // A body that looks like a "go away", a window update and a ping, then the peaceful one.
        let mut innocent = header(DATA, 24);
        innocent.extend([header(GO_AWAY, 1), header(GO_AWAY, 1)].concat());
        innocent.extend([header(1, 9), header(2, 9), header(GO_AWAY, 0)].concat());
        let breach = [innocent.clone(), header(GO_AWAY, 1)].concat();
        for step in 1..=breach.len() {
            let said = |wire: &[u8]| {
                let mut outgoing = Outgoing::default();
                wire.chunks(step).for_each(|part| outgoing.observe(part));
                outgoing.said_go_away
            };
            assert!(!said(&innocent), "in steps of {step}");
            assert!(!said(&breach[..breach.len() - 1]), "in steps of {step}");
            assert!(said(&breach), "in steps of {step}");
        }
    }
}
