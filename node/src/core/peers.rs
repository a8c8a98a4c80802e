//! What comes in from other validators: Raft messages, forwarded submissions, checkpoints.

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use musubi_consensus::{Input, Submission, Via, cosigner};
use musubi_ledger::{
    batch::NodeId,
    code::Code,
    execute::{CheckedItem, check_items},
    hash::Hash,
    id::ChainId,
};
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
};

use super::{
    checkpoints::Notes, cosigning::Events, evidence::Room, forward::Frame, verified::Verified,
};
use crate::{
    memos::{Memos, pull::Heard},
    metrics::Metrics,
    network::{Class, Event, Frames, Inbox, Network},
};

/// What the receiving tasks share.
#[derive(Clone)]
pub struct Peers {
    /// To the replica.
    pub inputs: mpsc::Sender<Input>,
    /// Validators' checkpoints.
    pub notes: Arc<Notes>,
    /// To the cosigner.
    pub cosigner: Events,
    /// Evidence of what validators signed.
    pub evidence: Arc<Room>,
    /// Memos that are looked for.
    pub memos: Arc<Memos>,
    /// Validators that have forgotten what they told before.
    pub refused: watch::Receiver<BTreeSet<NodeId>>,
    /// Verified bytes.
    pub verified: Arc<Verified>,
    /// The chain.
    pub chain: ChainId,
    /// The rules in force.
    pub rules_version: u16,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

impl Peers {
    /// Starts one task per class and one for connection events.
    pub fn start(&self, inbox: Inbox, network: &Arc<Network>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for (class, frames) in Class::ALL.into_iter().zip(inbox.split()) {
            match class {
                Class::Control | Class::Append => tasks.spawn(self.clone().raft(frames)),
                Class::Submission => tasks.spawn(self.clone().submissions(frames)),
                Class::Snapshot => tasks.spawn(self.clone().snapshots(frames)),
            };
        }
        tasks.spawn(self.clone().events(network.events(), Arc::clone(network)));
        tasks
    }

    /// A full queue slows this class down for all members, which is what back-pressure means.
    async fn raft(self, mut frames: Frames) {
        while let Some(incoming) = frames.recv().await {
            let from = NodeId(incoming.from);
            let message = Input::Message { from, bytes: incoming.frame };
            if self.inputs.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn submissions(self, mut frames: Frames) {
        while let Some(incoming) = frames.recv().await {
            match Frame::decode(&incoming.frame) {
                Ok(Frame::Submissions(items)) => self.submit(items).await,
                Ok(Frame::Evidence(talk)) => self.evidence.heard(incoming.from, talk),
                Ok(Frame::AskMemos(memos)) => {
                    self.memos.hear(Heard::Asked { from: incoming.from, memos });
                }
                Ok(Frame::Memo(blob)) => self.memos.hear(Heard::Brought(blob)),
                // Who has forgotten what it signed may sign against it.
                Ok(Frame::Checkpoint(_)) if self.has_forgotten(incoming.from) => {
                    self.metrics.evidence("checkpoint_of_forgotten");
                }
                Ok(Frame::Checkpoint(note)) => {
                    self.evidence.note(&note);
                    let (notes, cosigner) = (Arc::clone(&self.notes), self.cosigner.clone());
                    let taken = tokio::task::spawn_blocking(move || {
                        notes.take(incoming.from, &note);
                        let from = Some(NodeId(incoming.from));
                        // A full queue slows this member's stream down, which is what back-pressure means.
                        let _ = cosigner.send(cosigner::Event::Note { from, note });
                    });
                    let _ = taken.await;
                }
                Err(error) => {
                    self.metrics.evidence("bad_frame");
                    tracing::warn!(member = incoming.from, %error, "frame dropped");
                }
            }
        }
    }

    fn has_forgotten(&self, node: u64) -> bool {
        self.refused.borrow().contains(&NodeId(node))
    }

    /// A leader orders only what it has verified itself: its name stands on the batch.
    async fn submit(&self, items: Vec<Vec<u8>>) {
        let (chain, rules, verified) = (self.chain, self.rules_version, Arc::clone(&self.verified));
        let good = tokio::task::spawn_blocking(move || {
            // In the order in which `check_items` asks: about what is well-formed.
            let hashes = RefCell::new(Vec::new());
            let known = |hash: &Hash| {
                hashes.borrow_mut().push(*hash);
                verified.knows(hash)
            };
            let checked = check_items(&chain, rules, &items, &known);
            let asked = |item: &CheckedItem| matches!(item.fault, None | Some(Code::BadSignature));
            let asked = items.into_iter().zip(checked).filter(|(_, item)| asked(item));
            let good = asked.zip(hashes.into_inner()).filter(|((_, item), _)| item.fault.is_none());
            let submissions = good.map(|((bytes, item), hash)| {
                verified.note(hash);
                Submission { id: item.id, hash, bytes }
            });
            submissions.collect::<Vec<_>>()
        });
        let Ok(items) = good.await else { return };
        if !items.is_empty() {
            let _ = self.inputs.send(Input::Submit { via: Via::Peer, items }).await;
        }
    }

    /// Nobody sends snapshots yet; frames are read so that a sender's queue does not stand.
    async fn snapshots(self, mut frames: Frames) {
        while let Some(incoming) = frames.recv().await {
            self.metrics.evidence("bad_frame");
            tracing::warn!(member = incoming.from, "snapshot frame dropped: not supported yet");
        }
    }

    async fn events(self, mut events: broadcast::Receiver<Event>, network: Arc<Network>) {
        loop {
            let unreachable = match events.recv().await {
                Ok(Event::Connected { node }) => {
                    let input = Input::PeerConnected { node: NodeId(node) };
                    if self.inputs.send(input).await.is_err() {
                        return;
                    }
                    continue;
                }
                Ok(Event::Disconnected { node } | Event::Unreachable { node }) => vec![node],
                Ok(Event::Interrupted { node, class: Class::Append }) => vec![node],
                Ok(_) => Vec::new(),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    network.peers().iter().filter(|p| !p.connected).map(|p| p.node).collect()
                }
                Err(broadcast::error::RecvError::Closed) => return,
            };
            for node in unreachable {
                let input = Input::PeerUnreachable { node: NodeId(node) };
                if self.inputs.send(input).await.is_err() {
                    return;
                }
            }
        }
    }
}
