//! Request bodies: bounded in size and time, all together in memory, never compressed.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
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

/// Reads a whole body of at most `most` bytes. The budget is charged for what has arrived, not for what was
/// announced: who announces much and sends little takes no room from others.
pub(super) async fn read(
    budget: &Arc<Semaphore>,
    body: Body,
    most: usize,
    patience: Duration,
) -> Result<Held, ApiError> {
    let too_large =
        || ApiError::new(DoorCode::BodyTooLarge).because(format!("at most {most} bytes"));
    // A declared length is refused before a byte of it is read.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let mut whole = Vec::new();
    let mut permit: Option<OwnedSemaphorePermit> = None;
    let mut chunks = body.into_data_stream();
    let gather = async {
        while let Some(chunk) = chunks.next().await {
            // The connection broke, or its framing did: nobody is left to read a better answer.
            let chunk = chunk.map_err(|_| ApiError::new(DoorCode::RequestTimeout))?;
            if whole.len() + chunk.len() > most {
                return Err(too_large());
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
        Ok(())
    };
    match tokio::time::timeout(patience, gather).await {
        Ok(Ok(())) => Ok(Held { bytes: whole.into(), permit }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(DoorCode::RequestTimeout.into()),
    }
}
