//! Where something is wrong, what, and who signed it.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use super::fault::Fault;

/// Which part of the record is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The genesis document.
    Genesis,
    /// A Raft entry: a batch with its items.
    Entry,
    /// A leaf of the log.
    Leaf,
    /// A seal's body.
    Seal,
    /// A tile of the log's hashes.
    Tile,
    /// A signed checkpoint: a validator's, or a final one.
    Checkpoint,
    /// The chain of witness policies.
    Policy,
    /// A checkpoint that the auditor kept from before.
    Kept,
    /// A resume point.
    Resume,
    /// The money itself, after all entries.
    Supply,
}

/// Who signed what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// Node id; none for an independent witness.
    pub node: Option<u64>,
    /// Its organisation's name, or the witness's.
    pub organisation: String,
    /// What it did, to stand behind its name: "cut and signed this batch".
    pub did: String,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => write!(f, "node {node} of {} {}", self.organisation, self.did),
            None => write!(f, "witness {} {}", self.organisation, self.did),
        }
    }
}

/// A fault of a record, and its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Finding {
    /// Which part.
    pub part: Part,
    /// The block.
    pub height: Option<u64>,
    /// The leaf's index in the log.
    pub leaf: Option<u64>,
    /// The item's position in its batch, from 0.
    pub item: Option<u32>,
    /// What is wrong.
    pub fault: Box<Fault>,
    /// Who signed it, as far as the record shows.
    pub signed_by: Vec<Signer>,
}

/// Everything that is wrong: the first fault, and others that do not follow from it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Findings {
    /// The first.
    pub first: Finding,
    /// Others, in the order of the record; at most [`Findings::MAX`] in all.
    pub further: Vec<Finding>,
}

impl Findings {
    /// How many findings are kept; behind them the audit looks no further.
    pub const MAX: usize = 16;

    /// All of them, if there are any.
    pub(super) fn of(found: Vec<Finding>) -> Option<Self> {
        let mut found = found.into_iter();
        let first = found.next()?;
        Some(Self { first, further: found.collect() })
    }

    /// All of them, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.first).chain(&self.further)
    }
}

impl From<Finding> for Findings {
    fn from(first: Finding) -> Self {
        Self { first, further: Vec::new() }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.further.iter().try_for_each(|finding| write!(f, "\nalso {finding}"))
    }
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Finding", 7)?;
        fields.serialize_field("code", self.fault.code())?;
        fields.serialize_field("part", &self.part)?;
        fields.serialize_field("height", &self.height)?;
        fields.serialize_field("leaf", &self.leaf)?;
        fields.serialize_field("item", &self.item)?;
        fields.serialize_field("detail", &self.to_string())?;
        fields.serialize_field("signed_by", &self.signed_by)?;
        fields.end()
    }
}

impl Finding {
    pub(super) fn new(part: Part, fault: impl Into<Fault>) -> Self {
        let (height, leaf, item, signed_by) = (None, None, None, Vec::new());
        Self { part, height, leaf, item, fault: Box::new(fault.into()), signed_by }
    }

    pub(super) fn at(mut self, height: u64) -> Self {
        self.height = Some(height);
        self
    }

    pub(super) fn leaf(mut self, leaf: u64) -> Self {
        self.leaf = Some(leaf);
        self
    }

    pub(super) fn signed(mut self, by: impl IntoIterator<Item = Signer>) -> Self {
        self.signed_by.extend(by);
        self
    }

    pub(super) fn item(mut self, item: Option<u32>) -> Self {
        self.item = item;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Genesis => "genesis document",
            Part::Entry => "entry",
            Part::Leaf => "leaf",
            Part::Seal => "seal",
            Part::Checkpoint => "checkpoints",
            Part::Tile => "tile",
            Part::Policy => "witness policies",
            Part::Kept => "kept checkpoint",
            Part::Resume => "resume point",
            Part::Supply => "supply",
        };
        write!(f, "{part}")?;
        if let Some(leaf) = self.leaf {
            write!(f, " {leaf}")?;
        }
        if let Some(height) = self.height {
            write!(f, " at height {height}")?;
        }
        if let Some(item) = self.item {
            write!(f, " (item {item} of its batch)")?;
        }
        write!(f, ": {}", self.fault)?;
        for (at, signer) in self.signed_by.iter().enumerate() {
            write!(f, "{} {signer}", if at == 0 { ";" } else { "," })?;
        }
        Ok(())
    }
}
