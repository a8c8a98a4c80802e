//! Counting towards the report.

use std::collections::BTreeMap;

use musubi_ledger::{
    code::Code,
    execute::{Block, CheckedItem, Head},
    id::ChainId,
    leaf::LeafKind,
    outcome::{Form, Outcome},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    coverage::Coverage,
    epochs::Recovered,
    finals::FinalCovered,
    report::{Agreement, Report, SupplyLine},
    warning::{Beside, warnings},
};
use crate::describe::operation_name;

/// What the rest of a report rests on.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) pinned: bool,
    /// Whether a test sets the chain's clocks.
    pub(super) driven: bool,
    /// The auditor's clock.
    pub(super) now: Option<Time>,
    pub(super) validators: Vec<Agreement>,
    pub(super) coverage: Coverage,
    /// Kept checkpoints that agree, by name.
    pub(super) kept: Vec<String>,
    /// The newest final checkpoint.
    pub(super) covered: Option<FinalCovered>,
    /// Policies that no final checkpoint covers.
    pub(super) unsettled: Vec<u32>,
    /// Recoveries.
    pub(super) recoveries: Vec<Recovered>,
    /// The newest note that agrees.
    pub(super) note: String,
}

/// Running counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) blocks: u64,
    pub(super) items: u64,
    pub(super) transactions: u64,
    pub(super) system: u64,
    pub(super) signatures: u64,
    kinds: BTreeMap<String, u64>,
    rejected: BTreeMap<String, u64>,
    void: BTreeMap<String, u64>,
    forms: BTreeMap<String, u64>,
    /// Published tiles that agree.
    pub(super) tiles: u64,
    /// Batches stamped no later than the block before them: executed a millisecond behind it.
    pub(super) late: u64,
    /// The first of them: height and leader.
    pub(super) first_late: Option<(u64, u64)>,
    /// The height at which an earlier run of this audit stopped, if this one went on from there.
    pub(super) resumed: Option<u64>,
}

impl Tally {
    pub(super) fn block(&mut self, block: &Block, items: &[CheckedItem], signatures: u64) {
        self.blocks += 1;
        self.items += block.items.len() as u64;
        self.signatures += signatures;
        for entry in &block.entries {
            match entry.leaf.kind {
                LeafKind::System => self.system += 1,
                LeafKind::Transaction => self.transactions += 1,
                LeafKind::Genesis | LeafKind::Seal => {}
            }
            let item = entry.item.and_then(|at| items.get(at as usize));
            let Some(transaction) = item.and_then(|item| item.transaction.as_ref()) else {
                continue;
            };
            if entry.leaf.code == Code::Applied {
                let name = operation_name(&transaction.body.operation);
                count(&mut self.kinds, name);
                self.forms(&entry.outcome);
            } else {
                count(&mut self.rejected, entry.leaf.code.name());
            }
        }
        for item in block.items.iter().filter(|item| item.leaf.is_none()) {
            count(&mut self.void, item.code.name());
        }
    }

    fn forms(&mut self, outcome: &Outcome) {
        if !outcome.postings.is_empty() {
            for form in [outcome.debit, outcome.credit] {
                count(&mut self.forms, form_name(form));
            }
        }
    }

    pub(super) fn report(
        self,
        (chain, origin): (ChainId, String),
        head: Head,
        (root, state): (String, String),
        supply: Vec<SupplyLine>,
        trust: Trust,
    ) -> Report {
        let Trust { pinned, driven, now, coverage, unsettled, .. } = trust;
        let Trust { validators, kept, covered, recoveries, note, .. } = trust;
        let late = (self.late, self.first_late);
        let beside = Beside { pinned, driven, end: head.time, now, late, unsettled };
        Report {
            chain,
            pinned,
            origin,
            height: head.height,
            time: head.time,
            size: head.size,
            root,
            state,
            blocks: self.blocks,
            items: self.items,
            transactions: self.transactions,
            system: self.system,
            signatures: self.signatures,
            tiles: self.tiles,
            kinds: self.kinds,
            rejected: self.rejected,
            void: self.void,
            consent_forms: self.forms,
            supply,
            validators,
            final_checkpoint: covered,
            checkpoint: note,
            kept,
            recoveries,
            resumed: self.resumed,
            warnings: warnings(&beside, &coverage),
            covered_by_majority: coverage.by_majority,
            covered_by_all: coverage.by_all,
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(number) => *number += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

/// A consent form's name, as in the API.
fn form_name(form: Form) -> &'static str {
    match form {
        Form::None => "none",
        Form::Live => "live",
        Form::Mandate => "mandate",
        Form::Request => "request",
        Form::Allowance => "allowance",
        Form::Terms => "terms",
        Form::Attested => "attested",
        Form::Time => "time",
        Form::Run => "run",
        Form::Offer => "offer",
    }
}
