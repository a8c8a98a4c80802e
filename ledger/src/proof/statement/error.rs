//! Why a statement is refused, and by which line.

use core::fmt;

use thiserror::Error;

use crate::{
    codec::CodecError, policy::PolicyError, proof::wallet::StateError, tlog::ProofError,
    transaction::FormError,
};

/// One of a statement's proved states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// Before the first line.
    Opening,
    /// Behind the last line.
    Closing,
    /// The later header.
    Bound,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opening => "opening",
            Self::Closing => "closing",
            Self::Bound => "bounding",
        })
    }
}

/// Why a statement was refused. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// Not a statement's canonical bytes.
    #[error("not a statement: {0}")]
    Codec(#[from] CodecError),
    /// It ends before it begins.
    #[error("the statement's period is empty: its end must be behind its beginning")]
    Period,
    /// The checkpoint is not final.
    #[error(transparent)]
    Checkpoint(#[from] PolicyError),
    /// A state is not proved by the checkpoint.
    #[error("the {0} state: {1}")]
    State(Which, StateError),
    /// A state is of another wallet.
    #[error("the {0} state is of another wallet than the statement's")]
    OtherWallet(Which),
    /// The opening or closing state does not show what it holds.
    #[error("the {0} state hides its lots: there is no balance to compare")]
    LotsHidden(Which),
    /// The opening state is not from before the period.
    #[error("the opening state is at a seal inside the period: lines before it could be missing")]
    OpeningLate,
    /// One line.
    #[error("line {0}: {1}")]
    Line(u64, LineError),
    /// The lines are more or fewer than the two states count.
    #[error(
        "between opening and closing the wallet has {counted} lines, the statement lists {listed}: lines are missing or added"
    )]
    Count {
        /// Lines that the two headers count.
        counted: u64,
        /// Lines in the statement.
        listed: u64,
    },
    /// The lines do not lead to the closing state's running hash.
    #[error(
        "the lines do not lead from the opening to the closing state: one was altered, left out or put in another place"
    )]
    History,
    /// The lots do not add up.
    #[error("opening balance and lines do not make the closing balance")]
    Balance,
    /// The closing state is from before the period, and nothing shows that it still held then.
    #[error(
        "the closing state is at a seal before the period begins: the statement proves nothing of it"
    )]
    ClosingEarly,
    /// The closing state needs no later header, and one is given.
    #[error(
        "the closing state is behind the period's end: what follows it has no place in the statement"
    )]
    BoundNotNeeded,
    /// The later header is from before the period's end.
    #[error(
        "the bounding state is at a seal before the period's end: lines behind it could be missing"
    )]
    BoundEarly,
    /// A leaf behind the closing state, counted from 1, is inside the period.
    #[error(
        "leaf {0} behind the closing state belongs to the period: it was left out of the lines"
    )]
    LeftOut(u64),
    /// The leaves behind the closing state do not lead to the later header.
    #[error(
        "the leaves behind the closing state do not lead to the bounding state: one is missing, added or altered"
    )]
    BoundHistory,
}

impl StatementError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Codec(_) => "bad_statement",
            Self::Period => "empty_period",
            Self::Checkpoint(error) => error.code(),
            Self::State(_, error) => error.code(),
            Self::OtherWallet(_) => "other_wallet",
            Self::LotsHidden(_) => "lots_hidden",
            Self::OpeningLate => "opening_late",
            Self::Line(_, error) => error.code(),
            Self::Count { .. } => "line_count",
            Self::History => "history_mismatch",
            Self::Balance => "balance_mismatch",
            Self::ClosingEarly => "closing_early",
            Self::BoundNotNeeded => "bound_not_needed",
            Self::BoundEarly => "bound_early",
            Self::LeftOut(_) => "line_left_out",
            Self::BoundHistory => "bound_mismatch",
        }
    }
}

/// Why one line was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// Not a line's canonical bytes.
    #[error("not a line: {0}")]
    Codec(CodecError),
    /// The transaction does not decode.
    #[error("its transaction: {0}")]
    Form(#[from] FormError),
    /// Its leaf is not in the log.
    #[error("its leaf is not in the log of the checkpoint: {0}")]
    NotInLog(#[from] ProofError),
    /// It stands before the line in front of it.
    #[error("it does not stand behind the line before it in the log")]
    Order,
    /// Its block time is outside the period.
    #[error("its block time is outside the statement's period")]
    OutsidePeriod,
    /// Transaction or system cause is not the leaf's.
    #[error("its transaction or cause is not the one that the leaf names")]
    OtherCause,
    /// The signatures are not the leaf's.
    #[error("its signatures are not those that were executed")]
    OtherSignatures,
    /// A signature does not hold.
    #[error("a signature of its transaction does not hold")]
    BadSignature,
    /// The outcome is not the leaf's.
    #[error("its postings are not those that the leaf's hash names")]
    OtherOutcome,
    /// It posted nothing to the wallet.
    #[error("it did not touch this wallet")]
    NotThisWallet,
    /// It takes more than the wallet held.
    #[error("it takes more than the wallet held before it")]
    Overdrawn,
}

impl LineError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Codec(_) | Self::Form(_) => "bad_line",
            Self::NotInLog(_) => "line_not_in_log",
            Self::Order => "line_order",
            Self::OutsidePeriod => "line_outside_period",
            Self::OtherCause => "other_cause",
            Self::OtherSignatures => "other_signatures",
            Self::BadSignature => "bad_signature",
            Self::OtherOutcome => "other_outcome",
            Self::NotThisWallet => "line_of_another_wallet",
            Self::Overdrawn => "line_overdrawn",
        }
    }
}
