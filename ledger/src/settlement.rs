//! What the state keeps of a settlement, beside the redemptions that its lines are.

use serde::{Deserialize, Serialize};

use crate::{
    code::Code,
    id::TxId,
    operation::{Settle, SettleLine, settlement_line},
};

/// A settlement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settlement {
    /// What was signed.
    pub list: Settle,
    /// What became of each of its lines: `applied`, or why its claim was not frozen.
    pub codes: Vec<Code>,
}

impl Settlement {
    /// Its lines that were frozen: place, the redemption that it is, what was signed.
    pub fn frozen(&self, id: TxId) -> impl Iterator<Item = (u32, TxId, &SettleLine)> {
        let lines = (0..).zip(&self.list.lines).zip(&self.codes);
        lines
            .filter(|(_, code)| **code == Code::Applied)
            .map(move |((index, line), _)| (index, settlement_line(&id, index), line))
    }
}
