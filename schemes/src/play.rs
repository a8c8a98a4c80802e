//! Setting a scheme up on a stage, and playing its steps.
//!
//! - this file: the run; [`setup`]: who and what comes onto the ledger first; [`act`]: writing and signing;
//! - [`consent`]: who signs for whom; [`rules`], [`offers`]: putting what may be taken, and what the ledger posts by itself.

mod act;
mod consent;
mod offers;
mod rules;
mod setup;

use std::collections::BTreeMap;

use musubi_ledger::{
    code::Code,
    id::{InstrumentId, MediumId, PartyId, TxId},
    run::plan::RunPlan,
};

pub(crate) use self::{
    act::{Act, After, Signer},
    setup::mandate,
};
use crate::{
    observe::Observed,
    report::{CheckLine, Report, StepLine},
    scheme::{Scheme, Step},
    stage::{Actor, Stage, StageError},
};

/// Why a step cannot be played, or what it found to be otherwise than it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The stage's own.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Something of the set-up was not applied.
    #[error("setting up: {0} came to {1}")]
    Setup(String, Code),
    /// What the step needs is not there.
    #[error("{0}")]
    Lacks(String),
}

/// A scheme that is being played.
pub struct Play<'s> {
    pub(crate) scheme: &'s Scheme,
    pub(crate) stage: &'s mut dyn Stage,
    /// Who signs, by place in the cast.
    pub(crate) actors: Vec<Actor>,
    /// Under what is issued.
    pub(crate) allowances: BTreeMap<InstrumentId, TxId>,
    /// Standing acceptances.
    pub(crate) acceptances: BTreeMap<(usize, InstrumentId), TxId>,
    pub(crate) cards: BTreeMap<usize, Card>,
    /// By group and instrument.
    pub(crate) budgets: BTreeMap<(usize, InstrumentId), Budget>,
    /// Offers that were put.
    pub(crate) offers: BTreeMap<usize, TxId>,
    /// By offer and holder.
    pub(crate) rights: BTreeMap<(usize, usize), TxId>,
    /// Lines of runs that were opened.
    pub(crate) plans: BTreeMap<TxId, RunPlan>,
    /// Transactions of the steps that have a name.
    pub(crate) past: BTreeMap<String, Vec<TxId>>,
    /// What a transaction made that later steps mean, instead of it.
    made: BTreeMap<TxId, Vec<TxId>>,
    written: u64,
}

/// A medium that pays for its holder.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) medium: MediumId,
    /// What pays by it.
    pub(crate) debit: TxId,
    /// In these, ascending.
    pub(crate) instruments: Vec<InstrumentId>,
}

/// A group's budget, and who spends it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    pub(crate) mandate: TxId,
    pub(crate) staff: Vec<usize>,
}

/// Plays a scheme on a fresh stage and holds its expectations against what was observed.
///
/// # Errors
/// [`Fault`] if the stage fails or the scheme cannot be set up. A step or figure that is not as the file says is no error:
/// the report says so.
pub fn run(scheme: &Scheme, stage: &mut dyn Stage) -> Result<Report, Fault> {
    let mut play = Play::new(scheme, stage);
    let mut observed = Observed::default();
    play.set_up()?;
    let mut report = Report::new(scheme);
    for step in &scheme.steps {
        let (line, ids) = play.step(step);
        let seen = play.stage.seen()?;
        observed.watch(&seen, play.stage.state(), &line);
        if let Some(id) = &step.id {
            observed.applied(id, line.applied);
            play.past.insert(id.clone(), ids);
        }
        report.steps.push(line);
        let due = |at: &Option<String>| at.is_some() && *at == step.id;
        play.check(&observed, &mut report, due);
    }
    play.check(&observed, &mut report, |at| at.is_none());
    for expect in &scheme.expects {
        if !report.has(expect) {
            let lacks = "the step after which it is measured was not played".to_owned();
            report.checks.push(CheckLine::new(expect, Err(lacks)));
        }
    }
    report.count_refusals();
    Ok(report)
}

impl<'s> Play<'s> {
    fn new(scheme: &'s Scheme, stage: &'s mut dyn Stage) -> Self {
        let actors = setup::actors(scheme, stage);
        Self {
            scheme,
            stage,
            actors,
            allowances: BTreeMap::new(),
            acceptances: BTreeMap::new(),
            cards: BTreeMap::new(),
            budgets: BTreeMap::new(),
            offers: BTreeMap::new(),
            rights: BTreeMap::new(),
            plans: BTreeMap::new(),
            past: BTreeMap::new(),
            made: BTreeMap::new(),
            written: 0,
        }
    }

    pub(crate) fn party(&self, at: usize) -> PartyId {
        self.actors[at].party
    }

    fn check(
        &self,
        observed: &Observed,
        report: &mut Report,
        due: impl Fn(&Option<String>) -> bool,
    ) {
        let (state, now) = (self.stage.state(), self.stage.now());
        let world = observed.world(self.scheme, (&self.actors, &self.offers), state, now);
        for expect in self.scheme.expects.iter().filter(|expect| due(&expect.at)) {
            let got = expect.of.value(&|ask| world.answer(ask)).map_err(|lack| lack.to_string());
            report.checks.push(CheckLine::new(expect, got));
        }
    }

    /// Plays a step; returns what became of it and the ids of its transactions.
    fn step(&mut self, step: &'s Step) -> (StepLine, Vec<TxId>) {
        let mut line = StepLine::new(step);
        let mut ids = Vec::new();
        for _ in 0..step.times {
            let played = step.verb.play(self).and_then(|acts| self.submit(acts, &step.without));
            match played {
                Ok(results) => {
                    for (id, code) in results {
                        ids.extend(self.made.remove(&id).unwrap_or_else(|| vec![id]));
                        line.count(code);
                    }
                }
                Err(fault) => {
                    line.fail(fault.to_string());
                    break;
                }
            }
        }
        (line, ids)
    }
}
