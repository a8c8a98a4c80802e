//! Asking upstreams for a snapshot: one after the other, until one has one that adds up.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use futures::{StreamExt, stream};
use musubi_ledger::{
    genesis::Genesis,
    policy::bundle::BUNDLE_BYTES_MAX,
    snapshot::{manifest::MANIFEST_BYTES_MAX, page::PAGE_BYTES_MAX},
    tlog::{Bundle, TilePath, tile::FULL_WIDTH},
};
use musubi_storage::{Directory, Incoming, Opened};
use zeroize::Zeroizing;

use super::{
    Begun,
    taking::{NotTaken, Taking},
};
use crate::{
    config::{Loaded, Replica},
    core::Fault,
    directory,
    follow::{
        ask::{Failure, problem_code},
        upstreams::{Next, Upstreams},
    },
    metrics::Metrics,
    outgoing::{Limits, Outgoing},
};

const MANIFEST: Limits = Limits { within: Duration::from_secs(30), bytes: MANIFEST_BYTES_MAX };
const BUNDLE: Limits = Limits { within: Duration::from_secs(30), bytes: BUNDLE_BYTES_MAX };
const ROWS: Limits = Limits { within: Duration::from_secs(30), bytes: PAGE_BYTES_MAX };
/// A leaf bundle is about 31 KiB.
const LEAVES: Limits = Limits { within: Duration::from_secs(30), bytes: 64 * 1024 };
/// Bundles of leaves asked for at once.
const IN_FLIGHT: usize = 8;
/// Between two lines of the log about how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Why one upstream's snapshot was not taken, and the directory for another attempt, if this node did not fail.
enum Ended {
    Failed(Failure, Incoming),
    Refused(NotTaken, Incoming),
    Fault(anyhow::Error),
}

/// Everything that the questions need.
struct Asking {
    client: Outgoing,
    token: Arc<Zeroizing<String>>,
    genesis: Arc<Genesis>,
    settings: musubi_storage::OpenSettings,
    /// The data directory, and how much must stay free on its disk: how many rows there are, nobody vouches for
    /// before the last.
    room: (PathBuf, u64),
}

/// Takes a snapshot into a directory without a ledger, however long upstreams are away.
///
/// # Errors
/// If every upstream serves what does not add up, or this node's disk fails.
pub async fn take(
    loaded: &Loaded,
    directory: Directory,
    metrics: &Metrics,
) -> anyhow::Result<Begun> {
    let Replica { upstream: urls, token, .. } = loaded.replica();
    let asking = Asking {
        client: Outgoing::new(),
        token: Arc::clone(token),
        genesis: Arc::new(loaded.genesis.clone()),
        settings: directory::settings(loaded),
        room: (loaded.config.data.clone(), loaded.config.tuning.disk_free_bytes),
    };
    let mut incoming = Incoming::begin(directory)?;
    let (mut upstreams, begun) = (Upstreams::new(urls.len()), Instant::now());
    let now = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut refused: Vec<(usize, String)> = Vec::new();
    loop {
        let at = match upstreams.next(now()) {
            Next::Ask(at) => at,
            Next::Wait(until) => {
                tokio::time::sleep(Duration::from_millis(until.saturating_sub(now()))).await;
                continue;
            }
            Next::Halt => {
                let told = refused.iter().map(|(at, what)| format!("{}: {what}", urls[*at]));
                anyhow::bail!(
                    "no snapshot is taken (contradicted): nobody serves one that adds up: {}. Nothing of it was kept. \
                     Find out, with other operators, who serves another state and why; then start this replica again \
                     with upstreams that you trust to serve the right one, or with `start = \"genesis\"`",
                    told.collect::<Vec<_>>().join("; ")
                );
            }
        };
        let url = &urls[at];
        tracing::info!(upstream = url, "asks for a snapshot");
        match asking.one(url, incoming).await {
            Ok(opened) => return Ok(Begun { opened, refused }),
            Err(Ended::Fault(fault)) => return Err(fault),
            Err(Ended::Failed(why, back)) => {
                metrics.upstream_failed(url, why.code());
                tracing::warn!(upstream = url, code = why.code(), %why, "no snapshot from an upstream");
                upstreams.failed(at, now());
                incoming = back;
            }
            Err(Ended::Refused(why, back)) => {
                let code = why.code().expect("what is refused came from the upstream");
                metrics.upstream_refused(url, code);
                tracing::error!(upstream = url, code, "refused an upstream's snapshot: {why}");
                refused.push((at, format!("{why} ({code})")));
                upstreams.exclude(at);
                incoming = back;
            }
        }
        // Nothing of what was refused, or cut short, stays.
        incoming.restart()?;
    }
}

impl Asking {
    async fn one(&self, url: &str, incoming: Incoming) -> Result<Opened, Ended> {
        let both = async {
            let manifest = self.get(&format!("{url}/v1/snapshot"), MANIFEST).await?;
            // Behind the manifest: whatever its checkpoint confirmed is in it.
            Ok((manifest, self.get(&format!("{url}/v1/policies"), BUNDLE).await?))
        };
        let (manifest, bundle) = match both.await {
            Ok(both) => both,
            Err(why) => return Err(Ended::Failed(why, incoming)),
        };
        let genesis = Arc::clone(&self.genesis);
        let begin = move || Taking::begin(&genesis, (&manifest, &bundle), incoming);
        let taking = work(begin).await?.map_err(|(why, back)| ended(why, Some(back)))?;
        let head = taking.anchor().head;
        tracing::info!(
            height = head.height,
            size = head.size,
            "takes the snapshot of a final seal"
        );
        let taking = self.rows(url, taking).await?;
        let rows = taking.rows();
        let taking = self.leaves(url, taking).await?;
        let id = directory::random_id().map_err(Ended::Fault)?;
        let settings = self.settings;
        let finish = move || taking.finish(id, &settings);
        let opened = work(finish).await?.map_err(|(why, back)| ended(why, back))?;
        tracing::info!(
            rows,
            leaves = head.size,
            "the snapshot adds up: state digest and root are the final ones"
        );
        Ok(opened)
    }

    async fn rows(&self, url: &str, mut taking: Taking) -> Result<Taking, Ended> {
        let mut said = Instant::now();
        loop {
            let free = directory::disk_free(&self.room.0);
            if free < self.room.1 {
                return Err(Ended::Refused(NotTaken::NoRoom { free }, taking.give_up()));
            }
            let height = taking.anchor().head.height;
            let mut asked = format!("{url}/v1/snapshot/rows?height={height}");
            if let Some(last) = taking.last() {
                asked.push_str("&after=");
                asked.push_str(&hex::encode(last));
            }
            let page = match self.get(&asked, ROWS).await {
                Ok(page) => page,
                Err(why) => return Err(Ended::Failed(why, taking.give_up())),
            };
            let (back, taken) = work(move || {
                let taken = taking.page(&page);
                (taking, taken)
            })
            .await?;
            taking = back;
            match taken {
                Ok(true) => return Ok(taking),
                Ok(false) => {}
                Err(why) => return Err(ended(why, Some(taking.give_up()))),
            }
            if said.elapsed() >= SAY_EVERY {
                tracing::info!(rows = taking.rows(), "taking the state");
                said = Instant::now();
            }
        }
    }

    async fn leaves(&self, url: &str, mut taking: Taking) -> Result<Taking, Ended> {
        let size = taking.anchor().head.size;
        let bundles =
            (0..size.div_ceil(FULL_WIDTH.into())).filter_map(|at| Bundle::in_log(at, size));
        let fetch = |bundle: Bundle| async move {
            let path = TilePath::Entries(bundle);
            (bundle, self.get(&format!("{url}/log/{path}"), LEAVES).await)
        };
        let mut answers = std::pin::pin!(stream::iter(bundles).map(fetch).buffered(IN_FLIGHT));
        let mut said = Instant::now();
        while let Some((bundle, answer)) = answers.next().await {
            assert_eq!(taking.wanted(), Some(bundle), "bundle after bundle");
            let content = match answer {
                Ok(content) => content,
                Err(why) => return Err(Ended::Failed(why, taking.give_up())),
            };
            let (back, taken) = work(move || {
                let taken = taking.bundle(&bundle, &content);
                (taking, taken)
            })
            .await?;
            taking = back;
            if let Err(why) = taken {
                return Err(ended(why, Some(taking.give_up())));
            }
            if said.elapsed() >= SAY_EVERY {
                tracing::info!(
                    bundle = bundle.index,
                    of = size / u64::from(FULL_WIDTH),
                    "taking the leaves"
                );
                said = Instant::now();
            }
        }
        Ok(taking)
    }

    /// An answer of status 200.
    async fn get(&self, url: &str, limits: Limits) -> Result<Bytes, Failure> {
        let answer = self.client.get(url, Some(&self.token), limits).await?;
        if answer.status != 200 {
            let code = problem_code(answer.content_type.as_deref(), &answer.body);
            return Err(Failure::Status { status: answer.status, code });
        }
        Ok(answer.body)
    }
}

/// Whose fault it is.
fn ended(why: NotTaken, incoming: Option<Incoming>) -> Ended {
    match incoming {
        Some(incoming) if why.code().is_some() => Ended::Refused(why, incoming),
        _ => Ended::Fault(why.into()),
    }
}

/// On a thread that may wait for the disk.
async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Ended> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Ended::Fault(Fault::Thread("snapshot").into()))
}
