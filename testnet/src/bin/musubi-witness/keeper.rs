//! The witness behind its lock: one request at a time is judged, stored and answered.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use musubi_ledger::{
    keys::SecretKey,
    tlog::{
        Hash,
        witness::{AddCheckpoint, Answer, Refusal, Witness, monitoring_name},
    },
};
use tokio::sync::Notify;

use crate::state::StateFile;

/// Owns witness, key and state.
pub(crate) struct Keeper {
    inner: Mutex<Inner>,
    failed: Notify,
}

struct Inner {
    witness: Witness,
    secret: SecretKey,
    state: StateFile,
    /// A write failed: nobody knows what the disk has. Nothing is cosigned any more.
    is_failed: bool,
}

/// Why nothing is cosigned now. Its submitter may come back later.
fn unavailable(code: &str, sentence: &str) -> Answer {
    let body = format!("{code}: {sentence}\n");
    Answer { status: 503, content_type: "text/plain; charset=utf-8", body }
}

fn failed() -> Answer {
    unavailable("storage_failed", "this witness could not store its state: ask its operator")
}

/// One line for the operator. That nobody reads it any more must not stop the witness.
pub(crate) fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl Keeper {
    pub(crate) fn new(witness: Witness, secret: SecretKey, state: StateFile) -> Self {
        let inner = Inner { witness, secret, state, is_failed: false };
        Self { inner: Mutex::new(inner), failed: Notify::new() }
    }

    /// Judges one request. Blocks for the disk.
    pub(crate) fn add_checkpoint(&self, body: &[u8]) -> Answer {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return Refusal::from(error).answer(),
        };
        // Whoever panicked with the lock held has sent nothing: memory moves right before the answer leaves.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = inner.add_checkpoint(&request);
        if inner.is_failed {
            self.failed.notify_one();
        }
        answer
    }

    /// The newest note of a log, by the SHA-256 of its origin.
    pub(crate) fn monitored(&self, hash: &Hash) -> Option<String> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.witness.monitored(hash).map(|record| record.note().to_string())
    }

    /// Returns when the state could not be stored.
    pub(crate) async fn failed(&self) {
        self.failed.notified().await;
    }
}

impl Inner {
    fn add_checkpoint(&mut self, request: &AddCheckpoint) -> Answer {
        if self.is_failed {
            return failed();
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = since.as_secs();
        if now == 0 {
            say(format_args!("this machine's clock stands before 1970: nothing is cosigned"));
            return unavailable("bad_clock", "this witness does not know what time it is");
        }
        let key = self.witness.key().clone();
        let secret = &self.secret;
        let pending = match self.witness.add_checkpoint(request, now, |m| secret.sign(m).0) {
            Ok(pending) => pending,
            Err(refusal) => return self.refuse(request, &refusal),
        };
        // A crash up to here: nobody has seen the cosignature. Within `store`: the old state or the new
        // one, and still nobody has seen it. Behind it: the state covers what may be sent.
        if let Err(error) = self.state.store(&key, pending.records()) {
            drop(pending);
            say(format_args!("{error:#}"));
            self.is_failed = true;
            return failed();
        }
        let checkpoint = pending.record().checkpoint().clone();
        let answer = pending.persisted();
        say(format_args!("cosigned {} at {}", checkpoint.origin(), checkpoint.size()));
        answer
    }

    fn refuse(&self, request: &AddCheckpoint, refusal: &Refusal) -> Answer {
        let origin = request.note().text().lines().next().unwrap_or_default();
        // A stranger's request is no news; a log's own that contradicts what was cosigned is.
        if refusal.status() == 422 {
            let (code, note) = (refusal.code(), request.note());
            say(format_args!("refused {origin:?}: {code}: {refusal}; the note:\n{note}"));
        }
        if *refusal == Refusal::OtherRoot
            && let Some(ours) = self.witness.latest(origin)
        {
            let name = format!("{}-{}", &monitoring_name(origin)[..16], ours.checkpoint().size());
            if let Err(error) = self.state.keep_fork(&name, ours.note(), request.note()) {
                say(format_args!("the evidence could not be kept: {error:#}"));
            }
        }
        refusal.answer()
    }
}
