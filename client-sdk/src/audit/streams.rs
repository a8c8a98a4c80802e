//! Records read ahead of whoever takes them, in pages, with a bound: three streams of a record.

use tokio::sync::mpsc;

use super::run::AuditError;

/// Pages that wait for being taken, per stream.
const PAGES: usize = 4;

/// Records in order.
#[derive(Debug)]
pub(super) struct Stream {
    pages: mpsc::Receiver<Result<Vec<Vec<u8>>, AuditError>>,
    page: std::vec::IntoIter<Vec<u8>>,
    failure: Option<AuditError>,
}

/// Where a stream's pages are put.
pub(super) type Pages = mpsc::Sender<Result<Vec<Vec<u8>>, AuditError>>;

impl Stream {
    /// A stream and where its pages come from.
    pub(super) fn new() -> (Pages, Self) {
        let (sender, pages) = mpsc::channel(PAGES);
        (sender, Self { pages, page: Vec::new().into_iter(), failure: None })
    }

    /// The next record, waiting for it; none at the end, or where reading failed: see
    /// [`Stream::failure`].
    ///
    /// # Panics
    /// On a runtime's own thread, which must not wait.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(record) = self.page.next() {
                return Some(record);
            }
            match self.pages.blocking_recv()? {
                Ok(page) => self.page = page.into_iter(),
                Err(failure) => {
                    self.failure = Some(failure);
                    self.pages.close();
                    return None;
                }
            }
        }
    }

    /// Whether it ended before its end.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Why it ended before its end.
    pub(super) fn failure(&mut self) -> Result<(), AuditError> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// The streams of a record, all read ahead.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) entries: Stream,
    pub(super) seals: Stream,
    pub(super) leaves: Stream,
    /// None where a record has no tiles.
    pub(super) tiles: Option<Stream>,
}

impl Streams {
    /// Why one of them ended before its end.
    pub(super) fn failure(&mut self) -> Result<(), AuditError> {
        let tiles = self.tiles.as_mut().map(Stream::failure);
        let others = [&mut self.entries, &mut self.seals, &mut self.leaves].map(Stream::failure);
        others.into_iter().chain(tiles).collect()
    }
}
