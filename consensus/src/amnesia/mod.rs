//! Who has forgotten: what this replica remembers of every other member, and whether the others remember
//! more of this one than its own directory holds (ADR 0015).
//!
//! # Believing others
//!
//! Every message names the sender's *life*, one run of its process. Messages count only of the life whose
//! pledge this replica has compared with all it remembers, and has recorded durably. A life that shows less
//! is refused for good.
//!
//! # Being believed
//!
//! A replica begins asleep: it promises nothing, steps no message and elects nobody, until others *vouch*
//! for it: say that they have recorded its present life. Whoever finds itself, by its own signature, behind
//! what it once told stops. Of `n` members
//!
//! - `n - n/2` others suffice at once. Any such set meets every quorum's other members and every other such
//!   set, so one of them knows of anything this node promised, or of its earlier directory;
//! - a directory that never held a promise (no write yet) wakes in no other way: a validator whose disk was
//!   wiped meets the directory before it in somebody's memory, whoever just restarted or is away;
//! - any other wakes with `n/2`, who make a quorum with it, once [`WAIT_TIMEOUTS`] election timeouts have
//!   given the rest their time to object, and nobody does. Otherwise one member away would keep another
//!   from restarting.

mod hear;
mod rule;

use std::collections::BTreeMap;

use musubi_ledger::{
    batch::NodeId,
    id::ChainId,
    keys::{PublicKey, SecretKey},
};

use crate::{
    Config, Position, Refusal,
    effect::{Forgotten, Remember},
    pledge::{Durable, Pledge, Pledges, Shortfall, SignedPledge},
};

/// Election timeouts for which a directory that held promises before waits for all others.
pub(crate) const WAIT_TIMEOUTS: u64 = 2;
/// Ticks between two pledges to a member that vouches for this one.
const STEADY_TICKS: u64 = 5;
/// And to one that does not yet.
const EAGER_TICKS: u64 = 2;

/// Who this process is, and what its directory remembers of the others.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The directory's random id.
    pub directory: [u8; 16],
    /// How many times it was opened, this time included.
    pub boot: u64,
    /// Random, drawn for this run of the process; not 0.
    pub life: u64,
    /// What it held when it was opened.
    pub found: Durable,
    /// Size of the largest checkpoint cosigned before; 0 for none.
    pub cosigned: u64,
    /// The newest pledge kept of each other member.
    pub remembered: Vec<SignedPledge>,
}

/// What is to be done after something was heard.
pub(crate) enum Act {
    Tell(NodeId, Box<Pledges>),
    Remember(Remember),
    Stop(Box<Forgotten>),
    /// The frame, or a part of it, broke a rule: no correct member sends such a one.
    Drop(Refusal),
}

/// Whether messages of a life count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Belief {
    Yes,
    /// Not compared yet, or of a life that is over.
    NotYet,
    No,
}

pub(crate) struct Amnesia {
    chain: ChainId,
    me: NodeId,
    key: SecretKey,
    own: SignedPledge,
    /// What the next own pledge will say.
    now: (Durable, u64),
    peers: BTreeMap<NodeId, Peer>,
    awake: bool,
    /// Never held a promise.
    fresh: bool,
    ticks: u64,
    wait_ticks: u64,
    /// Records handed out.
    records: u64,
    /// Planted: believes everybody, and needs nobody.
    off: bool,
}

/// Another member.
struct Peer {
    key: PublicKey,
    /// The newest pledge accepted.
    held: Option<SignedPledge>,
    /// The life whose messages count: its pledge is recorded.
    believed: Option<u64>,
    /// The record under way that makes a new life believed.
    recording: Option<(u64, u64)>,
    /// What messages of the held pledge's life promised: a term, and an acknowledged index in it.
    heard: Position,
    /// The last life refused, unless one was accepted since.
    refused: Option<(u64, Shortfall)>,
    /// It has recorded this process's life.
    vouches: bool,
    /// It refuses this process's life, and has not shown this node's own signature for it.
    doubts: bool,
    /// The tick of the last pledge sent to it.
    told: u64,
}

impl Peer {
    fn new(key: PublicKey) -> Self {
        Self {
            key,
            held: None,
            believed: None,
            recording: None,
            heard: Position::default(),
            refused: None,
            vouches: false,
            doubts: false,
            told: 0,
        }
    }
}

/// Whether the bug is planted that believes the forgetful.
fn planted(config: &Config) -> bool {
    #[cfg(feature = "planted-bugs")]
    let planted = config.planted == Some(crate::Planted::BelieveTheForgetful);
    #[cfg(not(feature = "planted-bugs"))]
    let planted = {
        let _ = config;
        false
    };
    planted
}

impl Amnesia {
    pub(crate) fn new(config: &Config, identity: Identity) -> Self {
        let Identity { directory, boot, life, found, cosigned, remembered } = identity;
        assert!(life != 0, "life 0 stands for a replica without an identity");
        let others = config.members.iter().filter(|member| member.node != config.me);
        let mut peers: BTreeMap<NodeId, Peer> =
            others.map(|member| (member.node, Peer::new(member.batch_key))).collect();
        for signed in remembered {
            // Recorded by this directory, which checked it then.
            if let Some(peer) = peers.get_mut(&signed.pledge.node) {
                peer.believed = Some(signed.pledge.life);
                peer.held = Some(signed);
            }
        }
        let node = config.me;
        let pledge =
            Pledge { node, directory, boot, life, number: 1, found, kept: found, cosigned };
        let mut amnesia = Self {
            chain: config.chain,
            me: node,
            own: SignedPledge::sign(config.chain, pledge, &config.batch_key),
            key: config.batch_key.clone(),
            now: (found, cosigned),
            peers,
            awake: false,
            fresh: found.write == 0,
            ticks: 0,
            wait_ticks: WAIT_TIMEOUTS * config.raft.election_ticks as u64,
            records: 0,
            off: planted(config),
        };
        amnesia.wake();
        amnesia
    }

    pub(crate) fn life(&self) -> u64 {
        self.own.pledge.life
    }

    /// Whether this replica may promise anything.
    pub(crate) fn is_awake(&self) -> bool {
        self.awake || self.off
    }

    /// Others that have recorded this life, and others that refuse it.
    pub(crate) fn standing(&self) -> (usize, usize) {
        let count = |of: fn(&Peer) -> bool| self.peers.values().filter(|peer| of(peer)).count();
        (count(|peer| peer.vouches), count(|peer| peer.doubts))
    }

    /// Members of whom the newest that was shown is refused.
    pub(crate) fn refused(&self) -> impl Iterator<Item = NodeId> {
        self.peers.iter().filter(|(_, peer)| peer.refused.is_some()).map(|(node, _)| *node)
    }

    pub(crate) fn belief(&self, from: NodeId, life: u64) -> Belief {
        let Some(peer) = self.peers.get(&from) else {
            return Belief::NotYet;
        };
        match peer.refused {
            _ if self.off || peer.believed == Some(life) => Belief::Yes,
            Some((refused, _)) if refused == life => Belief::No,
            _ => Belief::NotYet,
        }
    }

    /// A message of a believed life promised `term`, and that its log reaches `index` in it.
    pub(crate) fn promised(&mut self, from: NodeId, term: u64, index: u64) {
        if let Some(peer) = self.peers.get_mut(&from) {
            let promised = Position { index, term };
            let known = (peer.heard.term, peer.heard.index);
            if (promised.term, promised.index) > known {
                peer.heard = promised;
            }
        }
    }

    /// This much is durable here.
    pub(crate) fn durable(&mut self, kept: Durable, cosigned: u64) {
        self.now = (kept, cosigned);
    }

    /// One tick passed: regular pledges.
    pub(crate) fn tick(&mut self) -> Vec<Act> {
        self.ticks += 1;
        self.wake();
        let due = |peer: &Peer| {
            let settled = peer.vouches && peer.believed.is_some();
            self.ticks - peer.told >= if settled { STEADY_TICKS } else { EAGER_TICKS }
        };
        let due: Vec<NodeId> =
            self.peers.iter().filter(|(_, peer)| due(peer)).map(|(node, _)| *node).collect();
        due.into_iter().map(|node| self.tell(node)).collect()
    }

    /// Shows a member what there is to show.
    pub(crate) fn tell(&mut self, to: NodeId) -> Act {
        self.renew();
        let others = self.peers.iter().filter(|(node, _)| **node != to);
        let others = others.filter_map(|(_, peer)| peer.held).collect();
        let own = self.own;
        let Some(peer) = self.peers.get_mut(&to) else {
            unreachable!("pledges go to members only, {to:?} is none");
        };
        peer.told = self.ticks;
        // Not before it is recorded: whoever reads its own life here is vouched for.
        let recorded = |held: &SignedPledge| peer.believed == Some(held.pledge.life);
        let yours = peer.held.filter(recorded);
        Act::Tell(to, Box::new(Pledges { own, yours, refused: peer.refused, others }))
    }

    /// Signs anew what has changed.
    fn renew(&mut self) {
        let (kept, cosigned) = self.now;
        let before = self.own.pledge;
        if (before.kept, before.cosigned) != (kept, cosigned) {
            let pledge = Pledge { number: before.number + 1, kept, cosigned, ..before };
            self.own = SignedPledge::sign(self.chain, pledge, &self.key);
        }
    }
}

#[cfg(test)]
mod tests;
