//! What ends by itself: a wrong clock, a hung disk, a term far away. One fault must not separate members,
//! or stop the whole ledger, until somebody restarts something.

#![allow(clippy::unwrap_used)]

mod world;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use musubi_consensus::{
    Accusation, Answer, Ballot, Body, Effect, EntryFault, Executed, HardState, Input, LogEntry,
    LogFault, LogReader, PeerMessage, Position, Recovered, Refusal, RefuseReason, Replica, Role,
    Submission, Via,
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
const OTHER: NodeId = NodeId(3);
const NOW: Time = Time(1_000_000);
/// Ticks of an election timeout.
const ELECTION: usize = 10;
/// A term that no step of 1,024 reaches.
const FAR: u64 = 10_000;

/// Nothing is written to its disk here, so everything must fit the tail in memory.
fn fresh() -> Replica {
    let mut config = config(1, 3);
    config.raft.tail_bytes = 64 << 20;
    let disk = Disk::default();
    Replica::new(config, Recovered::fresh(), Box::new(disk.reader()), 1).unwrap()
}

fn from(peer: NodeId, term: u64, body: Body) -> Input {
    let message = PeerMessage { from: peer, to: ME, life: 0, term, body };
    Input::Message { from: peer, bytes: message.encode() }
}

fn heartbeat(peer: NodeId, term: u64, commit: u64) -> Input {
    from(peer, term, Body::Heartbeat { commit })
}

fn append(peer: NodeId, term: u64, previous: (u64, u64), entries: Vec<LogEntry>) -> Input {
    let previous = Position { index: previous.0, term: previous.1 };
    from(peer, term, Body::Append { previous, commit: 0, entries })
}

fn noop(index: u64, term: u64) -> LogEntry {
    LogEntry { index, term, data: vec![] }
}

fn batch(index: u64, time: Time, items: Vec<Vec<u8>>) -> LogEntry {
    let batch = Batch::sign(CHAIN, (1, index), time, items, (PEER, &key(2)));
    LogEntry { index, term: 1, data: batch.encode() }
}

fn submit(id: u8) -> Input {
    let item = Submission::new(TxId([id; 32]), vec![id; 10]);
    Input::Submit { via: Via::Door, items: vec![item] }
}

fn effects(replica: &mut Replica, input: Input) -> Vec<Effect> {
    replica.handle(NOW, input);
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
            Effect::Execute(execute) => replica.handle(now, executed(execute.entry.index)),
            _ => (),
        }
        all.push(effect);
    }
    all
}

fn executed(index: u64) -> Input {
    Input::Executed(Executed { index, time: Time(1), judged: vec![], due: None })
}

fn ticks(replica: &mut Replica, count: usize) -> Vec<Effect> {
    (0..count).flat_map(|_| settle(replica, NOW, Input::Tick)).collect()
}

/// Makes a replica win the next election.
fn elect(replica: &mut Replica) {
    while replica.status().standing.role != Role::PreCandidate {
        settle(replica, NOW, Input::Tick);
    }
    let term = replica.status().standing.term + 1;
    for ballot in [Ballot::Pre, Ballot::Real] {
        settle(replica, NOW, from(PEER, term, Body::VoteAnswer { ballot, granted: true }));
    }
    assert_eq!(replica.status().standing.role, Role::Leader);
}

fn accepted(index: u64) -> Input {
    from(PEER, 1, Body::AppendAnswer { answer: Answer::Accepted { index }, commit: 0 })
}

/// A leader of term 1 that proposes.
fn leader() -> Replica {
    let mut replica = fresh();
    elect(&mut replica);
    settle(&mut replica, NOW, accepted(1));
    assert!(replica.status().proposing);
    replica
}

fn sends(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Send { .. })).count()
}

// Terms.

#[test]
fn a_leader_far_ahead_is_reached_step_by_step() {
    let mut follower = fresh();
    let mut steps = 0;
    while follower.status().standing.leader != Some(PEER) {
        let before = follower.status().standing.term;
        let effects = settle(&mut follower, NOW, heartbeat(PEER, FAR, 0));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Dropped { .. })));
        let term = follower.status().standing.term;
        assert!(before < term && term <= before + 1_024, "from {before} to {term}");
        steps += 1;
    }
    assert_eq!((follower.status().standing.term, steps), (FAR, 10));
    assert_eq!(follower.status().far_terms, 9, "the last step was an ordinary one");
}

#[test]
fn a_pre_vote_refused_from_far_ahead_tells_of_the_term() {
    let mut lonely = fresh();
    let refused = || from(PEER, FAR, Body::VoteAnswer { ballot: Ballot::Pre, granted: false });
    for _ in 0..10 {
        settle(&mut lonely, NOW, refused());
    }
    assert_eq!(lonely.status().standing.term, FAR);
    elect(&mut lonely);
}

#[test]
fn a_candidate_far_ahead_is_reached_but_not_while_a_leader_is_heard() {
    let request = |ballot| {
        let last = Position { index: 4, term: 3 };
        from(OTHER, FAR, Body::VoteRequest { ballot, last })
    };
    let mut follower = fresh();
    settle(&mut follower, NOW, heartbeat(PEER, 1, 0));
    assert_eq!(settle(&mut follower, NOW, request(Ballot::Real)), [], "the lease holds");
    assert_eq!(follower.status().standing.term, 1);
    let mut lonely = fresh();
    settle(&mut lonely, NOW, request(Ballot::Pre));
    assert_eq!(lonely.status().standing.term, 0, "a pre-vote moves nobody");
    for _ in 0..9 {
        settle(&mut lonely, NOW, request(Ballot::Real));
    }
    let answers = settle(&mut lonely, NOW, request(Ballot::Real));
    assert_eq!((lonely.status().standing.term, sends(&answers)), (FAR, 1));
}

#[test]
fn a_term_that_no_campaigns_reach_moves_nothing() {
    let mut follower = fresh();
    let before = follower.status();
    let bodies = [
        Body::Heartbeat { commit: 0 },
        Body::HeartbeatAnswer { commit: 0 },
        Body::VoteAnswer { ballot: Ballot::Pre, granted: false },
        Body::VoteRequest { ballot: Ballot::Real, last: Position::default() },
    ];
    for body in bodies {
        for term in [(1 << 60) + 1, u64::MAX] {
            let dropped = settle(&mut follower, NOW, from(PEER, term, body.clone()));
            assert_eq!(dropped, [Effect::Dropped { from: PEER, why: Refusal::Epoch }]);
        }
    }
    assert_eq!(follower.status(), before);
}

// Disks.

#[test]
fn a_leader_whose_disk_hangs_falls_silent_until_it_writes_again() {
    let mut leader = leader();
    let hung = effects(&mut leader, submit(1));
    let number = hung.iter().find_map(|effect| match effect {
        Effect::Persist(persist) => Some(persist.number),
        _ => None,
    });
    // Followers acknowledge all along: without its own disk the leader has a quorum, and executes nothing.
    let lease = |leader: &mut Replica| {
        let mut sent = 0;
        for _ in 0..2 * ELECTION {
            sent += sends(&effects(leader, Input::Tick));
            effects(leader, from(PEER, 1, Body::HeartbeatAnswer { commit: 1 }));
        }
        sent
    };
    effects(&mut leader, accepted(2));
    assert!(lease(&mut leader) > 0, "a slow disk is no hung one");
    assert_eq!(lease(&mut leader), 0, "others must be able to elect");
    assert!(leader.status().stalled);
    assert_eq!(effects(&mut leader, submit(2)), [], "it takes what comes, and orders nothing more");
    assert_eq!((leader.status().pool_items, leader.next_wake()), (1, None));
    let resumed = effects(&mut leader, Input::Persisted { number: number.unwrap() });
    assert!(resumed.iter().any(|effect| matches!(effect, Effect::Persist(_))), "{resumed:?}");
    assert!(lease(&mut leader) > 0);
}

#[test]
fn at_its_limits_a_leader_asks_for_no_wake() {
    let mut leader = leader();
    for id in 1..=6 {
        effects(&mut leader, submit(id));
        effects(&mut leader, Input::Wake);
        leader.handle(NOW.plus(100), Input::Wake);
    }
    assert_eq!((leader.status().in_flight, leader.status().pool_items), (3, 3));
    assert_eq!(leader.next_wake(), None, "time alone changes nothing");
}

// Clocks.

#[test]
fn a_leader_refused_for_its_stamp_is_heard_again_after_a_few_election_timeouts() {
    let mut follower = fresh();
    settle(&mut follower, NOW, append(PEER, 1, (0, 0), vec![noop(1, 1)]));
    let ahead_ms = limits::STAMP_AHEAD_MS_MAX + 1;
    let early = || append(PEER, 1, (1, 1), vec![batch(2, NOW.plus(ahead_ms), vec![])]);
    let accused = |effects: &[Effect]| match effects {
        [Effect::Evidence { from: PEER, accusation }] => {
            matches!(**accusation, Accusation::Entry { fault: EntryFault::StampAhead { .. }, .. })
        }
        _ => false,
    };
    for _ in 0..3 {
        assert!(accused(&settle(&mut follower, NOW, early())));
        ticks(&mut follower, 4 * ELECTION - 1);
        assert_eq!(settle(&mut follower, NOW.plus(ahead_ms), early()), [], "still unheard");
        let refused = settle(&mut follower, NOW, submit(1));
        assert!(matches!(refused[..], [Effect::Refuse { why: RefuseReason::NoLeader, .. }]));
        ticks(&mut follower, 1);
    }
    settle(&mut follower, NOW.plus(1), early());
    assert_eq!(follower.status().last_index, 2, "the stamp is no longer ahead");
    assert_eq!(follower.status().standing.leader, Some(PEER));
}

#[test]
fn a_leader_caught_lying_stays_unheard_for_its_term() {
    let mut follower = fresh();
    settle(&mut follower, NOW, append(PEER, 1, (0, 0), vec![noop(1, 1)]));
    let mut forged = batch(2, NOW, vec![]);
    *forged.data.last_mut().unwrap() ^= 1;
    let evidence = settle(&mut follower, NOW, append(PEER, 1, (1, 1), vec![forged]));
    assert!(matches!(evidence[..], [Effect::Evidence { .. }]));
    ticks(&mut follower, 50 * ELECTION);
    let honest = append(PEER, 1, (1, 1), vec![batch(2, NOW, vec![])]);
    assert_eq!(settle(&mut follower, NOW, honest), []);
}

// What was never taken.

#[test]
fn a_heartbeat_commits_nothing_of_an_append_that_was_not_taken() {
    let mut config = config(1, 3);
    config.raft.tail_bytes = 0;
    config.raft.unpersisted_bytes = limits::MESSAGE_BYTES_MAX;
    let disk = Disk::default();
    let mut follower =
        Replica::new(config, Recovered::fresh(), Box::new(disk.reader()), 1).unwrap();
    // The disk writes nothing of all this.
    let long = || vec![vec![7; 32_000]; 10];
    let entries = [noop(1, 1), batch(2, NOW, long()), batch(3, NOW, long())];
    for (before, entry) in (0..).zip(entries) {
        effects(&mut follower, append(PEER, 1, (before, before.min(1)), vec![entry]));
    }
    assert_eq!(follower.status().last_index, 3);
    // A later leader's entry 1 is another; it finds no room here.
    effects(&mut follower, append(OTHER, 2, (0, 0), vec![noop(1, 2)]));
    assert_eq!(follower.status().last_index, 3);
    effects(&mut follower, heartbeat(OTHER, 2, 1));
    assert_eq!(follower.status().commit, 0, "entry 1 here is not that leader's");
}

// Reads.

/// A long log that counts how often it is read.
struct Counted(Arc<AtomicU64>);

const LONG: u64 = 20_000;

impl LogReader for Counted {
    fn entries(&self, from: u64, until: u64, _: u64) -> Result<Vec<LogEntry>, LogFault> {
        self.0.fetch_add(until - from, Ordering::Relaxed);
        Ok((from..until).map(|index| noop(index, 2)).collect())
    }

    fn term(&self, index: u64) -> Result<Option<u64>, LogFault> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok((index <= LONG).then_some(2))
    }
}

fn long_log(commit: u64) -> (Replica, Arc<AtomicU64>) {
    let recovered = Recovered {
        hard_state: HardState { term: 2, vote: None, commit },
        last: Position { index: LONG, term: 2 },
        applied_index: commit,
        ..Recovered::fresh()
    };
    let reads = Arc::new(AtomicU64::new(0));
    let reader = Box::new(Counted(Arc::clone(&reads)));
    (Replica::new(config(1, 3), recovered, reader, 1).unwrap(), reads)
}

#[test]
fn a_follower_cannot_make_a_leader_read_its_whole_log() {
    let (mut leader, reads) = long_log(LONG);
    elect(&mut leader);
    reads.store(0, Ordering::Relaxed);
    let hint = Position { index: LONG, term: 1 };
    let answer = Answer::Rejected { index: LONG, hint };
    let probes = settle(&mut leader, NOW, from(PEER, 3, Body::AppendAnswer { answer, commit: 0 }));
    assert_eq!(sends(&probes), 1, "it is probed further down");
    let count = reads.load(Ordering::Relaxed);
    assert!(count < 1_000, "{count} entries were read");
}

#[test]
fn a_leader_cannot_make_a_follower_read_its_whole_log() {
    let (mut follower, reads) = long_log(LONG - 10);
    let lie = append(PEER, 2, (LONG, 1), vec![]);
    let dropped = settle(&mut follower, NOW, lie);
    assert_eq!(dropped, [Effect::Dropped { from: PEER, why: Refusal::EntryTerm }]);
    let count = reads.load(Ordering::Relaxed);
    assert!(count < 100, "{count} entries were read");
}
