//! The cosigner alone: what becomes final, and what it never does.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};

use musubi_consensus::cosigner::{Act, Cosigner, CosignerKeys, Event, ROUND_MS, Remembered};
use musubi_ledger::{
    batch::NodeId,
    genesis::{FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION},
    id::{PartyId, Salt},
    keys::SecretKey,
    party::PartyKind,
    policy::{FinalCheckpoint, Member, PolicyChain, Witness, WitnessPolicy},
    time::Time,
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
};

fn key(n: u64, part: u8) -> SecretKey {
    SecretKey::from_seed(&[part + u8::try_from(n).unwrap() * 10; 32])
}

fn organisation(n: u64) -> PartyId {
    PartyId([u8::try_from(n).unwrap(); 16])
}

/// Three organisations with one node each.
fn genesis() -> Genesis {
    let node = |n: u64| Node {
        id: NodeId(n),
        organisation: organisation(n),
        transport: key(n, 1).public(),
        node: key(n, 2).public(),
        cosigner: key(n, 3).public(),
    };
    let party = |n: u64| FirstParty {
        party: organisation(n),
        kind: PartyKind::Operator,
        keys: vec![],
        tag: None,
        organisation: None,
        officers: vec![],
        attributes: vec![],
    };
    let holds = |n: u64| Organisation {
        party: organisation(n),
        name: format!("organisation {n}"),
        governance: key(n, 4).public(),
    };
    Genesis {
        name: "cosigner.example/test".into(),
        scheme: "test".into(),
        time: Time(1_000),
        rules_version: RULES_VERSION,
        salt: Salt([7; 16]),
        parameters: Parameters { recovery_delay_ms: 1, successor_notice_ms: 1, driven_time: false },
        organisations: (1..=3).map(holds).collect(),
        nodes: (1..=3).map(node).collect(),
        parties: (1..=3).map(party).collect(),
        instruments: vec![],
    }
}

fn root(size: u64) -> [u8; 32] {
    [u8::try_from(size % 251).unwrap() + 1; 32]
}

fn keys(n: u64) -> CosignerKeys {
    CosignerKeys { log: key(n, 2), cosigners: vec![key(n, 3)] }
}

fn begin(n: u64, remembered: Remembered) -> Cosigner {
    let policies = PolicyChain::of_genesis(&genesis());
    Cosigner::new(NodeId(n), keys(n), policies, remembered).unwrap()
}

/// Cosigners with a perfect network; each knows roots up to what it has executed.
struct Trio {
    cosigners: BTreeMap<u64, Cosigner>,
    executed: BTreeMap<u64, u64>,
    /// Persists under way.
    disk: VecDeque<(u64, u64)>,
    /// Signed, by node.
    signed: BTreeMap<u64, Vec<(u64, [u8; 32])>>,
    last: BTreeMap<u64, FinalCheckpoint>,
    contradictions: Vec<(u64, Option<NodeId>)>,
    dropped: Vec<&'static str>,
    down: Vec<u64>,
    now: u64,
}

impl Trio {
    fn new() -> Self {
        let cosigners = (1..=3).map(|n| (n, begin(n, Remembered::default()))).collect();
        let mut trio = Self {
            cosigners,
            executed: (1..=3).map(|n| (n, 0)).collect(),
            disk: VecDeque::new(),
            signed: BTreeMap::new(),
            last: BTreeMap::new(),
            contradictions: Vec::new(),
            dropped: Vec::new(),
            down: Vec::new(),
            now: 1_000_000,
        };
        trio.tell(1, Event::Leading(true));
        trio
    }

    fn tell(&mut self, node: u64, event: Event) {
        let executed = self.executed[&node];
        let cosigner = self.cosigners.get_mut(&node).unwrap();
        cosigner.handle(self.now, event, &|size| (size <= executed).then(|| root(size)));
        let mut acts = Vec::new();
        while let Some(act) = cosigner.poll() {
            acts.push(act);
        }
        for act in acts {
            self.carry_out(node, act);
        }
    }

    fn carry_out(&mut self, node: u64, act: Act) {
        match act {
            Act::Persist { size, root, .. } => {
                let signed = self.signed.entry(node).or_default();
                let grows = signed.last().is_none_or(|(last, _)| *last < size);
                assert!(grows, "node {node} signs {size} after {signed:?}");
                assert!(size <= self.executed[&node], "node {node} signs what it has executed");
                signed.push((size, root));
                self.disk.push_back((node, size));
            }
            Act::Send { note } | Act::Retell { note } => {
                let down = self.down.clone();
                for to in (1..=3).filter(|to| *to != node && !down.contains(to)) {
                    self.tell(to, Event::Note { from: Some(NodeId(node)), note: note.clone() });
                }
            }
            Act::Final(checkpoint) => drop(self.last.insert(node, checkpoint)),
            Act::Contradiction { from, .. } => self.contradictions.push((node, from)),
            Act::Dropped { why, .. } => self.dropped.push(why),
            Act::Settled { .. } => {}
        }
    }

    fn execute(&mut self, node: u64, size: u64) {
        self.executed.insert(node, size);
        self.tell(node, Event::Executed { size, root: root(size), policies: vec![] });
    }

    /// The disks finish what they were given, until nothing is under way.
    fn settle(&mut self) {
        while let Some((node, size)) = self.disk.pop_front() {
            if !self.down.contains(&node) {
                self.tell(node, Event::Durable { size });
            }
        }
    }

    fn final_size(&self, node: u64) -> u64 {
        self.last.get(&node).map_or(0, |last| last.checkpoint.size())
    }
}

#[test]
fn a_named_checkpoint_becomes_final_with_every_cosignature() {
    let mut trio = Trio::new();
    for node in [3, 1, 2] {
        trio.execute(node, 5);
    }
    trio.settle();
    for node in 1..=3 {
        let last = &trio.last[&node];
        assert_eq!((last.checkpoint.size(), last.checkpoint.root()), (5, &root(5)));
        assert_eq!(last.cosigned.len(), 3, "beyond the quorum too");
        assert_eq!(last.logs, [NodeId(1), NodeId(2), NodeId(3)]);
        let policies = PolicyChain::of_genesis(&genesis());
        assert_eq!(policies.check(last.note.to_string().as_bytes()).as_ref(), Ok(last));
    }
}

#[test]
fn nothing_is_sent_before_it_is_durable() {
    let mut trio = Trio::new();
    for node in 1..=3 {
        trio.execute(node, 5);
    }
    assert_eq!(trio.signed.keys().collect::<Vec<_>>(), [&1], "nobody has heard of the name yet");
    assert!(trio.last.is_empty());
}

#[test]
fn followers_wait_until_they_have_executed_it() {
    let mut trio = Trio::new();
    trio.execute(1, 5);
    trio.settle();
    assert_eq!(trio.signed.len(), 1);
    trio.execute(2, 4);
    trio.settle();
    assert_eq!(trio.signed.len(), 1, "4 was named by nobody, 5 is not executed there");
    trio.execute(2, 5);
    trio.settle();
    assert_eq!((trio.final_size(1), trio.final_size(2)), (5, 5));
    assert_eq!(trio.last[&1].cosigned.len(), 2);
    // The third comes late: its cosignature still goes into the proof.
    trio.execute(3, 5);
    trio.settle();
    assert_eq!(trio.last[&1].cosigned.len(), 3);
}

#[test]
fn one_round_is_in_flight_and_the_newest_seal_is_next() {
    let mut trio = Trio::new();
    for size in [5, 6, 9] {
        (1..=3).for_each(|node| trio.execute(node, size));
    }
    trio.settle();
    assert_eq!(trio.signed[&1], [(5, root(5)), (9, root(9))]);
    assert_eq!(trio.final_size(3), 9);
}

#[test]
fn a_round_without_a_quorum_makes_room_after_a_while() {
    let mut trio = Trio::new();
    trio.down = vec![2, 3];
    trio.execute(1, 5);
    trio.execute(1, 7);
    trio.settle();
    assert_eq!(trio.signed[&1], [(5, root(5))]);
    assert_eq!(trio.cosigners[&1].next_wake(), Some(trio.now + ROUND_MS));
    trio.now += ROUND_MS;
    trio.tell(1, Event::Wake);
    trio.settle();
    assert_eq!(trio.signed[&1], [(5, root(5)), (7, root(7))]);
    // Whoever comes back answers the newest name.
    trio.down.clear();
    trio.execute(2, 8);
    trio.execute(1, 8);
    trio.now += ROUND_MS;
    trio.tell(1, Event::Wake);
    trio.settle();
    assert_eq!(trio.final_size(1), 8);
}

/// A note by these keys of node `n`.
fn note(n: u64, size: u64, root: [u8; 32]) -> String {
    let (genesis, log, cosigner) = (genesis(), key(n, 2), key(n, 3));
    let origin = genesis.origin();
    let text = Checkpoint::new(&origin, size, root).unwrap().to_string();
    let mut note = SignedNote::new(text.clone()).unwrap();
    let vkey = VerifierKey::new(&origin, Algorithm::Ed25519, &log.public().0).unwrap();
    note.add(NoteSignature::sign(&text, &vkey, |m| log.sign(m).0)).unwrap();
    let name = musubi_ledger::policy::cosigner_name(&genesis, NodeId(n));
    let vkey = VerifierKey::new(&name, Algorithm::CosignatureV1, &cosigner.public().0).unwrap();
    note.add(NoteSignature::cosign(&text, &vkey, 9, |m| cosigner.sign(m).0)).unwrap();
    note.to_string()
}

#[test]
fn a_lie_is_told_of_and_never_cosigned() {
    let mut trio = Trio::new();
    trio.execute(1, 5);
    // The leader lies about what this node has executed, then about what is still to come.
    let from = Some(NodeId(1));
    trio.execute(2, 5);
    trio.tell(2, Event::Note { from, note: note(1, 5, [99; 32]) });
    assert_eq!(trio.contradictions, [(2, from)]);
    trio.tell(2, Event::Note { from, note: note(1, 6, [99; 32]) });
    trio.execute(2, 6);
    assert_eq!(trio.contradictions, [(2, from), (2, from)]);
    assert!(!trio.signed.contains_key(&2));
    // Two liars together are not final here.
    for n in [1, 3] {
        trio.tell(2, Event::Note { from: Some(NodeId(n)), note: note(n, 7, [99; 32]) });
    }
    trio.execute(2, 7);
    trio.settle();
    assert_eq!(trio.last[&2].checkpoint.root(), &root(5), "only what node 1 honestly named");
    assert!(trio.signed[&2].iter().all(|(size, signed)| *signed == root(*size)));
}

#[test]
fn notes_that_nobody_signed_are_dropped() {
    let mut trio = Trio::new();
    trio.execute(2, 5);
    let (from, whole) = (Some(NodeId(1)), note(1, 5, root(5)));
    let stranger = note(1, 5, root(5)).replace("/node/1", "/node/9").replace("/test/1 ", "/x/1 ");
    for bad in [String::new(), whole.replace("\n5\n", "\n6\n"), stranger] {
        trio.tell(2, Event::Note { from, note: bad });
    }
    assert_eq!(trio.dropped, ["bad_note", "bad_note_signature", "no_trusted_signature"]);
    assert!(trio.signed.is_empty());
}

#[test]
fn after_a_restart_it_signs_nothing_smaller_and_nothing_again() {
    let signed = note(2, 8, root(8));
    let mut trio = Trio::new();
    let remembered = Remembered { signed: Some(signed), ..Remembered::default() };
    trio.cosigners.insert(2, begin(2, remembered));
    assert_eq!(trio.cosigners[&2].durable_size(), 8);
    trio.execute(2, 8);
    for size in [7, 8] {
        trio.tell(2, Event::Note { from: Some(NodeId(1)), note: note(1, size, root(size)) });
    }
    assert!(trio.signed.is_empty());
    trio.tell(2, Event::Note { from: Some(NodeId(1)), note: note(1, 9, root(9)) });
    trio.execute(2, 9);
    assert_eq!(trio.signed[&2], [(9, root(9))]);
    assert!(
        Cosigner::new(
            NodeId(2),
            keys(2),
            PolicyChain::of_genesis(&genesis()),
            Remembered { signed: Some("other.example/log\n1\n".into()), ..Remembered::default() },
        )
        .is_err()
    );
}

#[test]
#[should_panic(expected = "signed another root")]
fn a_node_that_executed_otherwise_than_it_signed_stops() {
    let remembered = Remembered { signed: Some(note(2, 8, [99; 32])), ..Remembered::default() };
    let mut cosigner = begin(2, remembered);
    let event = Event::Executed { size: 8, root: root(8), policies: vec![] };
    cosigner.handle(5, event, &|_| None);
}

#[test]
fn a_change_of_policy_is_confirmed_by_both_quorums() {
    let mut trio = Trio::new();
    let mut next = WitnessPolicy { number: 2, quorum: 3, ..WitnessPolicy::of_genesis(&genesis()) };
    next.witnesses.push(Witness {
        name: "witness.example/w".into(),
        key: key(9, 5).public(),
        member: Member::Independent,
    });
    for node in 1..=3 {
        trio.executed.insert(node, 5);
        let policies = vec![(next.clone(), 4)];
        trio.tell(node, Event::Executed { size: 5, root: root(5), policies });
    }
    trio.down = vec![3];
    trio.settle();
    assert_eq!(trio.final_size(1), 0, "two organisations are not three members");
    // The witness answers.
    let text = Checkpoint::new(&genesis().origin(), 5, root(5)).unwrap().to_string();
    let mut note = SignedNote::new(text.clone()).unwrap();
    let secret = key(9, 5);
    let vkey = VerifierKey::new("witness.example/w", Algorithm::CosignatureV1, &secret.public().0);
    note.add(NoteSignature::cosign(&text, &vkey.unwrap(), 9, |m| secret.sign(m).0)).unwrap();
    trio.tell(1, Event::Note { from: None, note: note.to_string() });
    assert_eq!(trio.final_size(1), 5);
    assert_eq!(trio.last[&1].policy, 2);
    assert!(!trio.cosigners[&1].policies().settles(5));
}

/// Every node gets another key, under policy 2.
fn second() -> WitnessPolicy {
    let mut policy = WitnessPolicy { number: 2, ..WitnessPolicy::of_genesis(&genesis()) };
    for (n, witness) in (1..).zip(&mut policy.witnesses) {
        witness.key = key(n, 6).public();
    }
    policy
}

impl Trio {
    /// A trio whose nodes also have the keys of [`second`].
    fn with_second_keys() -> Self {
        let mut trio = Self::new();
        for n in 1..=3 {
            let keys = CosignerKeys { log: key(n, 2), cosigners: vec![key(n, 3), key(n, 6)] };
            let policies = PolicyChain::of_genesis(&genesis());
            let begun = Cosigner::new(NodeId(n), keys, policies, Remembered::default());
            trio.cosigners.insert(n, begun.unwrap());
        }
        trio.tell(1, Event::Leading(true));
        trio
    }

    fn execute_change(&mut self, node: u64, size: u64) {
        self.executed.insert(node, size);
        let policies = vec![(second(), size - 1)];
        self.tell(node, Event::Executed { size, root: root(size), policies });
    }
}

#[test]
fn who_missed_the_round_that_confirmed_a_policy_is_told_of_it_again() {
    let mut trio = Trio::with_second_keys();
    trio.down = vec![3];
    (1..=2).for_each(|node| trio.execute_change(node, 5));
    trio.settle();
    assert_eq!((trio.final_size(1), trio.final_size(3)), (5, 0));
    // Nobody signs by the first policy any more.
    trio.down.clear();
    trio.execute_change(3, 5);
    trio.now += 60_000;
    for size in [7, 9] {
        (1..=3).for_each(|node| trio.execute(node, size));
        trio.settle();
    }
    assert_eq!((trio.final_size(1), trio.final_size(3)), (9, 9));
    assert!(!trio.cosigners[&3].policies().settles(9), "it has the proof of the change");
}

#[test]
fn a_policy_counts_before_it_is_told_if_the_log_is_ahead() {
    let mut trio = Trio::with_second_keys();
    trio.execute_change(1, 5);
    // Node 2 has recorded the block that sets policy 2, and its cosigner has not heard of it yet.
    trio.executed.insert(2, 5);
    trio.settle();
    assert!(!trio.signed.contains_key(&2), "it would sign by the first policy alone");
    assert_eq!(trio.final_size(2), 0);
    trio.execute_change(2, 5);
    trio.settle();
    assert_eq!(trio.last[&1].policy, 2);
    assert_eq!(trio.last[&1].cosigned.len(), 2);
}

#[test]
fn a_clock_that_is_set_back_holds_no_round_up() {
    let mut trio = Trio::new();
    trio.down = vec![2, 3];
    trio.execute(1, 5);
    trio.settle();
    trio.now -= 3_600_000 / 4;
    trio.execute(1, 7);
    trio.settle();
    assert_eq!(trio.signed[&1], [(5, root(5)), (7, root(7))]);
}
