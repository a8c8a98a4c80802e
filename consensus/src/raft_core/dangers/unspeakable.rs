//! What raft-rs obeys and our wire has no bytes for:
//! `wire::tests::what_no_member_may_say_has_no_bytes`.

use super::*;

#[test]
fn a_snapshot_that_brings_its_own_voters() {
    let mut message = raw(MessageType::MsgSnapshot, 999, 2);
    let conf_state = ConfState { voters: vec![1, 999], ..ConfState::default() };
    let metadata = SnapshotMetadata { conf_state: Some(conf_state), index: 500, term: 2 };
    message.snapshot = Some(Snapshot { metadata: Some(metadata), data: vec![] });
    let mut core = alone();
    step_raw(&mut core, message);
    assert!(core.node.raft.prs().get(999).is_some() && core.node.raft.prs().get(2).is_none());
    // Ours cannot be written down: `wire::tests::what_no_member_may_say_has_no_bytes`.
}

#[test]
fn what_raft_obeys_and_the_wire_cannot_say() {
    // A proposal without entries: panic.
    let mut core = alone();
    elect(&mut core);
    step_raw(&mut core, raw(MessageType::MsgPropose, 2, 0));
    assert!(panicked(&core).contains("empty MsgProp"));
    // A vote request that carries a commit index: obeyed, whoever sends it.
    let mut core = alone();
    let mut hinted = raw(MessageType::MsgRequestVote, 2, 2);
    (hinted.commit, hinted.commit_term) = (3, 1);
    step_raw(&mut core, hinted);
    assert_eq!(core.commit(), 3);
    // The context of a leadership transfer: breaks the lease of a live leader.
    let mut core = alone();
    core.step(says(PEER, 1, Body::Heartbeat { commit: 0 }));
    let mut forced = raw(MessageType::MsgRequestVote, 3, 2);
    (forced.index, forced.log_term) = (3, 1);
    step_raw(&mut core, forced.clone());
    assert_eq!(core.standing().term, 1, "the lease holds");
    forced.context = b"CampaignTransfer".to_vec();
    step_raw(&mut core, forced);
    assert_eq!(core.standing().term, 2);
    // A time-out: campaigns at once, without pre-vote.
    let mut core = alone();
    step_raw(&mut core, raw(MessageType::MsgTimeoutNow, 2, 1));
    assert_eq!(core.standing().role, Role::Candidate);
}

#[test]
fn a_read_that_repeats_a_context_is_confirmed_by_old_answers() {
    // The stale read, shortened: the leader answers read B because a late answer to the *first* A
    // confirms the second A, and with it everything queued before.
    let mut core = alone();
    elect(&mut core);
    let append =
        says(PEER, 2, Body::AppendAnswer { answer: Answer::Accepted { index: 4 }, commit: 4 });
    core.step(append);
    drain(&mut core);
    for context in [b"B", b"A"] {
        let mut read = raw(MessageType::MsgReadIndex, 1, 0);
        read.entries = vec![Entry { data: context.to_vec(), ..Entry::default() }];
        step_raw(&mut core, read);
    }
    let mut late = raw(MessageType::MsgHeartbeatResponse, 2, 2);
    late.context = b"A".to_vec();
    step_raw(&mut core, late);
    assert_eq!(core.node.raft.read_states.len(), 2, "B was served by an answer that never saw B");
    // Ours asks raft-rs for no reads, and its heartbeats carry no context.
    let message = says(PEER, 2, Body::HeartbeatAnswer { commit: 0 });
    assert!(convert::to_raft(message).context.is_empty());
}
