//! HTTP requests that a node makes: to a replica's upstreams, to witnesses. The one file that names
//! hyper's client.
//!
//! Every answer has a time in which it must be whole and a size beyond which it is dropped: whoever is at
//! the other end decides nothing about this node's memory. Plain HTTP/1.1, no redirects, no proxies, no
//! TLS: what goes beyond a trusted network goes through a proxy that speaks TLS, as for the API.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request,
    body::{Bytes, Incoming},
    header,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

/// Time in which a connection must stand.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long an idle connection is kept for the next request; a server closes it after five seconds.
const IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept to one host.
const IDLE_MAX: usize = 8;
/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Why there is no answer. None of these says anything about what was asked for.
#[derive(Debug, Error)]
pub enum OutgoingError {
    /// No usable URL.
    #[error("`{0}` is no http:// URL")]
    Url(String),
    /// A token that no header can carry.
    #[error("the token holds characters that a header cannot carry")]
    Token,
    /// No connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// Not whole in time.
    #[error("no whole answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// Longer than the caller takes.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

impl OutgoingError {
    /// Stable code, for metrics and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "bad_url",
            Self::Token => "bad_token",
            Self::Connection(_) => "unreachable",
            Self::TimedOut(_) => "timed_out",
            Self::TooLong(_) => "too_long",
        }
    }
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time from the request to the last byte of the answer.
    pub within: Duration,
    /// Most bytes of the answer's body.
    pub bytes: usize,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its content type, if it names one.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Bytes,
}

/// An answer whose body is taken piece by piece.
#[derive(Debug)]
pub struct Download {
    /// HTTP status.
    pub status: u16,
    body: Incoming,
    /// How long the next piece may take.
    patience: Duration,
}

/// The client: connections to many hosts, kept for the next request. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Outgoing(Client<HttpConnector, Full<Bytes>>);

impl Default for Outgoing {
    fn default() -> Self {
        Self::new()
    }
}

impl Outgoing {
    /// A client without connections. Its requests need a tokio runtime.
    #[must_use]
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Self(client)
    }

    /// Asks for `url`, as the bearer of `token` if there is one.
    ///
    /// # Errors
    /// [`OutgoingError`]; an answer of any status is an answer.
    pub async fn get(
        &self,
        url: &str,
        token: Option<&str>,
        limits: Limits,
    ) -> Result<Answer, OutgoingError> {
        self.whole(request(Method::GET, url, token, None)?, limits).await
    }

    /// Sends `body` to `url`.
    ///
    /// # Errors
    /// [`OutgoingError`]; an answer of any status is an answer.
    pub async fn post(
        &self,
        url: &str,
        token: Option<&str>,
        (content_type, body): (&str, Bytes),
        limits: Limits,
    ) -> Result<Answer, OutgoingError> {
        self.whole(request(Method::POST, url, token, Some((content_type, body)))?, limits).await
    }

    /// Asks for `url` and leaves the body to be taken by [`Download::next`]. Head and each piece must come
    /// within `patience`.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn download(
        &self,
        url: &str,
        token: Option<&str>,
        patience: Duration,
    ) -> Result<Download, OutgoingError> {
        let asked = self.0.request(request(Method::GET, url, token, None)?);
        let answer = timeout_at(Instant::now() + patience, asked).await;
        let answer = answer.map_err(|_| OutgoingError::TimedOut(patience))?.map_err(broken)?;
        let status = answer.status().as_u16();
        Ok(Download { status, body: answer.into_body(), patience })
    }

    async fn whole(
        &self,
        request: Request<Full<Bytes>>,
        limits: Limits,
    ) -> Result<Answer, OutgoingError> {
        let until = Instant::now() + limits.within;
        let late = |_| OutgoingError::TimedOut(limits.within);
        let asked = self.0.request(request);
        let answer = timeout_at(until, asked).await.map_err(late)?.map_err(broken)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, limits.bytes).collect();
        let body = timeout_at(until, body).await.map_err(late)?.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                OutgoingError::TooLong(limits.bytes)
            } else {
                broken(&*error)
            }
        })?;
        let content_type = head.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Answer { status: head.status.as_u16(), content_type, body: body.to_bytes() })
    }
}

impl Download {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`OutgoingError`]; the body is then not whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>, OutgoingError> {
        loop {
            let frame = timeout_at(Instant::now() + self.patience, self.body.frame()).await;
            let frame = frame.map_err(|_| OutgoingError::TimedOut(self.patience))?;
            match frame {
                None => return Ok(None),
                // Trailers carry nothing that anybody asked for.
                Some(frame) => match frame.map_err(broken)?.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    Err(_trailers) => continue,
                },
            }
        }
    }
}

/// Checks the base of URLs that an operator configured: `http://host[:port]`, without path or query.
///
/// # Errors
/// [`OutgoingError::Url`].
pub fn check_base(url: &str) -> Result<(), OutgoingError> {
    let bad = || OutgoingError::Url(url.into());
    let uri: hyper::Uri = url.parse().map_err(|_| bad())?;
    let plain = uri.scheme_str() == Some("http") && uri.query().is_none() && uri.path() == "/";
    if plain && uri.host().is_some_and(|host| !host.is_empty()) && !url.ends_with('/') {
        return Ok(());
    }
    Err(bad())
}

fn request(
    method: Method,
    url: &str,
    token: Option<&str>,
    body: Option<(&str, Bytes)>,
) -> Result<Request<Full<Bytes>>, OutgoingError> {
    if !url.starts_with("http://") {
        return Err(OutgoingError::Url(url.into()));
    }
    let mut request = Request::builder().method(method).uri(url);
    let agent = concat!("musubi-node/", env!("CARGO_PKG_VERSION"));
    request = request.header(header::USER_AGENT, agent);
    if let Some(token) = token {
        let value = header::HeaderValue::from_str(&format!("Bearer {token}"));
        let mut value = value.map_err(|_| OutgoingError::Token)?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let body = match body {
        Some((content_type, body)) => {
            request = request.header(header::CONTENT_TYPE, content_type);
            Full::new(body)
        }
        None => Full::default(),
    };
    request.body(body).map_err(|_| OutgoingError::Url(url.into()))
}

/// The whole chain of causes: hyper's own words alone are "client error".
fn broken(error: impl Causes) -> OutgoingError {
    OutgoingError::Connection(error.causes())
}

trait Causes {
    fn causes(&self) -> String;
}

impl<E: std::error::Error> Causes for E {
    fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::SocketAddr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const LIMITS: Limits = Limits { within: Duration::from_secs(5), bytes: 64 };

    /// Serves one connection: reads a head, writes `answer`, then holds the connection open or closes it.
    async fn serve(
        answer: &'static str,
        hold: bool,
    ) -> (SocketAddr, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            if hold {
                std::future::pending::<()>().await;
            }
            String::from_utf8(head).unwrap()
        });
        (address, task)
    }

    #[tokio::test]
    async fn what_is_asked_for_comes_with_status_type_and_body() {
        let answer =
            "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nno\n";
        let (address, task) = serve(answer, false).await;
        let url = format!("http://{address}/a?b=1");
        let answer = Outgoing::new().get(&url, Some("secret"), LIMITS).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (404, &b"no\n"[..]));
        assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
        let head = task.await.unwrap();
        assert!(head.starts_with("GET /a?b=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: Bearer secret\r\n"), "{head}");
    }

    #[tokio::test]
    async fn what_is_too_long_or_too_slow_is_dropped() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                       41\r\n00000000000000000000000000000000000000000000000000000000000000000\r\n0\r\n\r\n";
        let (address, _task) = serve(chunked, true).await;
        let url = format!("http://{address}/");
        let error = Outgoing::new().get(&url, None, LIMITS).await.unwrap_err();
        assert_eq!(error.code(), "too_long", "{error}");
        let (address, _task) =
            serve("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", true).await;
        let limits = Limits { within: Duration::from_millis(100), ..LIMITS };
        let url = format!("http://{address}/");
        let error = Outgoing::new().get(&url, None, limits).await.unwrap_err();
        assert_eq!(error.code(), "timed_out", "{error}");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_whole() {
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
        let (address, _task) = serve(cut, false).await;
        let url = format!("http://{address}/");
        let patience = Duration::from_secs(5);
        let mut download = Outgoing::new().download(&url, None, patience).await.unwrap();
        assert_eq!(download.next().await.unwrap().unwrap(), "half");
        assert_eq!(download.next().await.unwrap_err().code(), "unreachable");
        // Nobody listens any more.
        let error = Outgoing::new().get(&url, None, LIMITS).await.unwrap_err();
        assert_eq!(error.code(), "unreachable", "{error}");
    }

    #[tokio::test]
    async fn only_what_can_be_asked_is_asked() {
        for bad in ["https://a", "a:80", "http://", "http://a/", "http://a/b", "http://a?b"] {
            assert!(check_base(bad).is_err(), "{bad}");
        }
        check_base("http://node-1.example:8080").unwrap();
        let client = Outgoing::new();
        assert_eq!(client.get("https://a/", None, LIMITS).await.unwrap_err().code(), "bad_url");
        let error = client.get("http://a/", Some("two\nlines"), LIMITS).await.unwrap_err();
        assert_eq!(error.code(), "bad_token");
    }
}
