//! What one run does on its own thread: takes checked entries in order, executes and compares them.

use tokio::sync::watch;

use super::{
    auditor::Auditor,
    check::CheckedEntry,
    closing::Closing,
    fault::Fault,
    finding::{Finding, Part},
    pipeline,
    report::Report,
    resume,
    run::{AuditError, Options, Progress, Resume},
    streams::{Stream, Streams},
    tiles::Compared,
    walk,
};

/// An audit under way.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) auditor: Auditor,
    pub(super) streams: Streams,
    pub(super) options: Options,
    pub(super) told: watch::Sender<Progress>,
}

impl Work {
    /// All of it, on this thread and on as many others as are wanted.
    pub(super) fn run(self, closing: &Closing) -> Result<Report, AuditError> {
        let Self { mut auditor, mut streams, options, told } = self;
        let mut compared = Compared::default();
        let resumed = go_on(&mut auditor, &mut streams, &mut compared, &options)?;
        let Streams { mut entries, seals, leaves, tiles } = streams;
        let mut beside = Beside { seals, leaves, tiles, compared };
        if !resumed {
            beside.open(&mut auditor)?;
        }
        let mut points = Points::new(&options, &auditor);
        let checker = auditor.checker();
        pipeline::run(&checker, &mut entries, options.threads, |next| {
            while let Some(chunk) = next() {
                for entry in chunk? {
                    beside.feed(&mut auditor, entry)?;
                }
                tell(&told, &auditor);
                points.keep(&mut auditor)?;
                // Nobody listens any more: whoever asked for the audit has gone.
                if auditor.is_full() || told.is_closed() {
                    break;
                }
            }
            Ok::<(), AuditError>(())
        })?;
        beside.check_surplus(&mut auditor)?;
        points.close(&mut auditor)?;
        Ok(auditor.finish(closing)?)
    }
}

/// Goes on from the resume point, if there is one.
fn go_on(
    auditor: &mut Auditor,
    streams: &mut Streams,
    compared: &mut Compared,
    options: &Options,
) -> Result<bool, AuditError> {
    let Some(Resume { file, .. }) = &options.resume else {
        return Ok(false);
    };
    let Some(point) = resume::read(file, auditor.genesis().chain(), options.threads)? else {
        return Ok(false);
    };
    walk::walk(auditor, point, streams, compared)?;
    Ok(true)
}

/// When to write resume points.
struct Points<'o> {
    resume: Option<&'o Resume>,
    /// Size of the log at the last one.
    last: u64,
}

impl<'o> Points<'o> {
    fn new(options: &'o Options, auditor: &Auditor) -> Self {
        Self { resume: options.resume.as_ref(), last: auditor.head().size }
    }

    /// Writes one if the last is long ago. None is written of a record that does not hold.
    fn keep(&mut self, auditor: &mut Auditor) -> Result<(), AuditError> {
        let size = auditor.head().size;
        match self.resume {
            Some(Resume { file, every })
                if auditor.is_clean() && size - self.last >= every.get() =>
            {
                self.last = size;
                resume::write(file, auditor)
            }
            _ => Ok(()),
        }
    }

    /// Writes one at the end, from which the next audit of a longer record goes on.
    fn close(&mut self, auditor: &mut Auditor) -> Result<(), AuditError> {
        match self.resume {
            Some(Resume { file, .. }) if auditor.is_clean() && auditor.head().size > self.last => {
                resume::write(file, auditor)
            }
            _ => Ok(()),
        }
    }
}

/// What is compared with each block.
struct Beside {
    seals: Stream,
    leaves: Stream,
    tiles: Option<Stream>,
    compared: Compared,
}

impl Beside {
    fn open(&mut self, auditor: &mut Auditor) -> Result<(), AuditError> {
        let seal = self.seals.next();
        let leaves = &mut self.leaves;
        auditor.open(&mut std::iter::from_fn(|| leaves.next()), seal.as_deref());
        self.tiles(auditor);
        self.failure()
    }

    /// Compares the tiles that are full by now. Where one differs, the others are not looked at.
    fn tiles(&mut self, auditor: &mut Auditor) {
        let nodes = auditor.nodes();
        let Some(tiles) = &mut self.tiles else { return };
        if let Err(finding) = self.compared.take(&nodes, &mut || tiles.next()) {
            self.wrong_tile(auditor, finding);
        }
    }

    fn wrong_tile(&mut self, auditor: &mut Auditor, finding: Finding) {
        let failed = self.tiles.as_mut().is_some_and(|tiles| tiles.has_failed());
        if !failed {
            self.tiles = None;
            auditor.found(finding);
        }
    }

    fn feed(&mut self, auditor: &mut Auditor, entry: CheckedEntry) -> Result<(), AuditError> {
        if auditor.has_diverged() {
            // Only the entry itself can still be judged.
            auditor.feed_checked(entry, &mut std::iter::empty::<Vec<u8>>(), None);
            return Ok(());
        }
        let seal = self.seals.next();
        let leaves = &mut self.leaves;
        auditor.feed_checked(entry, &mut std::iter::from_fn(|| leaves.next()), seal.as_deref());
        if !auditor.has_diverged() {
            self.tiles(auditor);
        }
        if auditor.is_clean() { Ok(()) } else { self.failure() }
    }

    /// A record that could not be read is none that ends too early.
    fn failure(&mut self) -> Result<(), AuditError> {
        self.seals.failure()?;
        self.leaves.failure()?;
        self.tiles.as_mut().map_or(Ok(()), Stream::failure)
    }

    /// Whatever is left belongs to no entry.
    fn check_surplus(&mut self, auditor: &mut Auditor) -> Result<(), AuditError> {
        let head = auditor.head();
        if auditor.has_diverged() || auditor.is_full() {
            return Ok(());
        }
        if self.leaves.next().is_some() {
            let finding = Finding::new(Part::Leaf, Fault::Surplus).leaf(head.size);
            auditor.found(finding.at(head.height + 1));
        }
        if self.seals.next().is_some() {
            auditor.found(Finding::new(Part::Seal, Fault::Surplus).at(head.height + 1));
        }
        if let Some(tiles) = &mut self.tiles
            && let Err(finding) = self.compared.finish(&mut || tiles.next())
        {
            self.wrong_tile(auditor, finding);
        }
        auditor.tally.tiles = self.compared.agreed;
        self.failure()
    }
}

fn tell(told: &watch::Sender<Progress>, auditor: &Auditor) {
    let (height, signatures, transactions) = auditor.counts();
    told.send_modify(|progress| {
        *progress = Progress {
            height,
            target: progress.target.max(height),
            leaves: auditor.head().size,
            transactions,
            signatures,
        };
    });
}
