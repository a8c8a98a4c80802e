//! Hostile members: any message they can write, thousands of them, at a live replica in every role.
//! It must not panic, not halt, keep what is committed, and be unmoved by whatever it refuses:
//! hostile input 18, at random.

#![allow(clippy::unwrap_used)]

mod world;

use musubi_consensus::{
    Answer, Ballot, Body, Effect, Executed, Input, LogEntry, PeerMessage, Position, Recovered,
    Replica, Role,
};
use musubi_ledger::{
    batch::{Batch, NodeId},
    time::Time,
};
use world::{CHAIN, Dice, Disk, config, key};

const NOW: Time = Time(1_000_000);

/// A number that is often close to what matters and sometimes absurd.
fn number(dice: &mut Dice, near: u64) -> u64 {
    match dice.below(12) {
        0 => u64::MAX - dice.below(3),
        1 => 1 << dice.below(64),
        2 => dice.next(),
        3 | 4 => dice.below(4),
        _ => (near + dice.below(6)).saturating_sub(3),
    }
}

struct Arena {
    replica: Replica,
    disk: Disk,
    /// Committed entries in order of their execution.
    executed: Vec<LogEntry>,
    refused: u64,
    accused: u64,
}

impl Arena {
    fn new(seed: u64) -> Self {
        let disk = Disk::default();
        let replica =
            Replica::new(config(1, 3), Recovered::fresh(), Box::new(disk.reader()), seed).unwrap();
        Self { replica, disk, executed: Vec::new(), refused: 0, accused: 0 }
    }

    /// Takes one input; what is refused must change nothing.
    fn handle(&mut self, input: Input, sync: bool) {
        let before = self.replica.status();
        self.replica.handle(NOW, input);
        while let Some(effect) = self.replica.poll() {
            match effect {
                Effect::Persist(persist) => self.disk.write(persist),
                Effect::Execute(execute) => {
                    let index = execute.entry.index;
                    assert_eq!(index, self.executed.len() as u64 + 1, "I10");
                    self.executed.push(execute.entry);
                    let executed = Executed { index, time: NOW, judged: vec![], due: None };
                    self.replica.handle(NOW, Input::Executed(executed));
                }
                Effect::Dropped { .. } => {
                    self.refused += 1;
                    assert_eq!(self.replica.status(), before);
                }
                Effect::Evidence { .. } => {
                    self.accused += 1;
                    assert_eq!(self.replica.status(), before);
                }
                Effect::Halt { reason } => panic!("a peer made it halt: {reason}"),
                _ => (),
            }
            if sync && let Some(number) = self.disk.sync(usize::MAX) {
                self.replica.handle(NOW, Input::Persisted { number });
            }
        }
        let status = self.replica.status();
        assert!(status.commit <= status.last_index && status.executed <= status.commit);
        assert!(status.commit >= before.commit && status.standing.term >= before.standing.term);
    }

    fn message(&self, dice: &mut Dice, from: NodeId) -> PeerMessage {
        let status = self.replica.status();
        let (term, last) = (status.standing.term, status.last_index);
        let position = |dice: &mut Dice| match dice.below(3) {
            0 => Position { index: number(dice, last), term: number(dice, term) },
            _ => self.place(dice.below(last + 2)),
        };
        // Now and then the vote that it hopes for, so that it also leads.
        let ballot_open = match status.standing.role {
            Role::PreCandidate => Some((Ballot::Pre, term + 1)),
            Role::Candidate => Some((Ballot::Real, term)),
            _ => None,
        };
        if let Some((ballot, term)) = ballot_open.filter(|_| dice.hits(600)) {
            let body = Body::VoteAnswer { ballot, granted: true };
            return PeerMessage { from, to: NodeId(1), life: 0, term, body };
        }
        let body = match dice.below(8) {
            0 | 1 => {
                let previous = position(dice);
                let entries = self.entries(dice, from, previous, term);
                Body::Append { previous, commit: number(dice, last), entries }
            }
            2 => {
                let hint = position(dice);
                let index = number(dice, last);
                let rejected = Answer::Rejected { index, hint };
                let answer = if dice.hits(500) { rejected } else { Answer::Accepted { index } };
                Body::AppendAnswer { answer, commit: number(dice, status.commit) }
            }
            3 => Body::Heartbeat { commit: number(dice, last) },
            4 => Body::HeartbeatAnswer { commit: number(dice, status.commit) },
            5 => Body::VoteRequest { ballot: ballot(dice), last: position(dice) },
            _ => Body::VoteAnswer { ballot: ballot(dice), granted: dice.hits(700) },
        };
        let term = match dice.below(20) {
            0 => number(dice, term),
            1 => term + 1,
            _ => term.max(1),
        };
        PeerMessage { from, to: NodeId(1), life: 0, term, body }
    }

    fn place(&self, index: u64) -> Position {
        let image = self.disk.image.lock().unwrap();
        image.entries.get(&index).map(LogEntry::position).unwrap_or_default()
    }

    fn entries(
        &self,
        dice: &mut Dice,
        from: NodeId,
        previous: Position,
        term: u64,
    ) -> Vec<LogEntry> {
        let mut before = previous;
        let mut entries = Vec::new();
        for _ in 0..dice.below(4) {
            let fresh = dice.hits(300);
            let term = if fresh { number(dice, term) } else { before.term };
            let skip = if dice.hits(50) { dice.below(3) } else { 1 };
            let index = before.index.saturating_add(skip);
            let signer = if dice.hits(900) { from.0 } else { 1 + dice.below(3) };
            let items = vec![vec![dice.below(2) as u8]];
            let batch =
                Batch::sign(CHAIN, (term, index), NOW, items, (NodeId(signer), &key(signer)));
            let data = if fresh { Vec::new() } else { batch.encode() };
            entries.push(LogEntry { index, term, data });
            before = Position { index, term };
        }
        entries
    }
}

fn ballot(dice: &mut Dice) -> Ballot {
    if dice.hits(500) { Ballot::Pre } else { Ballot::Real }
}

#[test]
fn hostile_members_cannot_panic_halt_or_rewrite_a_replica() {
    let (mut refused, mut accused, mut committed, mut led) = (0, 0, 0, 0);
    for seed in 0..80 {
        let mut dice = Dice(seed);
        let mut arena = Arena::new(seed);
        for _ in 0..1_500 {
            let sync = dice.hits(800);
            if dice.hits(150) {
                arena.handle(Input::Tick, sync);
                continue;
            }
            let from = NodeId(if dice.hits(20) { 999 } else { 2 + dice.below(2) });
            let mut bytes = arena.message(&mut dice, from).encode();
            if dice.hits(50) {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << dice.below(8);
            }
            arena.handle(Input::Message { from, bytes }, sync);
            led += u64::from(arena.replica.status().standing.role == Role::Leader);
        }
        let image = arena.disk.image.lock().unwrap();
        for entry in &arena.executed {
            assert_eq!(image.entries.get(&entry.index), Some(entry), "committed is never replaced");
        }
        refused += arena.refused;
        accused += arena.accused;
        committed += arena.executed.len();
    }
    println!("refused {refused}, accused {accused}, committed {committed}, led {led}");
    assert!(refused > 10_000 && accused > 100 && committed > 100 && led > 500);
}
