//! Settlements in the words of a test.

use musubi_ledger::{
    amount::Amount,
    id::TxId,
    operation::{AnswerSettlement, Operation, RedemptionAnswer, Settle, SettleLine},
    time::Time,
};

use super::names::{document, id, instrument};

/// A settlement of these merchants' claims, cut off and to be answered within thirty days from `now`.
pub fn settlement(of: &str, lines: &[(&str, u64)], now: Time) -> Settle {
    let line = |(merchant, gross): &(&str, u64)| SettleLine {
        merchant: id(merchant),
        gross: Amount(*gross),
    };
    let mut lines: Vec<SettleLine> = lines.iter().map(line).collect();
    lines.sort_by_key(|line| line.merchant);
    Settle {
        instrument: instrument(of),
        cut_off: now,
        lines,
        deadline: now.plus(30 * 86_400_000),
        document: document("settlement list"),
    }
}

/// An answer to lines of a settlement.
pub fn answer_lines(settlement: TxId, lines: &[u32], answer: RedemptionAnswer) -> Operation {
    let lines = lines.to_vec();
    Operation::AnswerSettlement(AnswerSettlement { settlement, lines, answer })
}
