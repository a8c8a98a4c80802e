//! Followers that lie to a leader or a candidate.

use super::*;

#[test]
fn a_rejection_whose_hint_overflows() {
    let hint = Position { index: u64::MAX, term: 0 };
    let answer = Answer::Rejected { index: 3, hint };
    let message = says(PEER, 2, Body::AppendAnswer { answer, commit: 0 });
    let mut core = alone();
    elect(&mut core);
    core.step(message.clone());
    assert!(panicked(&core).contains("overflow"));
    assert_dropped(lead(), PEER, message, Refusal::Index);
}

#[test]
fn a_late_rejection_below_what_was_acknowledged() {
    // raft-rs #557: an append was acknowledged up to 4; then a copy of the rejection of 4 comes
    // late.
    let accepted =
        says(PEER, 2, Body::AppendAnswer { answer: Answer::Accepted { index: 4 }, commit: 2 });
    let hint = Position { index: 1, term: 1 };
    let answer = Answer::Rejected { index: 4, hint };
    let rejected = says(PEER, 2, Body::AppendAnswer { answer, commit: 2 });
    let mut core = alone();
    elect(&mut core);
    core.step(accepted.clone());
    core.unreachable(PEER);
    core.step(rejected.clone());
    let progress = core.node.raft.prs().get(2).unwrap();
    assert!(progress.next_idx <= progress.matched, "the bug is fixed in this raft-rs");
    let mut replica = lead();
    tell(&mut replica, PEER, accepted);
    replica.handle(NOW, Input::PeerUnreachable { node: PEER });
    settle(&mut replica);
    assert_eq!(tell(&mut replica, PEER, rejected), []);
}

#[test]
fn an_acknowledgement_of_what_does_not_exist() {
    let answer = Answer::Accepted { index: 1 << 40 };
    let message = says(PEER, 2, Body::AppendAnswer { answer, commit: 2 });
    let mut core = alone();
    elect(&mut core);
    core.step(message.clone());
    assert_eq!(core.acknowledged(PEER), 1 << 40, "it would count for entries not yet made");
    assert_dropped(lead(), PEER, message, Refusal::Index);
}

#[test]
fn votes_that_nobody_asked_for_yet() {
    let grant = |ballot| says(PEER, 2, Body::VoteAnswer { ballot, granted: true });
    let append = |term| {
        let previous = Position { index: 3, term: 1 };
        says(PEER, term, Body::Append { previous, commit: 2, entries: vec![batch(4, 1, 2, 5)] })
    };
    // Entry 4 is still being written when this node stands for election and is "granted" it.
    let mut core = alone();
    core.step(append(1));
    core.ready(0);
    while core.standing().role != Role::PreCandidate {
        core.tick();
    }
    core.ready(0);
    core.step(grant(Ballot::Pre));
    core.ready(0);
    core.step(grant(Ballot::Real));
    assert!(core.fault().is_some(), "raft-rs asserts that a winner's log is persisted");
    let mut replica = replica();
    replica.handle(NOW, Input::Message { from: PEER, bytes: append(1).encode() });
    while replica.status().standing.role != Role::PreCandidate {
        replica.handle(NOW, Input::Tick);
    }
    for ballot in [Ballot::Pre, Ballot::Real] {
        replica.handle(NOW, Input::Message { from: PEER, bytes: grant(ballot).encode() });
    }
    assert_eq!(replica.status().standing.role, Role::PreCandidate);
    assert!(!settle(&mut replica).iter().any(|effect| matches!(effect, Effect::Halt { .. })));
}
