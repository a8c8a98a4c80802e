//! What can go wrong between a client and the ledger, as values with stable codes.

use musubi_ledger::{api::Problem, id::TxId, time::Time};
use thiserror::Error;

/// Why a call brought no answer, or a submission no verdict.
#[derive(Clone, Debug, Error)]
pub enum ClientError {
    /// The configuration names no node.
    #[error("no node is configured: name at least one, such as http://127.0.0.1:7001")]
    NoNodes,
    /// A node's address is none.
    #[error("`{url}` is not a node's address: {cause}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No node answered.
    #[error("no node answered, the last one tried was {node}: {cause}")]
    Unreachable {
        /// The last one tried.
        node: String,
        /// What happened.
        cause: String,
    },
    /// Nodes answered, but turned it away until time was up: nothing of it is under way.
    #[error("the nodes took nothing in all that time, {node} said last: {last}")]
    Busy {
        /// The last one asked.
        node: String,
        /// What happened last.
        last: String,
    },
    /// A node answered with a refusal or error.
    #[error("{}: {}", .0.code, .0.detail)]
    Problem(Box<Problem>),
    /// A node answered something that is not in the contract.
    #[error("{node} answered something unexpected: {what}")]
    BadAnswer {
        /// Which node.
        node: String,
        /// What is odd.
        what: String,
    },
    /// Conclusive: block time passed the expiry without a verdict, so there never will be one.
    #[error("{id} was never applied: block time {at} is past its expiry {expires}; make a new one")]
    NeverApplied {
        /// The transaction.
        id: TxId,
        /// Its expiry.
        expires: Time,
        /// A block time at or past the expiry at which a node did not know it.
        at: Time,
    },
    /// Inconclusive: it may have been, or may still be, applied.
    #[error(
        "{id} is in doubt, no node gave its verdict in time: submit the same bytes again ({last})"
    )]
    InDoubt {
        /// The transaction.
        id: TxId,
        /// What happened last.
        last: String,
    },
    /// More than one submission may carry.
    #[error("{bytes} bytes are more than one submission may carry ({limit})")]
    TooLarge {
        /// What there is.
        bytes: usize,
        /// What may be.
        limit: usize,
    },
    /// The gatherer was closed.
    #[error("the gatherer is closed")]
    Closed,
}

impl ClientError {
    /// The stable code; a problem's own, where a node gave one.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoNodes => "no_nodes",
            Self::BadUrl { .. } => "bad_node_url",
            Self::Unreachable { .. } => "unreachable",
            Self::Busy { .. } => "busy",
            Self::Problem(problem) => &problem.code,
            Self::BadAnswer { .. } => "bad_answer",
            Self::NeverApplied { .. } => "never_applied",
            Self::InDoubt { .. } => "in_doubt",
            Self::TooLarge { .. } => "too_large",
            Self::Closed => "closed",
        }
    }

    /// The node's problem document, if that is what this is.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}
