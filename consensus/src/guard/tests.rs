//! Rule by rule, hostile input 18 among what is refused.
#![allow(clippy::unwrap_used)]

use musubi_ledger::limits;

use super::*;
use crate::{Answer, Ballot, Role, config::ENTRIES_PER_APPEND_MAX};

const ME: NodeId = NodeId(1);
const PEER: NodeId = NodeId(2);
const TERM: u64 = 5;

struct Log(Vec<LogEntry>);

impl LogFacts for Log {
    fn term_at(&self, index: u64) -> Option<u64> {
        if index == 0 { Some(0) } else { self.entry_at(index).map(|entry| entry.term) }
    }

    fn entry_at(&self, index: u64) -> Option<LogEntry> {
        self.0.iter().find(|entry| entry.index == index).cloned()
    }
}

fn entry(index: u64, term: u64) -> LogEntry {
    LogEntry { index, term, data: vec![index as u8, term as u8] }
}

/// Entries 1 to 4 of terms 1, 2, 4, 4; the first two committed.
fn log() -> Log {
    Log(vec![entry(1, 1), entry(2, 2), entry(3, 4), entry(4, 4)])
}

fn facts(role: Role) -> Facts {
    let leader = (role == Role::Leader).then_some(ME);
    Facts {
        standing: Standing { term: TERM, leader, role },
        commit: 2,
        last: Position { index: 4, term: 4 },
        acknowledged: 2,
        unpersisted: false,
    }
}

fn guard() -> Guard {
    Guard::new(ME, [ME, PEER, NodeId(3)])
}

fn says(term: u64, body: Body) -> PeerMessage {
    PeerMessage { from: PEER, to: ME, life: 0, term, body }
}

fn rule(role: Role, message: PeerMessage) -> Ruling {
    guard().rule(PEER, message, &facts(role), &log())
}

fn append(previous: (u64, u64), commit: u64, entries: Vec<LogEntry>) -> PeerMessage {
    let previous = Position { index: previous.0, term: previous.1 };
    says(TERM, Body::Append { previous, commit, entries })
}

fn refusal(ruling: Ruling) -> Refusal {
    match ruling {
        Ruling::Drop(refusal) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn g1_both_ends_are_members_and_who_they_claim_to_be() {
    let heartbeat = says(TERM, Body::Heartbeat { commit: 0 });
    let facts = facts(Role::Follower);
    let ruled = |peer, message| guard().rule(peer, message, &facts, &log());
    assert_eq!(refusal(ruled(NodeId(3), heartbeat.clone())), Refusal::Sender);
    let stranger = PeerMessage { from: NodeId(9), ..heartbeat.clone() };
    assert_eq!(refusal(ruled(NodeId(9), stranger)), Refusal::NotAMember);
    let myself = PeerMessage { from: ME, ..heartbeat.clone() };
    assert_eq!(refusal(ruled(ME, myself)), Refusal::NotAMember);
    let other = PeerMessage { to: NodeId(3), ..heartbeat.clone() };
    assert_eq!(refusal(ruled(PEER, other)), Refusal::Receiver);
    assert_eq!(ruled(PEER, heartbeat.clone()), Ruling::Step(heartbeat));
}

#[test]
fn g3_a_term_moves_ours_one_step_and_an_absurd_one_not_at_all() {
    let body = || Body::Heartbeat { commit: 3 };
    for (term, why) in
        [(0, Refusal::Term), (TERM_MAX + 1, Refusal::Epoch), (u64::MAX, Refusal::Epoch)]
    {
        assert_eq!(refusal(rule(Role::Follower, says(term, body()))), why);
    }
    let near = TERM + TERM_STEP_MAX;
    let harmless = says(near, Body::Heartbeat { commit: 0 });
    assert_eq!(rule(Role::Follower, says(near, body())), Ruling::Step(harmless));
    let request = |ballot, term, last| says(term, Body::VoteRequest { ballot, last });
    let answer = |granted| Body::VoteAnswer { ballot: Ballot::Pre, granted };
    let nothing = || says(near, Body::HeartbeatAnswer { commit: 0 });
    let (last, none) = (Position { index: 9, term: 4 }, Position::default());
    for term in [near + 1, TERM_MAX] {
        let previous = Position { index: 1 << 40, term };
        let append = Body::Append { previous, commit: 1 << 40, entries: vec![] };
        for role in [Role::Follower, Role::Leader] {
            for far in [body(), append.clone(), answer(false)] {
                assert_eq!(rule(role, says(term, far)), Ruling::Step(nothing()));
            }
            let asked = rule(role, request(Ballot::Real, term, last));
            assert_eq!(asked, Ruling::Step(request(Ballot::Real, near, none)));
        }
        let pre = request(Ballot::Pre, term, last);
        assert_eq!(rule(Role::Follower, pre.clone()), Ruling::Step(pre));
        assert_eq!(rule(Role::PreCandidate, says(term, answer(true))), Ruling::Ignore);
    }
}

/// The last term of the first epoch.
const TERM_MAX: u64 = musubi_ledger::epoch::last_term(1);

#[test]
fn members_of_two_epochs_do_not_hear_each_other() {
    let second = first_term(2) + 5;
    let facts = Facts {
        standing: Standing { term: second, ..facts(Role::Follower).standing },
        ..facts(Role::Follower)
    };
    let rule = |message| guard().in_epoch(2).rule(PEER, message, &facts, &log());
    let heartbeat = |term| says(term, Body::Heartbeat { commit: 0 });
    assert_eq!(refusal(rule(heartbeat(TERM))), Refusal::Epoch);
    assert_eq!(refusal(rule(heartbeat(first_term(3)))), Refusal::Epoch);
    assert_eq!(rule(heartbeat(second)), Ruling::Step(heartbeat(second)));
    // A vote only for a log that has the recovery.
    let asks = |last| says(second + 1, Body::VoteRequest { ballot: Ballot::Pre, last });
    for last in [Position::default(), Position { index: 900, term: TERM }] {
        assert_eq!(refusal(rule(asks(last))), Refusal::Epoch);
    }
    let last = Position { index: 10, term: first_term(2) };
    assert_eq!(rule(asks(last)), Ruling::Step(asks(last)));
}

#[test]
fn g4_the_form_of_an_append() {
    let long = LogEntry { data: vec![0; limits::BATCH_BYTES_MAX + 1], ..entry(5, 5) };
    let many = (5..).map(|index| entry(index, 5)).take(ENTRIES_PER_APPEND_MAX + 1).collect();
    let cases = [
        (append((4, 4), 2, vec![entry(6, 5)]), Refusal::Gap),
        (append((4, 4), 2, vec![entry(5, 5), entry(5, 5)]), Refusal::Gap),
        (append((4, 4), 2, vec![entry(5, 3)]), Refusal::EntryTerm),
        (append((4, 4), 2, vec![entry(5, 6)]), Refusal::EntryTerm),
        (append((0, 3), 2, vec![]), Refusal::EntryTerm),
        (append((4, 6), 2, vec![]), Refusal::EntryTerm),
        (append((u64::MAX, 4), 2, vec![entry(5, 5)]), Refusal::Index),
        (append((4, 4), u64::MAX, vec![]), Refusal::Index),
        (append((4, 4), 2, vec![long]), Refusal::TooLong),
        (append((4, 4), 2, many), Refusal::TooManyEntries),
    ];
    for (message, why) in cases {
        assert_eq!(refusal(rule(Role::Follower, message)), why);
    }
}

#[test]
fn g4_an_appends_commit_is_lowered_to_what_it_brings() {
    let ruling = rule(Role::Follower, append((4, 4), 900, vec![entry(5, 5)]));
    assert_eq!(ruling, Ruling::Step(append((4, 4), 5, vec![entry(5, 5)])));
}

#[test]
fn g4_a_heartbeats_commit_is_lowered_to_what_was_agreed() {
    let heartbeat = |commit| says(TERM, Body::Heartbeat { commit });
    let (mut guard, facts, log) = (guard(), facts(Role::Follower), log());
    assert_eq!(guard.rule(PEER, heartbeat(4), &facts, &log), Ruling::Step(heartbeat(0)));
    guard.rule(PEER, append((3, 4), 2, vec![]), &facts, &log);
    assert_eq!(guard.rule(PEER, heartbeat(4), &facts, &log), Ruling::Step(heartbeat(0)), "taken?");
    guard.agreed(3, TERM);
    assert_eq!(guard.rule(PEER, heartbeat(4), &facts, &log), Ruling::Step(heartbeat(3)));
    let beyond = guard.rule(PEER, heartbeat(5), &facts, &log);
    let accusation = Accusation::CommitBeyondLog { term: TERM, commit: 5, last_index: 4 };
    assert_eq!(beyond, Ruling::Accuse(Box::new(accusation)));
}

#[test]
fn g4_after_a_restart_an_entry_of_the_leaders_own_term_vouches_for_itself() {
    let mut log = log();
    log.0[3].term = TERM;
    let heartbeat = says(TERM, Body::Heartbeat { commit: 4 });
    let ruling = guard().rule(PEER, heartbeat.clone(), &facts(Role::Follower), &log);
    assert_eq!(ruling, Ruling::Step(heartbeat));
}

#[test]
fn g5_contradictions_are_evidence() {
    let accusation = |message| match rule(Role::Follower, message) {
        Ruling::Accuse(accusation) => *accusation,
        other => panic!("expected an accusation, got {other:?}"),
    };
    let (ours, theirs) = (entry(2, 2), entry(2, 4));
    assert_eq!(
        accusation(append((1, 1), 2, vec![theirs.clone()])),
        Accusation::ContradictsCommitted { ours, theirs }
    );
    let (ours, theirs) = (entry(4, 4), LogEntry { data: vec![0], ..entry(4, 4) });
    assert_eq!(
        accusation(append((3, 4), 2, vec![theirs.clone()])),
        Accusation::TwoEntries { ours, theirs }
    );
    let (ours, theirs) = (Some(Position { index: 2, term: 2 }), Position { index: 2, term: 1 });
    assert_eq!(
        accusation(append((2, 1), 2, vec![])),
        Accusation::PreviousContradictsCommitted { ours, theirs }
    );
    // An uncommitted tail gives way without anybody's fault.
    let honest = append((2, 2), 2, vec![entry(3, 5), entry(4, 5)]);
    assert_eq!(rule(Role::Follower, honest.clone()), Ruling::Step(honest));
}

#[test]
fn g6_a_caught_leader_is_unheard_for_its_term_only() {
    let mut guard = guard();
    guard.distrust(PEER, TERM, None);
    // Whoever else is caught, and however long ticks go on.
    guard.distrust(NodeId(3), TERM, Some(2));
    (0..99).for_each(|_| guard.tick());
    let heartbeat = says(TERM, Body::Heartbeat { commit: 0 });
    let facts = facts(Role::Follower);
    assert_eq!(guard.rule(PEER, heartbeat.clone(), &facts, &log()), Ruling::Ignore);
    assert!(!guard.distrusts(NodeId(3), TERM), "that one lapsed");
    let next = says(TERM + 1, Body::Heartbeat { commit: 0 });
    assert_eq!(guard.rule(PEER, next.clone(), &facts, &log()), Ruling::Step(next));
}

#[test]
fn g8_answers_speak_of_our_log() {
    let answer = |answer, commit| says(TERM, Body::AppendAnswer { answer, commit });
    let rejected =
        |index, hint, term| Answer::Rejected { index, hint: Position { index: hint, term } };
    let cases = [
        (answer(Answer::Accepted { index: 5 }, 2), Refusal::Index),
        (answer(rejected(5, 4, 4), 2), Refusal::Index),
        (answer(rejected(4, 5, 4), 2), Refusal::Index),
        (answer(rejected(4, 3, 6), 2), Refusal::Index),
        (answer(Answer::Accepted { index: 4 }, 5), Refusal::Commit),
        (says(TERM, Body::HeartbeatAnswer { commit: 5 }), Refusal::Commit),
    ];
    for (message, why) in cases {
        assert_eq!(refusal(rule(Role::Leader, message)), why);
    }
    let late = answer(rejected(2, 1, 1), 2);
    assert_eq!(rule(Role::Leader, late), Ruling::Ignore, "raft-rs #557");
    // Probed at the last place that may match, which raft-rs need not look for any more.
    for (hint, term, probe) in [(3, 5, 3), (3, 4, 3), (3, 3, 2), (2, 1, 2), (1, 1, 2)] {
        let ruled = rule(Role::Leader, answer(rejected(4, hint, term), 2));
        assert_eq!(ruled, Ruling::Step(answer(rejected(4, probe, 0), 2)), "{hint} {term}");
    }
}

#[test]
fn g8_the_search_for_where_logs_part_is_bounded() {
    let log = Log((1..=500).map(|index| entry(index, if index < 300 { 2 } else { 4 })).collect());
    let facts =
        Facts { last: Position { index: 500, term: 4 }, acknowledged: 0, ..facts(Role::Leader) };
    let probe = |index, hint| {
        let hint = Position { index: hint, term: 3 };
        let answer = Answer::Rejected { index, hint };
        match guard().rule(PEER, says(TERM, Body::AppendAnswer { answer, commit: 0 }), &facts, &log)
        {
            Ruling::Step(PeerMessage {
                body: Body::AppendAnswer { answer: Answer::Rejected { hint, .. }, .. },
                ..
            }) => hint.index,
            other => panic!("{other:?}"),
        }
    };
    let rejections = [(500, 500), (436, 436), (372, 372), (308, 308)];
    let probes = rejections.map(|(index, hint)| probe(index, hint));
    assert_eq!(probes, [436, 372, 308, 299], "as many rejections as windows, then the place");
}

#[test]
fn g4_a_previous_entry_older_than_what_is_committed_is_a_lie() {
    let lie = append((4, 1), 2, vec![]);
    assert_eq!(refusal(rule(Role::Follower, lie)), Refusal::EntryTerm);
    // An uncommitted tail may part.
    let honest = append((4, 3), 2, vec![]);
    assert_eq!(rule(Role::Follower, honest.clone()), Ruling::Step(honest));
}

#[test]
fn votes_are_for_later_terms_and_for_this_campaign() {
    let request = |term, index, last_term| {
        let last = Position { index, term: last_term };
        says(term, Body::VoteRequest { ballot: Ballot::Real, last })
    };
    for bad in [request(6, 9, 6), request(6, 0, 2), request(6, 3, 0)] {
        assert_eq!(refusal(rule(Role::Follower, bad)), Refusal::EntryTerm);
    }
    let overflow = request(6, u64::MAX, 5);
    assert_eq!(refusal(rule(Role::Follower, overflow)), Refusal::Index);
    let granted = |ballot, term| says(term, Body::VoteAnswer { ballot, granted: true });
    let pre = granted(Ballot::Pre, TERM + 1);
    assert_eq!(rule(Role::PreCandidate, pre.clone()), Ruling::Step(pre.clone()));
    assert_eq!(rule(Role::Candidate, pre.clone()), Ruling::Ignore);
    assert_eq!(rule(Role::PreCandidate, granted(Ballot::Pre, TERM + 2)), Ruling::Ignore);
    let future = granted(Ballot::Real, TERM + 1);
    assert_eq!(refusal(rule(Role::Candidate, future)), Refusal::Term);
    let writing = Facts { unpersisted: true, ..facts(Role::PreCandidate) };
    assert_eq!(guard().rule(PEER, pre, &writing, &log()), Ruling::Ignore);
}

#[test]
fn a_deposed_leader_only_learns_our_term() {
    let old = says(TERM - 1, Body::Heartbeat { commit: 1 << 40 });
    let harmless = says(TERM - 1, Body::Heartbeat { commit: 0 });
    assert_eq!(rule(Role::Follower, old), Ruling::Step(harmless));
}
