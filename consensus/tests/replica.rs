//! One replica at a time, input by input: what a leader, a follower and a restart do.

#![allow(clippy::unwrap_used)]

mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use musubi_consensus::{
    Accusation, Answer, Ballot, Body, Effect, EntryFault, Execute, Executed, HaltReason, HardState,
    Input, LogEntry, LogFault, LogReader, PeerMessage, Persist, Position, RecoverError, Recovered,
    RefuseReason, Replica, Role, Submission, Via,
};
use musubi_ledger::{
    batch::{Batch, NodeId},
    id::TxId,
    limits,
    time::Time,
};
use world::{CHAIN, Disk, config, key};

const ME: NodeId = NodeId(1);
const PEER: NodeId = NodeId(2);
const NOW: Time = Time(1_000_000);

/// Nothing is written to its disk here, so everything must fit the tail in memory.
fn fresh() -> Replica {
    let mut config = config(1, 3);
    config.raft.tail_bytes = 64 << 20;
    let disk = Disk::default();
    Replica::new(config, Recovered::fresh(), Box::new(disk.reader()), 1).unwrap()
}

fn says(term: u64, body: Body) -> Input {
    let message = PeerMessage { from: PEER, to: ME, life: 0, term, body };
    Input::Message { from: PEER, bytes: message.encode() }
}

fn accepted(term: u64, index: u64) -> Input {
    says(term, Body::AppendAnswer { answer: Answer::Accepted { index }, commit: 0 })
}

fn append(term: u64, previous: (u64, u64), entries: Vec<LogEntry>) -> Input {
    let previous = Position { index: previous.0, term: previous.1 };
    says(term, Body::Append { previous, commit: 0, entries })
}

fn noop(index: u64, term: u64) -> LogEntry {
    LogEntry { index, term, data: vec![] }
}

fn item(id: u8, bytes: usize) -> Submission {
    Submission::new(TxId([id; 32]), vec![id; bytes])
}

fn refusal(item: &Submission, why: RefuseReason) -> Effect {
    Effect::Refuse { id: item.id, hash: item.hash, why }
}

fn submit(via: Via, items: Vec<Submission>) -> Input {
    Input::Submit { via, items }
}

fn effects(replica: &mut Replica, now: Time, input: Input) -> Vec<Effect> {
    replica.handle(now, input);
    std::iter::from_fn(|| replica.poll()).collect()
}

/// Persists and executes at once; gives all effects.
fn settle(replica: &mut Replica, now: Time, input: Input) -> Vec<Effect> {
    let mut all = Vec::new();
    replica.handle(now, input);
    while let Some(effect) = replica.poll() {
        match &effect {
            Effect::Persist(persist) => {
                replica.handle(now, Input::Persisted { number: persist.number });
            }
            Effect::Execute(execute) => replica.handle(now, executed(execute.entry.index, None)),
            _ => (),
        }
        all.push(effect);
    }
    all
}

fn executed(index: u64, due: Option<Time>) -> Input {
    Input::Executed(Executed { index, time: Time(1), judged: vec![], due })
}

/// A leader of term 1 with its own first entry executed.
fn leader() -> Replica {
    let mut replica = fresh();
    while replica.status().standing.role != Role::PreCandidate {
        settle(&mut replica, NOW, Input::Tick);
    }
    for ballot in [Ballot::Pre, Ballot::Real] {
        settle(&mut replica, NOW, says(1, Body::VoteAnswer { ballot, granted: true }));
    }
    assert!(!replica.status().proposing, "nothing of its own term is executed yet");
    settle(&mut replica, NOW, accepted(1, 1));
    assert!(replica.status().proposing);
    replica
}

fn proposed(effects: &[Effect]) -> Vec<Batch> {
    let persists = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(persist) => Some(persist),
        _ => None,
    });
    persists.flat_map(|p| &p.entries).map(|e| Batch::decode(&e.data).unwrap()).collect()
}

#[test]
fn an_idle_leader_proposes_a_lone_item_within_the_same_step() {
    let mut leader = leader();
    let effects = effects(&mut leader, NOW, submit(Via::Door, vec![item(1, 10)]));
    let batches = proposed(&effects);
    assert_eq!(batches.len(), 1);
    assert_eq!((batches[0].term, batches[0].index, batches[0].time), (1, 2, NOW));
    let sends = effects.iter().filter(|effect| matches!(effect, Effect::Send { .. })).count();
    assert_eq!(sends, 1, "one follower answered so far; the other is still probed");
}

#[test]
fn batches_pipeline_within_their_limits_and_execution() {
    let mut leader = leader();
    let now = |ms| NOW.plus(ms);
    settle(&mut leader, NOW, submit(Via::Door, vec![item(1, 10)]));
    assert_eq!(proposed(&settle(&mut leader, now(1), submit(Via::Door, vec![item(2, 10)]))), []);
    assert_eq!(leader.next_wake(), Some(now(6)));
    assert_eq!(proposed(&settle(&mut leader, now(6), Input::Wake)).len(), 1);
    let full = (10..40).map(|id| item(id, limits::TRANSACTION_BYTES_MAX)).collect();
    let batches = proposed(&settle(&mut leader, now(7), submit(Via::Peer, full)));
    assert_eq!(batches.len(), 1, "three in flight is the limit here");
    assert_eq!(batches[0].items.len(), 14, "as many of 32 KiB as fit 480 KiB");
    assert_eq!(leader.status().in_flight, 3);
    assert_eq!(leader.status().pool_items, 16);
    // What is waiting or in flight already is not taken twice.
    let again = vec![item(1, 10), item(39, limits::TRANSACTION_BYTES_MAX)];
    settle(&mut leader, now(8), submit(Via::Door, again));
    assert_eq!(leader.status().pool_items, 16);
}

#[test]
fn an_idle_leader_proposes_empty_batches_by_the_clock_and_for_deadlines() {
    let mut leader = leader();
    let idle = NOW.plus(limits::IDLE_BATCH_MS);
    assert_eq!(leader.next_wake(), Some(idle));
    assert_eq!(proposed(&effects(&mut leader, NOW.plus(9_999), Input::Wake)), []);
    let batches = proposed(&settle(&mut leader, idle, Input::Wake));
    assert!(matches!(&batches[..], [batch] if batch.items.is_empty()));
    // Its execution tells of a deadline.
    leader.handle(idle, accepted(1, 2));
    let executes =
        std::iter::from_fn(|| leader.poll()).any(|effect| matches!(effect, Effect::Execute(_)));
    assert!(executes);
    let due = idle.plus(300);
    leader.handle(idle, executed(2, Some(due)));
    assert_eq!(leader.next_wake(), Some(due));
    assert_eq!(proposed(&settle(&mut leader, due, Input::Wake)).len(), 1);
    assert_eq!(proposed(&settle(&mut leader, due, Input::Wake)), [], "one is under way");
}

#[test]
fn a_full_pool_refuses_and_says_so() {
    let mut leader = leader();
    let items = 600;
    let many = (0..items).map(|n: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_le_bytes());
        Submission::new(TxId(id), vec![0; limits::TRANSACTION_BYTES_MAX])
    });
    let effects = effects(&mut leader, NOW, submit(Via::Door, many.collect()));
    let busy =
        effects.iter().filter(|e| matches!(e, Effect::Refuse { why: RefuseReason::Busy, .. }));
    assert_eq!(busy.count(), 600 - 512, "16 MiB hold 512 of 32 KiB");
    let long = item(1, limits::TRANSACTION_BYTES_MAX + 1);
    let refused = settle(&mut leader, NOW, submit(Via::Door, vec![long.clone()]));
    assert!(refused.contains(&refusal(&long, RefuseReason::TooLarge)));
}

#[test]
fn a_follower_forwards_once_and_refuses_without_a_leader() {
    let mut follower = fresh();
    let one = || vec![item(1, 10)];
    let refused = |why| vec![refusal(&item(1, 10), why)];
    let alone = settle(&mut follower, NOW, submit(Via::Door, one()));
    assert_eq!(alone, refused(RefuseReason::NoLeader));
    settle(&mut follower, NOW, says(1, Body::Heartbeat { commit: 0 }));
    let forwarded = settle(&mut follower, NOW, submit(Via::Door, one()));
    assert_eq!(forwarded, [Effect::Forward { to: PEER, items: one() }]);
    let again = settle(&mut follower, NOW, submit(Via::Peer, one()));
    assert_eq!(again, refused(RefuseReason::NotLeader));
}

#[test]
fn what_waits_in_a_deposed_leaders_pool_goes_to_the_next() {
    let mut leader = leader();
    settle(&mut leader, NOW, submit(Via::Door, vec![item(1, 10)]));
    settle(&mut leader, NOW, submit(Via::Door, vec![item(2, 10)]));
    let effects = settle(&mut leader, NOW, says(2, Body::Heartbeat { commit: 0 }));
    let forward = Effect::Forward { to: PEER, items: vec![item(2, 10)] };
    assert!(effects.contains(&forward), "{effects:?}");
    assert_eq!((leader.status().pool_items, leader.status().in_flight), (0, 0));
}

#[test]
fn an_acknowledgement_waits_for_its_persist_and_one_report_covers_all_before() {
    let mut follower = fresh();
    let is_answer = |effect: &Effect| matches!(effect, Effect::Send { .. });
    let first = effects(&mut follower, NOW, append(1, (0, 0), vec![noop(1, 1)]));
    let batch = Batch::sign(CHAIN, (1, 2), NOW, vec![], (PEER, &key(2)));
    let entry = LogEntry { index: 2, term: 1, data: batch.encode() };
    let second = effects(&mut follower, NOW, append(1, (1, 1), vec![entry]));
    assert!(!first.iter().chain(&second).any(is_answer));
    let number = |effects: &[Effect]| match effects.iter().find(|e| matches!(e, Effect::Persist(_)))
    {
        Some(Effect::Persist(Persist { number, must_sync: true, .. })) => *number,
        other => panic!("expected a synced persist, got {other:?}"),
    };
    assert!(number(&first) < number(&second));
    let answers = effects(&mut follower, NOW, Input::Persisted { number: number(&second) });
    assert_eq!(answers.iter().filter(|effect| is_answer(effect)).count(), 2);
    let twice = || follower.handle(NOW, Input::Persisted { number: number(&second) });
    assert!(catch_unwind(AssertUnwindSafe(twice)).is_err(), "a persist reported twice is a bug");
}

#[test]
fn a_leader_whose_clock_runs_ahead_is_refused() {
    let mut follower = fresh();
    settle(&mut follower, NOW, append(1, (0, 0), vec![noop(1, 1)]));
    let ahead_ms = limits::STAMP_AHEAD_MS_MAX + 1;
    let batch = Batch::sign(CHAIN, (1, 2), NOW.plus(ahead_ms), vec![], (PEER, &key(2)));
    let entry = LogEntry { index: 2, term: 1, data: batch.encode() };
    let effects = settle(&mut follower, NOW, append(1, (1, 1), vec![entry.clone()]));
    let fault = EntryFault::StampAhead { ahead_ms };
    let accusation = Box::new(Accusation::Entry { fault, entry: entry.clone() });
    assert_eq!(effects, [Effect::Evidence { from: PEER, accusation }]);
    let later = NOW.plus(ahead_ms);
    assert_eq!(settle(&mut follower, later, append(1, (1, 1), vec![entry])), []);
    let forwarded = settle(&mut follower, later, submit(Via::Door, vec![item(1, 1)]));
    assert!(matches!(forwarded[..], [Effect::Refuse { why: RefuseReason::NoLeader, .. }]));
}

struct Broken(Disk);

impl LogReader for Broken {
    fn entries(&self, _: u64, _: u64, _: u64) -> Result<Vec<LogEntry>, LogFault> {
        Err(LogFault("checksum of block 7".into()))
    }

    fn term(&self, index: u64) -> Result<Option<u64>, LogFault> {
        self.0.reader().term(index)
    }
}

/// A disk with ten empty entries, each of its own term, five executed and nine committed.
fn old_disk() -> (Disk, Recovered) {
    let disk = Disk::default();
    let entries = (1..=10).map(|index| (index, noop(index, index))).collect();
    disk.image.lock().unwrap().entries = entries;
    let recovered = Recovered {
        hard_state: HardState { term: 10, vote: None, commit: 9 },
        last: Position { index: 10, term: 10 },
        applied_index: 5,
        ..Recovered::fresh()
    };
    (disk, recovered)
}

#[test]
fn a_restart_goes_on_after_what_was_executed_and_within_the_window() {
    let (disk, recovered) = old_disk();
    let mut config = config(1, 3);
    config.raft.unexecuted_max = 2;
    let mut replica = Replica::new(config, recovered, Box::new(disk.reader()), 1).unwrap();
    let executes = |effects: Vec<Effect>| -> Vec<u64> {
        let index = |effect| match effect {
            Effect::Execute(Execute { entry, batch: None }) => Some(entry.index),
            _ => None,
        };
        effects.into_iter().filter_map(index).collect()
    };
    assert_eq!(executes(effects(&mut replica, NOW, Input::Tick)), [6, 7]);
    assert_eq!(executes(effects(&mut replica, NOW, Input::Tick)), []);
    assert_eq!(executes(effects(&mut replica, NOW, executed(6, None))), [8]);
    assert_eq!(executes(effects(&mut replica, NOW, executed(7, None))), [9]);
    assert_eq!(executes(effects(&mut replica, NOW, executed(8, None))), []);
}

#[test]
fn an_unreadable_log_halts_and_nothing_else_leaves() {
    let (disk, recovered) = old_disk();
    let mut replica = Replica::new(config(1, 3), recovered, Box::new(Broken(disk)), 1).unwrap();
    let halt = effects(&mut replica, NOW, Input::Tick);
    let reason = HaltReason::Log(LogFault("checksum of block 7".into()));
    assert_eq!(halt, [Effect::Halt { reason }]);
    assert_eq!(effects(&mut replica, NOW, says(11, Body::Heartbeat { commit: 0 })), []);
    assert!(replica.status().halted);
}

#[test]
fn a_committed_entry_that_changed_on_disk_halts() {
    let (disk, recovered) = old_disk();
    disk.image.lock().unwrap().entries.get_mut(&6).unwrap().data = vec![1, 2, 3];
    let mut replica = Replica::new(config(1, 3), recovered, Box::new(disk.reader()), 1).unwrap();
    let reason = HaltReason::CommittedEntry { index: 6 };
    assert_eq!(effects(&mut replica, NOW, Input::Tick), [Effect::Halt { reason }]);
}

#[test]
fn a_directory_that_contradicts_itself_does_not_start() {
    let error = |change: fn(&mut Recovered)| {
        let (disk, mut recovered) = old_disk();
        change(&mut recovered);
        let started = Replica::new(config(1, 3), recovered, Box::new(disk.reader()), 1);
        started.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(error(|_| ()).is_empty());
    assert!(error(|r| r.applied_index = 10).contains("commit must be recorded with"));
    assert!(error(|r| r.hard_state.vote = Some(NodeId(9))).contains("no member"));
    assert!(error(|r| r.last = Position { index: 11, term: 10 }).contains("last entry 11"));
    assert!(error(|r| r.last.term = 9).contains("should be of term 9"));
    let (disk, recovered) = old_disk();
    let mut stranger = config(1, 3);
    stranger.me = NodeId(7);
    let refused = Replica::new(stranger, recovered, Box::new(disk.reader()), 1);
    assert!(matches!(refused.err(), Some(RecoverError::Config(_))));
}
