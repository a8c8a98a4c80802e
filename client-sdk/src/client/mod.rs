//! The client: one ledger behind one or several nodes, any of which may be asked anything.
//!
//! This file owns configuration; `http.rs` moves bytes; `reads.rs` has one method per route;
//! `memos.rs` fetches and erases memos; `proofs.rs` fetches what is checked offline; `submit.rs` drives the retry machine;
//! `test_time.rs` sets the clocks of a test's chain.

mod http;
mod memos;
mod proofs;
mod reads;
mod statements;
mod submit;
mod test_time;

use std::sync::Arc;

use crate::{error::ClientError, retry::Policy};

pub(crate) use http::{Http, Reply, Transport, parse_problem};
pub use reads::Stored;
pub(crate) use submit::{BulkReply, answer_of, check_size, conclude, moment};
pub use submit::{BulkResult, Wait};

/// How to reach a ledger.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Base URLs of nodes, such as `http://127.0.0.1:7001`; the first is asked first.
    pub nodes: Vec<String>,
    /// The reader token, for everything about parties.
    pub token: Option<String>,
    /// How long one read may take, in milliseconds.
    pub read_timeout_ms: u64,
    /// How long a node may wait for a commit before it answers `pending`, in milliseconds.
    pub commit_timeout_ms: u64,
    /// When to try again and when to stop.
    pub policy: Policy,
}

impl ClientConfig {
    /// The usual time-outs.
    #[must_use]
    pub fn new<S: Into<String>>(nodes: impl IntoIterator<Item = S>) -> Self {
        Self {
            nodes: nodes.into_iter().map(Into::into).collect(),
            token: None,
            read_timeout_ms: 15_000,
            commit_timeout_ms: 10_000,
            policy: Policy::default(),
        }
    }

    /// With a reader token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// A connection to a ledger. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: Arc<Http>,
    config: Arc<ClientConfig>,
}

impl Client {
    /// Checks the configuration; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::NoNodes`] or [`ClientError::BadUrl`].
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let http = Http::new(&config)?;
        Ok(Self { http: Arc::new(http), config: Arc::new(config) })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }
}
