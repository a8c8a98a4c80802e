//! Gathers single submissions into bulk ones: one HTTP request costs more than checking what it
//! carries, so a backend calls [`Gatherer::submit`] per payment and the wire sees a few large bodies.
//!
//! Each caller gets its own verdict, by the same retry machine as [`Client::submit`]. All queues are
//! bounded: when nodes are slow, callers wait in `submit`, memory does not grow.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use musubi_ledger::{api::Status, id::TxId, limits, time::Time, transaction::Transaction};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    client::{
        BulkReply, BulkResult, Client, Reply, Transport, Wait, answer_of, check_size, conclude,
        moment,
    },
    error::ClientError,
    retry::{Answer, Attempts, Step},
};

/// How long an item waits that was turned away as too many, where the answer does not say.
const ITEM_WAIT_MS: u64 = 1_000;

/// How to gather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatherConfig {
    /// Most transactions in one request.
    pub items: usize,
    /// Most bytes in one request; at most [`limits::HTTP_BULK_BYTES_MAX`].
    pub bytes: usize,
    /// How long the first of a request waits for company.
    pub window: Duration,
    /// Callers that may be served at a time; more wait in `submit`.
    pub queue: usize,
    /// Requests under way at a time.
    pub in_flight: usize,
    /// What callers wait for.
    pub wait: Wait,
}

impl Default for GatherConfig {
    fn default() -> Self {
        Self {
            items: 1_000,
            bytes: limits::HTTP_BULK_BYTES_MAX,
            window: Duration::from_millis(2),
            queue: 8_192,
            in_flight: 4,
            wait: Wait::Committed,
        }
    }
}

/// A handle that many callers may clone. What is under way when the last one is dropped is finished.
#[derive(Clone, Debug)]
pub struct Gatherer {
    client: Client,
    wait: Wait,
    inbox: mpsc::Sender<Job>,
    places: Arc<Semaphore>,
}

/// One caller's transaction.
#[derive(Debug)]
struct Job {
    bytes: Vec<u8>,
    id: TxId,
    expires: Time,
    attempts: Attempts,
    node: usize,
    begun: Instant,
    arrived: Instant,
    last: String,
    reply: oneshot::Sender<Result<Status, ClientError>>,
    _place: OwnedSemaphorePermit,
}

/// What comes back from the wire.
enum Landed {
    Bulk(Vec<Job>, Result<Result<BulkReply, Reply>, Transport>),
    Question(Box<Job>, Result<Reply, Transport>),
}

impl Gatherer {
    /// Begins to gather.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn new(client: Client, config: GatherConfig) -> Self {
        let (inbox, arrivals) = mpsc::channel(config.queue.max(1));
        let places = Arc::new(Semaphore::new(config.queue.max(1)));
        let worker = Worker {
            config: GatherConfig {
                items: config.items.max(1),
                bytes: config.bytes.min(limits::HTTP_BULK_BYTES_MAX),
                in_flight: config.in_flight.max(1),
                ..config
            },
            client: client.clone(),
            ready: VecDeque::new(),
            waiting: Vec::new(),
            flights: JoinSet::new(),
        };
        tokio::spawn(worker.run(arrivals));
        Self { client, wait: config.wait, inbox, places }
    }

    /// As [`Client::submit`], in company.
    ///
    /// # Errors
    /// As [`Client::submit`]; [`ClientError::Closed`] if the worker is gone with its runtime.
    pub async fn submit(&self, transaction: &Transaction) -> Result<Status, ClientError> {
        let bytes = transaction.encode();
        check_size(bytes.len(), limits::TRANSACTION_BYTES_MAX)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| ClientError::Closed)?;
        let (reply, verdict) = oneshot::channel();
        let (id, expires) = (transaction.body.id(), transaction.body.expires);
        let (now, http) = (Instant::now(), self.client.http());
        let job = Job {
            bytes,
            id,
            expires,
            attempts: Attempts::new(
                (id, expires),
                (http.preferred(), http.nodes()),
                self.wait != Wait::Accepted,
                self.client.config().policy,
            ),
            node: 0,
            begun: now,
            arrived: now,
            last: String::from("nothing was sent"),
            reply,
            _place: place,
        };
        self.inbox.send(job).await.map_err(|_| ClientError::Closed)?;
        verdict.await.map_err(|_| ClientError::Closed)?
    }
}

struct Worker {
    config: GatherConfig,
    client: Client,
    /// To be sent, oldest first.
    ready: VecDeque<Job>,
    /// To be sent later.
    waiting: Vec<(Instant, Job)>,
    flights: JoinSet<Landed>,
}

impl Worker {
    async fn run(mut self, mut arrivals: mpsc::Receiver<Job>) {
        let mut open = true;
        while open || !self.ready.is_empty() || !self.waiting.is_empty() || !self.flights.is_empty()
        {
            let alarm = self.alarm();
            tokio::select! {
                job = arrivals.recv(), if open => match job {
                    Some(job) => {
                        let step = job.attempts.start();
                        self.route(job, step);
                    }
                    None => open = false,
                },
                Some(landed) = self.flights.join_next(), if !self.flights.is_empty() => {
                    // A flight that panicked drops its jobs' replies: their callers see `Closed`.
                    if let Ok(landed) = landed {
                        self.land(landed);
                    }
                }
                () = sleep_until(alarm), if alarm.is_some() => self.wake(),
            }
            while self.may_cut(open) {
                self.cut();
            }
        }
    }

    /// When something is next to be done without anybody's news.
    fn alarm(&self) -> Option<Instant> {
        let room = self.flights.len() < self.config.in_flight;
        let window = self.ready.front().filter(|_| room);
        let window = window.map(|job| job.arrived + self.config.window);
        let waits = self.waiting.iter().map(|(until, _)| *until);
        waits.chain(window).min()
    }

    fn wake(&mut self) {
        let now = Instant::now();
        for (_, job) in self.waiting.extract_if(.., |(until, _)| *until <= now).collect::<Vec<_>>()
        {
            let step = job.attempts.waited();
            self.route(job, step);
        }
    }

    fn may_cut(&self, open: bool) -> bool {
        let Some(first) = self.ready.front() else {
            return false;
        };
        let full = || {
            let bytes: usize = self.ready.iter().map(|job| job.bytes.len() + 4).sum();
            self.ready.len() >= self.config.items || bytes >= self.config.bytes
        };
        let due = first.arrived.elapsed() >= self.config.window;
        self.flights.len() < self.config.in_flight && (due || !open || full())
    }

    /// Sends the oldest ready job with all that go to the same node and fit.
    fn cut(&mut self) {
        let node = self.ready.front().map_or(0, |job| job.node);
        let (mut jobs, mut bytes) = (Vec::new(), 0);
        let mut others = VecDeque::new();
        for job in std::mem::take(&mut self.ready) {
            let size = job.bytes.len() + 4;
            let fits = jobs.len() < self.config.items && bytes + size <= self.config.bytes;
            if job.node == node && (fits || jobs.is_empty()) {
                bytes += size;
                jobs.push(job);
            } else {
                others.push_back(job);
            }
        }
        self.ready = others;
        // Nobody waits for the answer any more: not sending is cheaper.
        jobs.retain(|job: &Job| !job.reply.is_closed());
        if jobs.is_empty() {
            return;
        }
        let (client, wait) = (self.client.clone(), self.config.wait);
        self.flights.spawn(async move {
            let encoded: Vec<Vec<u8>> = jobs.iter().map(|job| job.bytes.clone()).collect();
            let answer = client.post_bulk(node, &encoded, wait).await;
            Landed::Bulk(jobs, answer)
        });
    }

    fn land(&mut self, landed: Landed) {
        match landed {
            Landed::Question(job, reply) => self.answered(*job, answer_of(reply), ""),
            Landed::Bulk(jobs, Ok(Ok(reply))) => {
                for (job, result) in jobs.into_iter().zip(reply.results) {
                    let (answer, words) = answer_of_item(result, reply.retry_after_ms);
                    self.answered(job, answer, &words);
                }
            }
            Landed::Bulk(jobs, Ok(Err(reply))) => {
                let words = self.client.http().refusal(&reply).to_string();
                for job in jobs {
                    self.answered(job, answer_of(Ok(reply.clone())), &words);
                }
            }
            Landed::Bulk(jobs, Err(transport)) => {
                let not_sent = matches!(transport, Transport::NotSent(_));
                let words = transport.cause();
                for job in jobs {
                    let answer = if not_sent { Answer::Unreachable } else { Answer::Lost };
                    self.answered(job, answer, &words);
                }
            }
        }
    }

    fn answered(&mut self, mut job: Job, answer: Answer, words: &str) {
        if !words.is_empty() {
            job.last = words.into();
        }
        let step = job.attempts.answered(answer, moment(job.begun));
        self.route(job, step);
    }

    fn route(&mut self, mut job: Job, step: Step) {
        match step {
            Step::Send { node } => {
                job.node = node;
                self.ready.push_back(job);
            }
            Step::Ask { node } => {
                let client = self.client.clone();
                self.flights.spawn(async move {
                    let path = format!("/v1/transactions/{}", job.id);
                    let reply = client.http().get_from(node, &path).await;
                    Landed::Question(Box::new(job), reply)
                });
            }
            Step::Wait { ms } => {
                let until = Instant::now() + Duration::from_millis(ms);
                self.waiting.push((until, job));
            }
            Step::Done(conclusion) => {
                let which = (job.id, job.expires);
                let result = conclude(conclusion, which, self.client.http(), job.last);
                // A caller that has gone needs no answer.
                drop(job.reply.send(result));
            }
        }
    }
}

/// What one item's answer means; as that of a single submission with the same status.
fn answer_of_item(result: BulkResult, retry_after_ms: Option<u64>) -> (Answer, String) {
    let problem = match result {
        BulkResult::Status(status) => return (Answer::Status(status), String::new()),
        BulkResult::Problem(problem) => problem,
    };
    let words = format!("{}: {}", problem.code, problem.detail);
    let answer = match problem.status {
        421 | 429 | 503 => {
            // An answer to many carries no wait of its own for each: a second is what doors ask for.
            let retry_after_ms = Some(retry_after_ms.unwrap_or(ITEM_WAIT_MS));
            Answer::Busy { retry_after_ms, in_doubt: problem.status == 503 }
        }
        408 | 500..=599 => Answer::Lost,
        _ => Answer::Refused(problem),
    };
    (answer, words)
}

async fn sleep_until(alarm: Option<Instant>) {
    match alarm {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
