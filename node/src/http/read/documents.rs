//! Documents by their issuer and number, and lists of dues.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{DocumentView, DuesView, RequestLine},
    id::{Reference, TxId},
    limits::DUES_LINES_MAX,
    state::{ReadState, Row, RowKey, Shared, derived_id},
};

use crate::http::{
    Api, Who,
    extract::{PathOf, party_of},
    problem::{ApiError, DoorCode},
};

/// A receipt, invoice or credit note
#[utoipa::path(get, path = "/v1/parties/{party}/documents/{number}", operation_id = "document", tag = "reader",
    params(("party" = String, Path, description = "Its issuer: `party1…`, or an address of the scheme"),
           ("number" = String, Path, description = "Its number, percent-encoded")),
    responses((status = 200, description = "The document, replaced or not", body = ref("#/components/schemas/DocumentView"))))]
pub(in crate::http) async fn document(
    State(api): State<Api>,
    PathOf((party, number)): PathOf<(String, Reference)>,
) -> Result<Json<DocumentView>, ApiError> {
    let issuer = party_of(&api, &party)?;
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let number = number.clone();
        Ok(match ledger.state().row(&RowKey::Document(issuer, number.clone())) {
            Some(Row::Document(document)) => {
                let document = Shared::into_value(document);
                Some(DocumentView { issuer, number, document, height: head.height })
            }
            _ => None,
        })
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// The lines of a list of dues
#[utoipa::path(get, path = "/v1/requests/{id}/lines", operation_id = "dues", tag = "reader",
    params(("id" = String, Path, description = "The transaction that asked", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "Each with whose it is and whether it is paid", body = ref("#/components/schemas/DuesView"))))]
pub(in crate::http) async fn dues(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<DuesView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let lines = lines_of(ledger.state(), id);
        Ok((!lines.is_empty()).then_some(DuesView { id, lines, height: head.height }))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// The requests of a list, which bear derived ids from 0 on without a gap.
fn lines_of(state: &dyn ReadState, list: TxId) -> Vec<RequestLine> {
    let ids = (0..=u8::MAX).take(DUES_LINES_MAX).map(|at| derived_id(&list, at));
    let line = |request: TxId| match state.row(&RowKey::Request(request)) {
        Some(Row::Request(row)) => Some(RequestLine { request, row: Shared::into_value(row) }),
        _ => None,
    };
    ids.map_while(line).collect()
}
