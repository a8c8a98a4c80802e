//! Memos: submitted with the transaction that cites them, read by hash, erased by operators.

use std::time::{Duration, Instant};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use musubi_ledger::{
    api::Status,
    code::Code,
    hash::sha256,
    id::{DocumentHash, TxId},
    limits,
    memo::{self, MemoBlob},
    transaction::Transaction,
};
use musubi_storage::StoreError;
use serde::{Deserialize, Serialize};

use super::{
    Api, Peer,
    access::ReadFault,
    body::{self, Held},
    check::{Answered, Finding, Raw},
    extract::{PathOf, QueryOf},
    problem::{ApiError, DoorCode},
    submit::{Wait, answer},
};
use crate::memos::{Found, Taken};

/// Longest wait for a blob that another node may have.
const WAIT_MS_MAX: u64 = 10_000;
const WAIT_MS: u64 = 2_000;

/// A blob that came with a transaction, which cites it.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    memo: DocumentHash,
    blob: Vec<u8>,
}

/// Submit one transaction with its memo
///
/// As `POST /v1/transactions`, and the memo's blob with it, which the node keeps if the transaction is applied.
/// Idempotent; also for a transaction that was applied without its memo.
#[utoipa::path(post, path = "/v1/memos", operation_id = "submit_with_memo", tag = "submission",
    params(
        ("wait" = Option<String>, Query, description = "`committed`: answer when there is a verdict; `final`: when a final checkpoint covers it"),
        ("timeout_ms" = Option<u64>, Query, description = "How long to wait, 1 to 30000; 10000 by default"),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "Canonical bytes of a signed transaction, then those of the blob that its body cites, each behind its length as big-endian u32 (docs/FORMAT.md)"),
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
    if body::media_type(&headers) != "application/octet-stream" {
        return Err(DoorCode::UnsupportedMediaType.into());
    }
    let most = limits::TRANSACTION_BYTES_MAX + limits::MEMO_BLOB_BYTES_MAX + 8;
    let Held { bytes, permit } =
        body::read(&api.bodies, body, most, api.config.limits.body_timeout()).await?;
    let malformed = |error: memo::MemoError| ApiError::new(DoorCode::MalformedMemo).because(error);
    let (transaction, blob) = memo::split(&bytes).map_err(malformed)?;
    MemoBlob::decode(blob).map_err(malformed)?;
    let brought = Brought { memo: DocumentHash(sha256(blob)), blob: blob.to_vec() };
    // What is no transaction is refused behind, as everywhere.
    let cited = Transaction::decode(transaction).map(|transaction| transaction.body.memo);
    if cited.is_ok_and(|cited| cited != Some(brought.memo)) {
        return Err(DoorCode::OtherMemo.into());
    }
    let raw = Raw::Canonical(bytes.slice_ref(transaction));
    let mut answers = api.admit(ip, vec![raw], (permit, Some(brought)), patience).await?;
    answer(answers.pop().expect("one answer per item")?)
}

/// A memo's blob
///
/// Encrypted: only its readers' keys open it. Where a node has executed the transaction that cites it and lacks the
/// blob, it asks the others for it.
#[utoipa::path(get, path = "/v1/memos/{hash}", operation_id = "memo", tag = "reader",
    params(
        ("hash" = String, Path, description = "The body's `memo`", pattern = "^[0-9a-f]{64}$"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait for it to come from another node, at most 10000; 2000 by default"),
    ),
    responses((status = 200, description = "Canonical bytes of the blob (docs/FORMAT.md)", body = String, content_type = "application/octet-stream")))]
pub(super) async fn blob(
    State(api): State<Api>,
    PathOf(memo): PathOf<DocumentHash>,
    QueryOf(query): QueryOf<Patience>,
) -> Result<Response, ApiError> {
    let wait_ms = query.wait_ms.unwrap_or(WAIT_MS);
    if wait_ms > WAIT_MS_MAX {
        let why = format!("wait_ms is at most {WAIT_MS_MAX}");
        return Err(ApiError::new(DoorCode::BadParameter).because(why));
    }
    let until = tokio::time::Instant::now() + Duration::from_millis(wait_ms);
    let mut news = api.ledger.memos().news();
    loop {
        news.mark_unchanged();
        let found = api.read(move |ledger| ledger.memos().find(&memo).map_err(failed)).await?;
        match found {
            Found::Here(blob) => return Ok(served(blob)),
            Found::Erased => return Err(DoorCode::MemoErased.into()),
            Found::Unknown => {
                let why = "no applied transaction that this node has executed cites this memo";
                return Err(ApiError::new(DoorCode::NotFound).because(why));
            }
            Found::Wanted => api.ledger.memos().ask(memo),
        }
        // One of the feeds: who waits takes no turn from readers.
        let permit = api.feeds.try_acquire();
        let _permit =
            permit.map_err(|_| ApiError::new(DoorCode::Busy).because("too many feeds"))?;
        let changed = tokio::time::timeout_at(until, news.changed());
        match api.stop.run_until_cancelled(changed).await {
            Some(Ok(Ok(()))) => {}
            _ => return Err(ApiError::new(DoorCode::MemoNotHere).retry_after(1)),
        }
    }
}

fn served(blob: Vec<u8>) -> Response {
    // Nobody may keep it longer than this node does.
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, blob).into_response()
}

/// Query of [`blob`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patience {
    wait_ms: Option<u64>,
}

/// What an erasure found.
#[derive(Debug, Serialize)]
pub(super) struct ErasedMemo {
    memo: DocumentHash,
    was_here: bool,
}

/// Erase a memo on this node
///
/// For good: the blob goes, and does not come back from another node. Each node is told by itself. Known or not,
/// the answer says whether the blob was here.
#[utoipa::path(delete, path = "/v1/memos/{hash}", operation_id = "erase_memo", tag = "operator",
    params(("hash" = String, Path, description = "The body's `memo`", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "Erased, durably", body = ref("#/components/schemas/ErasedMemo"))))]
pub(super) async fn erase(
    State(api): State<Api>,
    PathOf(memo): PathOf<DocumentHash>,
) -> Result<Json<ErasedMemo>, ApiError> {
    let was_here = api.read(move |ledger| ledger.memos().erase(&memo).map_err(failed)).await?;
    Ok(Json(ErasedMemo { memo, was_here }))
}

fn failed(error: StoreError) -> ApiError {
    ReadFault(error.to_string()).into()
}

impl Api {
    /// Keeps the blob of a submission that passed the door, or was applied before; it is on its way to the disk
    /// before the transaction goes on.
    pub(super) async fn keep_memo(
        &self,
        finding: Finding,
        Brought { memo, blob }: Brought,
    ) -> Result<Finding, ApiError> {
        let (of, applied) = match &finding {
            Ok(submission) => ((submission.id, submission.transaction.body.expires), false),
            Err(Answered::Judged(id, judged)) if judged.code == Code::Applied => {
                ((*id, self.head().time), true)
            }
            Err(_) => return Ok(finding),
        };
        let offer = move |ledger: &dyn super::Ledger| {
            ledger.memos().offer(&memo, &blob, of, applied).map_err(failed)
        };
        match self.read(offer).await? {
            Taken::Here => Ok(finding),
            Taken::Erased => Err(ApiError::new(DoorCode::MemoErased).about(of.0)),
            Taken::Full => Err(ApiError::new(DoorCode::Busy).because("too many memos wait")),
        }
    }

    /// Drops the blob of a submission that was refused behind the door.
    pub(super) async fn drop_refused_memo(
        &self,
        memo: DocumentHash,
        id: TxId,
        answer: &Result<Status, ApiError>,
    ) {
        // Another copy of it may be on its way, and needs the blob.
        if answer.is_err() && !self.ledger.pending(&id) {
            let drop = move |ledger: &dyn super::Ledger| {
                ledger.memos().turned_away(&memo, &id).map_err(failed)
            };
            // If that fails it waits until the transaction expires.
            let _ = self.read(drop).await;
        }
    }
}

impl Brought {
    /// Its hash.
    pub(super) fn memo(&self) -> DocumentHash {
        self.memo
    }
}
