//! One policy, ready to check notes against.

use super::{Member, WitnessPolicy, survival::Fate};
use crate::{
    batch::NodeId,
    tlog::{
        checkpoint::{Checkpoint, CheckpointError},
        note::SignedNote,
        signature::Verified,
        vkey::{Algorithm, KeyError, VerifierKey},
    },
};

/// Why a note is not final.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The note itself was refused: malformed, of another log, or with a wrong signature.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few members cosigned.
    #[error(
        "{have} of the {need} members that policy {policy} asks for cosigned this checkpoint: it is not \
         final; ask for a newer one"
    )]
    Quorum {
        /// The policy's number.
        policy: u32,
        /// Members that cosigned.
        have: usize,
        /// Members that must.
        need: usize,
    },
    /// Of an epoch that begins only behind it.
    #[error("epoch {epoch} begins after {size} leaves: no checkpoint of that size is its")]
    BeforeEpoch {
        /// The epoch that its origin names.
        epoch: u32,
        /// Its size.
        size: u64,
    },
    /// It was final, and a recovery dropped the leaf.
    #[error(
        "leaf {} was final and is no longer in the log: the recovery that began epoch {} went on from {} leaves. \
         It is transaction {}, signed by {}. Keep this file: with that recovery it shows what was dropped",
        .0.leaf, .0.epoch, .0.size, .0.recovery, .0.names()
    )]
    Dropped(Box<Fate>),
    /// It was final, and nothing here tells whether the leaf survived a recovery.
    #[error(
        "leaf {} was final under a checkpoint that the recovery that began epoch {} did not know of (it went on from \
         {} leaves; transaction {}, signed by {}): ask a node for a new proof. If none can give one, keep this file: \
         with that recovery it shows what was dropped",
        .0.leaf, .0.epoch, .0.size, .0.recovery, .0.names()
    )]
    Undecided(Box<Fate>),
}

impl PolicyError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(error) => error.code(),
            Self::Quorum { .. } => "no_quorum",
            Self::BeforeEpoch { .. } => "before_epoch",
            Self::Dropped(_) => "dropped_by_recovery",
            Self::Undecided(_) => "undecided_by_recovery",
        }
    }
}

/// One cosignature that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The cosigner's name.
    pub name: String,
    /// For whom it speaks.
    pub member: Member,
    /// When, by its own clock, in seconds since 1970.
    pub unix_seconds: u64,
}

/// A checkpoint that satisfies a policy, with the note that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalCheckpoint {
    /// The log's size and root.
    pub checkpoint: Checkpoint,
    /// The note it came in.
    pub note: SignedNote,
    /// The policy by which it is final.
    pub policy: u32,
    /// Validators that signed as the log.
    pub logs: Vec<NodeId>,
    /// Everybody of the policy who cosigned, also beyond the quorum.
    pub cosigned: Vec<Cosigned>,
}

/// A policy with its keys made ready for one log.
#[derive(Debug, Clone)]
pub struct Trusted {
    policy: WitnessPolicy,
    origin: String,
    /// The log keys, then the cosigners', each in the policy's order.
    keys: Vec<VerifierKey>,
}

/// What a policy's keys signed of a note, whether or not it suffices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Validators that signed as the log.
    pub logs: Vec<NodeId>,
    /// Cosigners.
    pub cosigned: Vec<Cosigned>,
    /// Distinct members among them.
    pub members: usize,
}

impl Trusted {
    /// Makes a policy's keys ready for the log `origin`.
    ///
    /// # Errors
    /// [`KeyError`] if the origin, a name or a key cannot be used: the policy was not checked.
    pub fn new(origin: &str, policy: &WitnessPolicy) -> Result<Self, KeyError> {
        let logs = policy.logs.iter();
        let logs = logs.map(|log| VerifierKey::new(origin, Algorithm::Ed25519, &log.key.0));
        let witnesses = policy.witnesses.iter();
        let witnesses =
            witnesses.map(|w| VerifierKey::new(&w.name, Algorithm::CosignatureV1, &w.key.0));
        let keys = logs.chain(witnesses).collect::<Result<_, _>>()?;
        Ok(Self { policy: policy.clone(), origin: origin.into(), keys })
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &WitnessPolicy {
        &self.policy
    }

    /// The log it is about.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// All keys: the log's, then the cosigners'.
    #[must_use]
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// The keys of independent witnesses.
    pub fn independent(&self) -> impl Iterator<Item = &VerifierKey> {
        let cosigners = self.keys.iter().skip(self.policy.logs.len());
        let both = self.policy.witnesses.iter().zip(cosigners);
        both.filter(|(witness, _)| witness.member == Member::Independent).map(|(_, key)| key)
    }

    /// The key under which a validator signs checkpoints as the log.
    #[must_use]
    pub fn log_key(&self, node: NodeId) -> Option<&VerifierKey> {
        let at = self.policy.logs.iter().position(|log| log.node == node)?;
        self.keys.get(at)
    }

    /// Whether a checkpoint is final by this policy: signed by a validator as the log, and cosigned by a
    /// quorum of the members.
    ///
    /// # Errors
    /// [`PolicyError`] if it is not.
    pub fn check(&self, note: &[u8]) -> Result<FinalCheckpoint, PolicyError> {
        let opened = Checkpoint::open(note, &self.origin, &self.keys)?;
        self.finalise(opened.checkpoint, opened.note, &opened.verified)
    }

    /// As [`Trusted::check`], for a checkpoint whose signatures were verified before.
    ///
    /// # Errors
    /// [`PolicyError::Quorum`], or that no validator signed as the log.
    pub fn finalise(
        &self,
        checkpoint: Checkpoint,
        note: SignedNote,
        verified: &[Verified<'_>],
    ) -> Result<FinalCheckpoint, PolicyError> {
        let tally = self.tally(verified);
        if tally.logs.is_empty() {
            let origin = self.origin.clone();
            return Err(CheckpointError::NotSignedByLog { origin }.into());
        }
        let need = usize::from(self.policy.quorum);
        if tally.members < need {
            let policy = self.policy.number;
            return Err(PolicyError::Quorum { policy, have: tally.members, need });
        }
        let policy = self.policy.number;
        Ok(FinalCheckpoint { checkpoint, note, policy, logs: tally.logs, cosigned: tally.cosigned })
    }

    /// Sorts out what this policy's keys signed.
    #[must_use]
    pub fn tally(&self, verified: &[Verified<'_>]) -> Tally {
        let logs = self.policy.logs.len();
        let (mut tally, mut members) =
            (Tally { logs: vec![], cosigned: vec![], members: 0 }, Vec::new());
        for signed in verified {
            let Some(at) = self.keys.iter().position(|key| key == signed.key) else { continue };
            if at < logs {
                tally.logs.push(self.policy.logs[at].node);
                continue;
            }
            let witness = &self.policy.witnesses[at - logs];
            let (name, member) = (witness.name.clone(), witness.member);
            let unix_seconds = signed.unix_seconds.unwrap_or(0);
            tally.cosigned.push(Cosigned { name: name.clone(), member, unix_seconds });
            let voice = (member, (member == Member::Independent).then_some(name));
            if !members.contains(&voice) {
                members.push(voice);
            }
        }
        tally.members = members.len();
        tally
    }
}
