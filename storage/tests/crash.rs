//! A crash after every single step: what comes back is a prefix of what was done, with everything that
//! was acknowledged, and the store goes on from there.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Model, Scribe, create, open, persist, refused, run};
use musubi_consensus::{HardState, LogEntry, Persist};
use musubi_ledger::batch::NodeId;
use musubi_storage::{
    OpenError, Opened, StoreError,
    memory::{Loss, MemoryDisk, Odds},
};

/// One step of a script.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Append this many entries and commit all before them.
    Append(u64),
    /// A new leader replaces the last entry, which is not committed.
    Replace,
    /// Only the commit index rises, to the log's end.
    Commit,
    /// A vote.
    Vote,
    /// Record the next committed entry.
    Record,
    /// Sign a checkpoint.
    Checkpoint,
    Sync,
}

use Step::*;

const SCRIPT: &[Step] = &[
    Append(2),
    Sync,
    Commit,
    Record,
    Append(1),
    Record,
    Sync,
    Vote,
    Append(3),
    Sync,
    Replace,
    Commit,
    Record,
    Record,
    Checkpoint,
    Sync,
    Append(1),
    Replace,
    Replace,
    Sync,
    Commit,
    Record,
    Vote,
    Sync,
    Record,
    Append(2),
    Append(1),
    Commit,
    Sync,
    Record,
    Record,
    Record,
    Checkpoint,
    Append(2),
    Replace,
    Sync,
];

/// A store, its model, and what happened.
struct Run {
    disk: MemoryDisk,
    opened: Opened,
    scribe: Scribe,
    model: Model,
    /// Models after each step since the last sync, the one at that sync first.
    possible: Vec<Model>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let disk = MemoryDisk::new(seed);
        let opened = create(&disk);
        let scribe = Scribe::new(seed);
        let mut model = Model::default();
        model.of_scribe(&scribe);
        Self { disk, opened, scribe, possible: vec![model.clone()], model }
    }

    fn step(&mut self, step: Step) {
        let hard = self.model.hard_state;
        match step {
            Append(count) => {
                let term = hard.term.max(1);
                let from = self.model.log.len() as u64 + 1;
                let entries: Vec<LogEntry> =
                    (from..from + count).map(|index| self.scribe.batch(index, term, 6)).collect();
                let state = HardState { term, ..hard };
                self.stage(persist(entries, (hard.term != term).then_some(state)));
            }
            Replace => {
                let last = self.model.log.len() as u64;
                assert!(hard.commit < last, "the script replaces uncommitted entries only");
                let entries = vec![self.scribe.batch(last, hard.term + 1, 6)];
                let state = HardState { term: hard.term + 1, vote: None, ..hard };
                let persist =
                    Persist { truncate_from: Some(last), ..persist(entries, Some(state)) };
                self.stage(persist);
            }
            Commit => {
                let state = HardState { commit: self.model.log.len() as u64, ..hard };
                self.stage(Persist { must_sync: false, ..persist(Vec::new(), Some(state)) });
            }
            Vote => {
                let state = HardState { term: hard.term + 1, vote: Some(NodeId(2)), ..hard };
                self.stage(persist(Vec::new(), Some(state)));
            }
            Record => {
                let at = self.model.applied.index as usize;
                if (at as u64) < hard.commit {
                    let entry = self.model.log[at].clone();
                    let block = self.scribe.block(&entry);
                    self.opened.store.record(&block, entry.position()).unwrap();
                    self.model.applied = entry.position();
                    self.model.of_scribe(&self.scribe);
                }
            }
            Checkpoint => {
                let size = self.scribe.head.size;
                self.opened.store.stage_checkpoint(size, &format!("note {size}")).unwrap();
            }
            Sync => {
                self.opened.store.sync().unwrap();
                self.possible.clear();
            }
        }
        self.possible.push(self.model.clone());
    }

    fn stage(&mut self, persist: Persist) {
        self.opened.store.stage(&persist).unwrap();
        if let Some(first) = persist.truncate_from {
            self.model.log.truncate(first as usize - 1);
        }
        self.model.log.extend(persist.entries);
        self.model.hard_state = persist.hard_state.unwrap_or(self.model.hard_state);
    }
}

fn crash_after(steps: usize, seed: u64, loss: Loss) -> usize {
    let mut run = Run::new(seed);
    for &step in &SCRIPT[..steps] {
        run.step(step);
    }
    let Run { disk, opened, possible, .. } = run;
    let lost = disk.crash(loss);
    drop(opened); // its handles are dead; closing it must not free the next one's lock
    let opened = open(&disk).unwrap_or_else(|e| panic!("after {steps} steps, seed {seed}: {e}"));
    let found = Model::read(&opened);
    let place = possible.iter().rposition(|model| *model == found);
    assert!(
        place.is_some(),
        "after {steps} steps, seed {seed}: {found:?} is no state since the sync"
    );
    if loss == Loss::Everything {
        assert_eq!(found, possible[0], "only what was synced is left");
    }
    if loss == Loss::Nothing {
        assert_eq!(&found, possible.last().unwrap());
    }
    opened.store.verify(&mut |_, _| {}).unwrap();
    assert_eq!(opened.boot, 2);
    lost.write_sets
}

#[test]
fn every_crash_point_comes_back_as_a_prefix_with_everything_acknowledged() {
    let mut lost = 0;
    for steps in 0..=SCRIPT.len() {
        crash_after(steps, 1, Loss::Nothing);
        lost += crash_after(steps, 1, Loss::Everything);
        for seed in 2..8 {
            lost += crash_after(steps, seed, Loss::Seeded);
        }
    }
    assert!(lost > 50, "crashes that lose nothing test nothing: {lost}");
}

#[test]
fn what_a_killed_process_left_unsynced_is_durable_once_it_is_reported() {
    let mut run = Run::new(3);
    run.step(Append(2));
    let expected = run.model.clone();
    run.disk.crash(Loss::Nothing);
    let opened = open(&run.disk).unwrap();
    assert_eq!(Model::read(&opened), expected);
    // Consensus may answer for these entries now; a power cut must not take them.
    run.disk.crash(Loss::Everything);
    let opened = open(&run.disk).unwrap();
    assert_eq!(Model::read(&opened), expected);
    assert_eq!(opened.boot, 3);
}

#[test]
fn a_database_behind_the_watermark_is_refused() {
    let disk = MemoryDisk::new(1);
    let opened = create(&disk);
    let mut scribe = Scribe::new(1);
    run(&opened, &mut scribe, 3, 4);
    let old = disk.copy(9);
    run(&opened, &mut scribe, 1, 4);
    drop(opened);
    // The same directory with its database set back: from a backup, or by a disk that lied.
    old.set_slots(disk.slots());
    let error = refused(open(&old));
    assert_eq!(error, OpenError::AcknowledgedLost { acknowledged: 4, found: 3, index: 4, term: 1 });
    assert!(error.to_string().contains("must not vote"), "{error}");
    assert_eq!(refused(open(&old)).code(), "acknowledged_lost", "and refused again");
}

#[test]
fn a_failed_sync_or_write_poisons_the_store_and_a_restart_loses_nothing_acknowledged() {
    for fail_write in [false, true] {
        let mut run = Run::new(5);
        for &step in &SCRIPT[..10] {
            run.step(step);
        }
        let acknowledged = run.possible[0].clone();
        let entry = run.scribe.batch(run.model.log.len() as u64 + 1, run.model.hard_state.term, 3);
        run.disk.fail_writes(fail_write);
        run.disk.fail_syncs(!fail_write);
        let store = &run.opened.store;
        let staged = store.stage(&persist(vec![entry.clone()], None));
        let error = if fail_write { staged.unwrap_err() } else { store.sync().unwrap_err() };
        assert_eq!(error.code(), "disk_failed");
        run.disk.fail_writes(false);
        run.disk.fail_syncs(false);
        // The disk is well again, but nobody knows what it holds.
        assert!(matches!(store.sync(), Err(StoreError::Poisoned(_))));
        assert!(matches!(store.stage(&persist(vec![entry], None)), Err(StoreError::Poisoned(_))));
        assert!(matches!(store.stage_checkpoint(1, "n"), Err(StoreError::Poisoned(_))));
        run.disk.crash(Loss::Everything);
        assert_eq!(Model::read(&open(&run.disk).unwrap()), acknowledged);
    }
}

#[test]
fn a_creation_cut_short_can_be_finished() {
    use common::{DIRECTORY, genesis, settings};
    use musubi_storage::Store;
    let disk = MemoryDisk::new(1);
    drop(create(&disk));
    // The database was synced, the watermark file is empty or torn.
    for slots in [Vec::new(), vec![0; 8192], disk.slots()[..4100].to_vec()] {
        let copy = disk.copy(2);
        copy.set_slots(slots);
        assert_eq!(open(&copy).unwrap().store.acknowledged().write, 0);
    }
    let again = Store::create(disk.open().unwrap(), &genesis(), DIRECTORY, &settings());
    assert_eq!(refused(again), OpenError::NotEmpty);
    // Neither was synced: it is an empty directory.
    assert_eq!(refused(open(&MemoryDisk::new(1))), OpenError::Empty);
}

#[test]
fn one_directory_is_opened_once() {
    let disk = MemoryDisk::new(1);
    let opened = create(&disk);
    assert!(matches!(refused(open(&disk)), OpenError::Locked { .. }));
    drop(opened);
    assert_eq!(open(&disk).unwrap().boot, 2);
}

#[test]
fn misfortune_follows_from_the_seed() {
    let until_failure = |seed| {
        let disk = MemoryDisk::new(seed);
        let opened = create(&disk);
        disk.set_odds(Odds { write: 100_000, sync: 0 });
        (0..1_000u64).find(|&size| opened.store.stage_checkpoint(size, "n").is_err())
    };
    let lives: Vec<_> = (0..20).map(until_failure).collect();
    assert_eq!(lives, (0..20).map(until_failure).collect::<Vec<_>>());
    assert!(lives.iter().all(Option::is_some), "one write in ten fails: {lives:?}");
    assert!(lives.iter().any(|life| *life != lives[0]), "and not always the same: {lives:?}");
}
