//! What is compared when all blocks are in, and how it ends.

use musubi_ledger::{epoch::FIRST_EPOCH, time::Time};

use super::{
    auditor::Auditor,
    coverage::{Demands, coverage},
    epochs,
    finals::{self, Finals},
    finding::Findings,
    kept::{self, Kept, Known},
    report::{self, Report},
    tally::Trust,
    validators,
};

/// What is compared when all blocks are in.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    /// The validators' signed notes, by node id.
    pub notes: Vec<(u64, String)>,
    /// The newest final checkpoint, and the witness policies.
    pub finals: Finals,
    /// Checkpoints that the auditor kept from before.
    pub kept: Vec<Kept>,
    /// How far the validators' signatures must reach.
    pub demands: Demands,
    /// The auditor's clock.
    pub now: Option<Time>,
}

impl Auditor {
    /// Recounts the supply and compares with what was signed, by the validators and for the auditor.
    ///
    /// # Errors
    /// Everything that was found.
    ///
    /// # Panics
    /// Before [`Auditor::open`].
    pub fn finish(mut self, closing: &Closing) -> Result<Report, Findings> {
        assert!(self.first.is_none(), "block 0 is compared before the end");
        let cut = self.diverged;
        let supply = report::supply(&self.state).map_err(|finding| self.found(finding));
        let recoveries = epochs::recoveries(&self.genesis, &self.recoveries);
        let (present, everybody) = (
            epochs::present(&self.genesis, &recoveries),
            epochs::everybody(&self.genesis, &recoveries),
        );
        let epoch = recoveries.last().map_or(FIRST_EPOCH, |last| last.begins.epoch);
        let origin = self.genesis.origin_of(epoch);
        let (validators, wrong) =
            validators::agreed((&present, &origin), &self.ends, cut, &closing.notes);
        let changes = std::mem::take(&mut self.changes);
        let set = (&changes[..], &recoveries[..]);
        let finality = finals::check(&self.genesis, set, &self.ends, cut, &closing.finals);
        let kept = Known {
            genesis: &everybody,
            changes: &changes,
            recoveries: &recoveries,
            ends: &self.ends,
            cut,
        };
        let (kept, rewritten) = kept.agreed(&closing.kept);
        let validators = [validators, finality.agreements].concat();
        let validators = validators::newest(validators);
        let clean = self.is_clean() && wrong.is_empty();
        let findings = wrong.into_iter().chain(finality.findings).chain(rewritten);
        findings.for_each(|finding| self.found(finding));
        let coverage = coverage(&present, &self.ends, &validators, &closing.demands);
        // Where signatures are wrong, that they do not reach far enough is no news.
        let coverage = coverage.map_err(|finding| {
            if clean {
                self.found(finding)
            }
        });
        if let Some(findings) = Findings::of(std::mem::take(&mut self.findings)) {
            return Err(findings);
        }
        let (Ok(supply), Ok(coverage)) = (supply, coverage) else {
            panic!("whatever is wrong is among the findings");
        };
        let root = hex::encode(self.chain.root());
        let state = hex::encode(self.chain.state_digest());
        let which = (self.chain.id(), origin);
        let head = self.chain.head();
        let note =
            finality.note.or_else(|| kept::newest(&closing.notes, coverage.by_majority.size));
        let trust = Trust {
            pinned: self.pinned,
            driven: self.genesis.parameters.driven_time,
            now: closing.now,
            validators,
            coverage,
            kept,
            covered: finality.covered,
            unsettled: finality.unsettled,
            recoveries: epochs::lines(&self.genesis, &recoveries),
            note: note.unwrap_or_default(),
        };
        Ok(self.tally.report(which, head, (root, state), supply, trust))
    }
}
