//! The pipeline: checking the next entries on all cores while the sequential execution goes on.
//!
//! ```text
//! entries ─▶ cut into chunks ─▶ check (a thread per core) ─▶ in order again ─▶ execute, compare
//! ```
//!
//! Memory: at most two chunks per thread and two more are under way, each of about [`CHUNK_BYTES`] and one
//! entry (half as much), decoded about four times as much. Whoever is faster waits.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::{
    check::{CheckedEntry, Checker},
    run::AuditError,
    streams::Stream,
};

/// A chunk is cut when it has so many bytes: room for a thousand items and more, whose signatures are
/// checked together.
pub const CHUNK_BYTES: usize = 512 * 1024;
/// Or so many entries, of an idle ledger.
pub const CHUNK_ENTRIES: usize = 2_048;

type Checked = Result<Vec<CheckedEntry>, AuditError>;

struct Task {
    entries: Vec<Vec<u8>>,
    reply: SyncSender<Checked>,
}

/// Runs `execute` with the checked entries in their order, while others are being checked by `threads`.
///
/// # Errors
/// Reading entries failed, or what `execute` says.
pub(super) fn run<T>(
    checker: &Checker,
    entries: &mut Stream,
    threads: NonZero<usize>,
    execute: impl FnOnce(&mut dyn FnMut() -> Option<Checked>) -> T,
) -> T {
    let window = 2 * threads.get();
    let (to_check, tasks) = sync_channel::<Task>(window);
    let (to_execute, in_order) = sync_channel::<Receiver<Checked>>(window);
    let tasks = Mutex::new(tasks);
    thread::scope(|scope| {
        scope.spawn(move || cut(entries, &to_check, &to_execute));
        for _ in 0..threads.get() {
            scope.spawn(|| work(checker, &tasks));
        }
        let done = execute(&mut || in_order.recv().ok()?.recv().ok());
        // Whoever still has something for us finds nobody, and ends.
        drop(in_order);
        done
    })
}

/// Cuts chunks and hands each to a checker, its answer to the executor.
fn cut(
    entries: &mut Stream,
    to_check: &SyncSender<Task>,
    to_execute: &SyncSender<Receiver<Checked>>,
) {
    loop {
        let chunk = chunk(entries);
        let failure = entries.failure();
        let last = chunk.is_empty();
        if !last {
            let (reply, answer) = sync_channel(1);
            let task = Task { entries: chunk, reply };
            if to_execute.send(answer).is_err() || to_check.send(task).is_err() {
                return;
            }
        }
        if let Err(failure) = failure {
            let (reply, answer) = sync_channel(1);
            // Behind what was read before; if nobody waits for it, nobody needs it.
            let _ = reply.send(Err(failure));
            let _ = to_execute.send(answer);
            return;
        }
        if last {
            return;
        }
    }
}

fn chunk(entries: &mut Stream) -> Vec<Vec<u8>> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while bytes < CHUNK_BYTES && chunk.len() < CHUNK_ENTRIES {
        let Some(entry) = entries.next() else { break };
        bytes += entry.len();
        chunk.push(entry);
    }
    chunk
}

fn work(checker: &Checker, tasks: &Mutex<Receiver<Task>>) {
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Task { entries, reply }) = task else { return };
        // Nobody waits any more where the audit has ended: the next send of the cutter says so too.
        let _ = reply.send(Ok(checker.check(&entries)));
    }
}
