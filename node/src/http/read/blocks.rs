//! Whole blocks, for replicas: what they check and execute, and what to compare the outcome with.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use serde::Deserialize;

use crate::{
    follow::page::{BLOCKS_MAX, encode_head},
    http::{
        Api,
        extract::QueryOf,
        problem::{ApiError, DoorCode},
    },
};

/// Longest wait that a replica may ask for.
const WAIT_MS_MAX: u64 = 30_000;

/// Query of the route.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    from: u64,
    #[serde(default = "one")]
    count: usize,
    #[serde(default)]
    wait_ms: u64,
}

fn one() -> usize {
    1
}

/// Blocks as replicas pull them
///
/// This node's height and block time (two u64), then per block the Raft entry, the seal's body and all leaves
/// end to end, each behind a u32 length; numbers are big-endian. Fewer blocks than asked for where the chain
/// ends. With `wait_ms` an answer without blocks waits until there is one, at most so long.
#[utoipa::path(get, path = "/v1/blocks", operation_id = "blocks", tag = "reader",
    params(
        ("from" = u64, Query, description = "First height, 1 or more: block 0 follows from the genesis document"),
        ("count" = Option<u64>, Query, description = "1 to 64; 1 by default"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for the first block, at most 30000; 0 by default"),
    ),
    responses((status = 200, description = "A page of blocks", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn blocks(
    State(api): State<Api>,
    QueryOf(wanted): QueryOf<Wanted>,
) -> Result<Response, ApiError> {
    let Wanted { from, count, wait_ms } = wanted;
    let bad = |why: String| ApiError::new(DoorCode::BadParameter).because(why);
    if from == 0 {
        return Err(bad("from is 1 or more".into()));
    }
    api.knows_block(from)?;
    if !(1..=BLOCKS_MAX).contains(&count) || wait_ms > WAIT_MS_MAX {
        return Err(bad(format!("count is 1 to {BLOCKS_MAX}, wait_ms at most {WAIT_MS_MAX}")));
    }
    if wait_ms > 0 && api.head().height < from {
        wait(&api, from, Duration::from_millis(wait_ms)).await?;
    }
    let head = api.head();
    let end = from.saturating_add(count as u64).min(head.height.saturating_add(1));
    // The first is read before the answer begins, so that a damaged store still gives a problem.
    let first = next_block(&api, from, end).await?;
    let front = Bytes::copy_from_slice(&encode_head(head));
    let front = stream::iter([Ok::<_, std::io::Error>(front)]);
    let blocks = stream::unfold((api, from, first), move |(api, height, next)| async move {
        let chunk = next?;
        let (after, chunk) = match next_block(&api, height + 1, end).await {
            Ok(after) => (after, Ok(chunk)),
            // Breaks the connection, so that the replica notices that it did not get all.
            Err(error) => (None, Err(std::io::Error::other(error.code()))),
        };
        Some((chunk, (api, height + 1, after)))
    });
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    let body = Body::from_stream(futures::StreamExt::chain(front, blocks));
    Ok((headers, body).into_response())
}

/// Waits for block `height`, as one of the feeds.
async fn wait(api: &Api, height: u64, most: Duration) -> Result<(), ApiError> {
    let permit = api.feeds.try_acquire();
    let _permit = permit.map_err(|_| ApiError::new(DoorCode::Busy).because("too many feeds"))?;
    let mut heads = api.ledger.heads();
    let there = heads.wait_for(|head| head.height >= height);
    // Late, or the node stops: the answer then says how far it is.
    let _ = api.stop.run_until_cancelled(tokio::time::timeout(most, there)).await;
    Ok(())
}

/// The block at `height`, if it is below `end`.
async fn next_block(api: &Api, height: u64, end: u64) -> Result<Option<Bytes>, ApiError> {
    if height >= end {
        return Ok(None);
    }
    let block = api.read(move |ledger| Ok(ledger.block(height)?)).await?;
    Ok(block.map(Bytes::from))
}
