//! HTTP: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`, with bounds on all that a stranger can
//! make the witness hold.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::{Body, to_bytes};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use musubi_ledger::tlog::witness::{ADD_CHECKPOINT_PATH, Answer, MAX_REQUEST_BYTES};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::keeper::{Keeper, say};

/// Connections at one time; each may hold one request of [`MAX_REQUEST_BYTES`].
const CONNECTIONS: usize = 128;
/// How long a head, and a body, may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may live.
const LIFE: Duration = Duration::from_secs(300);

/// Answers for ever.
pub(crate) async fn serve(listener: TcpListener, keeper: Arc<Keeper>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            unreachable!("nobody closes the semaphore")
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let keeper = Arc::clone(&keeper);
                tokio::spawn(async move {
                    // Whatever ends a connection concerns the other side alone.
                    let _ = tokio::time::timeout(LIFE, connection(stream, keeper)).await;
                    drop(place);
                });
            }
            Err(error) => {
                say(format_args!("a connection was not accepted: {error}"));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, keeper: Arc<Keeper>) {
    let service = service_fn(move |request| {
        let keeper = Arc::clone(&keeper);
        async move { Ok::<_, Infallible>(answer(request, keeper).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_headers(64)
        .max_header_size(8 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // The other side hung up, or did not speak HTTP: its affair.
    let _ = served;
}

async fn answer(request: Request<Incoming>, keeper: Arc<Keeper>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if path == ADD_CHECKPOINT_PATH {
        if request.method() != Method::POST {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "add-checkpoint is posted to\n");
        }
        return add_checkpoint(request, keeper).await;
    }
    let name = path.strip_prefix('/').and_then(|path| path.strip_suffix("/checkpoint"));
    match name.and_then(origin_hash) {
        Some(hash) if request.method() == Method::GET => match keeper.monitored(&hash) {
            Some(note) => plain(StatusCode::OK, note),
            None => plain(StatusCode::NOT_FOUND, "no checkpoint of this log was cosigned here\n"),
        },
        _ => plain(StatusCode::NOT_FOUND, "POST /add-checkpoint, GET /<origin hash>/checkpoint\n"),
    }
}

/// 64 lower-case hex digits, and nothing else.
fn origin_hash(name: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(name, &mut hash).ok()?;
    (hex::encode(hash) == name).then_some(hash)
}

async fn add_checkpoint(request: Request<Incoming>, keeper: Arc<Keeper>) -> Response<Body> {
    let reading = to_bytes(Body::new(request.into_body()), MAX_REQUEST_BYTES);
    let body = match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the request took too long\n"),
    };
    // If the submitter hangs up now, the witness finishes what it began: a cosignature that is stored and
    // not sent harms nobody.
    let judged = tokio::task::spawn_blocking(move || keeper.add_checkpoint(&body)).await;
    let Ok(Answer { status, content_type, body }) = judged else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "a fault in the witness\n");
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let value = header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

fn plain(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let value = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}
