//! The log of proof over HTTP (C2SP tlog-tiles): checkpoint, tiles, bundles; and seal bodies.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use musubi_ledger::tlog::tile::{FULL_WIDTH, TilePath};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    extract::{PathOf, QueryOf},
    problem::{ApiError, DoorCode},
};

/// Most seal bodies in one answer.
const SEALS_MAX: usize = 4_096;

/// The newest final checkpoint
///
/// Cosigned by the witness policy's quorum (`/v1/policies`); what single validators signed is at
/// `/v1/checkpoints`.
#[utoipa::path(get, path = "/log/checkpoint", operation_id = "log_checkpoint", tag = "public",
    responses((status = 200, description = "A signed note (C2SP tlog-checkpoint)", body = String, content_type = "text/plain; charset=utf-8")))]
pub(in crate::http) async fn checkpoint(State(api): State<Api>) -> Result<Response, ApiError> {
    let note = api.read_by(Who::Anyone, |ledger| Ok(ledger.checkpoint()?)).await?;
    let note = note
        .ok_or_else(|| ApiError::new(DoorCode::NotFound).because("no checkpoint is final yet"))?;
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, note).into_response())
}

/// A tile of hashes, or a bundle of leaves
///
/// `tile/<level>/<index>[.p/<width>]` or `tile/entries/<index>[.p/<width>]`, the index in groups of three
/// digits (`x001/x234/067`). Content never changes once it is there.
#[utoipa::path(get, path = "/log/tile/{*path}", operation_id = "log_tile", tag = "public",
    params(("path" = String, Path, description = "Level and index as in C2SP tlog-tiles; may hold slashes")),
    responses((status = 200, description = "Hashes of 32 bytes each; of a bundle, per leaf a big-endian u16 length and the leaf", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn tile(
    State(api): State<Api>,
    PathOf(path): PathOf<String>,
) -> Result<Response, ApiError> {
    let place: TilePath = format!("tile/{path}")
        .parse()
        .map_err(|e| ApiError::new(DoorCode::BadParameter).because(e))?;
    let width = match place {
        TilePath::Hashes(tile) => tile.width,
        TilePath::Entries(bundle) => bundle.width,
    };
    let content = api.read_by(Who::Anyone, move |ledger| {
        Ok(match place {
            TilePath::Hashes(tile) => ledger.tile(&tile)?,
            TilePath::Entries(bundle) => ledger.bundle(&bundle)?,
        })
    });
    let content = content.await?.ok_or_else(|| {
        ApiError::new(DoorCode::NotFound)
            .because("the log does not fill this tile to this width yet")
    })?;
    let age = if width == FULL_WIDTH {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=60"
    };
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, age)];
    Ok((headers, content).into_response())
}

/// Query of the routes that go by height.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Heights {
    pub(super) from: u64,
    #[serde(default = "one")]
    pub(super) count: usize,
}

fn one() -> usize {
    1
}

impl Heights {
    /// Refuses counts out of range.
    pub(super) fn check(self, most: usize) -> Result<Self, ApiError> {
        if (1..=most).contains(&self.count) {
            return Ok(self);
        }
        Err(ApiError::new(DoorCode::BadParameter).because(format!("count is 1 to {most}")))
    }
}

/// Seal bodies, block by block
///
/// Per seal a big-endian u16 length and the body's canonical bytes; fewer than asked for where the chain
/// ends.
#[utoipa::path(get, path = "/v1/seals", operation_id = "seals", tag = "public",
    params(
        ("from" = u64, Query, description = "First height; 0 is the genesis block"),
        ("count" = Option<u64>, Query, description = "1 to 4096; 1 by default"),
    ),
    responses((status = 200, description = "Framed seal bodies", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn seals(
    State(api): State<Api>,
    QueryOf(heights): QueryOf<Heights>,
) -> Result<Response, ApiError> {
    let heights = heights.check(SEALS_MAX)?;
    api.knows_block(heights.from)?;
    let seals = api
        .read_by(Who::Anyone, move |ledger| Ok(ledger.seals(heights.from, heights.count)?))
        .await?;
    let mut content = Vec::new();
    for seal in seals {
        let body = seal.encode();
        let length = u16::try_from(body.len()).expect("seal bodies are of fixed size");
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(&body);
    }
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], content).into_response())
}
