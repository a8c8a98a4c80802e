//! Proofs of transactions and system actions, to be checked without any node ever after.
//!
//! Made of what is recorded, against the newest final checkpoint that this node has: the same leaf's proof is
//! longer tomorrow and equally good. Whoever cannot wait gets `not_final`.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use musubi_ledger::{
    id::TxId,
    proof::{NoProof, TransactionProof},
    state::{Row, RowKey},
    tlog::{Checkpoint, SignedNote},
};
use serde::Deserialize;

use crate::http::{
    Api,
    access::{Ledger, ReadFault},
    extract::{PathOf, QueryOf},
    problem::{ApiError, DoorCode},
    submit::TIMEOUT_MS_MAX,
    views,
};

/// What a client wants to wait for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WaitFor {
    /// That a final checkpoint covers it.
    Final,
}

/// Query of both routes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wait {
    wait: Option<WaitFor>,
    timeout_ms: Option<u64>,
}

impl Wait {
    /// Until when to wait, if at all.
    fn deadline(self) -> Result<Option<Instant>, ApiError> {
        let ms = self.timeout_ms.unwrap_or(10_000);
        if !(1..=TIMEOUT_MS_MAX).contains(&ms) {
            let why = format!("timeout_ms is 1 to {TIMEOUT_MS_MAX}");
            return Err(ApiError::new(DoorCode::BadParameter).because(why));
        }
        Ok(self.wait.map(|WaitFor::Final| Instant::now() + Duration::from_millis(ms)))
    }
}

/// The proof of a judged transaction
///
/// A C2SP tlog-proof with leaf, inclusion path, final checkpoint, body, signatures and outcome; docs/PROOFS.md says how
/// to check it. 409 `not_final` until a final checkpoint covers it.
#[utoipa::path(get, path = "/v1/proofs/{id}", operation_id = "proof", tag = "reader",
    params(
        ("id" = String, Path, description = "Transaction id", pattern = "^[0-9a-f]{64}$"),
        ("wait" = Option<String>, Query, description = "`final`: answer when it is judged and final"),
        ("timeout_ms" = Option<u64>, Query, description = "How long to wait, 1 to 30000; 10000 by default"),
    ),
    responses((status = 200, description = "A proof file", body = String, content_type = "text/plain; charset=utf-8")))]
pub(in crate::http) async fn proof(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
    QueryOf(wait): QueryOf<Wait>,
) -> Result<Response, ApiError> {
    let deadline = wait.deadline()?;
    let leaf = judged(&api, id, deadline).await.map_err(|error| error.about(id))?;
    api.knows_leaf(leaf).map_err(|error| error.about(id))?;
    covered(&api, leaf, deadline).await.map_err(|error| error.about(id))?;
    prove(&api, leaf).await
}

/// The proof of a leaf by its index
///
/// As that of a transaction; the way to a system action's. Seals and genesis leaves have public bodies and no proof.
#[utoipa::path(get, path = "/v1/leaves/{index}/proof", operation_id = "leaf_proof", tag = "reader",
    params(
        ("index" = u64, Path, description = "The leaf's place in the log, from 0"),
        ("wait" = Option<String>, Query, description = "`final`: answer when it is final"),
        ("timeout_ms" = Option<u64>, Query, description = "How long to wait, 1 to 30000; 10000 by default"),
    ),
    responses((status = 200, description = "A proof file", body = String, content_type = "text/plain; charset=utf-8")))]
pub(in crate::http) async fn leaf_proof(
    State(api): State<Api>,
    PathOf(index): PathOf<u64>,
    QueryOf(wait): QueryOf<Wait>,
) -> Result<Response, ApiError> {
    let deadline = wait.deadline()?;
    if index >= api.head().size {
        return Err(ApiError::new(DoorCode::NotFound).because("the log is not that long yet"));
    }
    api.knows_leaf(index)?;
    covered(&api, index, deadline).await?;
    prove(&api, index).await
}

/// The leaf of a judged transaction; with a deadline, waits for its verdict.
async fn judged(api: &Api, id: TxId, deadline: Option<Instant>) -> Result<u64, ApiError> {
    let mut heads = api.ledger.heads();
    loop {
        // Marked as seen before the row is read: a block that comes behind the read is news.
        let _ = heads.borrow_and_update();
        let row = api.read(move |ledger| Ok(ledger.state().row(&RowKey::Judged(id)))).await?;
        if let Some(Row::Judged(judged)) = row {
            return Ok(judged.leaf);
        }
        if !until(api, deadline, heads.changed()).await {
            return Err(DoorCode::NotFound.into());
        }
    }
}

/// Waits until the newest final checkpoint covers a leaf.
async fn covered(api: &Api, leaf: u64, deadline: Option<Instant>) -> Result<(), ApiError> {
    let mut finals = api.ledger.finals();
    if *finals.borrow_and_update() > leaf
        || until(api, deadline, finals.wait_for(|size| *size > leaf)).await
    {
        return Ok(());
    }
    Err(not_final())
}

fn not_final() -> ApiError {
    ApiError::new(DoorCode::NotFinal).retry_after(1)
}

/// Whether it happened in time; at once false without a deadline, and when the node stops.
async fn until<T, E>(
    api: &Api,
    deadline: Option<Instant>,
    happens: impl Future<Output = Result<T, E>>,
) -> bool {
    let Some(deadline) = deadline else { return false };
    tokio::select! {
        happened = tokio::time::timeout_at(deadline.into(), happens) => matches!(happened, Ok(Ok(_))),
        () = api.stop.cancelled() => false,
    }
}

async fn prove(api: &Api, leaf: u64) -> Result<Response, ApiError> {
    let proof = api.read(move |ledger| made(ledger, leaf)).await?;
    let name = format!("attachment; filename=\"{}.tlog-proof\"", proof.claimed_id());
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, proof.to_string()).into_response())
}

fn made(ledger: &dyn Ledger, leaf: u64) -> Result<TransactionProof, ApiError> {
    let nothing = || ApiError::new(DoorCode::NotFound).because(NoProof::NothingToOpen);
    let note = ledger.checkpoint()?.ok_or_else(not_final)?;
    let size = size_of(&note)?;
    if leaf >= size {
        return Err(not_final());
    }
    let recorded = ledger.entries(&[leaf])?.pop().ok_or_else(nothing)?;
    let transaction = recorded.transaction.map(|bytes| views::decode(&bytes)).transpose()?;
    let path = ledger.inclusion(leaf, size)?;
    match TransactionProof::make(&recorded.entry, transaction, path, note) {
        Ok(proof) => Ok(proof),
        Err(NoProof::NothingToOpen) => Err(nothing()),
        Err(cause) => Err(ReadFault(format!("leaf {leaf}: {cause}")).into()),
    }
}

/// The size of a checkpoint that this node keeps.
fn size_of(note: &str) -> Result<u64, ReadFault> {
    let fault = || ReadFault("the final checkpoint".into());
    let note: SignedNote = note.parse().map_err(|_| fault())?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|_| fault())?;
    Ok(checkpoint.size())
}
