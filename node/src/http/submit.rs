//! The submission routes: one transaction, or many at once.

use std::time::{Duration, Instant};

use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use musubi_ledger::{
    api::{Problem, Stage, Status},
    limits,
};
use serde::{Deserialize, Serialize};

use super::{
    Api, Peer,
    body::{self, Held},
    check::Raw,
    extract::QueryOf,
    intake::Patience,
    problem::{ApiError, DoorCode},
};

/// Longest wait that a client may ask for.
pub(super) const TIMEOUT_MS_MAX: u64 = 30_000;

/// What a client wants to wait for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WaitFor {
    /// The verdict, executed and on a quorum's disks.
    Committed,
    /// That, and a checkpoint over it that the witness policy's quorum cosigned.
    Final,
}

/// Query of both submission routes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    wait: Option<WaitFor>,
    timeout_ms: Option<u64>,
}

impl Wait {
    /// Until when to wait, and for what, if at all.
    pub(super) fn patience(self, now: Instant) -> Result<Option<Patience>, ApiError> {
        let ms = self.timeout_ms.unwrap_or(10_000);
        if !(1..=TIMEOUT_MS_MAX).contains(&ms) {
            let why = format!("timeout_ms is 1 to {TIMEOUT_MS_MAX}");
            return Err(ApiError::new(DoorCode::BadParameter).because(why));
        }
        let deadline = now + Duration::from_millis(ms);
        let to_the_end = matches!(self.wait, Some(WaitFor::Final));
        Ok(self.wait.map(|_| Patience { deadline, to_the_end }))
    }
}

/// One answer of a bulk submission.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum BulkResult {
    Status(Status),
    Problem(Problem),
}

#[derive(Serialize)]
struct BulkResults {
    results: Vec<BulkResult>,
}

/// Submit one transaction
///
/// Idempotent: the same bytes may be sent any number of times, to any node, and have one verdict.
#[utoipa::path(post, path = "/v1/transactions", operation_id = "submit", tag = "submission",
    params(
        ("wait" = Option<String>, Query, description = "`committed`: answer when there is a verdict; `final`: when a final checkpoint covers it"),
        ("timeout_ms" = Option<u64>, Query, description = "How long to wait, 1 to 30000; 10000 by default"),
    ),
    request_body(content(
        (ref("#/components/schemas/Transaction") = "application/json"),
        (String = "application/octet-stream"),
    ), description = "A signed transaction as JSON, or its canonical bytes (docs/FORMAT.md)"),
    responses(
        (status = 200, description = "Judged or void", body = ref("#/components/schemas/Status")),
        (status = 202, description = "Admitted; ask for the status, or submit again", body = ref("#/components/schemas/Status")),
    ))]
pub(super) async fn submit(
    State(api): State<Api>,
    Extension(Peer(ip)): Extension<Peer>,
    QueryOf(wait): QueryOf<Wait>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let patience = wait.patience(Instant::now())?;
    body::not_encoded(&headers)?;
    let json = match body::media_type(&headers) {
        "application/json" => true,
        "application/octet-stream" => false,
        _ => return Err(DoorCode::UnsupportedMediaType.into()),
    };
    let most = if json { limits::HTTP_BODY_BYTES_MAX } else { limits::TRANSACTION_BYTES_MAX };
    let Held { bytes, permit } =
        body::read(&api.bodies, body, most, api.config.limits.body_timeout()).await?;
    let raw = if json { Raw::Json(bytes) } else { Raw::Canonical(bytes) };
    let mut answers = api.admit(ip, vec![raw], (permit, None), patience).await?;
    answer(answers.pop().expect("one answer per item")?)
}

/// The answer to one submission.
pub(super) fn answer(status: Status) -> Result<Response, ApiError> {
    let http = match status.stage {
        Stage::Pending | Stage::Unknown => StatusCode::ACCEPTED,
        Stage::Judged | Stage::Void => StatusCode::OK,
    };
    Ok((http, [(header::CACHE_CONTROL, "no-store")], Json(status)).into_response())
}

/// Submit many transactions
///
/// The body repeats: length as big-endian u32, canonical bytes of one transaction. Each item has its own
/// answer, in order; nothing is atomic across items.
#[utoipa::path(post, path = "/v1/transactions/bulk", operation_id = "submit_bulk", tag = "submission",
    params(
        ("wait" = Option<String>, Query, description = "`committed`: answer when every admitted item has a verdict; `final`: when a final checkpoint covers them all"),
        ("timeout_ms" = Option<u64>, Query, description = "How long to wait, 1 to 30000; 10000 by default"),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "1 to 4096 transactions, at most 480 KiB"),
    responses((status = 200, description = "One answer per item", body = ref("#/components/schemas/BulkResults"))))]
pub(super) async fn submit_bulk(
    State(api): State<Api>,
    Extension(Peer(ip)): Extension<Peer>,
    QueryOf(wait): QueryOf<Wait>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let patience = wait.patience(Instant::now())?;
    body::not_encoded(&headers)?;
    if body::media_type(&headers) != "application/octet-stream" {
        return Err(DoorCode::UnsupportedMediaType.into());
    }
    let most = limits::HTTP_BULK_BYTES_MAX + limits::BATCH_ITEMS_MAX * LENGTH_BYTES;
    let Held { bytes, permit } =
        body::read(&api.bodies, body, most, api.config.limits.body_timeout()).await?;
    let answers = api.admit(ip, split_bulk(&bytes)?, (permit, None), patience).await?;
    let results = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(status) => BulkResult::Status(status),
            Err(error) => {
                api.metrics.refused(error.code());
                BulkResult::Problem(error.problem())
            }
        })
        .collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(BulkResults { results })).into_response())
}

/// Bytes of the length in front of each item.
const LENGTH_BYTES: usize = 4;

fn split_bulk(body: &Bytes) -> Result<Vec<Raw>, ApiError> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let malformed = |why: &str| ApiError::new(DoorCode::MalformedBulk).because(why);
        let length = body[at..].first_chunk().ok_or_else(|| malformed("a length is cut off"))?;
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > limits::TRANSACTION_BYTES_MAX {
            return Err(malformed("an item is empty or longer than a transaction may be"));
        }
        let (from, to) = (at + LENGTH_BYTES, at + LENGTH_BYTES + length);
        if to > body.len() {
            return Err(malformed("an item is cut off"));
        }
        items.push(Raw::Canonical(body.slice(from..to)));
        at = to;
    }
    if items.is_empty() || items.len() > limits::BATCH_ITEMS_MAX {
        return Err(ApiError::new(DoorCode::MalformedBulk).because("1 to 4096 items"));
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bulk_bodies_are_split_exactly() {
        let framed = |items: &[&[u8]]| -> Bytes {
            let frame = |item: &&[u8]| [&u32::to_be_bytes(item.len() as u32), *item].concat();
            items.iter().flat_map(frame).collect::<Vec<u8>>().into()
        };
        assert_eq!(split_bulk(&framed(&[b"ab", b"c"])).unwrap().len(), 2);
        let long = vec![0; limits::TRANSACTION_BYTES_MAX + 1];
        let many: Vec<&[u8]> = vec![b"x"; limits::BATCH_ITEMS_MAX + 1];
        for bad in [
            Bytes::new(),
            framed(&[b""]),
            framed(&[&long]),
            framed(&many),
            Bytes::from_static(&[0, 0]),
            Bytes::from_static(&[0, 0, 0, 2, 1]),
            Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            assert_eq!(split_bulk(&bad).unwrap_err().code(), "malformed_bulk");
        }
    }
}
