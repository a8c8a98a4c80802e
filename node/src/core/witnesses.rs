//! Independent witnesses: where this node leads, it submits each checkpoint that it names to them, and their
//! cosignatures go to the cosigner (C2SP tlog-witness).
//!
//! One task per witness. Only the newest checkpoint counts: what was named while a witness was busy or away is
//! skipped. A witness that cannot be reached delays nothing but what the policy needs it for.

use std::{sync::Arc, time::Duration};

use musubi_consensus::cosigner::Event;
use musubi_ledger::tlog::{
    VerifierKey,
    note::SignedNote,
    witness::{ADD_CHECKPOINT_PATH, Step, Submission},
};
use musubi_storage::Store;
use tokio::{sync::watch, task::JoinSet};

use super::cosigning::Events;
use crate::{
    config::WitnessSection,
    metrics::Metrics,
    outgoing::{Limits, Outgoing},
};

/// A few signature lines, or a size.
const ANSWER: Limits = Limits { within: Duration::from_secs(10), bytes: 16 * 1024 };

/// The newest checkpoint that this node named, and the keys of the independent witnesses that the policy for it
/// lists.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The note, signed by this node as the log.
    pub note: String,
    /// Witnesses' keys.
    pub keys: Vec<VerifierKey>,
}

/// What the tasks share.
#[derive(Clone)]
pub struct Witnesses {
    /// The HTTP client.
    pub client: Outgoing,
    /// The log, for consistency proofs.
    pub store: Arc<Store>,
    /// To the cosigner.
    pub cosigner: Events,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

impl Witnesses {
    /// Starts a task for each configured witness. They run until aborted.
    pub fn start(
        &self,
        configured: &[WitnessSection],
        named: &watch::Receiver<Named>,
        tasks: &mut JoinSet<()>,
    ) {
        for witness in configured {
            tasks.spawn(self.clone().serve(witness.clone(), named.clone()));
        }
    }

    async fn serve(self, witness: WitnessSection, mut named: watch::Receiver<Named>) {
        let mut submission: Option<Submission> = None;
        while named.changed().await.is_ok() {
            let Named { note, keys } = named.borrow_and_update().clone();
            // A witness that no policy lists yet is left alone.
            let Some(key) = keys.into_iter().find(|key| key.name() == witness.name) else {
                continue;
            };
            let known = submission.take().filter(|known| *known.witness() == key);
            let known = known.unwrap_or_else(|| Submission::new(key, 0));
            submission = Some(self.submit(&witness, known, &note).await);
        }
    }

    /// Submits one checkpoint until it is cosigned or refused.
    async fn submit(
        &self,
        witness: &WitnessSection,
        mut submission: Submission,
        note: &str,
    ) -> Submission {
        let signed: SignedNote = note.parse().expect("this node's own note");
        loop {
            match self.ask(witness, &mut submission, &signed).await {
                Ok(Some(cosigned)) => {
                    let event = Event::Note { from: None, note: cosigned };
                    let cosigner = self.cosigner.clone();
                    // If its thread is gone the node is stopping.
                    let _ = tokio::task::spawn_blocking(move || cosigner.send(event)).await;
                    return submission;
                }
                Ok(None) => {}
                Err((code, why, alarm)) => {
                    self.metrics.witness_failed(&witness.name, code);
                    if alarm {
                        tracing::error!(witness = witness.name, code, "{why}");
                    } else {
                        tracing::warn!(witness = witness.name, code, "{why}");
                    }
                    return submission;
                }
            }
        }
    }

    /// One request: the note with the witness's line, or none if it named another size and is to be asked again.
    async fn ask(
        &self,
        witness: &WitnessSection,
        submission: &mut Submission,
        note: &SignedNote,
    ) -> Result<Option<String>, (&'static str, String, bool)> {
        let request = {
            let (store, submission, note) =
                (Arc::clone(&self.store), submission.clone(), note.clone());
            // Reads hashes from the disk.
            let made =
                tokio::task::spawn_blocking(move || submission.request(&note, &store.nodes()));
            made.await.map_err(|_| ("internal", "the request panicked".to_owned(), true))?
        };
        let failed = |error: musubi_ledger::tlog::witness::SubmissionError| {
            (error.code(), error.to_string(), error.is_alarm())
        };
        let request = request.map_err(failed)?.to_string();
        let url = format!("{}{ADD_CHECKPOINT_PATH}", witness.url.trim_end_matches('/'));
        let body = ("text/plain; charset=utf-8", request.into());
        let answer = self.client.post(&url, None, body, ANSWER).await;
        let answer = answer.map_err(|error| (error.code(), error.to_string(), false))?;
        let kind = answer.content_type.as_deref();
        match submission.answered(note, answer.status, kind, &answer.body).map_err(failed)? {
            Step::Again => Ok(None),
            Step::Cosigned(line) => {
                let mut cosigned = SignedNote::new(note.text().to_owned()).expect("it was one");
                cosigned.add(line).expect("a new note has room");
                Ok(Some(cosigned.to_string()))
            }
        }
    }
}
