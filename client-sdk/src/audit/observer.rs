//! Looking on while the audit executes: what makes reports, indexes and exports out of a record without a second
//! executor.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use musubi_ledger::{
    execute::{Block, CheckedItem},
    genesis::Genesis,
};

use super::{
    report::Report,
    run::{self, AuditError, Options, Progress},
    source::Source,
};

/// A block as the audit has executed it.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'b> {
    /// The document that opened the chain.
    pub genesis: &'b Genesis,
    /// The block with leaves, outcomes and changed rows.
    pub block: &'b Block,
    /// The items of its batch, one per [`Block::items`]; none for block 0.
    pub items: &'b [CheckedItem],
}

/// Somebody who looks on. What is shown is this machine's own execution; whether the published record agrees with it
/// is known when [`replay`] returns a report.
pub trait Observer: Send {
    /// A block was executed. They come in order, from block 0 on.
    fn executed(&mut self, executed: Executed<'_>);
}

/// An observer behind a handle.
pub(super) struct Watch(Box<dyn FnMut(Executed<'_>) + Send>);

impl Watch {
    pub(super) fn show(&mut self, executed: Executed<'_>) {
        (self.0)(executed);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// As [`run::run`], and shows every block to `observer`, which is returned with the report. Executes from the beginning:
/// [`Options::resume`] is not used.
///
/// # Errors
/// As [`run::run`]: of a record that does not hold, nothing is returned.
///
/// # Panics
/// Outside a tokio runtime, or where the observer does.
pub async fn replay<O: Observer + 'static>(
    source: Source,
    options: Options,
    observer: O,
    progress: impl FnMut(&Progress),
) -> Result<(Report, O), AuditError> {
    let kept = Arc::new(Mutex::new(observer));
    let shown = Arc::clone(&kept);
    let watch = Watch(Box::new(move |executed| {
        shown.lock().unwrap_or_else(PoisonError::into_inner).executed(executed);
    }));
    let options = Options { resume: None, ..options };
    let report = run::run_watched(source, options, Some(watch), progress).await?;
    let observer = Arc::into_inner(kept).expect("the audit is over, and its handle with it");
    Ok((report, observer.into_inner().unwrap_or_else(PoisonError::into_inner)))
}
