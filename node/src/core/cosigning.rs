//! The cosigner's thread: feeds it what was executed, signed and heard, and carries out its acts.
//!
//! ```text
//!  executor ─ executed ─┐            ┌─ persist ─▶ disk ─ durable ─┐
//!  peers ──── notes ────┼▶ cosigner ─┤                             ├▶ cosigner
//!  replica ── leading ──┘            ├─ send ────▶ members         │
//!                                    └─ final ───▶ store, readers ─┘
//! ```

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use anyhow::Context;
use musubi_consensus::{
    Status,
    cosigner::{Act, Cosigner, CosignerKeys, Event, Remembered},
};
use musubi_ledger::{
    batch::NodeId,
    execute::Block,
    policy::{Cosigned, FinalCheckpoint, Member, Trusted, WitnessPolicy},
    state::{Row, RowKey},
    tlog::{checkpoint::Checkpoint, note::SignedNote},
};
use musubi_storage::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Fault, checkpoints::Notes, disk::Job, forward::Frame, witnesses::Named};
use crate::{
    clock::Clock,
    metrics::Metrics,
    network::{Class, Network},
    recover::{self, Recoveries},
};

/// Events that may wait: blocks wait no longer than a signature takes, peers' notes are rare.
pub const EVENTS_MAX: usize = 4_096;
/// How often the thread looks whether the node stops.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Where events for the cosigner go.
pub type Events = SyncSender<Event>;

/// Everything that the cosigner's thread touches.
pub struct Cosigning {
    /// The cosigner.
    pub cosigner: Cosigner,
    /// This node.
    pub me: u64,
    /// Other members.
    pub members: Vec<u64>,
    /// What has been executed, and what is final.
    pub store: Arc<Store>,
    /// To the disk thread.
    pub disk: SyncSender<Job>,
    /// To other members.
    pub network: Arc<Network>,
    /// The replica's figures: whether others vouch for this process.
    pub status: watch::Receiver<Status>,
    /// What each validator signed, for readers.
    pub notes: Arc<Notes>,
    /// To the tasks that submit to independent witnesses.
    pub named: watch::Sender<Named>,
    /// Whether this node leads.
    pub leads: bool,
    /// The newest final size, for whoever waits for it.
    pub finals: watch::Sender<u64>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// What cosignatures are dated by.
    pub clock: Clock,
    /// A clean stop.
    pub stop: CancellationToken,
}

/// Takes up the cosigner where the disk left it.
///
/// # Errors
/// If the store cannot be read, or if this node has signed a root that its own log does not have: then the
/// directory is not the one that the signature was made from.
pub fn resume(
    store: &Store,
    me: u64,
    keys: CosignerKeys,
    recoveries: &Recoveries,
) -> anyhow::Result<Cosigner> {
    let signed = store.latest_checkpoint().context("the signed checkpoint cannot be read")?;
    if let Some((size, note)) = &signed {
        let note = SignedNote::parse(note.as_bytes()).context("the signed checkpoint")?;
        let checkpoint: Checkpoint = note.text().parse().context("the signed checkpoint")?;
        let own = store.root_at(*size);
        anyhow::ensure!(
            own.is_none_or(|own| own == *checkpoint.root()),
            "this node has signed another root at size {size} than its log has: the data directory \
             is not the one that it signed from; keep it, and start from a new one as a replica"
        );
    }
    let policies =
        recover::policies(store, recoveries).context("the witness policies cannot be read")?;
    let last_final = store.final_checkpoint().context("the final checkpoint cannot be read")?;
    let bundle = store.policy_bundle().context("the witness policies cannot be read")?;
    let confirmed = bundle.steps.into_iter().map(|step| step.checkpoint);
    // What an earlier epoch confirmed, nobody waits for: its log has ended. A note begins with its log's origin.
    let origin = Some(policies.newest().origin());
    let confirmed = confirmed.filter(|note| note.lines().next() == origin).collect();
    let signed = signed.map(|(_, note)| note);
    let remembered = Remembered { signed, last_final, confirmed };
    let cosigner = Cosigner::new(NodeId(me), keys, policies, remembered);
    cosigner
        .map_err(|why| anyhow::anyhow!("the signed checkpoint on disk is not this log's: {why}"))
}

/// What a recorded block tells the cosigner.
#[must_use]
pub fn executed(block: &Block) -> Event {
    // A recovery's policy is known from the start, by configuration.
    let recovery = block.changes.keys().any(|key| matches!(key, RowKey::Epoch(_)));
    let policies = block.changes.iter().filter_map(|(key, row)| match (key, row) {
        (RowKey::Policy(_), Some(Row::Policy(row))) if !recovery => {
            let set_by = row.set_by?;
            let item = block.items.iter().find(|item| item.id == set_by && item.leaf.is_some())?;
            item.leaf.map(|leaf| (row.policy.clone(), leaf + 1))
        }
        _ => None,
    });
    let policies: Vec<(WitnessPolicy, u64)> = policies.collect();
    Event::Executed { size: block.head.size, root: block.root, policies }
}

impl Cosigning {
    /// Runs until the node stops.
    ///
    /// # Errors
    /// [`Fault::Storage`] if a final checkpoint cannot be kept.
    pub fn run(mut self, events: &Receiver<Event>) -> Result<(), Fault> {
        let (head, root) = self.store.head();
        self.take(Event::Executed { size: head.size, root, policies: Vec::new() })?;
        while !self.stop.is_cancelled() {
            match events.recv_timeout(self.patience()) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => self.take(Event::Wake)?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        let wake = self.cosigner.next_wake().map(|at| at.saturating_sub(self.clock.now().0));
        wake.map_or(LOOK_AGAIN, |ms| Duration::from_millis(ms.max(1)).min(LOOK_AGAIN))
    }

    fn take(&mut self, event: Event) -> Result<(), Fault> {
        // Until others vouch for it this process may have forgotten what it signed: it answers no name. Nor
        // does it lead.
        if matches!(event, Event::Note { .. }) && !self.status.borrow().awake {
            return Ok(());
        }
        if let Event::Leading(leads) = event {
            self.leads = leads;
        }
        let store = Arc::clone(&self.store);
        self.cosigner.handle(self.clock.now().0, event, &|size| store.seal_root_at(size));
        while let Some(act) = self.cosigner.poll() {
            self.carry_out(act)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, act: Act) -> Result<(), Fault> {
        match act {
            Act::Persist { size, note, .. } => {
                self.disk
                    .send(Job::Checkpoint { size, note })
                    .map_err(|_| Fault::Thread("disk"))?;
            }
            Act::Send { note } => {
                self.notes.take(self.me, &note);
                self.name_to_witnesses(&note);
                self.tell_members(note);
            }
            Act::Final(checkpoint) => {
                self.publish(&checkpoint)?;
                // Members send each other their own lines; a witness's has come to the leader alone.
                let witnessed = |cosigned: &Cosigned| cosigned.member == Member::Independent;
                if self.leads && checkpoint.cosigned.iter().any(witnessed) {
                    self.tell_members(checkpoint.note.to_string());
                }
            }
            Act::Retell { note } => self.tell_members(note),
            Act::Settled { policies, note } => {
                self.store.stage_final(&note, &policies).map_err(failed)?;
                tracing::info!(?policies, "a witness policy is confirmed by the quorum before it");
            }
            // `Notes` has compared it too, keeps it for readers, and logs it as evidence.
            Act::Contradiction { .. } => self.metrics.evidence("contradicting_checkpoint"),
            Act::Dropped { from, why } => {
                self.metrics.evidence("bad_checkpoint");
                let member = from.map(|node| node.0);
                tracing::warn!(member, why, "a checkpoint was dropped");
            }
        }
        Ok(())
    }

    fn tell_members(&self, note: String) {
        let frame = Frame::Checkpoint(note).encode();
        for member in &self.members {
            // Loss is harmless: the next round comes.
            let _ = self.network.send(*member, Class::Submission, frame.clone());
        }
    }

    /// Where this node leads, witnesses are asked too: those that the policies for this checkpoint list.
    fn name_to_witnesses(&self, note: &str) {
        if !self.leads {
            return;
        }
        let signed: SignedNote = note.parse().expect("this node's own note");
        let checkpoint: Checkpoint = signed.text().parse().expect("this node's own note");
        let needed = self.cosigner.policies().needed(checkpoint.size());
        let keys = needed.flat_map(Trusted::independent).cloned().collect();
        self.named.send_replace(Named { note: note.to_owned(), keys });
    }

    /// Readers are told when it is in the store. A crash right behind that loses nothing that is not
    /// heard of again.
    fn publish(&self, checkpoint: &FinalCheckpoint) -> Result<(), Fault> {
        self.store.stage_final(&checkpoint.note.to_string(), &[]).map_err(failed)?;
        let size = checkpoint.checkpoint.size();
        self.metrics.finalised(size);
        self.finals.send_replace(size);
        Ok(())
    }
}

fn failed(error: musubi_storage::StoreError) -> Fault {
    Fault::Storage(error.to_string())
}
