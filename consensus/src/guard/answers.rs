//! Votes, and followers' answers to a leader.

use super::{Facts, INDEX_MAX, LogFacts, Refusal, Ruling};
use crate::{Answer, Ballot, Body, PeerMessage, Position, Role, Standing};

/// Entries looked at for one rejection. A follower's log parts from ours in its uncommitted tail, which
/// is shorter; if not, it rejects the next probe too, and the search goes on from there.
const SEARCH_MAX: u64 = 64;

/// G8: a follower acknowledges only what we have, and never takes back what it acknowledged.
pub(super) fn rule_answer(message: PeerMessage, facts: &Facts, log: &impl LogFacts) -> Ruling {
    let (answer, commit) = match message.body {
        Body::AppendAnswer { answer, commit } => (Some(answer), commit),
        Body::HeartbeatAnswer { commit } => (None, commit),
        _ => unreachable!("only a follower's answers come here"),
    };
    let mine = facts.standing.role == Role::Leader && message.term == facts.standing.term;
    if !mine {
        // Of another term it only carries that term; raft-rs reads nothing else.
        return Ruling::Step(message);
    }
    let last = facts.last.index;
    if commit > last {
        return Ruling::Drop(Refusal::Commit);
    }
    match answer {
        None => Ruling::Step(message),
        Some(Answer::Accepted { index }) if index > last => Ruling::Drop(Refusal::Index),
        Some(Answer::Accepted { .. }) => Ruling::Step(message),
        Some(Answer::Rejected { index, hint }) => {
            if index > last || hint.index > index || hint.term > message.term {
                return Ruling::Drop(Refusal::Index);
            }
            // raft-rs #557, not in 0.7.0: a late rejection would set `next_idx` at or below
            // `matched`.
            if index <= facts.acknowledged {
                return Ruling::Ignore;
            }
            let hint = Position { index: probe(hint, facts.acknowledged, log), term: 0 };
            let answer = Answer::Rejected { index, hint };
            Ruling::Step(PeerMessage { body: Body::AppendAnswer { answer, commit }, ..message })
        }
    }
}

/// Where a follower that rejected, with `hint` its last entry that may match, is probed next: the last
/// index at or below the hint whose term here is not above the hint's, but never below what it has
/// acknowledged. raft-rs would do the same search itself without a bound, one read per entry of the whole
/// log; a hint of term 0 asks it for none.
fn probe(hint: Position, acknowledged: u64, log: &impl LogFacts) -> u64 {
    let floor = acknowledged.max(hint.index.saturating_sub(SEARCH_MAX));
    let above = |index: &u64| log.term_at(*index).is_some_and(|term| term > hint.term);
    let matches = |index: &u64| !above(index);
    (floor + 1..=hint.index).rev().find(matches).unwrap_or(floor)
}

pub(super) fn check_vote_request(message: &PeerMessage, last: Position) -> Result<(), Refusal> {
    if last.index > INDEX_MAX {
        return Err(Refusal::Index);
    }
    // It asks for a term in which it has not led yet: its last entry is of an earlier one.
    let earlier = last.term < message.term && (last.index == 0) == (last.term == 0);
    if earlier { Ok(()) } else { Err(Refusal::EntryTerm) }
}

pub(super) fn rule_vote_answer(message: PeerMessage, facts: &Facts) -> Ruling {
    let Body::VoteAnswer { ballot, granted } = message.body else {
        unreachable!("only answers to vote requests come here");
    };
    let Standing { term, role, .. } = facts.standing;
    if ballot == Ballot::Pre && granted && (role != Role::PreCandidate || message.term != term + 1)
    {
        // Late, for an earlier campaign: raft-rs would count it for this one.
        return Ruling::Ignore;
    }
    if ballot == Ballot::Real && granted && message.term > term {
        return Ruling::Drop(Refusal::Term); // nobody was asked in that term
    }
    // Our question leaves only when everything before it is persisted, so an answer that comes
    // earlier answers an older question or none. raft-rs asserts that a winner's log is persisted.
    if granted && facts.unpersisted { Ruling::Ignore } else { Ruling::Step(message) }
}
