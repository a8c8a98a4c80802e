//! Whole Raft entries, for auditors and replicas.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;

use super::log::Heights;
use crate::http::{
    Api,
    extract::QueryOf,
    problem::{ApiError, DoorCode},
};

/// Most entries in one answer.
const ENTRIES_MAX: usize = 65_536;

/// Raft entries, block by block
///
/// Per block a big-endian u32 length and the entry's data (a signed batch, docs/FORMAT.md); fewer than
/// asked for where the chain ends. Streamed: memory holds one entry at a time.
#[utoipa::path(get, path = "/v1/entries", operation_id = "entries", tag = "reader",
    params(
        ("from" = u64, Query, description = "First height, 1 or more: block 0 has no entry"),
        ("count" = Option<u64>, Query, description = "1 to 65536; 1 by default"),
    ),
    responses((status = 200, description = "Framed Raft entries", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn entries(
    State(api): State<Api>,
    QueryOf(heights): QueryOf<Heights>,
) -> Result<Response, ApiError> {
    let heights = heights.check(ENTRIES_MAX)?;
    if heights.from == 0 {
        return Err(ApiError::new(DoorCode::BadParameter).because("from is 1 or more"));
    }
    api.knows_block(heights.from)?;
    let end =
        heights.from.saturating_add(heights.count as u64).min(api.head().height.saturating_add(1));
    // The first is read before the answer begins, so that a damaged store still gives a problem.
    let first = next_entry(&api, heights.from, end).await?;
    let chunks =
        stream::unfold((api, heights.from, first), move |(api, height, next)| async move {
            let chunk = next?;
            let after = next_entry(&api, height + 1, end).await;
            let (after, chunk) = match after {
                Ok(after) => (after, Ok(chunk)),
                // Breaks the connection, so that the client notices that it did not get all.
                Err(error) => (None, Err(std::io::Error::other(error.code()))),
            };
            Some((chunk, (api, height + 1, after)))
        });
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// The framed entry of a block below `end`.
async fn next_entry(api: &Api, height: u64, end: u64) -> Result<Option<Bytes>, ApiError> {
    if height >= end {
        return Ok(None);
    }
    let data = api.read(move |ledger| Ok(ledger.raft_entry(height)?)).await?;
    Ok(data.map(|data| {
        let length = u32::try_from(data.len()).expect("entries are below 512 KiB");
        [&length.to_be_bytes()[..], &data].concat().into()
    }))
}
