//! Submitting: the retry machine's steps turned into requests.

use std::time::{Duration, Instant};

use musubi_ledger::{
    api::{Problem, Status},
    limits,
    memo::join,
    transaction::Transaction,
};
use serde::{Deserialize, Serialize};

use super::{
    Client,
    http::{Http, Post, Reply, Transport, parse_problem},
};
use crate::{
    entropy,
    error::ClientError,
    retry::{Answer, Attempts, Conclusion, Moment, Step},
};

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wait {
    /// A node has admitted it; it may still be rejected, or lost with that node.
    Accepted,
    /// It has its verdict, which a quorum keeps.
    #[default]
    Committed,
    /// That, and a final checkpoint covers it. Where that takes longer than one request, the status says
    /// [`musubi_ledger::api::Durability::Committed`]: submit again to go on waiting.
    Final,
}

impl Wait {
    fn query(self, timeout_ms: u64) -> String {
        match self {
            Self::Accepted => String::new(),
            Self::Committed => format!("?wait=committed&timeout_ms={timeout_ms}"),
            Self::Final => format!("?wait=final&timeout_ms={timeout_ms}"),
        }
    }
}

/// What came of one transaction of a bulk submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkResult {
    /// Where it stands.
    Status(Box<Status>),
    /// Refused at the door.
    Problem(Box<Problem>),
}

#[derive(Deserialize)]
struct BulkAnswer {
    results: Vec<BulkResult>,
}

/// What a node answered to a bulk as a whole.
pub(crate) struct BulkReply {
    pub(crate) results: Vec<BulkResult>,
    /// The wait that it asked of those that it turned away as too many.
    pub(crate) retry_after_ms: Option<u64>,
}

impl Client {
    /// Submits until there is a verdict (or, with [`Wait::Accepted`], an admission), sending the same
    /// bytes again and to other nodes as often as it takes. Safe to call again with the same
    /// transaction: it is applied at most once.
    ///
    /// A rejected or void transaction is no error: see the status' code.
    ///
    /// # Errors
    /// [`ClientError::Problem`] if it was refused at the door; [`ClientError::NeverApplied`] once that
    /// is certain; [`ClientError::InDoubt`] if time ran out before anything was;
    /// [`ClientError::Busy`] if every node turned it away until then; [`ClientError::Unreachable`] if
    /// nobody is there.
    pub async fn submit(
        &self,
        transaction: &Transaction,
        wait: Wait,
    ) -> Result<Status, ClientError> {
        self.submit_with_memo(transaction, None, wait).await
    }

    /// As [`Client::submit`], with the bytes of the blob that the transaction cites, which the node keeps beside the
    /// log. For a transaction that was applied without it too.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub async fn submit_with_memo(
        &self,
        transaction: &Transaction,
        blob: Option<&[u8]>,
        wait: Wait,
    ) -> Result<Status, ClientError> {
        let bytes = transaction.encode();
        check_size(bytes.len(), limits::TRANSACTION_BYTES_MAX)?;
        check_size(blob.map_or(0, <[u8]>::len), limits::MEMO_BLOB_BYTES_MAX)?;
        let (path, bytes) = match blob {
            Some(blob) => ("/v1/memos", join(&bytes, blob)),
            None => ("/v1/transactions", bytes),
        };
        let id = transaction.body.id();
        let http = self.http();
        let mut attempts = Attempts::new(
            (id, transaction.body.expires),
            (http.preferred(), http.nodes()),
            wait != Wait::Accepted,
            self.config().policy,
        );
        let begun = Instant::now();
        let mut last = String::from("nothing was sent");
        let mut step = attempts.start();
        loop {
            let answer = match step {
                Step::Done(conclusion) => {
                    return conclude(conclusion, (id, transaction.body.expires), http, last);
                }
                Step::Wait { ms } => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    step = attempts.waited();
                    continue;
                }
                Step::Send { node } => {
                    let post = self.submission(path, bytes.clone(), wait);
                    http.post(node, post).await
                }
                Step::Ask { node } => http.get_from(node, &format!("/v1/transactions/{id}")).await,
            };
            if let Some(words) = words(http, &answer) {
                last = words;
            }
            step = attempts.answered(answer_of(answer), moment(begun));
        }
    }

    /// Posts many at once to one node, without retry: [`crate::Gatherer`] does that.
    ///
    /// # Errors
    /// [`ClientError::TooLarge`]; otherwise [`ClientError`] of the submission as a whole, after which
    /// each of them is in doubt.
    pub async fn submit_bulk(
        &self,
        transactions: &[Transaction],
        wait: Wait,
    ) -> Result<Vec<BulkResult>, ClientError> {
        let encoded: Vec<Vec<u8>> = transactions.iter().map(Transaction::encode).collect();
        let node = self.http().preferred();
        match self.post_bulk(node, &encoded, wait).await {
            Ok(Ok(reply)) => Ok(reply.results),
            Ok(Err(reply)) => Err(self.http().refusal(&reply)),
            Err(transport) => Err(ClientError::Unreachable {
                node: self.http().name(node),
                cause: transport.cause(),
            }),
        }
    }

    /// Posts a bulk body. The inner error is an answer that refuses, or does not fit, all of them.
    pub(crate) async fn post_bulk(
        &self,
        node: usize,
        transactions: &[Vec<u8>],
        wait: Wait,
    ) -> Result<Result<BulkReply, Reply>, Transport> {
        let mut body = Vec::new();
        for bytes in transactions {
            let length = u32::try_from(bytes.len()).expect("transactions have at most 32 KiB");
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(bytes);
        }
        let post = self.submission("/v1/transactions/bulk", body, wait);
        let reply = self.http().post(node, post).await?;
        if reply.status != 200 && reply.status != 202 {
            return Ok(Err(reply));
        }
        match serde_json::from_slice::<BulkAnswer>(&reply.body) {
            Ok(answer) if answer.results.len() == transactions.len() => {
                let retry_after_ms = reply.retry_after_ms;
                Ok(Ok(BulkReply { results: answer.results, retry_after_ms }))
            }
            _ => Err(Transport::Lost("an answer to a bulk that does not fit it".into())),
        }
    }

    fn submission<'p>(&self, path: &'p str, body: Vec<u8>, wait: Wait) -> Post<'p> {
        let commit_ms = self.config().commit_timeout_ms;
        // The node answers `pending` by itself; only a dead one lets this longer time-out strike.
        let timeout = Duration::from_millis(commit_ms + 3_000);
        let query = wait.query(commit_ms);
        Post { path, query, media: "application/octet-stream", body, timeout }
    }
}

pub(crate) fn check_size(bytes: usize, limit: usize) -> Result<(), ClientError> {
    if bytes > limit { Err(ClientError::TooLarge { bytes, limit }) } else { Ok(()) }
}

pub(crate) fn moment(begun: Instant) -> Moment {
    Moment {
        elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        random: entropy::number(),
    }
}

/// What an HTTP answer means to the retry machine.
pub(crate) fn answer_of(reply: Result<Reply, Transport>) -> Answer {
    let reply = match reply {
        Ok(reply) => reply,
        Err(Transport::NotSent(_)) => return Answer::Unreachable,
        Err(Transport::Lost(_)) => return Answer::Lost,
    };
    let problem = || parse_problem(&reply.body).map(Box::new);
    match reply.status {
        200 | 202 => match serde_json::from_slice::<Status>(&reply.body) {
            Ok(status) => Answer::Status(Box::new(status)),
            Err(_) => Answer::Lost,
        },
        421 | 429 | 503 => {
            Answer::Busy { retry_after_ms: reply.retry_after_ms, in_doubt: reply.status == 503 }
        }
        // The body did not arrive in time, or a proxy gave up waiting: nothing is known.
        408 => Answer::Lost,
        400..=499 => problem().map_or(Answer::Lost, Answer::Refused),
        _ => Answer::Lost,
    }
}

fn words(http: &Http, reply: &Result<Reply, Transport>) -> Option<String> {
    match reply {
        Err(Transport::NotSent(cause) | Transport::Lost(cause)) => Some(cause.clone()),
        Ok(reply) if reply.status >= 400 => Some(http.refusal(reply).to_string()),
        Ok(_) => None,
    }
}

/// A conclusion as the caller's result.
pub(crate) fn conclude(
    conclusion: Conclusion,
    (id, expires): (musubi_ledger::id::TxId, musubi_ledger::time::Time),
    http: &Http,
    last: String,
) -> Result<Status, ClientError> {
    match conclusion {
        Conclusion::Status(status) => Ok(*status),
        Conclusion::Refused(problem) => Err(ClientError::Problem(problem)),
        Conclusion::NeverApplied { at } => Err(ClientError::NeverApplied { id, expires, at }),
        Conclusion::Busy => Err(ClientError::Busy { node: http.name(http.preferred()), last }),
        Conclusion::InDoubt => Err(ClientError::InDoubt { id, last }),
        Conclusion::Unreachable => {
            Err(ClientError::Unreachable { node: http.name(http.preferred()), cause: last })
        }
    }
}
