//! Documents.

use musubi_ledger::{
    id::PartyId,
    operation::{IssueDocument, Operation},
};

use super::{Composer, Draft};

impl Composer {
    /// Issues a receipt, an invoice or a credit note; `sender` speaks for its issuer.
    pub fn issue_document(&self, sender: PartyId, document: IssueDocument) -> Draft {
        self.draft(sender, Operation::IssueDocument(document))
    }
}
