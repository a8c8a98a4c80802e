//! Holds, and paying back.

use musubi_ledger::{
    id::{PartyId, TxId},
    operation::{AnswerHold, Hold, HoldAnswer, Operation, Repay},
};

use super::{Composer, Draft};

impl Composer {
    /// Lets value wait for what is exchanged for it; `sender` acts for its holder.
    pub fn hold(&self, sender: PartyId, hold: Hold) -> Draft {
        self.draft(sender, Operation::Hold(hold))
    }

    /// Answers a hold; whoever delivers sends, or the issuer.
    pub fn answer_hold(&self, sender: PartyId, hold: TxId, answer: HoldAnswer) -> Draft {
        self.draft(sender, Operation::AnswerHold(AnswerHold { hold, answer }))
    }

    /// Pays what a party owes an issuer; it sends, or the issuer.
    pub fn repay(&self, sender: PartyId, repay: Repay) -> Draft {
        self.draft(sender, Operation::Repay(repay))
    }
}
