//! Evidence files: public, because whoever trusts this ledger has a right to them, and because they show
//! nothing of anybody's purchases but an item that nobody signed.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use musubi_ledger::api::EvidenceView;

use crate::http::{
    Api, Who,
    extract::PathOf,
    problem::{ApiError, DoorCode},
};

/// Evidence files that this node keeps
///
/// What each shows is this node's word; the files prove it (`musubi evidence verify`).
#[utoipa::path(get, path = "/v1/evidence", operation_id = "evidence", tag = "public",
    responses((status = 200, description = "By name", body = ref("#/components/schemas/EvidenceList"))))]
pub(in crate::http) async fn list(
    State(api): State<Api>,
) -> Result<Json<Vec<EvidenceView>>, ApiError> {
    Ok(Json(api.read_by(Who::Anyone, |ledger| Ok(ledger.evidence()?)).await?))
}

/// An evidence file
#[utoipa::path(get, path = "/v1/evidence/{name}", operation_id = "evidence_file", tag = "public",
    params(("name" = String, Path, description = "As listed", pattern = "^[a-z_]+-[0-9a-f]{32}[.]evidence$")),
    responses((status = 200, description = "Canonical bytes (docs/FORMAT.md)", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn file(
    State(api): State<Api>,
    PathOf(name): PathOf<String>,
) -> Result<Response, ApiError> {
    let found = api.read_by(Who::Anyone, move |ledger| Ok(ledger.evidence_file(&name)?)).await?;
    let content = found.ok_or_else(|| {
        ApiError::new(DoorCode::NotFound).because("this node keeps no evidence file of that name")
    })?;
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, content).into_response())
}
