//! Runs in the words of a test.

use musubi_ledger::{
    amount::Amount,
    execute::MemoryState,
    hash::sha256,
    id::{Salt, TxId},
    lot::OriginKind,
    operation::{EndRun, Import, OpenRun, Operation},
    run::{OldBalance, Run, RunLine, RunLines, is_set, plan::RunPlan},
    state::{ReadState, Row, RowKey, Shared},
    time::Time,
};

use super::{
    DAY,
    genesis::BEGIN,
    names::{document, id, instrument},
    rules::issuers,
    world::World,
};

/// The lines of a run: who gets how much.
pub fn run_lines(name: &str, of: &[(&str, u64)]) -> Vec<RunLine> {
    let line = |(at, (to, amount)): (usize, &(&str, u64))| {
        let mut salt = [0; 16];
        salt.copy_from_slice(&sha256(format!("run {name} {at}").as_bytes())[..16]);
        RunLine { to: id(to), amount: Amount(*amount), salt: Salt(salt), old: None }
    };
    of.iter().enumerate().map(line).collect()
}

/// A run planned.
pub fn run_plan(name: &str, of: &[(&str, u64)]) -> RunPlan {
    RunPlan::new(run_lines(name, of)).unwrap()
}

/// Its manifest: a grant that the issuer bears.
pub fn manifest(of: &str, plan: &RunPlan, until: Time) -> OpenRun {
    OpenRun {
        instrument: instrument(of),
        origin: OriginKind::Grant,
        funder: id("issuer"),
        campaign: 5,
        root: plan.root(),
        count: plan.count(),
        total: plan.total(),
        until,
        import: None,
    }
}

/// The same lines as balances of old cards: each has a card of its own name, and its own expiry.
pub fn old_lines(
    name: &str,
    of: &[(&str, u64)],
    end: impl Fn(usize) -> Option<Time>,
) -> Vec<RunLine> {
    let mut lines = run_lines(name, of);
    for (at, line) in lines.iter_mut().enumerate() {
        let reference = document(&format!("card {name} {at}"));
        line.old = Some(OldBalance { reference, use_expiry: end(at) });
    }
    lines
}

/// A run of old balances planned.
pub fn old_plan(name: &str, of: &[(&str, u64)], end: impl Fn(usize) -> Option<Time>) -> RunPlan {
    RunPlan::new(old_lines(name, of, end)).unwrap()
}

/// The manifest of a run of old balances: paid ones, whose funds were handed over with a paper of this name.
pub fn import(of: &str, plan: &RunPlan, until: Time, paper: &str) -> OpenRun {
    OpenRun {
        origin: OriginKind::Paid,
        import: Some(Import { handover: document(paper), owed: false }),
        ..manifest(of, plan, until)
    }
}

/// A chunk of a run.
pub fn chunk(plan: &RunPlan, run: TxId, level: u8, place: u32) -> Operation {
    Operation::RunChunk(plan.chunk(run, level, place).unwrap())
}

/// Ends a run.
pub fn end_run(run: TxId) -> Operation {
    Operation::EndRun(EndRun { run })
}

/// What random days run: small, of more than one chunk, and one of a single line; and two of old balances, some of which lapse
/// or stand in both. Some lines can never be applied.
pub fn lists() -> Vec<Vec<RunLine>> {
    let some = [
        ("alice", 100),
        ("choir", 250),
        ("club", 1_000),
        ("shop", 5),
        ("gina", 300),
        ("bob", 0),
        ("alice", 50),
        ("team", 500),
        ("hugo", 500),
        ("carol", 900_000),
        ("nobody", 7),
    ];
    let many: Vec<(&str, u64)> = (0..67).map(|at| some[at * 7 % some.len()]).collect();
    let end = |at: usize| [None, Some(2), Some(20), Some(0), Some(400)][at % 5];
    let end = |at| end(at).map(|days| BEGIN.plus(days * DAY));
    let mut cards = old_lines("card", &some, end);
    let mut more = old_lines("more", &many, end);
    (more[3].old, more[5].old, cards[6].old) = (cards[1].old, more[4].old, None);
    let grants = [run_lines("some", &some), run_lines("many", &many), run_lines("one", &some[..1])];
    grants.into_iter().chain([cards, more]).collect()
}

impl World {
    /// Opens a run that must be applied.
    #[track_caller]
    pub fn run(&mut self, manifest: OpenRun) -> TxId {
        self.apply("i1", Operation::OpenRun(manifest), &issuers())
    }

    /// What the ledger keeps of a run.
    pub fn run_row(&self, run: TxId) -> Run {
        match self.state.row(&RowKey::Run(run)) {
            Some(Row::Run(run)) => Shared::into_value(run),
            other => panic!("{other:?}"),
        }
    }

    /// Bits of a run's first lines.
    pub fn run_bits(&self, run: TxId) -> RunLines {
        match self.state.row(&RowKey::RunLines(run, 0)) {
            Some(Row::RunLines(lines)) => Shared::into_value(lines),
            _ => RunLines::default(),
        }
    }

    /// What waits for a party that is not on the ledger.
    pub fn waits(&self, party: &str, run: TxId, index: u32) -> Option<u64> {
        match self.state.row(&RowKey::RunWaiting(id(party), run, index)) {
            Some(Row::RunWaiting(amount)) => Some(amount.0),
            _ => None,
        }
    }
}

/// No run gave more, or more lines, than was signed, and every count is that of the lines (INV-17).
pub fn check_run(state: &MemoryState, key: &RowKey, row: &Row) {
    let (RowKey::Run(id), Row::Run(run)) = (key, row) else {
        return;
    };
    assert!(run.given <= run.manifest.total && run.applied <= run.manifest.count, "INV-17");
    let (mut applied, mut waiting) = (0, 0);
    for (key, row) in state.rows() {
        match (key, row) {
            (RowKey::RunLines(of, part), Row::RunLines(lines)) if of == id => {
                for at in 0..1_024 {
                    let (done, tried) = (is_set(&lines.applied, at), is_set(&lines.tried, at));
                    assert!(!(done && tried), "INV-17: what was applied is not open");
                    assert!(!done || part * 1_024 + at < run.manifest.count, "INV-17");
                    applied += u32::from(done);
                }
            }
            (RowKey::RunWaiting(_, of, _), _) if of == id => waiting += 1,
            _ => {}
        }
    }
    assert_eq!((run.applied, run.waiting), (applied, waiting), "INV-17: counts are of lines");
}
