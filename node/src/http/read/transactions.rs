//! Single transactions: where they stand, and what they did.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{FullTransaction, Status},
    id::TxId,
    state::{Row, RowKey},
};

use crate::http::{
    Api, Who,
    access::ReadFault,
    extract::PathOf,
    problem::{ApiError, DoorCode},
    views,
};

/// Where a transaction stands
///
/// `unknown` is conclusive once `node_time` is past the body's expiry.
#[utoipa::path(get, path = "/v1/transactions/{id}", operation_id = "transaction_status", tag = "reader",
    params(("id" = String, Path, description = "Transaction id", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "Its status, also if it is unknown", body = ref("#/components/schemas/Status"))))]
pub(in crate::http) async fn status(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<Status>, ApiError> {
    api.status(id, Who::Reader).await.map(Json)
}

/// A judged transaction with what it did
#[utoipa::path(get, path = "/v1/transactions/{id}/full", operation_id = "transaction_full", tag = "reader",
    params(("id" = String, Path, description = "Transaction id", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "Status, body, signatures, outcome", body = ref("#/components/schemas/FullTransaction"))))]
pub(in crate::http) async fn full(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<FullTransaction>, ApiError> {
    let head = api.head();
    let found = api.read(move |ledger| {
        let Some(Row::Judged(judged)) = ledger.state().row(&RowKey::Judged(id)) else {
            return Ok(None);
        };
        let missing = || ReadFault(format!("leaf {} of a judged transaction", judged.leaf));
        let recorded = ledger.entries(&[judged.leaf])?.pop().ok_or_else(missing)?;
        let transaction = views::decode(&recorded.transaction.ok_or_else(missing)?)?;
        let status = views::judged(id, &judged, head);
        Ok(Some(FullTransaction { status, transaction, outcome: recorded.entry.outcome }))
    });
    found.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}
