//! A validator that lies, as a process's peer: whoever holds a member's keys takes its place at its address, speaks
//! the validators' protocol to the real others, and says what suits. For the demo's drill and for tests.
//!
//! The member's own process must have ended: two cannot listen at one address.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use musubi_consensus::{
    Body, Identity, LogEntry, PeerMessage, Position,
    pledge::{Pledge, Pledges, SignedPledge},
};
use musubi_ledger::{
    batch::{Batch, NodeId},
    hash::Hash,
    time::Time,
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
};
use musubi_node::{
    config::{Config, Loaded},
    core::{evidence::Talk, forward::Frame},
    directory,
    network::{Class, Inbox, Member, Network as Wire, NetworkConfig, PeerKey, Sent, TransportKey},
};

/// How long a real node may take to be reached.
const PATIENCE: Duration = Duration::from_secs(30);

/// A member with its keys, in the hands of somebody else.
pub struct Liar {
    node: NodeId,
    wire: Wire,
    keys: Loaded,
    /// What it hears does not matter to it; dropped, the others would be cut off.
    _inbox: Inbox,
}

impl Liar {
    /// Takes the place of `node`, whose folder (configuration, keys, data) is `folder`.
    ///
    /// # Errors
    /// If the configuration cannot be read, or its address is taken: the node still runs.
    pub async fn start(folder: &Path, node: u64) -> anyhow::Result<Self> {
        let keys = Config::load(&folder.join("node.toml"))?;
        let key = TransportKey::from_secret(&mut keys.keys().transport.seed());
        let mut members = Vec::new();
        for member in keys.config.members() {
            let known = keys.genesis.nodes.iter().find(|n| n.id.0 == member.node);
            let peer = PeerKey(known.context("a member of another ledger")?.transport.0);
            members.push(Member { node: member.node, address: member.address, peer });
        }
        let config = NetworkConfig::new(key, keys.config.listen(), members);
        let (wire, inbox) = Wire::start(config).await?;
        Ok(Self { node: NodeId(node), wire, keys, _inbox: inbox })
    }

    /// The first pledge of a new process on the directory that was taken over: what must be shown before anybody
    /// listens to what it says about Raft's log. What it says about the log of proof needs none.
    ///
    /// # Errors
    /// If the directory cannot be opened.
    pub fn opened(&self) -> anyhow::Result<SignedPledge> {
        let opened = directory::open(&self.keys)?;
        let Identity { directory, boot, life, found, cosigned, .. } = directory::identity(&opened)?;
        let node = self.node;
        let pledge =
            Pledge { node, directory, boot, life, number: 1, found, kept: found, cosigned };
        Ok(SignedPledge::sign(self.keys.genesis.chain(), pledge, &self.keys.keys().node))
    }

    /// Shows what the directory holds, as a validator does that was started again.
    ///
    /// # Errors
    /// If the node is not reached.
    pub async fn pledge(&self, to: u64, own: SignedPledge) -> anyhow::Result<()> {
        let pledges = Pledges { own, yours: None, refused: None, others: vec![] };
        let body = Body::Pledges(Box::new(pledges));
        let life = own.pledge.life;
        let message = PeerMessage { from: self.node, to: NodeId(to), life, term: 0, body };
        self.send(to, Class::Control, message.encode()).await
    }

    /// An append of a leader whom nobody elected: a follower cannot know that.
    ///
    /// # Errors
    /// If the node is not reached.
    pub async fn append(
        &self,
        to: u64,
        own: SignedPledge,
        term: u64,
        (previous, entries): (Position, Vec<LogEntry>),
    ) -> anyhow::Result<()> {
        let commit = entries.last().map_or(previous.index, |entry| entry.index);
        let body = Body::Append { previous, commit, entries };
        let life = own.pledge.life;
        let message = PeerMessage { from: self.node, to: NodeId(to), life, term, body };
        self.send(to, Class::Append, message.encode()).await
    }

    /// A batch that it signs for a place (term, index) in Raft's log.
    #[must_use]
    pub fn batch(&self, (term, index): (u64, u64), time: Time, items: Vec<Vec<u8>>) -> LogEntry {
        let (chain, by) = (self.keys.genesis.chain(), (self.node, &self.keys.keys().node));
        let batch = Batch::sign(chain, (term, index), time, items, by);
        LogEntry { index, term, data: batch.encode() }
    }

    /// What it signs about the log of proof, told to one node.
    ///
    /// # Errors
    /// If the node is not reached.
    pub async fn note(&self, to: u64, size: u64, root: Hash) -> anyhow::Result<()> {
        let origin = self.keys.genesis.origin();
        let text = Checkpoint::new(&origin, size, root)?.to_string();
        let own = &self.keys.keys().node;
        let key = VerifierKey::new(&origin, Algorithm::Ed25519, &own.public().0)?;
        let line = NoteSignature::sign(&text, &key, |message| own.sign(message).0);
        let mut note = SignedNote::new(text)?;
        note.add(line)?;
        let talk = Talk::Note(note.to_string()).encode();
        self.send(to, Class::Submission, Frame::Evidence(talk).encode()).await
    }

    async fn send(&self, to: u64, class: Class, frame: Vec<u8>) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.wire.send(to, class, frame.clone()) != Sent::Queued {
            if begun.elapsed() > PATIENCE {
                bail!("node {to} is not reached by who took node {}'s place", self.node.0);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Leaves the address, so that the real node can be started again.
    pub async fn leave(self) {
        self.wire.shutdown().await;
    }
}
