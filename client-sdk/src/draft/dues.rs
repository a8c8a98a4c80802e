//! Dues.

use musubi_ledger::{
    id::{DocumentHash, PartyId, TxId},
    operation::{Operation, RecordCash, RequestMany},
};

use super::{Composer, Draft};

impl Composer {
    /// Asks many to pay, each by a request of their own; `sender` acts for the payee.
    pub fn request_many(&self, sender: PartyId, dues: RequestMany) -> Draft {
        self.draft(sender, Operation::RequestMany(dues))
    }

    /// Records that what a request asks for came in cash, or that this was a mistake.
    pub fn record_cash(
        &self,
        sender: PartyId,
        request: TxId,
        received: bool,
        evidence: DocumentHash,
    ) -> Draft {
        self.draft(sender, Operation::RecordCash(RecordCash { request, received, evidence }))
    }
}
