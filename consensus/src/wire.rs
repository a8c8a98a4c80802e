//! The messages between members, in the ledger's own canonical bytes. rust-protobuf never sees a
//! peer's bytes, and what raft-rs must not be told by a peer cannot be written down here:
//! proposals, read indexes, leadership transfer, time-outs, snapshots, membership changes, and the
//! contexts and commit hints that ride on votes. New variants are appended.

use musubi_ledger::{
    batch::NodeId,
    codec::{self, CodecError},
    limits,
};
use serde::{Deserialize, Serialize};

use crate::{Class, LogEntry, Position, pledge::Pledges};

/// One message from a member to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerMessage {
    /// Sender; must equal the authenticated peer.
    pub from: NodeId,
    /// Receiver.
    pub to: NodeId,
    /// The run of the sender's process in which it was made ([`crate::Identity::life`]).
    pub life: u64,
    /// The sender's term; in a pre-vote, the term it would campaign for.
    pub term: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Leader: entries that follow `previous`, and the leader's commit index.
    Append {
        /// The entry before the first.
        previous: Position,
        /// The leader's commit index.
        commit: u64,
        /// Contiguous entries from `previous.index + 1`.
        entries: Vec<LogEntry>,
    },
    /// Follower: what became of an append.
    AppendAnswer {
        /// Taken or not.
        answer: Answer,
        /// The follower's commit index.
        commit: u64,
    },
    /// Leader: I am here, and you may commit up to this.
    Heartbeat {
        /// At most what this follower has acknowledged.
        commit: u64,
    },
    /// Follower: heard.
    HeartbeatAnswer {
        /// The follower's commit index.
        commit: u64,
    },
    /// Candidate: my log ends here; may I lead?
    VoteRequest {
        /// A pre-vote or a vote.
        ballot: Ballot,
        /// The last entry of the candidate's log.
        last: Position,
    },
    /// Voter: yes or no.
    VoteAnswer {
        /// Which question it answers.
        ballot: Ballot,
        /// Yes or no.
        granted: bool,
    },
    /// Anybody: what I have promised, and what I remember of you and the others. Its term is 0.
    Pledges(Box<Pledges>),
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The follower's log, persisted, equals the leader's up to here.
    Accepted {
        /// Last index that equals.
        index: u64,
    },
    /// `previous` is not in the follower's log.
    Rejected {
        /// The index that was refused.
        index: u64,
        /// The last entry that may match.
        hint: Position,
    },
}

/// The two rounds of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ballot {
    /// Would you vote for me? Binds nobody.
    Pre,
    /// Vote for me.
    Real,
}

impl PeerMessage {
    /// Canonical bytes behind the version byte.
    ///
    /// # Panics
    /// If they exceed one message: the limits in `Config` are related so that they cannot.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes = codec::encode_versioned(self);
        assert!(
            bytes.len() <= limits::MESSAGE_BYTES_MAX,
            "a message of {} bytes exceeds one frame: append limits contradict each other",
            bytes.len()
        );
        bytes
    }

    /// Reads one message; no rule beyond its form is checked.
    ///
    /// # Errors
    /// Any [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode_versioned(bytes, limits::MESSAGE_BYTES_MAX)
    }

    /// The stream it goes by.
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.body {
            Body::Append { entries, .. } if !entries.is_empty() => Class::Append,
            _ => Class::Control,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn message(body: Body) -> PeerMessage {
        PeerMessage { from: NodeId(1), to: NodeId(2), life: 9, term: 3, body }
    }

    #[test]
    fn bytes_are_pinned() {
        let bytes = message(Body::Heartbeat { commit: 5 }).encode();
        let mut expected = vec![1];
        for word in [1u64, 2, 9, 3] {
            expected.extend(word.to_le_bytes());
        }
        expected.extend(2u32.to_le_bytes());
        expected.extend(5u64.to_le_bytes());
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_no_member_may_say_has_no_bytes() {
        let mut bytes = message(Body::Heartbeat { commit: 5 }).encode();
        for tag in 7u32..64 {
            bytes[33..37].copy_from_slice(&tag.to_le_bytes());
            assert_eq!(PeerMessage::decode(&bytes), Err(CodecError::Malformed), "tag {tag}");
        }
    }

    #[test]
    fn a_length_beyond_the_bytes_is_refused_before_it_is_allocated() {
        let previous = Position::default();
        let mut bytes = message(Body::Append { previous, commit: 0, entries: vec![] }).encode();
        let at = bytes.len() - 8;
        bytes[at..].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(PeerMessage::decode(&bytes), Err(CodecError::Malformed));
        let long = vec![1; limits::MESSAGE_BYTES_MAX + 1];
        assert!(matches!(PeerMessage::decode(&long), Err(CodecError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_their_own_encoding_or_not_at_all(bytes: Vec<u8>) {
            if let Ok(message) = PeerMessage::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }

        #[test]
        fn an_append_survives_the_wire(index: u64, term: u64, data: Vec<u8>) {
            let entries = vec![LogEntry { index, term, data }];
            let previous = Position { index, term };
            let sent = message(Body::Append { previous, commit: index, entries });
            prop_assert_eq!(PeerMessage::decode(&sent.encode()).unwrap(), sent);
        }
    }
}
