//! Operations about documents.

use serde::{Deserialize, Serialize};

use crate::{
    document::DocumentKind,
    id::{DocumentHash, PartyId, Reference},
};

/// A payee says what was paid for: a receipt, a qualified invoice, a credit note. Or somebody stands by a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueDocument {
    /// Who issues it.
    pub issuer: PartyId,
    /// Its number, the issuer's own; used once for ever.
    pub number: Reference,
    /// For whom, if it names a party of this ledger; a simplified invoice names nobody.
    pub addressee: Option<PartyId>,
    /// SHA-256 of the body, which stays off the ledger.
    pub body: DocumentHash,
    /// The number of an earlier one of the same kind and about the same payment (of a report: the same days), which it replaces.
    pub replaces: Option<Reference>,
    /// What it is, and the fields that machines read.
    pub kind: DocumentKind,
}
