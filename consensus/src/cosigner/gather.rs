//! What members have signed: the newest note of each, and what they make final together.

use std::collections::BTreeMap;

use musubi_ledger::{
    batch::NodeId,
    hash::Hash,
    policy::{FinalCheckpoint, PolicyChain},
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::{NoteSignature, Verified},
        vkey::VerifierKey,
    },
};

use super::Roots;

/// Notes of independent witnesses that are kept.
const WITNESSES_MAX: usize = 32;

/// A note of which only the lines that verify are kept.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    checkpoint: Checkpoint,
    text: String,
    lines: Vec<Line>,
    /// Whether this node's own root at that size has been compared.
    compared: bool,
}

/// A line that verifies.
#[derive(Clone, Debug)]
struct Line {
    signature: NoteSignature,
    key: VerifierKey,
    unix_seconds: Option<u64>,
}

impl Heard {
    pub(super) fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    pub(super) fn root(&self) -> &Hash {
        self.checkpoint.root()
    }

    fn note(&self) -> String {
        let mut note = SignedNote::new(self.text.clone()).expect("it was one");
        for line in &self.lines {
            note.add(line.signature.clone()).expect("it had room for them");
        }
        note.to_string()
    }
}

/// The newest note of each member, and of witnesses by the name in their first line: so memory is bounded by
/// who may speak, whatever they say.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    members: BTreeMap<NodeId, Heard>,
    witnesses: BTreeMap<String, Heard>,
    /// A bug to run with.
    #[cfg(feature = "planted-bugs")]
    pub(super) planted: Option<crate::Planted>,
}

impl Gathered {
    /// Reads a note and keeps the lines that keys of the policies made.
    ///
    /// # Errors
    /// A stable code of what is wrong with it.
    pub(super) fn read(&self, note: &str, policies: &PolicyChain) -> Result<Heard, &'static str> {
        let note = SignedNote::parse(note.as_bytes()).map_err(|error| error.code())?;
        let checkpoint: Checkpoint = note.text().parse().map_err(|_| "bad_checkpoint")?;
        if checkpoint.origin() != policies.newest().origin() {
            return Err("other_log");
        }
        let mut lines: Vec<Line> = Vec::new();
        for signature in note.signatures() {
            if let Some(known) = self.known(note.text(), signature) {
                lines.push(known.clone());
                continue;
            }
            let keys = policies.needed(checkpoint.size()).flat_map(|policy| policy.keys());
            lines.extend(verify(note.text(), signature, keys)?);
        }
        let mut seen: Vec<&VerifierKey> = Vec::new();
        if lines.iter().any(|line| {
            seen.contains(&&line.key) || {
                seen.push(&line.key);
                false
            }
        }) {
            return Err("repeated_signature");
        }
        if lines.is_empty() {
            return Err("no_trusted_signature");
        }
        Ok(Heard { text: note.text().into(), checkpoint, lines, compared: false })
    }

    /// A line that was verified before.
    fn known(&self, text: &str, signature: &NoteSignature) -> Option<&Line> {
        let same = self.all().filter(|heard| heard.text == text);
        same.flat_map(|heard| &heard.lines).find(|line| line.signature == *signature)
    }

    fn all(&self) -> impl Iterator<Item = &Heard> {
        self.members.values().chain(self.witnesses.values())
    }

    /// Keeps a note if it is newer than the sender's last, or the same with other lines.
    pub(super) fn keep(&mut self, from: Option<NodeId>, mut heard: Heard, compared: bool) {
        heard.compared = compared;
        let newer = |kept: &Heard| heard.size() >= kept.size();
        match from {
            Some(node) => {
                if self.members.get(&node).is_none_or(newer) {
                    self.members.insert(node, heard);
                }
            }
            None => {
                let name = heard.lines[0].key.name().to_owned();
                let room = self.witnesses.len() < WITNESSES_MAX;
                if self.witnesses.get(&name).map_or(room, newer) {
                    self.witnesses.insert(name, heard);
                }
            }
        }
    }

    /// Compares what came before its leaves; tells, and forgets, what contradicts this node's log.
    pub(super) fn compare(&mut self, roots: Roots<'_>) -> Vec<(Option<NodeId>, u64, String)> {
        let mut found = Vec::new();
        let mut agrees = |from: Option<NodeId>, heard: &mut Heard| {
            let own = if heard.compared { None } else { roots(heard.size()) };
            heard.compared |= own.is_some();
            let agrees = own.is_none_or(|own| own == *heard.root());
            if !agrees {
                found.push((from, heard.size(), heard.note()));
            }
            agrees
        };
        self.members.retain(|node, heard| agrees(Some(*node), heard));
        self.witnesses.retain(|_, heard| agrees(None, heard));
        found
    }

    /// The largest checkpoint above `signed` that a member named and this node has executed.
    pub(super) fn newest_named(&self, signed: u64, roots: Roots<'_>) -> Option<(u64, Hash)> {
        let newer = self.members.values().filter(|heard| heard.size() > signed);
        let executed = newer
            .filter(|heard| roots(heard.size()) == Some(*heard.root()) || self.signs_unexecuted());
        executed.map(|heard| (heard.size(), *heard.root())).max_by_key(|(size, _)| *size)
    }

    /// The largest checkpoint that this node has executed and that satisfies every policy it needs.
    pub(super) fn newest_final(
        &self,
        policies: &PolicyChain,
        roots: Roots<'_>,
    ) -> Option<FinalCheckpoint> {
        let mut candidates: Vec<&Heard> = self.members.values().collect();
        candidates.sort_by_key(|heard| std::cmp::Reverse(heard.size()));
        candidates.dedup_by_key(|heard| heard.size());
        let executed = |heard: &&&Heard| roots(heard.size()) == Some(*heard.root());
        candidates.iter().filter(executed).find_map(|heard| self.judge(heard, policies))
    }

    /// Whether a note, with everything gathered under the same text, is final.
    pub(super) fn judge(&self, of: &Heard, policies: &PolicyChain) -> Option<FinalCheckpoint> {
        let mut lines: Vec<&Line> = Vec::new();
        let same = self.all().filter(|heard| heard.text == of.text);
        for line in std::iter::once(of).chain(same).flat_map(|heard| &heard.lines) {
            // One line per key: a cosigner that states two times counts once.
            if !lines.iter().any(|kept| kept.key == line.key) {
                lines.push(line);
            }
        }
        let verified: Vec<Verified<'_>> = lines
            .iter()
            .map(|line| Verified { key: &line.key, unix_seconds: line.unix_seconds })
            .collect();
        let mut note = SignedNote::new(of.text.clone()).expect("it was one");
        for line in &lines {
            note.add(line.signature.clone()).ok()?;
        }
        #[cfg(feature = "planted-bugs")]
        if self.planted == Some(crate::Planted::OrganisationTwice) {
            return by_heads(policies, of, note, &verified);
        }
        let mut needed = policies.needed(of.size());
        let newest =
            needed.next()?.finalise(of.checkpoint.clone(), note.clone(), &verified).ok()?;
        for older in needed {
            older.finalise(of.checkpoint.clone(), note.clone(), &verified).ok()?;
        }
        Some(newest)
    }

    /// Whether the bug is planted that believes a name which this node has not executed.
    fn signs_unexecuted(&self) -> bool {
        #[cfg(feature = "planted-bugs")]
        let planted = self.planted == Some(crate::Planted::CosignUnexecuted);
        #[cfg(not(feature = "planted-bugs"))]
        let planted = false;
        planted
    }
}

/// The planted bug that counts cosigners where organisations count.
#[cfg(feature = "planted-bugs")]
fn by_heads(
    policies: &PolicyChain,
    of: &Heard,
    note: SignedNote,
    verified: &[Verified<'_>],
) -> Option<FinalCheckpoint> {
    let trusted = policies.at(of.size());
    let tally = trusted.tally(verified);
    let policy = trusted.policy();
    (tally.cosigned.len() >= usize::from(policy.quorum)).then(|| FinalCheckpoint {
        checkpoint: of.checkpoint.clone(),
        note,
        policy: policy.number,
        logs: tally.logs,
        cosigned: tally.cosigned,
    })
}

/// The line, if one of the keys made it; `None` if it claims none of them.
fn verify<'k>(
    text: &str,
    signature: &NoteSignature,
    mut keys: impl Iterator<Item = &'k VerifierKey>,
) -> Result<Option<Line>, &'static str> {
    let claims =
        |key: &&VerifierKey| key.name() == signature.name() && key.id() == signature.key_id();
    let Some(key) = keys.find(claims) else { return Ok(None) };
    let mut single = SignedNote::new(text.to_owned()).map_err(|error| error.code())?;
    single.add(signature.clone()).map_err(|error| error.code())?;
    let verified = single.verify(std::slice::from_ref(key)).map_err(|error| error.code())?;
    let unix_seconds = verified.first().and_then(|verified| verified.unix_seconds);
    Ok(Some(Line { signature: signature.clone(), key: key.clone(), unix_seconds }))
}
