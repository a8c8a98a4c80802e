//! The task that keeps the newest final checkpoint. Mostly it asks whoever is followed, now and then the
//! others: a final checkpoint that contradicts this replica halts it, whoever shows it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::body::Bytes;
use musubi_ledger::{
    api::Checkpoints,
    hash::{Hash, sha256},
    policy::PolicyBundle,
};
use musubi_storage::{Store, StoreError};
use tokio::{sync::watch, time::MissedTickBehavior};

use super::{
    evidence,
    finals::{Lie, Offer, judge},
    standing::Standing,
};
use crate::{
    core::{Fault, checkpoints::Notes},
    metrics::Metrics,
    outgoing::{Limits, Outgoing},
};

/// Between two questions, while this replica has leaves that no kept checkpoint covers.
const EVERY: Duration = Duration::from_millis(250);
/// Every so manyth question goes to the next upstream in turn instead of the one that is followed.
const OTHERS_EVERY: usize = 8;
/// A note with all signatures that a policy may name is far below this.
const NOTE: Limits = Limits { within: Duration::from_secs(3), bytes: 256 * 1024 };
/// Two notes of each validator.
const CHECKPOINTS: Limits = Limits { within: Duration::from_secs(3), bytes: 1 << 20 };
/// A bundle holds one transaction and one note per change of policy.
const BUNDLE: Limits = Limits {
    within: Duration::from_secs(30),
    bytes: musubi_ledger::policy::bundle::BUNDLE_BYTES_MAX,
};

/// Everything that the task holds.
pub struct Finality {
    /// The HTTP client.
    pub client: Outgoing,
    /// Upstreams, as configured.
    pub urls: Vec<String>,
    /// This replica's log, and where notes are kept.
    pub store: Arc<Store>,
    /// What single validators signed.
    pub notes: Arc<Notes>,
    /// Where this replica stands.
    pub standing: Arc<watch::Sender<Standing>>,
    /// Leaves that the newest final checkpoint covers, for readers.
    pub finals: watch::Sender<u64>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Where refused notes are kept.
    pub evidence: PathBuf,
    /// Per upstream the last note that was refused, not to report it again.
    pub reported: Vec<Option<Hash>>,
}

/// What became of a note.
enum Taken {
    Nothing,
    /// Kept: its size.
    Kept(u64),
    /// Not final as far as this replica can tell, which has not seen a change of policy confirmed yet.
    Unconfirmed,
    Lie(Lie),
}

impl Finality {
    /// Runs until it is dropped, or a final checkpoint contradicts this replica.
    pub async fn run(mut self) -> Fault {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 1.. {
            every.tick().await;
            if *self.finals.borrow() >= self.store.head().0.size {
                continue;
            }
            if let Err(fault) = self.ask(self.whom(turn)).await {
                return fault;
            }
        }
        unreachable!("nobody waits for so many turns")
    }

    fn whom(&self, turn: usize) -> usize {
        if turn.is_multiple_of(OTHERS_EVERY) {
            return turn / OTHERS_EVERY % self.urls.len();
        }
        let standing = self.standing.borrow();
        let followed = standing.upstream.as_ref();
        self.urls.iter().position(|url| Some(url) == followed).unwrap_or(0)
    }

    /// Tells readers, who may wait for it.
    fn note_size(&self, size: u64) {
        self.metrics.finalised(size);
        self.finals.send_if_modified(|known| {
            let newer = size > *known;
            *known = size.max(*known);
            newer
        });
    }

    async fn ask(&mut self, at: usize) -> Result<(), Fault> {
        let Some(note) = self.fetch(at, "/log/checkpoint", NOTE).await else { return Ok(()) };
        match self.take(note.clone()).await? {
            Taken::Nothing => Ok(()),
            Taken::Kept(size) => {
                self.note_size(size);
                self.hear_validators(at).await
            }
            Taken::Lie(lie) => self.refuse(at, &note, &lie),
            Taken::Unconfirmed => self.confirm(at).await,
        }
    }

    async fn take(&self, note: Bytes) -> Result<Taken, Fault> {
        let store = Arc::clone(&self.store);
        blocking(move || take(&store, &note)).await
    }

    /// An answer of status 200. That an upstream does not answer is the pulling task's to tell.
    async fn fetch(&self, at: usize, path: &str, limits: Limits) -> Option<Bytes> {
        let url = format!("{}{path}", self.urls[at]);
        let answer = self.client.get(&url, None, limits).await.ok()?;
        (answer.status == 200).then_some(answer.body)
    }

    /// Takes over what single validators signed, each checked against its own key and this replica's log: for
    /// auditors who ask here.
    async fn hear_validators(&self, at: usize) -> Result<(), Fault> {
        let Some(bytes) = self.fetch(at, "/v1/checkpoints", CHECKPOINTS).await else {
            return Ok(());
        };
        let Ok(checkpoints) = serde_json::from_slice::<Checkpoints>(&bytes) else { return Ok(()) };
        let (notes, store) = (Arc::clone(&self.notes), Arc::clone(&self.store));
        let hear = move || {
            begin_epoch(&notes, &store)?;
            checkpoints.notes.iter().for_each(|(node, note)| notes.take(*node, note));
            Ok(())
        };
        blocking(hear).await
    }

    /// Takes over the checkpoints that confirmed changes of policy.
    async fn confirm(&mut self, at: usize) -> Result<(), Fault> {
        let Some(bytes) = self.fetch(at, "/v1/policies", BUNDLE).await else { return Ok(()) };
        let chain = self.store.genesis().map_err(failed)?.chain();
        let Ok(bundle) = PolicyBundle::decode(&bytes) else { return Ok(()) };
        if let Err(error) = bundle.verify(&chain) {
            tracing::warn!(upstream = self.urls[at], %error, "an upstream's policy bundle is refused");
            return Ok(());
        }
        for step in bundle.steps {
            let note = Bytes::from(step.checkpoint);
            match self.take(note.clone()).await? {
                Taken::Lie(lie) => self.refuse(at, &note, &lie)?,
                Taken::Kept(size) => self.note_size(size),
                Taken::Nothing | Taken::Unconfirmed => {}
            }
        }
        Ok(())
    }

    /// Reports a lie, once; a final one halts the replica.
    fn refuse(&mut self, at: usize, note: &[u8], lie: &Lie) -> Result<(), Fault> {
        let url = &self.urls[at];
        let hash = sha256(note);
        if self.reported[at].replace(hash) != Some(hash) {
            let kept = evidence::keep_note(&self.evidence, url, note, lie);
            let kept =
                kept.map_or_else(|e| format!("not kept: {e}"), |at| at.display().to_string());
            let code = lie.code();
            tracing::error!(upstream = url, code, evidence = kept, "refused a checkpoint: {lie}");
            self.metrics.upstream_refused(url, code);
            let told = (url.clone(), lie.to_string());
            self.standing.send_modify(|standing| standing.refused.push(told));
        }
        match lie {
            Lie::Forged(_) => Ok(()),
            Lie::Contradiction(refused) => Err(Fault::Contradicted(format!("{url}: {refused}"))),
        }
    }
}

/// Judges a note and keeps it, if it is final and new.
fn take(store: &Store, note: &[u8]) -> Result<Taken, StoreError> {
    let policies = store.policies()?;
    let offer = match judge(&policies, note, store, store.final_size()?) {
        Ok(offer) => offer,
        Err(lie) => return Ok(Taken::Lie(lie)),
    };
    Ok(match offer {
        Offer::Newer(found) => {
            let size = found.checkpoint.size();
            let text = String::from_utf8_lossy(note);
            store.stage_final(&text, &policies.unsettled(size))?;
            Taken::Kept(size)
        }
        Offer::NotFinal if !policies.unsettled(u64::MAX).is_empty() => Taken::Unconfirmed,
        Offer::NotFinal | Offer::Known | Offer::Ahead(_) => Taken::Nothing,
    })
}

/// Single validators' notes are those of the present epoch.
pub fn begin_epoch(notes: &Notes, store: &Store) -> Result<(), StoreError> {
    let policies = store.policies()?;
    if let Some(recovery) = policies.recoveries().last() {
        notes.begin(policies.newest().origin(), &recovery.begins.validators);
    }
    Ok(())
}

/// Reads or writes the store on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Fault::Thread("finality"))?.map_err(failed)
}

fn failed(error: StoreError) -> Fault {
    Fault::Storage(error.to_string())
}
