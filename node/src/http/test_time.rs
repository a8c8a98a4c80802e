//! The clock of a test's chain, set forward by an operator. Without driven time the route does not exist.

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use musubi_ledger::time::Time;
use serde::{Deserialize, Serialize};

use super::{
    Api,
    body::{self, Held},
    problem::{ApiError, DoorCode},
};
use crate::driven_time::DriveError;

/// Bytes of a request: one number with its name.
const BODY_BYTES_MAX: usize = 256;

/// What is asked for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetTime {
    to: Time,
}

/// What the clock says.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct NodeTime {
    time: Time,
}

/// Set the node's clock forward
///
/// On a test's chain alone, one whose genesis document says `driven_time`. Each node is told by itself, the leader last:
/// the others refuse what it stamps ahead of them.
#[utoipa::path(post, path = "/v1/test/time", operation_id = "set_time", tag = "operator",
    request_body(content = ref("#/components/schemas/SetTime"), content_type = "application/json", description = "Milliseconds since 1970"),
    responses((status = 200, description = "It is set, durably", body = ref("#/components/schemas/NodeTime"))))]
pub(super) async fn set(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<NodeTime>, ApiError> {
    body::not_encoded(&headers)?;
    if body::media_type(&headers) != "application/json" {
        return Err(DoorCode::UnsupportedMediaType.into());
    }
    let Held { bytes, permit: _permit } =
        body::read(&api.bodies, body, BODY_BYTES_MAX, api.config.limits.body_timeout()).await?;
    let bad = |why: &dyn core::fmt::Display| ApiError::new(DoorCode::BadParameter).because(why);
    let SetTime { to } = serde_json::from_slice(&bytes).map_err(|error| bad(&error))?;
    api.read(move |ledger| {
        let driven = ledger.clock().driven().ok_or(ApiError::new(DoorCode::NotFound))?;
        let time = driven.set(to).map_err(|error| match error {
            DriveError::Past { .. } => ApiError::new(DoorCode::TimePast).because(error),
            DriveError::TooFar => bad(&error),
            DriveError::Io(_) => {
                tracing::error!(%error, "the clock was not set");
                ApiError::new(DoorCode::Internal)
            }
        })?;
        Ok(Json(NodeTime { time }))
    })
    .await
}
