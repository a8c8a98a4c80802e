//! Liveness, readiness, metrics, and the API's own description.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{Api, problem::ApiError};

/// Whether the process is up
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "public",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain; charset=utf-8")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the node should get traffic
///
/// It should if a leader is known, execution keeps up, and the disk has room.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "public",
    responses(
        (status = 200, description = "It should", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 503, description = "It should not; `reasons` says why", body = ref("#/components/schemas/NotReadyProblem"), content_type = "application/problem+json"),
    ))]
pub(super) async fn readyz(State(api): State<Api>) -> Result<&'static str, ApiError> {
    let reasons = api.ledger.not_ready();
    if reasons.is_empty() { Ok("ready\n") } else { Err(ApiError::not_ready(reasons)) }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "public",
    responses((status = 200, description = "Text exposition format", body = String, content_type = "text/plain; version=0.0.4")))]
pub(super) async fn metrics(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], api.metrics.render())
        .into_response()
}

/// This description
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "public",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json")))]
pub(super) async fn openapi(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.openapi.clone()).into_response()
}
