//! Request bodies: bounded in size and time, never compressed.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, header},
};
use futures::StreamExt;

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

/// Reads a whole body of at most `most` bytes.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    most: usize,
    patience: Duration,
) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(DoorCode::BodyTooLarge).because(format!("at most {most} bytes"));
    // A declared length is refused before a byte of it is read.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let mut whole = Vec::with_capacity(declared.unwrap_or(0).min(most));
    let mut chunks = body.into_data_stream();
    let gather = async {
        while let Some(chunk) = chunks.next().await {
            // The connection broke, or its framing did: nobody is left to read a better answer.
            let chunk = chunk.map_err(|_| ApiError::new(DoorCode::RequestTimeout))?;
            if whole.len() + chunk.len() > most {
                return Err(too_large());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(patience, gather).await {
        Ok(Ok(())) => Ok(whole.into()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(DoorCode::RequestTimeout.into()),
    }
}
