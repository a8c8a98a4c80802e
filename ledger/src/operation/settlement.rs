//! Operations about settlements.

use serde::{Deserialize, Serialize};

use super::RedemptionAnswer;
use crate::{
    amount::Amount,
    hash::tagged,
    id::{DocumentHash, InstrumentId, PartyId, TxId},
    time::Time,
};

/// An issuer settles merchants' claims at a cut-off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Claims on what.
    pub instrument: InstrumentId,
    /// The cut-off: not in the future.
    pub cut_off: Time,
    /// 1 to 64 lines, ascending by merchant.
    pub lines: Vec<SettleLine>,
    /// Unanswered, the claims return then; 7 to 90 days ahead.
    pub deadline: Time,
    /// Hash of the list that was decided about.
    pub document: DocumentHash,
}

/// A merchant's line of a settlement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleLine {
    /// Whose claim.
    pub merchant: PartyId,
    /// How much of it, fees and what it owes included.
    pub gross: Amount,
}

/// The issuer's answer to lines of a settlement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSettlement {
    /// The settlement.
    pub settlement: TxId,
    /// 1 to 64 of its lines, by their place from 0, ascending.
    pub lines: Vec<u32>,
    /// Paid out, or returned.
    pub answer: RedemptionAnswer,
}

/// The redemption that a settlement's line is.
#[must_use]
pub fn settlement_line(settlement: &TxId, index: u32) -> TxId {
    TxId(tagged("musubi/v1/settlement-line", &[&settlement.0, &index.to_le_bytes()]))
}
