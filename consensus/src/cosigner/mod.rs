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

//!
//! # Rooms
//!
//! `event`: what comes in and goes out; `signing`: this node's keys and its note; `gather`: everybody's notes, and
//! what they make final; `confirmed`: what changed the policy; this file: when to sign.

mod confirmed;
mod event;
mod gather;
mod signing;

use std::collections::VecDeque;

use musubi_ledger::{
    batch::NodeId,
    hash::Hash,
    policy::{FinalCheckpoint, PolicyChain, WitnessPolicy},
};

use self::{
    confirmed::{Confirmed, waited},
    gather::Gathered,
    signing::Signed,
};
pub use self::{
    event::{Act, Event},
    signing::{CosignerKeys, Remembered},
};

/// A round that has not become final after so many milliseconds makes room for the next one.
pub const ROUND_MS: u64 = 1_000;

/// This node's own root at a size, if that is a seal that it has executed and remembers.
pub type Roots<'a> = &'a dyn Fn(u64) -> Option<Hash>;

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
    confirmed: Confirmed,
    acts: VecDeque<Act>,
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
        let signed = remembered.signed.map(|note| Signed::before(note, &policies)).transpose()?;
        // Not one that a recovery has dropped: what is final now may be smaller.
        let last_final =
            remembered.last_final.and_then(|note| policies.check_whole(note.as_bytes()).ok());
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
            confirmed: Confirmed::new(remembered.confirmed),
            acts: VecDeque::new(),
        })
    }

    /// Runs with a bug, so that a simulator can show that it catches it.
    #[cfg(feature = "planted-bugs")]
    pub fn plant(&mut self, bug: Option<crate::Planted>) {
        self.gathered.planted = bug;
    }

    /// Takes an event. `now` is in milliseconds since 1970.
    pub fn handle(&mut self, now: u64, event: Event, roots: Roots<'_>) {
        if let Event::Executed { size, root, policies } = &event {
            self.executed(*size, *root, policies);
        }
        // The caller's log may be ahead of what was told here, and with it the policies.
        let told = self.head.map_or(0, |(size, _)| size);
        let roots: Roots<'_> = &|size| if size <= told { roots(size) } else { None };
        match event {
            Event::Executed { .. } => self.compare(roots),
            Event::Leading(leading) => self.leading = leading,
            Event::Note { from, note } => self.heard(from, &note, roots),
            Event::Durable { size } => self.durable(now, size),
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

    fn executed(&mut self, size: u64, root: Hash, policies: &[(WitnessPolicy, u64)]) {
        for (policy, from) in policies {
            self.policies.push(policy, *from).expect("a judged policy is well formed");
        }
        if let Some(signed) = self.signed.as_ref().filter(|signed| signed.size == size) {
            assert!(signed.root == root, "this node has signed another root at size {size}");
        }
        self.head = Some((size, root));
    }

    fn compare(&mut self, roots: Roots<'_>) {
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
            return;
        }
        let executed = roots(size).is_some();
        // What confirmed a change of policy elsewhere, told again.
        if executed
            && self.policies.settles(size)
            && let Some(found) = self.gathered.judge(&heard, &self.policies)
        {
            self.conclude(found);
        }
        self.gathered.keep(from, heard, executed);
    }

    fn durable(&mut self, now: u64, size: u64) {
        let Some(signed) = self.signed.as_mut().filter(|signed| signed.size == size) else {
            return;
        };
        signed.durable = true;
        let note = signed.note.clone();
        let own = self.gathered.read(&note, &self.policies).expect("this node's own note");
        self.gathered.keep(Some(self.me), own, true);
        self.acts.push_back(Act::Send { note });
        let due = self.confirmed.due(now).into_iter();
        self.acts.extend(due.map(|note| Act::Retell { note }));
    }

    /// Tells of the largest checkpoint that is final now and was not, or that has more cosignatures.
    fn finalise(&mut self, roots: Roots<'_>) {
        if let Some(found) = self.gathered.newest_final(&self.policies, roots) {
            self.conclude(found);
        }
    }

    fn conclude(&mut self, found: FinalCheckpoint) {
        let reached = (found.checkpoint.size(), found.cosigned.len());
        if reached <= self.last_final {
            return;
        }
        self.last_final = reached;
        if self.policies.settles(reached.0) {
            let policies = self.policies.unsettled(reached.0);
            let note = found.note.to_string();
            self.policies.settle(reached.0);
            self.confirmed.keep(note.clone());
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
        let free = self.last_final.0 >= signed || waited(now, self.named_at, ROUND_MS);
        let own = self.head.filter(|(size, _)| self.leading && free && *size > signed);
        let Some((size, root)) = named.into_iter().chain(own).max_by_key(|(size, _)| *size) else {
            return;
        };
        self.named_at = now;
        let Some(note) = self.keys.note(&self.policies, size, root, now / 1_000) else { return };
        self.signed = Some(Signed { size, root, durable: false, note: note.clone() });
        self.acts.push_back(Act::Persist { size, root, note });
    }
}
