//! Single transactions: where they stand, and what they did.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{FullTransaction, Status},
    id::TxId,
    state::{Row, RowKey},
    time::Time,
};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    access::ReadFault,
    extract::{PathOf, QueryOf},
    problem::{ApiError, DoorCode},
    views,
};

/// Where a transaction stands
///
/// Ends in exactly one verdict. Absence is conclusive once `node_time` is past the body's expiry: who names that
/// as `expires` is told `expired` then.
#[utoipa::path(get, path = "/v1/transactions/{id}", operation_id = "transaction_status", tag = "reader",
    params(
        ("id" = String, Path, description = "Transaction id", pattern = "^[0-9a-f]{64}$"),
        ("expires" = Option<u64>, Query, description = "The body's expiry, in milliseconds since 1970"),
    ),
    responses((status = 200, description = "Its status, also if it is unknown", body = ref("#/components/schemas/Status"))))]
pub(in crate::http) async fn status(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
    QueryOf(query): QueryOf<Expiry>,
) -> Result<Json<Status>, ApiError> {
    let status = api.status(id, Who::Reader).await?;
    Ok(Json(match query.expires {
        Some(expires) => views::expiring(status, expires),
        None => status,
    }))
}

/// Query of the status route.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Expiry {
    expires: Option<Time>,
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
    let at = api.clone();
    let found = api.read(move |ledger| {
        let Some(Row::Judged(judged)) = ledger.state().row(&RowKey::Judged(id)) else {
            return Ok(None);
        };
        at.knows_leaf(judged.leaf).map_err(|error| error.about(id))?;
        let missing = || ReadFault(format!("leaf {} of a judged transaction", judged.leaf));
        let recorded = ledger.entries(&[judged.leaf])?.pop().ok_or_else(missing)?;
        let transaction = views::decode(&recorded.transaction.ok_or_else(missing)?)?;
        let status = views::judged(id, &judged, head);
        let status = views::firm(status, *ledger.finals().borrow());
        Ok(Some(FullTransaction { status, transaction, outcome: recorded.entry.outcome }))
    });
    found.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}
