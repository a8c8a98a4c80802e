//! Runs: many lines behind one manifest that the issuer and the funder signed. They are granted something, or are balances of
//! another system that are taken over.
//!
//! The lines stand outside the ledger; the manifest holds the root of an RFC 6962 tree over them. A chunk brings a complete
//! subtree of lines with its path to that root, so whoever submits it needs no right of their own. [`plan`] makes roots and
//! chunks, [`RunChunk::proves`] checks them; the two share the hash functions alone.

pub mod plan;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    codec,
    hash::{Hash, tagged},
    id::{DocumentHash, PartyId, Salt, TxId},
    keys::PublicKey,
    limits,
    operation::{OpenRun, RunChunk},
    time::Time,
    tlog::{
        merkle::{leaf_hash, node_hash},
        proof::inclusion_root,
    },
};

/// One line of a run: who gets how much. Its place in the manifest is its place in the tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLine {
    /// A person or a group; it need not be on the ledger yet.
    pub to: PartyId,
    /// How much.
    pub amount: Amount,
    /// Random: the line's hash stands in its neighbours' proofs and must not tell what it says.
    pub salt: Salt,
    /// What it was in another system, if it is taken over.
    pub old: Option<OldBalance>,
}

/// What a line of an import was before: a balance, or that part of one that expires at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldBalance {
    /// A keyed hash of its number over there; each is taken over once, for ever, per issuer.
    pub reference: DocumentHash,
    /// From when on it could no longer be spent there; here it never lasts longer.
    pub use_expiry: Option<Time>,
}

impl OldBalance {
    /// Whether it can still be spent at `now`.
    #[must_use]
    pub fn usable(&self, now: Time) -> bool {
        self.use_expiry.is_none_or(|end| now < end)
    }

    /// The earlier of its own expiry and that of what is issued now.
    #[must_use]
    pub fn expiry(&self, issued: Option<Time>) -> Option<Time> {
        [self.use_expiry, issued].into_iter().flatten().min()
    }
}

impl RunLine {
    /// Its leaf in the tree: of its canonical bytes.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        leaf_hash(&codec::encode(self))
    }
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// What was signed.
    pub manifest: OpenRun,
    /// The keys that signed it, of the issuer's officers and of the funder.
    pub granted_by: Vec<PublicKey>,
    /// When it was ended early.
    pub ended: Option<Time>,
    /// Lines applied.
    pub applied: u32,
    /// What they gave.
    pub given: Amount,
    /// Lines whose party is not on the ledger yet.
    pub waiting: u32,
}

/// What became of up to [`limits::RUN_LINES_PER_ROW`] lines, a bit each: line `n` of the row is bit `n % 64` of word `n / 64`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunLines {
    /// Posted.
    pub applied: Vec<u64>,
    /// Brought, and could not be posted then.
    pub tried: Vec<u64>,
}

impl Default for RunLines {
    fn default() -> Self {
        let words = limits::RUN_LINES_PER_ROW as usize / 64;
        Self { applied: vec![0; words], tried: vec![0; words] }
    }
}

/// Whether a bit of some words is set.
#[must_use]
pub fn is_set(words: &[u64], at: u32) -> bool {
    words[at as usize / 64] & (1 << (at % 64)) != 0
}

/// Sets or clears a bit.
pub fn set(words: &mut [u64], at: u32, value: bool) {
    let bit = 1 << (at % 64);
    let word = &mut words[at as usize / 64];
    *word = if value { *word | bit } else { *word & !bit };
}

/// The entitlement of a line's party before it is on the ledger.
#[must_use]
pub fn line_id(run: &TxId, index: u32) -> TxId {
    TxId(tagged("musubi/v1/line", &[&run.0, &index.to_le_bytes()]))
}

impl Run {
    /// Whether it applies lines at `now`, as far as it itself tells: not if a key that signed it is compromised.
    #[must_use]
    pub fn open(&self, now: Time) -> bool {
        self.ended.is_none() && now < self.manifest.until
    }
}

impl OpenRun {
    /// Whether its parts are within their bounds, as far as that depends on them alone.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        (1..=limits::RUN_LINES_MAX).contains(&self.count)
            && (self.import.is_some() || self.origin != crate::lot::OriginKind::Paid)
    }

    /// How many parts of `2^level` lines it has.
    #[must_use]
    pub fn parts(&self, level: u8) -> u32 {
        self.count.div_ceil(1 << level)
    }
}

impl RunChunk {
    /// Whether it may be a subtree of some run.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        self.level <= limits::RUN_CHUNK_LEVEL_MAX
            && (1..=1 << self.level).contains(&self.lines.len())
            && self.proof.len() <= limits::RUN_PROOF_MAX
    }

    /// The place of its first line, unless that is out of range.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.place.checked_mul(1 << self.level)
    }

    /// Whether its lines stand in the run of this manifest where it says.
    #[must_use]
    pub fn proves(&self, manifest: &OpenRun) -> bool {
        let Some(first) = self.first().filter(|first| *first < manifest.count) else {
            return false;
        };
        let full = (manifest.count - first).min(1 << self.level);
        if self.lines.len() != full as usize {
            return false;
        }
        let proof: Vec<Hash> = self.proof.iter().map(|hash| hash.0).collect();
        let parts = u64::from(manifest.parts(self.level));
        inclusion_root(&subtree(&self.lines), u64::from(self.place), parts, &proof)
            == Ok(manifest.root.0)
    }
}

/// The root over some lines: pairs are joined level by level, and what is left over rises as it is.
fn subtree(lines: &[RunLine]) -> Hash {
    let mut level: Vec<Hash> = lines.iter().map(RunLine::leaf).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                rest => rest[0],
            })
            .collect();
    }
    level[0]
}
