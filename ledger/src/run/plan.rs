//! A run's tree as whoever prepares it has it: the root for the manifest, and the chunks to send.

use super::RunLine;
use crate::{
    amount::Amount,
    hash::Hash,
    id::{MerkleHash, TxId},
    limits,
    operation::RunChunk,
    tlog::{
        merkle::{NodeReader, node_hash, root, subtree_root},
        proof::prove_inclusion,
    },
};

/// All lines of a run with their tree.
#[derive(Clone, Debug)]
pub struct RunPlan {
    lines: Vec<RunLine>,
    leaves: Complete,
}

/// The complete subtrees over some leaves, by level.
#[derive(Clone, Debug)]
struct Complete(Vec<Vec<Hash>>);

impl Complete {
    fn over(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            levels.push(below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect());
        }
        Self(levels)
    }
}

impl NodeReader for Complete {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let index = usize::try_from(index).ok()?;
        self.0.get(usize::from(level))?.get(index).copied()
    }
}

/// Why lines are no run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// None, or too many.
    #[error("a run has 1 to {max} lines; cut a longer list into several runs", max = limits::RUN_LINES_MAX)]
    Count,
    /// Their sum is no amount.
    #[error("the lines sum to more than an amount can hold; cut the list into several runs")]
    Sum,
}

impl RunPlan {
    /// Plans a run of these lines, in this order.
    ///
    /// # Errors
    /// [`PlanError`] if they are none or too many, or their sum leaves the range.
    pub fn new(lines: Vec<RunLine>) -> Result<Self, PlanError> {
        if lines.is_empty() || lines.len() > limits::RUN_LINES_MAX as usize {
            return Err(PlanError::Count);
        }
        let leaves = Complete::over(lines.iter().map(RunLine::leaf).collect());
        let plan = Self { lines, leaves };
        plan.sum().ok_or(PlanError::Sum)?;
        Ok(plan)
    }

    fn sum(&self) -> Option<Amount> {
        self.lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount))
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[RunLine] {
        &self.lines
    }

    /// How many there are.
    ///
    /// # Panics
    /// Never: a plan has no more lines than it may have.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("a plan's lines were counted")
    }

    /// What they sum to.
    ///
    /// # Panics
    /// Never: the sum was formed before.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.sum().expect("a plan's sum was formed before")
    }

    /// The root for the manifest.
    ///
    /// # Panics
    /// Never: all subtrees are there.
    #[must_use]
    pub fn root(&self) -> MerkleHash {
        MerkleHash(root(&self.leaves, u64::from(self.count())).expect("all subtrees are there"))
    }

    /// The chunk of `2^level` lines (fewer at the end) that is the `place`-th of its level; none if there is none.
    ///
    /// # Panics
    /// Never: all subtrees are there.
    #[must_use]
    pub fn chunk(&self, run: TxId, level: u8, place: u32) -> Option<RunChunk> {
        if level > limits::RUN_CHUNK_LEVEL_MAX || place >= self.count().div_ceil(1 << level) {
            return None;
        }
        let (size, count) = (1_u64 << level, u64::from(self.count()));
        let span = |part: u64| (part * size, ((part + 1) * size).min(count));
        let parts = count.div_ceil(size);
        let of = |part| {
            let (start, end) = span(part);
            subtree_root(&self.leaves, start, end).expect("all subtrees are there")
        };
        let tree = Complete::over((0..parts).map(of).collect());
        let proof = prove_inclusion(&tree, u64::from(place), parts).expect("the part is there");
        let (start, end) = span(u64::from(place));
        let bounds = "no more lines than a plan may have";
        let lines = usize::try_from(start).expect(bounds)..usize::try_from(end).expect(bounds);
        Some(RunChunk {
            run,
            level,
            place,
            lines: self.lines[lines].to_vec(),
            proof: proof.into_iter().map(MerkleHash).collect(),
        })
    }

    /// All chunks of the largest size, in order.
    pub fn chunks(&self, run: TxId) -> impl Iterator<Item = RunChunk> + '_ {
        let level = limits::RUN_CHUNK_LEVEL_MAX;
        (0..self.count().div_ceil(1 << level)).filter_map(move |at| self.chunk(run, level, at))
    }
}
