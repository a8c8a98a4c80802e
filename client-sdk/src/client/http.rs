//! Moving bytes: requests to one node, reads that fail over to the next. This folder and `watch.rs`
//! are the only places that name reqwest.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use musubi_ledger::api::Problem;
use reqwest::{Method, Url, header};
use serde::de::DeserializeOwned;

use super::ClientConfig;
use crate::error::ClientError;

/// Most that one answer may bring: a page of entries of the largest batches.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to the nodes.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    nodes: Vec<Url>,
    token: Option<header::HeaderValue>,
    read_timeout: Duration,
    /// The node that answered last: asked first next time.
    preferred: AtomicUsize,
}

/// What a node answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) node: usize,
    pub(crate) status: u16,
    pub(crate) retry_after_ms: Option<u64>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Transport {
    /// No connection: nothing was sent.
    NotSent(String),
    /// Sent, then silence.
    Lost(String),
}

impl Transport {
    pub(crate) fn cause(self) -> String {
        match self {
            Self::NotSent(cause) | Self::Lost(cause) => cause,
        }
    }
}

/// A body to post.
pub(crate) struct Post<'a> {
    pub(crate) path: &'a str,
    /// With its question mark, or empty.
    pub(crate) query: String,
    pub(crate) media: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
}

impl Http {
    pub(super) fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        if config.nodes.is_empty() {
            return Err(ClientError::NoNodes);
        }
        let nodes = config.nodes.iter().map(|url| parse_url(url));
        let token = config.token.as_ref().map(|token| {
            let value = header::HeaderValue::try_from(format!("Bearer {token}"));
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        let bad = |cause: String| ClientError::BadUrl { url: "reader token".into(), cause };
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("musubi-sdk/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| bad(cause.to_string()))?;
        Ok(Self {
            client,
            nodes: nodes.collect::<Result<_, _>>()?,
            token: token.transpose().map_err(|cause| bad(cause.to_string()))?,
            read_timeout: Duration::from_millis(config.read_timeout_ms),
            preferred: AtomicUsize::new(0),
        })
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A node's address, for messages.
    pub(crate) fn name(&self, node: usize) -> String {
        self.nodes[node].as_str().trim_end_matches('/').into()
    }

    /// The node that answered last.
    pub(crate) fn preferred(&self) -> usize {
        self.preferred.load(Ordering::Relaxed) % self.nodes.len()
    }

    /// Begins a GET whose body the caller reads as it comes.
    pub(crate) async fn open(
        &self,
        node: usize,
        path: &str,
        more: &[(&'static str, String)],
    ) -> Result<reqwest::Response, Transport> {
        let mut request = self.request(Method::GET, node, path);
        for (name, value) in more {
            request = request.header(*name, value);
        }
        request.send().await.map_err(transport)
    }

    /// Posts to one node, without retry: that is the retry machine's work.
    pub(crate) async fn post(&self, node: usize, post: Post<'_>) -> Result<Reply, Transport> {
        let path = format!("{}{}", post.path, post.query);
        let request = self
            .request(Method::POST, node, &path)
            .header(header::CONTENT_TYPE, post.media)
            .timeout(post.timeout)
            .body(post.body);
        let reply = self.run(node, request).await?;
        // A node that cannot serve at the moment is no better to begin with than any other.
        if !matches!(reply.status, 429 | 500..=599) {
            self.preferred.store(node, Ordering::Relaxed);
        }
        Ok(reply)
    }

    /// Asks one node.
    pub(crate) async fn get_from(&self, node: usize, path: &str) -> Result<Reply, Transport> {
        let request = self.request(Method::GET, node, path);
        self.run(node, request.timeout(self.read_timeout)).await
    }

    /// Has one node delete something.
    pub(crate) async fn delete_at(&self, node: usize, path: &str) -> Result<Reply, Transport> {
        let request = self.request(Method::DELETE, node, path);
        self.run(node, request.timeout(self.read_timeout)).await
    }

    /// Asks the nodes in turn, twice, until one answers with success or a refusal of its own.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, ClientError> {
        let first = self.preferred();
        let mut last = None;
        for attempt in 0..2 * self.nodes() {
            let node = (first + attempt) % self.nodes();
            match self.get_from(node, path).await {
                Ok(reply) if matches!(reply.status, 429 | 500..=599) => {
                    last = Some(self.refusal(&reply));
                }
                Ok(reply) if (200..300).contains(&reply.status) => {
                    self.preferred.store(node, Ordering::Relaxed);
                    return Ok(reply);
                }
                Ok(reply) => return Err(self.refusal(&reply)),
                Err(transport) => {
                    last = Some(ClientError::Unreachable {
                        node: self.name(node),
                        cause: transport.cause(),
                    });
                }
            }
            if attempt + 1 == self.nodes() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Err(last.unwrap_or(ClientError::NoNodes))
    }

    /// Asks for JSON.
    pub(crate) async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let reply = self.get(path).await?;
        self.json(&reply)
    }

    /// Reads a reply's JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T, ClientError> {
        serde_json::from_slice(&reply.body).map_err(|cause| ClientError::BadAnswer {
            node: self.name(reply.node),
            what: cause.to_string(),
        })
    }

    /// A reply that is no success, as an error.
    pub(crate) fn refusal(&self, reply: &Reply) -> ClientError {
        match parse_problem(&reply.body) {
            Some(problem) => ClientError::Problem(Box::new(problem)),
            None => ClientError::BadAnswer {
                node: self.name(reply.node),
                what: format!("HTTP status {} without a problem document", reply.status),
            },
        }
    }

    fn request(&self, method: Method, node: usize, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.nodes[node].as_str().trim_end_matches('/'));
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, token),
            None => request,
        }
    }

    async fn run(&self, node: usize, request: reqwest::RequestBuilder) -> Result<Reply, Transport> {
        let mut response = request.send().await.map_err(transport)?;
        let status = response.status().as_u16();
        let seconds = response.headers().get(header::RETRY_AFTER);
        let seconds = seconds.and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let mut body = Vec::new();
        // What breaks here was sent and perhaps acted upon.
        let lost = |cause: reqwest::Error| Transport::Lost(chain(&cause));
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Transport::Lost("an answer beyond all bounds".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { node, status, retry_after_ms: seconds.map(|s| s.min(3_600) * 1_000), body })
    }
}

fn parse_url(text: &str) -> Result<Url, ClientError> {
    let bad = |cause: String| ClientError::BadUrl { url: text.into(), cause };
    let url = Url::parse(text).map_err(|cause| bad(cause.to_string()))?;
    if url.scheme() != "http" {
        // TLS ends at a proxy beside the client or node (docs/OPERATING.md).
        return Err(bad("it must begin with http://".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a query or fragment".into()));
    }
    Ok(url)
}

fn transport(error: reqwest::Error) -> Transport {
    if error.is_connect() || error.is_builder() {
        Transport::NotSent(chain(&error))
    } else {
        Transport::Lost(chain(&error))
    }
}

/// An error with its causes, which reqwest does not print by itself.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A problem document, if that is what it is.
pub(crate) fn parse_problem(body: &[u8]) -> Option<Problem> {
    serde_json::from_slice(body).ok()
}
