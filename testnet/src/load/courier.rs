//! Bulk submissions that end with an answer for each item, whatever happens to nodes on the way: the
//! same bytes go to the next node until there is one.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use musubi_ledger::code::Code;
use musubi_sdk::BulkResult;
use serde::Deserialize;

use super::{
    journal::Journal,
    outcome::{self, Place},
};
use crate::item::{Expected, Item};

/// How long a node may wait for a commit before it says `pending`, in milliseconds.
const COMMIT_MS: u64 = 8_000;
/// How long one item may stay without an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(25);

/// The answer to one item.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The code.
    pub code: String,
    /// Where it ended.
    pub place: Place,
    /// From its first posting to its answer.
    pub latency: Duration,
    /// When it was answered.
    pub acked: Instant,
}

/// An answer that let something take effect.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    /// When its items were posted for the first time: what is posted again may have been ordered before.
    pub posted: Instant,
    /// When it was answered.
    pub acked: Instant,
}

/// Sends bulk submissions to all nodes.
#[derive(Debug)]
pub struct Courier {
    http: reqwest::Client,
    urls: Vec<String>,
    journal: Option<Journal>,
    acks: Mutex<Vec<Ack>>,
    in_flight: AtomicU64,
}

#[derive(Deserialize)]
struct BulkAnswer {
    results: Vec<BulkResult>,
}

impl Courier {
    /// For the nodes at `urls`. What is acknowledged goes into the journal first, if there is one.
    ///
    /// # Errors
    /// If the system gives no HTTP client.
    pub fn new(urls: Vec<String>, journal: Option<Journal>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_millis(COMMIT_MS + 4_000))
            .build()?;
        Ok(Self { http, urls, journal, acks: Mutex::default(), in_flight: AtomicU64::new(0) })
    }

    /// How many nodes it submits to.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.urls.len()
    }

    /// Items that wait for their answer now.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// All postings that brought verdicts so far.
    #[must_use]
    pub fn acks(&self) -> Vec<Ack> {
        self.acks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The journal, if one is kept.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Submits items, first to the node at place `home`, until each has its answer.
    ///
    /// # Errors
    /// If an item stays without an answer, or a node answers nonsense.
    pub async fn deliver(&self, home: usize, items: &[Item]) -> anyhow::Result<Vec<Answer>> {
        let count = items.len() as u64;
        self.in_flight.fetch_add(count, Ordering::Relaxed);
        let delivered = self.deliver_all(home, items).await;
        self.in_flight.fetch_sub(count, Ordering::Relaxed);
        delivered
    }

    async fn deliver_all(&self, home: usize, items: &[Item]) -> anyhow::Result<Vec<Answer>> {
        let first = Instant::now();
        let mut answers: Vec<Option<Answer>> = vec![None; items.len()];
        let mut last = String::new();
        for attempt in 0.. {
            let open: Vec<usize> = (0..items.len()).filter(|&at| answers[at].is_none()).collect();
            if open.is_empty() {
                break;
            }
            if first.elapsed() > PATIENCE {
                bail!("{} items got no answer within {PATIENCE:?}: {last}", open.len());
            }
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let node = (home + attempt) % self.urls.len();
            match self.post(node, open.iter().map(|&at| &items[at])).await {
                Err(cause) => last = format!("{cause:#}"),
                Ok(results) => {
                    anyhow::ensure!(
                        results.len() == open.len(),
                        "node {} answered {} of {} items; see its log",
                        node + 1,
                        results.len(),
                        open.len()
                    );
                    let found = self.take(items, &open, results, first, &mut last)?;
                    for (at, answer) in found {
                        answers[at] = Some(answer);
                    }
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Takes the final ones of a posting's results, verdicts through the journal.
    fn take(
        &self,
        items: &[Item],
        open: &[usize],
        results: Vec<BulkResult>,
        first: Instant,
        last: &mut String,
    ) -> anyhow::Result<Vec<(usize, Answer)>> {
        let mut found = Vec::new();
        let mut verdicts = Vec::new();
        for (&at, result) in open.iter().zip(results) {
            match outcome::result(&result) {
                Ok((name, Place::Door, _)) if not_known_yet(&items[at], &name) => {
                    *last = format!("{}: {name}", items[at].id);
                }
                Ok((name, place, code)) => {
                    if let (Place::Applied | Place::Rejected, Some(code)) = (place, code) {
                        verdicts.push((items[at].id, code));
                    }
                    found.push((at, name, place));
                }
                Err(why) => *last = why,
            }
        }
        if let Some(journal) = &self.journal {
            tokio::task::block_in_place(|| journal.note(&verdicts))?;
        }
        // Only now it is acknowledged: the journal has it.
        let acked = Instant::now();
        // An old verdict told again says nothing about whether new ones come.
        let new = |at: usize| items[at].expected == Expected::Code(Code::Applied);
        if found.iter().any(|(at, _, place)| *place == Place::Applied && new(*at)) {
            let mut acks = self.acks.lock().unwrap_or_else(PoisonError::into_inner);
            acks.push(Ack { posted: first, acked });
        }
        let latency = acked - first;
        let answer = |(at, code, place)| (at, Answer { code, place, latency, acked });
        Ok(found.into_iter().map(answer).collect())
    }

    async fn post(
        &self,
        node: usize,
        items: impl Iterator<Item = &Item>,
    ) -> anyhow::Result<Vec<BulkResult>> {
        let mut body = Vec::new();
        for item in items {
            let length = u32::try_from(item.bytes.len()).context("an item beyond all bounds")?;
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(&item.bytes);
        }
        let url = format!(
            "{}/v1/transactions/bulk?wait=committed&timeout_ms={COMMIT_MS}",
            self.urls[node]
        );
        let request = self.http.post(url).header("content-type", "application/octet-stream");
        let response = request.body(body).send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if !status.is_success() {
            let text = String::from_utf8_lossy(&bytes);
            bail!("node {} answered {status}: {text}", node + 1);
        }
        Ok(serde_json::from_slice::<BulkAnswer>(&bytes)?.results)
    }
}

/// Whether a node refused a sender whose key was registered a moment ago: it may be a block behind the node
/// that acknowledged that.
fn not_known_yet(item: &Item, code: &str) -> bool {
    let applies = matches!(item.expected, Expected::Code(Code::Applied) | Expected::Replay);
    applies && code == Code::SenderNotSigner.name()
}
