//! Documents, by their issuer and number.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::DocumentView,
    id::Reference,
    state::{Row, RowKey, Shared},
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
