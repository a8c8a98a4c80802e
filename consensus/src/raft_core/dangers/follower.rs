//! Leaders, true and false, that lie to a follower.

use super::*;

#[test]
fn a_heartbeat_that_commits_beyond_the_log() {
    let message = says(PEER, 1, Body::Heartbeat { commit: 1 << 40 });
    let mut core = alone();
    core.step(message.clone());
    assert!(panicked(&core).contains("out of range"));
    let accusation = accused(replica(), PEER, message);
    assert_eq!(accusation, Accusation::CommitBeyondLog { term: 1, commit: 1 << 40, last_index: 3 });
}

#[test]
fn a_heartbeat_that_commits_what_the_leader_never_sent() {
    let message = says(PEER, 2, Body::Heartbeat { commit: 3 });
    let mut core = alone();
    core.step(message.clone());
    assert_eq!(core.commit(), 3, "entry 3 may differ from the leader's: raft-rs commits it");
    let mut replica = replica();
    tell(&mut replica, PEER, message.clone());
    assert_eq!(replica.status().commit, 2);
    // Once an append has shown that both logs agree, the same heartbeat is true.
    let previous = Position { index: 3, term: 1 };
    let append = Body::Append { previous, commit: 2, entries: vec![noop(4, 2)] };
    tell(&mut replica, PEER, says(PEER, 2, append));
    tell(&mut replica, PEER, message);
    assert_eq!(replica.status().commit, 3);
}

#[test]
fn a_stranger_that_leads() {
    let stranger = NodeId(999);
    let message = says(stranger, 2, Body::Heartbeat { commit: 0 });
    let mut core = alone();
    core.step(message.clone());
    assert_eq!(core.standing().leader, Some(stranger));
    assert_dropped(replica(), stranger, message.clone(), Refusal::NotAMember);
    assert_dropped(replica(), PEER, message, Refusal::Sender);
}

#[test]
fn a_term_from_which_there_is_no_return() {
    let message = says(PEER, u64::MAX, Body::Heartbeat { commit: 0 });
    let mut core = alone();
    core.step(message.clone());
    let persisted = drain(&mut core).iter().find_map(|turn| turn.hard_state).unwrap();
    assert_eq!(persisted.term, u64::MAX, "it would survive a restart");
    for _ in 0..40 {
        core.tick();
    }
    assert!(panicked(&core).contains("overflow"));
    assert_dropped(replica(), PEER, message, Refusal::Epoch);
}

#[test]
fn an_append_that_contradicts_what_is_committed() {
    let previous = Position { index: 2, term: 1 };
    let append = |entries| says(PEER, 3, Body::Append { previous, commit: 2, entries });
    // Out of place: raft-rs does not check that entries follow `previous`.
    let message = append(vec![noop(1, 3)]);
    let mut core = alone();
    core.step(message.clone());
    assert!(panicked(&core).contains("conflict with committed entry"));
    assert_dropped(replica(), PEER, message, Refusal::Gap);
    // In place: raft-rs alone answers politely and keeps no proof.
    let previous = Position { index: 1, term: 1 };
    let entries = vec![noop(2, 3)];
    let message = says(PEER, 3, Body::Append { previous, commit: 2, entries });
    let (ours, theirs) = (log().remove(1), noop(2, 3));
    let accusation = accused(replica(), PEER, message);
    assert_eq!(accusation, Accusation::ContradictsCommitted { ours, theirs });
}

#[test]
fn two_entries_for_one_place_and_term() {
    let previous = Position { index: 2, term: 1 };
    let other = batch(3, 1, 2, 7);
    let message = says(PEER, 1, Body::Append { previous, commit: 2, entries: vec![other.clone()] });
    let mut core = alone();
    core.step(message.clone());
    assert_eq!(core.entry_at(3), Some(log().remove(2)), "raft-rs takes them for the same entry");
    let accusation = accused(replica(), PEER, message);
    assert_eq!(accusation, Accusation::TwoEntries { ours: log().remove(2), theirs: other });
}

#[test]
fn a_second_leader_in_one_term() {
    let mut replica = replica();
    tell(&mut replica, PEER, says(PEER, 2, Body::Heartbeat { commit: 0 }));
    let other = NodeId(3);
    let message = says(other, 2, Body::Heartbeat { commit: 0 });
    let mut core = alone();
    core.step(says(PEER, 2, Body::Heartbeat { commit: 0 }));
    core.step(message.clone());
    assert_eq!(core.standing().leader, Some(other), "raft-rs follows whoever spoke last");
    assert_eq!(accused(replica, other, message), Accusation::SecondLeader { term: 2, known: PEER });
}

#[test]
fn a_leader_with_a_false_batch_is_unheard_for_its_term() {
    let previous = Position { index: 3, term: 1 };
    let entries = vec![noop(4, 2), batch(5, 2, 3, 1)];
    let message = says(PEER, 2, Body::Append { previous, commit: 2, entries });
    let mut core = alone();
    core.step(message.clone());
    assert_eq!(core.node.raft.raft_log.last_index(), 5, "raft-rs persists and acknowledges it");
    let mut replica = replica();
    let effects = tell(&mut replica, PEER, message);
    assert!(matches!(&effects[..], [Effect::Evidence { .. }]), "{effects:?}");
    assert_eq!(tell(&mut replica, PEER, says(PEER, 2, Body::Heartbeat { commit: 0 })), []);
    assert_eq!(replica.status().last_index, 3);
    tell(&mut replica, PEER, says(PEER, 3, Body::Heartbeat { commit: 0 }));
    assert_eq!(replica.status().standing.leader, Some(PEER), "in another term it is heard again");
}

#[test]
fn a_false_batch_behind_a_conflict() {
    // Ours at 4 is of term 2 and gives way; what follows it looks familiar by index and term, but
    // is not.
    let mut replica = replica();
    let previous = Position { index: 3, term: 1 };
    let append = |term, entries| says(PEER, term, Body::Append { previous, commit: 2, entries });
    tell(&mut replica, PEER, append(4, vec![noop(4, 2), noop(5, 4)]));
    assert_eq!(replica.status().last_index, 5);
    let forged = LogEntry { data: vec![1, 2, 3], ..noop(5, 4) };
    let message = append(5, vec![noop(4, 3), forged.clone()]);
    match accused(replica, PEER, message) {
        Accusation::Entry { entry, .. } => assert_eq!(entry, forged),
        other => panic!("{other:?}"),
    }
}
