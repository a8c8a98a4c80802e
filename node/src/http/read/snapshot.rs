//! Snapshots, for replicas that begin without the whole log; and what a replica that began so does not know.

use std::time::Duration;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::http::{
    Api,
    extract::QueryOf,
    problem::{ApiError, DoorCode},
};

/// How long a state may take to become final before who asks is told to ask again.
const FINAL_WAIT: Duration = Duration::from_secs(5);

/// A snapshot's manifest
///
/// The seal under which the state stands, its inclusion path, its Raft entry and a final checkpoint (docs/FORMAT.md).
/// A state is held when somebody asks, and offered when a final checkpoint covers it: 409 `not_final` until then.
#[utoipa::path(get, path = "/v1/snapshot", operation_id = "snapshot", tag = "reader",
    responses((status = 200, description = "Canonical bytes", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn manifest(State(api): State<Api>) -> Result<Response, ApiError> {
    let mut finals = api.ledger.finals();
    let ask = async {
        loop {
            let _ = finals.borrow_and_update();
            let manifest = api.read(|ledger| Ok(ledger.snapshot()?)).await?;
            if let Some(manifest) = manifest {
                return Ok(manifest);
            }
            if finals.changed().await.is_err() {
                return Err(ApiError::new(DoorCode::Stopping));
            }
        }
    };
    let asked = api.stop.run_until_cancelled(tokio::time::timeout(FINAL_WAIT, ask)).await;
    let asked = asked.ok_or_else(|| ApiError::new(DoorCode::Stopping))?;
    let manifest = asked.map_err(|_| ApiError::new(DoorCode::NotFinal).retry_after(1))??;
    Ok(answer(manifest.encode()))
}

/// Which rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    height: u64,
    after: Option<String>,
}

/// Rows of a snapshot
///
/// A page of rows in the order of their storage keys (docs/FORMAT.md), about half a megabyte. Of the snapshot whose
/// manifest names `height`; 410 `snapshot_gone` when it is not held any more.
#[utoipa::path(get, path = "/v1/snapshot/rows", operation_id = "snapshot_rows", tag = "reader",
    params(
        ("height" = u64, Query, description = "Height of the manifest's seal"),
        ("after" = Option<String>, Query, description = "The last key of the page before, in hexadecimal"),
    ),
    responses((status = 200, description = "A page of rows", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn rows(
    State(api): State<Api>,
    QueryOf(wanted): QueryOf<Wanted>,
) -> Result<Response, ApiError> {
    let Wanted { height, after } = wanted;
    let after = after.map(hex::decode).transpose();
    let after = after.map_err(|_| {
        ApiError::new(DoorCode::BadParameter).because("after is a key in hexadecimal")
    })?;
    let page = api.read(move |ledger| Ok(ledger.snapshot_rows(height, after.as_deref())?)).await?;
    page.map(answer).ok_or_else(|| DoorCode::SnapshotGone.into())
}

fn answer(bytes: Vec<u8>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, bytes).into_response()
}

impl Api {
    /// Refuses to speak of a block of which this node knows nothing.
    pub(in crate::http) fn knows_block(&self, height: u64) -> Result<(), ApiError> {
        self.knows(|base| height >= base.height)
    }

    /// Refuses to speak of what a leaf did that this node never executed.
    pub(in crate::http) fn knows_leaf(&self, leaf: u64) -> Result<(), ApiError> {
        self.knows(|base| leaf >= base.size)
    }

    /// Refuses, if this node's knowledge has a beginning, to say that nothing came before.
    pub(in crate::http) fn knows_all(&self) -> Result<(), ApiError> {
        self.knows(|_| false)
    }

    fn knows(
        &self,
        enough: impl FnOnce(musubi_ledger::execute::Head) -> bool,
    ) -> Result<(), ApiError> {
        match self.ledger.base() {
            Some(base) if !enough(base) => {
                let (height, size) = (base.height, base.size);
                let since =
                    format!("it knows blocks from {height} and what leaves did from {size} on");
                Err(ApiError::new(DoorCode::BeforeSnapshot).because(since))
            }
            _ => Ok(()),
        }
    }
}
