//! Submissions: one transaction, or many at once.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use musubi_ledger::{
    api::{Problem, Status},
    code::Code,
    id::TxId,
    limits,
    state::{Row, RowKey},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{
    Api, Peer,
    access::{Admission, CheckedSubmission, Fate},
    body,
    check::{Finding, Raw},
    extract::QueryOf,
    problem::{ApiError, DoorCode},
    views,
};
use crate::metrics::Stage;

/// Longest wait that a client may ask for.
const TIMEOUT_MS_MAX: u64 = 30_000;

/// What a client wants to wait for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WaitFor {
    /// The verdict, executed and on a quorum's disks.
    Committed,
}

/// Query of both submission routes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    wait: Option<WaitFor>,
    timeout_ms: Option<u64>,
}

impl Wait {
    /// Until when to wait, if at all.
    fn deadline(self, now: Instant) -> Result<Option<Instant>, ApiError> {
        let ms = self.timeout_ms.unwrap_or(10_000);
        if !(1..=TIMEOUT_MS_MAX).contains(&ms) {
            let why = format!("timeout_ms is 1 to {TIMEOUT_MS_MAX}");
            return Err(ApiError::new(DoorCode::BadParameter).because(why));
        }
        Ok(self.wait.map(|WaitFor::Committed| now + Duration::from_millis(ms)))
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
        ("wait" = Option<String>, Query, description = "`committed`: answer when there is a verdict"),
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
    let deadline = wait.deadline(Instant::now())?;
    body::not_encoded(&headers)?;
    let json = match body::media_type(&headers) {
        "application/json" => true,
        "application/octet-stream" => false,
        _ => return Err(DoorCode::UnsupportedMediaType.into()),
    };
    let most = if json { limits::HTTP_BODY_BYTES_MAX } else { limits::TRANSACTION_BYTES_MAX };
    let body = body::read(&headers, body, most, api.config.limits.body_timeout()).await?;
    let raw = if json { Raw::Json(body) } else { Raw::Canonical(body) };
    let mut answers = api.admit(ip, vec![raw], deadline).await?;
    let status = answers.pop().expect("one answer per item")?;
    let http = match status.stage {
        musubi_ledger::api::Stage::Pending | musubi_ledger::api::Stage::Unknown => {
            StatusCode::ACCEPTED
        }
        musubi_ledger::api::Stage::Judged | musubi_ledger::api::Stage::Void => StatusCode::OK,
    };
    Ok((http, [(header::CACHE_CONTROL, "no-store")], Json(status)).into_response())
}

/// Submit many transactions
///
/// The body repeats: length as big-endian u32, canonical bytes of one transaction. Each item has its own
/// answer, in order; nothing is atomic across items.
#[utoipa::path(post, path = "/v1/transactions/bulk", operation_id = "submit_bulk", tag = "submission",
    params(
        ("wait" = Option<String>, Query, description = "`committed`: answer when every admitted item has a verdict"),
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
    let deadline = wait.deadline(Instant::now())?;
    body::not_encoded(&headers)?;
    if body::media_type(&headers) != "application/octet-stream" {
        return Err(DoorCode::UnsupportedMediaType.into());
    }
    let most = limits::HTTP_BULK_BYTES_MAX + limits::BATCH_ITEMS_MAX * LENGTH_BYTES;
    let body = body::read(&headers, body, most, api.config.limits.body_timeout()).await?;
    let answers = api.admit(ip, split_bulk(&body)?, deadline).await?;
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

/// An item on its way to its answer.
enum Placed {
    Answered(Result<Status, ApiError>),
    OnTheWay(TxId, Option<oneshot::Receiver<Fate>>),
}

impl Api {
    /// Takes transactions through the door and, with a deadline, follows them to their results.
    async fn admit(
        &self,
        ip: IpAddr,
        items: Vec<Raw>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Result<Status, ApiError>>, ApiError> {
        let begun = Instant::now();
        self.take_rate(self.per_ip.as_ref(), ip, items.len())?;
        let findings = self.door_checks.check(items).await?;
        let placed = self.hand_over(findings, deadline.is_some());
        let mut answers = Vec::with_capacity(placed.len());
        for item in placed {
            answers.push(match item {
                Placed::Answered(answer) => answer,
                Placed::OnTheWay(id, None) => Ok(views::pending(id, self.head())),
                Placed::OnTheWay(id, Some(fate)) => self.follow(id, fate, deadline).await,
            });
        }
        if deadline.is_some() {
            self.metrics.stage(Stage::Follow, begun.elapsed());
        }
        Ok(answers)
    }

    /// Gives what is fit to the node's door, all in one step.
    fn hand_over(&self, findings: Vec<Finding>, follow: bool) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::with_capacity(findings.len());
        let mut fit = Vec::new();
        for finding in findings {
            placed.push(match finding {
                Finding::Judged(id, judged) => {
                    Placed::Answered(Ok(views::judged(id, &judged, self.head())))
                }
                Finding::Refused(error) => Placed::Answered(Err(error)),
                Finding::Fit(submission) => {
                    let id = submission.id;
                    match self.take_key_rates(&submission) {
                        Ok(()) => {
                            fit.push((placed.len(), submission));
                            Placed::OnTheWay(id, None)
                        }
                        Err(error) => Placed::Answered(Err(error.about(id))),
                    }
                }
            });
        }
        if fit.is_empty() {
            return placed;
        }
        let (places, submissions): (Vec<usize>, Vec<_>) = fit.into_iter().unzip();
        let admissions = self.door.submit(submissions, follow);
        assert_eq!(admissions.len(), places.len(), "a door answers every submission");
        let mut admitted = 0;
        for (place, admission) in places.into_iter().zip(admissions) {
            let Placed::OnTheWay(id, fate) = &mut placed[place] else { continue };
            match admission {
                Admission::Admitted(receiver) => {
                    *fate = receiver;
                    admitted += 1;
                }
                Admission::Refused(why) => {
                    placed[place] = Placed::Answered(Err(ApiError::from(why).about(*id)));
                }
            }
        }
        self.metrics.admitted(admitted);
        placed
    }

    /// Charges every key that signed: the signatures hold, so nobody can use up another's rate.
    fn take_key_rates(&self, submission: &CheckedSubmission) -> Result<(), ApiError> {
        let mut signatures = submission.transaction.signatures.iter();
        signatures.try_for_each(|s| self.take_rate(self.per_key.as_ref(), s.signer, 1))
    }

    /// Waits for one result; past the deadline the item is pending.
    async fn follow(
        &self,
        id: TxId,
        fate: oneshot::Receiver<Fate>,
        deadline: Option<Instant>,
    ) -> Result<Status, ApiError> {
        let deadline = deadline.unwrap_or_else(Instant::now);
        let fate = tokio::select! {
            fate = tokio::time::timeout_at(deadline.into(), fate) => fate,
            () = self.stop.cancelled() => return Ok(views::pending(id, self.head())),
        };
        match fate {
            Ok(Ok(Fate::Ordered { result, .. })) if result.code == Code::AlreadyJudged => {
                // Another copy of it was quicker: its verdict is this one's.
                self.status(id).await
            }
            Ok(Ok(Fate::Ordered { head, result })) => {
                Ok(views::ordered(&result, head, self.head()))
            }
            Ok(Ok(Fate::Refused(why))) => Err(ApiError::from(why).about(id)),
            Ok(Err(_)) | Err(_) => Ok(views::pending(id, self.head())),
        }
    }

    /// Where a transaction stands.
    pub(super) async fn status(&self, id: TxId) -> Result<Status, ApiError> {
        // The head first: what is absent then is absent at that head or a later one.
        let head = self.head();
        let pending = self.ledger.pending(&id);
        let row = self.read(move |ledger| Ok(ledger.state().row(&RowKey::Judged(id)))).await?;
        Ok(match row {
            Some(Row::Judged(judged)) => views::judged(id, &judged, head),
            _ if pending => views::pending(id, head),
            _ => views::unknown(id, head),
        })
    }
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
