//! What happens to every request and every answer: panics and stray errors become problem documents,
//! unacceptable media types are refused before anything is done, and everything is counted.

use std::{any::Any, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    Api,
    problem::{ApiError, DoorCode, RefusedCode},
};

/// Puts the edge around the routes.
pub(super) fn wrap(routes: Router<Api>, api: &Api) -> Router<Api> {
    routes
        .fallback(|| async { ApiError::new(DoorCode::NotFound) })
        .method_not_allowed_fallback(|| async { ApiError::new(DoorCode::MethodNotAllowed) })
        .layer(from_fn(acceptable))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(api.clone(), count))
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = %text, "an API handler panicked");
    ApiError::new(DoorCode::Internal).into_response()
}

fn route_of(request: &Request) -> Option<MatchedPath> {
    request.extensions().get::<MatchedPath>().cloned()
}

/// Media type that a route answers in when all goes well. Bytes and streams are read; what changes
/// something answers in JSON.
fn produces(method: &Method, route: &str) -> &'static str {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return "application/json";
    }
    match route {
        "/v1/genesis"
        | "/v1/policies"
        | "/v1/seals"
        | "/v1/entries"
        | "/v1/blocks"
        | "/v1/snapshot"
        | "/v1/snapshot/rows"
        | "/v1/memos/{hash}"
        | "/v1/wallets/{party}/proof"
        | "/v1/parties/{party}/statement"
        | "/v1/evidence/{name}"
        | "/log/tile/{*path}" => "application/octet-stream",
        "/v1/feed" => "text/event-stream",
        "/healthz"
        | "/readyz"
        | "/metrics"
        | "/log/checkpoint"
        | "/v1/proofs/{id}"
        | "/v1/leaves/{index}/proof" => "text/plain",
        _ => "application/json",
    }
}

/// Whether an Accept header admits `media_type`. Weights are ignored, except that 0 excludes.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut ranges = headers.get_all(header::ACCEPT).iter().flat_map(|value| {
        let text = value.to_str().unwrap_or("");
        text.split(',').map(str::trim).filter(|range| !range.is_empty())
    });
    let family = media_type.split('/').next().unwrap_or("");
    let admits = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or("").to_ascii_lowercase();
        let excluded = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        let fits = name == "*/*" || name == media_type || name.strip_suffix("/*") == Some(family);
        fits && !excluded
    };
    match ranges.next() {
        None => true,
        Some(first) => admits(first) || ranges.any(admits),
    }
}

async fn acceptable(request: Request, next: Next) -> Response {
    let refused = route_of(&request).is_some_and(|route| {
        !accepts(request.headers(), produces(request.method(), route.as_str()))
    });
    if refused {
        return ApiError::new(DoorCode::NotAcceptable).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = route_of(&request);
    // Methods are the client's choice: only those of the API become labels.
    let method = match request.method().as_str() {
        method @ ("GET" | "HEAD" | "POST" | "DELETE") => method.to_owned(),
        _ => "other".to_owned(),
    };
    let response = next.run(request).await;
    if let Some(RefusedCode(code)) = response.extensions().get() {
        api.metrics.refused(code);
    }
    let status = response.status();
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        tracing::error!(route, "an API request failed");
    }
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    api.metrics.http(route, &method, status.as_u16(), begun.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers_are_read_as_they_mean() {
        let with = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            accepts(&headers, "application/json")
        };
        for good in ["*/*", "application/json", "application/*", "text/html, */*;q=0.1", ""] {
            assert!(with(good), "{good}");
        }
        for bad in ["text/html", "application/xml, text/*", "application/json;q=0"] {
            assert!(!with(bad), "{bad}");
        }
        assert!(accepts(&HeaderMap::new(), "application/json"));
    }
}
