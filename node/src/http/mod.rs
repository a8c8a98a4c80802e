//! The HTTP API: axum routes over two traits, [`Ledger`] to read and [`Door`] to submit.
//!
//! Who owns what:
//! - `access`: those traits; the node keeps them in [`crate::api`];
//! - `submit`: the submission routes; `intake`: the way of a submission to its answer; `check`: the thread
//!   that decodes submissions and verifies their signatures; `sender`: whether the sender is among them;
//! - `memos`: encrypted texts beside the log; `read`: everything else that is read; `feed`: the event feed; `health`: probes and metrics;
//! - `auth`: reader tokens; `rate`: how much may be submitted; `body`, `extract`: what requests carry;
//! - `problem`: the one form of refusals; `edge`: what happens to every request and answer;
//! - `server`, `stall`: connections, their limits and time-outs;
//! - `test_time`: the clock of a test's chain;
//! - `openapi`, `schemas`: the API's description of itself.
//!
//! Every wait is bounded: submissions by byte budgets, for bodies on their way in and in front of the checks;
//! reads by semaphores, one for anyone and one for readers, and a time; feeds by pulling; connections by
//! number and time. What does not fit is refused with 429 or 503.

mod access;
mod auth;
mod body;
mod check;
mod config;
mod edge;
mod extract;
mod feed;
mod health;
mod intake;
mod memos;
mod openapi;
mod problem;
mod rate;
mod read;
mod schemas;
mod schemas_offers;
mod schemas_papers;
mod sender;
mod server;
mod stall;
mod submit;
mod test_time;
mod views;

use std::{net::IpAddr, sync::Arc, time::Instant};

use axum::body::Bytes;
use musubi_ledger::{
    address::SchemePrefix,
    execute::Head,
    genesis::{Genesis, GenesisError},
    keys::PublicKey,
};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use access::{
    Admission, CheckedSubmission, Door, Fate, FeedPage, HistoryPage, Ledger, NotReady, Read,
    ReadFault, Recorded, Refusal, RunLine, Unprovable,
};
pub use auth::ReaderToken;
pub use config::{HttpConfig, HttpLimits};
pub use problem::{ApiError, DoorCode, PROBLEM_JSON};
pub use rate::Rate;
pub use server::Server;

use crate::metrics::Metrics;
use check::SignatureDoor;
use rate::Buckets;

/// Why the API did not start.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The address could not be listened on, or the system gave no thread.
    #[error("the API cannot start: {0}")]
    Io(#[from] std::io::Error),
    /// The genesis document was not checked.
    #[error("the API cannot start: {0}")]
    Genesis(#[from] GenesisError),
}

/// What every handler shares.
#[derive(Clone)]
struct Api(Arc<Shared>);

struct Shared {
    ledger: Arc<dyn Ledger>,
    door: Arc<dyn Door>,
    door_checks: SignatureDoor,
    metrics: Arc<Metrics>,
    config: HttpConfig,
    tokens: Vec<ReaderToken>,
    scheme: SchemePrefix,
    genesis: Bytes,
    openapi: Bytes,
    /// Reads of the store at once, by anyone and by readers: neither waits for the other.
    public_reads: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    /// Bytes of request bodies in memory, before their turn at the door.
    bodies: Arc<Semaphore>,
    /// Feeds at once.
    feeds: Arc<Semaphore>,
    per_ip: Option<Buckets<IpAddr>>,
    per_key: Option<Buckets<PublicKey>>,
    stop: CancellationToken,
}

impl core::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// On whose behalf the store is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Anyone: no token was shown.
    Anyone,
    /// The bearer of a reader token.
    Reader,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
struct Peer(IpAddr);

/// Starts the API: listens, spawns its tasks and the checking thread, and returns its handle. Needs a tokio
/// runtime.
///
/// # Errors
/// [`HttpError`].
pub async fn serve(
    config: HttpConfig,
    genesis: &Genesis,
    ledger: Arc<dyn Ledger>,
    door: Arc<dyn Door>,
    metrics: Arc<Metrics>,
) -> Result<Server, HttpError> {
    let limits = config.limits;
    let door_checks = SignatureDoor::start(
        genesis.chain(),
        Arc::clone(&ledger),
        Arc::clone(&metrics),
        limits.door_bytes,
    )?;
    let (routes, openapi) = openapi::routes(genesis.parameters.driven_time);
    let api = Api(Arc::new(Shared {
        ledger,
        door,
        door_checks,
        metrics,
        tokens: config.tokens.clone(),
        scheme: genesis.prefix().map_err(GenesisError::from)?,
        genesis: genesis.encode().into(),
        openapi: openapi.to_string().into(),
        public_reads: Arc::new(Semaphore::new(limits.public_reads)),
        reads: Arc::new(Semaphore::new(limits.reads)),
        bodies: Arc::new(Semaphore::new(limits.body_bytes.min(Semaphore::MAX_PERMITS))),
        feeds: Arc::new(Semaphore::new(limits.feeds)),
        per_ip: limits.per_ip.map(Buckets::new),
        per_key: limits.per_key.map(Buckets::new),
        stop: CancellationToken::new(),
        config,
    }));
    let router = edge::wrap(routes(&api), &api).with_state(api.clone());
    Ok(Server::start(api, router).await?)
}

impl Api {
    fn head(&self) -> Head {
        *self.ledger.heads().borrow()
    }

    /// [`Api::read_by`] for a reader.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Ledger) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.read_by(Who::Reader, read).await
    }

    /// Reads on a thread that may wait for the disk. Waits a bounded time for its turn.
    async fn read_by<T: Send + 'static>(
        &self,
        who: Who,
        read: impl FnOnce(&dyn Ledger) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turns = match who {
            Who::Anyone => &self.public_reads,
            Who::Reader => &self.reads,
        };
        let turn = Arc::clone(turns).acquire_owned();
        let permit = tokio::time::timeout(self.config.limits.read_wait(), turn).await;
        let permit = permit.map_err(|_| ApiError::new(DoorCode::Busy))?;
        let permit = permit.expect("nobody closes these semaphores");
        let ledger = Arc::clone(&self.ledger);
        let reading = tokio::task::spawn_blocking(move || {
            let answer = read(&*ledger);
            drop(permit);
            answer
        });
        reading.await.map_err(|panic| {
            tracing::error!(%panic, "an API read panicked");
            ApiError::new(DoorCode::Internal)
        })?
    }

    /// Reads several rows of one and the same block: if a block came in between, reads again.
    async fn read_at_head<T: Send + 'static>(
        &self,
        who: Who,
        read: impl Fn(&dyn Ledger, Head) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.read_by(who, move |ledger| {
            let heads = ledger.heads();
            for _ in 0..READ_TRIES {
                let head = *heads.borrow();
                let answer = read(ledger, head)?;
                if *heads.borrow() == head {
                    return Ok(answer);
                }
            }
            Err(ApiError::new(DoorCode::Busy).because("blocks came faster than the rows were read"))
        })
        .await
    }

    fn take_rate<K: Eq + std::hash::Hash>(
        &self,
        buckets: Option<&Buckets<K>>,
        key: K,
        count: usize,
    ) -> Result<(), ApiError> {
        let taken = buckets.map_or(Ok(()), |buckets| buckets.take(key, count, Instant::now()));
        taken.map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            ApiError::new(DoorCode::RateLimited).retry_after(seconds.max(1))
        })
    }
}

/// How often [`Api::read_at_head`] tries: a view takes some 20 µs, a block comes every few milliseconds.
const READ_TRIES: usize = 16;
