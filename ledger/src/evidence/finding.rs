//! What verified evidence says: who, what, where.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::suspects::{Signs, Suspect};
use crate::hash::{Hash, tagged};

/// The kinds of evidence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two batches for one place.
    DoubleBatch,
    /// An item badly signed in a batch.
    BadItem,
    /// Two roots at one size.
    TwoRoots,
    /// A root, and a larger tree that begins otherwise.
    Rewritten,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DoubleBatch, Self::BadItem, Self::TwoRoots, Self::Rewritten];

    /// The stable name, as in files' names, metrics and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DoubleBatch => "double_batch",
            Self::BadItem => "bad_item",
            Self::TwoRoots => "two_roots",
            Self::Rewritten => "rewritten",
        }
    }
}

/// Where it happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A place in the Raft log.
    Entry {
        /// Its term.
        term: u64,
        /// Its index.
        index: u64,
        /// The item of the batch, if it is about one.
        item: Option<u32>,
    },
    /// Sizes of the log of proof.
    Log {
        /// Which log: `name/epoch`.
        origin: String,
        /// The size that is contradicted.
        size: u64,
        /// The larger tree that contradicts it, if it is another one.
        later: Option<u64>,
    },
}

/// What a file shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What was done.
    pub kind: Kind,
    /// Whose key did it.
    pub who: Suspect,
    /// Where.
    pub place: Place,
}

impl Finding {
    /// The name of its file: the kind, and a hash of kind, key and place. Two files about one deed share it.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}.evidence", self.kind.name(), hex::encode(&self.subject()[..16]))
    }

    fn subject(&self) -> Hash {
        let (numbers, origin) = match &self.place {
            Place::Entry { term, index, .. } => ([*term, *index], ""),
            Place::Log { origin, size, .. } => ([*size, 0], origin.as_str()),
        };
        let numbers = numbers.map(u64::to_le_bytes);
        let parts = [&self.who.key.0[..], numbers.as_flattened(), origin.as_bytes()];
        tagged(&format!("musubi/v1/evidence/{}", self.kind.name()), &parts)
    }
}

impl fmt::Display for Finding {
    /// One plain sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Suspect { node, name, key, signs, .. } = &self.who;
        match node {
            Some(node) => write!(f, "Node {} of {name}", node.0)?,
            None => write!(f, "The witness {name}")?,
        }
        let key_of = match signs {
            Signs::Log => "node key",
            Signs::Cosignatures => "cosigner's key",
        };
        write!(f, " ({key_of} {key}) signed ")?;
        match (&self.place, self.kind) {
            (Place::Entry { term, index, item: None }, _) => {
                write!(f, "two different batches for entry {index} of term {term}")
            }
            (Place::Entry { term, index, item: Some(item) }, _) => write!(
                f,
                "a batch for entry {index} of term {term} whose item {item} bears a signature that \
                 does not verify"
            ),
            (Place::Log { origin, size, later: None }, _) => {
                write!(f, "two different roots of the log {origin} at size {size}")
            }
            (Place::Log { origin, size, later: Some(later) }, _) => write!(
                f,
                "a root of the log {origin} at size {size}, and one at size {later} of a tree whose \
                 first {size} leaves are others"
            ),
        }?;
        f.write_str(", which no honest node does.")
    }
}
