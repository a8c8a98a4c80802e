//! Runs: lines are known by heart here, so a proof is good where it is the one that the list itself gives.

use musubi_ledger::{
    hash::{Hash, sha256},
    operation::{EndRun, OpenRun, RunChunk},
    run::{RunLine, RunLines, is_set},
};

use super::*;
use crate::common::lists;

/// A run as it stands.
#[derive(Clone)]
pub(super) struct Ran {
    manifest: OpenRun,
    keys: Vec<PublicKey>,
    ended: Option<u64>,
    lines: Vec<RunLine>,
    done: BTreeSet<u32>,
    tried: BTreeSet<u32>,
    waiting: BTreeSet<u32>,
}

/// MTH of RFC 6962 over lines.
fn root(lines: &[RunLine]) -> Hash {
    let [line] = lines else {
        let (left, right) = lines.split_at(lines.len().next_power_of_two() / 2);
        return sha256(&[&[1][..], &root(left), &root(right)].concat());
    };
    let end = |end: Option<Time>| match end {
        Some(end) => [&[1][..], &end.0.to_le_bytes()].concat(),
        None => vec![0],
    };
    let old = match line.old {
        Some(old) => [&[1][..], &old.reference.0, &end(old.use_expiry)].concat(),
        None => vec![0],
    };
    sha256(&[&[0][..], &line.to.0, &line.amount.0.to_le_bytes(), &line.salt.0, &old].concat())
}

/// The hashes beside `lines[from..to]` on the way up, the lowest first.
fn path(lines: &[RunLine], from: usize, to: usize) -> Vec<Hash> {
    if from == 0 && to == lines.len() {
        return Vec::new();
    }
    let half = lines.len().next_power_of_two() / 2;
    let (left, right) = lines.split_at(half);
    let (mut below, beside) = match from < half {
        true => (path(left, from, to), root(right)),
        false => (path(right, from - half, to - half), root(left)),
    };
    below.push(beside);
    below
}

impl Ran {
    fn proves(&self, op: &RunChunk) -> bool {
        let size = 1_usize << op.level;
        let from = op.place as usize * size;
        let to = (from + size).min(self.lines.len());
        let proof: Vec<Hash> = op.proof.iter().map(|hash| hash.0).collect();
        from < to && op.lines == self.lines[from..to] && proof == path(&self.lines, from, to)
    }

    fn given(&self) -> u64 {
        self.done.iter().map(|at| self.lines[*at as usize].amount.0).sum()
    }
}

impl Model {
    pub(super) fn open_run(&mut self, op: &OpenRun, id: TxId, by: &Signatures) -> Result<(), Code> {
        let may_be_paid = op.origin as u8 != 2 || op.import.is_some();
        demand((1..=100_000).contains(&op.count) && may_be_paid, Code::NotWellFormed)?;
        demand(op.total.0 > 0, Code::AmountInvalid)?;
        let terms = self.terms.get(&op.instrument).ok_or(Code::UnknownInstrument)?;
        let (issuer, step) = (terms.issuer, terms.step.0);
        demand(self.active(op.funder)? != PartyKind::Person, Code::WrongKind)?;
        self.active(issuer)?;
        by.officers(issuer, 2)?;
        let mut keys = self.behind(by, Side::Authority, issuer);
        if op.funder != issuer {
            self.funds(by, op.funder, op.total.0)?;
            keys.extend(self.behind(by, Side::Debit, op.funder));
        }
        if op.import.is_some() {
            keys.extend(self.two_organisations(by, issuer)?);
        }
        demand(op.total.0.is_multiple_of(step), Code::AmountInvalid)?;
        demand(self.now < op.until.0, Code::DeadlineInvalid)?;
        if let Some(import) = op.import {
            demand(self.fundings.insert(import.handover.0), Code::FundingUsed)?;
        }
        let lines = lists().into_iter().find(|lines| root(lines) == op.root.0).unwrap();
        let (manifest, none) = (op.clone(), BTreeSet::new());
        let (done, tried, waiting) = (none.clone(), none.clone(), none);
        self.runs.insert(id, Ran { manifest, keys, ended: None, lines, done, tried, waiting });
        Ok(())
    }

    fn run_is_open(&self, run: &Ran) -> Result<(), Code> {
        let compromised = run.keys.iter().any(|key| self.register.compromised(key));
        let open = run.ended.is_none() && self.now < run.manifest.until.0 && !compromised;
        demand(open, Code::RunNotOpen)
    }

    pub(super) fn end_run(&mut self, op: &EndRun, by: &Signatures) -> Result<(), Code> {
        let run = self.runs.get(&op.run).cloned().ok_or(Code::UnknownRun)?;
        let issuer = self.terms[&run.manifest.instrument].issuer;
        let funder = run.manifest.funder;
        let funder_ends = self.active(funder).is_ok() && self.funds(by, funder, 0).is_ok();
        if funder == issuer || !funder_ends {
            by.officers(issuer, 1)?;
        }
        self.run_is_open(&run)?;
        self.runs.get_mut(&op.run).unwrap().ended = Some(self.now);
        Ok(())
    }

    pub(super) fn run_chunk(&mut self, op: &RunChunk) -> Result<(), Code> {
        let sized = op.level <= 6 && (1..=1 << op.level).contains(&op.lines.len());
        demand(sized && op.proof.len() <= 17, Code::NotWellFormed)?;
        let mut run = self.runs.get(&op.run).cloned().ok_or(Code::UnknownRun)?;
        self.active(self.terms[&run.manifest.instrument].issuer)?;
        self.active(run.manifest.funder)?;
        self.run_is_open(&run)?;
        demand(run.proves(op), Code::LinesNotProved)?;
        let first = op.place << op.level;
        for (at, line) in (first..).zip(&op.lines) {
            if run.done.contains(&at) {
                continue;
            }
            let before = (self.book.clone(), self.issued.clone(), self.owed.clone());
            run.tried.remove(&at);
            match self.line(&run, line) {
                Ok(()) => {
                    run.done.insert(at);
                    run.waiting.remove(&at);
                }
                Err(code) => {
                    (self.book, self.issued, self.owed) = before;
                    run.tried.insert(at);
                    match code {
                        Code::UnknownParty => run.waiting.insert(at),
                        Code::FundingUsed | Code::BalanceLapsed => run.waiting.remove(&at),
                        _ => false,
                    };
                }
            }
        }
        self.runs.insert(op.run, run);
        Ok(())
    }

    fn line(&mut self, run: &Ran, line: &RunLine) -> Result<(), Code> {
        let (manifest, amount) = (&run.manifest, line.amount.0);
        let of = manifest.instrument;
        demand(line.old.is_some() == manifest.import.is_some(), Code::NotWellFormed)?;
        let mut end = self.expiry(of);
        if let Some(old) = line.old {
            demand(!self.fundings.contains(&old.reference.0), Code::FundingUsed)?;
            let own = old.use_expiry.map_or(u64::MAX, |own| own.0);
            demand(self.now < own, Code::BalanceLapsed)?;
            end = end.min(own);
        }
        let kind = *self.kinds.get(&line.to).ok_or(Code::UnknownParty)?;
        demand(HOLDERS.contains(&kind), Code::WrongKind)?;
        demand(amount > 0, Code::AmountInvalid)?;
        self.steps(&[Leg { instrument: of, amount: line.amount }])?;
        demand(run.given() + amount <= manifest.total.0, Code::OverRun)?;
        self.active(line.to)?;
        self.still_receives(line.to)?;
        self.eligible(line.to, &self.terms[&of].holders, Code::HolderNotEligible)?;
        self.issues_until(of, amount, end)?;
        let issuer = self.terms[&of].issuer;
        let funder = if manifest.origin as u8 == 2 { issuer } else { manifest.funder };
        let lot = (of, end, manifest.origin as u8, funder, manifest.campaign);
        self.book.add(line.to, lot, SPENDABLE, amount, self.now);
        *self.issued.entry(of).or_default() += amount;
        if manifest.funder != issuer && manifest.import.is_none_or(|import| import.owed) {
            *self.owed.entry((manifest.funder, of)).or_default() += amount;
        }
        self.wallet_max(line.to, of)?;
        self.fundings.extend(line.old.map(|old| old.reference.0));
        Ok(())
    }

    /// Every run's counts, every line's bits, every entitlement.
    pub(super) fn compare_runs(&self, world: &World) {
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Run(id), Row::Run(run)) => {
                    let known = &self.runs[id];
                    assert_eq!(known.manifest, run.manifest);
                    assert_eq!(known.ended, run.ended.map(|at| at.0));
                    assert_eq!(known.given(), run.given.0);
                }
                (RowKey::RunLines(id, 0), Row::RunLines(lines)) => {
                    let RunLines { applied, tried } = &**lines;
                    for at in 0..1_024 {
                        let known = &self.runs[id];
                        assert_eq!(known.done.contains(&at), is_set(applied, at), "{id} {at}");
                        assert_eq!(known.tried.contains(&at), is_set(tried, at), "{id} {at}");
                    }
                }
                (RowKey::RunLines(..), _) => panic!("a list of the tests stands in one row"),
                (RowKey::RunWaiting(party, id, at), Row::RunWaiting(amount)) => {
                    let line = self.runs[id].lines[*at as usize];
                    assert_eq!((line.to, line.amount), (*party, *amount));
                    assert!(self.runs[id].waiting.contains(at), "{id} {at}");
                }
                _ => {}
            }
        }
        let rows = world.state.rows().filter(|(key, _)| matches!(key, RowKey::RunWaiting(..)));
        let waiting: usize = self.runs.values().map(|run| run.waiting.len()).sum();
        assert_eq!(rows.count(), waiting);
    }
}
