//! Between our messages and entries and raft-rs's. Everything a peer could set besides what `wire`
//! can say stays at its default, which raft-rs reads as absent.

use musubi_ledger::batch::NodeId;
use raft::eraftpb::{self, Entry, EntryType, Message, MessageType};

use crate::{Answer, Ballot, Body, HardState, LogEntry, PeerMessage, Position};

pub(super) fn to_raft(message: PeerMessage) -> Message {
    let mut raft = Message {
        from: message.from.0,
        to: message.to.0,
        term: message.term,
        ..Message::default()
    };
    let kind = match message.body {
        Body::Append { previous, commit, entries } => {
            (raft.index, raft.log_term, raft.commit) = (previous.index, previous.term, commit);
            raft.entries = entries.into_iter().map(to_entry).collect();
            MessageType::MsgAppend
        }
        Body::AppendAnswer { answer, commit } => {
            raft.commit = commit;
            match answer {
                Answer::Accepted { index } => raft.index = index,
                Answer::Rejected { index, hint } => {
                    (raft.index, raft.reject) = (index, true);
                    (raft.reject_hint, raft.log_term) = (hint.index, hint.term);
                }
            }
            MessageType::MsgAppendResponse
        }
        Body::Heartbeat { commit } => {
            raft.commit = commit;
            MessageType::MsgHeartbeat
        }
        Body::HeartbeatAnswer { commit } => {
            raft.commit = commit;
            MessageType::MsgHeartbeatResponse
        }
        Body::VoteRequest { ballot, last } => {
            (raft.index, raft.log_term) = (last.index, last.term);
            match ballot {
                Ballot::Pre => MessageType::MsgRequestPreVote,
                Ballot::Real => MessageType::MsgRequestVote,
            }
        }
        Body::VoteAnswer { ballot, granted } => {
            raft.reject = !granted;
            match ballot {
                Ballot::Pre => MessageType::MsgRequestPreVoteResponse,
                Ballot::Real => MessageType::MsgRequestVoteResponse,
            }
        }
        Body::Pledges(_) => unreachable!("the guard lets no pledges pass to raft"),
    };
    raft.set_msg_type(kind);
    raft
}

/// Our form of what raft-rs sends.
///
/// # Panics
/// On a kind that this configuration of raft-rs never sends: no peer can make it.
pub(super) fn from_raft(raft: Message) -> PeerMessage {
    let kind = raft.get_msg_type();
    let body = match kind {
        MessageType::MsgAppend => Body::Append {
            previous: Position { index: raft.index, term: raft.log_term },
            commit: raft.commit,
            entries: raft.entries.into_iter().map(from_entry).collect(),
        },
        MessageType::MsgAppendResponse => Body::AppendAnswer {
            answer: if raft.reject {
                let hint = Position { index: raft.reject_hint, term: raft.log_term };
                Answer::Rejected { index: raft.index, hint }
            } else {
                Answer::Accepted { index: raft.index }
            },
            commit: raft.commit,
        },
        MessageType::MsgHeartbeat => Body::Heartbeat { commit: raft.commit },
        MessageType::MsgHeartbeatResponse => Body::HeartbeatAnswer { commit: raft.commit },
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => Body::VoteRequest {
            ballot: ballot_of(kind),
            last: Position { index: raft.index, term: raft.log_term },
        },
        MessageType::MsgRequestVoteResponse | MessageType::MsgRequestPreVoteResponse => {
            Body::VoteAnswer { ballot: ballot_of(kind), granted: !raft.reject }
        }
        other => {
            panic!("raft sends no {other:?} here: nothing asks for reads, transfer or snapshots")
        }
    };
    // Whose life it is, the replica says when it sends.
    PeerMessage { from: NodeId(raft.from), to: NodeId(raft.to), life: 0, term: raft.term, body }
}

fn ballot_of(kind: MessageType) -> Ballot {
    match kind {
        MessageType::MsgRequestVote | MessageType::MsgRequestVoteResponse => Ballot::Real,
        _ => Ballot::Pre,
    }
}

pub(super) fn to_entry(entry: LogEntry) -> Entry {
    Entry { index: entry.index, term: entry.term, data: entry.data, ..Entry::default() }
}

pub(super) fn from_entry(entry: Entry) -> LogEntry {
    assert!(
        entry.get_entry_type() == EntryType::EntryNormal && entry.context.is_empty(),
        "only plain entries exist: membership is fixed at genesis"
    );
    LogEntry { index: entry.index, term: entry.term, data: entry.data }
}

pub(super) fn to_hard_state(state: &HardState) -> eraftpb::HardState {
    eraftpb::HardState {
        term: state.term,
        vote: state.vote.map_or(raft::INVALID_ID, |node| node.0),
        commit: state.commit,
    }
}

pub(super) fn from_hard_state(state: &eraftpb::HardState) -> HardState {
    let vote = (state.vote != raft::INVALID_ID).then_some(NodeId(state.vote));
    HardState { term: state.term, vote, commit: state.commit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_survives_the_way_there_and_back() {
        let hint = Position { index: 4, term: 2 };
        let entries = vec![LogEntry { index: 5, term: 3, data: vec![9] }];
        let bodies = [
            Body::Append { previous: hint, commit: 3, entries },
            Body::AppendAnswer { answer: Answer::Accepted { index: 7 }, commit: 6 },
            Body::AppendAnswer { answer: Answer::Rejected { index: 8, hint }, commit: 6 },
            Body::Heartbeat { commit: 2 },
            Body::HeartbeatAnswer { commit: 2 },
            Body::VoteRequest { ballot: Ballot::Pre, last: hint },
            Body::VoteRequest { ballot: Ballot::Real, last: hint },
            Body::VoteAnswer { ballot: Ballot::Pre, granted: false },
            Body::VoteAnswer { ballot: Ballot::Real, granted: true },
        ];
        for body in bodies {
            let message = PeerMessage { from: NodeId(1), to: NodeId(2), life: 0, term: 3, body };
            assert_eq!(from_raft(to_raft(message.clone())), message);
        }
    }
}
