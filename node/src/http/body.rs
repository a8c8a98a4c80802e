//! Request bodies: bounded in size and time, all together in memory, never compressed.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody},
    http::{HeaderMap, header},
};
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{ApiError, DoorCode};

/// The request's media type, without parameters; empty if it names none.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim()
}

/// Refuses compressed bodies: a small one could stand for a huge one.
pub(super) fn not_encoded(headers: &HeaderMap) -> Result<(), ApiError> {
    let identity =
        |value: &axum::http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().all(identity) {
        Ok(())
    } else {
        Err(DoorCode::UnsupportedMediaType.into())
    }
}

/// A whole body, and its part of the budget for bodies in memory.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// What is read and thrown away of a refused body, at the most. Four times the largest that any route takes: beyond
/// that the connection is cut.
const DISCARD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long that may take.
const DISCARD_TIME_MAX: Duration = Duration::from_secs(2);

/// Reads a whole body of at most `most` bytes. The budget is charged for what has arrived, not for what was
/// announced: who announces much and sends little takes no room from others.
pub(super) async fn read(
    budget: &Arc<Semaphore>,
    body: Body,
    most: usize,
    patience: Duration,
) -> Result<Held, ApiError> {
    // A declared length is refused before a byte of it is kept.
    let declared = body.size_hint().lower();
    let mut chunks = body.into_data_stream();
    let held = if declared > most as u64 {
        Err(too_large(most))
    } else {
        match tokio::time::timeout(patience, gather(budget, &mut chunks, most)).await {
            Ok(held) => held,
            // Who is slow hears so, if at all, without more of our time.
            Err(_) => return Err(DoorCode::RequestTimeout.into()),
        }
    };
    // A body that is announced as larger is cut off at once.
    if held.is_err() && declared <= DISCARD_BYTES_MAX as u64 {
        discard(&mut chunks).await;
    }
    held
}

fn too_large(most: usize) -> ApiError {
    ApiError::new(DoorCode::BodyTooLarge).because(format!("at most {most} bytes"))
}

/// Keeps what arrives, up to `most` bytes, each of them within the budget.
async fn gather(
    budget: &Arc<Semaphore>,
    chunks: &mut BodyDataStream,
    most: usize,
) -> Result<Held, ApiError> {
    let mut whole = Vec::new();
    let mut permit: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = chunks.next().await {
        // The connection broke, or its framing did: nobody is left to read a better answer.
        let chunk = chunk.map_err(|_| ApiError::new(DoorCode::RequestTimeout))?;
        if whole.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        let weight = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let more = Arc::clone(budget).try_acquire_many_owned(weight);
        let more = more.map_err(|_| ApiError::new(DoorCode::Busy))?;
        match &mut permit {
            Some(permit) => permit.merge(more),
            None => permit = Some(more),
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(Held { bytes: whole.into(), permit })
}

/// Throws away what a refused client is still sending, within bounds. Closed with bytes unread, the connection would be
/// reset, and the answer lost before the client has read it (RFC 9112, section 9.6).
async fn discard(chunks: &mut BodyDataStream) {
    let reading = async {
        let mut left = DISCARD_BYTES_MAX;
        while let Some(Ok(chunk)) = chunks.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // However it ends, the answer is the refusal that was decided.
    let _ = tokio::time::timeout(DISCARD_TIME_MAX, reading).await;
}
