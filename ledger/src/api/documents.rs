//! Dues, and documents about payments.

use serde::{Deserialize, Serialize};

use crate::{document::Document, id::PartyId, id::Reference, id::TxId, state::Request};

/// A line of a list of dues.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequestLine {
    /// The id of its payment request.
    pub request: TxId,
    /// What the state keeps of it.
    #[serde(rename = "line")]
    pub row: Request,
}

/// A list of dues: `GET /v1/requests/{id}/lines`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DuesView {
    /// The transaction that asked.
    pub id: TxId,
    /// Its lines, in its order.
    pub lines: Vec<RequestLine>,
    /// Height as of which.
    pub height: u64,
}

/// A document: `GET /v1/parties/{party}/documents/{number}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentView {
    /// Who issued it.
    pub issuer: PartyId,
    /// Its number.
    pub number: Reference,
    /// What the state keeps of it.
    pub document: Document,
    /// Height as of which.
    pub height: u64,
}

/// The documents about a payment: `GET /v1/transactions/{id}/documents`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentsView {
    /// The payment, or the request that was paid in cash.
    pub id: TxId,
    /// By issuer, whoever was paid first: the one that counts, its credit notes from the newest on, and what it replaced from
    /// the newest on.
    pub documents: Vec<IssuedDocument>,
    /// Whether some were left out: each document names the next one of its kind.
    pub more: bool,
    /// Height as of which.
    pub height: u64,
}

/// A document among others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssuedDocument {
    /// Who issued it.
    pub issuer: PartyId,
    /// Its number.
    pub number: Reference,
    /// What the state keeps of it.
    pub document: Document,
}
