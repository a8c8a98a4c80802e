//! Several memories that show each other their pledges at once, on disks that keep what they are told.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use musubi_ledger::keys::PublicKey;

use super::*;
use crate::MemberKey;

const CHAIN: ChainId = ChainId([5; 32]);

fn key(node: u64) -> SecretKey {
    SecretKey::from_seed(&[node as u8; 32])
}

fn public(node: u64) -> PublicKey {
    key(node).public()
}

/// A directory: what is on the disk.
#[derive(Clone)]
struct Disk {
    directory: [u8; 16],
    boot: u64,
    kept: Durable,
    remembered: BTreeMap<NodeId, SignedPledge>,
}

fn kept(write: u64, index: u64, term: u64) -> Durable {
    Durable { write, index, term, vote: 1, hash: [write as u8; 32] }
}

struct Net {
    disks: Vec<Disk>,
    up: Vec<Option<Amnesia>>,
    /// Members that hear nobody and are not heard.
    away: BTreeSet<usize>,
    lives: u64,
    stopped: Vec<Option<Forgotten>>,
}

impl Net {
    /// Formatted directories; nobody runs.
    fn new(count: usize) -> Self {
        let mut net = Self {
            disks: Vec::new(),
            up: (0..count).map(|_| None).collect(),
            away: BTreeSet::new(),
            lives: 0,
            stopped: vec![None; count],
        };
        net.disks = (0..count).map(|at| net.formatted(at as u8 + 1)).collect();
        net
    }

    fn formatted(&self, id: u8) -> Disk {
        let remembered = BTreeMap::new();
        Disk { directory: [id; 16], boot: 0, kept: Durable::default(), remembered }
    }

    /// A network that ran: everybody has promised something.
    fn running(count: usize) -> Self {
        let mut net = Self::new(count);
        (0..count).for_each(|at| net.start(at));
        net.pass(10);
        (0..count).for_each(|at| net.write(at, kept(5, 9, 2)));
        net.pass(10);
        net
    }

    fn start(&mut self, at: usize) {
        self.lives += 1;
        let disk = &mut self.disks[at];
        disk.boot += 1;
        let member = |node| MemberKey { node: NodeId(node), batch_key: public(node) };
        let me = at as u64 + 1;
        let members = (1..=self.up.len() as u64).map(member).collect();
        let config = Config::new(CHAIN, NodeId(me), members, key(me));
        let identity = Identity {
            directory: disk.directory,
            boot: disk.boot,
            life: self.lives,
            found: disk.kept,
            cosigned: 0,
            remembered: disk.remembered.values().copied().collect(),
        };
        self.stopped[at] = None;
        self.up[at] = Some(Amnesia::new(&config, identity));
    }

    fn stop(&mut self, at: usize) {
        self.up[at] = None;
    }

    fn write(&mut self, at: usize, kept: Durable) {
        self.disks[at].kept = kept;
        self.up[at].as_mut().unwrap().durable(kept, 0);
    }

    fn pass(&mut self, ticks: u64) {
        for _ in 0..ticks {
            for at in 0..self.up.len() {
                let acts = self.up[at].as_mut().map(Amnesia::tick).unwrap_or_default();
                self.carry_out(at, acts);
            }
        }
    }

    fn carry_out(&mut self, at: usize, acts: Vec<Act>) {
        let mut queue: VecDeque<(usize, Act)> = acts.into_iter().map(|act| (at, act)).collect();
        while let Some((at, act)) = queue.pop_front() {
            let (then, acts) = match act {
                Act::Tell(to, pledges) => {
                    let to = to.0 as usize - 1;
                    if self.away.contains(&at) || self.away.contains(&to) {
                        continue;
                    }
                    let from = NodeId(at as u64 + 1);
                    let heard = self.up[to].as_mut().map(|member| member.hear(from, &pledges));
                    (to, heard.unwrap_or_default())
                }
                Act::Remember(Remember { number, node, pledge, .. }) => {
                    self.disks[at].remembered.insert(node, *pledge);
                    (at, self.up[at].as_mut().map(|m| m.recorded(number)).unwrap_or_default())
                }
                Act::Stop(forgotten) => {
                    self.stopped[at] = Some(*forgotten);
                    self.up[at] = None;
                    continue;
                }
                Act::Drop(refusal) => panic!("nobody breaks a rule here: {refusal}"),
            };
            queue.extend(acts.into_iter().map(|act| (then, act)));
        }
    }

    fn awake(&self) -> Vec<bool> {
        self.up.iter().map(|member| member.as_ref().is_some_and(Amnesia::is_awake)).collect()
    }

    fn why(&self, at: usize) -> Option<Shortfall> {
        self.stopped[at].map(|forgotten| forgotten.why)
    }
}

/// Longer than anybody waits.
const LONG: u64 = 50;

#[test]
fn a_network_begins_when_enough_have_met_in_whatever_order() {
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut net = Net::new(3);
        net.start(order[0]);
        net.pass(LONG);
        net.start(order[1]);
        net.pass(LONG);
        assert_eq!(net.awake(), [false; 3], "two of three could be the whole of another beginning");
        net.start(order[2]);
        net.pass(3);
        assert_eq!(net.awake(), [true; 3]);
    }
    let mut five = Net::new(5);
    (0..4).for_each(|at| five.start(at));
    five.pass(3);
    assert_eq!(five.awake(), [true, true, true, true, false]);
    let mut alone = Net::new(1);
    alone.start(0);
    assert_eq!(alone.awake(), [true]);
}

#[test]
fn honest_restarts_are_believed_alone_together_and_again_and_again() {
    let mut net = Net::running(3);
    for round in 1..20u64 {
        let at = round as usize % 3;
        net.stop(at);
        net.pass(round % 7);
        net.start(at);
        net.pass(4);
        assert_eq!(net.awake(), [true; 3], "with all there nobody waits");
        net.write(at, kept(5 + round, 9 + round, 2));
        net.pass(round % 5);
    }
    (0..3).for_each(|at| net.stop(at));
    (0..3).for_each(|at| net.start(at));
    net.pass(4);
    assert_eq!(net.awake(), [true; 3]);
    assert!(net.stopped.iter().all(Option::is_none));
}

#[test]
fn one_member_away_delays_a_restart_and_does_not_forbid_it() {
    let mut net = Net::running(3);
    net.away.insert(2);
    net.stop(0);
    net.start(0);
    net.pass(4);
    assert!(!net.awake()[0], "the one that is away might know more");
    net.pass(LONG);
    assert!(net.awake()[0]);
    // Alone it makes no quorum, and wakes for none.
    let mut net = Net::running(3);
    net.stop(0);
    net.away.insert(0);
    net.start(0);
    net.pass(LONG);
    assert!(!net.awake()[0]);
}

#[test]
fn a_wiped_disk_stays_out_even_if_its_peers_just_restarted_or_one_is_away() {
    for (restart, away) in [(false, None), (true, None), (false, Some(1)), (true, Some(2))] {
        let mut net = Net::running(3);
        net.stop(0);
        net.disks[0] = net.formatted(77);
        if restart {
            (1..3).for_each(|at| net.stop(at));
            (1..3).for_each(|at| net.start(at));
        }
        net.away.extend(away);
        net.start(0);
        net.pass(LONG);
        assert!(!net.awake()[0]);
        assert_eq!(net.why(0), Some(Shortfall::Directory), "restarted {restart}, away {away:?}");
        net.away.clear();
        net.pass(LONG);
        assert_eq!(net.awake(), [false, true, true], "and the others go on");
    }
}

#[test]
fn an_old_backup_stays_out() {
    let mut net = Net::running(3);
    let backup = net.disks[0].clone();
    net.write(0, kept(8, 12, 3));
    net.pass(10);
    net.stop(0);
    net.disks[0] = backup;
    net.start(0);
    net.pass(LONG);
    assert_eq!(net.why(0), Some(Shortfall::Writes));
    assert_eq!(net.awake(), [false, true, true]);
}

#[test]
fn what_one_member_saw_all_learn() {
    let mut net = Net::running(3);
    let backup = net.disks[0].clone();
    // Member 2 is away while member 0 goes on, and hears of it by member 1 alone.
    net.away.insert(2);
    net.write(0, kept(8, 12, 3));
    net.pass(10);
    net.stop(0);
    net.away.clear();
    net.pass(10);
    net.away.insert(1);
    net.disks[0] = backup;
    net.start(0);
    net.pass(LONG);
    assert_eq!(net.why(0), Some(Shortfall::Writes));
}

#[test]
fn a_swapped_disk_stays_out() {
    let mut net = Net::running(5);
    (0..2).for_each(|at| net.stop(at));
    net.disks.swap(0, 1);
    (0..2).for_each(|at| net.start(at));
    net.pass(LONG);
    assert_eq!((net.why(0), net.why(1)), (Some(Shortfall::Directory), Some(Shortfall::Directory)));
    assert_eq!(net.awake(), [false, false, true, true, true]);
}

#[test]
fn of_a_copy_that_runs_beside_its_original_one_stops() {
    let mut net = Net::running(3);
    let original = net.up[0].take().unwrap();
    net.start(0);
    net.pass(4);
    assert_eq!(net.awake(), [true; 3], "it holds all that was told, as after a restart");
    // The original goes on in its own process.
    let copy = net.up[0].replace(original);
    net.pass(LONG);
    assert_eq!(net.why(0), Some(Shortfall::Boot));
    net.up[0] = copy;
    net.pass(LONG);
    assert_eq!(net.awake(), [true; 3]);
}

#[test]
fn a_life_is_believed_only_when_it_is_recorded_and_a_forgetful_one_never() {
    let mut net = Net::running(3);
    let backup = net.disks[0].clone();
    net.write(0, kept(8, 12, 3));
    net.pass(10);
    let before = net.up[0].as_ref().unwrap().life();
    let believes = |net: &Net, life| net.up[1].as_ref().unwrap().belief(NodeId(1), life);
    assert_eq!(believes(&net, before), Belief::Yes);
    assert_eq!(believes(&net, 999), Belief::NotYet);
    net.stop(0);
    net.start(0);
    let life = net.up[0].as_ref().unwrap().life();
    let Act::Tell(_, pledges) = net.up[0].as_mut().unwrap().tell(NodeId(2)) else { panic!() };
    let acts = net.up[1].as_mut().unwrap().hear(NodeId(1), &pledges);
    let [Act::Remember(Remember { number, must_sync: true, .. })] = &acts[..] else { panic!() };
    assert_eq!(believes(&net, life), Belief::NotYet, "a crash here must not leave it believed");
    assert_eq!(believes(&net, before), Belief::NotYet);
    net.up[1].as_mut().unwrap().recorded(*number);
    assert_eq!(believes(&net, life), Belief::Yes);
    net.stop(0);
    net.disks[0] = backup;
    net.start(0);
    let life = net.up[0].as_ref().unwrap().life();
    let Act::Tell(_, pledges) = net.up[0].as_mut().unwrap().tell(NodeId(2)) else { panic!() };
    net.up[1].as_mut().unwrap().hear(NodeId(1), &pledges);
    assert_eq!(believes(&net, life), Belief::No);
    let refused = |net: &Net| net.up[1].as_ref().unwrap().refused().collect::<Vec<_>>();
    assert_eq!(refused(&net), [NodeId(1)]);
}

#[test]
fn an_acknowledgement_behind_the_last_pledge_is_remembered_too() {
    let mut net = Net::running(3);
    net.up[1].as_mut().unwrap().promised(NodeId(1), 2, 10);
    net.stop(0);
    net.start(0);
    net.pass(LONG);
    assert_eq!(net.why(0), None, "nobody but member 1 says so, and it has no signature");
    assert!(!net.awake()[0], "so it does not stop, nor does it promise anything");
    let status = net.up[0].as_ref().unwrap().standing();
    assert_eq!(status, (1, 1));
}

#[test]
fn lies_move_nobody() {
    let mut net = Net::running(3);
    let member = net.up[0].as_mut().unwrap();
    let Act::Tell(_, honest) = member.tell(NodeId(2)) else { panic!() };
    let liar = net.up[1].as_mut().unwrap();
    let Act::Tell(_, told) = liar.tell(NodeId(1)) else { panic!() };
    let raised = |mut signed: SignedPledge| {
        signed.pledge.kept.write += 1_000;
        signed.pledge.boot += 1;
        signed
    };
    let member = net.up[0].as_mut().unwrap();
    // "You told me more": without this node's signature it means nothing.
    let yours = told.yours.map(raised);
    assert!(member.hear(NodeId(2), &Pledges { yours, ..(*told).clone() }).is_empty());
    // "The third told me more": nor without the third's.
    let others = told.others.iter().copied().map(raised).collect();
    let acts = member.hear(NodeId(2), &Pledges { others, ..(*told).clone() });
    assert!(matches!(acts[..], [Act::Drop(Refusal::Pledge)]));
    // In another's name, or more of them than there are members.
    let acts = member.hear(NodeId(3), &told);
    assert!(matches!(acts[..], [Act::Drop(Refusal::Pledge)]));
    let others = vec![honest.own; 4];
    let acts = member.hear(NodeId(2), &Pledges { others, ..(*told).clone() });
    assert!(matches!(acts[..], [Act::Drop(Refusal::Pledge)]));
    net.pass(LONG);
    assert_eq!(net.awake(), [true; 3]);
}

#[test]
fn a_pledge_is_of_fixed_length_and_all_of_it_is_signed_for_one_chain() {
    let mut net = Net::running(3);
    let Act::Tell(_, told) = net.up[0].as_mut().unwrap().tell(NodeId(2)) else { panic!() };
    let signed = told.own;
    let bytes = signed.encode();
    assert_eq!(bytes.len(), 249, "as docs/FORMAT.md says");
    assert_eq!(SignedPledge::decode(&bytes), Ok(signed));
    assert!(signed.verifies(CHAIN, &public(1)));
    assert!(!signed.verifies(ChainId([6; 32]), &public(1)));
    assert!(!signed.verifies(CHAIN, &public(2)));
    for at in 1..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let changed = SignedPledge::decode(&changed).unwrap();
        assert!(!changed.verifies(CHAIN, &public(1)), "byte {at} is not signed");
    }
    assert!(SignedPledge::decode(&bytes[..248]).is_err());
}
