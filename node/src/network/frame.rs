//! The framing on a stream: a length as four bytes big-endian, then that many bytes.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt};
use thiserror::Error;

/// The longest frame, in bytes without its length (1 MiB).
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Bytes of the length before a frame.
pub(super) const LENGTH_BYTES: usize = 4;

/// Allocated before a byte of the body is there; more only as bytes arrive, so that a claimed
/// length costs nothing.
const BODY_BYTES_FIRST: usize = 16 << 10;

/// Why no frame could be read.
#[derive(Debug, Error)]
pub(super) enum FrameError {
    #[error("a frame claims {length} bytes, more than the {FRAME_BYTES_MAX} allowed")]
    OverLong { length: u32 },
    #[error("the stream broke: {0}")]
    Broken(#[from] io::Error),
    #[error("a frame has begun and does not end within {limit:?}")]
    Late { limit: Duration },
}

/// Appends a frame as it goes over the wire.
pub(super) fn append(buffer: &mut Vec<u8>, frame: &[u8]) {
    assert!(frame.len() <= FRAME_BYTES_MAX, "the queue takes no frame that is too large");
    // Fits: the assertion above.
    let length = (frame.len() as u32).to_be_bytes();
    buffer.reserve(LENGTH_BYTES + frame.len());
    buffer.extend_from_slice(&length);
    buffer.extend_from_slice(frame);
}

/// Reads one frame; `None` at the end of the stream, if that falls between two frames. Between
/// frames it waits for ever; once the first byte is there, the rest has `limit`. Needs a runtime
/// with a clock.
pub(super) async fn read<R: AsyncRead + Unpin>(
    stream: &mut R,
    limit: Duration,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut first = [0];
    if stream.read(&mut first).await? == 0 {
        return Ok(None);
    }
    let rest = tokio::time::timeout(limit, read_rest(stream, first[0]));
    rest.await.unwrap_or(Err(FrameError::Late { limit })).map(Some)
}

/// Reads a frame whose first byte is there.
async fn read_rest<R: AsyncRead + Unpin>(stream: &mut R, first: u8) -> Result<Vec<u8>, FrameError> {
    let mut length = [first; LENGTH_BYTES];
    stream.read_exact(&mut length[1..]).await?;
    let length = u32::from_be_bytes(length);
    if length as usize > FRAME_BYTES_MAX {
        return Err(FrameError::OverLong { length });
    }
    let mut body = Vec::with_capacity(BODY_BYTES_FIRST.min(length as usize));
    stream.take(u64::from(length)).read_to_end(&mut body).await?;
    if body.len() < length as usize {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures::FutureExt;
    use futures::io::Cursor;

    use super::*;

    /// Readers in memory never wait.
    fn read_now<R: AsyncRead + Unpin>(stream: &mut R) -> Result<Option<Vec<u8>>, FrameError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime for its clock");
        let _entered = runtime.enter();
        let reading = read(stream, Duration::from_secs(1));
        reading.now_or_never().expect("bytes in memory are there at once")
    }

    fn read_all(wire: &[u8]) -> (Vec<Vec<u8>>, Option<FrameError>) {
        let mut stream = Cursor::new(wire);
        let mut frames = Vec::new();
        loop {
            match read_now(&mut stream) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return (frames, None),
                Err(error) => return (frames, Some(error)),
            }
        }
    }

    #[test]
    fn frames_come_back_as_they_went() {
        let frames = [vec![], vec![7], vec![1; 70_000], vec![9; FRAME_BYTES_MAX]];
        let mut wire = Vec::new();
        frames.iter().for_each(|frame| append(&mut wire, frame));
        let (read, error) = read_all(&wire);
        assert_eq!(read, frames);
        assert!(error.is_none());
    }

    #[test]
    fn every_cut_is_a_broken_stream_or_a_clean_end() {
        let mut wire = Vec::new();
        append(&mut wire, b"first");
        append(&mut wire, b"second");
        for cut in 0..=wire.len() {
            let (frames, error) = read_all(&wire[..cut]);
            let whole = [0, 9, 19].iter().position(|end| *end == cut);
            assert_eq!(error.is_none(), whole.is_some(), "cut at {cut}");
            assert_eq!(
                frames.len(),
                if cut == 19 { 2 } else { usize::from(cut >= 9) },
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn an_over_long_length_is_refused_before_its_body() {
        for length in [FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
            let (frames, error) = read_all(&length.to_be_bytes());
            assert!(frames.is_empty());
            assert!(
                matches!(error, Some(FrameError::OverLong { length: claimed }) if claimed == length)
            );
        }
    }

    /// Gives what is in it, one byte at a time, and remembers the longest buffer it was offered.
    struct Drip<'a> {
        wire: &'a [u8],
        offered_max: usize,
    }

    impl AsyncRead for Drip<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.offered_max = self.offered_max.max(buffer.len());
            let Some((first, rest)) = self.wire.split_first() else {
                return Poll::Ready(Ok(0));
            };
            buffer[0] = *first;
            self.wire = rest;
            Poll::Ready(Ok(1))
        }
    }

    #[test]
    fn a_claimed_length_allocates_only_as_its_bytes_arrive() {
        let mut wire = (FRAME_BYTES_MAX as u32).to_be_bytes().to_vec();
        wire.extend([1; 100]);
        let mut drip = Drip { wire: &wire, offered_max: 0 };
        assert!(matches!(read_now(&mut drip), Err(FrameError::Broken(_))));
        assert!(drip.offered_max <= BODY_BYTES_FIRST, "{}", drip.offered_max);
    }
}
