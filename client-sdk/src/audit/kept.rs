//! Checkpoints that the auditor kept from before: whoever keeps one can show that history was rewritten.

use std::collections::BTreeSet;

use musubi_ledger::{
    epoch::FIRST_EPOCH,
    genesis::Genesis,
    policy::Recovery,
    tlog::{Algorithm, Checkpoint, SignedNote, VerifierKey},
};

use super::{
    closing::Closing,
    ends::Ends,
    epochs,
    fault::Fault,
    finals::Change,
    finding::{Finding, Part, Signer},
    validators::signer,
};

/// A signed note, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its file, for messages.
    pub name: String,
    /// The note.
    pub note: String,
}

/// The sizes of all checkpoints that will be compared; what they are worth is found out then.
pub(super) fn sizes(closing: &Closing) -> BTreeSet<u64> {
    let kept = closing.kept.iter().map(|kept| &kept.note);
    let finals = closing.finals.notes();
    let notes = closing.notes.iter().map(|(_, note)| note).chain(kept).chain(&finals);
    notes.filter_map(|note| size(note)).collect()
}

/// The size that a note claims.
pub(super) fn size(note: &str) -> Option<u64> {
    let note: SignedNote = note.parse().ok()?;
    let checkpoint: Checkpoint = note.text().parse().ok()?;
    Some(checkpoint.size())
}

/// The first note of that size.
pub(super) fn newest(notes: &[(u64, String)], wanted: u64) -> Option<String> {
    let found = notes.iter().find(|(_, note)| size(note) == Some(wanted));
    found.map(|(_, note)| note.clone())
}

/// What kept checkpoints are compared with.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) genesis: &'a Genesis,
    /// Changes of the witness policy.
    pub(super) changes: &'a [Change],
    /// Recoveries.
    pub(super) recoveries: &'a [Recovery],
    pub(super) ends: &'a Ends,
    /// Execution stopped early: nothing can be said of what lies beyond.
    pub(super) cut: bool,
}

impl Known<'_> {
    /// Returns the names of those that agree, and what is wrong with the others.
    pub(super) fn agreed(&self, kept: &[Kept]) -> (Vec<String>, Vec<Finding>) {
        let (mut agreed, mut findings) = (Vec::new(), Vec::new());
        for Kept { name, note } in kept {
            let file = name.clone();
            let find = |fault| Finding::new(Part::Kept, fault);
            let (checkpoint, by) = match self.open(note) {
                Ok(opened) => opened,
                Err(cause) => {
                    findings.push(find(Fault::Kept { file, cause }));
                    continue;
                }
            };
            let size = checkpoint.size();
            let dropped = self.recovery_after(checkpoint.origin());
            match self.ends.at_size(size) {
                Some(end) if end.root == *checkpoint.root() => agreed.push(file),
                None if self.cut && size > self.ends.last().size => {}
                _ if dropped.is_some() => {
                    let recovery = dropped.expect("just seen");
                    let (epoch, went_on) = (recovery.begins.epoch, recovery.begins.size);
                    let fault =
                        Fault::KeptDropped { file, size, epoch, went_on, recovery: recovery.id };
                    findings.push(find(fault).signed(epochs::signers(self.genesis, recovery)));
                }
                Some(end) => {
                    let (theirs, ours) = (hex::encode(checkpoint.root()), hex::encode(end.root));
                    findings.push(find(Fault::KeptRoot { file, size, theirs, ours }).signed(by));
                }
                None => {
                    let ours = self.ends.last().size;
                    findings.push(find(Fault::KeptSize { file, size, ours }).signed(by));
                }
            }
        }
        (agreed, findings)
    }

    /// The recovery that ended the epoch of an origin.
    fn recovery_after(&self, origin: &str) -> Option<&Recovery> {
        let epoch = self.genesis.epoch_of_origin(origin)?;
        self.recoveries.iter().find(|recovery| recovery.begins.epoch == epoch + 1)
    }

    /// A note by log keys of any policy, and whose signatures it has.
    fn open(&self, note: &str) -> Result<(Checkpoint, Vec<Signer>), String> {
        let epoch = self.recoveries.last().map_or(FIRST_EPOCH, |last| last.begins.epoch);
        let claimed = note.lines().next().unwrap_or_default();
        let ours = self.genesis.epoch_of_origin(claimed).is_some_and(|of| of <= epoch);
        let origin = if ours { claimed.to_owned() } else { self.genesis.origin_of(epoch) };
        let first = self.genesis.nodes.iter().map(|node| (node.id.0, node.node.0));
        let later = self.changes.iter().flat_map(|(_, policy)| &policy.logs);
        let mut logs: Vec<(u64, [u8; 32])> =
            first.chain(later.map(|log| (log.node.0, log.key.0))).collect();
        logs.sort_unstable();
        logs.dedup();
        let key = |(_, key): &(u64, [u8; 32])| VerifierKey::new(&origin, Algorithm::Ed25519, key);
        let keys: Vec<VerifierKey> =
            logs.iter().map(key).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let opened =
            Checkpoint::open(note.as_bytes(), &origin, &keys).map_err(|e| e.to_string())?;
        let nodes = logs.iter().zip(&keys);
        let signed = nodes.filter(|(_, key)| opened.verified.iter().any(|by| by.key == *key));
        let by = signed.filter_map(|((node, _), _)| signer(self.genesis, *node, "signed it"));
        Ok((opened.checkpoint, by.collect()))
    }
}
