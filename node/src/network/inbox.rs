//! The application's side of what arrives: one queue per class, bounded in frames and in bytes.
//!
//! Classes are kept apart so that one which the application does not read slows only itself down:
//! its readers stop, the senders' windows fill, their queues fill, and they are told so.
//! [`Inbox::recv`] merges the classes fairly; [`Inbox::split`] hands them out one by one, for an
//! application that stops reading one class for a while.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Class;

/// A frame that a member sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Who sent it: the node whose key authenticated the connection.
    pub from: u64,
    /// On which kind of stream.
    pub class: Class,
    /// The bytes, at most [`FRAME_BYTES_MAX`](super::FRAME_BYTES_MAX).
    pub frame: Vec<u8>,
}

/// A frame and the bytes it holds of its class's budget, given back when the application takes the
/// frame.
type Held = (Incoming, OwnedSemaphorePermit);

/// The received frames of one class.
#[derive(Debug)]
pub struct Frames(mpsc::Receiver<Held>);

impl Frames {
    /// The next frame of this class; `None` once the network has stopped. Loses nothing when
    /// cancelled.
    pub async fn recv(&mut self) -> Option<Incoming> {
        self.0.recv().await.map(|(incoming, _)| incoming)
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.0.poll_recv(context).map(|held| held.map(|(incoming, _)| incoming))
    }
}

/// The received frames of every class.
#[derive(Debug)]
pub struct Inbox {
    classes: [Frames; Class::ALL.len()],
    /// The class that is asked first next time.
    turn: usize,
}

impl Inbox {
    /// The next frame of any class, each class in its turn; `None` once the network has stopped.
    /// Loses nothing when cancelled.
    pub async fn recv(&mut self) -> Option<Incoming> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// One receiver per class, in the order of [`Class::ALL`].
    #[must_use]
    pub fn split(self) -> [Frames; Class::ALL.len()] {
        self.classes
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let count = self.classes.len();
        let mut ended = 0;
        for step in 0..count {
            let class = (self.turn + step) % count;
            match self.classes[class].poll_recv(context) {
                Poll::Ready(Some(incoming)) => {
                    self.turn = (class + 1) % count;
                    return Poll::Ready(Some(incoming));
                }
                Poll::Ready(None) => ended += 1,
                Poll::Pending => {}
            }
        }
        if ended == count { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// The readers' end of one class.
#[derive(Debug, Clone)]
pub(super) struct InboxSender {
    frames: mpsc::Sender<Held>,
    bytes: Arc<Semaphore>,
}

impl InboxSender {
    /// Waits until there is room; false once the application has let go of the inbox.
    pub(super) async fn put(&self, incoming: Incoming) -> bool {
        // At most 1 MiB, and the budget is no smaller (checked at the start): it can always be
        // granted.
        let bytes = incoming.frame.len() as u32;
        let Ok(permit) = Arc::clone(&self.bytes).acquire_many_owned(bytes).await else {
            return false;
        };
        self.frames.send((incoming, permit)).await.is_ok()
    }
}

/// The two ends of the inbox; the senders in the order of [`Class::ALL`].
pub(super) fn channels(
    frames_max: usize,
    bytes_max: usize,
) -> ([InboxSender; Class::ALL.len()], Inbox) {
    let pairs = Class::ALL.map(|_| {
        let (frames, receiver) = mpsc::channel(frames_max);
        (InboxSender { frames, bytes: Arc::new(Semaphore::new(bytes_max)) }, Frames(receiver))
    });
    let senders = pairs.each_ref().map(|(sender, _)| sender.clone());
    let classes = pairs.map(|(_, receiver)| receiver);
    (senders, Inbox { classes, turn: 0 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::FutureExt;

    use super::*;

    fn incoming(class: Class, bytes: usize) -> Incoming {
        Incoming { from: 1, class, frame: vec![0; bytes] }
    }

    #[tokio::test]
    async fn a_full_class_blocks_only_itself() {
        let (senders, mut inbox) = channels(8, 1_000);
        assert!(senders[1].put(incoming(Class::Append, 900)).await);
        assert!(
            senders[1].put(incoming(Class::Append, 101)).now_or_never().is_none(),
            "over the byte budget"
        );
        for _ in 0..8 {
            assert!(senders[0].put(incoming(Class::Control, 0)).now_or_never().unwrap());
        }
        assert!(
            senders[0].put(incoming(Class::Control, 0)).now_or_never().is_none(),
            "over the frame budget"
        );
        // Fair: the single append frame does not wait for the eight of control.
        let order = [inbox.recv().await.unwrap().class, inbox.recv().await.unwrap().class];
        assert_eq!(order, [Class::Control, Class::Append]);
        assert!(
            senders[1].put(incoming(Class::Append, 101)).now_or_never().unwrap(),
            "the bytes came back"
        );
    }

    #[tokio::test]
    async fn ends_when_all_senders_are_gone() {
        let (senders, mut inbox) = channels(8, 1_000);
        assert!(senders[3].put(incoming(Class::Submission, 1)).await);
        drop(senders);
        assert!(inbox.recv().await.is_some());
        assert!(inbox.recv().await.is_none());
    }
}
