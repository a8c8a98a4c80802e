//! This node's keys, what it remembers of an earlier run, and the note that it signs with them.

use musubi_ledger::{
    hash::Hash,
    keys::SecretKey,
    policy::PolicyChain,
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
};

/// The keys with which a node signs checkpoints.
#[derive(Clone, Debug)]
pub struct CosignerKeys {
    /// As the log.
    pub log: SecretKey,
    /// As cosigner: more than one while a change of keys is under way.
    pub cosigners: Vec<SecretKey>,
}

/// What the disk has of an earlier run.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// This node's newest signed note.
    pub signed: Option<String>,
    /// The newest final note.
    pub last_final: Option<String>,
    /// The final notes that confirmed changes of the policy, oldest first.
    pub confirmed: Vec<String>,
}

/// What this node signed last.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) durable: bool,
    pub(super) note: String,
}

impl CosignerKeys {
    /// This node's note; `None` if no policy that the checkpoint needs lists a key of this node.
    pub(super) fn note(
        &self,
        policies: &PolicyChain,
        size: u64,
        root: Hash,
        unix_seconds: u64,
    ) -> Option<String> {
        let origin = policies.newest().origin();
        let text = Checkpoint::new(origin, size, root).expect("a checked origin").to_string();
        let mut lines: Vec<NoteSignature> = Vec::new();
        for policy in policies.needed(size) {
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
                let secret = Some(&self.log).filter(own)?;
                Some(NoteSignature::sign(text, key, |message| secret.sign(message).0))
            }
            Algorithm::CosignatureV1 => {
                let secret = self.cosigners.iter().find(own)?;
                let sign = |message: &[u8]| secret.sign(message).0;
                Some(NoteSignature::cosign(text, key, unix_seconds, sign))
            }
        }
    }
}

impl Signed {
    /// The note that this node signed before it was started.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn before(note: String, policies: &PolicyChain) -> Result<Self, String> {
        let text = SignedNote::parse(note.as_bytes()).map_err(|error| error.to_string())?;
        let checkpoint: Checkpoint = text.text().parse().map_err(|e| format!("{e}"))?;
        // Of an earlier epoch too: what is signed now is larger all the same.
        let epoch = policies.genesis().epoch_of_origin(checkpoint.origin());
        if epoch.is_none_or(|epoch| epoch > policies.epoch()) {
            return Err(format!("it is of log {}", checkpoint.origin()));
        }
        let (size, root) = (checkpoint.size(), *checkpoint.root());
        Ok(Self { size, root, durable: true, note })
    }
}
