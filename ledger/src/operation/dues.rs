//! Dues: asking a list of members at once, and what is paid in cash.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, PartyId, RosterLine, TxId},
    time::Time,
};

/// Of whom a line of a list is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// A party of this ledger.
    Party(PartyId),
    /// A line of the payee's own roster: a member without a wallet.
    Roster(RosterLine),
}

/// What one member is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuesLine {
    /// Who owes it. Anybody may pay it for them.
    pub member: Member,
    /// How much; not zero.
    pub amount: Amount,
}

/// A payee asks many at once: each line becomes a payment request of its own, signed by this.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestMany {
    /// Who wants to be paid.
    pub payee: PartyId,
    /// One to two hundred, ascending by member, none twice. The request of line n bears the derived id n.
    pub lines: Vec<DuesLine>,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Empty; or instruments of equal face and decimals, ascending, in which a line may be paid together.
    pub tender: Vec<InstrumentId>,
    /// Until when they can be answered.
    pub due: Time,
}

/// What was asked for was paid in cash: nothing moves on the ledger. Or that was a mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordCash {
    /// The payment request.
    pub request: TxId,
    /// Whether it was; `false` takes an earlier record back.
    pub received: bool,
    /// Hash of the slip or the line of the cash book.
    pub evidence: DocumentHash,
}
