//! Days pass at one node: its executor runs on a store that is opened anew every few blocks, block time jumps
//! by days, and every statement that it makes is what a past that keeps everything says.
#![allow(clippy::unwrap_used)]

#[path = "../../ledger/tests/common/mod.rs"]
mod city;

use std::sync::{Arc, mpsc};

use city::*;
use musubi_consensus::{Execute, HardState, LogEntry, Persist};
use musubi_ledger::{
    batch::{Batch, NodeId},
    genesis::RULES_VERSION,
    lot::OriginKind,
    policy::PolicyChain,
    time::Day,
};
use musubi_node::{
    core::{
        evidence::Room,
        executor::{self, Executor},
        keeper::{Keeper, Questions, Wake},
        pending::Pending,
        verified::Verified,
    },
    http::{Read, Recorded, Unprovable},
    memos::Memos,
    metrics::Metrics,
    proposals::OpenProposals,
    statements::Prover,
};
use musubi_storage::{KeptWallet, OpenSettings, Opened, Store, memory::MemoryDisk};

/// Payments over some weeks: on most days, at times several blocks, at times nothing for days.
fn weeks() -> World {
    let mut world = World::with_past();
    for holder in ["alice", "bob"] {
        world.fund(holder, "MEBUKU", 90_000);
    }
    world.issue("carol", "POINT", 400, OriginKind::Free, 1);
    for (round, hours) in [0, 3, 24, 1, 24, 72, 20, 4, 24, 240, 1, 30].into_iter().enumerate() {
        world.now = world.now.plus(hours * 3_600_000);
        let amount = 100 + round as u64;
        world.apply("alice", pay("alice", "bob", amount), &[debit("alice"), credit("bob")]);
        if round % 3 == 0 {
            world.apply("bob", pay("bob", "shop", amount), &[debit("bob"), credit("shop")]);
        }
    }
    world.wait(DAY);
    world.wait(SECOND);
    world
}

/// Executes entries on an opened directory and gives back the wallets asked for behind the last.
fn execute(opened: Opened, entries: &[LogEntry], ask: &[PartyId]) -> Vec<Option<KeptWallet>> {
    let chain_id = opened.genesis.chain();
    let store = Arc::new(opened.store);
    let metrics = Arc::new(Metrics::new());
    let (work, work_in) = mpsc::channel();
    let (ready, turns) = mpsc::sync_channel(entries.len() + 8);
    let ready = Arc::new(ready);
    let questions = Arc::new(Questions::default());
    questions.connect(Wake::Thread(Arc::downgrade(&ready)));
    let (cosigner, _events) = mpsc::sync_channel(entries.len() + 8);
    let (reports, _reports) = tokio::sync::mpsc::unbounded_channel();
    let (head, _head) = tokio::sync::watch::channel(store.head().0);
    let data = tempfile::tempdir().unwrap();
    let room = Room::open(data.path(), Arc::clone(&store), Arc::clone(&metrics)).unwrap();
    let executor = Executor {
        clock: musubi_node::clock::Clock::of_machine(),
        chain: opened.chain,
        store: Arc::clone(&store),
        pending: Arc::new(Pending::new(8)),
        proposals: Arc::new(OpenProposals::find(&store).unwrap()),
        head,
        reports,
        metrics: Arc::clone(&metrics),
        cosigner,
        evidence: Arc::new(room.0),
        memos: Arc::new(Memos::open(Arc::clone(&store)).unwrap().0),
        keeper: Keeper::resume(&store).unwrap(),
        questions: Arc::clone(&questions),
    };
    for entry in entries {
        let batch = Some(Batch::decode(&entry.data).unwrap());
        work.send(Execute { entry: entry.clone(), batch }).unwrap();
    }
    drop(work);
    executor::verify(&work_in, &ready, chain_id, RULES_VERSION, &Verified::new(8), &metrics);
    // Asked before the thread runs, answered between two blocks; here, behind the last.
    let thread = std::thread::spawn(move || executor.run(&turns));
    while store.head().0.height < entries.last().map_or(0, |entry| entry.index) {
        std::thread::yield_now();
    }
    let asked: Vec<_> = ask.iter().map(|party| questions.ask(*party).unwrap()).collect();
    let answers = asked.into_iter().map(|answer| answer.blocking_recv().unwrap()).collect();
    drop(ready);
    thread.join().unwrap().unwrap();
    // Nobody is there any more, and whoever asks does not wait for ever.
    assert!(questions.ask(id("alice")).is_none());
    answers
}

fn entries_of(world: &World) -> Vec<LogEntry> {
    let leader = key("city/node");
    let batches = (1u64..).zip(&world.past().batches);
    batches
        .map(|(index, (time, items))| {
            let signed = (NodeId(1), &leader);
            let batch = Batch::sign(world.chain.id(), (1, index), *time, items.clone(), signed);
            LogEntry { term: 1, index, data: batch.encode() }
        })
        .collect()
}

fn recorded(store: &Store, leaves: &[u64]) -> Read<Vec<Recorded>> {
    let one = |leaf: &u64| Recorded {
        entry: store.entry(*leaf).unwrap().unwrap(),
        transaction: store.transaction(*leaf).unwrap(),
    };
    Ok(leaves.iter().map(one).collect())
}

/// The store with everything executed, restarted every `every` blocks.
fn lived(world: &World, every: usize, ask: &[PartyId]) -> (Store, Vec<Option<KeptWallet>>) {
    let disk = MemoryDisk::new(1);
    let settings = OpenSettings::default();
    let created = Store::create(disk.open().unwrap(), &genesis(), [1; 16], &settings).unwrap();
    let entries = entries_of(world);
    let last = entries.len() as u64;
    let hard_state = Some(HardState { term: 1, vote: Some(NodeId(1)), commit: last });
    let (number, truncate_from, must_sync) = (1, None, true);
    let all = entries.clone();
    let persist = Persist { number, truncate_from, entries: all, hard_state, must_sync };
    created.store.stage(&persist).unwrap();
    created.store.sync().unwrap();
    drop(created);
    let mut present = Vec::new();
    for part in entries.chunks(every) {
        let opened = Store::open(disk.open().unwrap(), &settings).unwrap();
        present = execute(opened, part, ask);
    }
    let store = Store::open(disk.open().unwrap(), &settings).unwrap().store;
    assert_eq!(store.head().0, world.last.head);
    store.stage_final(&world.past().note(&["city", "operator"]), &[]).unwrap();
    (store, present)
}

#[test]
fn every_statement_of_every_period_is_proved_whenever_the_node_restarted() {
    let world = weeks();
    let past = world.past();
    let policies = PolicyChain::of_genesis(&genesis());
    let holders = ["alice", "bob", "carol", "shop", "mart"].map(id);
    let (first, last) = (BEGIN.day().0, world.now.day().0);
    for every in [1, 7, 1_000] {
        let (store, present) = lived(&world, every, &holders);
        let entries = |leaves: &[u64]| recorded(&store, leaves);
        for (party, present) in holders.iter().zip(present) {
            let present = present.unwrap();
            let prover = || Prover::new(&store, &entries).unwrap().unwrap();
            let balance = prover().wallet(party, present.clone()).unwrap().unwrap();
            let proven = balance.verify(&policies).unwrap();
            assert_eq!(proven.lots.unwrap(), present.wallet.lots);
            let mut made = 0;
            for (from, to) in
                (first..=last).flat_map(|from| (from..=last).map(move |to| (from, to)))
            {
                let period = (Day(from).begin(), Day(to).next().begin());
                let statement = match prover().statement(party, period, present.clone()).unwrap() {
                    Ok(statement) => statement,
                    Err(why) => {
                        let none = past.leaves(party, Time(0), period.1).is_empty();
                        assert!(why == Unprovable::NotYet && none, "{why:?}");
                        continue;
                    }
                };
                let said = statement.verify(&policies).unwrap();
                let expected = past.statement(party, period.0, period.1, Closing::Before);
                let expected = expected.verify(&policies).unwrap();
                assert_eq!((&said.opening, &said.closing), (&expected.opening, &expected.closing));
                assert_eq!(said.lines, expected.lines);
                assert_eq!(said.proven_until, expected.proven_until);
                made += 1;
            }
            assert!(made > 0 || present.wallet.leaves > 0);
        }
        let tomorrow = (Day(last + 1).begin(), Day(last + 2).begin());
        let alice = store.kept_before(&id("alice"), Day(last + 1)).unwrap().unwrap();
        let prover = Prover::new(&store, &entries).unwrap().unwrap();
        let made = prover.statement(&id("alice"), tomorrow, alice).unwrap();
        assert_eq!(made.unwrap_err(), Unprovable::NotYet);
    }
}
