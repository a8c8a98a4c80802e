//! What anyone may know: the chain, its checkpoints, instruments and their supply.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use musubi_ledger::{
    api::{Checkpoints, Info, InstrumentView},
    id::InstrumentId,
};

use crate::http::{
    Api, Who,
    extract::PathOf,
    problem::{ApiError, DoorCode},
    views,
};

/// Who this node is and where it stands
#[utoipa::path(get, path = "/v1/info", operation_id = "info", tag = "public",
    responses((status = 200, description = "Chain, leader, height, versions", body = ref("#/components/schemas/Info"))))]
pub(in crate::http) async fn info(State(api): State<Api>) -> Json<Info> {
    Json(api.ledger.info())
}

/// The genesis document
///
/// Canonical bytes; their SHA-256 is the chain's id.
#[utoipa::path(get, path = "/v1/genesis", operation_id = "genesis", tag = "public",
    responses((status = 200, description = "Canonical bytes", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn genesis(State(api): State<Api>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, api.genesis.clone()).into_response()
}

/// The newest checkpoints of all validators that were heard of
#[utoipa::path(get, path = "/v1/checkpoints", operation_id = "checkpoints", tag = "public",
    responses((status = 200, description = "Signed notes by node id", body = ref("#/components/schemas/Checkpoints"))))]
pub(in crate::http) async fn checkpoints(
    State(api): State<Api>,
) -> Result<Json<Checkpoints>, ApiError> {
    let notes = api.read_by(Who::Anyone, |ledger| Ok(ledger.checkpoints()?)).await?;
    Ok(Json(Checkpoints { notes }))
}

/// Whose cosignatures make a checkpoint final, from genesis on
///
/// The policy bundle (docs/FORMAT.md): the genesis document and every confirmed change with its proof. Whoever
/// knows the chain's id can check it with nobody's help.
#[utoipa::path(get, path = "/v1/policies", operation_id = "policies", tag = "public",
    responses((status = 200, description = "Canonical bytes", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn policies(State(api): State<Api>) -> Result<Response, ApiError> {
    let bundle = api.read_by(Who::Anyone, |ledger| Ok(ledger.policies()?)).await?;
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, bundle.encode()).into_response())
}

/// All instruments with their supply
#[utoipa::path(get, path = "/v1/instruments", operation_id = "instruments", tag = "public",
    responses((status = 200, description = "By code, ascending", body = ref("#/components/schemas/InstrumentList"))))]
pub(in crate::http) async fn instruments(
    State(api): State<Api>,
) -> Result<Json<Vec<InstrumentView>>, ApiError> {
    let list = api.read_at_head(Who::Anyone, |ledger, head| {
        let views =
            ledger.instruments()?.into_iter().map(|id| views::instrument(ledger.state(), id, head));
        Ok(views.flatten().collect())
    });
    Ok(Json(list.await?))
}

/// An instrument with its supply
#[utoipa::path(get, path = "/v1/instruments/{code}", operation_id = "instrument", tag = "public",
    params(("code" = String, Path, description = "Its code", pattern = "^[A-Z0-9-]{1,16}$")),
    responses((status = 200, description = "Terms and supply", body = ref("#/components/schemas/InstrumentView"))))]
pub(in crate::http) async fn instrument(
    State(api): State<Api>,
    PathOf(code): PathOf<InstrumentId>,
) -> Result<Json<InstrumentView>, ApiError> {
    let view = api
        .read_at_head(Who::Anyone, move |ledger, head| {
            Ok(views::instrument(ledger.state(), code, head))
        })
        .await?;
    view.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}
