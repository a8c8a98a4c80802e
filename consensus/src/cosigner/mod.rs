//! The cosigner: makes checkpoints final, sans-IO. Events in, acts out.
//!
//! The leader names the newest seal that it has executed by signing its checkpoint; every member that has
//! executed it too answers with its own note of the same text. Each note carries the member's signature as
//! the log and its cosignature. Every member gathers them, and when they satisfy the witness policy the
//! checkpoint is final (design decisions 1 and 9). One round is in flight at a time.
//!
//! # What it never does
//!
//! Sign two roots at one size, sign a smaller size than before, sign what this node has not executed, or
//! let a signature out before [`Event::Durable`] says that it is on disk. What it signs is decided by no
//! clock; the time in a cosignature is only stated.
//!
//! # What the caller owes
//!
//! Carry out acts in order; answer each [`Act::Persist`] with one [`Event::Durable`] when the note survives a
//! power cut; start with the newest note that the disk has. `roots` tells this node's own root at a size, if
//! that is a seal that it has executed and remembers.

mod gather;

use std::collections::VecDeque;

use musubi_ledger::{
    batch::NodeId,
    hash::Hash,
    keys::SecretKey,
    policy::{FinalCheckpoint, PolicyChain, WitnessPolicy},
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
};

use gather::Gathered;

/// A round that has not become final after so many milliseconds makes room for the next one.
pub const ROUND_MS: u64 = 1_000;

/// This node's own root at a size, if that is a seal that it has executed and remembers.
pub type Roots<'a> = &'a dyn Fn(u64) -> Option<Hash>;

/// What a cosigner is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block was recorded.
    Executed {
        /// The log's size at its seal.
        size: u64,
        /// The log's root there.
        root: Hash,
        /// Witness policies that the block set, each with the smallest size for which it holds.
        policies: Vec<(WitnessPolicy, u64)>,
    },
    /// This node leads, or no longer.
    Leading(bool),
    /// A signed checkpoint came in: from the member that the connection proved to be, or from an independent
    /// witness.
    Note {
        /// The member; none for a witness.
        from: Option<NodeId>,
        /// The note.
        note: String,
    },
    /// The note of that size is on disk.
    Durable {
        /// Its size.
        size: u64,
    },
    /// Time passed.
    Wake,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Make this node's own signed note durable, then report [`Event::Durable`].
    Persist {
        /// The log's size.
        size: u64,
        /// The log's root.
        root: Hash,
        /// The note.
        note: String,
    },
    /// Send this node's note to every other member, and, where this node leads, to independent witnesses.
    Send {
        /// The note.
        note: String,
    },
    /// A checkpoint is final: newer than the last one, or the same with more cosignatures.
    Final(FinalCheckpoint),
    /// This final checkpoint confirms changes of the witness policy: kept for the bundle.
    Settled {
        /// Numbers of the policies.
        policies: Vec<u32>,
        /// The note.
        note: String,
    },
    /// A member signed another root than this node's at a size that both have executed.
    Contradiction {
        /// The member; none for a note that came from a witness.
        from: Option<NodeId>,
        /// The size.
        size: u64,
        /// Its note.
        note: String,
    },
    /// A note that no correct member sends was dropped.
    Dropped {
        /// The member.
        from: Option<NodeId>,
        /// Stable code of why.
        why: &'static str,
    },
}

/// The keys with which a node signs checkpoints.
#[derive(Clone, Debug)]
pub struct CosignerKeys {
    /// As the log.
    pub log: SecretKey,
    /// As cosigner: more than one while a change of keys is under way.
    pub cosigners: Vec<SecretKey>,
}

/// What this node signed last.
#[derive(Clone, Debug)]
struct Signed {
    size: u64,
    root: Hash,
    durable: bool,
    note: String,
}

/// Signs, gathers, and tells what is final.
#[derive(Debug)]
pub struct Cosigner {
    me: NodeId,
    keys: CosignerKeys,
    policies: PolicyChain,
    signed: Option<Signed>,
    /// The newest seal that this node has executed.
    head: Option<(u64, Hash)>,
    leading: bool,
    /// When this node named its newest checkpoint.
    named_at: u64,
    gathered: Gathered,
    /// Size and cosignatures of the newest final checkpoint.
    last_final: (u64, usize),
    acts: VecDeque<Act>,
}

/// What the disk has of an earlier run.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// This node's newest signed note.
    pub signed: Option<String>,
    /// The newest final note.
    pub last_final: Option<String>,
}

impl Cosigner {
    /// Begins where the disk left it. `policies` are all that hold up to the newest recorded block.
    ///
    /// # Errors
    /// The note on disk, if it is no checkpoint of this log: the directory is another's, or damaged.
    pub fn new(
        me: NodeId,
        keys: CosignerKeys,
        policies: PolicyChain,
        remembered: Remembered,
    ) -> Result<Self, String> {
        let signed = remembered.signed.map(|note| signed_before(note, &policies)).transpose()?;
        let last_final =
            remembered.last_final.and_then(|note| policies.check(note.as_bytes()).ok());
        let last_final = last_final.map_or((0, 0), |f| (f.checkpoint.size(), f.cosigned.len()));
        Ok(Self {
            me,
            keys,
            policies,
            signed,
            head: None,
            leading: false,
            named_at: 0,
            gathered: Gathered::default(),
            last_final,
            acts: VecDeque::new(),
        })
    }

    /// Takes an event. `now` is in milliseconds since 1970.
    pub fn handle(&mut self, now: u64, event: Event, roots: Roots<'_>) {
        match event {
            Event::Executed { size, root, policies } => self.executed(size, root, &policies, roots),
            Event::Leading(leading) => self.leading = leading,
            Event::Note { from, note } => self.heard(from, &note, roots),
            Event::Durable { size } => self.durable(size),
            Event::Wake => {}
        }
        self.finalise(roots);
        self.sign_what_is_due(now, roots);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// When to be woken if nothing else happens: a named round may have to make room. Milliseconds since 1970.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        let waits = self.leading && self.head.is_some_and(|(size, _)| size > self.size_signed());
        waits.then_some(self.named_at.saturating_add(ROUND_MS))
    }

    /// All policies so far.
    #[must_use]
    pub fn policies(&self) -> &PolicyChain {
        &self.policies
    }

    /// The largest size that this node has signed durably: what it proclaims to its peers.
    #[must_use]
    pub fn durable_size(&self) -> u64 {
        self.signed.as_ref().filter(|signed| signed.durable).map_or(0, |signed| signed.size)
    }

    fn size_signed(&self) -> u64 {
        self.signed.as_ref().map_or(0, |signed| signed.size)
    }

    fn executed(
        &mut self,
        size: u64,
        root: Hash,
        policies: &[(WitnessPolicy, u64)],
        roots: Roots<'_>,
    ) {
        for (policy, from) in policies {
            self.policies.push(policy, *from).expect("a judged policy is well formed");
        }
        if let Some(signed) = self.signed.as_ref().filter(|signed| signed.size == size) {
            assert!(signed.root == root, "this node has signed another root at size {size}");
        }
        self.head = Some((size, root));
        for (from, size, note) in self.gathered.compare(roots) {
            self.acts.push_back(Act::Contradiction { from, size, note });
        }
    }

    fn heard(&mut self, from: Option<NodeId>, note: &str, roots: Roots<'_>) {
        let heard = match self.gathered.read(note, &self.policies) {
            Ok(heard) => heard,
            Err(why) => return self.acts.push_back(Act::Dropped { from, why }),
        };
        let size = heard.size();
        let contradicts = roots(size).is_some_and(|own| own != *heard.root());
        if contradicts {
            let note = note.to_owned();
            self.acts.push_back(Act::Contradiction { from, size, note });
        } else {
            self.gathered.keep(from, heard, roots(size).is_some());
        }
    }

    fn durable(&mut self, size: u64) {
        let Some(signed) = self.signed.as_mut().filter(|signed| signed.size == size) else {
            return;
        };
        signed.durable = true;
        let note = signed.note.clone();
        let own = self.gathered.read(&note, &self.policies).expect("this node's own note");
        self.gathered.keep(Some(self.me), own, true);
        self.acts.push_back(Act::Send { note });
    }

    /// Tells of the largest checkpoint that is final now and was not, or that has more cosignatures.
    fn finalise(&mut self, roots: Roots<'_>) {
        let Some(found) = self.gathered.newest_final(&self.policies, roots) else { return };
        let reached = (found.checkpoint.size(), found.cosigned.len());
        if reached <= self.last_final {
            return;
        }
        self.last_final = reached;
        if self.policies.settles(reached.0) {
            let policies = self.policies.unsettled(reached.0);
            let note = found.note.to_string();
            self.policies.settle(reached.0);
            self.acts.push_back(Act::Settled { policies, note });
        }
        self.acts.push_back(Act::Final(found));
    }

    /// Signs the newest checkpoint that another named and this node has executed; a leader names its own
    /// newest when no round of its is in flight.
    fn sign_what_is_due(&mut self, now: u64, roots: Roots<'_>) {
        if self.signed.as_ref().is_some_and(|signed| !signed.durable) {
            return;
        }
        let signed = self.size_signed();
        let named = self.gathered.newest_named(signed, roots);
        let free = self.last_final.0 >= signed || now >= self.named_at.saturating_add(ROUND_MS);
        let own = self.head.filter(|(size, _)| self.leading && free && *size > signed);
        let Some((size, root)) = named.into_iter().chain(own).max_by_key(|(size, _)| *size) else {
            return;
        };
        self.named_at = now;
        let Some(note) = self.note(size, root, now / 1_000) else { return };
        self.signed = Some(Signed { size, root, durable: false, note: note.clone() });
        self.acts.push_back(Act::Persist { size, root, note });
    }

    /// This node's note; `None` if no policy that the checkpoint needs lists a key of this node.
    fn note(&self, size: u64, root: Hash, unix_seconds: u64) -> Option<String> {
        let origin = self.policies.newest().origin();
        let text = Checkpoint::new(origin, size, root).expect("a checked origin").to_string();
        let mut lines: Vec<NoteSignature> = Vec::new();
        for policy in self.policies.needed(size) {
            for key in policy.keys() {
                let line = self.line(key, &text, unix_seconds);
                lines.extend(line.filter(|line| !lines.contains(line)));
            }
        }
        if lines.is_empty() {
            return None;
        }
        let mut note = SignedNote::new(text).expect("a checkpoint is a note's text");
        for line in lines {
            note.add(line).expect("a policy's keys fit into one note");
        }
        Some(note.to_string())
    }

    fn line(&self, key: &VerifierKey, text: &str, unix_seconds: u64) -> Option<NoteSignature> {
        let own = |secret: &&SecretKey| secret.public().0 == *key.public_key();
        match key.algorithm() {
            Algorithm::Ed25519 => {
                let secret = Some(&self.keys.log).filter(own)?;
                Some(NoteSignature::sign(text, key, |message| secret.sign(message).0))
            }
            Algorithm::CosignatureV1 => {
                let secret = self.keys.cosigners.iter().find(own)?;
                let sign = |message: &[u8]| secret.sign(message).0;
                Some(NoteSignature::cosign(text, key, unix_seconds, sign))
            }
        }
    }
}

/// The note that this node signed before it was started.
fn signed_before(note: String, policies: &PolicyChain) -> Result<Signed, String> {
    let text = SignedNote::parse(note.as_bytes()).map_err(|error| error.to_string())?;
    let checkpoint: Checkpoint = text.text().parse().map_err(|e| format!("{e}"))?;
    if checkpoint.origin() != policies.newest().origin() {
        return Err(format!("it is of log {}", checkpoint.origin()));
    }
    let (size, root) = (checkpoint.size(), *checkpoint.root());
    Ok(Signed { size, root, durable: true, note })
}
