//! The executor: checks and executes committed entries, records them, reports. One step at a time,
//! with time in between, in which the machine may die.

use std::collections::VecDeque;

use musubi_consensus::{Execute, Executed, Position};
use musubi_ledger::{
    batch::Batch,
    execute::{Block, Chain, check_items},
    genesis::RULES_VERSION,
};
use musubi_storage::{Store, StoreError};

use super::{
    planted::{Bug, Spot},
    town::Town,
};

/// Its queue, and how far it is.
#[derive(Default)]
pub(crate) struct Executor {
    work: VecDeque<Execute>,
    phase: Phase,
    /// A step is under way.
    pub(crate) busy: bool,
}

#[derive(Default)]
enum Phase {
    /// Takes the next entry.
    #[default]
    Waits,
    /// Executed in memory; nothing is written yet. No block for an empty entry.
    Executed { entry: Position, block: Option<Box<Block>> },
    /// Recorded, and the replica does not know yet.
    Recorded(Executed),
}

/// What a step did.
pub(crate) enum ExecutorStep {
    /// There was nothing to do.
    Nothing,
    /// An entry was executed; its block, unless it is empty.
    Executed(Position, Option<(Batch, Box<Block>)>),
    /// An entry was recorded with its block.
    Recorded(Position, Option<Box<Block>>),
    /// To be reported to the replica.
    Report(Executed),
}

/// What executing takes besides the work.
pub(crate) struct Bench<'a> {
    pub(crate) town: &'a Town,
    pub(crate) store: &'a Store,
    pub(crate) chain: &'a mut Chain,
    pub(crate) bug: Option<Bug>,
    /// Where the planted bug would strike.
    pub(crate) spot: Spot,
}

impl Executor {
    pub(crate) fn push(&mut self, work: Execute) {
        self.work.push_back(work);
    }

    pub(crate) fn is_idle(&self) -> bool {
        !self.busy && self.work.is_empty()
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.work.is_empty() || !matches!(self.phase, Phase::Waits)
    }

    /// Does the next step.
    ///
    /// # Errors
    /// [`StoreError`]: the process must stop.
    pub(crate) fn step(&mut self, bench: Bench<'_>) -> Result<ExecutorStep, StoreError> {
        match std::mem::take(&mut self.phase) {
            Phase::Waits => Ok(self.execute(bench)),
            Phase::Executed { entry, block } => self.record(&bench, entry, block),
            Phase::Recorded(executed) => Ok(ExecutorStep::Report(executed)),
        }
    }

    fn execute(&mut self, bench: Bench<'_>) -> ExecutorStep {
        let Some(Execute { entry, batch }) = self.work.pop_front() else {
            return ExecutorStep::Nothing;
        };
        let position = entry.position();
        let Some(mut batch) = batch else {
            self.phase = Phase::Executed { entry: position, block: None };
            return ExecutorStep::Executed(position, None);
        };
        let Bench { town, store, chain, bug, spot } = bench;
        let ordered = batch.clone();
        Bug::before_execution(bug, spot, &mut batch);
        let known = |hash: &_| town.verified.contains(hash);
        let mut checked = check_items(&town.chain, RULES_VERSION, &batch.items, &known);
        Bug::after_checks(bug, spot, &mut checked);
        let hash = Batch::entry_hash(&entry.data);
        let mut block = Box::new(chain.execute(&**store.state(), &batch, hash, &checked));
        Bug::after_execution(bug, &mut block);
        self.phase = Phase::Executed { entry: position, block: Some(block.clone()) };
        ExecutorStep::Executed(position, Some((ordered, block)))
    }

    fn record(
        &mut self,
        bench: &Bench<'_>,
        entry: Position,
        block: Option<Box<Block>>,
    ) -> Result<ExecutorStep, StoreError> {
        match &block {
            Some(block) if !Bug::skips_record(bench.bug, bench.spot) => {
                bench.store.record(block, entry)?;
            }
            Some(_) | None => bench.store.record_empty(entry)?,
        }
        let time = bench.chain.head().time;
        let overdue = block.as_ref().is_some_and(|block| block.overdue);
        let due = if overdue { Some(time) } else { bench.store.state().next_due() };
        let items = block.as_ref().map(|block| &block.items[..]).unwrap_or_default();
        let judged = items.iter().filter(|item| item.judged()).map(|item| item.id).collect();
        self.phase = Phase::Recorded(Executed { index: entry.index, time, judged, due });
        Ok(ExecutorStep::Recorded(entry, block))
    }
}
